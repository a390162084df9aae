//! A decision that was made already: the same input gives the same one. Pure.

use std::sync::Arc;

use super::{Configuration, Decision, Feed, HeldProtection, Input, OperatorEntries, Pinned, whole};
use crate::feed::standing::Standing;
use crate::plan::fits;
use crate::policy::{Permitted, Policy};
use crate::prefix::Effective;
use crate::time::Timestamp;

/// A decision with everything that it was made of. Copies are shared, not copied.
#[derive(Debug)]
pub struct Decided {
    pub(super) feeds: Vec<Feed>,
    pub(super) operator: OperatorEntries,
    pub(super) policy: Policy,
    pub(super) protection: Option<HeldProtection>,
    in_force: Effective,
    restores: bool,
    pub(super) by_feed: bool,
    pub(super) pinned: Option<Pinned>,
    approved: Option<String>,
    pub(super) configuration: Configuration,
    /// From then on it holds: its time.
    pub(super) since: Timestamp,
    /// Until then: an entry of a copy begins or ends.
    until: Option<Timestamp>,
    pub(super) decision: Arc<Decision>,
    /// What the policy leaves of the feeds alone.
    pub(super) published: Permitted,
    /// Whether that is within the limits of size and length.
    pub(super) fits: bool,
}

impl Decided {
    /// Decide, and keep what it was decided by.
    pub fn by(input: &Input) -> Self {
        let (decision, published) = whole(input);
        let fits = fits(&published.set, &input.policy.limits);
        Self::of(input, decision, published, fits)
    }

    /// Keep what it was decided by.
    pub(super) fn of(input: &Input, decision: Decision, published: Permitted, fits: bool) -> Self {
        // A pattern without `..`: a new field cannot be forgotten here.
        let Input {
            feeds,
            operator: hand,
            policy,
            protection,
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
            operator: hand.clone(),
            policy: policy.clone(),
            protection: protection.cloned(),
            in_force: in_force.clone(),
            restores,
            by_feed,
            pinned: pinned.cloned(),
            approved: approved.map(str::to_owned),
            configuration: configuration.clone(),
            since: now,
            decision: Arc::new(decision),
            published,
            fits,
        }
    }

    /// Panics where the whole decision of this input is another one.
    #[cfg(test)]
    pub(super) fn assert_is_by(&self, input: &Input) {
        let whole = Self::by(input);
        assert_eq!(*self.decision, *whole.decision);
        assert_eq!(self.published, whole.published);
        assert_eq!(self.fits, whole.fits);
    }

    pub fn decision(&self) -> &Arc<Decision> {
        &self.decision
    }

    /// Whether this input gives the same decision. Everything is compared by its value.
    pub fn holds_for(&self, input: &Input) -> bool {
        let Input {
            feeds,
            operator: hand,
            policy,
            protection,
            in_force,
            restores,
            by_feed,
            pinned,
            approved,
            configuration,
            now,
        } = *input;
        self.is_in_time(now)
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
                .all(|(one, other)| alike(one, other) && one.applied == other.applied)
            && self.operator == *hand
            && self.policy == *policy
            && self.protection.as_ref() == protection
            && self.pinned.as_ref() == pinned
            && self.in_force == *in_force
    }

    /// Whether no entry of a copy has begun or ended since.
    pub(super) fn is_in_time(&self, now: Timestamp) -> bool {
        self.since <= now && self.until.is_none_or(|until| now < until)
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

/// Whether two feeds are the same to the decision, but for their standing and for the copy behind
/// what is in force.
pub(super) fn alike(one: &Feed, other: &Feed) -> bool {
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
        applied: _,
    } = one;
    *name == other.name
        && *reserved == other.reserved
        && *limits == other.limits
        && *current == other.current
        && *unreadable == other.unreadable
}

#[cfg(test)]
mod tests;
