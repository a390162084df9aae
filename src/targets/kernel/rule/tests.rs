use netlink_packet_core::Emitable;
use netlink_packet_route::rule::{RuleAttribute, RuleFlags};

use super::*;

const MARK: Mark = Mark {
    table: 1166,
    protocol: 166,
    kind: crate::targets::kernel::Kind::Blackhole,
    metric: 0,
};
const WANTED: WantedRule = WantedRule {
    priority: 5000,
    table: 1166,
    protocol: 166,
    add: true,
};

/// As the kernel sends it back.
fn rule(family: Family, priority: u32, table: u32, protocol: u8) -> PresentRule {
    read(message(family, priority, table, protocol))
}

fn read(mut message: RuleMessage) -> PresentRule {
    // The kernel always sends this attribute.
    let suppresses = |one: &RuleAttribute| matches!(one, RuleAttribute::SuppressPrefixLen(_));
    if !message.attributes.iter().any(suppresses) {
        let nothing = RuleAttribute::SuppressPrefixLen(u32::MAX);
        message.attributes.push(nothing);
    }
    let mut bytes = vec![0; message.buffer_len()];
    message.emit(&mut bytes);
    PresentRule::read(&bytes).unwrap()
}

/// A rule with a selector, and otherwise like ours.
fn selecting(attribute: RuleAttribute) -> PresentRule {
    let mut message = message(Family::V4, 5000, 1166, 166);
    message.attributes.push(attribute);
    read(message)
}

#[test]
fn what_is_missing_is_added_in_each_family_and_what_is_there_stays() {
    let there = [rule(Family::V6, 5000, 1166, 166)];
    let difference = reconcile(&there, Some(&WANTED), &[MARK]);
    assert_eq!(difference.add, [Family::V4]);
    assert!(difference.remove.is_empty() && difference.beside.is_empty());
    let kept = WantedRule {
        add: false,
        ..WANTED
    };
    let difference = reconcile(&there, Some(&kept), &[MARK]);
    assert_eq!(difference, RuleDifference::default());
}

#[test]
fn ours_with_another_priority_or_a_former_table_go() {
    let former = Mark {
        table: 1000,
        ..MARK
    };
    let there = [
        rule(Family::V4, 4999, 1166, 166),
        rule(Family::V4, 5000, 1166, 166),
        rule(Family::V6, 5000, 1000, 166),
    ];
    let difference = reconcile(&there, Some(&WANTED), &[former, MARK]);
    assert_eq!(difference.remove, [there[0].clone(), there[2].clone()]);
    assert_eq!(difference.add, [Family::V6]);
    let nothing = reconcile(&there, None, &[MARK]);
    assert_eq!(
        nothing.remove,
        there[..2],
        "1000 is no table of ours any more"
    );
}

#[test]
fn rules_of_others_are_named_where_they_are_near_and_never_removed() {
    let invert = {
        let mut message = message(Family::V4, 5000, 1166, 166);
        message.header.flags = RuleFlags::Invert;
        read(message)
    };
    let l3mdev = {
        let mut message = message(Family::V4, 5000, 0, 2);
        message.attributes.push(RuleAttribute::L3MDev(true));
        read(message)
    };
    let near = [
        rule(Family::V4, 5000, 1166, 167),
        rule(Family::V6, 5000, 99, 3),
        rule(Family::V4, 77, 1166, 3),
        selecting(RuleAttribute::Iifname("eth0".to_owned())),
        selecting(RuleAttribute::FwMark(1)),
        selecting(RuleAttribute::SuppressPrefixLen(0)),
        invert,
        l3mdev,
    ];
    let far = [
        rule(Family::V4, 0, 255, 2),
        rule(Family::V4, 32_766, 254, 2),
        rule(Family::V4, 4000, 99, 166),
    ];
    let there = [&near[..], &far[..]].concat();
    let difference = reconcile(&there, Some(&WANTED), &[MARK]);
    assert_eq!(difference.remove, []);
    assert_eq!(difference.beside, near);
    assert_eq!(difference.add, [Family::V4, Family::V6]);
    assert_eq!(
        near[3].text,
        "5000: from all iif eth0 lookup 1166 proto 166"
    );
    assert_eq!(near[7].text, "5000: from all lookup [l3mdev-table]");
    assert_eq!(reconcile(&there, None, &[MARK]), RuleDifference::default());
}

#[test]
fn the_main_table_never_has_a_rule_of_ours() {
    let there = [rule(Family::V4, 5000, 254, 166)];
    let difference = reconcile(&there, None, &[Mark::default()]);
    assert_eq!(difference, RuleDifference::default());
}

/// The kernel deletes the first rule that has every field that the request names (`rule_find`).
#[test]
fn a_delete_that_would_hit_a_foreign_rule_is_not_sent() {
    let other = selecting(RuleAttribute::Iifname("eth0".to_owned()));
    let ours = rule(Family::V4, 5000, 1166, 166);
    let difference = reconcile(&[other.clone(), ours.clone()], None, &[MARK]);
    assert_eq!(difference.stuck, [(ours.clone(), other.clone())]);
    assert_eq!(difference.remove, []);
    let difference = reconcile(&[ours.clone(), other], None, &[MARK]);
    assert_eq!(difference.remove, [ours], "ours comes first");
}
