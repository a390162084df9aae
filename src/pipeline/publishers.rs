//! What the publishers changed: its name, and whether it may go. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Applied, AtHand, Feed, Input, merge, with_operator};
use crate::digest::hexadecimal;
use crate::feed::FeedCopy;
use crate::plan::{Change, FeedChange, FeedCounts, Reason, Verdict, evaluate};
use crate::policy::limits::Review;
use crate::policy::{Permitted, Policy};
use crate::prefix::Effective;
use crate::rib::Rib;

/// What the publishers changed since the generation in force.
pub(super) struct Judged {
    /// Name of its exact content: what comes and goes before protected space is cut out of it, and
    /// which origin ASes; where routers name feeds, of each feed as well. What is protected may
    /// change meanwhile; it only ever takes away.
    pub id: String,
    /// Whether they changed anything: of all feeds together or, where routers name feeds, of any
    /// feed.
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
    published: &Permitted,
) -> Judged {
    let same = |feed: &&Feed| {
        let digest = |at: Option<&AtHand>| at.map(|at| at.digest.clone());
        digest(feed.applied_copy()) == digest(feed.current.as_ref())
    };
    let permitted_before = match counting.iter().all(same) {
        true => Cow::Borrowed(published),
        false => Cow::Owned(input.policy.apply(before)),
    };
    let listed = |permitted: &Permitted, rib| {
        Effective::new(permitted.listed.clone(), origins(input.policy, rib))
    };
    let change = Change::between(&listed(&permitted_before, before), &listed(published, now));
    let sides = sides(input, counting, &permitted_before, published);
    let by_feed = match input.by_feed {
        true => by_feed(input.policy, &sides),
        false => Vec::new(),
    };
    let changed = !change.is_empty() || !by_feed.is_empty();

    // What cannot be read cannot be judged: then that alone is the reason, and it cannot be
    // approved.
    let unreadable: Vec<Reason> = counting.iter().filter_map(lost).collect();
    let verdict = if unreadable.is_empty() {
        let mut verdict = gate(input, counting, &sides, &permitted_before, published);
        // A change that would drop everything but protected space cannot be approved.
        let listed = &published.listed;
        let everything =
            listed.v4.iter().any(|p| p.len() == 0) || listed.v6.iter().any(|p| p.len() == 0);
        verdict.approvable &= !everything;
        if changed && input.policy.review == Review::Manual {
            let apart = change.is_empty().then(|| counts(&by_feed));
            verdict
                .reasons
                .push(Reason::Manual(apart.unwrap_or_default()));
        }
        verdict
    } else {
        Verdict {
            reasons: unreadable,
            approvable: false,
        }
    };
    Judged {
        id: id(&change, &by_feed),
        change,
        changed,
        verdict,
    }
}

/// A feed whose copy at hand is another one than the copy behind the generation in force, by
/// itself.
struct Side<'a> {
    feed: &'a Feed,
    /// What the policy leaves of the earlier one; `None` where there is none, or where it cannot be
    /// read.
    was: Option<(&'a AtHand, Cow<'a, Permitted>)>,
    now: (&'a AtHand, Cow<'a, Permitted>),
}

/// Those feeds. `before` and `published` are what the policy leaves of all feeds.
fn sides<'a>(
    input: &Input,
    counting: &[&'a Feed],
    before: &'a Permitted,
    published: &'a Permitted,
) -> Vec<Side<'a>> {
    // One feed alone is the whole, where there is no other.
    let alone = |feed: &'a Feed, copy: &'a AtHand, whole| match counting.len() {
        1 => Cow::Borrowed(whole),
        _ => Cow::Owned(
            input
                .policy
                .apply(&merge(&[feed], input.now, |_| Some(copy))),
        ),
    };
    let other = counting.iter().filter_map(|feed| {
        let (was, now) = (feed.applied_copy(), feed.current.as_ref()?);
        let same = was.is_some_and(|was| was.digest == now.digest);
        (!same).then(|| Side {
            feed,
            was: was.map(|copy| (copy, alone(feed, copy, before))),
            now: (now, alone(feed, now, published)),
        })
    });
    other.collect()
}

/// What each of them lists otherwise, by name.
fn by_feed(policy: &Policy, sides: &[Side]) -> Vec<(Arc<str>, Change)> {
    let lists = |(copy, permitted): &(&AtHand, Cow<Permitted>)| {
        let listed = asns([&copy.copy]).into_iter();
        let listed = listed.filter(|asn| policy.protect.permits(*asn));
        Effective::new(permitted.listed.clone(), listed)
    };
    let changes = sides.iter().map(|side| {
        let was = side.was.as_ref().map(lists).unwrap_or_default();
        (
            side.feed.name.clone(),
            Change::between(&was, &lists(&side.now)),
        )
    });
    let mut changes: Vec<_> = changes.filter(|(_, change)| !change.is_empty()).collect();
    // The order of the feeds in the configuration is no part of the name.
    changes.sort_by(|(one, _), (other, _)| one.cmp(other));
    changes
}

fn counts(by_feed: &[(Arc<str>, Change)]) -> Vec<FeedCounts> {
    let counts = by_feed.iter().map(|(name, change)| FeedCounts {
        feed: name.to_string(),
        added: change.came().count(),
        removed: change.went().count(),
    });
    counts.collect()
}

/// The name of a change of all feeds together, and of what single feeds list otherwise.
fn id(change: &Change, by_feed: &[(Arc<str>, Change)]) -> String {
    if by_feed.is_empty() {
        return change.id();
    }
    let feeds = by_feed
        .iter()
        .map(|(name, change)| format!("{name:?} {}\n", change.id()));
    let text = format!("by feed {}\n{}", change.id(), feeds.collect::<String>());
    hexadecimal(&Sha256::digest(text)[..6])
}

/// Whether both copies of a feed list the same at any time.
pub(super) fn list_as_applied(feed: &Feed) -> bool {
    match (feed.applied_copy(), &feed.current) {
        (Some(applied), Some(current)) if !current.copy.has_ends() => {
            applied.digest == current.digest
        }
        (applied, current) => applied == current.as_ref(),
    }
}

/// Every AS that a feed lists and that is not protected, once, ascending.
pub(super) fn origins(policy: &Policy, rib: &Rib) -> Vec<u32> {
    let mut listed = asns(rib.sources().iter().map(|source| &source.copy));
    listed.retain(|asn| policy.protect.permits(*asn));
    listed
}

fn asns<'a>(copies: impl IntoIterator<Item = &'a Arc<FeedCopy>>) -> Vec<u32> {
    let listed = copies.into_iter().flat_map(|copy| &copy.origins);
    let origins: BTreeSet<u32> = listed.map(|origin| origin.asn).collect();
    origins.into_iter().collect()
}

/// A copy that counts and cannot be read is no empty feed: nothing changes until it is fetched
/// again.
fn lost(feed: &&Feed) -> Option<Reason> {
    let (feed, what, current) = (feed.name.to_string(), feed.unreadable, &feed.current);
    let lost = Reason::Unreadable { feed, what };
    current.is_none().then_some(lost)
}

/// The feeds that both generations share, under today's policy, against the limits. `before` and
/// `published` are what the policy leaves of both sides.
fn gate(
    input: &Input,
    counting: &[&Feed],
    sides: &[Side],
    before: &Permitted,
    published: &Permitted,
) -> Verdict {
    let (policy, limits, total) = (input.policy, &input.policy.limits, &published.set);
    let is_lost = |feed: &Feed| matches!(feed.applied, Some(Applied::Lost));
    let told = sides.iter().filter(|side| !is_lost(side.feed));
    let changes = told.map(|side| {
        let (copy, now) = &side.now;
        let was = side.was.as_ref();
        FeedChange {
            name: side.feed.name.to_string(),
            limits: side.feed.limits,
            before: was.map(|(_, was)| &was.listed),
            now: &now.listed,
            effective: &now.set,
            origins_before: asns(was.map(|(copy, _)| &copy.copy)),
            origins_now: asns([&copy.copy]),
        }
    });
    let changes: Vec<FeedChange> = changes.collect();
    if counting.iter().any(|feed| is_lost(feed)) {
        // What that publisher changed is no longer known: the whole change is judged, together with
        // what the others changed. What the operator protects or lists is not counted.
        let hand = policy
            .apply(&with_operator(Rib::default(), &input.operator.now))
            .set;
        let before = policy.protect.cut_out_of(input.in_force).nets.union(&hand);
        return evaluate(&changes, (&before, &total.union(&hand)), total, limits);
    }
    if changes.is_empty() {
        return evaluate(&[], (total, total), total, limits);
    }
    let shared = |feed: &&&Feed| feed.applied_copy().is_some();
    let shared: Vec<&Feed> = counting.iter().filter(shared).copied().collect();
    let now = match shared.len() == counting.len() {
        true => Cow::Borrowed(published),
        false => {
            let rib = merge(&shared, input.now, |feed| feed.current.as_ref());
            Cow::Owned(policy.apply(&rib))
        }
    };
    evaluate(&changes, (&before.listed, &now.listed), total, limits)
}
