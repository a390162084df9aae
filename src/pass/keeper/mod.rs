//! The keeper: the only task that changes our routes, during passes and between them (I/O).
//!
//! ```text
//!  a pass ─────────── Order ──► ┌────────┐
//!  an address appears ────────► │ keeper │ ──► kernel
//!  a route of ours is removed ► └───┬────┘
//!                                   └─ Event ──► the ledger, when it can be written
//! ```
//!
//!
//! The keeper works from memory. It needs neither the disk nor the ledger to protect an address or
//! to reinstall a route: it knows the last [`Order`], excludes each address that appears, and
//! compares with the kernel. A pass decides and records on a thread of its own (in a verb, in the
//! same one) and passes its orders on. So a pass that waits for a disk, a download or a reload
//! delays no protection.

mod ledger_reader;
mod protect;
mod restore;
mod serve;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Applied;
use crate::clock::Clock;
use crate::config::Config;
use crate::discover::SourceAnswer;
use crate::ledger::{Lock, Observed, PinRow};
use crate::targets::kernel::{KERNEL, Kernel, Report};
use crate::targets::{Doing, Done, Outcome, Presence, Target, Wanted};
use crate::verify;

pub use serve::{Beat, Server};

/// What a pass wants in the kernel, and everything the keeper needs to keep it.
#[derive(Clone, Debug)]
pub struct Order {
    pub wanted: Arc<Wanted>,
    /// The number of the generation; 0 before the first.
    pub generation: u64,
    /// The pin in effect.
    pub pin: Option<PinRow>,
    /// The clock of the pass.
    pub clock: Clock,
    /// Whether the pass has given an order before: the results are then counted together.
    pub goes_on: bool,
}

/// What the keeper did or saw by itself, for the ledger and for `status`.
#[derive(Debug)]
pub enum Event {
    /// An address, network or gateway appeared or disappeared; new space is already excluded from
    /// the kernel's routes.
    Around,
    /// The ledger has a different generation or pin than the last order: a verb made a pass.
    Elsewhere,
    /// The keeper changed the kernel's routes between passes.
    Kept(Box<Applied>),
    /// An audit or a large change ended: what FRR holds is to be compared with what is installed.
    Compare(Box<Report>),
    /// A state of the monitoring, for `status`.
    State(Observed),
}

enum Request {
    Apply(Box<Order>, oneshot::Sender<Done>),
    Scan(oneshot::Sender<Vec<SourceAnswer>>),
    Holds(IpNet, oneshot::Sender<bool>),
    Configure(Arc<Config>),
}

/// The pass lock of this process while a pass holds it. The keeper shares it, so that it is
/// released only when both are done.
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

/// How long a question waits for a keeper that changes routes.
const BRIEFLY: Duration = Duration::from_millis(200);

/// The handle to the keeper.
#[derive(Clone, Debug)]
pub struct Keeper {
    requests: mpsc::UnboundedSender<Request>,
    news: Arc<AtomicBool>,
    lock: PassLock,
}

impl Keeper {
    /// Make the kernel's routes as ordered, and keep them so. Addresses that appear meanwhile are
    /// excluded; [`has_news`](Self::has_news) is true then.
    pub async fn apply(&self, order: Order) -> Done {
        let (done, applied) = oneshot::channel();
        let _ = self.requests.send(Request::Apply(Box::new(order), done));
        answered(applied).await
    }

    /// The kernel as a target of a pass, which is made as this orders.
    pub fn target(&self, order: Order) -> Ordered {
        Ordered {
            keeper: self.clone(),
            order: Some(order),
        }
    }

    /// What the kernel shows now of the sources that protect. What appears from here on is news.
    pub async fn scan_kernel(&self) -> Vec<SourceAnswer> {
        let (done, looks) = oneshot::channel();
        let _ = self.requests.send(Request::Scan(done));
        answered(looks).await
    }

    /// Whether our route to this prefix is known to be installed. Where the keeper is busy it is
    /// not.
    pub async fn holds(&self, route: IpNet) -> bool {
        let (done, holds) = oneshot::channel();
        let _ = self.requests.send(Request::Holds(route, done));
        let answer = timeout(BRIEFLY, holds).await;
        answer.is_ok_and(|holds| holds.unwrap_or(false))
    }

    /// The routes of this machine as a target that is only looked at.
    pub fn as_it_is(&self) -> Ordered {
        Ordered {
            keeper: self.clone(),
            order: None,
        }
    }

    /// Use this configuration from now on. The routes follow with the next order.
    pub fn configure(&self, config: Arc<Config>) {
        let _ = self.requests.send(Request::Configure(config));
    }

    /// Whether something appeared or disappeared since the last call.
    pub fn has_news(&self) -> bool {
        self.news.swap(false, Ordering::Relaxed)
    }

    /// The pass lock that the pass and the keeper share.
    pub fn lock(&self) -> &PassLock {
        &self.lock
    }
}

/// The kernel, which the keeper changes for a pass.
pub struct Ordered {
    keeper: Keeper,
    order: Option<Order>,
}

impl Target for Ordered {
    fn name(&self) -> &str {
        KERNEL
    }

    fn place(&self, config: &Config) -> String {
        Kernel::default().place(config)
    }

    fn plan<'a>(&'a mut self, wanted: &'a Wanted) -> Doing<'a, Vec<Outcome>> {
        Box::pin(async { Kernel::default().plan(wanted).await })
    }

    fn apply<'a>(&'a mut self, _: &'a Wanted) -> Doing<'a, Done> {
        let order = self.order.take();
        Box::pin(async {
            match order {
                Some(order) => self.keeper.apply(order).await,
                None => Done::default(),
            }
        })
    }

    fn presence<'a>(
        &'a mut self,
        net: IpNet,
        route: Option<IpNet>,
        wanted: &'a Wanted,
    ) -> Doing<'a, Presence> {
        Box::pin(async move {
            // One question to the kernel instead of all routes, where that says enough: a packet to
            // the address is dropped, and the route is ours.
            let is_address = net.prefix_len() == net.max_prefix_len();
            let route = route.filter(|_| wanted.config.kernel.enabled);
            if let Some(route) = route.filter(|_| is_address)
                && self.keeper.holds(route).await
                && verify::drops(net.addr()).await
            {
                return Presence::Here;
            }
            Kernel::default().presence(net, route, wanted).await
        })
    }
}

/// The answer of the keeper, which ends only with the process.
async fn answered<T>(answer: oneshot::Receiver<T>) -> T {
    match answer.await {
        Ok(answer) => answer,
        Err(_) => std::future::pending().await,
    }
}
