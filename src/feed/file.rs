//! Feeds that are local files (I/O).
//!
//! Another program may write the file while it is read, and a part of a list looks like a whole
//! one. So a file is accepted only if it stayed the same for a moment.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use super::{Refused, incomplete};
use crate::files;

/// A file that was written less than this time ago is read a second time, this time after the
/// first.
const MOMENT: Duration = Duration::from_millis(250);
/// Attempts to find it unchanged.
const ATTEMPTS: u32 = 8;
/// A last line without a newline may still be being written. After this time without a change it is
/// taken as complete.
const WRITTEN: Duration = Duration::from_secs(60);

/// A local list that stayed the same for a moment.
#[derive(Debug)]
pub struct Local {
    /// Its bytes.
    pub body: Vec<u8>,
    /// The time since it was last written; zero if that is in the future.
    pub age: Duration,
}

impl Local {
    /// Whether the file is complete; `unended` says that its last line has no newline.
    ///
    /// # Errors
    /// [`Refused::Incomplete`] while the file may still be written.
    pub fn is_written(age: Duration, unended: bool) -> Result<(), Refused> {
        if !unended || age >= WRITTEN {
            return Ok(());
        }
        incomplete(format!(
            "its last line has no newline and the file was written {} s ago, so it may still be being \
             written; it is read again at the next look",
            age.as_secs()
        ))
    }
}

/// Read a local list of at most `max_bytes`, and wait at most `limit` for the file system. Reading
/// begins with the call, not with the first poll.
///
/// # Errors
/// [`Refused`] with the path, when it cannot be read or keeps changing.
pub fn read(
    path: &Path,
    max_bytes: u64,
    limit: Duration,
) -> impl Future<Output = Result<Local, Refused>> + use<> {
    let coming = files::within_async(path, limit, move |path| settled(path, max_bytes));
    let path = path.to_owned();
    async move {
        let came = coming.await;
        came.map_err(|error| refused(&path, max_bytes, &error))
    }
}

/// The same, blocking.
///
/// # Errors
/// As [`read`].
pub fn read_now(path: &Path, max_bytes: u64, limit: Duration) -> Result<Local, Refused> {
    let came = files::within(path, limit, move |path| settled(path, max_bytes));
    came.map_err(|error| refused(path, max_bytes, &error))
}

fn refused(path: &Path, max_bytes: u64, error: &io::Error) -> Refused {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Refused::TooLarge(max_bytes),
        io::ErrorKind::ResourceBusy => Refused::Incomplete(format!("{}: {error}", path.display())),
        _ => Refused::Unreachable(format!("{}: {error}", path.display())),
    }
}

/// Identifies the content of a file: device, inode, size, time of the last write.
fn stamp(about: &Metadata) -> (u64, u64, u64, SystemTime) {
    let written = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    (about.dev(), about.ino(), about.size(), written)
}

/// Read a file that stays the same while it is read, and for a moment.
fn settled(path: &Path, max_bytes: u64) -> io::Result<Local> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let before = stamp(&files::open(path)?.metadata()?);
        let body = files::read(path, max_bytes)?;
        let same = stamp(&files::open(path)?.metadata()?) == before;
        // A time in the future counts as now.
        let age = before.3.elapsed().unwrap_or_default();
        let read = (before, body);
        if same && (age >= MOMENT || last.as_ref() == Some(&read)) {
            return Ok(Local { body: read.1, age });
        }
        last = same.then_some(read);
        thread::sleep(MOMENT);
    }
    let why = format!(
        "it changed each of the {ATTEMPTS} times it was read; write another file beside it and rename that"
    );
    Err(io::Error::new(io::ErrorKind::ResourceBusy, why))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::feed::FeedState;

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn a_file_that_keeps_changing_is_not_read_and_one_that_stands_still_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        fs::write(&path, "192.0.2.0/24\n").unwrap();
        let writing = AtomicBool::new(true);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut list = String::new();
                while writing.load(Ordering::Relaxed) {
                    list.push_str("192.0.2.0/24\n");
                    fs::write(&path, &list).unwrap();
                    thread::sleep(Duration::from_millis(20));
                }
            });
            let refused = read_now(&path, 1 << 20, LIMIT).unwrap_err();
            writing.store(false, Ordering::Relaxed);
            assert_eq!(refused.state(), FeedState::Incomplete);
            assert_eq!(
                refused.to_string(),
                format!(
                    "cut short: {}: it changed each of the 8 times it was read; write another file beside it \
                     and rename that",
                    path.display()
                )
            );
        });
        let still = read_now(&path, 1 << 20, LIMIT).unwrap();
        assert_eq!(still.body, fs::read(&path).unwrap());
    }

    #[test]
    fn a_file_that_was_just_written_is_read_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        fs::write(&path, "192.0.2.0/24\n").unwrap();
        let began = std::time::Instant::now();
        read_now(&path, 1 << 20, LIMIT).unwrap();
        assert!(began.elapsed() >= MOMENT);
        // A time in the future proves nothing.
        let file = fs::File::options().write(true).open(&path).unwrap();
        let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
        file.set_modified(tomorrow).unwrap();
        let began = std::time::Instant::now();
        assert_eq!(read_now(&path, 1 << 20, LIMIT).unwrap().age, Duration::ZERO);
        assert!(began.elapsed() >= MOMENT);
    }

    #[test]
    fn a_last_line_without_newline_is_waited_for_as_long_as_it_may_still_be_written() {
        let young = Duration::from_secs(3);
        assert!(Local::is_written(young, false).is_ok());
        assert!(Local::is_written(WRITTEN, true).is_ok());
        assert_eq!(
            Local::is_written(young, true).unwrap_err().to_string(),
            "cut short: its last line has no newline and the file was written 3 s ago, so it may still be \
             being written; it is read again at the next look"
        );
    }

    #[test]
    fn only_a_regular_file_of_at_most_so_many_bytes_is_a_list() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        fs::write(&path, "192.0.2.0/24\n").unwrap();
        assert_eq!(read_now(&path, 5, LIMIT).unwrap_err(), Refused::TooLarge(5));
        let fifo = dir.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(
            read_now(&fifo, 5, LIMIT).unwrap_err().to_string(),
            format!("{}: this is a FIFO, not a regular file", fifo.display())
        );
    }
}
