//! `status`: feeds, set, holds, targets, on one screen.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::{Outcome, load, output};
use crate::config::{Config, FeedConfig};
use crate::feed::Rejection;
use crate::feed::copies::Copies;
use crate::feed::formats::Format;
use crate::feed::standing::Standing;
use crate::ledger::{FeedRow, GenerationRow, HoldRow, Ledger, Of, PinRow, TargetRow};
use crate::pass::gather;
use crate::pass::known::Memory;
use crate::time::{Timestamp, short};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Everything as JSON
    #[arg(long)]
    json: bool,
}

/// Rejected lines of a feed that are shown; `--json` shows all that are kept.
const REJECTIONS_SHOWN: usize = 3;

struct Status<'a> {
    generation: Option<GenerationRow>,
    routes: (usize, usize),
    feeds: Vec<FeedStatus<'a>>,
    hold: Option<HoldRow>,
    pinned: Option<PinRow>,
    targets: Vec<TargetRow>,
    now: Timestamp,
}

/// How one feed is doing.
pub(super) struct FeedStatus<'a> {
    pub config: &'a FeedConfig,
    row: FeedRow,
    standing: Standing,
    next_look: Timestamp,
    rejections: Vec<Rejection>,
    /// Listings that the newest copy lacks and that still count.
    leaving: usize,
    /// What a feed with `format = "auto"` was read as.
    recognised: Option<Format>,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(output::Talk::Warnings);
    let config = load(path)?;
    let ledger = Ledger::read(&config.state_dir)?;
    let now = Timestamp::now();
    let in_force = ledger.in_force()?;
    let status = Status {
        generation: ledger.generation()?,
        routes: (in_force.v4.len(), in_force.v6.len()),
        feeds: feeds(&config, &ledger, now)?,
        hold: ledger.hold()?,
        pinned: ledger.pinned()?,
        targets: ledger.targets()?,
        now,
    };
    if arguments.json {
        output::json(&status.json())?;
        return Ok(super::Exit::Done);
    }
    output::done(|out| status.print(out))
}

/// Every configured feed.
pub(super) fn feeds<'a>(
    config: &'a Config,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<Vec<FeedStatus<'a>>, super::Stop> {
    let mut rows = ledger.feeds()?;
    let copies = Copies::under(&config.state_dir);
    let mut memory = Memory::default();
    let mut found = Vec::with_capacity(config.feeds.len());
    for feed in &config.feeds {
        let row = rows.remove(&feed.name).unwrap_or_default();
        let auto = feed.rules.format == Format::Auto;
        // The copy is read only where there is something in it to show.
        let digest = row.digest.as_ref().filter(|_| auto || row.rejected > 0);
        let copy = digest.and_then(|digest| memory.get(&copies, feed, digest));
        found.push(FeedStatus {
            config: feed,
            standing: Standing::at(row.confirmed_at, row.generated, feed.ages, now),
            next_look: gather::next_look(feed, Some(&row), now),
            rejections: copy
                .as_ref()
                .map(|copy| copy.rejections.clone())
                .unwrap_or_default(),
            recognised: copy.filter(|_| auto).map(|copy| copy.format),
            leaving: ledger.leaving(&feed.name, Of::Current)?.len(),
            row,
        });
    }
    Ok(found)
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
        })
    }

    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let (v4, v6) = self.routes;
        write!(out, "{} routes in force ({v4} IPv4, {v6} IPv6)", v4 + v6)?;
        match &self.generation {
            Some(row) => writeln!(
                out,
                ", generation {} of {} ({})",
                row.number, row.at, row.cause
            )?,
            None => writeln!(out, ", no generation yet")?,
        }
        if let Some(pin) = &self.pinned {
            writeln!(out, "PINNED {pin}, until `nullrouted unpin`")?;
        }
        if let Some(hold) = &self.hold {
            writeln!(
                out,
                "HELD  change {} since {}; what is in force stays; the reasons are",
                hold.id, hold.at
            )?;
            hold.reasons
                .iter()
                .try_for_each(|reason| writeln!(out, "      {reason}"))?;
        }
        let width = self
            .feeds
            .iter()
            .map(|feed| feed.config.name.len())
            .max()
            .unwrap_or(0);
        for feed in &self.feeds {
            feed.print(out, width, self.now)?;
        }
        for target in &self.targets {
            let state = if target.failed { "FAILED" } else { "ok" };
            writeln!(
                out,
                "target {}  {state}  {}  ({})",
                target.name, target.report, target.at
            )?;
        }
        Ok(())
    }
}

impl FeedStatus<'_> {
    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.config.name,
            "preset": self.config.preset,
            "origin": self.config.origin.shown(),
            "format": self.config.rules.format.name(),
            "recognised_as": self.recognised.map(Format::name),
            "standing": self.standing.to_string(),
            "state": self.row.state,
            "note": self.row.note,
            "entries": self.row.entries,
            "leaving": self.leaving,
            "rejected": self.row.rejected,
            "rejections": self.rejections.iter().map(|r| {
                json!({"line": r.line, "text": r.text, "reason": r.reason})
            }).collect::<Vec<_>>(),
            "failures": self.row.failures,
            "looked_at": self.row.looked_at,
            "confirmed_at": self.row.confirmed_at,
            "changed_at": self.row.changed_at,
            "generated_at": self.row.generated,
            "next_look": self.next_look,
            "attribution": self.config.attribution,
        })
    }

    pub(super) fn print(
        &self,
        out: &mut dyn Write,
        width: usize,
        now: Timestamp,
    ) -> io::Result<()> {
        let (name, row) = (&self.config.name, &self.row);
        write!(
            out,
            "feed {name:<width$}  {:<8} {:>7} entries",
            self.standing.to_string(),
            row.entries
        )?;
        match row.confirmed_at {
            Some(at) => write!(out, ", confirmed {} ago", short(at.age(now)))?,
            None => write!(out, ", never read")?,
        }
        match self.next_look > now {
            true => writeln!(out, ", next look in {}", short(now.age(self.next_look)))?,
            false => writeln!(out, ", next look due")?,
        }
        let indent = width + 7;
        if let Some(format) = self.recognised {
            writeln!(out, "{:indent$}read as {format}", "")?;
        }
        if let Some(at) = row
            .generated
            .filter(|at| at.age(now) >= self.config.ages.stale_after)
        {
            writeln!(
                out,
                "{:indent$}its publisher made it {} ago",
                "",
                short(at.age(now))
            )?;
        }
        if self.leaving > 0 {
            let (count, rule) = (self.leaving, self.config.withdraw_after);
            writeln!(
                out,
                "{:indent$}{count} no longer listed, withdrawn after {rule}",
                ""
            )?;
        }
        if row.failures > 0 {
            let times = if row.failures == 1 {
                "once".to_owned()
            } else {
                format!("{} times", row.failures)
            };
            writeln!(out, "{:indent$}{} {times}: {}", "", row.state, row.note)?;
        }
        if row.rejected > 0 {
            writeln!(out, "{:indent$}{} rejected", "", row.rejected)?;
        }
        for rejection in self.rejections.iter().take(REJECTIONS_SHOWN) {
            writeln!(out, "{:indent$}  {rejection}", "")?;
        }
        Ok(())
    }
}

pub(super) fn hold_json(hold: &HoldRow) -> Value {
    json!({"id": hold.id, "since": hold.at, "reasons": hold.reasons})
}

pub(super) fn target_json(target: &TargetRow) -> Value {
    json!({"name": target.name, "at": target.at, "failed": target.failed, "report": target.report})
}
