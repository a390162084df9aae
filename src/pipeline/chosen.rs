//! What one choice of feeds has of what should be in force: merged and aggregated by itself. Pure.
//!
//! ```text
//!  listings of the choice ──policy──► what they leave ──┐
//!  what the choice had, where its listings are not ─────┴─ in what should be in force ──► the set of the choice
//! ```
//!
//! Gate, protection and holds were decided for all feeds together. A choice adds no address to that, and has none that
//! its own feeds do not list.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Decision, publishers};
use crate::policy::Policy;
use crate::policy::selection::Choice;
use crate::prefix::{Effective, lacking};
use crate::rib::{OPERATOR, Rib};

/// What a choice has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Its listings, for the reasons in a file.
    pub rib: Rib,
    /// What they leave.
    pub effective: Effective,
}

/// What is known of a choice. It stands in for listings that cannot be read any more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Former<'a> {
    /// What it has with the generation in force; `None` where no router had this choice.
    pub in_force: Option<&'a Effective>,
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
        let listed = listed.union(&self.carried_of(choice, policy));
        Chosen {
            effective: listed.intersection(&self.desired),
            rib,
        }
    }

    /// The listings of a choice that are behind what should be in force. What was added by hand counts as it is now:
    /// no hold keeps it.
    fn listings_of(&self, choice: &Choice) -> Rib {
        let fed = self.behind().sources().iter();
        let fed = fed.filter(|source| *source.name != *OPERATOR && choice.has(&source.name));
        let by_hand = self.rib.sources().iter();
        let by_hand = by_hand.filter(|source| *source.name == *OPERATOR && choice.operator);
        Rib::merge(fed.chain(by_hand).cloned().collect())
    }

    /// What of [`Decision::carried`] the choice lists now.
    fn carried_of(&self, choice: &Choice, policy: &Policy) -> Effective {
        if self.carried.is_empty() {
            return Effective::default();
        }
        let now = self.rib.sources().iter();
        let now = now.filter(|source| *source.name != *OPERATOR && choice.has(&source.name));
        let rib = Rib::merge(now.cloned().collect());
        Effective::new(policy.apply(&rib).set, publishers::origins(&rib))
            .intersection(&self.carried)
    }

    /// What those listings leave, and what stays for a reason that cannot be read.
    fn listed(&self, choice: &Choice, rib: &Rib, policy: &Policy, former: Former) -> Effective {
        if self.desired.is_empty() {
            return Effective::default();
        }
        if self.pinned.is_some()
            && let Some(frozen) = former.frozen
        {
            return frozen.clone();
        }
        let listed = Effective::new(policy.apply(rib).set, publishers::origins(rib));
        let Some(before) = former.in_force.filter(|_| self.pinned.is_none()) else {
            return listed;
        };
        if self.lost.iter().any(|feed| choice.has(feed)) {
            // A copy that cannot be read is no empty copy.
            listed.union(before)
        } else if self.holds_configuration {
            // What the configuration takes away, while that waits: no listing is left of it.
            let behind = publishers::origins(self.behind());
            listed.union(&Effective {
                nets: before.nets.intersection(&self.taken),
                origins: lacking(&before.origins, &behind).collect(),
            })
        } else {
            listed
        }
    }
}

#[cfg(test)]
mod tests;
