//! A decision that was made already: the same input gives the same one. Pure.

use std::sync::Arc;

use super::{Configuration, Decision, Feed, Hand, Input, Pinned, decide};
use crate::feed::standing::Standing;
use crate::policy::Policy;
use crate::prefix::Effective;
use crate::time::Timestamp;

/// A decision with everything that it was made of. Copies are shared, not copied.
#[derive(Debug)]
pub struct Decided {
    feeds: Vec<Feed>,
    hand: Hand,
    policy: Policy,
    in_force: Effective,
    restores: bool,
    by_feed: bool,
    pinned: Option<Pinned>,
    approved: Option<String>,
    configuration: Configuration,
    /// From then on it holds: its time.
    since: Timestamp,
    /// Until then: an entry of a copy begins or ends.
    until: Option<Timestamp>,
    decision: Arc<Decision>,
}

impl Decided {
    /// Decide, and keep what it was decided by.
    pub fn by(input: &Input) -> Self {
        // What stands in a pattern without `..` cannot be forgotten here.
        let Input {
            feeds,
            hand,
            policy,
            in_force,
            restores,
            by_feed,
            pinned,
            approved,
            configuration,
            now,
        } = *input;
        let copies = feeds.iter().flat_map(|feed| {
            let applied = feed.applied_copy();
            feed.current.iter().chain(applied)
        });
        Self {
            until: copies
                .filter_map(|at| at.copy.next_end(at.fetched, now))
                .min(),
            feeds: feeds.to_vec(),
            hand: hand.clone(),
            policy: policy.clone(),
            in_force: in_force.clone(),
            restores,
            by_feed,
            pinned: pinned.cloned(),
            approved: approved.map(str::to_owned),
            configuration: configuration.clone(),
            since: now,
            decision: Arc::new(decide(input)),
        }
    }

    /// The decision.
    pub fn decision(&self) -> &Arc<Decision> {
        &self.decision
    }

    /// Whether this input gives the same decision. Everything is compared by its value.
    pub fn holds_for(&self, input: &Input) -> bool {
        let Input {
            feeds,
            hand,
            policy,
            in_force,
            restores,
            by_feed,
            pinned,
            approved,
            configuration,
            now,
        } = *input;
        let in_time = self.since <= now && self.until.is_none_or(|until| now < until);
        in_time
            && self.restores == restores
            && self.by_feed == by_feed
            && self.approved.as_deref() == approved
            && self.configuration == *configuration
            && self.decision.standings == input.standings()
            && self.feeds.len() == feeds.len()
            && self
                .feeds
                .iter()
                .zip(feeds)
                .all(|(one, other)| alike(one, other))
            && self.hand == *hand
            && self.policy == *policy
            && self.pinned.as_ref() == pinned
            && self.in_force == *in_force
    }
}

impl Input<'_> {
    /// Standing of each feed, in order.
    pub(super) fn standings(&self) -> Vec<Standing> {
        let standing =
            |feed: &Feed| Standing::at(feed.confirmed, feed.generated, feed.ages, self.now);
        self.feeds.iter().map(standing).collect()
    }
}

/// Whether two feeds are the same to the decision, but for their standing.
fn alike(one: &Feed, other: &Feed) -> bool {
    let Feed {
        name,
        reserved,
        limits,
        // Standings are compared by themselves: of these nothing else is asked.
        ages: _,
        confirmed: _,
        generated: _,
        current,
        unreadable,
        applied,
    } = one;
    *name == other.name
        && *reserved == other.reserved
        && *limits == other.limits
        && *current == other.current
        && *unreadable == other.unreadable
        && *applied == other.applied
}

#[cfg(test)]
mod tests;
