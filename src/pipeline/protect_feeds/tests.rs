use super::super::testing::{NOW, at_hand, feed, protect_and_show};
use super::super::{Configuration, Decision, Input, OperatorEntries, decide};
use super::*;
use crate::plan::sentences;
use crate::policy::limits::Review;
use crate::prefix::Effective;

fn ranges(in_effect: Option<&str>, newest: Option<&str>) -> ProtectFeed {
    ProtectFeed {
        name: "ranges".into(),
        newest: newest.map(at_hand),
        in_effect: in_effect.map(at_hand),
    }
}

fn set(nets: &[&str]) -> Effective {
    let nets = nets.iter().map(|net| net.parse().unwrap());
    Effective::new(PrefixSet::of_nets(nets), [])
}

fn policy(copy: Option<&AtHand>) -> Policy {
    let holes = copy
        .into_iter()
        .flat_map(|at| nets(&at.copy).nets().collect::<Vec<_>>());
    Policy {
        protect: protect_and_show(std::iter::empty(), holes),
        limits: Limits::default(),
        review: Review::default(),
    }
}

const LIST: &str = "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n";
const NETS: [&str; 3] = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"];

/// The decision about a list that is in force and about what protects.
fn decided(
    ranges: &ProtectFeed,
    in_force: &Effective,
    now: &str,
    approved: Option<&str>,
) -> Decision {
    let feeds = [feed("noc", Some(at_hand(LIST)), Some(at_hand(now)))];
    let all = std::slice::from_ref(ranges);
    let waiting = ProtectFeed::waiting(all, &in_force.nets, &Limits::default());
    let former = match &waiting {
        Some(waiting) => policy(waiting.in_effect(ranges)),
        None => policy(ranges.newest_or_former()),
    };
    let held = waiting.map(|waiting| waiting.held(policy(ranges.newest_or_former())));
    decide(&Input {
        feeds: &feeds,
        policy: &former,
        protection: held.as_ref(),
        in_force,
        restores: false,
        by_feed: false,
        pinned: None,
        approved,
        configuration: &Configuration::default(),
        operator: &OperatorEntries::default(),
        now: NOW,
    })
}

#[test]
fn a_copy_that_takes_little_goes_into_effect_and_cuts_a_hole() {
    let feed = ranges(None, Some("198.51.100.128/25\n"));
    let decision = decided(&feed, &set(&NETS), LIST, None);
    assert!(!decision.held(), "{:?}", decision.verdict);
    assert_eq!(
        decision.desired,
        set(&["192.0.2.0/24", "198.51.100.0/25", "203.0.113.0/24"])
    );
}

#[test]
fn a_copy_that_takes_more_than_the_limit_is_held_and_the_former_one_stays() {
    let feed = ranges(
        Some("198.51.100.128/25\n"),
        Some("192.0.0.0/8\n198.51.100.0/24\n"),
    );
    let in_force = set(&["192.0.2.0/24", "198.51.100.0/25", "203.0.113.0/24"]);
    let decision = decided(&feed, &in_force, LIST, None);
    assert_eq!(
        sentences(&decision.verdict.reasons),
        [
            "protect feed ranges: its newest copy would take 60% of the IPv4 addresses in force out of it (max_removed 25%)"
        ]
    );
    assert!(decision.approvable());
    assert_eq!(
        decision.desired, in_force,
        "the hole of the former copy stays"
    );
    let (added, removed) = (decision.proposed.added(), decision.proposed.removed());
    assert_eq!((added, removed), (0, 2), "what would go is shown");

    // Exactly this may be approved, and another copy is another change.
    let approved = decided(&feed, &in_force, LIST, Some(&decision.id));
    assert!(approved.approved && !approved.held());
    assert_eq!(approved.id, decision.id);
    assert_eq!(approved.desired, set(&["203.0.113.0/24"]));
    let other = ranges(
        Some("198.51.100.128/25\n"),
        Some("192.0.2.0/24\n203.0.113.0/24\n"),
    );
    let void = decided(&other, &in_force, LIST, Some(&decision.id));
    assert!(void.held() && void.id != decision.id);
}

#[test]
fn a_change_of_the_lists_waits_with_it_under_one_id() {
    let feed = ranges(None, Some("192.0.2.0/24\n"));
    let in_force = set(&NETS);
    let more = format!("{LIST}203.0.112.0/24\n");
    let decision = decided(&feed, &in_force, &more, None);
    assert_eq!(decision.desired, in_force);
    let alone = decided(&feed, &in_force, LIST, None);
    assert_ne!(decision.id, alone.id);
    let approved = decided(&feed, &in_force, &more, Some(&decision.id));
    assert_eq!(
        approved.desired,
        set(&["198.51.100.0/24", "203.0.112.0/23"])
    );
    assert!(decided(&feed, &in_force, &more, Some(&alone.id)).held());
}

#[test]
fn while_it_was_never_read_a_change_waits_and_what_is_in_force_stays() {
    let unread = ranges(None, None);
    let in_force = set(&NETS);
    let same = decided(&unread, &in_force, LIST, None);
    assert!(!same.held(), "nothing would change");
    let more = format!("{LIST}203.0.112.0/24\n");
    let decision = decided(&unread, &in_force, &more, None);
    assert_eq!(
        sentences(&decision.verdict.reasons),
        ["protect feed ranges: no copy yet, so what it protects is not known"]
    );
    assert_eq!(decision.desired, in_force);
    assert!(!decided(&unread, &in_force, &more, Some(&decision.id)).held());
    // One that was read once and cannot be read from disk is protected by its former copy.
    let former = ranges(Some("203.0.112.0/25\n"), None);
    let decision = decided(&former, &in_force, &more, None);
    assert!(!decision.held());
    assert!(
        !decision
            .desired
            .nets
            .overlaps("203.0.112.0/25".parse().unwrap())
    );
}
