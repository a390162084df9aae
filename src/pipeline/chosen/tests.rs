//! What a choice of feeds has, for random lists, and in stories.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::testing::{NOW, feed, protect};
use super::super::{Applied, AtHand, Configuration, Feed, Input, OperatorEntries, Pinned, decide};
use super::*;
use crate::config::SettingChange;
use crate::feed::FeedCopy;
use crate::policy::limits::{Limits, Review, Share};
use crate::policy::selection::Selection;
use crate::prefix::PrefixSet;
use crate::prefix::{Prefix, Written};

/// The last octet of 203.0.113.0/24, and a length: random prefixes nest, touch and repeat.
type Net = (u8, u8);

fn prefix((host, len): Net) -> Prefix<u32> {
    Prefix::new(0xcb00_7100 + u32::from(host), len)
}

fn nets(most: usize) -> impl Strategy<Value = Vec<Net>> {
    prop::collection::vec((any::<u8>(), 25_u8..=32), 0..most)
}

fn copy(nets: &[Net], origins: &[u32]) -> FeedCopy {
    let mut copy = FeedCopy::default();
    for (line, net) in (1..).zip(nets) {
        copy.add(Written::V4(prefix(*net)), line, "");
    }
    for asn in origins {
        copy.add_origin(*asn, 0, "");
    }
    copy.ascend();
    copy
}

fn at(nets: &[Net], origins: &[u32]) -> AtHand {
    AtHand {
        digest: format!("{nets:?} {origins:?}"),
        copy: Arc::new(copy(nets, origins)),
        fetched: NOW,
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn choice(feeds: &[&str], operator: bool) -> Choice {
    Choice {
        feeds: Some(feeds.iter().map(ToString::to_string).collect()),
        operator,
    }
}

fn named(mask: u8) -> Vec<&'static str> {
    let names = NAMES.into_iter().enumerate();
    let named = names.filter(|(index, _)| mask & (1 << index) != 0);
    named.map(|(_, name)| name).collect()
}

fn policy(protected: &[Net]) -> Policy {
    let nets = protected.iter().map(|net| prefix(*net).to_net());
    Policy {
        protect: protect(nets),
        limits: Limits {
            // Nothing is held here but what a test makes so.
            max_added: Share(1e4),
            max_removed: Share(1.0),
            small_change: 1 << 20,
            ..Limits::default()
        },
        review: Review::default(),
    }
}

struct World {
    feeds: Vec<Feed>,
    hand: OperatorEntries,
    policy: Policy,
    in_force: Effective,
    pinned: Option<Pinned>,
    configuration: Configuration,
}

impl World {
    fn new(feeds: Vec<Feed>, hand: &[Net], protected: &[Net]) -> Self {
        Self {
            feeds,
            hand: OperatorEntries {
                now: Arc::new(copy(hand, &[])),
                before: Arc::new(copy(hand, &[])),
            },
            policy: policy(protected),
            in_force: Effective::default(),
            pinned: None,
            configuration: Configuration::default(),
        }
    }

    fn decide(&self) -> Decision {
        decide(&Input {
            feeds: &self.feeds,
            operator: &self.hand,
            policy: &self.policy,
            in_force: &self.in_force,
            restores: false,
            by_feed: true,
            pinned: self.pinned.as_ref(),
            protection: None,
            approved: None,
            configuration: &self.configuration,
            now: NOW,
        })
    }

    fn chosen(&self, decision: &Decision, choice: &Choice) -> Chosen {
        decision.chosen(choice, &self.policy, Former::default())
    }
}

fn addresses(set: &Effective) -> BTreeSet<u32> {
    let each = set.nets.v4.iter().flat_map(|p| p.first()..=p.last());
    each.collect()
}

fn listed<'a>(lists: impl IntoIterator<Item = &'a Vec<Net>>) -> BTreeSet<u32> {
    let each = lists.into_iter().flatten().map(|net| prefix(*net));
    each.flat_map(|p| p.first()..=p.last()).collect()
}

/// What the choice with this mask lists, and what was added by hand where it is in it.
fn of_choice<'a>(
    lists: &'a [Vec<Net>; 3],
    hand: &'a Vec<Net>,
    mask: u8,
    operator: bool,
) -> BTreeSet<u32> {
    let those = lists.iter().enumerate();
    let those = those.filter(|(index, _)| mask & (1 << index) != 0);
    let those = those.map(|(_, list)| list);
    listed(those.chain(operator.then_some(hand)))
}

proptest! {
    #[test]
    fn a_choice_has_what_its_feeds_list_without_what_is_protected_and_nothing_else(
        lists in [nets(12), nets(12), nets(12)],
        hand in nets(4),
        protected in nets(6),
    ) {
        let feeds = NAMES.iter().zip(&lists);
        let feeds = feeds.map(|(name, list)| feed(name, None, Some(at(list, &[]))));
        let world = World::new(feeds.collect(), &hand, &protected);
        let decision = world.decide();
        prop_assert!(!decision.held());
        for mask in 0..8 {
            for operator in [false, true] {
                let chosen = world.chosen(&decision, &choice(&named(mask), operator));
                let reasons = of_choice(&lists, &hand, mask, operator);
                let out = listed([&protected]);
                let expected: BTreeSet<u32> = reasons.difference(&out).copied().collect();
                prop_assert_eq!(addresses(&chosen.effective), expected);
                // As few prefixes as can be.
                let nets = &chosen.effective.nets;
                let again = PrefixSet::of_prefixes(nets.v4.to_vec(), Vec::new());
                prop_assert_eq!(&again, nets);
            }
        }
        // All of them are everything, by whatever way.
        let all = world.chosen(&decision, &choice(&NAMES, true));
        let everything = world.chosen(&decision, &Choice::EVERYTHING);
        prop_assert_eq!(&all.effective, &decision.desired);
        prop_assert_eq!(&everything.effective, &decision.desired);
        prop_assert_eq!(all.rib, everything.rib);
        let every_feed = Choice { feeds: None, operator: false };
        prop_assert_eq!(
            world.chosen(&decision, &every_feed).effective,
            world.chosen(&decision, &choice(&NAMES, false)).effective
        );
    }

    #[test]
    fn while_a_change_is_held_a_choice_has_what_it_had(
        before in [nets(12), nets(12), nets(12)],
        after in [nets(12), nets(12), nets(12)],
        hand in nets(4),
        protected in nets(6),
    ) {
        let lists = before.iter().zip(&after);
        let feeds = NAMES.iter().zip(lists).map(|(name, (before, after))| {
            feed(name, Some(at(before, &[])), Some(at(after, &[])))
        });
        let mut world = World::new(feeds.collect(), &hand, &protected);
        world.policy.review = Review::Manual;
        let fed = before.iter().chain([&hand]).flatten();
        let fed = PrefixSet::of_nets(fed.map(|net| prefix(*net).to_net()));
        let fed = Effective::new(fed, []);
        world.in_force = world.policy.protect.cut_out_of(&fed);
        let decision = world.decide();
        let held = decision.held();
        for mask in 0..8 {
            let chosen = world.chosen(&decision, &choice(&named(mask), true));
            let behind = if held { &before } else { &after };
            let out = listed([&protected]);
            let expected = of_choice(behind, &hand, mask, true);
            let expected: BTreeSet<u32> = expected.difference(&out).copied().collect();
            prop_assert_eq!(addresses(&chosen.effective), expected);
        }
        if held {
            prop_assert_eq!(&decision.desired, &world.in_force);
        }
    }

    #[test]
    fn no_choice_is_made_twice_and_each_selection_is_a_part_of_it(
        masks in prop::collection::vec((0_u8..8, any::<bool>(), 25_u8..=32), 0..10),
        lists in [nets(12), nets(12), nets(12)],
    ) {
        let feeds = NAMES.iter().zip(&lists);
        let feeds = feeds.map(|(name, list)| feed(name, None, Some(at(list, &[]))));
        let world = World::new(feeds.collect(), &Vec::new(), &[]);
        let decision = world.decide();
        let of = |(mask, operator, _): &(u8, bool, u8)| choice(&named(*mask), *operator);
        let mut made: Vec<Choice> = Vec::new();
        let all = each_once(masks.iter().map(of), |choice| {
            made.push(choice.clone());
            world.chosen(&decision, choice)
        });
        let distinct: BTreeSet<Choice> = masks.iter().map(of).collect();
        prop_assert_eq!(made.len(), distinct.len());
        for one in &masks {
            let chosen = &all[&of(one)];
            let selection = Selection {
                choice: of(one),
                longest_v4: Some(one.2),
                longest_v6: None,
            };
            let part = selection.of(&chosen.effective);
            let fits = |prefix: &&Prefix<u32>| prefix.len() <= one.2;
            let expected: Arc<[_]> = chosen.effective.nets.v4.iter().filter(fits).copied().collect();
            prop_assert_eq!(part.effective.nets.v4.len() + part.left_out[0], chosen.effective.nets.v4.len());
            prop_assert_eq!(part.effective.nets.v4, expected);
        }
    }
}

fn set(nets: &[&str]) -> Effective {
    with_origins(nets, &[])
}

fn with_origins(nets: &[&str], origins: &[u32]) -> Effective {
    let nets = nets.iter().map(|net| net.parse().unwrap());
    Effective::new(PrefixSet::of_nets(nets), origins.iter().copied())
}

fn shown(effective: &Effective) -> Vec<String> {
    effective.nets.nets().map(|net| net.to_string()).collect()
}

/// 203.0.113.0/25 and 203.0.113.128/25.
const HALVES: [Net; 2] = [(0, 25), (128, 25)];

#[test]
fn two_halves_of_two_feeds_are_one_prefix_only_for_a_router_that_has_both() {
    let feeds = vec![
        feed("a", None, Some(at(&HALVES[..1], &[64_496]))),
        feed("b", None, Some(at(&HALVES[1..], &[64_511]))),
    ];
    let world = World::new(feeds, &[], &[]);
    let decision = world.decide();
    assert_eq!(shown(&decision.desired), ["203.0.113.0/24"]);
    for (feeds, expected, origins) in [
        (&["a"][..], "203.0.113.0/25", &[64_496][..]),
        (&["b"], "203.0.113.128/25", &[64_511]),
        (&["a", "b"], "203.0.113.0/24", &[64_496, 64_511]),
    ] {
        let chosen = world.chosen(&decision, &choice(feeds, true));
        assert_eq!(shown(&chosen.effective), [expected]);
        assert_eq!(chosen.effective.origins, origins);
        assert_eq!(chosen.rib.sources().len(), feeds.len());
    }
    let nothing = world.chosen(&decision, &choice(&[], false));
    assert!(nothing.effective.is_empty());
}

/// What was in force goes with the feed of one router and stays with that of another.
#[test]
fn an_address_that_moves_from_feed_to_feed_moves_from_router_to_router() {
    let feeds = vec![
        feed("a", Some(at(&[(7, 32)], &[])), Some(at(&[], &[]))),
        feed("b", Some(at(&[], &[])), Some(at(&[(7, 32)], &[]))),
    ];
    let mut world = World::new(feeds, &[], &[]);
    world.in_force = set(&["203.0.113.7/32"]);
    let decision = world.decide();
    assert!(decision.change.is_empty());
    let of = |name| world.chosen(&decision, &choice(&[name], true));
    assert!(of("a").effective.is_empty());
    assert_eq!(of("b").effective, world.in_force);
}

/// A copy that cannot be read is no empty copy, and says nothing of what other feeds list.
#[test]
fn a_choice_with_a_copy_that_cannot_be_read_keeps_what_it_had() {
    let mut lost = feed("a", None, None);
    lost.applied = Some(Applied::Lost);
    let feeds = vec![
        lost,
        feed(
            "b",
            Some(at(&HALVES[1..], &[])),
            Some(at(&HALVES[1..], &[])),
        ),
    ];
    let mut world = World::new(feeds, &[], &[(0, 28)]);
    world.in_force = with_origins(&["203.0.113.0/24"], &[64_496]);
    let decision = world.decide();
    assert!(decision.held());
    assert_eq!(decision.lost, [Arc::from("a")]);
    let had = with_origins(&["203.0.113.0/25"], &[64_496]);
    let former = Former {
        in_force: Some(&had),
        others: None,
        frozen: None,
    };
    let chosen = decision.chosen(&choice(&["a"], true), &world.policy, former);
    let left = ["203.0.113.16/28", "203.0.113.32/27", "203.0.113.64/26"];
    assert_eq!(shown(&chosen.effective), left);
    assert_eq!(chosen.effective.origins, [64_496]);
    // Of the other feed everything can be read.
    let of_b = set(&["203.0.113.128/25"]);
    let former = Former {
        in_force: Some(&of_b),
        ..Former::default()
    };
    let chosen = decision.chosen(&choice(&["b"], true), &world.policy, former);
    assert_eq!(chosen.effective, of_b);
    // A choice that no router had begins with what its routers had, without what is known to be of
    // other feeds.
    let former = Former {
        others: Some(&world.in_force),
        ..Former::default()
    };
    let begins = decision.chosen(&choice(&["a"], true), &world.policy, former);
    assert_eq!(shown(&begins.effective), left);
    assert_eq!(begins.effective.origins, [64_496]);
    let other = decision.chosen(&choice(&["b"], true), &world.policy, former);
    assert_eq!(
        other.effective, of_b,
        "what nobody knows may be of the other"
    );
    // A router that is new has nothing to keep.
    let unknown = world.chosen(&decision, &choice(&["a"], true));
    assert!(unknown.effective.is_empty());
}

/// What goes through is made of copies that can be read, so nothing of before is needed.
#[test]
fn once_a_change_without_the_former_copy_is_approved_a_choice_has_what_its_feeds_list() {
    let mut lost = feed("a", None, Some(at(&HALVES[..1], &[])));
    lost.applied = Some(Applied::Lost);
    let feeds = vec![
        lost,
        feed("b", Some(at(&[(128, 32)], &[])), Some(at(&[], &[]))),
        feed("c", Some(at(&[], &[])), Some(at(&[(128, 32)], &[]))),
    ];
    let mut world = World::new(feeds, &[], &[]);
    world.in_force = set(&["203.0.113.0/25", "203.0.113.128/32"]);
    let decision = world.decide();
    assert!(!decision.held(), "{:?}", decision.verdict);
    assert_eq!(decision.desired, world.in_force);
    let had = world.in_force.clone();
    let former = Former {
        in_force: Some(&had),
        ..Former::default()
    };
    let chosen = decision.chosen(&choice(&["a", "b"], true), &world.policy, former);
    assert_eq!(
        shown(&chosen.effective),
        ["203.0.113.0/25"],
        "c alone lists the other"
    );
}

#[test]
fn a_pin_freezes_what_a_choice_had_then_and_protection_is_cut_out_of_it() {
    let feeds = vec![
        feed("a", Some(at(&[(7, 32)], &[])), Some(at(&[(7, 32)], &[]))),
        feed("b", Some(at(&[], &[])), Some(at(&[], &[]))),
    ];
    let mut world = World::new(feeds, &[], &[(0, 28)]);
    world.in_force = set(&["203.0.113.7/32"]);
    world.pinned = Some(Pinned {
        generation: 3,
        effective: with_origins(&["203.0.113.0/24"], &[64_496, 64_511]),
    });
    let decision = world.decide();
    let then = with_origins(&["203.0.113.0/25"], &[64_496]);
    let now = set(&["203.0.113.7/32"]);
    let former = Former {
        in_force: Some(&now),
        others: None,
        frozen: Some(&then),
    };
    let chosen = decision.chosen(&choice(&["a"], true), &world.policy, former);
    let left = ["203.0.113.16/28", "203.0.113.32/27", "203.0.113.64/26"];
    assert_eq!(shown(&chosen.effective), left);
    assert_eq!(chosen.effective.origins, [64_496]);
    // A choice that was not there then has what its feeds list now, as far as it is frozen.
    world.feeds[1] = feed("b", None, Some(at(&[(128, 25), (9, 32)], &[])));
    let decision = world.decide();
    let chosen = world.chosen(&decision, &choice(&["b"], true));
    assert_eq!(shown(&chosen.effective), ["203.0.113.128/25"]);
    // And a flush leaves nothing.
    world.pinned = Some(Pinned::default());
    let decision = world.decide();
    let flushed = decision.chosen(&choice(&["a"], true), &world.policy, former);
    assert!(flushed.effective.is_empty());
}

/// What a change of the configuration takes away stays while that is held, where the router had it.
#[test]
fn what_the_configuration_takes_away_stays_at_its_routers_while_that_is_held() {
    let current = at(&[(0, 26)], &[]);
    let feeds = vec![feed("a", Some(current.clone()), Some(current))];
    let mut world = World::new(feeds, &[], &[]);
    // Of feed b, which is no longer configured.
    world.in_force = with_origins(&["203.0.113.0/26", "203.0.113.128/25"], &[64_496]);
    world.policy.limits.max_removed = Share(0.1);
    world.policy.limits.small_change = 0;
    world.configuration = Configuration {
        name: "x".to_owned(),
        changes: vec![SettingChange::FeedGone("b".to_owned())],
    };
    let decision = world.decide();
    assert!(decision.holds_configuration, "{:?}", decision.verdict);
    assert_eq!(decision.desired, world.in_force);
    let every_feed = Choice {
        feeds: None,
        operator: false,
    };
    let former = Former {
        in_force: Some(&world.in_force),
        others: None,
        frozen: None,
    };
    let chosen = decision.chosen(&every_feed, &world.policy, former);
    assert_eq!(chosen.effective, world.in_force);
    let had = set(&["203.0.113.0/26"]);
    let former = Former {
        in_force: Some(&had),
        others: None,
        frozen: None,
    };
    let chosen = decision.chosen(&choice(&["a"], true), &world.policy, former);
    assert_eq!(chosen.effective, had);
}

/// What was added by hand counts as it is now, while the rest is held.
#[test]
fn an_entry_by_hand_that_ended_is_gone_from_its_routers_although_another_feed_keeps_it_in_force() {
    let feeds = vec![
        feed("a", Some(at(&[], &[])), Some(at(&[(64, 26)], &[]))),
        feed("b", Some(at(&[(7, 32)], &[])), Some(at(&[(7, 32)], &[]))),
    ];
    let mut world = World::new(feeds, &[], &[]);
    world.policy.review = Review::Manual;
    world.hand = OperatorEntries {
        now: Arc::new(copy(&[(9, 32)], &[])),
        before: Arc::new(copy(&[(7, 32), (9, 32)], &[])),
    };
    world.in_force = set(&["203.0.113.7/32"]);
    let decision = world.decide();
    assert!(decision.held());
    assert_eq!(
        shown(&decision.desired),
        ["203.0.113.7/32", "203.0.113.9/32"]
    );
    let of = |feeds: &[&str], operator| world.chosen(&decision, &choice(feeds, operator)).effective;
    assert_eq!(shown(&of(&["a"], true)), ["203.0.113.9/32"]);
    assert_eq!(shown(&of(&["b"], false)), ["203.0.113.7/32"]);
    assert_eq!(of(&["b"], true), decision.desired);
    assert!(of(&["a"], false).is_empty());
}
