//! Packets *from* a listed network: what drops them and what does not, with real ones.

use crate::support::lab::{LIST, LISTED, Lab, NEIGHBOURS};
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NO_KERNEL, NOC, Place, has_time, installed, left_out, repository};

/// Where the far host sends to, by family.
const VICTIM: [&str; 2] = ["100.64.0.2", "fd00:1::2"];

/// Three requests, one soon after the other.
const THREE: [&str; 4] = ["-c", "3", "-i", "0.01"];

/// Three echo requests from this address of the far host; how many reach the near one.
fn arrive(lab: &Lab, source: &str) -> u64 {
    let victim = VICTIM[usize::from(source.contains(':'))];
    let before = echoes(&lab.near, source);
    lab.far
        .ping(&[&THREE, &["-I", source, victim][..]].concat());
    echoes(&lab.near, source) - before
}

/// Echo requests to this address of the far host; how many of three reach it.
fn reach(lab: &Lab, address: &str) -> u64 {
    let before = echoes(&lab.far, address);
    lab.near.ping(&[&THREE, &[address][..]].concat());
    echoes(&lab.far, address) - before
}

/// Echo requests of a family that a host has counted (`/proc/net/snmp`, `snmp6`).
fn echoes(host: &Namespace, family: &str) -> u64 {
    if family.contains(':') {
        let counters = host.sh("cat /proc/net/snmp6");
        let line = counters
            .lines()
            .find(|line| line.starts_with("Icmp6InEchos "));
        return line
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
    }
    let counters = host.sh("grep ^Icmp: /proc/net/snmp");
    let mut lines = counters.lines().map(str::split_whitespace);
    let (names, mut values) = (lines.next().unwrap(), lines.next().unwrap());
    let place = names
        .into_iter()
        .position(|name| name == "InEchos")
        .unwrap();
    values.nth(place).unwrap().parse().unwrap()
}

fn rp_filter(lab: &Lab, all: u8, far0: u8) {
    let conf = "/proc/sys/net/ipv4/conf";
    lab.router.sh(&format!(
        "echo {all} > {conf}/all/rp_filter; echo {far0} > {conf}/far0/rp_filter; echo 0 > {conf}/near0/rp_filter"
    ));
}

/// A router that drops what is listed, without any filter by source.
fn dropping(kernel: &str) -> Option<(Lab, Place)> {
    let lab = Lab::new()?;
    rp_filter(&lab, 0, 0);
    let place = Place::new(&format!("{NOC}{kernel}"));
    for address in LISTED.into_iter().chain(NEIGHBOURS) {
        eventually("it answers before", || lab.answers(address));
    }
    place.write("noc.list", LIST);
    place.run_in(&lab.router, &["refresh"]).code(0);
    Some((lab, place))
}

#[test]
fn packets_from_a_listed_network_arrive_without_and_die_with_the_reverse_path_filter() {
    let Some((lab, place)) = dropping("") else {
        return;
    };
    let [listed, listed6] = LISTED;
    let [neighbour, neighbour6] = NEIGHBOURS;
    let status = || place.run_in(&lab.router, &["status"]).code(0);
    assert_eq!(arrive(&lab, listed), 3, "a route alone drops no source");
    assert!(
        !lab.answers(listed),
        "the way there is dropped all the same"
    );
    status().says(
        "sources  IPv4 packets from listed networks are NOT dropped on far0, near0: net.ipv4.conf.*.rp_filter = 0; IPv6 needs nftables (doc/operating.md, \"To a listed network, and from it\")",
    );
    for (all, far0) in [(0, 1), (0, 2), (2, 0)] {
        rp_filter(&lab, all, far0);
        let filter = format!("all {all}, far0 {far0}");
        assert_eq!(arrive(&lab, listed), 0, "{filter}");
        assert_eq!(arrive(&lab, neighbour), 3, "{filter}");
        assert_eq!(arrive(&lab, listed6), 3, "{filter}: none for IPv6");
        assert_eq!(arrive(&lab, neighbour6), 3, "{filter}");
    }
    status().says("sources  IPv4 packets from listed networks are dropped on far0, near0 (loose); IPv6 needs nftables");
    rp_filter(&lab, 0, 1);
    status().says(
        "sources  IPv4 packets from listed networks are dropped on far0 (strict); NOT dropped on near0: net.ipv4.conf.near0.rp_filter = 0;",
    );
    let json = place.run_in(&lab.router, &["status", "--json"]).json();
    let far0 =
        serde_json::json!({"name": "far0", "rp_filter": 1, "vrf_table": null, "dropped": true});
    assert_eq!(json["sources"]["ipv4"][0], far0);
    // `verify` says the same, below its verdict.
    let line = "sources: IPv4 packets from listed networks are dropped on far0 (strict); NOT dropped on near0: net.ipv4.conf.near0.rp_filter = 0; \
                IPv6 needs nftables (doc/operating.md, \"To a listed network, and from it\")";
    let verify = place.run_in(&lab.router, &["verify"]).code(0);
    assert_eq!(verify.lines().last(), Some(&line), "{}", verify.out);
    let verify = place.run_in(&lab.router, &["verify", "--json"]).code(0);
    assert_eq!(verify.json()["sources"], serde_json::json!([line]));

    // Packets come in without an address as well (RFC 5549), and not where it is down.
    lab.router.ip("link set far0 down");
    lab.router.ip("address flush dev near0");
    status().says("sources  IPv4 packets from listed networks are NOT dropped on near0: net.ipv4.conf.near0.rp_filter = 0;");
    lab.router.ip("link set near0 down");
    status().says("sources  IPv4: no interface is up;");
}

#[test]
fn the_line_about_sources_is_for_those_who_install_routes() {
    let place = Place::of_list(LIST);
    place.run(&["refresh"]).code(0);
    let said = place.run(&["status"]).code(0).out;
    assert!(!said.contains("sources  "), "{said}");
    let json = place.run(&["status", "--json"]).json();
    assert!(json["sources"].is_null());
}

/// What stands in the documentation between its fences.
fn of_document(language: &str, begins: &str) -> String {
    let readme = std::fs::read_to_string(repository().join("doc/operating.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1);
    let mut blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    blocks
        .find(|block| block.contains(begins))
        .unwrap()
        .to_owned()
}

#[test]
fn the_nftables_rules_of_the_readme_drop_them_in_both_families() {
    if !installed("nft") {
        return left_out("nftables is not installed");
    }
    // Also where the routes stand in a table of their own, which a rule leads to.
    for kernel in ["", "[kernel]\ntable = 1166\nrule = 5000\n"] {
        let Some((lab, place)) = dropping(kernel) else {
            return;
        };
        for listed in LISTED {
            assert_eq!(arrive(&lab, listed), 3, "{listed} before");
        }
        place.write(
            "sources.nft",
            &of_document("nft", "table inet nullrouted_sources"),
        );
        let load = format!("nft -f {}", place.path("sources.nft").display());
        lab.router.sh(&load);
        lab.router.sh(&load);
        let drops = lab.router.sh("nft list ruleset");
        assert_eq!(drops.matches(" drop").count(), 2, "loaded twice: {drops}");
        for listed in LISTED {
            assert_eq!(arrive(&lab, listed), 0, "{listed} {kernel}");
        }
        for neighbour in NEIGHBOURS {
            assert_eq!(arrive(&lab, neighbour), 3, "{neighbour} {kernel}");
        }
        place.run_in(&lab.router, &["flush"]).code(0);
        for listed in LISTED {
            assert_eq!(arrive(&lab, listed), 3, "{listed} after the flush {kernel}");
        }
    }
}

#[test]
fn the_sysctl_lines_of_the_readme_drop_them_in_ipv4() {
    let Some((lab, _place)) = dropping("") else {
        return;
    };
    let lines = of_document("ini", "rp_filter");
    for line in lines.lines() {
        let (name, value) = line.split_once(" = ").unwrap();
        let file = name.replace('.', "/");
        lab.router.sh(&format!("echo {value} > /proc/sys/{file}"));
    }
    assert_eq!(arrive(&lab, LISTED[0]), 0);
    assert_eq!(arrive(&lab, NEIGHBOURS[0]), 3);
}

/// The file of family `nftables` with its default commands.
fn of_nftables(direction: &str) -> String {
    format!(
        "[[router]]\nname = \"nft\"\nfamily = \"nftables\"\npath = \"nullrouted.nft\"\ndirection = \"{direction}\"\n\
         check = \"default\"\nreload = \"default\"\nverify = \"default\"\n"
    )
}

/// Each direction after every other one, so that what an earlier file installed is taken away.
#[test]
fn nftables_drops_packets_to_what_is_listed_or_from_it_or_both() {
    if !has_time() {
        return;
    }
    if !installed("nft") {
        return left_out("nftables is not installed");
    }
    let Some(lab) = Lab::new() else { return };
    rp_filter(&lab, 0, 0);
    let place = Place::new(NOC);
    place.write("noc.list", LIST);
    for address in LISTED.into_iter().chain(NEIGHBOURS) {
        eventually("it answers before", || lab.answers(address));
    }
    for direction in ["from", "to", "both", "from"] {
        place.configure(&format!("{NOC}{NO_KERNEL}{}", of_nftables(direction)));
        place.run_in(&lab.router, &["refresh"]).code(0);
        let again = place.run_in(&lab.router, &["refresh"]).code(0);
        assert!(!again.err.contains("loaded again"), "{}", again.err);
        let (to, from) = (direction != "from", direction != "to");
        for listed in LISTED {
            let expected = if to { 0 } else { 3 };
            assert_eq!(reach(&lab, listed), expected, "to {listed}: {direction}");
            let expected = if from { 0 } else { 3 };
            assert_eq!(arrive(&lab, listed), expected, "from {listed}: {direction}");
            // What the router itself sends.
            let before = echoes(&lab.far, listed);
            lab.router.ping(&[listed]);
            let sent = echoes(&lab.far, listed) - before;
            assert_eq!(
                sent,
                u64::from(!to),
                "of the router to {listed}: {direction}"
            );
        }
        for neighbour in NEIGHBOURS {
            assert_eq!((reach(&lab, neighbour), arrive(&lab, neighbour)), (3, 3));
        }
        let table = lab.router.sh("nft list table inet nullrouted");
        let count = |part: &str| table.matches(part).count();
        let both = usize::from(to && from);
        assert_eq!(count("\tcounter "), 2 + 2 * both, "{direction}: {table}");
        assert_eq!(count("\tchain "), 1 + usize::from(to), "{table}");
        // One rule less is seen.
        lab.router.sh("nft flush chain inet nullrouted prerouting");
        let again = place.run_in(&lab.router, &["refresh"]).code(0);
        again.says("nullrouted.nft loaded again");
    }
}

/// In either order.
#[test]
fn the_rules_of_the_readme_and_those_of_family_nftables_stand_side_by_side() {
    if !has_time() {
        return;
    }
    if !installed("nft") {
        return left_out("nftables is not installed");
    }
    for readme_first in [true, false] {
        let Some((lab, place)) = dropping("") else {
            return;
        };
        place.write("sources.nft", &of_document("nft", "table inet"));
        let readme = format!("nft -f {}", place.path("sources.nft").display());
        let family = || {
            place.configure(&format!("{NOC}{}", of_nftables("to")));
            place.run_in(&lab.router, &["refresh"]).code(0);
        };
        if readme_first {
            lab.router.sh(&readme);
            family();
        } else {
            family();
            lab.router.sh(&readme);
        }
        // The rules and sets of both are there, and the default `verify` finds nothing to load
        // again.
        let again = place.run_in(&lab.router, &["refresh"]).code(0);
        assert!(!again.err.contains("loaded again"), "{}", again.err);
        let ruleset = lab.router.sh("nft list ruleset");
        for part in [
            "72.37.186.0/23",
            "2001:db8:bad::/48",
            "fib saddr oif missing",
            "fib saddr type",
        ] {
            assert!(ruleset.contains(part), "{part} in {ruleset}");
        }
        for listed in LISTED {
            assert_eq!(
                (reach(&lab, listed), arrive(&lab, listed)),
                (0, 0),
                "{listed}"
            );
        }
        // Without our routes the sets drop what goes there, and the rules of the README nothing.
        for word in ["-4", "-6"] {
            lab.router.ip(&format!("{word} route flush proto 166"));
        }
        for listed in LISTED {
            assert_eq!(
                (reach(&lab, listed), arrive(&lab, listed)),
                (0, 3),
                "{listed}"
            );
        }
        for neighbour in NEIGHBOURS {
            assert_eq!((reach(&lab, neighbour), arrive(&lab, neighbour)), (3, 3));
        }
    }
}
