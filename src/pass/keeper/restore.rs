//! The kernel's routes as ordered, now and whenever another program changed them (I/O).

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::Instant;

use super::Event;
use super::ledger_reader::LedgerState;
use super::serve::{PAUSE, Server};
use crate::ledger::{Lock, PinRow};
use crate::pass::{Applied, interference, neighbors};
use crate::run_dir;
use crate::targets::kernel::KERNEL;
use crate::targets::{Done, Target, TargetRow, Wanted};

/// Delay before a postponed comparison is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// The longest time for which a running verb keeps the keeper from reinstalling a route.
const PATIENCE: Duration = Duration::from_secs(5);
/// Delay before the next check for an order that a verb has made necessary.
const CHANGED: Duration = Duration::from_secs(1);
/// How often an order is interrupted for addresses that appear; after this it is completed first.
const INTERRUPTIONS: u32 = 3;

/// Why the kernel's routes are compared with the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The kernel reported a change, or lost notifications, or a postponed route is due.
    Change,
    /// It is time to read everything.
    Audit,
}

/// The process that holds the lock of a pass.
pub(super) enum Held {
    /// This process, alone or shared with its own pass. `None` if there is nothing to lock.
    ByUs(#[allow(dead_code)] Option<Arc<Lock>>),
    /// A running verb.
    ByVerb,
}

/// The state of the ledger compared with the order.
pub(super) enum Current {
    /// The order is what should be installed, as far as is known.
    Kept,
    /// A verb has written another state; an order follows.
    Changed,
    /// The ledger does not answer.
    Silent,
    /// Nothing is to be installed.
    Withdrawn,
}

impl Server {
    /// Make the kernel's routes as ordered, and return what came of it by which order. An address
    /// that appears meanwhile is excluded first: a large change may take seconds.
    pub(super) async fn sync(&mut self) -> (Done, Option<Arc<Wanted>>) {
        let mut interruptions = 0;
        loop {
            let now = self.now();
            let Some(kept) = &mut self.kept else {
                return (Done::default(), None);
            };
            let wanted = Arc::make_mut(&mut kept.wanted);
            wanted.now = now;
            wanted.is_flush = withdrawn(&kept.pin);
            let wanted = kept.wanted.clone();
            let Self { watch, kernel, .. } = self;
            let appeared = async {
                match interruptions < INTERRUPTIONS {
                    true => watch.named().await,
                    false => pending().await,
                }
            };
            let Some(done) = unless(kernel.apply(&wanted), appeared).await else {
                interruptions += 1;
                // A scan follows: the reported networks are still news.
                self.take_named();
                continue;
            };
            if let Some(kept) = &mut self.kept {
                keep_result(Arc::make_mut(&mut kept.wanted), &done);
            }
            return (done, Some(wanted));
        }
    }

    /// The same without a pass that logs what came of it.
    pub(super) async fn restore(&mut self) -> Applied {
        let mut applied = Applied::default();
        if let (done, Some(wanted)) = self.sync().await {
            applied.take(done, &wanted);
        }
        applied
    }

    /// Compare the kernel's routes with the order, and correct them.
    pub(super) async fn compare(&mut self, why: Why) {
        self.next_comparison = Instant::now() + PAUSE;
        let lock = self.lock();
        if matches!(lock, Held::ByVerb) {
            // The routes are compared when the verb has ended, but a lock that is never released is
            // not waited for.
            let since = *self.busy_since.get_or_insert_with(Instant::now);
            if since.elapsed() < PATIENCE {
                self.kernel.fib.invalidate();
                self.kernel.fib.expect_change();
                self.next_comparison = Instant::now() + RETRY;
                return;
            }
        }
        self.busy_since = None;
        if why == Why::Audit {
            self.audited = Instant::now();
        }
        match self.current().await {
            Current::Kept => {}
            // A flush removes the routes by itself: what is installed after it is not put back.
            Current::Withdrawn => {
                self.kernel.fib.forget();
                return;
            }
            // The order that follows corrects everything.
            Current::Changed => {
                self.kernel.fib.expect_change();
                self.next_comparison = Instant::now() + CHANGED;
                return;
            }
            // Memory may be older than the change of a verb: a busy machine gets some time.
            Current::Silent => {
                let since = *self.silent_since.get_or_insert_with(Instant::now);
                if since.elapsed() < PATIENCE {
                    self.kernel.fib.expect_change();
                    return;
                }
            }
        }
        self.silent_since = None;
        if why == Why::Audit {
            self.kernel.fib.invalidate();
        }
        let mut applied = self.restore().await;
        drop(lock);
        if let Some(report) = &applied.kernel {
            if why == Why::Audit && !report.notifications_lost {
                applied
                    .observed
                    .push(interference::audited(report, self.now()));
            }
            if why == Why::Audit || neighbors::may_differ(report) {
                self.tell(Event::Compare(Box::new(report.clone())));
            }
        } else if applied.failed() {
            self.kernel.fib.expect_change();
            self.next_comparison = Instant::now() + PATIENCE;
        }
        self.tell(Event::Kept(Box::new(applied)));
    }

    /// Whether the order is what should be installed: a verb may have written a generation or a
    /// pin.
    pub(super) async fn current(&mut self) -> Current {
        let Some(kept) = &mut self.kept else {
            return Current::Withdrawn;
        };
        if !kept.wanted.config.kernel.enabled || run_dir::flushed(&kept.wanted.config.state_dir) {
            return Current::Withdrawn;
        }
        match self.glance.read().await {
            LedgerState::Silent => return Current::Silent,
            LedgerState::Unreadable => {}
            // A lost ledger says nothing about what should be in force.
            LedgerState::Seen(generation, _) if generation < kept.generation => {}
            LedgerState::Seen(generation, pin) => {
                // Written by a verb, or by the running pass, whose order follows.
                if generation != kept.generation || pin != kept.pin {
                    let _ = self.events.send(Event::Elsewhere);
                    return match withdrawn(&pin) {
                        // The flush withdraws the routes itself.
                        true => Current::Withdrawn,
                        false => Current::Changed,
                    };
                }
            }
        }
        match withdrawn(&kept.pin) && !kept.wanted.everything.is_empty() {
            true => Current::Withdrawn,
            false => Current::Kept,
        }
    }

    /// Take the lock of a pass; it is held as long as the result exists.
    pub(super) fn lock(&self) -> Held {
        if let Some(shared) = self.lock.shared() {
            return Held::ByUs(Some(shared));
        }
        // The keeper of a verb runs inside its pass, which holds the lock.
        if !self.listens {
            return Held::ByUs(None);
        }
        match Lock::take(&self.config.state_dir, Lock::PASS, "run") {
            Ok(Ok(lock)) => Held::ByUs(Some(Arc::new(lock))),
            Ok(Err(_)) => Held::ByVerb,
            // No folder or no disk: no verb can take the lock either.
            Err(_) => Held::ByUs(None),
        }
    }
}

/// What comes of `work`; `None` where `event` comes first, and `work` is dropped. Each time `work`
/// has its turn first, so an event that comes all the time does not keep it from its end.
pub(super) async fn unless<T>(
    work: impl Future<Output = T>,
    event: impl Future<Output = ()>,
) -> Option<T> {
    match select(pin!(work), pin!(event)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// The next comparison differs from this one by it.
fn keep_result(wanted: &mut Wanted, done: &Done) {
    if let Some(seen) = &done.kernel {
        wanted.former.retain(|mark| !seen.cleared.contains(mark));
    }
    let kernel = done.outcomes.iter().find(|outcome| outcome.name == KERNEL);
    if let Some(outcome) = kernel {
        let row = TargetRow::of(outcome, wanted.last(KERNEL), wanted.now);
        wanted.last.retain(|row| row.name != KERNEL);
        wanted.last.push(row);
    }
}

/// Whether this pin withdraws everything.
fn withdrawn(pin: &Option<PinRow>) -> bool {
    pin.as_ref().is_some_and(PinRow::is_flush)
}
