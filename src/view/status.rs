//! `status`: feeds, set, holds, protection, targets, on one screen.

use std::collections::BTreeMap;
use std::io;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::{Explained, FeedStatus, RouterLists, Routes, View, composed};
use crate::clock::ClockState;
use crate::config::Config;
use crate::ledger::{
    GenerationRow, HoldRow, Ledger, LedgerError, Lock, Monitoring, Observation, Observed,
    OperatorRow, PinRow, SelectionRow, TargetRow, Topic,
};
use crate::pass::operator::describe;
use crate::policy::protect::ProtectedAsn;
use crate::policy::selection::Selection;
use crate::shown::{Lines, counted, thousands};
use crate::targets::file::lists;
use crate::targets::kernel::KERNEL;
use crate::targets::kernel::sources::Sources;
use crate::time::{Timestamp, ago};

#[derive(Serialize)]
pub struct Status<'a> {
    pub version: &'static str,
    pub generation: Option<GenerationRow>,
    pub routes: Routes,
    /// How far the kernel is from them; `null` where it is no target, or cannot be read.
    pub kernel: Option<InKernel>,
    pub feeds: Vec<FeedStatus<'a>>,
    pub held: Option<HoldRow>,
    pub pinned: Option<PinRow>,
    pub targets: Vec<TargetRow>,
    /// What routers have that do not get everything.
    pub selections: Vec<Selected>,
    /// The routers whose lists stand as was chosen for them.
    pub lists: Vec<RouterLists>,
    /// Why the clock is not believed, while it is not.
    #[serde(serialize_with = "clock")]
    pub clock: Option<ClockState>,
    /// What was last seen of the kernel and of those who listen to it.
    pub observed: Vec<Observed>,
    /// Whether packets from listed networks are dropped, too; where routes are installed here.
    pub sources: Option<Sources>,
    /// What the operator added or allowed by hand.
    pub by_hand: Vec<OperatorRow>,
    /// What is never dropped.
    pub protected: Vec<Explained>,
    /// The origin ASes that no filter refuses.
    pub protected_asns: Vec<ProtectedAsn>,
    /// What of it was found by looking around, by source.
    #[serde(skip)]
    pub found: Vec<(&'static str, usize)>,
    #[serde(skip)]
    pub now: Timestamp,
}

/// How far the kernel is from what is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InKernel {
    /// Routes that it does not have.
    pub missing: usize,
    /// Routes with our mark that are not in force.
    pub surplus: usize,
    /// Prefixes whose place has a route of another program.
    pub occupied: usize,
}

/// What a router has that does not get everything.
#[derive(Serialize)]
pub struct Selected {
    router: String,
    selection: Selection,
    routes: Routes,
    left_out: Routes,
}

impl Selected {
    pub fn all(rows: BTreeMap<String, SelectionRow>) -> Vec<Self> {
        let rows = rows.into_iter().map(|(router, row)| Self {
            router,
            selection: row.selection,
            routes: row.routes.into(),
            left_out: row.left_out.into(),
        });
        rows.collect()
    }
}

fn clock<S: Serializer>(seen: &Option<ClockState>, serializer: S) -> Result<S::Ok, S::Error> {
    let seen = seen.as_ref().map(|seen| {
        json!({
            "says": seen.reading.wall, "taken_to_be": seen.time, "ahead_seconds": seen.ahead(),
            "doubted_since": seen.doubt.map(|doubt| doubt.wall), "believed_at": seen.believed_at(),
        })
    });
    composed(json!(seen), serializer)
}

/// What was seen, as far as it still holds: what is turned off is not watched, and who does not run
/// does not listen.
///
/// # Errors
/// The ledger cannot be read.
pub fn observed(config: &Config, ledger: &Ledger) -> Result<Vec<Observed>, LedgerError> {
    let mut observed = ledger.observed()?;
    let kernel = &config.kernel;
    observed.retain(|seen| match seen.topic() {
        Topic::Covers => kernel.enabled && kernel.cover_more_specifics,
        _ => kernel.enabled,
    });
    if Lock::holder(&config.state_dir, Lock::DAEMON).is_none() {
        let is_watch = |seen: &&mut Observed| seen.topic() == Topic::Watch;
        for seen in observed.iter_mut().filter(is_watch) {
            seen.alarm = false;
            seen.seen = Observation::Watch(Monitoring::NoDaemon);
        }
    }
    Ok(observed)
}

/// Up to this many feeds are all listed; beyond that, only those with a problem.
const FEEDS_SHOWN: usize = 8;
/// Most of them that are listed. `--json` has everything.
const NEWS_SHOWN: usize = 5;
/// Lines of every other kind.
const OTHERS_SHOWN: usize = 3;

impl View for Status<'_> {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        self.headline(out)?;
        if let Some(pin) = &self.pinned {
            writeln!(out, "PINNED {pin}, until `nullrouted unpin`")?;
        }
        if let Some(hold) = &self.held {
            print_hold(out, hold, self.now)?;
        }
        if let Some(seen) = &self.clock {
            writeln!(out, "CLOCK  {seen}")?;
        }
        self.print_feeds(out)?;
        for row in self.by_hand.iter().take(OTHERS_SHOWN) {
            writeln!(
                out,
                "hand {} {}  {}",
                row.kind.verb(),
                row.item,
                describe(row)
            )?;
        }
        more(out, self.by_hand.len(), OTHERS_SHOWN, "by hand")?;
        self.print_protection(out)?;
        for target in &self.targets {
            let state = if target.failed { "FAILED" } else { "ok" };
            writeln!(
                out,
                "target {}  {state}  {}  ({})",
                target.name,
                target.report,
                ago(target.at, self.now)
            )?;
            let mut lists = self.lists.iter();
            if let Some(one) = lists.find(|one| one.router == target.name) {
                writeln!(out, "       {}  {}", target.name, lists::said(&one.chosen))?;
            }
        }
        if let Some(sources) = &self.sources {
            writeln!(out, "sources  {sources}")?;
        }
        self.observed
            .iter()
            .try_for_each(|seen| writeln!(out, "{seen}"))
    }
}

impl Status<'_> {
    /// What is in the kernel now, and what should be there.
    fn headline(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let Routes { v4, v6 } = self.routes;
        let all = v4 + v6;
        let generation = match &self.generation {
            Some(row) => {
                let at = ago(row.at, self.now);
                format!("generation {}, {at} ({})", row.number, row.cause)
            }
            None => "no generation yet".to_owned(),
        };
        let kernel = self.kernel.unwrap_or_default();
        let failed = self.targets.iter();
        let mut failed = failed.filter(|target| target.failed && target.name == KERNEL);
        let (v4, v6) = (thousands(v4), thousands(v6));
        match kernel.missing {
            0 => writeln!(
                out,
                "{} in force ({v4} IPv4, {v6} IPv6), {generation}",
                counted(all, "route")
            )?,
            missing => {
                let installed = thousands(all.saturating_sub(missing));
                let why = match failed.next() {
                    Some(target) => format!("kernel FAILED, {}", target.report),
                    None => format!("{} missing in the kernel", thousands(missing)),
                };
                writeln!(
                    out,
                    "{installed} of {} are installed: {why}; {generation}",
                    counted(all, "route")
                )?;
            }
        }
        match kernel.surplus {
            0 => Ok(()),
            surplus => writeln!(
                out,
                "NOT in force and still in the kernel: {} with our mark",
                counted(surplus, "route")
            ),
        }
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
        let all = self.protected.len();
        if all == 0 {
            return writeln!(
                out,
                "protect  nothing but loopback, link-local and multicast"
            );
        }
        let found: usize = self.found.iter().map(|(_, count)| count).sum();
        let others = all.saturating_sub(found);
        let others = (others > 0).then(|| format!("{} configured", thousands(others)));
        let found = self.found.iter().filter(|(_, count)| *count > 0);
        let found = found.map(|(source, count)| format!("{} {source}", thousands(*count)));
        let parts: Vec<String> = others.into_iter().chain(found).collect();
        writeln!(
            out,
            "protect  {}: {}",
            counted(all, "network"),
            parts.join(", ")
        )
    }
}

fn print_hold(out: &mut Lines<'_>, hold: &HoldRow, now: Timestamp) -> io::Result<()> {
    let HoldRow {
        id,
        at,
        added,
        removed,
        reasons,
        rejected,
        first,
    } = hold;
    writeln!(
        out,
        "HELD  change {id}, {}: {} to add, {} to remove; what is in force stays",
        ago(*at, now),
        counted(*added, "prefix"),
        thousands(*removed)
    )?;
    if let Some((by, at)) = first {
        writeln!(
            out,
            "      approved by {by} at {at}: a second person must approve it"
        )?;
    }
    match rejected {
        Some((by, at)) => writeln!(
            out,
            "      rejected by {by} at {at}; nullrouted approve {id} would still apply it"
        )?,
        None => writeln!(
            out,
            "      nullrouted plan shows it, nullrouted approve {id} applies it, nullrouted reject {id} keeps what is in force"
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
