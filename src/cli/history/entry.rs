//! One entry of a history: its place in time, its line, and the same as JSON.

use std::io;

use serde_json::{Value, json};

use crate::ledger::{ChangeRow, Event, GenerationRow, RouterChangeRow, Seen};
use crate::shown::{self, Lines};
use crate::time::Timestamp;

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    Generation(GenerationRow),
    Event(Event),
    Change(ChangeRow),
    RouterChange(RouterChangeRow),
    Listed(Seen),
    /// At the given time.
    Delisted(Seen, Timestamp),
}

impl Entry {
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Generation(row) => row.at,
            Self::Event(event) => event.at,
            Self::Change(row) => row.at,
            Self::RouterChange(row) => row.at,
            Self::Listed(seen) => seen.first_seen,
            Self::Delisted(_, at) => *at,
        }
    }

    /// By time; within a second, what a feed or somebody says before the generation that comes of
    /// it. What is alike stays in the order in which it was written.
    pub fn sort(entries: &mut [Self]) {
        let rank = |entry: &Self| match entry {
            Self::Listed(_) | Self::Delisted(..) => 0,
            Self::Event(_) => 1,
            Self::Generation(_) | Self::Change(_) => 2,
            Self::RouterChange(_) => 3,
        };
        entries.sort_by_key(|entry| (entry.at(), rank(entry)));
    }

    fn what(&self) -> String {
        match self {
            Self::Generation(row) => format!("generation {}", row.number),
            Self::Event(event) => event.kind.name().to_owned(),
            Self::Change(row) => format!("generation {}", row.generation),
            Self::RouterChange(row) => format!("generation {}", row.generation),
            Self::Listed(_) | Self::Delisted(..) => String::new(),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Generation(row) => generation(row),
            Self::Event(Event {
                subject, text, by, ..
            }) => {
                let by = match by.as_str() {
                    "" => String::new(),
                    by => format!("({by})"),
                };
                joined(&[subject, text, &by])
            }
            Self::Change(row) => {
                let op = op(row.came);
                joined(&[&format!("{op} {}", row.prefix), &row.cause])
            }
            Self::RouterChange(row) => {
                let op = op(row.came);
                format!("{op} {}  router {}", row.prefix, row.router)
            }
            Self::Listed(seen) => format!("listed by {}", listing(seen)),
            Self::Delisted(seen, _) => format!("no longer listed by {}", listing(seen)),
        }
    }

    pub fn json(&self) -> Value {
        let at = self.at();
        match self {
            Self::Generation(row) => json!({
                "at": at, "kind": "generation", "generation": row.number, "cause": row.cause,
                "added": row.added, "removed": row.removed, "routes": row.routes,
                "review": row.review, "by": row.by,
            }),
            Self::Event(event) => json!({
                "at": at, "kind": "event", "what": event.kind.name(), "subject": event.subject,
                "text": event.text, "by": event.by, "uid": event.uid,
            }),
            Self::Change(row) => json!({
                "at": at, "kind": "change", "generation": row.generation, "op": op(row.came).to_string(),
                "prefix": row.prefix, "because": row.cause,
            }),
            Self::RouterChange(row) => json!({
                "at": at, "kind": "router-change", "generation": row.generation,
                "router": row.router, "op": op(row.came).to_string(), "prefix": row.prefix,
            }),
            Self::Listed(seen) => listing_json(seen, at, "listed"),
            Self::Delisted(seen, _) => listing_json(seen, at, "delisted"),
        }
    }
}

/// Each in a line: times in one column, what in another. A line may be cut to so many characters.
pub(super) fn print(out: &mut Lines<'_>, entries: &[Entry], most: Option<usize>) -> io::Result<()> {
    let width = entries.iter().map(|entry| entry.what().len());
    let width = width.max().unwrap_or(0);
    for entry in entries {
        let (at, what, text) = (entry.at(), entry.what(), entry.text());
        let line = match what.as_str() {
            "" => format!("{at}  {text}"),
            what => format!("{at}  {what:<width$}  {text}"),
        };
        let line = shown::line(line.trim_end());
        match most.filter(|most| line.chars().count() > *most) {
            Some(most) => {
                let head: String = line.chars().take(most.saturating_sub(1)).collect();
                writeln!(out, "{head}…")?;
            }
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

fn generation(row: &GenerationRow) -> String {
    let GenerationRow {
        cause,
        added,
        removed,
        routes,
        review,
        by,
        ..
    } = row;
    let line = format!("{cause}  +{added} -{removed}  {routes} routes");
    match review.as_str() {
        "" => line,
        review => format!("{line}  change {review} approved by {by}"),
    }
}

fn op(came: bool) -> char {
    match came {
        true => '+',
        false => '-',
    }
}

fn listing(seen: &Seen) -> String {
    let Seen {
        feed,
        prefix,
        reference,
        ..
    } = seen;
    match reference.as_str() {
        "" => format!("{feed}: {prefix}"),
        reference => format!("{feed}: {prefix} ({reference})"),
    }
}

fn listing_json(seen: &Seen, at: Timestamp, kind: &str) -> Value {
    json!({
        "at": at, "kind": kind, "feed": seen.feed, "prefix": seen.prefix, "reference": seen.reference,
    })
}

/// What is not empty, two blanks apart.
fn joined(parts: &[&str]) -> String {
    let parts = parts.iter().map(|part| part.trim());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("  ")
}
