//! Where the files are that are read (I/O).

use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use crate::files;

/// The folder that every path of this module is below: `/`, or another where a test put files of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Default for Root {
    fn default() -> Self {
        Self(PathBuf::from("/"))
    }
}

/// Where programs are installed. `PATH` is not asked: the daemon may run with any.
const PROGRAMS: [&str; 6] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/bin",
    "/sbin",
];

impl Root {
    /// Another folder than `/`.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Where an absolute path is.
    pub(crate) fn path(&self, absolute: &str) -> PathBuf {
        self.0.join(absolute.trim_start_matches('/'))
    }

    /// Where a program is; `None` when it is not installed.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        let mut places = PROGRAMS.iter().map(|dir| self.path(dir).join(name));
        places.find(|place| place.is_file())
    }

    /// Hand over the lines of a file, one after the other. Bytes that are no UTF-8 are replaced.
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
