//! Targets: where the effective set goes. Each compares with what is really there and changes only
//! that.
//!
//! ```text
//!              ┌─► plan ────► what would be done          (nullrouted plan)
//!  Wanted ─────┼─► apply ───► Report ──► log, ledger, JSON (a pass, the daemon, flush)
//!              └─► presence ► is this prefix there?        (nullrouted why)
//! ```
//!
//! A target reads no ledger and writes none: it is given a [`Wanted`] and returns values. [`all`]
//! is the only place that knows which targets exist; the [`Runner`] does the same with each of
//! them.

pub mod file;
pub mod kernel;
mod list;
mod report;
mod runner;
mod wanted;

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use ipnet::IpNet;

use crate::config::Config;
use crate::progress::Progress;
use file::RouterFile;
use kernel::{KERNEL, Kernel};

pub use report::{Absence, Counts, Done, Fault, Note, Outcome, Presence, Report, TargetRow, What};
pub use runner::Runner;
pub use wanted::{Removable, RouterSet, RoutersToUnconfigure, Wanted, first};

/// What a target does, while it does it. It may be dropped at any await; the next apply finishes
/// what a dropped one has left.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A place where the effective set goes.
pub trait Target {
    /// Its key in the ledger, in the log, in metrics and in JSON.
    fn name(&self) -> &str;

    /// Where it is, for people: a routing table or a file.
    fn place(&self, config: &Config) -> String;

    /// What [`apply`](Self::apply) would do. Reads only.
    fn plan<'a>(&'a mut self, wanted: &'a Wanted) -> Doing<'a, Vec<Outcome>>;

    /// Makes it as wanted.
    fn apply<'a>(&'a mut self, wanted: &'a Wanted) -> Doing<'a, Done>;

    /// Resolves when another program has changed it. May be dropped at any await.
    fn changed(&mut self) -> Doing<'_, ()> {
        Box::pin(pending())
    }

    /// Whether a prefix is there that is to be: `route` is the one in force that covers all of
    /// `net`, if there is one.
    fn presence<'a>(
        &'a mut self,
        net: IpNet,
        route: Option<IpNet>,
        wanted: &'a Wanted,
    ) -> Doing<'a, Presence>;
}

/// Any of them.
pub type AnyTarget = Box<dyn Target>;

/// Targets of a program that uses this crate.
type Further = fn(&Config) -> Vec<AnyTarget>;

static FURTHER: OnceLock<Further> = OnceLock::new();

/// Every verb and the daemon of this process also use the targets that `make` returns for a
/// configuration. Only the first call counts.
pub fn also(make: Further) {
    let _ = FURTHER.set(make);
}

/// Every configured target, in the order in which they are changed: packets are dropped here first,
/// then by the routers around. `kernel` makes the routes of this machine as wanted.
pub fn all(config: &Arc<Config>, kernel: AnyTarget, progress: &Progress) -> Vec<AnyTarget> {
    let mut targets = vec![kernel];
    for router in &config.routers {
        targets.push(Box::new(RouterFile::new(router, progress)));
    }
    targets.extend(FURTHER.get().into_iter().flat_map(|make| make(config)));
    targets
}

/// The same, each by itself: no daemon follows the routes.
pub fn each(config: &Arc<Config>, progress: &Progress) -> Vec<AnyTarget> {
    all(config, Box::new(Kernel::default()), progress)
}

/// The names of those that the configuration turns on.
pub fn names(config: &Arc<Config>) -> Vec<String> {
    let targets = each(config, &Progress::default());
    let names = targets.iter().map(|target| target.name().to_owned());
    names
        .filter(|name| name != KERNEL || config.kernel.enabled)
        .collect()
}
