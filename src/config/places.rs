//! Resolves paths: two that are written differently may be one file (I/O, except for
//! [`as_written`]).

use std::fs;
use std::path::{Component, Path, PathBuf, absolute};
use std::time::Duration;

use crate::files;

/// Resolves paths; a parameter, so that checking needs no disk.
pub(super) type Real<'a> = &'a dyn Fn(&[PathBuf]) -> Vec<Leads>;

/// The target of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leads {
    /// The path without links.
    pub to: PathBuf,
    /// Whether a folder is there.
    pub is_folder: bool,
}

/// Time limit for all paths together.
const PATIENCE: Duration = Duration::from_secs(1);

/// Without `.` and `..`, as if no part of them were a link.
pub(super) fn as_written(paths: &[PathBuf]) -> Vec<Leads> {
    let leads = |path: &PathBuf| Leads {
        to: plain(path),
        is_folder: false,
    };
    paths.iter().map(leads).collect()
}

/// With every link followed, as far as it exists. If a file system does not answer, as written.
pub(super) fn real(paths: &[PathBuf]) -> Vec<Leads> {
    // One thread for all paths: loading a configuration leaves at most one behind.
    let all = Path::new("the paths of the configuration");
    let asked = paths.to_owned();
    let leads = |path: &PathBuf| {
        let to = followed(path);
        let is_folder = to.is_dir();
        Leads { to, is_folder }
    };
    let real = move |_: &Path| Ok(asked.iter().map(leads).collect());
    files::within(all, PATIENCE, real).unwrap_or_else(|_| as_written(paths))
}

fn plain(path: &Path) -> PathBuf {
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

fn followed(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    for there in path.ancestors() {
        if let Ok(real) = fs::canonicalize(there) {
            // Never fails: it is one of its ancestors.
            let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
            return plain(&real.join(rest));
        }
    }
    plain(&path)
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
            let expected = Leads {
                to: base.join(leads),
                is_folder: false,
            };
            assert_eq!(real(&[base.join(written)]), [expected], "{written}");
        }
        let expected = Leads {
            to: base.join("real"),
            is_folder: true,
        };
        assert_eq!(real(&[base.join("link")]), [expected]);
        assert_eq!(plain(Path::new("/a/../b/./c")), Path::new("/b/c"));
    }
}
