//! Compares verify with a naive kernel that evaluates each packet separately.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::fib::Fib;
use super::finding::Findings;
use super::leaks::leaks;
use super::order::Order;
use super::probes::Question;
use super::report::Kind;
use super::route::Fate;
use crate::netlink::names::Names;
use crate::netlink::route::Route;
use crate::netlink::route::{RTN_BLACKHOLE, RTN_LOCAL, RTN_THROW, RTN_UNICAST};
use crate::netlink::rule::Select;
use crate::netlink::rule::{Action, Rule};
use crate::netlink::selector::Selector;
use crate::prefix::{Prefix, aggregate};
use crate::targets::kernel::Mark;
use crate::testing::cases;

/// A /26, in which all prefixes and routes are.
const SPACE: u32 = 0x0a00_0000;
const SIZE: u32 = 64;
/// The main table is ours.
const TABLES: [u32; 5] = [254, 255, 253, 7, 8];

/// A packet, with every property that the rules below match.
#[derive(Clone, Copy, Debug)]
struct Packet {
    to: u32,
    from: Option<u32>,
    mark: u32,
    iif: &'static str,
    tos: u8,
    protocol: u8,
    uid: u32,
}

/// Every kind of packet that the rules and routes below can distinguish.
fn packets(to: u32) -> impl Iterator<Item = Packet> {
    let from = [None, Some([10, 9, 1, 1]), Some([10, 9, 2, 1])];
    let from = from.map(|from| from.map(u32::from_be_bytes));
    // A number of mixed bases: each digit is one property of the packet. Each property has a value
    // in every range that `rule` makes, and one in none of them. There are more kinds than in the
    // kernel, for verify as well: a packet that enters on eth0 always has user ID 0.
    (0..3 * 4 * 3 * 2 * 3 * 3_usize).map(move |number| Packet {
        to,
        from: from[number % 3],
        mark: (number / 3 % 4) as u32,
        iif: ["lo", "eth0", "eth1"][number / 12 % 3],
        tos: [0, 0x10][number / 36 % 2],
        protocol: [17, 6, 1][number / 72 % 3],
        uid: [0, 7, 3][number / 216],
    })
}

/// Whether this is the packet of a lookup.
fn is(packet: Packet, asked: Question) -> bool {
    let nothing = (packet.from, packet.iif, packet.tos) == (None, "lo", 0);
    nothing && (packet.mark, packet.protocol, packet.uid) == (asked.mark, asked.protocol, asked.uid)
}

/// `fib_rule_match`: all selectors match, or not all of them if the rule is inverted.
fn takes(rule: &Rule<u32>, packet: Packet) -> bool {
    let to = rule
        .to
        .is_none_or(|net| net.contains(&Prefix::host(packet.to)));
    (to && has(&rule.select, packet) && !rule.detached) != rule.invert
}

fn has(select: &Select<u32>, packet: Packet) -> bool {
    let Select { from, other } = select;
    let mut other = other.iter().map(|one| match one {
        Selector::Mark(value, mask) => packet.mark & mask == *value,
        Selector::In(interface) => **interface == *packet.iif,
        Selector::Tos(tos) => *tos == packet.tos,
        Selector::Protocol(protocol) => *protocol == packet.protocol,
        Selector::Uids(first, last) => (*first..=*last).contains(&packet.uid),
        other => panic!("{other}"),
    });
    let within = |net: &Prefix<u32>, address| net.contains(&Prefix::host(address));
    let from = from.is_none_or(|net| packet.from.is_some_and(|from| within(&net, from)));
    from && other.all(|has| has)
}

/// `fib_table_lookup`: the longest match, the type of service, the lowest metric, the first.
fn lookup(routes: &[Route<u32>], table: u32, packet: Packet) -> Option<&Route<u32>> {
    let over = |seen: &&Route<u32>| {
        let to = seen.prefix.contains(&Prefix::host(packet.to));
        seen.table == table && to && [0, packet.tos].contains(&seen.tos)
    };
    let over = routes.iter().enumerate().filter(|(_, seen)| over(seen));
    let best = over.min_by_key(|(at, seen)| {
        let Route { prefix, metric, .. } = seen;
        (32 - prefix.len(), seen.tos == 0, *metric, *at)
    });
    best.map(|(_, seen)| seen)
}

/// `fib_rules_lookup`: whether the packet is forwarded.
fn forwarded(rules: &[Rule<u32>], routes: &[Route<u32>], packet: Packet) -> bool {
    let mut at = 0;
    while let Some(rule) = rules.get(at) {
        let next = at + 1;
        at = next;
        if !takes(rule, packet) {
            continue;
        }
        match rule.action {
            Action::Nop => {}
            Action::Drop(_) => return false,
            Action::Goto(priority) => {
                let mut later = next..rules.len();
                at = later
                    .find(|at| rules[*at].priority == priority)
                    .unwrap_or(next);
            }
            Action::Lookup(table) => match lookup(routes, table, packet) {
                None => {}
                Some(seen) => match (seen.fate(), rule.suppress) {
                    (Fate::Drops, _) => return false,
                    (Fate::Throws, _) => {}
                    (Fate::Forwards, Some(length)) if seen.prefix.len() <= length => {}
                    (Fate::Forwards, _) => return true,
                },
            },
        }
    }
    false
}

fn prefix(lengths: std::ops::RangeInclusive<u8>) -> impl Strategy<Value = Prefix<u32>> {
    (0..SIZE, lengths).prop_map(|(offset, length)| Prefix::new(SPACE + offset, length))
}

fn foreign() -> impl Strategy<Value = Route<u32>> {
    let kinds = [
        RTN_UNICAST,
        RTN_UNICAST,
        RTN_LOCAL,
        RTN_BLACKHOLE,
        RTN_THROW,
    ];
    (
        prefix(24..=32),
        prop::sample::select(&TABLES[..]),
        prop::sample::select(kinds.to_vec()),
        0_u32..3,
        prop::sample::select(&[0, 0, 0, 0x10][..]),
    )
        .prop_map(|(prefix, table, kind, metric, tos)| Route {
            prefix,
            source: None,
            tos,
            table,
            metric,
            protocol: 4,
            kind,
            flags: 0,
        })
}

fn rule() -> impl Strategy<Value = Rule<u32>> {
    let from = [None, Some(([10, 9, 0, 0], 16)), Some(([10, 9, 1, 0], 24))];
    let from =
        from.map(|from| from.map(|(net, length)| Prefix::new(u32::from_be_bytes(net), length)));
    let mark = [
        None,
        None,
        Some((1, u32::MAX)),
        Some((2, u32::MAX)),
        Some((1, 1)),
    ];
    let iif = [None, None, Some("lo"), Some("eth0")];
    let other = [
        None,
        None,
        None,
        Some(Selector::Tos(0x10)),
        Some(Selector::Protocol(17)),
        Some(Selector::Protocol(6)),
        Some(Selector::Uids(0, 0)),
        Some(Selector::Uids(5, 9)),
    ];
    let action = prop_oneof![
        5 => prop::sample::select(&TABLES[..]).prop_map(Action::Lookup),
        1 => (1_u32..10).prop_map(Action::Goto),
        1 => Just(Action::Nop),
        1 => Just(Action::Drop("blackhole")),
    ];
    (
        (
            prop::sample::select(from.to_vec()),
            prop::sample::select(mark.to_vec()),
            prop::sample::select(iif.to_vec()),
            prop::sample::select(other.to_vec()),
        ),
        prop::option::weighted(0.2, prefix(26..=31)),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.05),
        action,
        prop::option::weighted(0.2, 24_u8..32),
    )
        .prop_map(
            |((from, mark, iif, other), to, invert, detached, action, suppress)| {
                let mark = mark.map(|(value, mask)| Selector::Mark(value, mask));
                let iif = iif.map(|iif: &str| Selector::In(iif.into()));
                let other = [mark, iif, other].into_iter().flatten().collect();
                let select = Select { from, other };
                Rule {
                    select,
                    to,
                    invert,
                    detached,
                    action,
                    suppress,
                    ..Rule::lookup(0, 0)
                }
            },
        )
}

/// The kernel: rules in order, with a rule for our table in most cases, and routes in the order of
/// a dump.
#[derive(Clone, Debug)]
struct World {
    prefixes: Vec<Prefix<u32>>,
    routes: Vec<Route<u32>>,
    rules: Vec<Rule<u32>>,
}

fn world() -> impl Strategy<Value = World> {
    let prefixes = prop::collection::vec(prefix(27..=32), 1..6).prop_map(|mut prefixes| {
        prefixes.sort_unstable_by_key(Prefix::key);
        aggregate(prefixes)
    });
    let rules = prop::collection::vec(rule(), 0..6);
    let there = prop::collection::vec((prop::bool::weighted(0.9), 0_u32..3), 8);
    let routes = prop::collection::vec(foreign(), 0..8);
    (prefixes, there, routes, rules, prop::bool::weighted(0.8))
        .prop_flat_map(|(prefixes, there, mut routes, mut rules, main)| {
            let mark = Mark::default();
            let ours = prefixes.iter().zip(there).filter(|(_, (there, _))| *there);
            routes.extend(ours.map(|(prefix, (_, metric))| Route {
                prefix: *prefix,
                source: None,
                tos: 0,
                table: mark.table,
                metric,
                protocol: mark.protocol,
                kind: RTN_BLACKHOLE,
                flags: 0,
            }));
            for (rule, priority) in rules.iter_mut().zip(1..) {
                rule.priority = priority;
            }
            rules.insert(0, Rule::lookup(0, 255));
            if main {
                rules.push(Rule::lookup(8, mark.table));
                rules.push(Rule::lookup(9, 253));
            }
            (Just(prefixes), Just(routes).prop_shuffle(), Just(rules))
        })
        .prop_map(|(prefixes, routes, rules)| World {
            prefixes,
            routes,
            rules,
        })
}

/// As `ask` does it.
fn found(world: &World, order: &Order<u32>) -> Findings<u32> {
    let mark = Mark::default();
    let mut tables = order.reach(mark.table, false).tables;
    for _ in 0..2 {
        let mut fib = Fib::new(&world.prefixes, mark, &tables);
        world.routes.iter().for_each(|seen| fib.take(*seen, &[]));
        fib.sort();
        if !fib.throws() {
            return leaks(&fib, order, &Names::default(), &mark).0;
        }
        tables = order.reach(mark.table, true).tables;
    }
    let mut fib = Fib::new(&world.prefixes, mark, &tables);
    world.routes.iter().for_each(|seen| fib.take(*seen, &[]));
    fib.sort();
    leaks(&fib, order, &Names::default(), &mark).0
}

/// Every forwarded packet is found, and every finding is forwarded.
fn agree(world: &World) -> Result<(), TestCaseError> {
    let order = Order::new(world.rules.clone(), &[]);
    let found = found(world, &order);
    let forwards = |packet| forwarded(&world.rules, &world.routes, packet);

    for (index, prefix) in world.prefixes.iter().enumerate() {
        let open = |kind| {
            found
                .kept
                .iter()
                .any(|one| one.kind == kind && one.prefix == index)
        };
        for to in prefix.first()..=prefix.last() {
            let leaking: Vec<Packet> = packets(to).filter(|packet| forwards(*packet)).collect();
            let told = found.kept.iter().any(|one| {
                one.kind == Kind::NoRule
                    || one.net.contains(&Prefix::host(to))
                    || (one.prefixes > 1 && index <= one.last)
            });
            let address = Ipv4Addr::from(to);
            prop_assert!(
                leaking.is_empty() || told,
                "{address}: {leaking:?} in {found:#?}"
            );
            let plain = leaking.iter().any(|packet| is(*packet, Question::PLAIN));
            let explained = found.explains(index, *prefix, to).is_some();
            prop_assert!(!plain || explained, "{address} in {found:#?}");
            prop_assert!(
                plain
                    || !explained
                    || open(Kind::Missing)
                    || found.counts[Kind::NoRule as usize] > 0
                    || found.kept.iter().any(|one| one.plain()),
                "{address}: explained, and nothing to explain"
            );
        }
    }
    for one in &found.kept {
        if matches!(one.kind, Kind::Missing | Kind::NoRule) {
            continue;
        }
        let class = one.packets.as_ref().unwrap();
        let meant = |packet: &Packet| {
            let mut never = class.never.iter();
            has(&class.must, *packet) && never.all(|(select, _)| !has(select, *packet))
        };
        let meant: Vec<Packet> = packets(one.address).filter(meant).collect();
        prop_assert!(!meant.is_empty(), "no such packets: {one:#?}");
        for packet in meant {
            prop_assert!(forwards(packet), "{packet:?} is dropped: {one:#?}");
        }
        if let Some(question) = one.askable() {
            let packet = packets(one.address)
                .find(|packet| is(*packet, question))
                .unwrap();
            prop_assert!(forwards(packet), "asked in vain: {one:#?}");
        }
        prop_assert!(world.prefixes[one.prefix].contains(&Prefix::host(one.address)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(4_000)))]

    #[test]
    fn what_the_kernel_forwards_is_found_and_what_is_found_it_forwards(world in world()) {
        agree(&world)?;
    }
}

fn net(offset: u32, length: u8) -> Prefix<u32> {
    Prefix::new(SPACE + offset, length)
}

fn seen(prefix: Prefix<u32>, table: u32, kind: u8) -> Route<u32> {
    Route {
        prefix,
        source: None,
        tos: 0,
        table,
        metric: 0,
        protocol: 4,
        kind,
        flags: 0,
    }
}

fn only(priority: u32, other: Selector, action: Action) -> Rule<u32> {
    let mut rule = Rule::lookup(priority, 0);
    rule.select.other = vec![other];
    rule.action = action;
    rule
}

/// Of two kinds of packets that leak by the same rule and route, the marked ones are found first:
/// `not` matches all others.
#[test]
fn packets_with_nothing_to_them_are_told_before_marked_ones_of_the_same_cause() {
    let mut drops = only(1, Selector::Protocol(6), Action::Drop("blackhole"));
    drops.select.from = Some(Prefix::new(u32::from_be_bytes([10, 9, 1, 0]), 24));
    drops.select.other.push(Selector::In("lo".into()));
    drops.select.other.push(Selector::Mark(1, 1));
    let mut jumps = only(2, Selector::Protocol(6), Action::Goto(5));
    jumps.select.other.push(Selector::Mark(2, u32::MAX));
    jumps.invert = true;
    jumps.suppress = Some(25);
    let mark = Mark::default();
    let world = World {
        prefixes: vec![net(32, 27)],
        routes: vec![
            seen(net(32, 28), mark.table, RTN_THROW),
            seen(net(36, 30), 253, RTN_LOCAL),
            Route {
                protocol: mark.protocol,
                ..seen(net(32, 27), mark.table, RTN_BLACKHOLE)
            },
        ],
        rules: vec![
            Rule::lookup(0, 255),
            drops,
            jumps,
            Rule::lookup(8, mark.table),
            Rule::lookup(9, 253),
        ],
    };
    agree(&world).unwrap();
    let order = Order::new(world.rules.clone(), &[]);
    let kept = found(&world, &order).kept;
    let [finding] = &kept[..] else {
        panic!("one cause: {kept:#?}")
    };
    assert_eq!(finding.askable(), Some(Question::PLAIN));
    assert!(finding.plain() && finding.mixed);
    assert_eq!(
        finding.jump,
        Some(2),
        "the way of the packets that are told"
    );
    let words = finding.packets.as_ref().unwrap().words(&Names::default());
    let expected =
        "packets not from 10.9.1.0/24 of this machine itself with fwmark 0x1/0x1 with ipproto tcp";
    assert_eq!(words.as_deref(), Some(expected));
}

/// Packets with none of the user IDs of two rules are a kind as well.
#[test]
fn packets_of_users_that_no_rule_names_are_told() {
    let out = seen(net(0, 24), 253, RTN_UNICAST);
    let drops = Route {
        tos: 0x10,
        metric: 2,
        ..seen(net(0, 24), 8, RTN_BLACKHOLE)
    };
    let in_on = |mut rule: Rule<u32>| {
        rule.select.other.push(Selector::In("eth0".into()));
        rule
    };
    let mut marked = in_on(Rule::lookup(4, 253));
    marked.select.from = Some(Prefix::new(u32::from_be_bytes([10, 9, 1, 0]), 24));
    marked.select.other.push(Selector::Mark(1, u32::MAX));
    marked.suppress = Some(31);
    let mut jumps = only(5, Selector::Protocol(6), Action::Goto(7));
    jumps.select.from = Some(Prefix::new(u32::from_be_bytes([10, 9, 0, 0]), 16));
    jumps.select.other.push(Selector::In("lo".into()));
    jumps.select.other.push(Selector::Mark(1, 1));
    jumps.to = Some(net(58, 31));
    jumps.invert = true;
    let world = World {
        prefixes: vec![net(0, 27)],
        routes: vec![out, drops],
        rules: vec![
            Rule::lookup(0, 255),
            only(1, Selector::Uids(0, 0), Action::Lookup(253)),
            in_on(only(2, Selector::Uids(5, 9), Action::Lookup(8))),
            in_on(only(3, Selector::Tos(0x10), Action::Lookup(253))),
            marked,
            jumps,
            Rule::lookup(8, 254),
            Rule::lookup(9, 253),
        ],
    };
    agree(&world).unwrap();
}
