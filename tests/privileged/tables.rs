//! Tables of others, metrics, types, and two instances side by side.

use crate::support::lab::{LIST, LISTED, Lab, NEIGHBOURS};
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NOC, Place};

/// A table of our own, and the rule that leads to it.
const TABLE: &str = "[kernel]\ntable = 1166\nrule = 5000\n";

fn place(kernel: &str) -> Place {
    let place = Place::new(&format!("{NOC}{kernel}"));
    place.write("noc.list", LIST);
    place
}

/// A virtual router of table 1010 that near0 is in. Where the kernel has none, a rule by interface
/// does to packets what it would do.
fn virtual_router(lab: &Lab) {
    let router = &lab.router;
    let made = router.run(
        "ip",
        &["link", "add", "vrf-blue", "type", "vrf", "table", "1010"],
    );
    if made.code == Some(0) {
        router.ip("link set vrf-blue up");
        router.ip("link set near0 master vrf-blue");
        // IPv6 addresses go with the move.
        router.ip("-6 address replace fd00:1::1/64 dev near0 nodad");
        // The way back comes in through far0, which is in the main table.
        router.ip("route add 100.64.0.0/30 dev near0");
        router.ip("-6 route add fd00:1::/64 dev near0");
    } else {
        eprintln!(
            "no VRF device here ({}): a rule by interface stands for it",
            made.err.trim()
        );
        router.ip("rule add iif near0 lookup 1010 pref 1000");
        router.ip("-6 rule add iif near0 lookup 1010 pref 1000");
    }
    router.ip("route add default via 100.64.0.6 dev far0 table 1010");
    router.ip("-6 route add default via fd00:2::2 dev far0 table 1010");
}

#[test]
fn in_the_table_of_a_virtual_router_only_its_packets_die() {
    let Some(lab) = Lab::new() else {
        return;
    };
    virtual_router(&lab);
    let router = &lab.router;
    let Some(other) = router.another() else {
        return;
    };
    router.wire(
        "other0",
        "100.64.0.9/30 fd00:3::1/64",
        &other,
        "other1",
        "100.64.0.10/30 fd00:3::2/64",
    );
    other.ip("route add default via 100.64.0.9");
    other.ip("-6 route add default via fd00:3::1");
    let before = router.rules("166", false);
    for address in LISTED.into_iter().chain(NEIGHBOURS) {
        eventually("it answers before", || lab.answers(address));
        eventually("it answers the other host", || other.answers(address));
    }
    let place = place("[kernel]\ntable = 1010\n");
    place.run_in(router, &["refresh"]).code(0);
    for address in LISTED {
        assert!(!lab.answers(address), "{address} through near0");
        assert!(other.answers(address), "{address} through other0");
        assert!(router.answers(address), "{address} by the router itself");
    }
    for address in NEIGHBOURS {
        assert!(lab.answers(address), "{address} through near0");
    }
    place
        .run_in(router, &["status"])
        .says("all as far as a rule leads to table 1010");
    place.run_in(router, &["flush"]).code(0);
    for address in LISTED {
        assert!(lab.answers(address), "{address} after the flush");
    }
    assert_eq!(router.rules("166", false), before);
    assert!(router.ip("route show table 1010").contains("default via"));
}

#[test]
fn unreachable_and_prohibit_answer_as_they_should() {
    let Some(lab) = Lab::new() else {
        return;
    };
    for address in LISTED {
        eventually("it answers before", || lab.answers(address));
    }
    for (kind, v4, v6) in [
        (
            "unreachable",
            "From 100.64.0.1 icmp_seq=1 Destination Host Unreachable",
            "From fd00:1::1 icmp_seq=1 Destination unreachable: No route",
        ),
        (
            "prohibit",
            "From 100.64.0.1 icmp_seq=1 Packet filtered",
            "From fd00:1::1 icmp_seq=1 Destination unreachable: Administratively prohibited",
        ),
    ] {
        let place = place(&format!("[kernel]\ntype = \"{kind}\"\n"));
        place.run_in(&lab.router, &["refresh"]).code(0);
        for (address, answer) in LISTED.into_iter().zip([v4, v6]) {
            lab.ping(address).code(1).says(answer);
        }
        place.run_in(&lab.router, &["flush"]).code(0);
        assert!(lab.answers(LISTED[0]) && lab.answers(LISTED[1]));
    }
    // A blackhole says nothing.
    let place = place("");
    place.run_in(&lab.router, &["refresh"]).code(0);
    for address in LISTED {
        let silent = lab.ping(address).code(1);
        assert!(!silent.out.contains("From"), "{}", silent.out);
    }
}

#[test]
fn the_lower_metric_wins_and_why_says_so() {
    let Some(lab) = Lab::new() else {
        return;
    };
    let router = &lab.router;
    let networks = [
        ("72.37.186.0/23", "100.64.0.6"),
        ("2001:db8:bad::/48", "fd00:2::2"),
    ];
    for address in LISTED {
        eventually("it answers before", || lab.answers(address));
    }
    // Ours, theirs, and who wins, in IPv4 and in IPv6, where the kernel makes 1024 of a metric 0.
    for (metric, theirs, wins) in [
        (50, 100, [true, true]),
        (50, 20, [false, false]),
        (0, 20, [true, false]),
        (0, 2048, [true, true]),
    ] {
        let place = place(&format!("[kernel]\nmetric = {metric}\n"));
        for (network, via) in networks {
            router.ip(&format!("route add {network} via {via} metric {theirs}"));
        }
        let before = router.foreign();
        place
            .run_in(router, &["refresh"])
            .code(0)
            .says("added 2, removed 0, kept 0, failed 0");
        for ((address, (network, _)), wins) in LISTED.into_iter().zip(networks).zip(wins) {
            let case = format!("{network}: {metric} against {theirs}");
            assert_eq!(lab.answers(address), !wins, "{case}");
            let story = place.run_in(router, &["why", address]).code(0);
            match wins {
                true => story.says("  at kernel (table 254)"),
                false => story.says(&format!(
                    "; NOT at kernel: a route that is not ours, with a better metric, wins: {network} proto boot metric {theirs}"
                )),
            };
        }
        // It is where it should be: there is nothing to change.
        place
            .run_in(router, &["plan"])
            .code(0)
            .says("would add 0, remove 0, keep 2");
        place.run_in(router, &["flush"]).code(0);
        assert_eq!(router.foreign(), before, "theirs stay");
        for (network, via) in networks {
            router.ip(&format!("route del {network} via {via} metric {theirs}"));
        }
    }
}

#[test]
fn another_metric_moves_every_route_and_uncovers_nothing_meanwhile() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let v4 = (0..40).map(|n| format!("72.37.{}.0/24", 2 * n));
    let v6 = (0..20).map(|n| format!("2001:db8:{:x}::/48", 2 * n + 0xba0));
    let networks: Vec<String> = v4.chain(v6).collect();
    let place = place("");
    place.write("noc.list", &(networks.join("\n") + "\n"));
    place.run_in(&router, &["refresh"]).code(0);
    for (metric, shown4, shown6) in [
        (50, " metric 50", " metric 50"),
        (7, " metric 7", " metric 7"),
        (0, "", " metric 1024"),
    ] {
        place.configure(&format!("{NOC}[kernel]\nmetric = {metric}\n"));
        let seen = router.watched(&place.path("monitor"), &["route"], || {
            place
                .run_in(&router, &["refresh"])
                .code(0)
                .says("added 60, removed 60, kept 0, failed 0");
        });
        for network in &networks {
            let mut count = 1;
            let of = |line: &&str| line.contains(&format!("blackhole {network} "));
            for line in seen.lines().filter(of) {
                count += if line.starts_with("Deleted") { -1 } else { 1 };
                assert!(count > 0, "{network} is uncovered at {line:?}");
            }
            assert_eq!(count, 1, "{network}");
            let shown = match network.contains(':') {
                true => format!("blackhole {network} dev lo{shown6} pref medium"),
                false => format!("blackhole {network}{shown4}"),
            };
            assert!(router.ours().contains(&shown), "{shown}");
        }
        assert_eq!(router.ours().len(), networks.len());
    }
}

#[test]
fn two_instances_in_one_table_do_not_see_each_other() {
    let Some(router) = Namespace::new() else {
        return;
    };
    for kernel in ["[kernel]\n", TABLE] {
        let table = if kernel == TABLE { "1166" } else { "main" };
        let of = |protocol: u8| {
            let v4 = router.ip(&format!("-4 route show table {table} proto {protocol}"));
            let v6 = router.ip(&format!("-6 route show table {table} proto {protocol}"));
            let all = [v4, v6].concat();
            let words = all
                .lines()
                .map(|line| line.split(' ').nth(1).unwrap().to_owned());
            words.collect::<Vec<_>>()
        };
        let led = |protocol: &str| router.rules(protocol, true).len();
        let both = if kernel == TABLE { 2 } else { 0 };
        let one = place(&format!("{kernel}protocol = 166\n"));
        let two = place(&format!("{kernel}protocol = 167\n"));
        // Its own, a part of the other's, and the very same.
        one.write(
            "noc.list",
            "72.37.186.0/23\n192.0.2.0/24\n2001:db8:bad::/48\n",
        );
        two.write(
            "noc.list",
            "72.37.187.0/24\n192.0.2.0/24\n198.51.100.0/24\n2001:db8:bad::/48\n2001:db8:600d::/48\n",
        );
        one.run_in(&router, &["refresh"])
            .code(0)
            .says("added 3, removed 0, kept 0");
        two.run_in(&router, &["refresh"])
            .code(0)
            .says("added 3, removed 0, kept 0")
            .says("2 left to a route that is not ours");
        let first = ["72.37.186.0/23", "192.0.2.0/24", "2001:db8:bad::/48"];
        assert_eq!(of(166), first);
        let second = ["72.37.187.0/24", "198.51.100.0/24", "2001:db8:600d::/48"];
        assert_eq!(of(167), second);
        assert_eq!((led("166"), led("167")), (both, both), "{kernel}");
        for instance in [&one, &two] {
            instance.run_in(&router, &["plan"]).code(0);
            instance
                .run_in(&router, &["refresh"])
                .code(0)
                .says("added 0, removed 0, kept 3");
        }
        one.write("noc.list", "72.37.186.0/23\n");
        one.run_in(&router, &["refresh"])
            .code(0)
            .says("added 0, removed 2, kept 1");
        assert_eq!(of(167), second);
        two.run_in(&router, &["refresh"])
            .code(0)
            .says("added 2, removed 0, kept 3");
        two.run_in(&router, &["flush"])
            .code(0)
            .says("added 0, removed 5, kept 0");
        assert_eq!((of(166), of(167)), (vec![first[0].to_owned()], vec![]));
        assert_eq!((led("166"), led("167")), (both, 0), "{kernel}");
        one.run_in(&router, &["flush"]).code(0);
        assert_eq!((of(166).len(), led("166")), (0, 0));
    }
}
