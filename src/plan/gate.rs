//! The gate: a change beyond the limits is held, whole.
//!
//! Growth and shrinkage are judged on what the *publishers* changed. A feed that the operator adds
//! or removes, space that he protects, and a copy that expires are no reason to hold; the caller
//! hands in both sides under the same policy and the same feeds.

use super::{Change, lacking};
use crate::policy::limits::{FeedLimits, Limits, Share};
use crate::prefix::PrefixSet;

/// The same feed twice: as it counts in the generation in force, and as it is now.
#[derive(Clone, Debug)]
pub struct FeedChange {
    /// Name of the feed.
    pub name: String,
    /// Its own limits.
    pub limits: FeedLimits,
    /// What it listed for the generation in force, aggregated; `None` for a new feed.
    pub before: Option<PrefixSet>,
    /// What it lists now, aggregated.
    pub now: PrefixSet,
    /// The origin ASes it listed then, ascending.
    pub origins_before: Vec<u32>,
    /// The origin ASes it lists now, ascending.
    pub origins_now: Vec<u32>,
}

/// Go, or hold for these reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Every reason to hold the change; empty means go.
    pub reasons: Vec<String>,
    /// Whether somebody may let it go all the same.
    pub approvable: bool,
}

/// Judge a change: each changed feed by itself, then the whole.
///
/// `publishers` holds the effective set of the feeds that both generations share, before and now,
/// under today's policy. `total` is the whole effective set that would be in force.
pub fn judge(
    feeds: &[FeedChange],
    publishers: (&PrefixSet, &PrefixSet),
    total: &PrefixSet,
    limits: &Limits,
) -> Verdict {
    let mut reasons = Vec::new();
    for feed in feeds {
        size(&feed.name, &feed.now, limits, &mut reasons);
        if let Some(before) = &feed.before {
            let own = feed.limits.over(limits);
            growth(&feed.name, before, &feed.now, &own, &mut reasons);
            growth_of_origins(feed, &own, &mut reasons);
        }
    }
    let (before, now) = publishers;
    growth("all feeds", before, now, limits, &mut reasons);
    size("all feeds", total, limits, &mut reasons);
    shortest(total, limits, &mut reasons);
    // Nobody may approve what would drop everything.
    let everything = total.v4.iter().any(|p| p.len() == 0) || total.v6.iter().any(|p| p.len() == 0);
    Verdict {
        reasons,
        approvable: !everything,
    }
}

/// More of IPv4 than this, and a change is not small, however few prefixes it has: ten times a /16.
const SMALL_SHARE: Share = Share(10.0 / 65_536.0);
/// The same for IPv6: ten times a /28, the widest that registries give to one provider in ordinary times.
const SMALL_SHARE_V6: Share = Share(10.0 / 268_435_456.0);

fn growth(
    who: &str,
    before: &PrefixSet,
    now: &PrefixSet,
    limits: &Limits,
    reasons: &mut Vec<String>,
) {
    if before.is_empty() {
        return;
    }
    let change = Change::between(before, now);
    let counts = (change.added(), change.removed(), before.len());
    count(who, "prefixes", counts, limits, reasons);
    // A few wide prefixes are few, and may be most of the Internet: addresses count as well.
    let mut covers = |family: &str, before: f64, now: f64, small: Share| {
        let more = now - before;
        let share = Share(more / before.max(f64::MIN_POSITIVE));
        if more > small.0 && share > limits.max_added {
            let (before, now, limit) = (Share(before), Share(now), limits.max_added);
            reasons.push(format!(
                "{who}: from {before} to {now} of all {family} addresses (max_added {limit})"
            ));
        }
    };
    covers("IPv4", before.share_v4(), now.share_v4(), SMALL_SHARE);
    covers("IPv6", before.share_v6(), now.share_v6(), SMALL_SHARE_V6);
}

/// The same limits for the ASes that routers will match on.
fn growth_of_origins(feed: &FeedChange, limits: &Limits, reasons: &mut Vec<String>) {
    let (before, now) = (&feed.origins_before, &feed.origins_now);
    if !before.is_empty() {
        let (added, removed) = (lacking(now, before), lacking(before, now));
        let counts = (added.count(), removed.count(), before.len());
        count(&feed.name, "origin ASes", counts, limits, reasons);
    }
}

/// `(added, removed, before)` against the limits.
fn count(
    who: &str,
    what: &str,
    (added, removed, before): (usize, usize, usize),
    limits: &Limits,
    reasons: &mut Vec<String>,
) {
    let mut one = |count: usize, limit: Share, most: Option<usize>, verb: &str, key: &str| {
        let share = Share(count as f64 / before as f64);
        if count > limits.small_change && share > limit {
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

/// Listings are refused one by one when too short; here the sum of them is looked at.
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
mod tests {
    use super::*;

    /// `count` separate /32 prefixes from `start` on.
    fn hosts(start: u32, count: u32) -> PrefixSet {
        let v4 = (0..count).map(|i| crate::prefix::Prefix::host(0x0b00_0000 + 2 * (start + i)));
        PrefixSet {
            v4: v4.collect(),
            v6: Vec::new(),
        }
    }

    fn limits() -> Limits {
        Limits {
            max_routes: 1_000,
            small_change: 2,
            ..Limits::default()
        }
    }

    fn judged(before: &PrefixSet, now: &PrefixSet, own: FeedLimits) -> Vec<String> {
        let feed = FeedChange {
            name: "drop".to_owned(),
            limits: own,
            before: Some(before.clone()),
            now: now.clone(),
            origins_before: Vec::new(),
            origins_now: Vec::new(),
        };
        judge(&[feed], (before, now), now, &limits()).reasons
    }

    #[test]
    fn a_change_within_the_limits_goes() {
        assert!(judged(&hosts(0, 100), &hosts(20, 100), FeedLimits::default()).is_empty());
    }

    #[test]
    fn too_many_removals_are_held_for_the_feed_and_for_all() {
        assert_eq!(
            judged(&hosts(0, 100), &hosts(39, 61), FeedLimits::default()),
            [
                "drop: 39 of 100 prefixes would go, 39% (max_removed 25%)",
                "all feeds: 39 of 100 prefixes would go, 39% (max_removed 25%)"
            ]
        );
    }

    #[test]
    fn too_many_additions_are_held_unless_the_feed_may_grow() {
        let held = judged(&hosts(0, 100), &hosts(0, 151), FeedLimits::default());
        assert_eq!(
            held[0],
            "drop: 51 of 100 prefixes would be added, 51% (max_added 50%)"
        );
        let own = FeedLimits {
            max_added: Some(Share(1.0)),
            ..FeedLimits::default()
        };
        assert_eq!(
            judged(&hosts(0, 100), &hosts(0, 151), own).len(),
            1,
            "the sum still holds"
        );
    }

    #[test]
    fn too_many_new_origin_ases_are_held_like_prefixes() {
        let feed = FeedChange {
            name: "asndrop".to_owned(),
            limits: FeedLimits::default(),
            before: Some(PrefixSet::default()),
            now: PrefixSet::default(),
            origins_before: (1..=10).collect(),
            origins_now: (5..=20).collect(),
        };
        let nothing = PrefixSet::default();
        assert_eq!(
            judge(&[feed], (&nothing, &nothing), &nothing, &limits()).reasons,
            [
                "asndrop: 10 of 10 origin ASes would be added, 100% (max_added 50%)",
                "asndrop: 4 of 10 origin ASes would go, 40% (max_removed 25%)"
            ]
        );
    }

    #[test]
    fn a_change_of_a_few_prefixes_is_never_held_for_its_share() {
        assert!(judged(&hosts(0, 3), &hosts(2, 1), FeedLimits::default()).is_empty());
    }

    #[test]
    fn a_few_wide_prefixes_are_no_small_change() {
        let wide = |count: u32| PrefixSet {
            v4: (0..count)
                .map(|i| crate::prefix::Prefix::new((20 + 2 * i) << 24, 8))
                .collect(),
            v6: Vec::new(),
        };
        let mut now = wide(2);
        now.v4.splice(0..0, hosts(0, 100).v4);
        assert_eq!(
            judged(&hosts(0, 100), &now, FeedLimits::default())[0],
            "drop: from 0% to 0.7813% of all IPv4 addresses (max_added 50%)"
        );
        let slash_16 = PrefixSet {
            v4: vec![crate::prefix::Prefix::new(20 << 24, 16)],
            v6: Vec::new(),
        };
        assert!(judged(&hosts(0, 1), &slash_16, FeedLimits::default()).is_empty());
    }

    #[test]
    fn the_first_fill_is_held_by_size_and_not_by_growth() {
        let empty = PrefixSet::default();
        assert!(
            judge(&[], (&empty, &empty), &hosts(0, 900), &limits())
                .reasons
                .is_empty()
        );
        let reasons = judge(&[], (&empty, &empty), &hosts(0, 1_001), &limits()).reasons;
        assert_eq!(reasons, ["all feeds: 1001 routes (max_routes 1000)"]);
    }

    #[test]
    fn the_sum_of_good_listings_may_still_be_the_default_route() {
        let everything = PrefixSet {
            v4: vec![crate::prefix::Prefix::new(0, 0)],
            v6: Vec::new(),
        };
        let empty = PrefixSet::default();
        let reasons = judge(&[], (&empty, &empty), &everything, &limits()).reasons;
        assert_eq!(
            reasons,
            [
                "all feeds: 100% of all IPv4 addresses (max_share_v4 5%)",
                "together the feeds make 0.0.0.0/0 (shortest_v4 8)"
            ]
        );
    }
}
