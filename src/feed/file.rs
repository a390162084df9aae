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

use super::Refused;
use super::body::end_last_line;
use crate::files;

/// A file that was written less than this time ago is read a second time, this time after the
/// first.
const MOMENT: Duration = Duration::from_millis(250);
/// Attempts to find it unchanged.
const ATTEMPTS: u32 = 8;
/// The same for a file whose last line has no newline: it may be half of a line. After this time
/// without a change the line is complete.
const LAST_LINE: Duration = Duration::from_secs(2);

/// Read a local list of at most `max_bytes`, and wait at most `limit` for the file system. Its last
/// line has a newline in the result. Reading begins with the call, not with the first poll.
///
/// # Errors
/// [`Refused`] with the path, when it cannot be read or keeps changing.
pub fn read(
    path: &Path,
    max_bytes: u64,
    limit: Duration,
) -> impl Future<Output = Result<Vec<u8>, Refused>> + use<> {
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
pub fn read_now(path: &Path, max_bytes: u64, limit: Duration) -> Result<Vec<u8>, Refused> {
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
fn settled(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let before = stamp(&files::open(path)?.metadata()?);
        let mut body = files::read(path, max_bytes)?;
        let same = stamp(&files::open(path)?.metadata()?) == before;
        // A time in the future counts as now.
        let age = before.3.elapsed().unwrap_or_default();
        let read = body.len();
        end_last_line(&mut body);
        let enough = match body.len() == read {
            true => MOMENT,
            false => LAST_LINE,
        };
        let read = (before, body);
        if same && (age >= enough || last.as_ref() == Some(&read)) {
            return Ok(read.1);
        }
        last = same.then_some(read);
        thread::sleep(enough.saturating_sub(age));
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
        assert_eq!(still, fs::read(&path).unwrap());
    }

    #[test]
    fn a_file_that_was_just_written_is_read_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        let began = std::time::Instant::now();
        fs::write(&path, "192.0.2.0/24\n").unwrap();
        read_now(&path, 1 << 20, LIMIT).unwrap();
        // The time of a file is that of the last tick of the clock (4 ms).
        assert!(began.elapsed() >= MOMENT - Duration::from_millis(20));
        // A time in the future proves nothing.
        let file = fs::File::options().write(true).open(&path).unwrap();
        let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
        file.set_modified(tomorrow).unwrap();
        let began = std::time::Instant::now();
        read_now(&path, 1 << 20, LIMIT).unwrap();
        assert!(began.elapsed() >= MOMENT);
    }

    #[test]
    fn a_last_line_without_newline_counts_once_the_file_stood_still_for_two_seconds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        fs::write(&path, "192.0.2.0/24\n198.51.100.0/2").unwrap();
        let file = fs::File::options().append(true).open(&path).unwrap();
        let set = |age: Duration| file.set_modified(SystemTime::now() - age).unwrap();
        let began = std::time::Instant::now();
        set(LAST_LINE);
        let whole = b"192.0.2.0/24\n198.51.100.0/2\n";
        assert_eq!(read_now(&path, 1 << 20, LIMIT).unwrap(), whole);
        assert!(began.elapsed() < LAST_LINE);
        // The writer goes on before that.
        set(LAST_LINE - Duration::from_millis(700));
        let read = thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(200));
                std::io::Write::write_all(&mut &file, b"4\n").unwrap();
                set(LAST_LINE);
            });
            read_now(&path, 1 << 20, LIMIT).unwrap()
        });
        assert_eq!(read, b"192.0.2.0/24\n198.51.100.0/24\n");
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
