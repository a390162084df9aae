//! What a service manager is told (sd_notify(3)): a socket of our own in its place.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The other end of `NOTIFY_SOCKET`.
pub struct Notified {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Notified {
    pub fn at(path: &Path) -> Self {
        Self {
            socket: UnixDatagram::bind(path).unwrap(),
            path: path.to_owned(),
        }
    }

    /// The command tells it.
    pub fn by<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("NOTIFY_SOCKET", &self.path)
    }

    /// The next that was told within this time.
    pub fn next(&self, limit: Duration) -> Option<String> {
        let mut buffer = [0; 4_096];
        let limit = limit.max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(limit)).unwrap();
        let received = loop {
            match self.socket.recv(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => break received,
            }
        };
        match received {
            Ok(length) => Some(String::from_utf8_lossy(&buffer[..length]).into_owned()),
            Err(error) => {
                let is_late = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];
                assert!(is_late.contains(&error.kind()), "{error}");
                None
            }
        }
    }

    /// The first with these words within this time.
    pub fn tells(&self, words: &str, limit: Duration) -> Option<String> {
        let begun = Instant::now();
        loop {
            let left = limit.checked_sub(begun.elapsed())?;
            let text = self.next(left)?;
            if text.contains(words) {
                return Some(text);
            }
        }
    }
}
