//! `refresh`: one pass, then exit. For a timer, or for the impatient.

use std::path::Path;
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::output::Talk;
use super::status::without_copy;
use super::{Exit, Outcome, Stop, block_on, load, output};
use crate::config::Config;
use crate::ledger::{HoldRow, Ledger, Lock};
use crate::pass::gather::{Manner, Scope};
use crate::pass::keeper::Server;
use crate::pass::known::Memory;
use crate::pass::{self, Pass};

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
    let scope = match &arguments.feed {
        Some(name) if !config.feeds.iter().any(|feed| feed.name == *name) => {
            let names: Vec<_> = config.feeds.iter().map(|feed| feed.name.as_str()).collect();
            return Err(Stop::usage(format!(
                "--feed {name}: no feed of this name; there are {}",
                names.join(", ")
            )));
        }
        Some(name) => Scope::Only(name),
        None if arguments.offline => Scope::Offline,
        None => Scope::All,
    };
    let lock = Lock::take(&config.state_dir, Lock::PASS, "refresh")??;
    let ledger = Ledger::open(&config.state_dir)?;
    let looks = Looks {
        scope,
        manner: Manner {
            force: arguments.force,
            ignore_floor: arguments.ignore_floor,
        },
    };
    let outcome = pass_with(&config, &ledger, &lock, looks, "refresh")?;
    if arguments.json {
        output::json(&json(&outcome))?;
    }
    let without = without_copy(&config, &ledger)?;
    without.iter().for_each(output::say);
    Ok(match without.is_empty() {
        true => exit(&outcome),
        false => Exit::Failed,
    })
}

/// Which feeds a pass looks at, and how.
pub(super) struct Looks<'a> {
    pub scope: Scope<'a>,
    pub manner: Manner,
}

impl<'a> From<Scope<'a>> for Looks<'a> {
    fn from(scope: Scope<'a>) -> Self {
        let manner = Manner::default();
        Self { scope, manner }
    }
}

/// One pass; the lock is the caller's, so that what he did before belongs to it.
pub(super) fn pass_with(
    config: &Config,
    ledger: &Ledger,
    _lock: &Lock,
    looks: Looks<'_>,
    cause: &'static str,
) -> Result<pass::Outcome, Stop> {
    nudge(config);
    let config = Arc::new(config.clone());
    let passing = async {
        // Nobody else records what the keeper of a verb does: its orders come from this pass alone.
        let (keeper, mut server, _events) = Server::of_verb(config.clone());
        let pass = Pass {
            config: &config,
            ledger,
            memory: &mut Memory::default(),
            scope: looks.scope,
            manner: looks.manner,
            cause,
            progress: output::progress(),
            keeper: &keeper,
            in_step: &mut || {},
        };
        tokio::select! {
            outcome = pass.run() => outcome,
            never = server.serve() => match never {},
        }
    };
    Ok(block_on(passing)??)
}

/// A pass over the copies at hand that brings about what a verb has written down; `next` says what happens where
/// the pass cannot be made.
pub(super) fn bring_about(
    (config, ledger, lock): (&Config, &Ledger, &Lock),
    verb: &'static str,
    next: &str,
    json: bool,
) -> Result<pass::Outcome, Stop> {
    let looks = Scope::Offline.into();
    let outcome = pass_with(config, ledger, lock, looks, verb);
    let outcome = outcome.map_err(|stop| Stop {
        text: format!("{}. {next}", stop.text),
        ..stop
    })?;
    if json {
        output::json(&self::json(&outcome))?;
    }
    Ok(outcome)
}

/// Tell a running daemon to read the configuration that this pass is made with: with an older one it
/// would undo the pass at its next own.
fn nudge(config: &Config) {
    if let Some(daemon) = Lock::holder(&config.state_dir, Lock::DAEMON) {
        // It may have ended in this moment, or belong to somebody else: then it is not ours to tell.
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

pub(super) fn json(outcome: &pass::Outcome) -> serde_json::Value {
    let targets: Vec<_> = outcome
        .targets
        .iter()
        .map(super::status::target_json)
        .collect();
    serde_json::json!({
        "generation": outcome.generation,
        "routes": outcome.routes,
        "held": outcome.held.as_ref().map(super::status::hold_json),
        "pinned": outcome.pinned,
        "targets": targets,
    })
}
