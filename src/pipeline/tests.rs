//! Decisions, told as stories: no network, no kernel, no waiting.

use super::testing::{self, DAY, NOW, at_hand, protect};
use super::*;
use crate::plan::{joined, sentences};
use crate::policy::limits::{Limits, Review};

fn feed(name: &str, applied: Option<&str>, current: Option<&str>) -> Feed {
    Feed {
        confirmed: current.map(|_| NOW),
        ..testing::feed(name, applied.map(at_hand), current.map(at_hand))
    }
}

fn policy(protected: &[&str]) -> Policy {
    Policy {
        protect: protect(protected.iter().map(|net| net.parse().unwrap())),
        limits: Limits {
            small_change: 1,
            ..Limits::default()
        },
        review: Review::default(),
    }
}

fn set(nets: &[&str]) -> Effective {
    let nets = nets.iter().map(|net| net.parse().unwrap());
    Effective::new(PrefixSet::of_nets(nets), [])
}

fn decide_from(in_force: &Effective, feeds: &[Feed], policy: &Policy) -> Decision {
    decide(&Input {
        feeds,
        policy,
        in_force,
        restores: false,
        by_feed: false,
        pinned: None,
        protection: None,
        approved: None,
        configuration: &Configuration::default(),
        operator: &OperatorEntries::default(),
        now: NOW,
    })
}

#[test]
fn the_first_fill_goes_and_every_prefix_has_its_cause() {
    let feeds = [feed("noc", None, Some("72.37.186/23 # spammer\n"))];
    let decision = decide_from(&set(&[]), &feeds, &policy(&[]));
    assert!(!decision.held());
    assert_eq!(decision.desired, set(&["72.37.186.0/23"]));
    let explained: Vec<_> = decision.explain_additions(&decision.change).collect();
    assert_eq!(explained[0].because[0].to_string(), "noc spammer line 1");
}

#[test]
fn a_prefix_goes_only_when_its_last_reason_goes() {
    let both = "192.0.2.0/24\n";
    let other = "198.51.100.0/24\n";
    let feeds = [
        feed("one", Some(both), Some(other)),
        feed("two", Some(both), Some(both)),
    ];
    let decision = decide_from(&set(&["192.0.2.0/24"]), &feeds, &policy(&[]));
    assert_eq!(decision.desired, set(&["192.0.2.0/24", "198.51.100.0/24"]));
    assert_eq!(decision.change.removed(), 0);
}

#[test]
fn a_failed_feed_keeps_its_entries_until_they_expire() {
    let list = "192.0.2.0/24\n198.51.100.0/24\n";
    let mut old = feed("partner", Some(list), Some(list));
    let in_force = set(&["192.0.2.0/24", "198.51.100.0/24"]);
    let at = |old: &Feed| decide_from(&in_force, std::slice::from_ref(old), &policy(&[]));

    old.confirmed = Some(Timestamp(NOW.0 - 6 * DAY as i64));
    let stale = at(&old);
    assert_eq!(stale.standings, [Standing::Stale]);
    assert!(stale.change.is_empty());

    old.confirmed = Some(Timestamp(NOW.0 - 7 * DAY as i64));
    let expired = at(&old);
    assert_eq!(expired.standings, [Standing::Expired]);
    assert!(
        !expired.held(),
        "expiry is not held by the gate of the feeds"
    );
    assert!(expired.desired.is_empty());
    let explained: Vec<_> = expired
        .explain_removals(&expired.change, &expired.desired.nets, &policy(&[]))
        .collect();
    assert_eq!(explained[0].because, [Cause::NoLongerCounted]);
}

#[test]
fn a_feed_that_loses_most_of_its_entries_is_held_and_what_is_in_force_stays() {
    let before = "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n72.37.186.0/23\n";
    let feeds = [feed("partner", Some(before), Some("192.0.2.0/24\n"))];
    let in_force = set(&[
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "72.37.186.0/23",
    ]);
    let decision = decide_from(&in_force, &feeds, &policy(&[]));
    assert_eq!(
        decision.verdict.reasons[0].to_string(),
        "partner: 3 of 4 prefixes would go, 75% (max_removed 25%)"
    );
    assert_eq!(decision.desired, in_force);
    assert!(decision.change.is_empty());
    assert_eq!(decision.proposed.removed(), 3);
}

#[test]
fn space_protected_while_a_change_is_held_is_cut_at_once() {
    let before = "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n72.37.186.0/23\n";
    let feeds = [feed("partner", Some(before), Some("192.0.2.0/24\n"))];
    let in_force = set(&[
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "72.37.186.0/23",
    ]);
    let decision = decide_from(&in_force, &feeds, &policy(&["203.0.113.0/24"]));
    assert!(decision.held());
    assert_eq!(
        decision.desired,
        set(&["192.0.2.0/24", "198.51.100.0/24", "72.37.186.0/23"])
    );
}

#[test]
fn a_feed_removed_or_added_by_the_operator_is_not_held_for_its_size() {
    let list = "192.0.2.0/24\n198.51.100.0/24\n";
    let gone = decide_from(
        &set(&["192.0.2.0/24", "198.51.100.0/24"]),
        &[],
        &policy(&[]),
    );
    assert!(!gone.held());
    assert!(gone.desired.is_empty());

    let feeds = [
        feed("old", Some("203.0.113.0/24\n"), Some("203.0.113.0/24\n")),
        feed("new", None, Some(list)),
    ];
    let come = decide_from(&set(&["203.0.113.0/24"]), &feeds, &policy(&[]));
    assert!(!come.held(), "{:?}", come.verdict);
    assert_eq!(come.change.added(), 2);
}

#[test]
fn what_the_operator_protects_is_cut_without_approval() {
    let list = "192.0.2.0/24\n198.51.100.0/24\n";
    let feeds = [feed("noc", Some(list), Some(list))];
    let in_force = set(&["192.0.2.0/24", "198.51.100.0/24"]);
    let now = policy(&["192.0.2.0/24", "198.51.100.128/25"]);
    let decision = decide_from(&in_force, &feeds, &now);
    assert!(!decision.held());
    assert_eq!(decision.desired, set(&["198.51.100.0/25"]));
    let causes: Vec<_> = decision
        .explain_removals(&decision.change, &decision.desired.nets, &now)
        .flat_map(|e| e.because)
        .map(|cause| cause.to_string())
        .collect();
    assert_eq!(
        causes,
        [
            "192.0.2.0/24 is protected: [protect] prefixes",
            "198.51.100.128/25 is protected: [protect] prefixes",
            "now in smaller pieces"
        ]
    );
}

#[test]
fn a_pin_to_nothing_withdraws_everything_and_stands_above_the_gate() {
    let list = "192.0.2.0/24\n198.51.100.0/24\n";
    let feeds = [feed("noc", Some(list), Some(list))];
    let in_force = set(&["192.0.2.0/24", "198.51.100.0/24"]);
    let decision = decide(&Input {
        feeds: &feeds,
        policy: &policy(&[]),
        in_force: &in_force,
        restores: false,
        by_feed: false,
        pinned: Some(&Pinned::default()),
        protection: None,
        approved: None,
        configuration: &Configuration::default(),
        operator: &OperatorEntries::default(),
        now: NOW,
    });
    assert!(decision.desired.is_empty());
    assert_eq!(decision.change.removed(), 2);
}

#[test]
fn the_sum_of_good_listings_is_held_when_it_covers_too_much() {
    let halves: String = (1..=255)
        .filter(|n| *n != 10)
        .map(|n| format!("{n}.0.0.0/8\n"))
        .collect();
    let feeds = [feed("sum", None, Some(&halves))];
    let decision = decide_from(&set(&[]), &feeds, &policy(&[]));
    assert!(decision.held());
    assert!(decision.desired.is_empty());
    let reasons = joined(&decision.verdict.reasons, "\n");
    assert!(reasons.contains("of all IPv4 addresses"));
    assert!(reasons.contains("together the feeds make"));
}

#[test]
fn without_the_copy_behind_what_is_in_force_the_whole_change_is_judged() {
    let before = "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n72.37.186.0/23\n";
    let in_force = set(&[
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "72.37.186.0/23",
    ]);
    let mut lost = feed("partner", Some(before), Some("192.0.2.0/24\n"));
    lost.applied = Some(Applied::Lost);
    let decision = decide_from(&in_force, &[lost], &policy(&[]));
    assert_eq!(
        sentences(&decision.verdict.reasons),
        ["all feeds: 3 of 4 prefixes would go, 75% (max_removed 25%)"]
    );
}

#[test]
fn a_copy_that_cannot_be_read_is_no_empty_feed() {
    let list = "192.0.2.0/24\n198.51.100.0/24\n";
    let mut lost = feed("partner", Some(list), Some(list));
    lost.current = None;
    let in_force = set(&["192.0.2.0/24", "198.51.100.0/24"]);
    let decision = decide_from(&in_force, &[lost], &policy(&[]));
    assert_eq!(decision.desired, in_force);
    assert_eq!(
        sentences(&decision.verdict.reasons),
        ["partner: its last good copy cannot be read"]
    );
}

#[test]
fn after_a_flush_a_held_change_is_still_held_and_what_was_in_force_before_comes_back() {
    let before = "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n72.37.186.0/23\n";
    let feeds = [feed("partner", Some(before), Some("192.0.2.0/24\n"))];
    let decision = decide(&Input {
        feeds: &feeds,
        policy: &policy(&["203.0.113.0/24"]),
        in_force: &set(&[]),
        restores: true,
        by_feed: false,
        pinned: None,
        protection: None,
        approved: None,
        configuration: &Configuration::default(),
        operator: &OperatorEntries::default(),
        now: NOW,
    });
    assert!(decision.held());
    assert_eq!(
        decision.desired,
        set(&["192.0.2.0/24", "198.51.100.0/24", "72.37.186.0/23"])
    );
}

#[test]
fn joined_neighbours_say_where_their_addresses_went() {
    let feeds = [feed(
        "noc",
        Some("192.0.2.0/25\n"),
        Some("192.0.2.0/25\n192.0.2.128/25\n"),
    )];
    let decision = decide_from(&set(&["192.0.2.0/25"]), &feeds, &policy(&[]));
    let policy = policy(&[]);
    let gone: Vec<_> = decision
        .explain_removals(&decision.change, &decision.desired.nets, &policy)
        .collect();
    assert_eq!(gone[0].because[0].to_string(), "now part of 192.0.2.0/24");
}

/// The same decision by a model too simple to be wrong: sets of single addresses.
mod against_a_naive_model {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::prefix::Prefix;

    /// Prefixes inside 11.0.0.0/24, so that they nest, touch and repeat.
    fn prefixes(most: usize) -> impl Strategy<Value = Vec<Prefix<u32>>> {
        let one =
            (0_u32..256, 24_u8..=32).prop_map(|(host, len)| Prefix::new(0x0b00_0000 | host, len));
        prop::collection::vec(one, 0..most)
    }

    fn text(prefixes: &[Prefix<u32>]) -> String {
        let lines = prefixes.iter().map(|prefix| format!("{prefix}\n"));
        // A list without an entry would be refused by its format.
        lines.chain(["203.0.113.0/24\n".to_owned()]).collect()
    }

    fn addresses<'a>(prefixes: impl IntoIterator<Item = &'a Prefix<u32>>) -> BTreeSet<u32> {
        prefixes
            .into_iter()
            .flat_map(|p| p.first()..=p.last())
            .collect()
    }

    proptest! {
        #[test]
        fn what_is_dropped_is_what_a_feed_lists_and_nothing_protects(
            one in prefixes(12), two in prefixes(12), protect in prefixes(4),
        ) {
            let (text_one, text_two) = (text(&one), text(&two));
            let feeds = [feed("one", None, Some(&text_one)), feed("two", None, Some(&text_two))];
            let shown: Vec<String> = protect.iter().map(ToString::to_string).collect();
            let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
            let policy = policy(&shown);
            let decision = decide_from(&set(&[]), &feeds, &policy);
            prop_assert!(!decision.held());

            let common = Prefix::new(u32::from_be_bytes([203, 0, 113, 0]), 24);
            let listed = addresses(one.iter().chain(&two).chain([&common]));
            let protected = addresses(&protect);
            let expected: BTreeSet<u32> = listed.difference(&protected).copied().collect();
            prop_assert_eq!(addresses(&*decision.desired.nets.v4), expected);

            // And every prefix in force names a listing, and no route holds an unlisted address.
            for route in &*decision.desired.nets.v4 {
                let causes = cause_of_addition(route.to_net(), &decision.rib, |_, _| true).because;
                prop_assert!(!causes.is_empty(), "{route} has no cause");
            }
        }
    }
}
