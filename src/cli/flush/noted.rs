//! Step 1 of a flush: whatever else runs must not install anything again. Each way to note it is
//! tried on a thread of its own and for a moment only (I/O).

use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use nix::unistd::Uid;

use super::super::who::who;
use crate::ledger::{Ledger, Lock};
use crate::run_dir::{Flush, Instance, RunDir};
use crate::targets::kernel::Mark;
use crate::time::Timestamp;

/// Time limit of each way.
pub(super) const LIMIT: Duration = Duration::from_millis(200);

/// For a thread, in bytes: SQLite's parser needs the most of it.
const STACK: usize = 512 << 10;

/// Instances that are pinned when the state directory is not known.
const MAX_INSTANCES: usize = 16;

/// What came of it.
pub(super) struct Noted {
    /// Who flushes, when and why.
    pub flush: Flush,
    /// The marks that ledger and run directory know.
    pub marks: Vec<Mark>,
    /// The lock of a pass, where none is under way.
    pub lock: Option<Lock>,
    /// Whether the marker is in the run directory.
    is_marked: bool,
}

impl Noted {
    /// Pin this state directory to nothing, and those of the other instances.
    pub fn note(state_dir: &Path, others: &[Instance], (now, reason): (Timestamp, String)) -> Self {
        // A name service may not answer.
        let by = within(LIMIT, who).unwrap_or_else(|| format!("uid {}", Uid::current()));
        let flush = Flush {
            at: now,
            by,
            reason,
        };
        let dir = || state_dir.to_owned();
        let marker = start({
            let (dir, flush) = (dir(), flush.clone());
            move || mark(&dir, &flush)
        });
        let (sender, known) = mpsc::channel();
        let pin = start({
            let (dir, flush) = (dir(), flush.clone());
            move || pin(&dir, &flush, &sender)
        });
        let deadline = Instant::now() + LIMIT;
        let (is_marked, mut marks) = until(deadline, &marker).unwrap_or_default();
        until(deadline, &pin);
        marks.extend(known.try_iter().flatten());
        drop(pin);
        // Last, for it takes a descriptor.
        let lock = within(LIMIT, {
            let dir = dir();
            move || Lock::take(&dir, Lock::PASS, "flush").ok()?.ok()
        });
        for other in others.iter().take(MAX_INSTANCES) {
            if other.state_dir != state_dir {
                let (dir, flush) = (other.state_dir.clone(), flush.clone());
                within(LIMIT, move || note_elsewhere(&dir, &flush));
            }
        }
        Self {
            flush,
            marks,
            lock: lock.flatten(),
            is_marked,
        }
    }

    /// What a flush that is not in the ledger means.
    pub fn instead(&self) -> String {
        match self.is_marked {
            true => format!(
                "the flush stands in {} instead: until `nullrouted unpin`, or a reboot, nothing is installed",
                RunDir::here().path().display()
            ),
            false => {
                "withdrawing without it: stop the service, or it will install again".to_owned()
            }
        }
    }
}

/// Answers whether the marker is there, and which marks were.
fn mark(state_dir: &Path, flush: &Flush) -> (bool, Vec<Mark>) {
    let run_dir = RunDir::here();
    let done = run_dir.set_flushed(state_dir, flush);
    (done.is_ok(), run_dir.marks(state_dir))
}

fn pin(state_dir: &Path, flush: &Flush, marks: &Sender<Vec<Mark>>) {
    let known = |ledger: &Ledger| {
        let known = ledger.marks();
        let _ = marks.send(known.unwrap_or_default());
    };
    match Ledger::open_for_pin(state_dir, LIMIT) {
        Ok(ledger) => {
            known(&ledger);
            // Step 4 does it again, and says why it fails.
            let _ = ledger.in_any_case(|ledger| ledger.flush(flush));
        }
        Err(_) => {
            if let Ok(ledger) = Ledger::read_within(state_dir, LIMIT) {
                known(&ledger);
            }
        }
    }
}

fn note_elsewhere(state_dir: &Path, flush: &Flush) {
    let _ = RunDir::here().set_flushed(state_dir, flush);
}

/// Do this within the time limit. What takes longer goes on by itself, and its result is ignored.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let begun = start(work);
    until(Instant::now() + limit, &begun)
}

fn until<T>(deadline: Instant, begun: &Receiver<T>) -> Option<T> {
    let rest = deadline.saturating_duration_since(Instant::now());
    begun.recv_timeout(rest).ok()
}

/// Begin it on a thread; where there can be no more threads, here.
fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    // A thread that cannot be had drops what it would have done.
    let work = Arc::new(Mutex::new(Some(work)));
    let run = move || {
        let taken = work.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(work) = taken {
            let _ = sender.send(work());
        }
    };
    if Builder::new().stack_size(STACK).spawn(run.clone()).is_err() {
        run();
    }
    receiver
}
