//! `status`: feeds, set, holds, protection, targets, on one screen.

mod check;
mod feed;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::site::Reader;
use super::{Exit, Outcome, ask, block_on, load, output};
use crate::clock::{Clock, ClockState};
use crate::config::Config;
use crate::control::Question;
use crate::discover::Source;
use crate::ledger::{
    GenerationRow, HoldRow, Ledger, LedgerError, Lock, Monitoring, Observation, Observed,
    OperatorRow, PinRow, SelectionRow, TargetRow, Topic,
};
use crate::pass::operator::said;
use crate::pass::protection;
use crate::plan::sentences;
use crate::policy::protect::Protect;
use crate::shown::Lines;
use crate::targets::file::Chosen;
use crate::targets::file::lists;
use crate::targets::kernel::sources::{self, Sources};
use crate::time::Timestamp;

pub(super) use check::Severity;
pub(super) use feed::{FeedStatus, feeds, without_copy};

const EXITS: &str = "Ends with 1 while a configured feed has never had a copy. With --check: 0 OK; 1 WARNING: a feed is \
                     stale, a change is held, a generation is pinned, an alarm, a doubted clock; 2 CRITICAL: a target failed, the \
                     kernel has other routes than those in force, flushed, a feed is without a copy that counts; 3 \
                     UNKNOWN: the configuration, the ledger or the kernel cannot be read.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXITS)]
pub(super) struct Arguments {
    /// Everything as JSON
    #[arg(long)]
    json: bool,
    /// One line and an exit code, as a monitoring plugin gives them; asks the kernel
    #[arg(long, conflicts_with = "json")]
    check: bool,
}

struct Status<'a> {
    generation: Option<GenerationRow>,
    routes: (usize, usize),
    feeds: Vec<FeedStatus<'a>>,
    hold: Option<HoldRow>,
    pinned: Option<PinRow>,
    targets: Vec<TargetRow>,
    /// What routers have that do not get everything, by name.
    selections: BTreeMap<String, SelectionRow>,
    /// The routers whose lists stand as was chosen for them.
    auto: Vec<&'a str>,
    /// Why the clock is not believed, while it is not.
    clock: Option<ClockState>,
    /// What was last seen of the kernel and of those who listen to it.
    observed: Vec<Observed>,
    /// What the operator added or allowed by hand.
    by_hand: Vec<OperatorRow>,
    /// What is never dropped.
    protect: Protect,
    /// What of it was found by looking around, by source.
    found: Vec<(&'static str, usize)>,
    /// Whether packets from listed networks are dropped, too; where routes are installed here.
    sources: Option<Sources>,
    now: Timestamp,
}

/// So many feeds are shown whatever they say; of more, those that have something to say.
const FEEDS_SHOWN: usize = 8;
/// Of them so many. `--json` has everything.
const NEWS_SHOWN: usize = 5;
/// Lines of every other kind.
const OTHERS_SHOWN: usize = 3;

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    if arguments.check {
        return check::run(path);
    }
    output::talk(output::Talk::Warnings);
    let config = load(path)?;
    match ask::question(&config, &Question::Status, arguments.json)? {
        Some(exit) => Ok(exit),
        None => answer(Reader::alone(config)?, arguments.json),
    }
}

/// Show it.
pub(super) fn answer(mut reader: Reader, json: bool) -> Outcome {
    let in_force = reader.in_force()?;
    let Reader {
        config,
        ledger,
        cache,
        out,
        ..
    } = reader;
    let in_force = &in_force.nets;
    let clock = Clock::of(ledger.clock()?.as_ref());
    let now = clock.now();
    let mut by_hand = ledger.operator(now)?;
    let found = ledger.discovered()?;
    let policy = protection::policy(&config, &found, &by_hand, now);
    by_hand.retain(|row| row.counts(now));
    let of = |source: &Source| found.iter().filter(|one| one.source == *source).count();
    let sources = config.protect.discover.iter();
    let dropped = match config.kernel.enabled {
        true => Some(block_on(sources::look(&config.kernel))?),
        false => None,
    };
    let auto = config.routers.iter().filter(|router| router.auto);
    let status = Status {
        generation: ledger.generation()?,
        routes: (in_force.v4.len(), in_force.v6.len()),
        feeds: feeds(&config, &ledger, cache, now)?,
        hold: ledger.hold()?,
        pinned: ledger.pinned()?,
        targets: ledger.targets()?,
        selections: ledger.selections()?,
        auto: auto.map(|router| router.name.as_str()).collect(),
        clock: Some(clock.seen().clone()).filter(|seen| seen.doubt.is_some()),
        observed: observed(&config, &ledger)?,
        by_hand,
        protect: policy.protect,
        found: sources.map(|source| (source.name(), of(source))).collect(),
        sources: dropped,
        now,
    };
    if json {
        out.json(&status.json())?;
    } else {
        out.results(|out| status.print(out))?;
    }
    let without = without_copy(&config, &ledger)?;
    without.iter().for_each(|line| out.say(line));
    Ok(match without.is_empty() {
        true => Exit::Done,
        false => Exit::Failed,
    })
}

/// What was seen, as far as it still holds: what is turned off is not watched, and who does not run
/// does not listen.
fn observed(config: &Config, ledger: &Ledger) -> Result<Vec<Observed>, LedgerError> {
    let mut observed = ledger.observed()?;
    let kernel = &config.kernel;
    observed.retain(|seen| match seen.topic() {
        Topic::Covers => kernel.enabled && kernel.cover_more_specifics,
        _ => kernel.enabled,
    });
    if Lock::holder(&config.state_dir, Lock::DAEMON).is_none() {
        for seen in observed
            .iter_mut()
            .filter(|seen| seen.topic() == Topic::Watch)
        {
            seen.alarm = false;
            seen.seen = Observation::Watch(Monitoring::NoDaemon);
        }
    }
    Ok(observed)
}

impl Status<'_> {
    fn json(&self) -> Value {
        let generation = self.generation.as_ref().map(|row| {
            json!({
                "number": row.number, "at": row.at, "routes": row.routes,
                "added": row.added, "removed": row.removed, "cause": row.cause,
            })
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "generation": generation,
            "routes": {"v4": self.routes.0, "v6": self.routes.1},
            "feeds": self.feeds.iter().map(FeedStatus::json).collect::<Vec<_>>(),
            "held": self.hold.as_ref().map(hold_json),
            "pinned": self.pinned,
            "targets": self.targets.iter().map(target_json).collect::<Vec<_>>(),
            "selections": self.selections.iter().map(selection_json).collect::<Vec<_>>(),
            "lists": self.targets.iter().filter_map(|target| {
                Some(lists::json(&target.name, self.chosen(target)?))
            }).collect::<Vec<_>>(),
            "clock": self.clock.as_ref().map(clock_json),
            "observed": self.observed,
            "sources": self.sources,
            "by_hand": self.by_hand.iter().map(hand_json).collect::<Vec<_>>(),
            "protected": self.protect.typed().iter().map(|one| {
                json!({"prefix": one.net, "why": one.why})
            }).collect::<Vec<_>>(),
        })
    }

    /// What was chosen for a router whose lists are still left to us.
    fn chosen<'b>(&self, target: &'b TargetRow) -> Option<&'b Chosen> {
        let is_auto = self.auto.contains(&target.name.as_str());
        target.lists.as_ref().filter(|_| is_auto)
    }

    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let (v4, v6) = self.routes;
        let generation = match &self.generation {
            Some(row) => format!("generation {} of {} ({})", row.number, row.at, row.cause),
            None => "no generation yet".to_owned(),
        };
        writeln!(
            out,
            "{} routes in force ({v4} IPv4, {v6} IPv6), {generation}",
            v4 + v6
        )?;
        if let Some(pin) = &self.pinned {
            writeln!(out, "PINNED {pin}, until `nullrouted unpin`")?;
        }
        if let Some(hold) = &self.hold {
            print_hold(out, hold)?;
        }
        if let Some(seen) = &self.clock {
            writeln!(out, "CLOCK  {seen}")?;
        }
        self.print_feeds(out)?;
        for row in self.by_hand.iter().take(OTHERS_SHOWN) {
            writeln!(
                out,
                "hand {} {}  {}",
                row.hand.verb(),
                row.prefix,
                said(row)
            )?;
        }
        more(out, self.by_hand.len(), OTHERS_SHOWN, "by hand")?;
        self.print_protection(out)?;
        for target in &self.targets {
            let state = if target.failed { "FAILED" } else { "ok" };
            writeln!(
                out,
                "target {}  {state}  {}  ({})",
                target.name, target.report, target.at
            )?;
            if let Some(chosen) = self.chosen(target) {
                writeln!(out, "       {}  {}", target.name, lists::said(chosen))?;
            }
        }
        if let Some(sources) = &self.sources {
            writeln!(out, "sources  {sources}")?;
        }
        self.observed
            .iter()
            .try_for_each(|seen| writeln!(out, "{seen}"))
    }

    fn print_feeds(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let mut shown: Vec<&FeedStatus> = self.feeds.iter().collect();
        if shown.len() > FEEDS_SHOWN {
            shown.retain(|feed| feed.has_news());
            shown.truncate(NEWS_SHOWN);
        }
        let widths = shown.iter().map(|feed| feed.config.name.len());
        let width = widths.max().unwrap_or(0);
        shown
            .iter()
            .try_for_each(|feed| feed.print(out, width, self.now))?;
        let news = self.feeds.iter().filter(|feed| feed.has_news()).count();
        let others = match news > shown.len() {
            true => "feeds",
            false => "feeds, all well",
        };
        more(out, self.feeds.len(), shown.len(), others)
    }

    fn print_protection(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let all = self.protect.typed().len();
        let found: Vec<String> = self
            .found
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(source, count)| format!("{count} {source}"))
            .collect();
        match (all, found.join(", ").as_str()) {
            (0, _) => writeln!(
                out,
                "protect  nothing but loopback, link-local and multicast"
            ),
            (all, "") => writeln!(out, "protect  {all} networks"),
            (all, found) => writeln!(out, "protect  {all} networks, found among them: {found}"),
        }
    }
}

fn print_hold(out: &mut Lines<'_>, hold: &HoldRow) -> io::Result<()> {
    let HoldRow {
        id,
        at,
        added,
        removed,
        reasons,
        rejected,
    } = hold;
    writeln!(
        out,
        "HELD  change {id} since {at}: {added} to add, {removed} to remove; what is in force stays"
    )?;
    match rejected {
        Some((by, at)) => writeln!(
            out,
            "      rejected by {by} at {at}; nullrouted approve {id} would still apply it"
        )?,
        None => writeln!(
            out,
            "      nullrouted plan shows it, nullrouted approve {id} applies it, nullrouted reject {id} ends it"
        )?,
    }
    let shown = reasons.iter().take(OTHERS_SHOWN);
    shown
        .into_iter()
        .try_for_each(|reason| writeln!(out, "      {reason}"))?;
    more(out, reasons.len(), OTHERS_SHOWN, "reasons")
}

/// How many are not shown.
fn more(out: &mut Lines<'_>, all: usize, shown: usize, what: &str) -> io::Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "  … {more} more {what} (--json shows all)"),
    }
}

pub(super) fn hold_json(hold: &HoldRow) -> Value {
    json!({
        "id": hold.id, "since": hold.at, "reasons": sentences(&hold.reasons),
        "added": hold.added, "removed": hold.removed,
        "rejected_by": hold.rejected.as_ref().map(|(by, _)| by),
    })
}

fn selection_json((router, row): (&String, &SelectionRow)) -> Value {
    let ([v4, v6], [long_v4, long_v6]) = (row.routes, row.left_out);
    json!({
        "router": router, "selection": row.selection,
        "routes": {"v4": v4, "v6": v6}, "left_out": {"v4": long_v4, "v6": long_v6},
    })
}

fn clock_json(seen: &ClockState) -> Value {
    json!({
        "says": seen.reading.wall, "taken_to_be": seen.time, "ahead_seconds": seen.ahead(),
        "doubted_since": seen.doubt.map(|doubt| doubt.wall), "believed_at": seen.believed_at(),
    })
}

pub(super) fn target_json(target: &TargetRow) -> Value {
    json!({"name": target.name, "at": target.at, "failed": target.failed, "report": target.report})
}

fn hand_json(row: &OperatorRow) -> Value {
    json!({
        "verb": row.hand.verb(), "prefix": row.prefix, "reason": row.reason, "by": row.by,
        "since": row.since, "until": row.until,
    })
}
