//! What a change of the configuration takes away of what is in force, and whether it may. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{Applied, Feed, Input, beside, publishers};
use crate::digest::hexadecimal;
use crate::plan::{configuration, lacking};
use crate::prefix::{PrefixSet, subtract_set};
use crate::rib::{Rib, Source};

/// The configuration, as far as it decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Names it: one that decides otherwise has another name.
    pub name: String,
    /// What is otherwise than it was for the set in force, in words; nothing where it is the same.
    pub changes: Vec<String>,
}

/// What nothing but the configuration takes away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Of the set in force, without what is protected.
    pub set: PrefixSet,
    /// Of the origin ASes in force, ascending.
    pub origins: Vec<u32>,
    /// The reasons to hold it.
    pub reasons: Vec<String>,
}

/// Judge it; `listed` is what would be listed if everything went, `origins` the same of ASes. `stays` answers what
/// else stays while it is held: the limits are shares of both, so the next decision, which finds both in force, is the
/// same.
pub(super) fn taken(
    input: &Input,
    (listed, origins): (&PrefixSet, &[u32]),
    stays: impl FnOnce() -> (PrefixSet, Vec<u32>),
) -> Taken {
    let same = input.configuration.changes.is_empty();
    // What a pin put in force has no copies behind it to compare with. What cannot be read is judged as a whole.
    let is_lost = |feed: &Feed| matches!(feed.applied, Some(Applied::Lost));
    if same || input.pinned.is_some() || input.restores || input.feeds.iter().any(is_lost) {
        return Taken::default();
    }
    // What is behind the set in force, by today's configuration; what expired, ended or was taken back by hand is
    // no work of the configuration.
    let applied = beside(beside(behind(input), &input.hand.before), &input.hand.now);
    let accounted = input.policy.apply(&applied).listed.union(listed);
    let before = input.policy.protect.cut_out_of(input.in_force);
    let after = before.intersection(&accounted);
    let set = difference(&before, &after);
    if set.is_empty() && lacking(input.origins_in_force, origins).next().is_none() {
        return Taken::default();
    }
    let known: BTreeSet<u32> = publishers::origins(&applied)
        .into_iter()
        .chain(origins.iter().copied())
        .collect();
    let known: Vec<u32> = known.into_iter().collect();
    let taken: Vec<u32> = lacking(input.origins_in_force, &known).collect();
    let (stays, origins_stay) = stays();
    let all_origins: BTreeSet<u32> = origins_stay.iter().chain(&taken).copied().collect();
    let all_origins: Vec<u32> = all_origins.into_iter().collect();
    let left: Vec<u32> = lacking(&all_origins, &taken).collect();
    Taken {
        reasons: configuration(
            (&stays.union(&set), &difference(&stays, &set)),
            (&all_origins, &left),
            &input.policy.limits,
            &input.configuration.changes,
        ),
        set,
        origins: taken,
    }
}

/// Every copy behind the set in force, with the entries that have ended.
fn behind(input: &Input) -> Rib {
    let source = |feed: &Feed| {
        Some(Source {
            name: feed.name.clone(),
            reserved: feed.reserved,
            any_length: false,
            copy: feed.applied_copy()?.copy.clone(),
        })
    };
    Rib::merge(input.feeds.iter().filter_map(source).collect())
}

/// The addresses of `from` that are not in `part`.
fn difference(from: &PrefixSet, part: &PrefixSet) -> PrefixSet {
    match from == part {
        true => PrefixSet::default(),
        false => subtract_set(from, part),
    }
}

impl Taken {
    /// Whether it may not go.
    pub fn is_held(&self) -> bool {
        !self.reasons.is_empty()
    }

    /// What stays in force with it, while it is held.
    pub fn beside<'a>(&self, stays: Cow<'a, PrefixSet>) -> Cow<'a, PrefixSet> {
        match self.is_held() {
            true => Cow::Owned(stays.union(&self.set)),
            false => stays,
        }
    }

    /// The same of origin ASes.
    pub fn beside_origins(&self, stays: Vec<u32>) -> Vec<u32> {
        match self.is_held() {
            true => {
                let all: BTreeSet<u32> = stays.into_iter().chain(self.origins.clone()).collect();
                all.into_iter().collect()
            }
            false => stays,
        }
    }

    /// The name of the change with the one of the configuration: another edit has another. What is protected may
    /// change meanwhile; it is no part of the name.
    pub fn id(&self, id: String, configuration: &Configuration) -> String {
        match self.is_held() {
            true => {
                let text = format!("configuration {}\n{id}\n", configuration.name);
                hexadecimal(&Sha256::digest(text)[..6])
            }
            false => id,
        }
    }
}
