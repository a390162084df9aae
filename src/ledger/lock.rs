//! One writer at a time: a lock on a file that says who has it.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::{LedgerError, folder};
use crate::{files, owner};

/// Held while a program writes; given back when it is dropped, and by the kernel when it dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Another program has the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    path: PathBuf,
    /// The process of ours that has it, where the file names one that lives.
    holder: Option<Holder>,
}

/// What the file of a lock says of the process that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holder {
    line: String,
    pid: i32,
}

impl Holder {
    /// As written, where the process lives and is this program. Another program may have the lock,
    /// and the name of the last one of ours is still there.
    fn read(file: &mut File) -> Option<Self> {
        let mut line = String::new();
        // Half a line, which its writer is about to finish, is good enough.
        let _ = file.take(MAX_LINE).read_to_string(&mut line);
        let line = line.trim().to_owned();
        let pid: i32 = line.rsplit(' ').next()?.parse().ok()?;
        (pid > 0 && is_ours(pid)).then_some(Self { line, pid })
    }
}

/// Longest line in a lock that is read, in bytes.
const MAX_LINE: u64 = 200;

/// How often a lock of a program without a name is tried again, and how long after.
const LOOKS: u32 = 5;
const LOOK: Duration = Duration::from_millis(4);

/// Whether a process lives and is this program, as far as that can be seen: `/proc` may be hidden.
fn is_ours(pid: i32) -> bool {
    if kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH) {
        return false;
    }
    let name = |pid: &str| fs::read_to_string(format!("/proc/{pid}/comm")).ok();
    match (name(&pid.to_string()), name("self")) {
        (Some(its), Some(ours)) => its == ours,
        _ => true,
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holder = match &self.holder {
            None => "another program",
            Some(holder) => &holder.line,
        };
        let path = self.path.display();
        write!(
            f,
            "{holder} is running (it holds {path}); nothing was changed; try again when it has ended"
        )
    }
}

impl std::error::Error for Busy {}

impl Lock {
    /// Held for the length of one pass.
    pub const PASS: &'static str = "pass.lock";
    /// Held for the life of a daemon: two on one state directory would undo each other's work.
    pub const DAEMON: &'static str = "daemon.lock";

    /// Wait for the lock of a pass, saying so once; `None` where there is no state directory, so
    /// that no other program can have it either.
    pub fn wait(state_dir: &Path, who: &str, patience: Duration) -> Result<Option<Self>, Busy> {
        Self::wait_for(state_dir, who, |_| patience)
    }

    /// The same for a flush, which waits only to have the last word: a program that is not ours
    /// installs no route, and one of ours has written its name after a moment.
    pub fn wait_for_pass(
        state_dir: &Path,
        who: &str,
        patience: Duration,
    ) -> Result<Option<Self>, Busy> {
        Self::wait_for(state_dir, who, |busy| match busy.holder {
            Some(_) => patience,
            None => patience.min(PATIENCE_WITH_OTHERS),
        })
    }

    fn wait_for(
        state_dir: &Path,
        who: &str,
        patience: impl Fn(&Busy) -> Duration,
    ) -> Result<Option<Self>, Busy> {
        let start = Instant::now();
        let mut told = false;
        loop {
            match Self::take(state_dir, Self::PASS, who) {
                Ok(Ok(lock)) => return Ok(Some(lock)),
                Err(_) => return Ok(None),
                Ok(Err(busy)) if start.elapsed() > patience(&busy) => return Err(busy),
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

    /// The process that holds the lock `name`, if one of ours does.
    pub fn holder(state_dir: &Path, name: &str) -> Option<i32> {
        let mut file = files::open(&state_dir.join(name)).ok()?;
        // By an exclusive try: a shared one succeeds beside the shared lock of another program.
        if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        Holder::read(&mut file).map(|holder| holder.pid)
    }

    /// Take the lock `name` under the state directory for `who` (a verb), or say who has it.
    pub fn take(
        state_dir: &Path,
        name: &str,
        who: &str,
    ) -> Result<Result<Self, Busy>, LedgerError> {
        let path = state_dir.join(name);
        let failed = |error: io::Error| LedgerError::folder(state_dir, error, &[&path]);
        folder::prepare(state_dir).map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(owner::PRIVATE_FILE)
            .custom_flags(files::NO_WAITING)
            .open(&path)
            .map_err(failed)?;
        files::must_be_regular(&file).map_err(failed)?;
        owner::like_folder(&path);
        owner::tighten(&path, owner::PRIVATE_FILE);
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            let _ = file.rewind();
            let holder = Holder::read(&mut file);
            // One that only looks who has it (`holder`) has it for a moment itself.
            if holder.is_some() || tries == LOOKS {
                return Ok(Err(Busy { path, holder }));
            }
            tries += 1;
            std::thread::sleep(LOOK);
        }
        let line = format!("nullrouted {who}, pid {}\n", std::process::id());
        // The name is a courtesy, the lock is the kernel's: a full disk must not stop a flush.
        let _ = file.set_len(0);
        let _ = file.rewind();
        let _ = file.write_all(line.as_bytes());
        Ok(Ok(Self { _file: file }))
    }
}

/// How long a program that is not ours is waited for.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(2);
