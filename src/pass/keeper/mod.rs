//! The keeper: the one task that changes our routes, during passes and between them (I/O).
//!
//! ```text
//!  a pass ─────────── Order ──► ┌────────┐
//!  an address appears ────────► │ keeper │ ──► kernel
//!  a route of ours is removed ► └───┬────┘
//!                                   └─ Event ──► the ledger, when it can be written
//! ```
//!
//! The keeper works from memory. It needs neither the disk nor the ledger to protect an address or
//! to reinstall a route: it knows the last [`Order`], cuts out of it what appears, and compares
//! with the kernel. A pass decides and records on a thread of its own (in a verb, in the same
//! one) and hands its orders over. So a pass that waits for a disk, a download or a reload delays
//! no protection.

mod glance;
mod serve;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{mpsc, oneshot};

use super::task::{Applied, Removable};
use crate::clock::Clock;
use crate::config::Config;
use crate::discover::Look;
use crate::ledger::{Lock, Observed, PinRow, TargetRow};
use crate::prefix::{Effective, PrefixSet};
use crate::target::kernel::{Mark, Report};

pub use serve::{Beat, Server};

/// What a pass wants in the kernel, and everything the keeper needs to keep it there.
#[derive(Clone, Debug)]
pub struct Order {
    /// The configuration it was decided by.
    pub config: Arc<Config>,
    /// What should be installed.
    pub desired: Arc<Effective>,
    /// What is cut out of it already.
    pub protected: PrefixSet,
    /// Which routes of ours may go.
    pub removable: Removable,
    /// Marks of earlier configurations: their routes go.
    pub former: Vec<Mark>,
    /// The last result of each target.
    pub last: Vec<TargetRow>,
    /// The generation that it is; 0 before the first.
    pub generation: u64,
    /// The pin that it obeys.
    pub pin: Option<PinRow>,
    /// The clock that it goes by.
    pub clock: Clock,
    /// Whether the pass has given an order before: what came of that is counted with this one.
    pub goes_on: bool,
}

/// What the keeper did or saw by itself, for the ledger and for `status`.
#[derive(Debug)]
pub enum Event {
    /// An address, network or gateway appeared or went; what has to be cut out of the kernel's
    /// routes is cut out already.
    Around,
    /// The ledger holds another generation or pin than the last order: a verb made a pass.
    Elsewhere,
    /// The kernel was brought in step between passes.
    Kept(Box<Applied>),
    /// An audit or a large change ended: what FRR holds is to be compared with what is installed.
    Compare(Box<Report>),
    /// A state of the watch, for `status`.
    State(Observed),
}

enum Request {
    Sync(Box<Order>, oneshot::Sender<Applied>),
    Look(oneshot::Sender<Vec<Look>>),
    Configure(Arc<Config>),
}

/// The pass lock of this process while a pass holds it. The keeper shares it, so that it is given
/// back only when both are done.
#[derive(Clone, Debug, Default)]
pub struct PassLock(Arc<Mutex<Weak<Lock>>>);

impl PassLock {
    /// A pass of this process holds this lock from now on, until it drops it.
    pub fn hold(&self, lock: &Arc<Lock>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(lock);
    }

    fn shared(&self) -> Option<Arc<Lock>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.upgrade()
    }
}

/// The way to the keeper.
#[derive(Clone, Debug)]
pub struct Keeper {
    requests: mpsc::UnboundedSender<Request>,
    news: Arc<AtomicBool>,
    lock: PassLock,
}

impl Keeper {
    /// Bring the kernel in step with the order, and keep it so. Addresses that appear meanwhile are
    /// cut out: then [`has_news`](Self::has_news).
    pub async fn sync(&self, order: Order) -> Applied {
        let (done, applied) = oneshot::channel();
        let _ = self.requests.send(Request::Sync(Box::new(order), done));
        answered(applied).await
    }

    /// What the kernel shows now of the sources that protect. What appears from here on is news.
    pub async fn look(&self) -> Vec<Look> {
        let (done, looks) = oneshot::channel();
        let _ = self.requests.send(Request::Look(done));
        answered(looks).await
    }

    /// The configuration is this one from now on. Routes follow with the next order.
    pub fn configure(&self, config: Arc<Config>) {
        let _ = self.requests.send(Request::Configure(config));
    }

    /// Whether something appeared or went since this was asked last.
    pub fn has_news(&self) -> bool {
        self.news.swap(false, Ordering::Relaxed)
    }

    /// The pass lock that both share.
    pub fn lock(&self) -> &PassLock {
        &self.lock
    }
}

/// The answer of the keeper, which ends with the process only.
async fn answered<T>(answer: oneshot::Receiver<T>) -> T {
    match answer.await {
        Ok(answer) => answer,
        Err(_) => std::future::pending().await,
    }
}
