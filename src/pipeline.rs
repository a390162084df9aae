//! The whole decision on one page: what is known → what should be in force, and whether it may.
//!
//! ```text
//!  feeds ──standing──► RIB ──policy──► effective set ──gate──► go   ──► desired = effective set
//!                                                         └──► held ──► desired = what is in force
//! ```
//!
//! No clock, no file, no socket: [`decide`] is a pure function of its argument, so every decision
//! can be repeated and tested. After the merge nothing can add an address: `policy` only removes,
//! subtraction splits, aggregation joins exactly.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::feed::FeedCopy;
use crate::feed::standing::{Ages, Standing};
use crate::plan::{
    Cause, Change, Explained, FeedChange, Verdict, cause_of_addition, cause_of_removal, judge,
};
use crate::policy::limits::FeedLimits;
use crate::policy::{Effective, Policy};
use crate::prefix::{PrefixSet, subtract_set};
use crate::rib::{Rib, Source};
use crate::time::Timestamp;

/// A copy of a feed: its content, the name of that content, and when it was downloaded.
#[derive(Clone, Debug)]
pub struct AtHand {
    /// Digest of everything it is made of: the body, what is leaving it, the table of origins.
    pub digest: String,
    /// What it lists.
    pub copy: Arc<FeedCopy>,
    /// When it was downloaded: entries may end so long after it.
    pub fetched: Timestamp,
}

/// A configured feed, as far as the decision needs it.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Its name.
    pub name: Arc<str>,
    /// Whether reserved space is left in.
    pub reserved: bool,
    /// Its own limits.
    pub limits: FeedLimits,
    /// When its copy grows stale and when it expires.
    pub ages: Ages,
    /// When the last good copy was last confirmed.
    pub confirmed: Option<Timestamp>,
    /// When the publisher says that he made it.
    pub generated: Option<Timestamp>,
    /// The last good copy; `None` when there is none, or when it cannot be read.
    pub current: Option<AtHand>,
    /// What of it cannot be read, in words.
    pub unreadable: &'static str,
    /// The copy that the generation in force was made from.
    pub applied: Option<Applied>,
}

/// The copy behind the generation in force, for one feed.
#[derive(Clone, Debug)]
pub enum Applied {
    /// It is at hand.
    Copy(AtHand),
    /// There was one, and it can no longer be read.
    Lost,
}

impl Feed {
    fn applied_copy(&self) -> Option<&AtHand> {
        match &self.applied {
            Some(Applied::Copy(copy)) => Some(copy),
            _ => None,
        }
    }
}

/// Everything a decision depends on.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The configured feeds, in order.
    pub feeds: &'a [Feed],
    /// What may be dropped.
    pub policy: &'a Policy,
    /// Number of the generation in force; 0 when there was none yet.
    pub generation: u64,
    /// The set in force.
    pub in_force: &'a PrefixSet,
    /// The origin ASes in force, ascending.
    pub origins_in_force: &'a [u32],
    /// Whether nothing is in force because of a flush that has ended: what was in force before it is
    /// then what a held change leaves.
    pub flushed: bool,
    /// Whether the operator flushed everything and has not said `unpin` since.
    pub pinned: bool,
    /// The time of the decision.
    pub now: Timestamp,
}

/// What should be in force, and the whole story of it.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The name of [`Decision::proposed`].
    pub id: String,
    /// Standing of each feed, in order.
    pub standings: Vec<Standing>,
    /// Every listing that counts now.
    pub rib: Rib,
    /// Every listing behind the generation in force.
    pub rib_before: Rib,
    /// What is left of the listings after the policy, and what it took.
    pub effective: Effective,
    /// From what is in force to the effective set.
    pub proposed: Change,
    /// Go, or the reasons to hold [`Decision::proposed`].
    pub verdict: Verdict,
    /// Whether everything stays withdrawn by the operator's order.
    pub pinned: bool,
    /// What should be in force after this decision.
    pub desired: PrefixSet,
    /// From what is in force to [`Decision::desired`].
    pub change: Change,
    /// The origin ASes that should be in force, ascending: for the routers to match on.
    pub origins: Vec<u32>,
    /// When the next entry ends by itself.
    pub next_end: Option<Timestamp>,
}

/// Decide what should be in force.
pub fn decide(input: &Input) -> Decision {
    // Which copies count: an expired or missing one does not.
    let standing = |feed: &Feed| Standing::at(feed.confirmed, feed.generated, feed.ages, input.now);
    let standings: Vec<_> = input.feeds.iter().map(standing).collect();
    let counting: Vec<&Feed> = input
        .feeds
        .iter()
        .zip(&standings)
        .filter_map(|(feed, standing)| standing.counts().then_some(feed))
        .collect();

    // What is listed, and what of it may be dropped.
    let rib = merge(&counting, input.now, |feed| feed.current.as_ref());
    let rib_before = merge(&counting, input.now, Feed::applied_copy);
    let effective = input.policy.apply(&rib);

    // Whether that may replace what is in force. A pin is the operator's order and stands above.
    let proposed = Change::between(input.in_force, &effective.set);
    let verdict = if input.pinned {
        Verdict::default()
    } else {
        // What cannot be read cannot be judged: then that alone is the reason, and no limit is.
        let reasons: Vec<String> = counting.iter().filter_map(lost).collect();
        match reasons.is_empty() {
            true => gate(input, &counting, &rib_before, &effective.set),
            false => Verdict { reasons },
        }
    };
    let desired = if input.pinned {
        PrefixSet::default()
    } else if verdict.reasons.is_empty() {
        effective.set.clone()
    } else if input.flushed {
        // Held after a flush: what was in force before it.
        input.policy.apply(&rib_before).set
    } else {
        // Held: what is in force stays, but for what has been protected since.
        subtract_set(input.in_force, input.policy.protect.set())
    };

    let origins = if input.pinned {
        Vec::new()
    } else if verdict.reasons.is_empty() {
        origins(&rib)
    } else {
        input.origins_in_force.to_vec()
    };
    let ends = counting.iter().filter_map(|feed| feed.current.as_ref());

    Decision {
        origins,
        next_end: ends
            .filter_map(|at| at.copy.next_end(at.fetched, input.now))
            .min(),
        id: proposed.id(input.generation),
        standings,
        rib,
        rib_before,
        proposed,
        verdict,
        pinned: input.pinned,
        change: Change::between(input.in_force, &desired),
        desired,
        effective,
    }
}

impl Decision {
    /// Whether the proposed change waits for approval.
    pub fn held(&self) -> bool {
        !self.verdict.reasons.is_empty()
    }

    /// Whether it goes through with every feed read: whatever carries our mark is explained then.
    pub fn settles(&self) -> bool {
        !self.held() && !self.pinned && !self.standings.contains(&Standing::Missing)
    }

    /// The additions of a change with every cause.
    pub fn explain_additions<'a>(
        &'a self,
        change: &'a Change,
    ) -> impl Iterator<Item = Explained> + 'a {
        change.additions().map(|net| {
            // What was refused is no cause.
            let counts = |feed, line| !self.effective.refused_lines.contains(&(feed, line));
            cause_of_addition(net, &self.rib, counts)
        })
    }

    /// The removals of a change with every cause.
    pub fn explain_removals<'a>(
        &'a self,
        change: &'a Change,
        policy: &'a Policy,
    ) -> impl Iterator<Item = Explained> + 'a {
        change.removals().map(move |prefix| {
            if self.pinned {
                let because = vec![Cause::Flushed];
                return Explained { prefix, because };
            }
            let (before, now) = (&self.rib_before, &self.rib);
            cause_of_removal(prefix, before, now, &self.effective.set, &policy.protect)
        })
    }
}

/// Every AS that a feed lists, once.
fn origins(rib: &Rib) -> Vec<u32> {
    let listed = rib.sources().iter().flat_map(|source| &source.copy.origins);
    let origins: BTreeSet<u32> = listed.map(|origin| origin.asn).collect();
    origins.into_iter().collect()
}

fn merge<'a>(
    feeds: &[&'a Feed],
    now: Timestamp,
    which: impl Fn(&'a Feed) -> Option<&'a AtHand>,
) -> Rib {
    let source = |feed: &&'a Feed| {
        let AtHand { copy, fetched, .. } = which(feed)?;
        Some(Source {
            name: feed.name.clone(),
            reserved: feed.reserved,
            copy: match copy.has_ends() {
                true => Arc::new(copy.without_ended(*fetched, now)),
                false => copy.clone(),
            },
        })
    };
    Rib::merge(feeds.iter().filter_map(source).collect())
}

/// A copy that counts and cannot be read is no empty feed: nothing changes until it is fetched again.
fn lost(feed: &&Feed) -> Option<String> {
    let (name, what) = (&feed.name, feed.unreadable);
    feed.current
        .is_none()
        .then(|| format!("{name}: {what} cannot be read"))
}

/// Judge what the publishers changed: the feeds that both generations share, under today's policy.
fn gate(input: &Input, counting: &[&Feed], rib_before: &Rib, total: &PrefixSet) -> Verdict {
    let (policy, limits) = (input.policy, &input.policy.limits);
    let alone = |feed: &Feed, copy: &AtHand| {
        let rib = merge(&[feed], input.now, |_| Some(copy));
        (policy.apply(&rib).set, origins(&rib))
    };
    let is_lost = |feed: &&Feed| matches!(feed.applied, Some(Applied::Lost));
    let change = |feed: &&Feed| {
        let now = feed.current.as_ref().filter(|_| !is_lost(feed))?;
        let before = feed.applied_copy();
        let same = before.is_some_and(|before| before.digest == now.digest);
        (!same).then(|| {
            let (set_before, origins_before) = before.map(|copy| alone(feed, copy)).unzip();
            let (now, origins_now) = alone(feed, now);
            FeedChange {
                name: feed.name.to_string(),
                limits: feed.limits,
                before: set_before,
                now,
                origins_before: origins_before.unwrap_or_default(),
                origins_now,
            }
        })
    };
    let changes: Vec<FeedChange> = counting.iter().filter_map(change).collect();
    if counting.iter().any(is_lost) {
        // What that publisher changed cannot be told any more: the whole change is judged, beside what
        // the others changed.
        return judge(&changes, (input.in_force, total), total, limits);
    }
    if changes.is_empty() {
        return judge(&[], (total, total), total, limits);
    }
    let shared = |feed: &&&Feed| feed.applied_copy().is_some();
    let shared: Vec<&Feed> = counting.iter().filter(shared).copied().collect();
    let before = policy.apply(rib_before).set;
    let now = policy
        .apply(&merge(&shared, input.now, |feed| feed.current.as_ref()))
        .set;
    judge(&changes, (&before, &now), total, limits)
}

#[cfg(test)]
mod tests;
