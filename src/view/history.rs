//! `history`: what happened, to everything or to one prefix, and what was in force with an earlier
//! generation.

use std::collections::BTreeMap;
use std::io;

use ipnet::IpNet;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{View, composed};
use crate::ledger::{ChangeRow, Event, GenerationRow, RouterChangeRow, Seen};
use crate::prefix::Item;
use crate::shown::{Lines, counted};
use crate::time::Timestamp;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Entry {
    Generation(GenerationRow),
    Event(Event),
    Change(ChangeRow),
    RouterChange(RouterChangeRow),
    Listed(Seen<Item>),
    /// At the given time.
    Delisted(Seen<Item>, Timestamp),
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

    /// In the order in which it happened. An event is dated by the second and by the generation it
    /// followed; a listing by the second alone, so it stands before the generations of that second.
    /// What is alike stays in the order in which it was written.
    pub fn sort(entries: &mut [Self]) {
        let numbered = entries.iter().filter_map(|entry| {
            let number = entry.generation()?;
            Some((entry.at(), number))
        });
        let mut first: BTreeMap<Timestamp, u64> = BTreeMap::new();
        for (at, number) in numbered {
            let known = first.entry(at).or_insert(number);
            *known = number.min(*known);
        }
        let rank = |entry: &Self| {
            let before = first
                .get(&entry.at())
                .map_or(0, |first| first.saturating_sub(1));
            match entry {
                Self::Listed(_) => (before, 1),
                Self::Delisted(..) => (before, 2),
                Self::Event(event) => (event.generation.unwrap_or(before), 3),
                Self::Generation(row) => (row.number, 0),
                Self::Change(row) => (row.generation, 0),
                Self::RouterChange(row) => (row.generation, 1),
            }
        };
        entries.sort_by_key(|entry| (entry.at(), rank(entry)));
    }

    /// The generation that it is a part of.
    fn generation(&self) -> Option<u64> {
        match self {
            Self::Generation(row) => Some(row.number),
            Self::Change(row) => Some(row.generation),
            Self::RouterChange(row) => Some(row.generation),
            Self::Event(_) | Self::Listed(_) | Self::Delisted(..) => None,
        }
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
                joined(&[&format!("{op} {}", row.item), &row.cause])
            }
            Self::RouterChange(row) => {
                let op = op(row.came);
                format!("{op} {}  router {}", row.item, row.router)
            }
            Self::Listed(seen) => format!("listed by {}", listing(seen)),
            Self::Delisted(seen, _) => format!("no longer listed by {}", listing(seen)),
        }
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = self.at();
        let json = match self {
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
                "prefix": row.item, "because": row.cause,
            }),
            Self::RouterChange(row) => json!({
                "at": at, "kind": "router-change", "generation": row.generation,
                "router": row.router, "op": op(row.came).to_string(), "prefix": row.item,
            }),
            Self::Listed(seen) => listing_json(seen, at, "listed"),
            Self::Delisted(seen, _) => listing_json(seen, at, "delisted"),
        };
        composed(json, serializer)
    }
}

/// The newest of the log book.
pub struct Book {
    /// How many entries there are before these.
    pub earlier: usize,
    pub entries: Vec<Entry>,
}

impl Serialize for Book {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

impl View for Book {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        match self.earlier {
            0 if self.entries.is_empty() => writeln!(out, "nothing has happened yet")?,
            0 => {}
            1 => writeln!(out, "… 1 earlier entry (--all shows it)")?,
            earlier => writeln!(out, "… {earlier} earlier entries (--all shows them)")?,
        }
        print(out, &self.entries)
    }
}

/// Everything that ever touched one prefix, or one AS.
pub struct ItemHistory {
    pub item: Item,
    pub entries: Vec<Entry>,
    /// From when on nothing was forgotten, where there is no entry; `None` where the ledger is
    /// empty.
    pub since: Option<Timestamp>,
}

impl Serialize for ItemHistory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

impl View for ItemHistory {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let item = self.item;
        match (self.entries.as_slice(), self.since) {
            ([], Some(since)) => writeln!(out, "{item}: nothing is known of it since {since}"),
            ([], None) => writeln!(out, "{item}: nothing is known of it: the ledger is empty"),
            (entries, _) => print(out, entries),
        }
    }
}

/// One prefix that was in force.
#[derive(Debug, Serialize)]
pub struct PastRoute {
    pub prefix: IpNet,
    /// The generation that brought it; null where that was forgotten.
    pub generation: Option<u64>,
    pub since: Option<Timestamp>,
    /// Why it brought it, in words.
    pub because: Option<String>,
}

/// What one generation has and another had not.
#[derive(Debug, Serialize)]
pub struct Diff {
    pub from: u64,
    pub to: u64,
    pub added: Vec<DiffItem>,
    pub removed: Vec<DiffItem>,
    pub keep: usize,
}

/// What came or went last in between, and why.
#[derive(Debug, Serialize)]
pub struct DiffItem {
    /// A prefix, or AS and a number.
    pub prefix: String,
    pub because: String,
}

impl View for Diff {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let width = self.added.iter().chain(&self.removed);
        let width = width.map(|item| item.prefix.len()).max().unwrap_or(0);
        for (op, items) in [('+', &self.added), ('-', &self.removed)] {
            for DiffItem { prefix, because } in items {
                let line = format!("{op} {prefix:<width$}  {because}");
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        writeln!(
            out,
            "generation {} -> {}: {} added, {} removed, {} kept",
            self.from,
            self.to,
            self.added.len(),
            self.removed.len(),
            self.keep
        )
    }
}

/// Each in a line: times in one column, what in another.
fn print(out: &mut Lines<'_>, entries: &[Entry]) -> io::Result<()> {
    let width = entries.iter().map(|entry| entry.what().len());
    let width = width.max().unwrap_or(0);
    for entry in entries {
        let (at, what, text) = (entry.at(), entry.what(), entry.text());
        let line = match what.as_str() {
            "" => format!("{at}  {text}"),
            what => format!("{at}  {what:<width$}  {text}"),
        };
        writeln!(out, "{}", line.trim_end())?;
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
    let routes = counted(*routes, "route");
    let line = format!("{cause}  +{added} -{removed}  {routes}");
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

fn listing(seen: &Seen<Item>) -> String {
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

fn listing_json(seen: &Seen<Item>, at: Timestamp, kind: &str) -> Value {
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
