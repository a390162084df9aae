//! Each limit at its edge.

use std::sync::Arc;

use super::*;
use crate::plan::sentences;
use crate::prefix::Prefix;

/// `count` separate /32 prefixes from `start` on.
fn hosts(start: u32, count: u32) -> PrefixSet {
    let v4 = (0..count).map(|i| Prefix::host(0x0b00_0000 + 2 * (start + i)));
    PrefixSet {
        v4: v4.collect(),
        v6: Arc::default(),
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
        before: Some(before),
        now,
        effective: now,
        origins_before: Vec::new(),
        origins_now: Vec::new(),
    };
    sentences(&evaluate(&[feed], (before, now), now, &limits()).reasons)
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
    let nothing = PrefixSet::default();
    let feed = FeedChange {
        name: "asndrop".to_owned(),
        limits: FeedLimits::default(),
        before: Some(&nothing),
        now: &nothing,
        effective: &nothing,
        origins_before: (1..=10).collect(),
        origins_now: (5..=20).collect(),
    };
    assert_eq!(
        sentences(&evaluate(&[feed], (&nothing, &nothing), &nothing, &limits()).reasons),
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
            .map(|i| Prefix::new((20 + 2 * i) << 24, 8))
            .collect(),
        v6: Arc::default(),
    };
    let now = hosts(0, 100).union(&wide(2));
    assert_eq!(
        judged(&hosts(0, 100), &now, FeedLimits::default())[0],
        "drop: from 0.000002328% to 0.7813% of all IPv4 addresses (max_added 50%)"
    );
    let slash_16 = PrefixSet {
        v4: [Prefix::new(20 << 24, 16)].into(),
        v6: Arc::default(),
    };
    assert!(judged(&hosts(0, 1), &slash_16, FeedLimits::default()).is_empty());
}

#[test]
fn the_first_fill_is_held_by_size_and_not_by_growth() {
    let empty = PrefixSet::default();
    assert!(
        evaluate(&[], (&empty, &empty), &hosts(0, 900), &limits())
            .reasons
            .is_empty()
    );
    let reasons = sentences(&evaluate(&[], (&empty, &empty), &hosts(0, 1_001), &limits()).reasons);
    assert_eq!(reasons, ["all feeds: 1001 routes (max_routes 1000)"]);
}

#[test]
fn the_sum_of_good_listings_may_still_be_the_default_route() {
    let everything = PrefixSet {
        v4: [Prefix::new(0, 0)].into(),
        v6: Arc::default(),
    };
    let empty = PrefixSet::default();
    let reasons = sentences(&evaluate(&[], (&empty, &empty), &everything, &limits()).reasons);
    assert_eq!(
        reasons,
        [
            "all feeds: 100% of all IPv4 addresses (max_share_v4 5%)",
            "together the feeds make 0.0.0.0/0 (shortest_v4 8)"
        ]
    );
}

/// One limit of a count, for all feeds or for this one.
fn counts(added: Option<usize>, removed: Option<usize>) -> (Limits, FeedLimits) {
    let all = Limits {
        max_added_count: added,
        max_removed_count: removed,
        ..limits()
    };
    let own = FeedLimits {
        max_added_count: added,
        max_removed_count: removed,
        ..FeedLimits::default()
    };
    (all, own)
}

fn judged_by(
    before: &PrefixSet,
    now: &PrefixSet,
    (all, own): (&Limits, FeedLimits),
) -> Vec<String> {
    let feed = FeedChange {
        name: "drop".to_owned(),
        limits: own,
        before: Some(before),
        now,
        effective: now,
        origins_before: Vec::new(),
        origins_now: Vec::new(),
    };
    sentences(&evaluate(&[feed], (before, now), now, all).reasons)
}

#[test]
fn a_count_of_additions_is_a_limit_for_all_and_for_each_feed() {
    let (all, own) = counts(Some(5), None);
    let (before, five, six) = (hosts(0, 100), hosts(0, 105), hosts(0, 106));
    assert!(judged_by(&before, &five, (&all, FeedLimits::default())).is_empty());
    assert_eq!(
        judged_by(&before, &six, (&all, FeedLimits::default())),
        [
            "drop: 6 prefixes would be added (max_added_count 5)",
            "all feeds: 6 prefixes would be added (max_added_count 5)"
        ]
    );
    assert!(judged_by(&before, &five, (&limits(), own)).is_empty());
    assert_eq!(
        judged_by(&before, &six, (&limits(), own)),
        ["drop: 6 prefixes would be added (max_added_count 5)"]
    );
}

#[test]
fn a_count_of_removals_is_a_limit_for_all_and_for_each_feed() {
    let (all, own) = counts(None, Some(5));
    let (before, five, six) = (hosts(0, 100), hosts(5, 95), hosts(6, 94));
    assert!(judged_by(&before, &five, (&all, FeedLimits::default())).is_empty());
    assert_eq!(
        judged_by(&before, &six, (&all, FeedLimits::default())),
        [
            "drop: 6 prefixes would go (max_removed_count 5)",
            "all feeds: 6 prefixes would go (max_removed_count 5)"
        ]
    );
    assert!(judged_by(&before, &five, (&limits(), own)).is_empty());
    assert_eq!(
        judged_by(&before, &six, (&limits(), own)),
        ["drop: 6 prefixes would go (max_removed_count 5)"]
    );
}

#[test]
fn a_count_holds_even_a_small_change() {
    let (all, _) = counts(Some(0), Some(0));
    assert_eq!(
        judged_by(&hosts(0, 9), &hosts(1, 9), (&all, FeedLimits::default())).len(),
        4
    );
}

#[test]
fn the_count_of_a_feed_stands_in_the_place_of_that_for_all() {
    let (all, _) = counts(Some(5), None);
    let (_, own) = counts(Some(9), None);
    assert_eq!(
        judged_by(&hosts(0, 100), &hosts(0, 108), (&all, own)),
        ["all feeds: 8 prefixes would be added (max_added_count 5)"]
    );
}

/// Separate IPv6 prefixes of this length.
fn wide_v6(count: u128, len: u8) -> PrefixSet {
    let v6 = (0..count).map(|i| Prefix::new((0x2a00 << 112) + ((2 * i) << (128 - len)), len));
    PrefixSet {
        v4: Arc::default(),
        v6: v6.collect(),
    }
}

#[test]
fn a_share_of_ipv6_is_a_limit_for_each_feed_and_for_all() {
    // 1 % is 82.9 of the 8 192 possible /13 prefixes.
    let all = Limits {
        shortest_v6: 13,
        ..limits()
    };
    let empty = PrefixSet::default();
    let new = |now: PrefixSet| {
        let feed = FeedChange {
            name: "bogons".to_owned(),
            limits: FeedLimits::default(),
            before: None,
            now: &now,
            effective: &now,
            origins_before: Vec::new(),
            origins_now: Vec::new(),
        };
        sentences(&evaluate(&[feed], (&empty, &empty), &now, &all).reasons)
    };
    assert!(new(wide_v6(81, 13)).is_empty());
    assert_eq!(
        new(wide_v6(82, 13)),
        [
            "bogons: 1% of all IPv6 addresses (max_share_v6 1%)",
            "all feeds: 1% of all IPv6 addresses (max_share_v6 1%)"
        ]
    );
}

#[test]
fn a_few_wide_ipv6_prefixes_are_no_small_change() {
    let before = wide_v6(1, 48);
    let with = |prefix: Prefix<u128>| {
        let now = before.union(&PrefixSet::of_prefixes(vec![], vec![prefix]));
        judged(&before, &now, FeedLimits::default())
    };
    // Eight times a /28 is small; sixteen times is not.
    assert!(with(Prefix::new(0x2b00 << 112, 25)).is_empty());
    assert_eq!(
        with(Prefix::new(0x2b00 << 112, 24))[0],
        "drop: from 0.0000000000003553% to 0.00000596% of all IPv6 addresses (max_added 50%)"
    );
    // A growth: adding the same amount to a much larger set is within the limit.
    let much = wide_v6(9, 24);
    let more = PrefixSet::of_prefixes(vec![], vec![Prefix::new(0x2b00 << 112, 24)]);
    let more = much.union(&more);
    assert!(judged(&much, &more, FeedLimits::default()).is_empty());
}

#[test]
fn nobody_may_approve_that_everything_is_dropped() {
    let empty = PrefixSet::default();
    let approvable =
        |total: &PrefixSet| evaluate(&[], (&empty, &empty), total, &limits()).approvable;
    let v4 = |len| PrefixSet {
        v4: [Prefix::new(0, len)].into(),
        v6: Arc::default(),
    };
    let v6 = |len| PrefixSet {
        v4: hosts(0, 3).v4,
        v6: [Prefix::new(0, len)].into(),
    };
    assert!(!approvable(&v4(0)) && !approvable(&v6(0)));
    assert!(approvable(&v4(1)) && approvable(&v6(1)));
    // Not even under the widest limits that a configuration may have.
    let widest = Limits {
        shortest_v4: 1,
        shortest_v6: 1,
        max_share_v4: Share(1.0),
        max_share_v6: Share(1.0),
        ..limits()
    };
    for everything in [v4(0), v6(0)] {
        let verdict = evaluate(&[], (&empty, &empty), &everything, &widest);
        assert!(!verdict.approvable);
        assert_eq!(verdict.reasons.len(), 1, "{:?}", verdict.reasons);
    }
}

#[test]
fn a_feed_that_is_too_large_alone_is_held_though_others_join_its_prefixes() {
    let feed = FeedChange {
        name: "drop".to_owned(),
        limits: FeedLimits::default(),
        before: None,
        now: &hosts(0, 1_001),
        effective: &hosts(0, 1_001),
        origins_before: Vec::new(),
        origins_now: Vec::new(),
    };
    let (empty, joined) = (PrefixSet::default(), hosts(0, 1));
    assert_eq!(
        sentences(&evaluate(&[feed], (&empty, &empty), &joined, &limits()).reasons),
        ["drop: 1001 routes (max_routes 1000)"]
    );
}

/// `count` prefixes of this length, `step` apart in prefixes of that length: with 1 they join.
fn v4(start: u32, count: u32, len: u8, step: u32) -> PrefixSet {
    let size = 1_u32 << (32 - len);
    let prefixes = (0..count).map(|i| Prefix::new(start + i * step * size, len));
    PrefixSet::of_prefixes(prefixes.collect(), Vec::new())
}

fn v6(start: u128, count: u128, len: u8, step: u128) -> PrefixSet {
    let size = 1_u128 << (128 - len);
    let prefixes = (0..count).map(|i| Prefix::new(start + i * step * size, len));
    PrefixSet::of_prefixes(Vec::new(), prefixes.collect())
}

const HERE: u32 = 0x1400_0000;
const THERE: u32 = 0x3000_0000;
const HERE_V6: u128 = 0x2a00 << 112;
const THERE_V6: u128 = 0x2b00 << 112;

/// The reasons of a single feed, without its name.
fn reasons(before: &PrefixSet, now: &PrefixSet, limits: &Limits) -> Vec<String> {
    let feed = FeedChange {
        name: "drop".to_owned(),
        limits: FeedLimits::default(),
        before: Some(before),
        now,
        effective: now,
        origins_before: Vec::new(),
        origins_now: Vec::new(),
    };
    let judged = sentences(&evaluate(&[feed], (before, now), now, limits).reasons);
    let of = |who: &str| -> Vec<String> {
        let own = judged.iter().filter_map(|reason| reason.strip_prefix(who));
        own.map(str::to_owned).collect()
    };
    assert_eq!(of("drop: "), of("all feeds: "), "for each feed and for all");
    of("drop: ")
}

/// Every limit that compares with what is in force, in both directions, with a change that only it
/// holds.
#[test]
fn every_limit_holds_in_both_directions() {
    let own = |limits: Limits| Limits {
        max_routes: 1_000_000,
        ..limits
    };
    let shares = own(Limits::default());
    let counts = own(Limits {
        max_added: Share(f64::MAX),
        max_removed: Share(1.0),
        max_added_count: Some(5),
        max_removed_count: Some(5),
        ..Limits::default()
    });
    let hosts = |start, count| hosts(start, count);
    // Ten /16, and ten hosts inside of them.
    let ten = v4(HERE, 10, 16, 2);
    let ten_hosts = PrefixSet::of_prefixes(
        ten.v4.iter().map(|p| Prefix::host(p.first())).collect(),
        Vec::new(),
    );
    let sites = v6(HERE_V6, 12, 40, 2);
    let sites_hosts = PrefixSet::of_prefixes(
        Vec::new(),
        sites.v6.iter().map(|p| Prefix::host(p.first())).collect(),
    );
    let wide = v4(HERE, 20, 16, 2);
    let wide_v6 = v6(HERE_V6, 20, 28, 2);
    let with = |set: &PrefixSet, other: &PrefixSet| set.union(other);
    let table: [(&str, &Limits, PrefixSet, PrefixSet, &[&str]); 12] = [
        (
            "prefixes that come",
            &shares,
            hosts(0, 100),
            hosts(0, 151),
            &["51 of 100 prefixes would be added, 51% (max_added 50%)"],
        ),
        (
            "prefixes that go",
            &shares,
            hosts(0, 100),
            hosts(0, 74),
            &["26 of 100 prefixes would go, 26% (max_removed 25%)"],
        ),
        (
            "a count that comes",
            &counts,
            hosts(0, 100),
            hosts(0, 106),
            &["6 prefixes would be added (max_added_count 5)"],
        ),
        (
            "a count that goes",
            &counts,
            hosts(0, 100),
            hosts(0, 94),
            &["6 prefixes would go (max_removed_count 5)"],
        ),
        (
            "IPv4 addresses that come",
            &shares,
            with(&hosts(0, 100), &v4(HERE, 1, 12, 1)),
            with(&hosts(0, 100), &v4(HERE, 2, 12, 2)),
            &["from 0.02442% to 0.04883% of all IPv4 addresses (max_added 50%)"],
        ),
        (
            "IPv4 addresses that go",
            &shares,
            ten.clone(),
            ten_hosts,
            &["from 0.01526% to 0.0000002328% of all IPv4 addresses (max_removed 25%)"],
        ),
        (
            "IPv6 addresses that come",
            &shares,
            with(&hosts(0, 100), &v6(HERE_V6, 1, 24, 1)),
            with(&hosts(0, 100), &v6(HERE_V6, 2, 24, 2)),
            &["from 0.00000596% to 0.00001192% of all IPv6 addresses (max_added 50%)"],
        ),
        (
            "IPv6 addresses that go",
            &Limits {
                small_change: 12,
                ..shares
            },
            sites,
            sites_hosts,
            &[
                "from 0.000000001091% to 0.000000000000000000000000000000000003526% of all IPv6 addresses (max_removed 25%)",
            ],
        ),
        // Exchanged for as many others: nothing grows and nothing shrinks.
        (
            "IPv4 addresses exchanged",
            &Limits {
                small_change: 100,
                ..shares
            },
            wide.clone(),
            v4(THERE, 20, 16, 2),
            &[
                "0.03052% of all IPv4 addresses would be added, of 0.03052% before (max_added 50%)",
                "0.03052% of all IPv4 addresses would go, of 0.03052% before (max_removed 25%)",
            ],
        ),
        (
            "IPv6 addresses exchanged",
            &Limits {
                small_change: 100,
                ..shares
            },
            wide_v6,
            v6(THERE_V6, 20, 28, 2),
            &[
                "0.000007451% of all IPv6 addresses would be added, of 0.000007451% before (max_added 50%)",
                "0.000007451% of all IPv6 addresses would go, of 0.000007451% before (max_removed 25%)",
            ],
        ),
        // 20 000 adjacent /24 are a dozen prefixes; a file that is read while it is written has
        // some of them.
        (
            "a list read in part",
            &shares,
            v4(HERE, 20_000, 24, 1),
            v4(HERE, 909, 24, 1),
            &["from 0.1192% to 0.005418% of all IPv4 addresses (max_removed 25%)"],
        ),
        (
            "a prefix that shrinks",
            &shares,
            v4(HERE, 256, 24, 1),
            hosts(0, 1),
            &["from 0.001526% to 0.00000002328% of all IPv4 addresses (max_removed 25%)"],
        ),
    ];
    for (what, limits, before, now, expected) in table {
        assert_eq!(reasons(&before, &now, limits), expected, "{what}");
    }
}

#[test]
fn origin_ases_have_the_same_limits_in_both_directions() {
    let nothing = PrefixSet::default();
    let reasons = |before: std::ops::Range<u32>, now: std::ops::Range<u32>, limits: &Limits| {
        let feed = FeedChange {
            name: "asndrop".to_owned(),
            limits: FeedLimits::default(),
            before: Some(&nothing),
            now: &nothing,
            effective: &nothing,
            origins_before: before.collect(),
            origins_now: now.collect(),
        };
        sentences(&evaluate(&[feed], (&nothing, &nothing), &nothing, limits).reasons)
    };
    let counts = Limits {
        max_added_count: Some(5),
        max_removed_count: Some(5),
        max_added: Share(f64::MAX),
        max_removed: Share(1.0),
        ..Limits::default()
    };
    for (before, now, limits, expected) in [
        (
            0..100,
            0..151,
            &limits(),
            "51 of 100 origin ASes would be added, 51% (max_added 50%)",
        ),
        (
            0..100,
            0..74,
            &limits(),
            "26 of 100 origin ASes would go, 26% (max_removed 25%)",
        ),
        (
            0..100,
            0..106,
            &counts,
            "6 origin ASes would be added (max_added_count 5)",
        ),
        (
            0..100,
            0..94,
            &counts,
            "6 origin ASes would go (max_removed_count 5)",
        ),
    ] {
        assert_eq!(
            reasons(before, now, limits),
            [format!("asndrop: {expected}")]
        );
    }
}

#[test]
fn few_addresses_go_without_a_question_and_more_do_not() {
    let all = Limits::default();
    let list = v4(HERE, 20, 24, 2);
    let without = |gone: u32| v4(HERE + 2 * gone * 256, 20 - gone, 24, 2);
    assert!(reasons(&list, &without(10), &all).is_empty());
    assert_eq!(
        reasons(&list, &without(11), &all),
        ["11 of 20 prefixes would go, 55% (max_removed 25%)"]
    );
    // A small loss is as large as a small growth: one /16 of a short list, ten of them or ten /28,
    // and no more.
    let short = list.union(&v6(HERE_V6, 20, 32, 2));
    for (wide, may_go) in [
        (v4(THERE, 1, 16, 1), true),
        (v4(THERE, 10, 16, 2), true),
        (v4(THERE, 1, 12, 1), false),
        (v6(THERE_V6, 10, 28, 2), true),
        (v6(THERE_V6, 1, 24, 1), false),
    ] {
        // More than a hundredth is left.
        let rest = short.union(&v4(HERE + (1 << 24), 1, 16, 1));
        assert_eq!(
            reasons(&rest.union(&wide), &rest, &all).is_empty(),
            may_go,
            "{wide:?}"
        );
        assert_eq!(
            reasons(&rest, &rest.union(&wide), &all).is_empty(),
            may_go,
            "{wide:?} comes"
        );
    }
    // Prefixes that are removed whole, or replaced by others, are counted: the last of a family,
    // and all of a list.
    let last = v6(HERE_V6, 1, 32, 1);
    assert!(reasons(&list.union(&last), &list, &all).is_empty());
    let one = v4(HERE, 1, 16, 1);
    assert!(reasons(&one, &v4(THERE, 1, 16, 1), &all).is_empty());
    assert_eq!(reasons(&one, &v4(THERE, 1, 32, 1), &all).len(), 1);
    // Less than a hundredth is left: at most `small_change` prefixes of /24 may be removed.
    let host = hosts(0, 1);
    assert!(reasons(&host.union(&v4(HERE, 10, 24, 1)), &host, &all).is_empty());
    assert_eq!(
        reasons(&host.union(&v4(HERE, 11, 24, 1)), &host, &all).len(),
        1
    );
    // A feed may be configured to shrink.
    let own = FeedLimits {
        max_removed: Some(Share(1.0)),
        ..FeedLimits::default()
    };
    let ten = v4(HERE, 10, 16, 2);
    let judged = judged_by(&ten, &hosts(0, 1), (&Limits::default(), own));
    assert!(
        judged
            .iter()
            .all(|reason| reason.starts_with("all feeds: "))
    );
}
