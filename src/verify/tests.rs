//! VRFs, which not every kernel can make in a namespace; and bounds.

use super::fib::Fib;
use super::finding::{Finding, Findings, KEPT};
use super::leaks::leaks;
use super::order::Order;
use super::probes::Question;
use super::report::Kind;
use crate::netlink::link::{Link, testing};
use crate::netlink::names::{Names, Vrf};
use crate::netlink::route::Route;
use crate::netlink::route::{RTN_BLACKHOLE, RTN_UNICAST, RTN_UNREACHABLE};
use crate::netlink::rule::{Action, Rule};
use crate::netlink::selector::Selector;
use crate::prefix::Prefix;
use crate::targets::kernel::Mark;

const RED: u32 = 10;

fn seen(net: [u8; 4], length: u8, table: u32, kind: u8) -> Route<u32> {
    Route {
        prefix: Prefix::new(u32::from_be_bytes(net), length),
        source: None,
        tos: 0,
        table,
        metric: 0,
        protocol: 4,
        kind,
        flags: 0,
    }
}

/// The leaks of 72.37.186.0/23, with the kernel's own rules and that of the VRF red.
fn found(mark: Mark, routes: &[Route<u32>]) -> Vec<Finding<u32>> {
    let red = Vrf {
        name: "red".to_owned(),
        table: RED,
        members: vec!["eth1".to_owned()],
    };
    let l3mdev = Rule {
        l3mdev: true,
        ..Rule::lookup(1_000, 0)
    };
    let rules = vec![Rule::lookup(0, 255), l3mdev, Rule::lookup(32_766, 254)];
    let order = Order::new(rules, &[red]);
    let prefixes = [Prefix::new(0x4825_ba00, 23)];
    let tables = order.reach(mark.table, false).tables;
    let mut fib = Fib::new(&prefixes, mark, &tables);
    let ours = Route {
        protocol: mark.protocol,
        kind: RTN_BLACKHOLE,
        ..seen([72, 37, 186, 0], 23, mark.table, 0)
    };
    fib.take(ours, &[]);
    routes.iter().for_each(|seen| fib.take(*seen, &[]));
    fib.sort();
    leaks(&fib, &order, &Names::default(), &mark).0.kept
}

#[test]
fn packets_that_come_in_on_a_vrf_are_covered_by_its_table_only() {
    let mark = Mark::default();
    let out = seen([0; 4], 0, RED, RTN_UNICAST);
    let leaks = found(mark, &[out]);
    assert_eq!(leaks.len(), 1);
    assert_eq!(leaks[0].kind, Kind::Vrf);
    assert_eq!(leaks[0].askable(), None, "this machine itself is not in it");
    let packets = leaks[0].packets.as_ref().unwrap();
    let names = Names::default();
    let words = packets.words(&names);
    assert_eq!(words.as_deref(), Some("packets of the VRF with table 10"));
    assert_eq!(leaks[0].rule, Some(1));

    // No route in its table matches: the main table is looked up next. Then a VRF that drops
    // unknown destinations.
    assert!(found(mark, &[]).is_empty());
    let elsewhere = seen([10, 0, 0, 0], 8, RED, RTN_UNICAST);
    assert!(found(mark, &[elsewhere]).is_empty());
    let last_resort = seen([0; 4], 0, RED, RTN_UNREACHABLE);
    assert!(found(mark, &[last_resort]).is_empty());
    // A part of the prefix.
    let leaks = found(
        mark,
        &[last_resort, seen([72, 37, 187, 0], 24, RED, RTN_UNICAST)],
    );
    assert_eq!(leaks.len(), 1);
    assert_eq!(leaks[0].net, Prefix::new(0x4825_bb00, 24));

    // Ours is in the table of the VRF: packets that do not enter on the VRF are not covered.
    let mark = Mark { table: RED, ..mark };
    assert!(found(mark, &[out]).is_empty());
    let leaks = found(mark, &[seen([0; 4], 0, 254, RTN_UNICAST)]);
    assert_eq!(leaks.len(), 1);
    assert_eq!(
        (leaks[0].kind, leaks[0].askable()),
        (Kind::Rule, Some(Question::PLAIN))
    );
    let words = leaks[0].packets.as_ref().unwrap().words(&names);
    assert_eq!(
        words.as_deref(),
        Some("packets not of the VRF with table 10")
    );
}

#[test]
fn a_rule_for_everything_that_has_a_vrf_names_its_interfaces() {
    let mut names = Names::default();
    for link in [testing::vrf(5, "red", RED), testing::member(7, "eth1", 5)] {
        names.learn_links(Link::read(&link).map(|link| (link.index, link)));
    }
    let leaks = found(Mark::default(), &[seen([0; 4], 0, RED, RTN_UNICAST)]);
    let words = leaks[0].packets.as_ref().unwrap().words(&names);
    let expected = "packets that come in on eth1 (VRF red)";
    assert_eq!(words.as_deref(), Some(expected));
}

#[test]
fn more_causes_than_are_kept_are_counted_and_still_explain() {
    let count = KEPT + 5;
    let mut findings = Findings::<u32>::new(count);
    for at in 0..count {
        let prefix = Prefix::host(at as u32);
        findings.add(Finding::whole(Kind::Missing, at, prefix), prefix);
    }
    assert_eq!(findings.kept.len(), KEPT);
    assert_eq!(findings.counts[Kind::Missing as usize], count);
    let last = count - 1;
    let explained = |at: usize| findings.explains(at, Prefix::host(at as u32), at as u32);
    assert_eq!(explained(0), Some(Some(0)));
    assert_eq!(explained(last), Some(None));
}

#[test]
fn rules_without_end_are_cut_short_and_it_is_told() {
    // Each bit of the mark skips the next rule, so every combination is a different path.
    let mut rules = Vec::new();
    for bit in 0..24_u32 {
        let mut rule = Rule::<u32>::lookup(10 * bit + 1, 0);
        rule.select.other = vec![Selector::Mark(1 << bit, 1 << bit)];
        rule.action = Action::Goto(10 * bit + 11);
        rules.push(rule);
        rules.push(Rule {
            action: Action::Nop,
            ..Rule::lookup(10 * bit + 5, 0)
        });
    }
    rules.push(Rule::lookup(32_766, 254));
    let order = Order::new(rules, &[]);
    let prefixes = [Prefix::new(0x4825_ba00, 23)];
    let mark = Mark::default();
    let tables = order.reach(mark.table, false).tables;
    let mut fib = Fib::new(&prefixes, mark, &tables);
    fib.take(seen([72, 37, 187, 0], 24, 254, RTN_UNICAST), &[]);
    fib.sort();
    let (findings, cut_short) = leaks(&fib, &order, &Names::default(), &mark);
    assert!(cut_short);
    assert_eq!(findings.counts[Kind::MoreSpecific as usize], 1);
}
