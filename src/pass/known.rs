//! From the ledger and the copies to what the decision needs (I/O).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::origins::{Remembered, Table};
use super::prefer::preferred;
use super::{hand, protection};
use crate::config::{Config, FeedConfig, Origin};
use crate::discover;
use crate::feed::copies::{self, Copies};
use crate::feed::formats::parse_body;
use crate::feed::leaving::Leaving;
use crate::feed::{FeedCopy, Refused, file};
use crate::ledger::{FeedRow, Ledger, LedgerError, Of, Past, PinRow, ReviewRow, TableUsed};
use crate::pipeline::{Applied, AtHand, Decision, Feed, Hand, Input, Pinned, decide};
use crate::policy::Policy;
use crate::prefix::PrefixSet;
use crate::time::Timestamp;

/// What a process remembers between passes.
#[derive(Debug, Default)]
pub struct Memory {
    /// Copies parsed already, by feed and digest: an unchanged copy is no work.
    copies: HashMap<(String, String), Arc<FeedCopy>>,
    /// Copies of which was said already that they cannot be used.
    unusable: HashSet<(String, String)>,
    /// The last line said about the policy: said again only when it reads otherwise.
    pub policy_line: String,
    /// Whether a pass of this process has brought the targets in step.
    pub acted: bool,
    /// What was said of sources of protected space that cannot be looked at.
    pub around: HashSet<String>,
    /// The table of origins, read once.
    origins: Remembered,
}

impl Memory {
    /// Remember a copy.
    pub fn remember(&mut self, feed: &str, digest: &str, copy: Arc<FeedCopy>) {
        self.copies
            .insert((feed.to_owned(), digest.to_owned()), copy);
    }

    /// Forget everything: the rules by which lines are read have changed.
    pub fn clear(&mut self) {
        self.copies.clear();
    }

    /// Forget the copies that nothing names any more.
    pub fn keep_only(&mut self, named: &HashSet<(String, String)>) {
        self.copies.retain(|key, _| named.contains(key));
    }

    /// The copy with this digest; read and parsed once. `None`, with a line that says why, when it
    /// is gone, damaged, or no longer a list by the feed's rules.
    pub fn get(
        &mut self,
        copies: &Copies,
        feed: &FeedConfig,
        digest: &str,
    ) -> Option<Arc<FeedCopy>> {
        let key = (feed.name.clone(), digest.to_owned());
        if let Some(copy) = self.copies.get(&key) {
            return Some(copy.clone());
        }
        let body = copies
            .load(&feed.name, digest)
            .map_err(|error| error.to_string());
        let copy = body
            .and_then(|body| parse_body(&body, &feed.rules).map_err(|refused| refused.to_string()));
        match copy {
            Ok(copy) => {
                let copy = Arc::new(copy);
                self.unusable.remove(&key);
                self.copies.insert(key, copy.clone());
                Some(copy)
            }
            Err(why) => {
                if self.unusable.insert(key) {
                    tracing::warn!("feed={}  the copy on disk cannot be used: {why}", feed.name);
                }
                None
            }
        }
    }
}

/// What the decision is made by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// What the last looks gave.
    AsRecorded,
    /// What is in local files now, and around us: for a plan of what a pass would do.
    AsItIs(Vec<discover::Remembered>),
}

/// Everything a decision needs but the time.
#[derive(Debug)]
pub struct Known {
    /// Every configured feed, in order.
    pub feeds: Vec<Feed>,
    /// The set in force.
    pub in_force: PrefixSet,
    /// The origin ASes in force, ascending.
    pub origins: Vec<u32>,
    /// The table of origins that is used.
    pub table: TableUsed,
    /// The number of the generation in force; 0 before the first.
    pub generation: u64,
    /// Whether that generation was made by a pin.
    pub made_by_pin: bool,
    /// What is frozen.
    pub pinned: Option<Pin>,
    /// The approval that has not been used yet.
    pub approval: Option<ReviewRow>,
    /// What the operator listed by hand.
    pub hand: Hand,
    /// What may be dropped: what is protected was typed, found, or allowed by hand.
    pub policy: Policy,
    /// When the next thing that the operator did by hand ends by itself.
    pub next_end: Option<Timestamp>,
}

/// What is frozen, and who did it.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The order.
    pub row: PinRow,
    /// The set.
    pub set: Pinned,
}

impl Known {
    /// Read it.
    pub fn read(
        config: &Config,
        ledger: &Ledger,
        copies: &Copies,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Result<Self, LedgerError> {
        Self::read_as(config, ledger, copies, memory, &View::AsRecorded, now)
    }

    /// The same, as seen by the last pass or as it is now.
    pub fn read_as(
        config: &Config,
        ledger: &Ledger,
        copies: &Copies,
        memory: &mut Memory,
        view: &View,
        now: Timestamp,
    ) -> Result<Self, LedgerError> {
        let rows = ledger.feeds()?;
        let table = memory.origins.table(config, now);
        let mut feeds = Vec::with_capacity(config.feeds.len());
        for feed in &config.feeds {
            let mut row = rows.get(&feed.name).cloned().unwrap_or_default();
            let mut leaving = ledger.leaving(&feed.name, Of::Current)?;
            leaving.retain(|leaving| !feed.withdraw_after.is_over(leaving, now));
            if let (View::AsItIs(_), Origin::Path(path)) = (view, &feed.origin) {
                let body = file::read(path, config.fetch.max_bytes);
                let taken =
                    body.and_then(|body| as_it_is(feed, &mut row, &body, copies, memory, now));
                match taken {
                    Ok(copy) => leaving = copy.leaving(feed, leaving, now),
                    Err(refused) => {
                        tracing::warn!("feed={}  {}: {refused}", feed.name, refused.state());
                    }
                }
            }
            let applied = ledger.leaving(&feed.name, Of::Applied)?;
            let parts = Parts {
                row: &row,
                leaving: [leaving, applied],
                table: &table,
            };
            feeds.push(one(feed, &parts, copies, memory));
        }
        let newest = ledger.generation()?;
        let by_hand = ledger.operator(newest.as_ref().map_or(now, |row| row.at))?;
        let found = match view {
            View::AsRecorded => &ledger.discovered()?,
            View::AsItIs(found) => found,
        };
        Ok(Self {
            hand: hand::listed(&by_hand, now),
            policy: protection::policy(config, found, &by_hand, now),
            next_end: hand::next_end(&by_hand, now),
            approval: ledger.approval()?,
            feeds,
            in_force: ledger.in_force()?,
            origins: ledger.origins()?,
            table: table.used(),
            generation: newest.as_ref().map_or(0, |row| row.number),
            made_by_pin: newest.is_some_and(|row| row.pinned),
            pinned: pin(ledger)?,
        })
    }

    /// Decide by it.
    pub fn decide(&self, now: Timestamp) -> Decision {
        decide(&Input {
            feeds: &self.feeds,
            hand: &self.hand,
            policy: &self.policy,
            in_force: &self.in_force,
            origins_in_force: &self.origins,
            restores: self.made_by_pin,
            pinned: self.pinned.as_ref().map(|pin| &pin.set),
            approved: self.approval.as_ref().map(|approval| approval.id.as_str()),
            now,
        })
    }
}

/// What is frozen. A generation that can no longer be told keeps what is in force.
fn pin(ledger: &Ledger) -> Result<Option<Pin>, LedgerError> {
    let Some(row) = ledger.pinned()? else {
        return Ok(None);
    };
    let past = match row.generation {
        PinRow::NOTHING => Past::default(),
        number => match ledger.at_generation(number)? {
            Some(past) => past,
            None => Past {
                set: ledger.in_force()?,
                origins: ledger.origins()?,
            },
        },
    };
    let set = Pinned {
        generation: row.generation,
        set: past.set,
        origins: past.origins,
    };
    Ok(Some(Pin { row, set }))
}

/// The copy of before, if there is one, and the copy that a local file is now.
struct Taken {
    old: Option<Arc<FeedCopy>>,
    new: Arc<FeedCopy>,
}

impl Taken {
    /// What is leaving after it.
    fn leaving(&self, feed: &FeedConfig, leaving: Vec<Leaving>, now: Timestamp) -> Vec<Leaving> {
        match &self.old {
            Some(old) => feed.withdraw_after.step(old, leaving, &self.new, now),
            None => leaving,
        }
    }
}

/// Take a local file as a pass would, without writing anything down.
fn as_it_is(
    feed: &FeedConfig,
    row: &mut FeedRow,
    body: &[u8],
    copies: &Copies,
    memory: &mut Memory,
    now: Timestamp,
) -> Result<Taken, Refused> {
    let copy = preferred(feed, row, parse_body(body, &feed.rules)?, now)?;
    let (new, digest) = (Arc::new(copy), copies::digest(body));
    let old = row.digest.as_ref();
    let old = old.and_then(|old| memory.get(copies, feed, old));
    memory.remember(&feed.name, &digest, new.clone());
    if row.digest.as_ref() != Some(&digest) {
        row.taken_at = Some(now);
    }
    row.digest = Some(digest);
    row.confirmed_at = Some(now);
    Ok(Taken { old, new })
}

/// What the copies of a feed are made of.
struct Parts<'a> {
    row: &'a FeedRow,
    /// What is leaving the newest copy, and the one behind the generation in force.
    leaving: [Vec<Leaving>; 2],
    table: &'a Table,
}

fn one(feed: &FeedConfig, parts: &Parts, copies: &Copies, memory: &mut Memory) -> Feed {
    let Parts {
        row,
        leaving: [leaving, leaving_applied],
        table,
    } = parts;
    let mut held = |digest: &Option<String>, taken: Option<Timestamp>, leaving: &[Leaving]| {
        let digest = digest.as_ref()?;
        let copy = memory.get(copies, feed, digest)?;
        let fetched = taken.or(row.confirmed_at).unwrap_or_default();
        Some(assembled(digest, copy, fetched, leaving, table))
    };
    let needs_table = |at: &AtHand| !at.copy.origins.is_empty();
    let newest = held(&row.digest, row.taken_at, leaving);
    let unreadable = match &newest {
        None => "its last good copy",
        Some(_) => "the table of its origins",
    };
    // A table that was used and cannot be read is not an empty one.
    let lost = table.failed() && row.applied_table.is_some();
    let current = newest.filter(|at| !(lost && needs_table(at)));
    let applied = row.applied.as_ref().map(|_| {
        if row.applied == row.digest && leaving == leaving_applied {
            return current.clone();
        }
        held(&row.applied, row.applied_taken, leaving_applied)
    });
    let applied = applied.map(|at| match at {
        Some(at) if needs_table(&at) && table.differs_from(row.applied_table.as_deref()) => {
            Applied::Lost
        }
        Some(at) => Applied::Copy(at),
        None => Applied::Lost,
    });
    Feed {
        name: feed.name.as_str().into(),
        reserved: feed.reserved,
        limits: feed.limits,
        ages: feed.ages,
        confirmed: row.confirmed_at,
        generated: row.generated,
        unreadable,
        current,
        applied,
    }
}

/// A copy with what is leaving it, and with the prefixes of its origin ASes.
fn assembled(
    digest: &str,
    copy: Arc<FeedCopy>,
    fetched: Timestamp,
    leaving: &[Leaving],
    table: &Table,
) -> AtHand {
    let mut at = AtHand {
        digest: digest.to_owned(),
        copy,
        fetched,
    };
    if !leaving.is_empty() {
        at.copy = Arc::new(at.copy.with_leaving(leaving));
        let text: Vec<String> = leaving
            .iter()
            .map(|one| format!("{} {}", one.item, one.reference))
            .collect();
        at.digest
            .push_str(&format!("-{}", copies::digest(text.join("\n").as_bytes())));
    }
    if let Table::Read(table) = table
        && !at.copy.origins.is_empty()
    {
        at.copy = Arc::new(table.expand(&at.copy));
        at.digest.push_str(&format!("+{}", table.digest));
    }
    at
}
