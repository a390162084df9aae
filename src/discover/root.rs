//! The folder that files are read from (I/O).

use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use crate::files;

/// The folder below which every path of this module is: `/`, or another one with the files of a
/// test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Default for Root {
    fn default() -> Self {
        Self(PathBuf::from("/"))
    }
}

/// The folders of programs. `PATH` is not used: the daemon may run with any value.
const PROGRAMS: [&str; 6] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/bin",
    "/sbin",
];

impl Root {
    /// A folder other than `/`.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The file of an absolute path.
    pub(crate) fn path(&self, absolute: &str) -> PathBuf {
        self.0.join(absolute.trim_start_matches('/'))
    }

    /// The file of a program; `None` if it is not installed.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        let mut places = PROGRAMS.iter().map(|dir| self.path(dir).join(name));
        places.find(|place| place.is_file())
    }

    /// Pass on the lines of a file, one after the other. Bytes that are not UTF-8 are replaced.
    pub(crate) fn lines(&self, absolute: &str, mut read: impl FnMut(&str)) -> io::Result<()> {
        let mut file = BufReader::new(files::open(&self.path(absolute))?);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 {
            read(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
        Ok(())
    }
}
