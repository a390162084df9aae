//! How the feeds are doing: for `status` and `feeds`.

use std::io;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::composed;

use crate::config::{Config, FeedConfig};
use crate::feed::formats::Format;
use crate::feed::standing::Standing;
use crate::feed::{FeedState, Refused, Rejection};
use crate::ledger::{CopyKind, FeedRow, Ledger, LedgerError};
use crate::pass::gather;
use crate::pass::inputs::Cache;
use crate::shown::{Lines, counted};
use crate::time::{Timestamp, ago, short};

/// Rejected lines of a feed that are shown; `--json` shows all that are kept.
const REJECTIONS_SHOWN: usize = 3;

/// How one feed is doing.
pub struct FeedStatus<'a> {
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

/// Every configured feed.
pub fn feeds<'a>(
    config: &'a Config,
    ledger: &Ledger,
    mut cache: Cache,
    now: Timestamp,
) -> Result<Vec<FeedStatus<'a>>, LedgerError> {
    let mut rows = ledger.feeds()?;
    let mut found = Vec::with_capacity(config.feeds.len());
    for feed in config.fetched() {
        let row = rows.remove(&feed.name).unwrap_or_default();
        let auto = feed.rules.format == Format::Auto;
        // The copy is read only where there is something in it to show.
        let digest = row.digest.as_ref().filter(|_| auto || row.rejected > 0);
        let copy = digest.and_then(|digest| cache.get(config, feed, digest));
        found.push(FeedStatus {
            config: feed,
            standing: Standing::at(row.confirmed(feed.ages, now), row.generated, feed.ages, now),
            next_look: gather::next_attempt(feed, Some(&row), now),
            rejections: copy
                .as_ref()
                .map(|copy| copy.rejections.clone())
                .unwrap_or_default(),
            recognised: copy.filter(|_| auto).map(|copy| copy.format),
            leaving: ledger
                .pending_withdrawals(&feed.name, CopyKind::Current)?
                .len(),
            row,
        });
    }
    Ok(found)
}

/// Which feeds have never had a copy, each in a line for the operator. While there is one, less is
/// dropped than was asked for.
pub fn without_copy(config: &Config, ledger: &Ledger) -> Result<Vec<String>, LedgerError> {
    let rows = ledger.feeds()?;
    let told = config.fetched().filter_map(|feed| {
        let (name, row) = (&feed.name, rows.get(&feed.name));
        if row.is_some_and(|row| row.confirmed_at.is_some()) {
            return None;
        }
        let last = match row {
            Some(row) => match &row.refused {
                Some(refused) => format!("last look: {}, {refused}", state(row)),
                None => format!("last look: {}", state(row)),
            },
            None => "not looked at yet".to_owned(),
        };
        let (kind, effect) = match feed.protects {
            true => ("protect feed", "so what it protects is not known, and every change of the lists waits for approve"),
            false => ("feed", "so nothing of it is dropped"),
        };
        Some(format!(
            "{kind} {name}: no copy yet, {effect} ({last}); nullrouted refresh --feed {name} looks again"
        ))
    });
    Ok(told.collect())
}

/// What the last look gave; nothing before the first.
fn state(row: &FeedRow) -> &'static str {
    row.state.map_or("", FeedState::name)
}

/// Why it gave no copy; nothing where it gave one.
fn note(row: &FeedRow) -> String {
    row.refused
        .as_ref()
        .map(Refused::to_string)
        .unwrap_or_default()
}

impl Serialize for FeedStatus<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = json!({
            "name": self.config.name,
            "protects": self.config.protects,
            "preset": self.config.preset,
            "origin": self.config.origin.shown(),
            "format": self.config.rules.format.name(),
            "recognised_as": self.recognised.map(Format::name),
            "standing": self.standing.to_string(),
            "state": state(&self.row),
            "note": note(&self.row),
            "entries": self.row.entries,
            "leaving": self.leaving,
            "rejected": self.row.rejected,
            "rejections": self.rejections.iter().map(|r| {
                json!({"line": r.line, "text": r.text, "reason": r.reason})
            }).collect::<Vec<_>>(),
            "remarks": self.row.remarks,
            "failures": self.row.failures,
            "looked_at": self.row.looked_at,
            "confirmed_at": self.row.confirmed_at,
            "changed_at": self.row.changed_at,
            "generated_at": self.row.generated,
            "next_look": self.next_look,
            "attribution": self.config.attribution,
        });
        composed(json, serializer)
    }
}

impl FeedStatus<'_> {
    /// Whether there is more to say than that all is well.
    pub fn has_news(&self) -> bool {
        self.standing != Standing::Fresh
            || self.row.failures > 0
            || self.row.rejected > 0
            || !self.row.remarks.is_empty()
    }

    pub fn print(&self, out: &mut Lines<'_>, width: usize, now: Timestamp) -> io::Result<()> {
        let (name, row) = (&self.config.name, &self.row);
        let entries = match row.confirmed_at {
            Some(at) => {
                let entries = counted(row.entries, "entry");
                format!("{entries:>13}, confirmed {}", ago(at, now))
            }
            None => "no copy yet".to_owned(),
        };
        let next = match self.next_look > now {
            true => format!("in {}", short(now.age(self.next_look))),
            false => "due".to_owned(),
        };
        let kind = match self.config.protects {
            true => "protect feed",
            false => "feed",
        };
        writeln!(
            out,
            "{kind} {name:<width$}  {:<8} {entries}, next look {next}",
            self.standing.to_string(),
        )?;
        let indent = width + kind.len() + 3;
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
            let what = match self.config.protects {
                true => format!("still protected: the newest copy lacks them, {rule} must"),
                false => format!("no longer listed, withdrawn after {rule}"),
            };
            writeln!(out, "{:indent$}{count} {what}", "")?;
        }
        if row.failures > 0 {
            let times = if row.failures == 1 {
                "once".to_owned()
            } else {
                format!("{} times", row.failures)
            };
            let (state, note) = (state(row), note(row));
            writeln!(out, "{:indent$}{state} {times}: {note}", "")?;
        }
        if row.rejected > 0 {
            writeln!(out, "{:indent$}{} rejected", "", row.rejected)?;
        }
        for rejection in self.rejections.iter().take(REJECTIONS_SHOWN) {
            writeln!(out, "{:indent$}  {rejection}", "")?;
        }
        if !row.remarks.is_empty() {
            writeln!(out, "{:indent$}{}", "", row.remarks)?;
        }
        Ok(())
    }
}
