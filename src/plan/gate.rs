//! The gate: a change beyond the limits is held, whole.
//!
//! Growth and shrinkage are judged on what the *publishers* changed. A feed that the operator adds,
//! space that the operator protects, and a copy that expires are no reason to hold; the caller
//! passes both sides under the same policy and the same feeds.

use super::reason::{Direction, Excess, IpVersion, Items, Reason, Scope};
use super::{Change, Side};
use crate::config::SettingChange;
use crate::policy::limits::{FeedLimits, Limits, Share};
use crate::prefix::{Effective, PrefixSet, lacking};

/// A feed at two times: as it counts in the generation in force, and as it is now.
#[derive(Clone, Debug)]
pub struct FeedChange<'a> {
    /// Name of the feed.
    pub name: String,
    /// Its own limits.
    pub limits: FeedLimits,
    /// What it listed for the generation in force, aggregated, including the protected space in it;
    /// `None` for a new feed.
    pub before: Option<&'a PrefixSet>,
    /// What it lists now, the same way.
    pub now: &'a PrefixSet,
    /// The part of it that may be dropped.
    pub effective: &'a PrefixSet,
    /// The origin ASes that it listed then, ascending.
    pub origins_before: Vec<u32>,
    /// The origin ASes that it lists now, ascending.
    pub origins_now: Vec<u32>,
}

/// Whether a change proceeds, or is held for these reasons.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Every reason to hold the change; if empty, the change proceeds.
    pub reasons: Vec<Reason>,
    /// Whether the operator may approve it nevertheless.
    pub approvable: bool,
}

/// Judge a change: each changed feed by itself, then the whole.
///
/// `publishers` holds the listings of the feeds that both generations share, before and now, under
/// today's limits and including the protected space in them: growth inside protected space is
/// judged when it occurs, and not when the protection ends. `total` is the whole effective set that
/// would be in force.
pub fn evaluate(
    feeds: &[FeedChange],
    publishers: (&PrefixSet, &PrefixSet),
    total: &PrefixSet,
    limits: &Limits,
) -> Verdict {
    let mut reasons = Vec::new();
    for feed in feeds {
        let mut own = size(feed.effective, limits);
        if let Some(before) = feed.before {
            let limits = feed.limits.over(limits);
            own.extend(growth(before, feed.now, &limits));
            own.extend(growth_of_origins(feed, &limits));
        }
        reasons.extend(of(&Scope::Feed(feed.name.clone()), own));
    }
    let (before, now) = publishers;
    let mut all = growth(before, now, limits);
    all.extend(size(total, limits));
    reasons.extend(of(&Scope::AllFeeds, all));
    reasons.extend(shortest(total, limits));
    // A change that would drop everything can never be approved.
    let everything = total.v4.iter().any(|p| p.len() == 0) || total.v6.iter().any(|p| p.len() == 0);
    Verdict {
        reasons,
        approvable: !everything,
    }
}

fn of(scope: &Scope, excess: Vec<Excess>) -> impl Iterator<Item = Reason> {
    let reason = |excess| Reason::Limit(scope.clone(), excess);
    excess.into_iter().map(reason)
}

/// Judge what only the configuration removes, by what is in force and what is left of it. `changes`
/// says what was changed.
pub fn configuration(
    before: &Effective,
    after: &Effective,
    limits: &Limits,
    changes: &[SettingChange],
) -> Vec<Reason> {
    // Nothing is added; the rest of a prefix consists of other prefixes.
    let limits = Limits {
        max_added: Share(f64::INFINITY),
        max_added_count: None,
        ..*limits
    };
    let mut excess = growth(&before.nets, &after.nets, &limits);
    let gone = lacking(&before.origins, &after.origins).count();
    let counts = (0, gone, before.origins.len());
    excess.extend(count(Items::Origins, counts, &limits));
    of(&Scope::Configuration(changes.to_vec()), excess).collect()
}

/// More IPv4 addresses than this are not a small change, however few prefixes they are: ten times a
/// /16.
const SMALL_SHARE: Share = Share(10.0 / 65_536.0);
/// The same for IPv6: ten times a /28, the widest block that registries usually allocate to one
/// provider.
const SMALL_SHARE_V6: Share = Share(10.0 / 268_435_456.0);
/// In a loss that leaves almost nothing, each prefix of `small_change` counts as this many
/// addresses: a /24 of IPv4.
const SMALL_PREFIX: Share = Share(1.0 / 16_777_216.0);
/// The same for IPv6: a /48, the usual size of one site.
const SMALL_PREFIX_V6: Share = Share(1.0 / 281_474_976_710_656.0);

fn growth(before: &PrefixSet, now: &PrefixSet, limits: &Limits) -> Vec<Excess> {
    let change = Change::of_nets(before, now);
    let counts = (change.added(), change.removed(), before.len());
    let mut found = count(Items::Prefixes, counts, limits);
    if before.is_empty() {
        return found;
    }
    // A few wide prefixes may be most of the Internet, so addresses count as well, in both
    // directions. So do addresses that are exchanged for as many others.
    let both = before.intersection(now);
    let few = |prefix: Share| Share(limits.small_change as f64 * prefix.0);
    let mut covers = |of: &Addresses| {
        let Addresses { before, now, .. } = *of;
        let [come, gone] = [now, before].map(|side| side.0 - of.both.0);
        let share = |part: f64| Share(part / before.0.max(f64::MIN_POSITIVE));
        let version = of.version;
        let mut one = |(part, net): (f64, f64),
                       (direction, limit): (Direction, Share),
                       is_small: &dyn Fn(f64) -> bool| {
            let is_held = |part: f64| share(part) > limit && !is_small(part);
            if !is_held(part) {
                return;
            }
            found.push(match is_held(net) {
                true => Excess::Addresses(version, direction, [before, now], limit),
                false => Excess::Exchanged(version, direction, [Share(part), before], limit),
            });
        };
        let net = now.0 - before.0;
        let (added, removed) = (
            (Direction::Added, limits.max_added),
            (Direction::Removed, limits.max_removed),
        );
        one((come, net), added, &|come| come <= of.small.0);
        one((gone, -net), removed, &|gone| of.is_small_loss(gone));
    };
    covers(&Addresses {
        version: IpVersion::V4,
        before: Share(before.share_v4()),
        now: Share(now.share_v4()),
        both: Share(both.share_v4()),
        small: SMALL_SHARE,
        few: few(SMALL_PREFIX),
    });
    covers(&Addresses {
        version: IpVersion::V6,
        before: Share(before.share_v6()),
        now: Share(now.share_v6()),
        both: Share(both.share_v6()),
        small: SMALL_SHARE_V6,
        few: few(SMALL_PREFIX_V6),
    });
    found
}

/// The addresses of one family, as shares of all there are.
struct Addresses {
    version: IpVersion,
    before: Share,
    now: Share,
    /// The addresses that are in both.
    both: Share,
    /// Adding at most this many is no reason to hold.
    small: Share,
    /// Removing at most this many is no reason to hold even if almost nothing is left.
    few: Share,
}

impl Addresses {
    /// Whether removing this many addresses is no reason to hold: the same number as for additions,
    /// unless less than a hundredth is left then. A few wide prefixes that become a few hosts lose
    /// no more than that number, and are few. If a family has no addresses left, no prefix became
    /// narrower: the removed prefixes are counted.
    fn is_small_loss(&self, gone: f64) -> bool {
        let now = self.now.0;
        let is_leap = now > 0.0 && now < self.before.0 / 100.0 && gone > self.few.0;
        gone <= self.small.0 && !is_leap
    }
}

/// The same limits for the origin ASes that routers will match.
fn growth_of_origins(feed: &FeedChange, limits: &Limits) -> Vec<Excess> {
    let (before, now) = (&feed.origins_before, &feed.origins_now);
    let Side { add, remove, .. } = Side::between(before, now);
    let counts = (add.len(), remove.len(), before.len());
    count(Items::Origins, counts, limits)
}

/// Check `(added, removed, before)` against the limits. There is no share of nothing.
fn count(
    items: Items,
    (added, removed, before): (usize, usize, usize),
    limits: &Limits,
) -> Vec<Excess> {
    let mut found = Vec::new();
    let mut one = |direction, count: usize, limit: Share, most: Option<usize>| {
        let share = Share(count as f64 / before as f64);
        if before > 0 && count > limits.small_change && share > limit {
            found.push(Excess::Share(items, direction, [count, before], limit));
        }
        if let Some(limit) = most.filter(|most| count > *most) {
            found.push(Excess::Count(items, direction, count, limit));
        }
    };
    let Limits {
        max_added,
        max_removed,
        max_added_count,
        max_removed_count,
        ..
    } = *limits;
    one(Direction::Added, added, max_added, max_added_count);
    one(Direction::Removed, removed, max_removed, max_removed_count);
    found
}

/// Whether a set is within the limits of size and length.
pub fn fits(set: &PrefixSet, limits: &Limits) -> bool {
    size(set, limits).is_empty() && shortest(set, limits).next().is_none()
}

fn size(set: &PrefixSet, limits: &Limits) -> Vec<Excess> {
    let (count, limit) = (set.len(), limits.max_routes);
    let routes = (count > limit).then_some(Excess::Routes(count, limit));
    let shares = [
        (IpVersion::V4, set.share_v4(), limits.max_share_v4),
        (IpVersion::V6, set.share_v6(), limits.max_share_v6),
    ];
    let space = shares.into_iter().filter_map(|(version, share, limit)| {
        let share = Share(share);
        (share > limit).then_some(Excess::Space(version, share, limit))
    });
    routes.into_iter().chain(space).collect()
}

/// Listings that are too short are refused one by one; this checks the sum of them.
fn shortest(total: &PrefixSet, limits: &Limits) -> impl Iterator<Item = Reason> {
    let Limits {
        shortest_v4,
        shortest_v6,
        ..
    } = *limits;
    let v4 = total.v4.iter().find(|p| p.len() < shortest_v4);
    let v6 = total.v6.iter().find(|p| p.len() < shortest_v6);
    let short = [
        v4.map(|prefix| (prefix.to_net(), shortest_v4)),
        v6.map(|prefix| (prefix.to_net(), shortest_v6)),
    ];
    let short = short.into_iter().flatten();
    short.map(|(prefix, limit)| Reason::TooShort { prefix, limit })
}

#[cfg(test)]
mod tests;
