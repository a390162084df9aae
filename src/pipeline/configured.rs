//! What a change of the configuration takes away of what is in force, and whether it may. Pure.

use sha2::{Digest, Sha256};

use super::{Applied, Feed, Input, publishers, with_operator};
use crate::config::SettingChange;
use crate::digest::hexadecimal;
use crate::plan::{Reason, configuration};
use crate::prefix::{Effective, PrefixSet};
use crate::rib::{Rib, Source};

/// The configuration, as far as it decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Names it: one that decides otherwise has another name.
    pub name: String,
    /// What is otherwise than it was for the set in force; nothing where it is the same.
    pub changes: Vec<SettingChange>,
}

/// What nothing but the configuration takes away.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    /// Of what is in force, without what is protected.
    pub effective: Effective,
    /// The reasons to hold it.
    pub reasons: Vec<Reason>,
}

/// Judge it; `listed` and `origins` are what would be listed if everything went, protected space
/// included. `stays` answers what else stays while it is held: the limits are shares of both, so
/// the next decision, which finds both in force, is the same.
pub(super) fn taken(
    input: &Input,
    listed: &PrefixSet,
    origins: &[u32],
    stays: impl FnOnce() -> Effective,
) -> Taken {
    let same = input.configuration.changes.is_empty();
    // What a pin put in force has no copies behind it to compare with. What cannot be read is
    // judged as a whole.
    let is_lost = |feed: &Feed| matches!(feed.applied, Some(Applied::Lost));
    if same || input.pinned.is_some() || input.restores || input.feeds.iter().any(is_lost) {
        return Taken::default();
    }
    // What is behind the set in force, by today's configuration; what expired, ended or was taken
    // back by hand is no work of the configuration.
    let applied = with_operator(
        with_operator(behind(input), &input.operator.before),
        &input.operator.now,
    );
    let listed = input.policy.apply(&applied).listed.union(listed);
    let known = publishers::origins(input.policy, &applied);
    let accounted = Effective::new(listed, known.into_iter().chain(origins.iter().copied()));
    let before = input.policy.protect.cut_out_of(input.in_force);
    let taken = before.without(&before.intersection(&accounted));
    if taken.is_empty() {
        return Taken::default();
    }
    let stays = stays();
    Taken {
        reasons: configuration(
            &stays.union(&taken),
            &stays.without(&taken),
            &input.policy.limits,
            &input.configuration.changes,
        ),
        effective: taken,
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

impl Taken {
    /// Whether it may not go.
    pub fn is_held(&self) -> bool {
        !self.reasons.is_empty()
    }

    /// What stays in force with it, while it is held.
    pub fn with_kept(&self, stays: Effective) -> Effective {
        match self.is_held() {
            true => stays.union(&self.effective),
            false => stays,
        }
    }

    /// The name of the change with the one of the configuration: another edit has another. What is
    /// protected may change meanwhile; it is no part of the name.
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
