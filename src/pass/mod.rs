//! One pass, from the feeds to the targets (I/O). `refresh` is one pass, the daemon is many.
//!
//! ```text
//!  discovery: find what must not be dropped ──► ledger
//!  gather:    attempt the feeds that are due, accept each ──► last good copies, ledger
//!  inputs:    last good copies, ledger ──► what the decision needs
//!  decide:    pipeline (pure)
//!  record:    the new generation in the ledger, before anything is changed
//!  apply:     the targets, each compared with what is really there; the keeper protects meanwhile
//! ```
//!
//! The ledger is written first, so the ledger explains every route that is ever found in the
//! kernel, and the next pass finishes one that dies half-way.

mod accept;
mod address_requests;
mod announce;
mod applied;
mod apply;
mod attempt;
mod cache;
mod clock;
pub(crate) mod discovery;
pub mod gather;
pub mod inputs;
mod interference;
pub mod keeper;
pub(crate) mod kept;
mod log_once;
pub(crate) mod neighbors;
mod newer;
pub(crate) mod operator;
mod origins;
pub(crate) mod protect_feeds;
pub(crate) mod protection;
mod published;
mod record;
pub(crate) mod sets;
mod site;
mod sweep;
pub(crate) mod wanted;

use std::fmt;
use std::sync::Arc;

use crate::config::Config;
use crate::ledger::{GenerationCause, HoldRow, Ledger, LedgerError, PinRow, TargetRow};
use crate::prefix::PrefixSet;
use crate::progress::Progress;
use crate::targets::Removable;
use crate::targets::kernel::Mark;
use crate::time::Timestamp;
pub use site::NoInbox;
pub(crate) use site::{At, Inbox, Passing, Site};

use apply::Applying;
use gather::{FeedSelection, FetchMode, FetchProgress};
use inputs::Cache;
use keeper::Keeper;

pub(crate) use applied::Applied;

/// What a pass is made with.
pub struct Pass<'a> {
    /// The configuration.
    pub config: &'a Arc<Config>,
    /// The ledger, open for writing.
    pub ledger: &'a Ledger,
    /// What earlier passes of the same process left in memory.
    pub cache: &'a mut Cache,
    /// Which feeds to fetch.
    pub selection: FeedSelection<'a>,
    /// How to fetch them.
    pub mode: FetchMode,
    /// What the generation that comes of it comes from.
    pub cause: GenerationCause,
    /// Where downloads and commands are shown while they last.
    pub progress: &'a Progress,
    /// The task that changes our routes.
    pub keeper: &'a Keeper,
    /// Called when the kernel is in step, which is before the router files are.
    pub in_step: &'a mut (dyn FnMut() + Send),
    /// Changes that are made while it waits for downloads.
    pub inbox: &'a dyn Inbox,
}

/// What came of a pass.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The generation in force after it.
    pub generation: u64,
    /// Prefixes in force after it.
    pub routes: usize,
    /// The change that waits, if one does.
    pub held: Option<HoldRow>,
    /// What is frozen, if something is.
    pub pinned: Option<PinRow>,
    /// What became of it at each target.
    pub targets: Vec<TargetRow>,
    /// When the next entry ends by itself.
    pub next_end: Option<Timestamp>,
}

/// Why a pass could not be made at all. What is in force stays.
#[derive(Debug)]
pub enum PassError {
    /// The ledger failed before anything was changed.
    Ledger(LedgerError),
    /// What was decided is written down, and the targets are as they were.
    NotApplied(LedgerError),
    /// The targets are in step, and the ledger could not take down what became of them.
    Unrecorded(LedgerError),
    /// The copies of the feeds could not be written.
    Copies(String),
}

impl fmt::Display for PassError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(error) => write!(f, "{error}; nothing was changed"),
            Self::NotApplied(error) => {
                write!(f, "{error}; decided and not applied: the next pass does it")
            }
            Self::Unrecorded(error) => {
                write!(
                    f,
                    "{error}; the targets are in step, but status does not show it"
                )
            }
            Self::Copies(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PassError {}

impl From<LedgerError> for PassError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl Outcome {
    /// Whether a target failed.
    pub fn failed(&self) -> bool {
        self.targets.iter().any(|target| target.failed)
    }
}

impl Pass<'_> {
    /// Make the pass.
    pub async fn run(self) -> Result<Outcome, PassError> {
        let Self {
            config,
            ledger,
            cache,
            selection,
            mode,
            cause,
            progress,
            keeper,
            in_step,
            inbox,
        } = self;
        ledger.adopt_flush()?;
        clock::read_clock(ledger, cache)?;
        let fetch = (selection, mode);
        let mut attempts = gather::begin(config, ledger, cache, fetch, progress)?;
        let mut applying = Applying {
            config,
            ledger,
            cache,
            keeper,
            progress,
            in_step,
            goes_on: false,
        };
        // The keeper is notified of what appears and excludes it from each order.
        let new = selection != FeedSelection::Entry && applying.scan_local().await?;
        if !matches!(selection, FeedSelection::Offline | FeedSelection::Entry) {
            // A daemon that starts installs what is known before it waits for names and downloads:
            // a reboot takes the routes. What is new to protect goes into the files at once, too.
            let start = selection == FeedSelection::Due && !applying.cache.acted;
            if (new || start) && ledger.generation()?.is_some() {
                applying.apply(GenerationCause::Protect).await?;
            }
            applying.scan_programs().await?;
        }
        // A slow host delays no other: what has come is applied, and then the rest.
        loop {
            let listens = (keeper, inbox);
            let reached = attempts
                .accept(config, ledger, applying.cache, listens)
                .await?;
            applying.keep_proven(&mut attempts.address_requests)?;
            if reached == FetchProgress::OperatorRequest {
                inbox.serve(&mut applying).await;
                continue;
            }
            if reached == FetchProgress::AddressRequested {
                applying.open(cause).await?;
                attempts.address_requests.opened();
                continue;
            }
            if reached == FetchProgress::AddressAppeared {
                applying.scan_local().await?;
            }
            let outcome = applying.apply(cause).await?;
            if reached == FetchProgress::Complete {
                return match attempts.unsaved.take() {
                    Some(why) => Err(PassError::Copies(why)),
                    None => Ok(outcome),
                };
            }
        }
    }
}

/// Marks under which routes of ours may still be found, and which the configuration no longer
/// names.
pub(crate) fn former_marks(config: &Config, ledger: &Ledger) -> Result<Vec<Mark>, LedgerError> {
    let current = config.kernel.enabled.then_some(config.kernel.mark);
    let marks = ledger.marks()?.into_iter();
    Ok(marks
        .filter(|mark| !current.is_some_and(|current| current.same_as(mark)))
        .collect())
}

/// Which routes of ours may go when nothing desires them.
pub(crate) fn removable(ledger: &Ledger, protected: &PrefixSet) -> Result<Removable, LedgerError> {
    // A flush is the operator's word that all of it goes.
    if ledger.is_adopted()? || ledger.pinned()?.is_some_and(|pin| pin.is_flush()) {
        return Ok(Removable::All);
    }
    Ok(Removable::OnlyRecorded {
        ever: Arc::new(ledger.ever_in_force()?),
        protected: protected.clone(),
    })
}
