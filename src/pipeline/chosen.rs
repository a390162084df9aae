//! What one choice of feeds has of what should be in force: merged and aggregated by itself. Pure.
//!
//! ```text
//!  listings of the choice ──policy──► what they leave ──┐
//!  what the choice had, where its listings are not ─────┴─ in what should be in force ──► the set of the choice
//! ```
//!
//! Gate, protection and holds were decided for all feeds together. A choice adds no address to
//! that, and has none that its own feeds do not list.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Decision, publishers};
use crate::policy::Policy;
use crate::policy::selection::Choice;
use crate::prefix::Effective;
use crate::rib::{OPERATOR, Rib, Source};

/// What a choice has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Its listings, for the reasons in a file.
    pub rib: Rib,
    /// What they leave.
    pub effective: Effective,
}

/// What is known of a choice. It replaces listings that can no longer be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Former<'a> {
    /// What it has with the generation in force; `None` where no router had this choice.
    pub in_force: Option<&'a Effective>,
    /// Where no router had this choice, and a copy of it cannot be read or a feed of it is no
    /// longer configured: what its routers had by other choices.
    pub others: Option<&'a Effective>,
    /// What it had with the generation that is pinned.
    pub frozen: Option<&'a Effective>,
}

/// Each distinct choice or selection, made once.
pub fn each_once<K: Ord, T>(
    keys: impl IntoIterator<Item = K>,
    mut make: impl FnMut(&K) -> T,
) -> BTreeMap<K, T> {
    let mut made = BTreeMap::new();
    for key in keys {
        if let Entry::Vacant(vacant) = made.entry(key) {
            let one = make(vacant.key());
            vacant.insert(one);
        }
    }
    made
}

impl Decision {
    /// What a choice has of [`Decision::desired`].
    pub fn chosen(&self, choice: &Choice, policy: &Policy, former: Former) -> Chosen {
        if choice.has_everything() {
            return Chosen {
                rib: self.behind().clone(),
                effective: self.desired.clone(),
            };
        }
        let rib = self.listings_of(choice);
        let listed = self.listed(choice, &rib, policy, former);
        Chosen {
            effective: listed.intersection(&self.desired),
            rib,
        }
    }

    /// What a choice would have if everything went that its feeds list now.
    pub fn listed_now(&self, choice: &Choice, policy: &Policy) -> Effective {
        let now = self.rib.sources().iter();
        let now = now.filter(|source| has(choice, source));
        left_of(policy, &Rib::merge(now.cloned().collect()))
    }

    /// The listings of a choice that are behind what should be in force. What was added by hand
    /// counts as it is now: no hold keeps it.
    fn listings_of(&self, choice: &Choice) -> Rib {
        let fed = self.behind().sources().iter();
        let fed = fed.filter(|source| *source.name != *OPERATOR && choice.has(&source.name));
        let by_hand = self.rib.sources().iter();
        let by_hand = by_hand.filter(|source| *source.name == *OPERATOR && choice.operator);
        Rib::merge(fed.chain(by_hand).cloned().collect())
    }

    /// What those listings leave, and what stays for a reason that cannot be read or is no longer
    /// configured.
    fn listed(&self, choice: &Choice, rib: &Rib, policy: &Policy, former: Former) -> Effective {
        if self.desired.is_empty() {
            return Effective::default();
        }
        if self.pinned.is_some()
            && let Some(frozen) = former.frozen
        {
            return frozen.clone();
        }
        let listed = left_of(policy, rib);
        // What goes through is made of copies that can be read, and nothing else.
        if !self.held() {
            return listed;
        }
        let is_lost = self.lost.iter().any(|feed| choice.has(feed));
        match former {
            // A copy that cannot be read is no empty copy.
            Former {
                in_force: Some(before),
                ..
            } if is_lost => listed.union(before),
            Former {
                others: Some(before),
                ..
            } if is_lost => listed.union(&before.without(&self.of_others(choice, policy))),
            Former {
                in_force, others, ..
            } => {
                // Where a copy of another feed is lost, it may be of that one.
                let others = others.filter(|_| self.lost.is_empty());
                let more = in_force.or(others).map(|before| before.without(&listed));
                match more.filter(|more| !more.is_empty()) {
                    Some(more) => listed.union(&self.kept(choice, policy, &more)),
                    None => listed,
                }
            }
        }
    }

    /// What is known to be listed behind a held change by feeds that a choice does not have.
    fn of_others(&self, choice: &Choice, policy: &Policy) -> Effective {
        left_of(policy, &self.known(|source| !has(choice, source)))
    }

    /// What a choice keeps of `before`, which its listings behind a held change do not list: what
    /// no listing at all explains, as a removed feed, and of what is carried what it lists now.
    fn kept(&self, choice: &Choice, policy: &Policy, before: &Effective) -> Effective {
        let explained = left_of(policy, &self.known(|_| true)).union(&self.carried);
        let unexplained = before.intersection(&self.desired.without(&explained));
        if self.carried.is_empty() {
            return unexplained;
        }
        let now = self.listed_now(choice, policy);
        unexplained.union(&before.intersection(&self.carried).intersection(&now))
    }

    /// Those of the listings behind what should be in force, with what is added by hand now.
    fn known(&self, which: impl Fn(&&Source) -> bool) -> Rib {
        let by_hand = self.rib.sources().iter();
        let by_hand = by_hand.filter(|source| *source.name == *OPERATOR);
        let known = self.behind().sources().iter().chain(by_hand);
        Rib::merge(known.filter(which).cloned().collect())
    }
}

/// Whether the listings of a source count for a choice.
fn has(choice: &Choice, source: &Source) -> bool {
    match *source.name == *OPERATOR {
        true => choice.operator,
        false => choice.has(&source.name),
    }
}

/// What the policy leaves of listings.
fn left_of(policy: &Policy, rib: &Rib) -> Effective {
    Effective::new(policy.apply(rib).set, publishers::origins(policy, rib))
}

#[cfg(test)]
mod tests;
