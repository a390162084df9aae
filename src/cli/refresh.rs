//! `refresh`: one pass, then exit. For a timer, or for the impatient.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::ask::change_or;
use super::output::{Out, Talk};
use super::site::{Making, Own, author};
use super::{Exit, Outcome, Stop, block_on, load, output};
use crate::config::Config;
use crate::control::{Change, Refresh};
use crate::ledger::{GenerationCause, HoldRow, Ledger, Lock};
use crate::pass;
use crate::pass::gather::{FeedSelection, FetchMode};
use crate::view::{Passed, without_copy};

const EXITS: &str = "Ends with 1 where a target failed, and while a configured feed has never had a copy; with 3 where \
                     a change is held.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXITS)]
pub(super) struct Arguments {
    /// Look at this feed only
    #[arg(long, value_name = "NAME")]
    feed: Option<String>,
    /// Look at no feed: use the last good copies
    #[arg(long, conflicts_with = "feed")]
    offline: bool,
    /// Download whole bodies, also where the copy at hand may still be the current one
    #[arg(long, conflicts_with = "offline")]
    force: bool,
    /// Look also where the publisher asks to wait: he may lock you out for it
    #[arg(long, conflicts_with = "offline")]
    ignore_floor: bool,
    /// The outcome as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(Talk::Steps);
    let config = load(path)?;
    let refresh = Refresh {
        feed: arguments.feed.clone(),
        offline: arguments.offline,
        force: arguments.force,
        ignore_floor: arguments.ignore_floor,
    };
    selection(&refresh, &config)?;
    let json = arguments.json;
    change_or(
        &config.clone(),
        &Change::Refresh(refresh.clone()),
        json,
        || {
            let lock = Lock::take(&config.state_dir, Lock::PASS, "refresh")??;
            let ledger = Ledger::open(&config.state_dir)?;
            alone(path, Own::new(config, ledger, lock), json, async |making| {
                refresh_now(making, &refresh).await
            })
        },
    )
}

/// Which feeds are fetched.
fn selection<'a>(refresh: &'a Refresh, config: &Config) -> Result<FeedSelection<'a>, Stop> {
    match &refresh.feed {
        Some(name) if !config.feeds.iter().any(|feed| feed.name == *name) => {
            let names: Vec<_> = config.feeds.iter().map(|feed| feed.name.as_str()).collect();
            Err(Stop::usage(format!(
                "--feed {name}: no feed of this name; there are {}",
                names.join(", ")
            )))
        }
        Some(name) => Ok(FeedSelection::Only(name)),
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

/// Make a change in this process.
pub(super) fn alone(
    path: &Path,
    mut own: Own,
    json: bool,
    make: impl AsyncFnOnce(Making<'_>) -> Outcome,
) -> Outcome {
    let author = author();
    let making = Making {
        site: &mut own,
        author: &author,
        out: &Out::Ours,
        json,
        path,
    };
    block_on(make(making))?
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
