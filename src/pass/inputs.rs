//! From the ledger and the copies to what the decision needs (I/O).

use std::collections::BTreeMap;
use std::sync::Arc;

pub use super::cache::Cache;
use super::newer::preferred;
use super::origins::Table;
use super::protect_feeds::{self, listed};
use super::protection::Sources;
pub(crate) use super::published::{Published, Reading};
use super::{operator, protection};
use crate::config::{Config, Decisive, FeedConfig, Origin, RouterConfig, decisive, differences};
use crate::digest;
use crate::discover;
use crate::feed::file;
use crate::feed::formats::parse_body;
use crate::feed::withdrawal::{self, PendingWithdrawal};
use crate::feed::{FeedCopy, Refused};
use crate::ledger::{CopyKind, FeedRow, Ledger, LedgerError, PinRow, ReviewRow, TableUsed};
use crate::pipeline::{
    Applied, AtHand, Configuration, Decision, Feed, HeldProtection, Input, OperatorEntries, Pinned,
    ProtectFeed, decide,
};
use crate::plan::Unreadable;
use crate::policy::Policy;
use crate::prefix::Effective;
use crate::prefix::Item;
use crate::time::Timestamp;

/// What the decision is made by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// What the last scans gave.
    AsRecorded,
    /// What is in local files now, and around us: for a plan of what a pass would do.
    AsItIs(Vec<discover::Remembered>),
}

/// Everything a decision needs but the time.
#[derive(Debug)]
pub struct Inputs {
    /// Every configured feed, in order.
    pub feeds: Vec<Feed>,
    pub in_force: Arc<Effective>,
    /// The table of origins that is used.
    pub table: TableUsed,
    /// The number of the generation in force; 0 before the first.
    pub generation: u64,
    /// Whether that generation was made by a pin, and no decision of the feeds has confirmed it
    /// since.
    pub made_by_pin: bool,
    /// Whether some router names feeds.
    pub by_feed: bool,
    /// What is frozen.
    pub pinned: Option<Pin>,
    /// The approval that has not been used yet.
    pub approval: Option<ReviewRow>,
    /// What the operator listed by hand.
    pub operator: OperatorEntries,
    /// What of the configuration was otherwise for the set in force.
    pub configuration: Configuration,
    /// What may be dropped: what is protected was typed, found, allowed by hand, or is listed by a
    /// copy in effect.
    policy: Policy,
    /// The lists that protect, in order.
    pub protect_feeds: Vec<ProtectFeed>,
    /// What of them waits.
    held_protection: Option<HeldProtection>,
    /// When the next thing that the operator did by hand ends by itself.
    pub next_end: Option<Timestamp>,
}

/// A decision with everything that it was made of.
#[derive(Clone, Copy)]
pub struct Basis<'a> {
    pub config: &'a Arc<Config>,
    pub ledger: &'a Ledger,
    pub inputs: &'a Inputs,
    pub decision: &'a Arc<Decision>,
    /// The time of the decision.
    pub now: Timestamp,
}

impl<'a> Basis<'a> {
    /// What may be dropped by the decision.
    pub fn policy(&self) -> &'a Policy {
        self.inputs.policy(self.decision)
    }
}

/// What is frozen, and who did it.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The order.
    pub row: PinRow,
    pub set: Arc<Pinned>,
}

impl Inputs {
    pub fn read(
        config: &Config,
        ledger: &Ledger,
        cache: &mut Cache,
        now: Timestamp,
    ) -> Result<Self, LedgerError> {
        Self::read_as(config, ledger, cache, &View::AsRecorded, now)
    }

    /// The same, as seen by the last pass or as it is now.
    pub fn read_as(
        config: &Config,
        ledger: &Ledger,
        cache: &mut Cache,
        view: &View,
        now: Timestamp,
    ) -> Result<Self, LedgerError> {
        let rows = ledger.feeds()?;
        let table = cache.table(config, now);
        let mut feeds = Vec::with_capacity(config.feeds.len());
        for feed in &config.feeds {
            let mut row = rows.get(&feed.name).cloned().unwrap_or_default();
            let leaving = newest((config, ledger), feed, &mut row, (cache, view), now)?;
            let applied = ledger.pending_withdrawals(&feed.name, CopyKind::Applied)?;
            let parts = Parts {
                row: &row,
                leaving: [leaving, applied],
                table: &table,
            };
            feeds.push(one(config, feed, &parts, cache, now));
        }
        let decisive_before = ledger.decisive()?;
        let configuration = configuration(config, &decisive_before, &rows);
        let newest = ledger.generation()?;
        let by_hand = ledger.operator(newest.as_ref().map_or(now, |row| row.at))?;
        let found = match view {
            View::AsRecorded => {
                let mut found = ledger.discovered()?;
                found.extend(cache.connect_attempts.found(config, now));
                &discover::bounded(found).0
            }
            View::AsItIs(found) => found,
        };
        let in_force = cache.in_force(ledger)?;
        let protect_feeds = protect_feeds::read(config, ledger, cache, (&rows, view), now)?;
        let policy = |lists: &[_]| {
            let sources = Sources {
                found,
                by_hand: &by_hand,
                lists,
                table: table.read(),
            };
            protection::policy(config, sources, now)
        };
        let limits = &config.policy.limits;
        let waiting = ProtectFeed::waiting(&protect_feeds, &in_force.nets, limits);
        let with_newest = policy(&listed(&protect_feeds, ProtectFeed::newest_or_former));
        let (policy, held_protection) = match waiting {
            None => (with_newest, None),
            Some(waiting) => {
                let former = |feed| waiting.in_effect(feed);
                let former = policy(&listed(&protect_feeds, former));
                (former, Some(waiting.held(with_newest)))
            }
        };
        Ok(Self {
            operator: operator::listed(&by_hand, table.read(), now),
            policy,
            protect_feeds,
            held_protection,
            next_end: operator::next_end(&by_hand, now),
            approval: ledger.approval()?,
            feeds,
            configuration,
            in_force,
            table: table.used(),
            generation: newest.as_ref().map_or(0, |row| row.number),
            // Nothing decides what a pin put in force, until a decision without one goes through.
            made_by_pin: newest.is_some_and(|row| row.pinned) && decisive_before.is_empty(),
            by_feed: config.routers.iter().any(names_feeds),
            pinned: pin(ledger, cache)?,
        })
    }

    /// What may be dropped by this decision: a copy that protects and waits counts where it was
    /// approved.
    pub fn policy(&self, decision: &Decision) -> &Policy {
        match &self.held_protection {
            Some(held) if decision.approved => &held.policy,
            _ => &self.policy,
        }
    }

    /// What may be dropped when everything that waits is approved.
    pub fn proposed_policy(&self) -> &Policy {
        let held = self.held_protection.as_ref();
        held.map_or(&self.policy, |held| &held.policy)
    }

    /// The lists whose newest copy protects by this decision.
    pub fn protecting(&self, decision: &Decision) -> impl Iterator<Item = &str> {
        let held = self.held_protection.as_ref().filter(|_| !decision.approved);
        let waits = move |feed: &&ProtectFeed| held.is_some_and(|held| held.has(&feed.name));
        let feeds = self.protect_feeds.iter();
        let feeds = feeds.filter(move |feed| feed.newest.is_some() && !waits(feed));
        feeds.map(|feed| &*feed.name)
    }

    pub fn decide(&self, now: Timestamp) -> Decision {
        decide(&self.input(now))
    }

    /// What would be decided if the change with this ID were approved.
    pub fn decide_as_approved(&self, id: &str, now: Timestamp) -> Decision {
        decide(&Input {
            approved: Some(id),
            ..self.input(now)
        })
    }

    /// Decide by it, unless what was decided last was decided by the same.
    pub fn decide_once(&self, cache: &mut Cache, now: Timestamp) -> Arc<Decision> {
        cache.decided(&self.input(now))
    }

    /// What another decision would tell, where the last one tells it; nothing is decided.
    pub fn decided_already(&self, cache: &Cache, now: Timestamp) -> Option<Arc<Decision>> {
        cache.decided_already(&self.input(now))
    }

    fn input(&self, now: Timestamp) -> Input<'_> {
        Input {
            feeds: &self.feeds,
            operator: &self.operator,
            policy: &self.policy,
            protection: self.held_protection.as_ref(),
            in_force: &self.in_force,
            restores: self.made_by_pin,
            by_feed: self.by_feed,
            pinned: self.pinned.as_ref().map(|pin| &*pin.set),
            approved: self.approval.as_ref().map(|approval| approval.id.as_str()),
            configuration: &self.configuration,
            now,
        }
    }
}

/// What a router gets depends on which of the feeds lists it.
fn names_feeds(router: &RouterConfig) -> bool {
    router.selection.choice.feeds.is_some()
}

/// The configuration, and what of it is otherwise than it was for the set in force. A feed that is
/// no longer configured and still has the copy behind that set has left since.
fn configuration(
    config: &Config,
    before: &Decisive,
    rows: &BTreeMap<String, FeedRow>,
) -> Configuration {
    let now = decisive(config);
    let left = |row: &&FeedRow| {
        let configured = config.fetched().any(|feed| feed.name == row.name);
        !configured && row.applied.is_some()
    };
    let left: Vec<String> = rows
        .values()
        .filter(left)
        .map(|row| row.name.clone())
        .collect();
    let text = serde_json::to_string(&now).unwrap_or_default();
    Configuration {
        name: digest::of(text.as_bytes()),
        changes: differences(before, &now, &left),
    }
}

/// What is frozen. A generation that can no longer be told keeps what is in force.
fn pin(ledger: &Ledger, cache: &mut Cache) -> Result<Option<Pin>, LedgerError> {
    let Some(row) = ledger.pinned()? else {
        return Ok(None);
    };
    let set = match cache.frozen(ledger, &row)? {
        Some(set) => set,
        None => Arc::new(Pinned {
            generation: row.generation,
            effective: Effective::clone(&*cache.in_force(ledger)?),
        }),
    };
    Ok(Some(Pin { row, set }))
}

/// What is leaving the newest copy of a feed; `row` then names that copy. A local file counts as it
/// is now, where the view asks for that.
pub(super) fn newest(
    (config, ledger): (&Config, &Ledger),
    feed: &FeedConfig,
    row: &mut FeedRow,
    (cache, view): (&mut Cache, &View),
    now: Timestamp,
) -> Result<Vec<PendingWithdrawal>, LedgerError> {
    let mut leaving = ledger.pending_withdrawals(&feed.name, CopyKind::Current)?;
    leaving.retain(|leaving| !feed.withdraw_after.is_over(leaving, now));
    if let (View::AsItIs(_), Origin::Path(path)) = (view, &feed.origin) {
        let limits = &config.fetch;
        let local = file::read_now(path, limits.max_bytes, limits.timeout);
        match local.and_then(|local| as_it_is(config, feed, row, &local, cache, now)) {
            Ok(copy) => leaving = copy.pending_withdrawals(feed, leaving, now),
            Err(refused) => {
                tracing::warn!("feed={}  {}: {refused}", feed.name, refused.state());
            }
        }
    }
    Ok(leaving)
}

/// The copy of before, if there is one, and the copy that a local file is now.
struct Taken {
    old: Option<Arc<FeedCopy>>,
    new: Arc<FeedCopy>,
}

impl Taken {
    /// What is leaving after it.
    fn pending_withdrawals(
        &self,
        feed: &FeedConfig,
        leaving: Vec<PendingWithdrawal>,
        now: Timestamp,
    ) -> Vec<PendingWithdrawal> {
        match &self.old {
            Some(old) => {
                let leaving = feed.withdraw_after.step(old, leaving, &self.new, now);
                withdrawal::at_most(leaving, feed.rules.max_entries)
            }
            None => leaving,
        }
    }
}

/// Take a local file as a pass would, without writing anything down.
fn as_it_is(
    config: &Config,
    feed: &FeedConfig,
    row: &mut FeedRow,
    body: &[u8],
    cache: &mut Cache,
    now: Timestamp,
) -> Result<Taken, Refused> {
    let mut copy = parse_body(body, &feed.rules)?;
    copy.ascend();
    preferred(feed, row, &copy, now)?;
    let (new, digest) = (Arc::new(copy), digest::of(body));
    let old = row.digest.as_ref();
    let old = old.and_then(|old| cache.get(config, feed, old));
    cache.remember(&feed.name, &digest, new.clone());
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
    leaving: [Vec<PendingWithdrawal>; 2],
    table: &'a Table,
}

fn one(
    config: &Config,
    feed: &FeedConfig,
    parts: &Parts,
    cache: &mut Cache,
    now: Timestamp,
) -> Feed {
    let Parts {
        row,
        leaving: [leaving, leaving_applied],
        table,
    } = parts;
    let mut held = |digest: &Option<String>, taken: Option<Timestamp>, of: CopyKind| {
        let digest = digest.as_ref()?;
        let leaving = match of {
            CopyKind::Current => leaving,
            CopyKind::Applied => leaving_applied,
        };
        let copy = cache.get(config, feed, digest)?;
        let name = name(digest, &copy, leaving, table);
        let copy = match name == *digest {
            true => copy,
            false => cache.made(&feed.name, of, &name, || assembled(&copy, leaving, table)),
        };
        Some(AtHand {
            digest: name,
            copy,
            fetched: taken.or(row.confirmed_at).unwrap_or_default(),
        })
    };
    let needs_table = |at: &AtHand| !at.copy.origins.is_empty();
    let newest = held(&row.digest, row.taken_at, CopyKind::Current);
    let unreadable = match &newest {
        None => Unreadable::Copy,
        Some(_) => Unreadable::Table,
    };
    // A table that was used and cannot be read is not an empty one.
    let lost = table.failed() && row.applied_table.is_some();
    let current = newest.filter(|at| !(lost && needs_table(at)));
    let applied = row.applied.as_ref().map(|_| {
        if row.applied == row.digest && leaving == leaving_applied {
            return current.clone();
        }
        held(&row.applied, row.applied_taken, CopyKind::Applied)
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
        confirmed: row.confirmed(feed.ages, now),
        generated: row.generated,
        unreadable,
        current,
        applied,
    }
}

/// The name of a copy with what is leaving it and with the prefixes of its origin ASes: it names
/// all three.
fn name(digest: &str, copy: &FeedCopy, leaving: &[PendingWithdrawal], table: &Table) -> String {
    let mut name = withdrawal::named(digest, leaving);
    match table {
        Table::Read(table) if !copy.origins.is_empty() || withdraws_origin(leaving) => {
            name.push_str(&format!("+{}", table.digest));
        }
        _ => {}
    }
    name
}

fn assembled(copy: &FeedCopy, leaving: &[PendingWithdrawal], table: &Table) -> FeedCopy {
    let copy = copy.with_pending_withdrawals(leaving);
    match table {
        Table::Read(table) if !copy.origins.is_empty() => table.expand(&copy),
        _ => copy,
    }
}

fn withdraws_origin(leaving: &[PendingWithdrawal]) -> bool {
    leaving
        .iter()
        .any(|one| matches!(one.item, Item::Origin(_)))
}
