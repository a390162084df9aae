//! The next decision from the last one, where only an entry of the operator or a protected prefix
//! is another. Pure.
//!
//! ```text
//!  last decision, which went ──┐
//!                              ├──► the policy around each changed prefix ──► next decision
//!  next input ── differs by ───┘
//!                a few prefixes
//! ```
//!
//! The result is that of [`decide`](super::decide), with reasons, standings, verdict and ID, and
//! the feeds are not read again. Where that is not certain there is none: while a change is held or
//! a set is pinned, after a new copy of a feed, an approval or an edit of the configuration, where
//! a limit of size is exceeded, and for more than a few prefixes.

use std::collections::BTreeSet;
use std::sync::Arc;

use ipnet::IpNet;

use super::decided::{Decided, alike};
use super::publishers::list_as_applied;
use super::{
    Applied, Configuration, Decision, Feed, Input, OperatorEntries, next_end, with_operator,
};
use crate::feed::FeedCopy;
use crate::plan::{Change, Side, Verdict, fits};
use crate::policy::protect::Protect;
use crate::policy::{Permitted, Policy};
use crate::prefix::{Bits, Effective, Prefix, PrefixSet, inside};
use crate::rib::{OPERATOR, Rib};

/// At most this many prefixes may differ.
const MOST: usize = 32;

impl Decided {
    /// The decision of an input that follows this one, if it is certain without all listings.
    pub fn next(&self, input: &Input) -> Option<Self> {
        let counting = self.counting(input)?;
        if self.policy.protect.asns() != input.policy.protect.asns() {
            return None;
        }
        if self.operator.now.origins != input.operator.now.origins {
            return None;
        }
        let by_protect = protected_otherwise(&self.policy.protect, &input.policy.protect);
        let by_hand = listed_otherwise(&self.operator.now, &input.operator.now);
        if by_protect.len() + by_hand.len() > MOST {
            return None;
        }
        let fed = self.decision.rib.without(OPERATOR);
        let mut windows = Vec::new();
        let mut around = |rib: &Rib, nets: &mut dyn Iterator<Item = &IpNet>, before: &Permitted| {
            applied(input.policy, rib, nets, before, &mut windows)
        };
        let published = around(&fed, &mut by_protect.iter(), &self.published)?;
        if !by_protect.is_empty() && !fits(&published.set, &input.policy.limits) {
            return None;
        }
        let rib = with_operator(fed.clone(), &input.operator.now);
        let mut permitted = match self.operator.now.is_empty() {
            true => around(&rib, &mut by_hand.iter(), &published)?,
            false => {
                let nets = &mut by_protect.iter().chain(&by_hand);
                around(&rib, nets, &self.decision.permitted)?
            }
        };
        if input.operator.now.is_empty() {
            // The same, shared.
            permitted = published.clone();
        }
        let decision = Next {
            last: &self.decision,
            input,
            published: &published,
            windows: &windows,
        }
        .decision(fed, rib, permitted, &counting);
        Some(Self::of(input, decision, published, true))
    }

    /// The decision that follows when this one is in force and nothing else has changed.
    pub fn applied(&self) -> Option<Self> {
        let mut feeds = self.feeds.clone();
        for (feed, standing) in feeds.iter_mut().zip(&self.decision.standings) {
            if standing.counts() {
                feed.applied = feed.current.clone().map(Applied::Copy);
            }
        }
        let hand = OperatorEntries {
            now: self.operator.now.clone(),
            before: self.operator.now.clone(),
        };
        let configuration = Configuration {
            name: self.configuration.name.clone(),
            changes: Vec::new(),
        };
        self.next(&Input {
            feeds: &feeds,
            operator: &hand,
            policy: &self.policy,
            protection: None,
            in_force: &self.decision.desired,
            restores: false,
            by_feed: self.by_feed,
            pinned: None,
            approved: None,
            configuration: &configuration,
            now: self.since,
        })
    }

    /// The feeds that count, if they list what they did and all of it is in force.
    fn counting<'a>(&self, input: &Input<'a>) -> Option<Vec<&'a Feed>> {
        let last = &self.decision;
        let is_next = last.goes()
            && self.fits
            && input.pinned.is_none()
            && input.approved.is_none()
            && self.protection.is_none()
            && input.protection.is_none()
            && !input.restores
            && input.configuration.changes.is_empty()
            && self.is_in_time(input.now)
            && last.standings == input.standings()
            && self.feeds.len() == input.feeds.len()
            && self.policy.limits == input.policy.limits
            && self.policy.review == input.policy.review
            && last.desired == *input.in_force;
        if !is_next {
            return None;
        }
        let both = self.feeds.iter().zip(input.feeds).zip(&last.standings);
        let counting = both.filter(|(_, standing)| standing.counts());
        counting
            .map(|((was, now), _)| {
                let is_same = alike(was, now) && !now.is_lost() && list_as_applied(now);
                is_same.then_some(now)
            })
            .collect()
    }
}

/// What the next decision is made of.
struct Next<'a> {
    last: &'a Decision,
    input: &'a Input<'a>,
    published: &'a Permitted,
    /// Outside of these everything is as it was.
    windows: &'a [IpNet],
}

impl Next<'_> {
    fn decision(&self, fed: Rib, rib: Rib, permitted: Permitted, counting: &[&Feed]) -> Decision {
        let input = self.input;
        let origins = input.in_force.origins.clone();
        let desired = Effective {
            nets: permitted.set.clone(),
            origins,
        };
        let change = Arc::new(self.change(&desired));
        let everything = |set: &PrefixSet| has_all(&set.v4) || has_all(&set.v6);
        let approvable = !everything(&self.published.set) && !everything(&self.published.listed);
        Decision {
            id: change.id(),
            standings: self.last.standings.clone(),
            rib,
            rib_before: with_operator(fed, &input.operator.before),
            permitted,
            proposed: change.clone(),
            published: Change {
                v4: unchanged(self.published.listed.v4.len()),
                v6: unchanged(self.published.listed.v6.len()),
                origins: unchanged(desired.origins.len()),
            },
            verdict: Verdict {
                reasons: Vec::new(),
                approvable: approvable && !change.is_empty(),
            },
            approved: false,
            pinned: None,
            desired,
            change,
            after_pin: false,
            next_end: next_end(counting, input.now),
            taken: PrefixSet::default(),
            carried: Effective::default(),
            configuration: Vec::new(),
            holds_configuration: false,
            lost: Vec::new(),
        }
    }

    /// From what is in force, which is compared inside of the windows only.
    fn change(&self, desired: &Effective) -> Change {
        let windows = PrefixSet::of_nets(self.windows.iter().copied());
        let before = &self.input.in_force.nets;
        Change {
            v4: between(&before.v4, &desired.nets.v4, &windows.v4),
            v6: between(&before.v6, &desired.nets.v6, &windows.v6),
            origins: unchanged(desired.origins.len()),
        }
    }
}

/// The policy around each of these prefixes.
fn applied(
    policy: &Policy,
    rib: &Rib,
    nets: &mut dyn Iterator<Item = &IpNet>,
    before: &Permitted,
    windows: &mut Vec<IpNet>,
) -> Option<Permitted> {
    let mut permitted = before.clone();
    for net in nets {
        let (next, window) = policy.apply_around(rib, *net, &permitted)?;
        permitted = next;
        windows.push(window);
    }
    Some(permitted)
}

fn between<B: Bits>(
    old: &Arc<[Prefix<B>]>,
    new: &Arc<[Prefix<B>]>,
    windows: &[Prefix<B>],
) -> Side<Prefix<B>> {
    let mut side = unchanged(old.len());
    for window in windows {
        let was = &old[inside(old, window)];
        let part = Side::between(was, &new[inside(new, window)]);
        side.keep -= part.remove.len();
        side.add.extend(part.add);
        side.remove.extend(part.remove);
    }
    side
}

fn unchanged<T>(keep: usize) -> Side<T> {
    Side {
        add: Vec::new(),
        remove: Vec::new(),
        keep,
    }
}

fn has_all<B: Bits>(sorted: &[Prefix<B>]) -> bool {
    sorted.first().is_some_and(|one| one.len() == 0)
}

/// Where another part of both kinds of protected space is protected.
fn protected_otherwise(one: &Protect, other: &Protect) -> BTreeSet<IpNet> {
    let space = Change::of_nets(one.space(), other.space());
    let holes = Change::of_nets(one.holes(), other.holes());
    let both = [space, holes];
    let nets = both
        .iter()
        .flat_map(|change| change.additions().chain(change.removals()));
    nets.collect()
}

/// The prefixes of which the operator lists others than before.
fn listed_otherwise(one: &Arc<FeedCopy>, other: &Arc<FeedCopy>) -> BTreeSet<IpNet> {
    if one == other {
        return BTreeSet::new();
    }
    let listed = |copy: &FeedCopy| {
        let v4 = copy.v4.iter().map(|one| {
            let reference = copy.reference(one).to_owned();
            (one.prefix().to_net(), one.line, reference)
        });
        let v6 = copy.v6.iter().map(|one| {
            let reference = copy.reference(one).to_owned();
            (one.prefix().to_net(), one.line, reference)
        });
        v4.chain(v6).collect::<BTreeSet<_>>()
    };
    let (one, other) = (listed(one), listed(other));
    let differ = one.symmetric_difference(&other);
    differ.map(|(net, ..)| *net).collect()
}
