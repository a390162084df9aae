//! Files that the program reads: regular ones, opened without waiting, and bounded in size (I/O).
//!
//! A path of the configuration may lead to a FIFO, to a device without end, or to a terminal. A plain
//! open of a FIFO waits for a writer, which may never come.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// Open a regular file for reading. A directory, FIFO, socket or device is refused by name.
///
/// # Errors
/// As `open(2)`, and [`io::ErrorKind::InvalidInput`] for what is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(NO_WAITING)
        .open(path)?;
    must_be_regular(&file)?;
    Ok(file)
}

/// Flags of an open that waits for no writer and takes no terminal.
pub const NO_WAITING: i32 = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY).bits();

/// Judge the type of what was opened, not of what stands there a moment later.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for what is no regular file.
pub fn must_be_regular(file: &File) -> io::Result<()> {
    let kind = file.metadata()?.file_type();
    match kind.is_file() {
        true => Ok(()),
        false => Err(irregular(kind)),
    }
}

/// Read a regular file of at most `max` bytes.
///
/// # Errors
/// As [`open`], as `read(2)`, and [`io::ErrorKind::FileTooLarge`] for a longer file.
pub fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?
        .take(max.saturating_add(1))
        .read_to_end(&mut content)?;
    if content.len() as u64 > max {
        let why = format!("larger than {max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(content)
}

/// The same for text.
///
/// # Errors
/// As [`read`], and [`io::ErrorKind::InvalidData`] for what is no UTF-8.
pub fn read_text(path: &Path, max: u64) -> io::Result<String> {
    let text = String::from_utf8(read(path, max)?);
    text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "this is no UTF-8 text"))
}

fn irregular(kind: std::fs::FileType) -> io::Error {
    use std::os::unix::fs::FileTypeExt;
    let what = match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_fifo() => "a FIFO",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    };
    let why = format!("this is {what}, not a regular file");
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(path: &Path) -> String {
        read(path, 10).unwrap_err().to_string()
    }

    #[test]
    fn only_regular_files_are_read_and_nothing_waits() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(why(&fifo), "this is a FIFO, not a regular file");
        assert_eq!(why(dir.path()), "this is a directory, not a regular file");
        let zero = Path::new("/dev/zero");
        assert_eq!(why(zero), "this is a device, not a regular file");
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read(&path, 10).unwrap(), b"0123456789");
        std::fs::write(&path, "0123456789a").unwrap();
        assert_eq!(why(&path), "larger than 10 bytes");
    }
}
