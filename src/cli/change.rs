//! Verbs that change something: the daemon makes the change, or this process where none answers.

use std::path::Path;
use std::sync::Arc;

use super::ask::{self, Handed};
use super::net::one_item;
use super::operator::{end_now, enter_now, locked, reason};
use super::output::{self, Out, Talk};
use super::pin::pin_now;
use super::refresh::{refresh_now, selection};
use super::review::review_now;
use super::site::{Making, Own, author};
use super::unpin::unpin_now;
use super::{Outcome, Stop, block_on, load};
use crate::config::Config;
use crate::control::Change;
use crate::ledger::{Ledger, Lock, OperatorEntry, ReviewAnswer};
use crate::prefix::HostBits;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments<Request: clap::Args> {
    #[command(flatten)]
    pub request: Request,
    /// The outcome as JSON
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(path: &Path, change: &Change, json: bool) -> Outcome {
    output::talk(talk(change));
    let config = load(path)?;
    check(change, &config)?;
    match ask::change(&config, change, json)? {
        Handed::Done(exit) => Ok(exit),
        Handed::Objections(_) | Handed::Alone => alone(path, config, change, json),
    }
}

/// What is wrong with the arguments, before they are handed to a daemon.
fn check(change: &Change, config: &Config) -> Result<(), Stop> {
    match change {
        Change::Remove(end) | Change::Disallow(end) => {
            one_item(&end.prefix, HostBits::Refuse).map(drop)
        }
        Change::Pin(pin) => pin
            .reason
            .as_deref()
            .map_or(Ok(()), |text| reason(text).map(drop)),
        Change::Refresh(refresh) => selection(refresh, config).map(drop),
        _ => Ok(()),
    }
}

/// Make a change in this process.
pub(super) fn alone(path: &Path, config: Arc<Config>, change: &Change, json: bool) -> Outcome {
    let (verb, _) = change.written();
    let (lock, ledger) = match change {
        // While another pass is at work nothing is changed, not even the pin.
        Change::Unpin(_) | Change::Refresh(_) => {
            let lock = Lock::take(&config.state_dir, Lock::PASS, &verb)??;
            (lock, Ledger::open(&config.state_dir)?)
        }
        _ => locked(&config, &verb)?,
    };
    let making = Making {
        site: &mut Own::new(config, ledger, lock),
        author: &author(),
        out: &Out::Ours,
        json,
        path,
    };
    block_on(make(change, making))?
}

/// Make a change, with the lock of a pass.
pub(super) async fn make(change: &Change, making: Making<'_>) -> Outcome {
    match change {
        Change::Add(entry) => enter_now(making, OperatorEntry::Add, entry).await,
        Change::Allow(entry) => enter_now(making, OperatorEntry::Allow, entry).await,
        Change::Remove(end) => end_now(making, OperatorEntry::Add, end).await,
        Change::Disallow(end) => end_now(making, OperatorEntry::Allow, end).await,
        Change::Approve(review) => review_now(making, ReviewAnswer::Approved, review).await,
        Change::Reject(review) => review_now(making, ReviewAnswer::Rejected, review).await,
        Change::Pin(pin) => pin_now(making, pin).await,
        Change::Unpin(_) => unpin_now(making).await,
        Change::Refresh(refresh) => refresh_now(making, refresh).await,
    }
}

/// The change as it is typed, without its options.
pub(super) fn command(change: &Change) -> String {
    let why = |reason: &Option<String>| {
        let reason = reason.as_ref().map(|reason| format!(": {reason}"));
        reason.unwrap_or_default()
    };
    match change {
        Change::Add(entry) => format!("add {}: {}", entry.prefix, entry.reason),
        Change::Remove(end) => format!("remove {}", end.prefix),
        Change::Allow(entry) => format!("allow {}: {}", entry.prefix, entry.reason),
        Change::Disallow(end) => format!("disallow {}", end.prefix),
        Change::Approve(review) => format!("approve {}{}", review.id, why(&review.reason)),
        Change::Reject(review) => format!("reject {}{}", review.id, why(&review.reason)),
        Change::Pin(pin) => match pin.generation {
            Some(generation) => format!("pin {generation}{}", why(&pin.reason)),
            None => format!("pin{}", why(&pin.reason)),
        },
        Change::Unpin(_) => "unpin".to_owned(),
        Change::Refresh(_) => "refresh".to_owned(),
    }
}

/// How much the verb writes to stderr.
pub(super) fn talk(change: &Change) -> Talk {
    match change {
        Change::Add(_) | Change::Remove(_) | Change::Allow(_) | Change::Disallow(_) => {
            Talk::Warnings
        }
        _ => Talk::Steps,
    }
}
