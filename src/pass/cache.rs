//! What a process remembers between passes, so that a pass in which nothing changed is no work
//! (I/O).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::address_requests::ConnectAttempts;
use super::announce::PolicyEffect;
use super::origins::{Remembered, Table};
use super::published::Published;
use crate::clock::Clock;
use crate::config::{Config, FeedConfig};
use crate::discover::Source;
use crate::feed::FeedCopy;
use crate::feed::formats::parse_body;
use crate::ledger::{CopyKind, GenerationRow, Ledger, LedgerError, PinRow};
use crate::pipeline::{Decided, Decision, Input, Pinned};
use crate::prefix::Effective;
use crate::time::Timestamp;

/// What a process remembers between passes.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    /// The time to go by.
    pub clock: Clock,
    /// Copies parsed already, by feed and digest: an unchanged copy is no work.
    copies: HashMap<(String, String), Arc<FeedCopy>>,
    /// What was made of the copy at hand of a feed and of the one behind what is in force, by its
    /// name.
    made: HashMap<(String, CopyKind), (String, Arc<FeedCopy>)>,
    /// Copies of which was said already that they cannot be used.
    unusable: HashSet<(String, String)>,
    /// What the policy did when that was logged last.
    pub policy_effect: Option<PolicyEffect>,
    /// Whether a pass of this process has brought the targets in step.
    pub acted: bool,
    /// What was said of sources of protected space that cannot be looked at.
    pub around: BTreeSet<(Source, Option<String>)>,
    /// What was said of sources of protected space that show more than is protected.
    pub beyond: BTreeSet<(Source, String)>,
    /// Addresses that downloads connect to now.
    pub connect_attempts: ConnectAttempts,
    /// The table of origins, read once.
    origins: Remembered,
    /// The set in force, and of which generation it is.
    in_force: Option<(GenerationRow, Arc<Effective>)>,
    /// The set that is frozen, and by which order.
    frozen: Option<(PinRow, Arc<Pinned>)>,
    /// The last decision.
    decided: Option<Arc<Decided>>,
    /// Where others see it.
    pub published: Published,
}

impl Cache {
    pub fn remember(&mut self, feed: &str, digest: &str, copy: Arc<FeedCopy>) {
        self.copies
            .insert((feed.to_owned(), digest.to_owned()), copy);
    }

    /// Forget everything: the rules by which lines are read have changed.
    pub fn clear(&mut self) {
        self.copies.clear();
        self.made.clear();
        self.decided = None;
    }

    /// A copy of a feed that is made of several things, all of which `name` names; made once.
    pub(super) fn made(
        &mut self,
        feed: &str,
        of: CopyKind,
        name: &str,
        make: impl FnOnce() -> FeedCopy,
    ) -> Arc<FeedCopy> {
        let key = |of| (feed.to_owned(), of);
        let known = [CopyKind::Current, CopyKind::Applied].map(|of| self.made.get(&key(of)));
        let known = known.into_iter().flatten().find(|(by, _)| by == name);
        let copy = known.map_or_else(|| Arc::new(make()), |(_, copy)| copy.clone());
        self.made.insert(key(of), (name.to_owned(), copy.clone()));
        copy
    }

    /// The set in force: read once, and again when another process has written a generation.
    pub fn in_force(&mut self, ledger: &Ledger) -> Result<Arc<Effective>, LedgerError> {
        let Some(newest) = ledger.generation()? else {
            return ledger.in_force().map(Arc::new);
        };
        if let Some((row, set)) = &self.in_force
            && *row == newest
        {
            return Ok(set.clone());
        }
        let set = Arc::new(ledger.in_force()?);
        self.in_force = Some((newest, set.clone()));
        Ok(set)
    }

    /// This was put in force by a generation, and is written down. Where another process has
    /// written another since, it is no longer what is in force. Answers the set, shared with what
    /// is remembered.
    pub fn put_in_force(
        &mut self,
        ledger: &Ledger,
        generation: u64,
        set: &Effective,
    ) -> Result<Arc<Effective>, LedgerError> {
        let newest = ledger.generation()?;
        if newest.as_ref().is_some_and(|row| row.number != generation) {
            return Ok(Arc::new(set.clone()));
        }
        if let Some((row, known)) = &self.in_force
            && newest.as_ref() == Some(row)
            && **known == *set
        {
            return Ok(known.clone());
        }
        debug_assert_eq!(
            ledger.in_force()?,
            *set,
            "what is remembered is what is written"
        );
        let set = Arc::new(set.clone());
        self.in_force = newest.map(|row| (row, set.clone()));
        Ok(set)
    }

    /// The set that a pin freezes, told once; `None` where it can no longer be told.
    pub(super) fn frozen(
        &mut self,
        ledger: &Ledger,
        pin: &PinRow,
    ) -> Result<Option<Arc<Pinned>>, LedgerError> {
        if let Some((_, set)) = self.frozen.as_ref().filter(|(by, _)| by == pin) {
            return Ok(Some(set.clone()));
        }
        let past = match pin.generation {
            PinRow::NOTHING => Some(Effective::default()),
            number => ledger.at_generation(number)?,
        };
        let Some(effective) = past else {
            return Ok(None);
        };
        let set = Arc::new(Pinned {
            generation: pin.generation,
            effective,
        });
        self.frozen = Some((pin.clone(), set.clone()));
        Ok(Some(set))
    }

    /// The table of origins that the configuration names.
    pub fn table(&mut self, config: &Config, now: Timestamp) -> Table {
        self.origins.table(config, now)
    }

    /// The decision of this input: the last one where that was made of the same, or what follows
    /// from it where only an entry or a protected prefix is another.
    pub(super) fn decided(&mut self, input: &Input) -> Arc<Decision> {
        let decided = match self.decided.take() {
            Some(last) if last.holds_for(input) => last,
            Some(last) => Arc::new(last.next(input).unwrap_or_else(|| Decided::by(input))),
            None => Arc::new(Decided::by(input)),
        };
        self.decided.insert(decided).decision().clone()
    }

    /// Show it to those who only read.
    pub(super) fn publish(&self, config: &Arc<Config>) {
        let mut cache = self.clone();
        // It does not refer to itself.
        cache.published = Published::default();
        self.published.put(config, cache);
    }

    /// The last decision, which this forgets.
    pub(super) fn take_decided(&mut self) -> Option<Arc<Decided>> {
        self.decided.take()
    }

    /// This was the last decision.
    pub(super) fn put_decided(&mut self, decided: Option<Arc<Decided>>) {
        self.decided = decided;
    }

    /// The decision of this input, where the last one was made of the same or it follows from that.
    pub(super) fn decided_already(&self, input: &Input) -> Option<Arc<Decision>> {
        let last = self.decided.as_ref()?;
        match last.holds_for(input) {
            true => Some(last.decision().clone()),
            false => Some(last.next(input)?.decision().clone()),
        }
    }

    /// The last decision went and is written down: what is decided now finds nothing to do. Without
    /// the lists of what came and went, which may be as long as the set.
    pub(super) fn went(&mut self) {
        if let Some(next) = self.decided.as_ref().and_then(|last| last.applied()) {
            self.decided = Some(Arc::new(next));
        }
    }

    /// The copy with this digest, where it was read before.
    pub(super) fn at_hand(&self, feed: &str, digest: &str) -> Option<Arc<FeedCopy>> {
        let key = (feed.to_owned(), digest.to_owned());
        self.copies.get(&key).cloned()
    }

    /// Forget the copies that nothing names any more.
    pub fn keep_only(&mut self, named: &HashSet<(String, String)>) {
        self.copies.retain(|key, _| named.contains(key));
    }

    /// The copy with this digest; read and parsed once. `None`, with a line that says why, when it
    /// is gone, damaged, or no longer a list by the feed's rules.
    pub fn get(
        &mut self,
        config: &Config,
        feed: &FeedConfig,
        digest: &str,
    ) -> Option<Arc<FeedCopy>> {
        let key = (feed.name.clone(), digest.to_owned());
        if let Some(copy) = self.copies.get(&key) {
            return Some(copy.clone());
        }
        let body = config
            .copies()
            .load(&feed.name, digest)
            .map_err(|error| error.to_string());
        let copy = body
            .and_then(|body| parse_body(&body, &feed.rules).map_err(|refused| refused.to_string()));
        match copy {
            Ok(copy) => {
                let mut copy = copy;
                copy.ascend();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{GenerationCause, Origin};
    use crate::plan::Change;
    use crate::prefix::PrefixSet;
    use ipnet::IpNet;

    fn put(ledger: &Ledger, net: &str) {
        let before = ledger.in_force().unwrap().nets;
        let after = before.union(&PrefixSet::of_nets([net.parse().unwrap()]));
        let change = Change::of_nets(&before, &after);
        let why = |_: IpNet| String::new();
        let origin = Origin {
            at: Timestamp(1),
            cause: GenerationCause::Refresh,
            approved: None,
            pinned: false,
        };
        let written =
            ledger.atomically(|ledger| ledger.write_generation(origin, &change, (why, why)));
        written.unwrap();
    }

    #[test]
    fn the_set_in_force_is_read_again_only_when_somebody_else_wrote_a_generation() {
        let dir = tempfile::tempdir().unwrap();
        let ours = Ledger::open(dir.path()).unwrap();
        let mut cache = Cache::default();
        assert!(cache.in_force(&ours).unwrap().is_empty());
        put(&ours, "192.0.2.0/24");
        let first = cache.in_force(&ours).unwrap();
        assert_eq!(first.nets.len(), 1);
        assert!(Arc::ptr_eq(&first, &cache.in_force(&ours).unwrap()));

        let theirs = Ledger::open(dir.path()).unwrap();
        put(&theirs, "198.51.100.0/24");
        let both = cache.in_force(&ours).unwrap();
        assert_eq!(both.nets.len(), 2);

        put(&ours, "203.0.113.0/24");
        let all = ours.in_force().unwrap();
        cache.put_in_force(&ours, 3, &all).unwrap();
        let known = cache.in_force(&ours).unwrap();
        assert_eq!(*known, all);
        cache.put_in_force(&ours, 3, &all).unwrap();
        assert!(Arc::ptr_eq(&known, &cache.in_force(&ours).unwrap()));
    }
}
