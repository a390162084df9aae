//! Changes that wait for the thread that makes passes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::{Author, Change, Outlet, OutputPiece};

/// At most this many changes wait.
const MOST: usize = 64;

/// Whose turn it is with a change. Each change leaves `WAITING` once, so it is done once.
#[derive(Clone, Debug, Default)]
pub struct Turn(Arc<AtomicU8>);

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const WITHDRAWN: u8 = 2;

impl Turn {
    /// The worker does it. Answers whether it may.
    pub fn take(&self) -> bool {
        self.leave_for(TAKEN)
    }

    /// The worker must not do it any more. Answers whether that came in time.
    pub fn withdraw(&self) -> bool {
        self.leave_for(WITHDRAWN)
    }

    fn leave_for(&self, next: u8) -> bool {
        let (order, failed) = (Ordering::AcqRel, Ordering::Acquire);
        let left = self.0.compare_exchange(WAITING, next, order, failed);
        left.is_ok()
    }

    fn waits(&self) -> bool {
        self.0.load(Ordering::Acquire) == WAITING
    }
}

/// A change to be made.
#[derive(Debug)]
pub struct Job {
    /// What is to be done.
    pub change: Change,
    /// Who wants it.
    pub author: Author,
    /// The fingerprint of the configuration that the verb read, where it is not the daemon's: the
    /// daemon reads its own again.
    pub config: Option<String>,
    /// Where the verb writes.
    pub outlet: Outlet,
    /// Whose turn it is.
    pub turn: Turn,
}

impl Job {
    /// Whether it can be done while a pass waits for downloads.
    fn is_short(&self) -> bool {
        !self.change.is_long() && self.config.is_none()
    }

    /// Take it, and say so. Answers whether it is to be done.
    pub fn take(&self) -> bool {
        self.turn.take() && self.outlet.send(OutputPiece::Taken).is_ok()
    }
}

/// The changes that wait, in order.
#[derive(Clone, Debug, Default)]
pub struct Queue(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    jobs: Mutex<VecDeque<Job>>,
    came: Notify,
}

impl Queue {
    /// Put it at the end. Answers whether there was room.
    pub fn push(&self, job: Job) -> bool {
        let has_room = self.with(|jobs| {
            jobs.retain(|job| job.turn.waits());
            let has_room = jobs.len() < MOST;
            if has_room {
                jobs.push_back(job);
            }
            has_room
        });
        self.0.came.notify_one();
        has_room
    }

    /// The next change that waits.
    pub async fn next(&self) -> Job {
        loop {
            if let Some(job) = self.first(|_| true) {
                return job;
            }
            self.0.came.notified().await;
        }
    }

    /// Wait until there is a change that can be made while a pass waits for downloads. Nothing is
    /// taken out of the queue.
    pub async fn arrives(&self) {
        while !self.has_short() {
            self.0.came.notified().await;
        }
    }

    /// A change that can be made while a pass waits for downloads, if one waits.
    pub fn short(&self) -> Option<Job> {
        self.first(Job::is_short)
    }

    fn has_short(&self) -> bool {
        self.with(|jobs| jobs.iter().any(|job| job.is_short() && job.turn.waits()))
    }

    fn first(&self, wanted: impl Fn(&Job) -> bool) -> Option<Job> {
        self.with(|jobs| {
            jobs.retain(|job| job.turn.waits());
            let at = jobs.iter().position(wanted)?;
            jobs.remove(at)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut VecDeque<Job>) -> T) -> T {
        work(&mut self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Refresh, Unpin, View};
    use super::*;

    fn job(change: Change, config: Option<&str>) -> Job {
        let (outlet, pieces) = Outlet::impatient(View::default());
        std::mem::forget(pieces);
        Job {
            change,
            author: Author {
                uid: 0,
                name: "root".to_owned(),
            },
            config: config.map(str::to_owned),
            outlet,
            turn: Turn::default(),
        }
    }

    #[test]
    fn a_change_is_taken_or_withdrawn_and_never_both() {
        let turn = Turn::default();
        assert!(turn.take());
        assert!(!turn.withdraw() && !turn.take());
        let turn = Turn::default();
        assert!(turn.withdraw());
        assert!(!turn.take());
    }

    #[tokio::test]
    async fn a_pass_under_way_makes_short_changes_and_the_rest_waits_for_its_end() {
        let queue = Queue::default();
        queue.push(job(Change::Refresh(Refresh::default()), None));
        queue.push(job(Change::Unpin(Unpin {}), Some("another")));
        assert!(queue.short().is_none());
        queue.push(job(Change::Unpin(Unpin {}), None));
        queue.arrives().await;
        assert_eq!(queue.short().unwrap().change, Change::Unpin(Unpin {}));
        assert!(queue.short().is_none());
        assert!(queue.next().await.change.is_long());
        assert!(queue.next().await.config.is_some());
    }

    #[tokio::test]
    async fn what_was_withdrawn_is_not_made() {
        let queue = Queue::default();
        let first = job(Change::Unpin(Unpin {}), None);
        let turn = first.turn.clone();
        queue.push(first);
        queue.push(job(Change::Refresh(Refresh::default()), None));
        assert!(turn.withdraw());
        assert!(queue.short().is_none());
        assert!(queue.next().await.change.is_long());
    }

    #[test]
    fn only_so_many_changes_wait() {
        let queue = Queue::default();
        for _ in 0..MOST {
            assert!(queue.push(job(Change::Unpin(Unpin {}), None)));
        }
        assert!(!queue.push(job(Change::Unpin(Unpin {}), None)));
    }
}
