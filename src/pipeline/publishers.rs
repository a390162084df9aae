//! What the publishers changed: its name, and whether it may go. Pure.

use std::collections::BTreeSet;

use super::{Applied, AtHand, Feed, Input, beside, merge};
use crate::plan::{Change, FeedChange, Verdict, judge};
use crate::policy::Effective;
use crate::policy::limits::Review;
use crate::prefix::{PrefixSet, subtract_set};
use crate::rib::Rib;

/// What the publishers changed since the generation in force.
pub(super) struct Judged {
    /// Name of its exact content: what comes and goes before protected space is cut out of it, and which
    /// origin ASes. What is protected may change meanwhile; it only ever takes away.
    pub id: String,
    /// Whether they changed anything.
    pub changed: bool,
    /// What comes and goes, protected space included.
    pub change: Change,
    /// Go, or the reasons to hold it.
    pub verdict: Verdict,
}

/// Judge it. `published` is what the policy leaves of the newer of the two.
pub(super) fn judged(
    input: &Input,
    counting: &[&Feed],
    (before, now): (&Rib, &Rib),
    published: &Effective,
) -> Judged {
    let same = |feed: &&Feed| {
        let digest = |at: Option<&AtHand>| at.map(|at| at.digest.clone());
        digest(feed.applied_copy()) == digest(feed.current.as_ref())
    };
    let effective_before = match counting.iter().all(same) {
        true => published.clone(),
        false => input.policy.apply(before),
    };
    let change = Change::between(&effective_before.listed, &published.listed);
    let (origins_before, origins_now) = (origins(before), origins(now));
    let changed = !change.is_empty() || origins_before != origins_now;

    // What cannot be read cannot be judged: then that alone is the reason, and nobody can approve it.
    let unreadable: Vec<String> = counting.iter().filter_map(lost).collect();
    let verdict = if unreadable.is_empty() {
        let mut verdict = gate(input, counting, &effective_before.listed, &published.set);
        // Nobody may approve what would drop everything but what is protected.
        let listed = &published.listed;
        let everything =
            listed.v4.iter().any(|p| p.len() == 0) || listed.v6.iter().any(|p| p.len() == 0);
        verdict.approvable &= !everything;
        if changed && input.policy.review == Review::Manual {
            let why = "every change waits for a second person ([review] mode = \"manual\")";
            verdict.reasons.push(why.to_owned());
        }
        verdict
    } else {
        Verdict {
            reasons: unreadable,
            approvable: false,
        }
    };
    Judged {
        id: change.id(&origins_before, &origins_now),
        change,
        changed,
        verdict,
    }
}

/// Every AS that a feed lists, once, ascending.
pub(super) fn origins(rib: &Rib) -> Vec<u32> {
    let listed = rib.sources().iter().flat_map(|source| &source.copy.origins);
    let origins: BTreeSet<u32> = listed.map(|origin| origin.asn).collect();
    origins.into_iter().collect()
}

/// A copy that counts and cannot be read is no empty feed: nothing changes until it is fetched again.
fn lost(feed: &&Feed) -> Option<String> {
    let (name, what) = (&feed.name, feed.unreadable);
    feed.current
        .is_none()
        .then(|| format!("{name}: {what} cannot be read"))
}

/// The feeds that both generations share, under today's policy, against the limits.
fn gate(input: &Input, counting: &[&Feed], before: &PrefixSet, total: &PrefixSet) -> Verdict {
    let (policy, limits) = (input.policy, &input.policy.limits);
    let alone = |feed: &Feed, copy: &AtHand| {
        let rib = merge(&[feed], input.now, |_| Some(copy));
        (policy.apply(&rib), origins(&rib))
    };
    let is_lost = |feed: &&Feed| matches!(feed.applied, Some(Applied::Lost));
    let change = |feed: &&Feed| {
        let now = feed.current.as_ref().filter(|_| !is_lost(feed))?;
        let before = feed.applied_copy();
        let same = before.is_some_and(|before| before.digest == now.digest);
        (!same).then(|| {
            let (before, origins_before) = before.map(|copy| alone(feed, copy)).unzip();
            let (now, origins_now) = alone(feed, now);
            FeedChange {
                name: feed.name.to_string(),
                limits: feed.limits,
                before: before.map(|before| before.listed),
                now: now.listed,
                effective: now.set,
                origins_before: origins_before.unwrap_or_default(),
                origins_now,
            }
        })
    };
    let changes: Vec<FeedChange> = counting.iter().filter_map(change).collect();
    if counting.iter().any(is_lost) {
        // What that publisher changed cannot be told any more: the whole change is judged, beside what
        // the others changed. What the operator protects goes for him, and what he lists stays for him.
        let hand = policy.apply(&beside(Rib::default(), &input.hand.now)).set;
        let before = subtract_set(input.in_force, policy.protect.set()).union(&hand);
        return judge(&changes, (&before, &total.union(&hand)), total, limits);
    }
    if changes.is_empty() {
        return judge(&[], (total, total), total, limits);
    }
    let shared = |feed: &&&Feed| feed.applied_copy().is_some();
    let shared: Vec<&Feed> = counting.iter().filter(shared).copied().collect();
    let now = policy
        .apply(&merge(&shared, input.now, |feed| feed.current.as_ref()))
        .listed;
    judge(&changes, (before, &now), total, limits)
}
