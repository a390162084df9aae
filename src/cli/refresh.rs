//! `refresh`: one pass, then exit. For a timer, or for the impatient.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::site::Making;
use super::{Exit, Outcome, Stop};
use crate::config::Config;
use crate::control::Refresh;
use crate::ledger::{GenerationCause, HoldRow, Lock};
use crate::pass;
use crate::pass::gather::{FeedSelection, FetchMode};
use crate::shown;
use crate::view::{Passed, without_copy};

pub(super) const EXITS: &str = "Ends with 1 where a target failed, and while a configured feed has never had a copy; with 3 where \
                                a change is held.";

/// Whether a feed has this name.
pub(super) fn known_feed(name: &str, config: &Config) -> Result<(), Stop> {
    if config.fetched().any(|feed| feed.name == name) {
        return Ok(());
    }
    let names: Vec<_> = config.fetched().map(|feed| feed.name.as_str()).collect();
    Err(Stop::usage(format!(
        "--feed {name}: no feed of this name; {}",
        shown::permitted("there are", name, &names)
    )))
}

/// Which feeds are fetched.
pub(super) fn selection<'a>(
    refresh: &'a Refresh,
    config: &Config,
) -> Result<FeedSelection<'a>, Stop> {
    match &refresh.feed {
        Some(name) => known_feed(name, config).map(|()| FeedSelection::Only(name)),
        None if refresh.offline => Ok(FeedSelection::Offline),
        None => Ok(FeedSelection::All),
    }
}

/// The pass.
pub(super) async fn refresh_now(making: Making<'_>, refresh: &Refresh) -> Outcome {
    let Making {
        site, out, json, ..
    } = making;
    let selection = selection(refresh, site.at()?.config)?;
    let mode = FetchMode {
        force: refresh.force,
        ignore_floor: refresh.ignore_floor,
    };
    let outcome = site
        .pass((selection, mode), GenerationCause::Refresh)
        .await?;
    if json {
        out.json(&json!(Passed::of(&outcome)))?;
    }
    let at = site.at()?;
    let without = without_copy(at.config, at.ledger)?;
    without.iter().for_each(|line| out.say(line));
    Ok(match without.is_empty() {
        true => exit(&outcome),
        false => Exit::Failed,
    })
}

/// A pass over the copies at hand that brings about what a verb has written down; `next` says what
/// happens where the pass cannot be made.
pub(super) async fn apply(
    making: &mut Making<'_>,
    cause: GenerationCause,
    next: &str,
) -> Result<pass::Outcome, Stop> {
    let selection = match making.out.is_daemon() {
        true => FeedSelection::Entry,
        false => FeedSelection::Offline,
    };
    let fetch = (selection, FetchMode::default());
    let outcome = making.site.pass(fetch, cause).await;
    let outcome = outcome.map_err(Stop::from).map_err(|stop| Stop {
        text: format!("{}. {next}", stop.text),
        ..stop
    })?;
    if making.json {
        making.out.json(&json!(Passed::of(&outcome)))?;
    }
    Ok(outcome)
}

/// Tell a running daemon to read the configuration that this pass is made with: with an older one
/// it would undo the pass at its next own.
pub(super) fn nudge(config: &Config) {
    if let Some(daemon) = Lock::holder(&config.state_dir, Lock::DAEMON) {
        // It may have ended in this moment, or belong to another user: then it is not ours to
        // tell.
        let _ = kill(Pid::from_raw(daemon), Signal::SIGHUP);
    }
}

/// A failed target matters more than a held change.
pub(super) fn exit(outcome: &pass::Outcome) -> Exit {
    match outcome {
        outcome if outcome.failed() => Exit::Failed,
        outcome if outcome.held.as_ref().is_some_and(HoldRow::waits) => Exit::Held,
        _ => Exit::Done,
    }
}
