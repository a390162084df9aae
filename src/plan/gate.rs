//! The gate: a change beyond the limits is held, whole.
//!
//! Growth and shrinkage are judged on what the *publishers* changed. A feed that the operator adds,
//! space that the operator protects, and a copy that expires are no reason to hold; the caller
//! passes both sides under the same policy and the same feeds.

use super::{Change, Side};
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Every reason to hold the change; if empty, the change proceeds.
    pub reasons: Vec<String>,
    /// Whether the operator may approve it nevertheless.
    pub approvable: bool,
}

/// Judge a change: each changed feed by itself, then the whole.
///
/// `publishers` holds the listings of the feeds that both generations share, before and now, under
/// today's limits and including the protected space in them: growth inside protected space is
/// judged when it occurs, and not when the protection ends. `total` is the whole effective set that
/// would be in force.
pub fn judge(
    feeds: &[FeedChange],
    publishers: (&PrefixSet, &PrefixSet),
    total: &PrefixSet,
    limits: &Limits,
) -> Verdict {
    let mut reasons = Vec::new();
    for feed in feeds {
        size(&feed.name, feed.effective, limits, &mut reasons);
        if let Some(before) = feed.before {
            let own = feed.limits.over(limits);
            growth(&feed.name, before, feed.now, &own, &mut reasons);
            growth_of_origins(feed, &own, &mut reasons);
        }
    }
    let (before, now) = publishers;
    growth("all feeds", before, now, limits, &mut reasons);
    size("all feeds", total, limits, &mut reasons);
    shortest(total, limits, &mut reasons);
    // A change that would drop everything can never be approved.
    let everything = total.v4.iter().any(|p| p.len() == 0) || total.v6.iter().any(|p| p.len() == 0);
    Verdict {
        reasons,
        approvable: !everything,
    }
}

/// Judge what only the configuration removes, by what is in force and what is left of it. `changes`
/// says what was changed.
pub fn configuration(
    before: &Effective,
    after: &Effective,
    limits: &Limits,
    changes: &[String],
) -> Vec<String> {
    // Nothing is added; the rest of a prefix consists of other prefixes.
    let limits = Limits {
        max_added: Share(f64::INFINITY),
        max_added_count: None,
        ..*limits
    };
    let mut reasons = Vec::new();
    growth(
        "configuration",
        &before.nets,
        &after.nets,
        &limits,
        &mut reasons,
    );
    let gone = lacking(&before.origins, &after.origins).count();
    let counts = (0, gone, before.origins.len());
    count(
        "configuration",
        "origin ASes",
        counts,
        &limits,
        &mut reasons,
    );
    let changes = changes.join("; ");
    reasons
        .into_iter()
        .map(|reason| format!("{reason}: {changes}"))
        .collect()
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

fn growth(
    who: &str,
    before: &PrefixSet,
    now: &PrefixSet,
    limits: &Limits,
    reasons: &mut Vec<String>,
) {
    let change = Change::of_nets(before, now);
    let counts = (change.added(), change.removed(), before.len());
    count(who, "prefixes", counts, limits, reasons);
    if before.is_empty() {
        return;
    }
    // A few wide prefixes may be most of the Internet, so addresses count as well, in both
    // directions. So do addresses that are exchanged for as many others.
    let both = before.intersection(now);
    let few = |prefix: Share| Share(limits.small_change as f64 * prefix.0);
    let mut covers = |of: &Addresses| {
        let Addresses { before, now, .. } = *of;
        let [come, gone] = [now, before].map(|side| side.0 - of.both.0);
        let share = |part: f64| Share(part / before.0.max(f64::MIN_POSITIVE));
        let family = of.family;
        let mut one = |part: f64,
                       limit: Share,
                       is_small: &dyn Fn(f64) -> bool,
                       (net, verb, key): (f64, &str, &str)| {
            let is_held = |part: f64| share(part) > limit && !is_small(part);
            if !is_held(part) {
                return;
            }
            reasons.push(match is_held(net) {
                true => format!("{who}: from {before} to {now} of all {family} addresses ({key} {limit})"),
                false => format!(
                    "{who}: {} of all {family} addresses would {verb}, of {before} before ({key} {limit})",
                    Share(part)
                ),
            });
        };
        let net = now.0 - before.0;
        one(
            come,
            limits.max_added,
            &|come| come <= of.small.0,
            (net, "be added", "max_added"),
        );
        one(
            gone,
            limits.max_removed,
            &|gone| of.is_small_loss(gone),
            (-net, "go", "max_removed"),
        );
    };
    covers(&Addresses {
        family: "IPv4",
        before: Share(before.share_v4()),
        now: Share(now.share_v4()),
        both: Share(both.share_v4()),
        small: SMALL_SHARE,
        few: few(SMALL_PREFIX),
    });
    covers(&Addresses {
        family: "IPv6",
        before: Share(before.share_v6()),
        now: Share(now.share_v6()),
        both: Share(both.share_v6()),
        small: SMALL_SHARE_V6,
        few: few(SMALL_PREFIX_V6),
    });
}

/// The addresses of one family, as shares of all there are.
struct Addresses {
    family: &'static str,
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
fn growth_of_origins(feed: &FeedChange, limits: &Limits, reasons: &mut Vec<String>) {
    let (before, now) = (&feed.origins_before, &feed.origins_now);
    let Side { add, remove, .. } = Side::between(before, now);
    let counts = (add.len(), remove.len(), before.len());
    count(&feed.name, "origin ASes", counts, limits, reasons);
}

/// Check `(added, removed, before)` against the limits. There is no share of nothing.
fn count(
    who: &str,
    what: &str,
    (added, removed, before): (usize, usize, usize),
    limits: &Limits,
    reasons: &mut Vec<String>,
) {
    let mut one = |count: usize, limit: Share, most: Option<usize>, verb: &str, key: &str| {
        let share = Share(count as f64 / before as f64);
        if before > 0 && count > limits.small_change && share > limit {
            reasons.push(format!(
                "{who}: {count} of {before} {what} would {verb}, {share} ({key} {limit})"
            ));
        }
        if let Some(most) = most.filter(|most| count > *most) {
            reasons.push(format!(
                "{who}: {count} {what} would {verb} ({key}_count {most})"
            ));
        }
    };
    let Limits {
        max_added,
        max_removed,
        max_added_count,
        max_removed_count,
        ..
    } = *limits;
    one(added, max_added, max_added_count, "be added", "max_added");
    one(removed, max_removed, max_removed_count, "go", "max_removed");
}

/// Whether a set is within the limits of size and length.
pub fn fits(set: &PrefixSet, limits: &Limits) -> bool {
    let mut reasons = Vec::new();
    size("", set, limits, &mut reasons);
    shortest(set, limits, &mut reasons);
    reasons.is_empty()
}

fn size(who: &str, set: &PrefixSet, limits: &Limits, reasons: &mut Vec<String>) {
    if set.len() > limits.max_routes {
        let (routes, most) = (set.len(), limits.max_routes);
        reasons.push(format!("{who}: {routes} routes (max_routes {most})"));
    }
    for (share, most, family, key) in [
        (set.share_v4(), limits.max_share_v4, "IPv4", "max_share_v4"),
        (set.share_v6(), limits.max_share_v6, "IPv6", "max_share_v6"),
    ] {
        let share = Share(share);
        if share > most {
            reasons.push(format!(
                "{who}: {share} of all {family} addresses ({key} {most})"
            ));
        }
    }
}

/// Listings that are too short are refused one by one; this checks the sum of them.
fn shortest(total: &PrefixSet, limits: &Limits, reasons: &mut Vec<String>) {
    let v4 = total.v4.iter().find(|p| p.len() < limits.shortest_v4);
    let v6 = total.v6.iter().find(|p| p.len() < limits.shortest_v6);
    if let Some(prefix) = v4 {
        let least = limits.shortest_v4;
        reasons.push(format!(
            "together the feeds make {prefix} (shortest_v4 {least})"
        ));
    }
    if let Some(prefix) = v6 {
        let least = limits.shortest_v6;
        reasons.push(format!(
            "together the feeds make {prefix} (shortest_v6 {least})"
        ));
    }
}

#[cfg(test)]
mod tests;
