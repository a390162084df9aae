//! From the ledger and the copies to what the decision needs (I/O).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::config::{Config, FeedConfig};
use crate::feed::FeedCopy;
use crate::feed::copies::Copies;
use crate::feed::formats::parse_body;
use crate::ledger::{FeedRow, Ledger, LedgerError};
use crate::pipeline::{Applied, AtHand, Decision, Feed, Input, decide};
use crate::policy::Policy;
use crate::prefix::PrefixSet;
use crate::time::Timestamp;

/// What a process remembers between passes.
#[derive(Debug, Default)]
pub struct Memory {
    /// Copies parsed already, by feed and digest: an unchanged copy is no work.
    copies: HashMap<(String, String), Arc<FeedCopy>>,
    /// The last line said about the policy: said again only when it reads otherwise.
    pub policy_line: String,
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
                self.copies.insert(key, copy.clone());
                Some(copy)
            }
            Err(why) => {
                tracing::warn!("feed={}  the copy on disk cannot be used: {why}", feed.name);
                None
            }
        }
    }
}

/// Everything a decision needs but the policy and the time.
#[derive(Debug)]
pub struct Known {
    /// Every configured feed, in order.
    pub feeds: Vec<Feed>,
    /// The set in force.
    pub in_force: PrefixSet,
    /// The number of the generation in force; 0 before the first.
    pub generation: u64,
    /// Whether that generation is a flush.
    pub flushed: bool,
    /// Since when everything stays withdrawn.
    pub pinned: Option<Timestamp>,
}

impl Known {
    /// Read it.
    pub fn read(
        config: &Config,
        ledger: &Ledger,
        copies: &Copies,
        memory: &mut Memory,
    ) -> Result<Self, LedgerError> {
        let rows = ledger.feeds()?;
        let feed = |feed: &FeedConfig| {
            let row = rows.get(&feed.name).cloned().unwrap_or_default();
            one(feed, &row, copies, memory)
        };
        let newest = ledger.generation()?;
        Ok(Self {
            feeds: config.feeds.iter().map(feed).collect(),
            in_force: ledger.in_force()?,
            generation: newest.as_ref().map_or(0, |row| row.number),
            flushed: newest.is_some_and(|row| row.cause == "flush"),
            pinned: ledger.pinned()?,
        })
    }

    /// Decide by it.
    pub fn decide(&self, policy: &Policy, now: Timestamp) -> Decision {
        decide(&Input {
            feeds: &self.feeds,
            policy,
            generation: self.generation,
            in_force: &self.in_force,
            flushed: self.flushed && self.in_force.is_empty(),
            pinned: self.pinned.is_some(),
            now,
        })
    }
}

fn one(feed: &FeedConfig, row: &FeedRow, copies: &Copies, memory: &mut Memory) -> Feed {
    let mut held = |digest: &Option<String>| {
        let digest = digest.as_ref()?;
        Some(AtHand {
            digest: digest.clone(),
            copy: memory.get(copies, feed, digest)?,
        })
    };
    let current = held(&row.digest);
    let applied = match &row.applied {
        None => None,
        same if *same == row.digest => Some(current.clone()),
        other => Some(held(other)),
    };
    Feed {
        name: feed.name.as_str().into(),
        reserved: feed.reserved,
        limits: feed.limits,
        ages: feed.ages,
        confirmed: row.confirmed_at,
        current,
        applied: applied.map(|copy| copy.map_or(Applied::Lost, Applied::Copy)),
    }
}
