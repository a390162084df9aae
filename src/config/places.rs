//! Where a path leads: two that are written differently may be one file (I/O, but for [`plain`]).

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf, absolute};

use crate::files;

/// Where a path leads; a parameter, so that checking needs no disk.
pub(super) type Real<'a> = &'a dyn Fn(&Path) -> PathBuf;

/// Without `.` and `..`, as if no part of it were a link.
pub(super) fn plain(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = plain.pop(),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// With every link followed, as far as it exists. Where the file system does not answer, as written.
pub(super) fn real(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    files::within(&path, files::PATIENCE, followed).unwrap_or_else(|_| plain(&path))
}

fn followed(path: &Path) -> io::Result<PathBuf> {
    for there in path.ancestors() {
        match fs::canonicalize(there) {
            Ok(real) => {
                // Never fails: it is one of its ancestors.
                let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
                return Ok(plain(&real.join(rest)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(plain(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_where_it_leads_through_links_and_dots() {
        let dir = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir(base.join("real")).unwrap();
        fs::write(base.join("real/list"), "").unwrap();
        std::os::unix::fs::symlink("real", base.join("link")).unwrap();
        std::os::unix::fs::symlink("real/list", base.join("other")).unwrap();
        for (written, leads) in [
            ("link/list", "real/list"),
            ("other", "real/list"),
            ("real/../link/./list", "real/list"),
            ("link/missing/../new", "real/new"),
            ("link/missing", "real/missing"),
        ] {
            assert_eq!(real(&base.join(written)), base.join(leads), "{written}");
        }
        assert_eq!(plain(Path::new("/a/../b/./c")), Path::new("/b/c"));
    }
}
