//! Opening files: regular ones only, without waiting, limited in size and time (I/O).
//!
//! A path of the configuration may lead to a FIFO, to a device without end, or to a terminal. A
//! plain open of a FIFO waits for a writer, possibly forever. A network file system whose server is
//! unreachable does not answer: `open` and `read` wait in the kernel, whatever the flags. So files
//! that may be on one are read on a thread of their own ([`within`], [`within_async`]); after a
//! time limit the thread is left behind, and the pass continues without the file.
//!
//! A test at the end of this file checks the source tree.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread;
use std::time::Duration;

use nix::fcntl::OFlag;
use tokio::sync::oneshot;

/// Time limit for a small file, such as a secret, and for the file system to answer at all.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Threads that were left behind, by the path that they wait for. There is at most one for each
/// path: a path is not tried again while its thread waits.
static LEFT_BEHIND: Mutex<Option<HashMap<PathBuf, Weak<()>>>> = Mutex::new(None);

/// Do this with a file on a thread of its own, and wait for at most `limit`.
///
/// # Errors
/// Those of `work`, and [`io::ErrorKind::TimedOut`] after the limit.
pub fn within<T: Send + 'static>(
    path: &Path,
    limit: Duration,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (send, receive) = mpsc::sync_channel(1);
    let _thread = begin(path, work, move |done| drop(send.send(done)))?;
    receive
        .recv_timeout(limit)
        .unwrap_or_else(|_| Err(too_slow(limit)))
}

/// The same, without blocking other tasks. The work begins with the call, not with the first poll.
///
/// # Errors
/// As [`within`].
pub fn within_async<T, W>(
    path: &Path,
    limit: Duration,
    work: W,
) -> impl Future<Output = io::Result<T>> + use<T, W>
where
    T: Send + 'static,
    W: FnOnce(&Path) -> io::Result<T> + Send + 'static,
{
    let (send, receive) = oneshot::channel();
    // If the waiting task is dropped, the thread is left behind as well.
    let begun = begin(path, work, move |done| drop(send.send(done)));
    async move {
        let _thread = begun?;
        match tokio::time::timeout(limit, receive).await {
            Ok(Ok(done)) => done,
            _ => Err(too_slow(limit)),
        }
    }
}

/// A thread that is waited for; if it still works when this is dropped, it is left behind.
struct Awaited {
    path: PathBuf,
    alive: Weak<()>,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if self.alive.strong_count() > 0 {
            let mut left = LEFT_BEHIND.lock().unwrap_or_else(PoisonError::into_inner);
            let left = left.get_or_insert_default();
            left.insert(std::mem::take(&mut self.path), self.alive.clone());
        }
    }
}

/// Begin the work.
fn begin<T>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    done: impl FnOnce(io::Result<T>) + Send + 'static,
) -> io::Result<Awaited> {
    let mut left = LEFT_BEHIND.lock().unwrap_or_else(PoisonError::into_inner);
    let left = left.get_or_insert_default();
    left.retain(|_, thread| thread.strong_count() > 0);
    if left.contains_key(path) {
        let why = "the file system has still not answered an earlier attempt";
        return Err(io::Error::new(io::ErrorKind::TimedOut, why));
    }
    let (token, path) = (Arc::new(()), path.to_owned());
    let awaited = Awaited {
        path: path.clone(),
        alive: Arc::downgrade(&token),
    };
    // Not on a thread of the runtime: there are few, and some wait for DNS.
    thread::Builder::new()
        .name("file".to_owned())
        .spawn(move || {
            let came = work(&path);
            drop(token);
            done(came);
        })?;
    Ok(awaited)
}

fn too_slow(limit: Duration) -> io::Error {
    let seconds = limit.as_secs_f32();
    let why = format!("the file system did not answer within {seconds} s");
    io::Error::new(io::ErrorKind::TimedOut, why)
}

/// Open a regular file for reading. A directory, FIFO, socket or device is refused by name.
///
/// # Errors
/// Those of `open(2)`, and [`io::ErrorKind::InvalidInput`] for anything but a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(NO_WAITING)
        .open(path)?;
    must_be_regular(&file)?;
    Ok(file)
}

/// Flags of an open that does not wait for a writer and does not make a terminal ours.
pub const NO_WAITING: i32 = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY).bits();

/// Check the type of the opened file: another one may be at its path by now.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for anything but a regular file.
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
    let file = open(path)?;
    // Not more than there is: a buffer that grows is copied, and twice as large in the end.
    let len = file.metadata()?.len().min(max).saturating_add(1);
    let mut content = Vec::with_capacity(usize::try_from(len).unwrap_or_default());
    file.take(max.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > max {
        let why = format!("larger than {max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(content)
}

/// The same for text.
///
/// # Errors
/// As [`read`], and [`io::ErrorKind::InvalidData`] for text that is not UTF-8.
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

    /// A limit that passes at once, and one that does not.
    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);

    /// Work that goes on until the other end is dropped.
    fn stuck() -> (
        mpsc::Sender<()>,
        impl FnOnce(&Path) -> io::Result<()> + Send + 'static,
    ) {
        let (send, receive) = mpsc::channel();
        let work = move |_: &Path| {
            let _ = receive.recv();
            Ok(())
        };
        (send, work)
    }

    #[test]
    fn a_path_that_does_not_answer_is_not_tried_again_until_it_does() {
        let path = Path::new("/nowhere/stuck");
        assert_eq!(within(path, LONG, |_| Ok(7)).unwrap(), 7);
        let (end, work) = stuck();
        let error = within(path, SHORT, work).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let told = error.to_string();
        assert_eq!(told, "the file system did not answer within 0.001 s");
        // A thread for each attempt would be more and more of them.
        let again = within(path, LONG, |_| Ok(7)).unwrap_err().to_string();
        assert_eq!(
            again,
            "the file system has still not answered an earlier attempt"
        );
        let other = Path::new("/nowhere/else");
        assert_eq!(within(other, LONG, |_| Ok(7)).unwrap(), 7);
        drop(end);
        let answered = (0..6_000).any(|_| {
            thread::sleep(Duration::from_millis(10));
            within(path, LONG, |_| Ok(7)).is_ok_and(|seven| seven == 7)
        });
        assert!(answered);
    }

    #[tokio::test]
    async fn others_go_on_while_a_file_is_waited_for() {
        let path = Path::new("/nowhere/slow");
        let (end, work) = stuck();
        let waiting = within_async(path, LONG, work);
        let others = async {
            tokio::task::yield_now().await;
            drop(end);
        };
        let (came, ()) = tokio::join!(waiting, others);
        came.unwrap();
        let (_end, work) = stuck();
        let error = within_async(path, SHORT, work).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // The same where the wait itself is given up.
        let path = Path::new("/nowhere/given-up");
        let (_end, work) = stuck();
        let waiting = within_async(path, LONG, work);
        assert!(tokio::time::timeout(SHORT, waiting).await.is_err());
        let again = within_async(path, LONG, |_| Ok(7)).await.unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::TimedOut);
    }

    /// Calls that open a file, which only this module makes.
    const OPENS: [&str; 8] = [
        "File::open",
        "File::options",
        "File::create",
        "OpenOptions",
        "fs::read(",
        "fs::read_to_string(",
        "tokio::fs",
        "fs::copy(",
    ];

    /// Where else they stand, and why they may.
    const MAY: [(&str, &str); 14] = [
        ("files.rs", "the rule itself"),
        (
            "cli/demo",
            "files of the kernel and of a folder that the demonstration made",
        ),
        (
            "cli/init.rs",
            "writes the configuration, where there is none",
        ),
        ("cli/who.rs", "a file of the kernel"),
        (
            "feed/copies.rs",
            "writes and syncs under the state directory, which is ours alone",
        ),
        (
            "ledger/folder.rs",
            "makes the ledger under the state directory, which is ours alone",
        ),
        (
            "ledger/lock.rs",
            "the locks under the state directory, which is ours alone",
        ),
        (
            "ledger/reserve.rs",
            "writes under the state directory, which is ours alone",
        ),
        (
            "owner.rs",
            "makes files under the state directory, which is ours alone",
        ),
        ("pass/interference.rs", "a file of the kernel"),
        (
            "run_dir.rs",
            "markers in the run directory, which is ours alone",
        ),
        (
            "targets/kernel/bus/owner.rs",
            "the names of processes, from the kernel",
        ),
        (
            "targets/kernel/bus/sockets.rs",
            "the tables of sockets, from the kernel",
        ),
        (
            "targets/file/publish.rs",
            "writes and syncs, on a thread that may be left behind",
        ),
    ];

    #[test]
    fn every_other_file_is_opened_here() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut wrong = Vec::new();
        let mut folders = vec![src.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&src).unwrap().display().to_string();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let of_tests = ["tests/", "tests.rs", "properties", "/testing"];
                let may = MAY.iter().any(|(place, _)| name.starts_with(place));
                if may || of_tests.iter().any(|part| name.contains(part)) {
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                for (line, number) in program.lines().zip(1..) {
                    // The kernel's own files always answer.
                    let of_the_kernel = line.contains("\"/proc/");
                    if !of_the_kernel && OPENS.iter().any(|call| line.contains(call)) {
                        wrong.push(format!("{name}:{number}: {}", line.trim()));
                    }
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "opened without crate::files: {}",
            wrong.join("\n")
        );
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
