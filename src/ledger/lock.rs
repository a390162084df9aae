//! One writer at a time: a lock on a file that says who has it.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::LedgerError;
use crate::owner;

/// Held while a program writes; given back when it is dropped, and by the kernel when it dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Somebody else has the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    path: PathBuf,
    holder: String,
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holder = match self.holder.trim() {
            "" => "another program",
            holder => holder,
        };
        let path = self.path.display();
        write!(
            f,
            "{holder} is at work (it holds {path}); nothing was changed, try again when it is done"
        )
    }
}

impl std::error::Error for Busy {}

impl Lock {
    /// Held for the length of one pass.
    pub const PASS: &'static str = "pass.lock";
    /// Held for the life of a daemon: two on one state directory would undo each other's work.
    pub const DAEMON: &'static str = "daemon.lock";

    /// Wait for the lock of a pass, saying so once; `None` where there is no state directory, so that
    /// nobody else can have it either.
    pub fn wait(state_dir: &Path, who: &str, patience: Duration) -> Result<Option<Self>, Busy> {
        let start = Instant::now();
        let mut told = false;
        loop {
            match Self::take(state_dir, Self::PASS, who) {
                Ok(Ok(lock)) => return Ok(Some(lock)),
                Err(_) => return Ok(None),
                Ok(Err(busy)) if start.elapsed() > patience => return Err(busy),
                Ok(Err(busy)) => {
                    if !told {
                        tracing::warn!("waiting: {busy}");
                        told = true;
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }

    /// The process that holds the lock `name`, if one does.
    pub fn holder(state_dir: &Path, name: &str) -> Option<i32> {
        let file = File::open(state_dir.join(name)).ok()?;
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let line = std::fs::read_to_string(state_dir.join(name)).ok()?;
        line.trim().rsplit(' ').next()?.parse().ok()
    }

    /// Take the lock `name` under the state directory for `who` (a verb), or say who has it.
    pub fn take(
        state_dir: &Path,
        name: &str,
        who: &str,
    ) -> Result<Result<Self, Busy>, LedgerError> {
        let path = state_dir.join(name);
        let failed = |error: io::Error| LedgerError::Folder(state_dir.to_owned(), error);
        std::fs::create_dir_all(state_dir).map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        owner::like_folder(&path);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder may be writing his name just now: half of it is good enough.
                let _ = file.read_to_string(&mut holder);
                return Ok(Err(Busy { path, holder }));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let line = format!("nullrouted {who}, pid {}\n", std::process::id());
        // The name is a courtesy, the lock is the kernel's: a full disk must not stop a flush.
        let _ = file.set_len(0);
        let _ = file.rewind();
        let _ = file.write_all(line.as_bytes());
        Ok(Ok(Self { _file: file }))
    }
}
