//! Who receives what a trigger announces: four neighbors, each table compared exactly before, during, after a flush and
//! after the undo of the header.

use std::collections::BTreeSet;

use super::star::{OWN, Session, Star};
use crate::support::namespace::eventually;

const LIST: &str = "72.37.186.0/23\n198.51.100.0/24\n2001:db8:bad::/48\n";
const LISTED: [&str; 3] = ["198.51.100.0/24", "2001:db8:bad::/48", "72.37.186.0/23"];

/// The recipe of the header for a session that carries other routes too, and what a careless operator writes.
const MAPS: &str = "bgp community-list standard NULLROUTED seq 5 permit blackhole
route-map MIXED permit 1
 match community NULLROUTED
 set community no-export additive
exit
route-map MIXED permit 65535
exit
route-map ALL permit 10
exit
";

fn star() -> Option<Star> {
    let session = |asn, out| Session { asn, out };
    Star::new(
        &[
            session(65_000, "route-map NULLROUTED-OUT"),
            session(65_000, "route-map MIXED"),
            session(65_001, "route-map NULLROUTED-OUT"),
            session(65_002, "route-map ALL"),
        ],
        MAPS,
    )
}

fn set(parts: &[&[&str]]) -> BTreeSet<String> {
    let all = parts.iter().flat_map(|part| part.iter());
    all.map(ToString::to_string).collect()
}

/// Each neighbor comes to have exactly this.
#[track_caller]
fn have(star: &Star, when: &str, tables: [&[&[&str]]; 4]) {
    for (number, table) in (1..).zip(tables) {
        let wanted = set(table);
        eventually(&format!("neighbor {number} has {wanted:?} {when}"), || {
            star.table(number) == wanted
        });
    }
    // Nothing more comes to one of them while the others are waited for.
    for (number, table) in (1..).zip(tables) {
        assert_eq!(star.table(number), set(table), "neighbor {number} {when}");
    }
}

const NOTHING: &[&[&str]] = &[];
const OTHERS: &[&[&str]] = &[&[OWN]];
const BLACKHOLES: &[&[&str]] = &[&LISTED];
const BOTH: &[&[&str]] = &[&LISTED, &[OWN]];

/// The header's way back, in its order; `alone` are the neighbors of recipe 1.
fn undo(star: &Star, alone: &[usize]) {
    let have = |when, nothing: &[usize]| {
        let tables = [1, 2, 3, 4].map(|number| match nothing.contains(&number) {
            true => NOTHING,
            false => OTHERS,
        });
        self::have(star, when, tables);
    };
    star.enter(&[
        "router bgp 65000",
        "address-family ipv4 unicast",
        "no redistribute kernel",
        "exit-address-family",
        "address-family ipv6 unicast",
        "no redistribute kernel",
    ]);
    have("after the first step of the undo", alone);
    for number in alone {
        let [shut, ipv4] = ["shutdown", "route-map NULLROUTED-OUT out"]
            .map(|what| format!("neighbor 100.64.{number}.2 {what}"));
        star.enter(&["router bgp 65000", &shut]);
        let gone = format!("no {ipv4}");
        for family in ["ipv4", "ipv6"] {
            let family = format!("address-family {family} unicast");
            star.enter(&["router bgp 65000", &family, &gone]);
        }
    }
    star.enter(&["no route-map MIXED permit 1"]);
    let running = star.trigger.run("vtysh", &["-c", "show running-config"]);
    let names = |line: &str| {
        let mut words = line.split(' ');
        let name = words.clone().find(|word| word.starts_with("NULLROUTED"))?;
        let kind = words.position(|word| word == name)?;
        let before: Vec<_> = line.split(' ').take(kind).collect();
        (!line.starts_with(' ')).then(|| format!("no {} {name}", before.join(" ")))
    };
    let named: BTreeSet<_> = running.out.lines().filter_map(names).collect();
    assert_eq!(named.len(), 8, "{named:?}");
    let (maps, lists): (Vec<_>, Vec<_>) = named
        .iter()
        .map(String::as_str)
        .partition(|line| line.starts_with("no route-map"));
    star.enter(&maps);
    star.enter(&lists);
    let held = star
        .trigger
        .run("vtysh", &["-d", "bgpd", "-c", "show running-config"]);
    let left: Vec<_> = held
        .out
        .lines()
        .filter(|line| line.contains("NULLROUTED"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    have("after the undo", alone);
}

#[test]
fn no_ebgp_neighbor_receives_a_blackhole_whatever_its_map_permits() {
    let Some(star) = star() else { return };
    let before = [NOTHING, OTHERS, NOTHING, OTHERS];
    star.configure("");
    star.place.write("noc.list", "# nobody yet\n");
    star.run(&["refresh"]).code(0);
    have(&star, "before", before);
    star.place.write("noc.list", LIST);
    star.run(&["refresh"]).code(0);
    let during = [BLACKHOLES, BOTH, NOTHING, OTHERS];
    have(&star, "while it is listed", during);
    // All that received it are iBGP neighbors, and none is named.
    star.run(&["refresh"]).code(0).says("it.conf unchanged");

    // One of two is named: the other one receives it all the same.
    star.configure("neighbors = [\"100.64.1.2\"]\n");
    let leak = "LEAK: 100.64.2.2 (iBGP) may not have blackholes and is sent at least 3, such as 198.51.100.0/24: refuse them to \
                it, or name it in neighbors";
    star.run(&["refresh"]).code(1).says(leak);
    star.configure("neighbors = [\"100.64.1.2\", \"100.64.2.2\"]\n");
    star.run(&["refresh"]).code(0);
    have(&star, "named or not", during);

    star.run(&["flush"]).code(0);
    have(&star, "after a flush", before);
    star.run(&["unpin"]).code(0);
    star.run(&["refresh"]).code(0);
    have(&star, "after unpin", during);
    undo(&star, &[1, 3]);
}

#[test]
fn an_ebgp_neighbor_that_is_not_named_and_receives_a_blackhole_is_a_leak() {
    let Some(star) = star() else { return };
    let before = [NOTHING, OTHERS, NOTHING, OTHERS];
    star.configure(
        "announce_to = \"ebgp\"\nneighbors = [\"100.64.1.2\", \"100.64.2.2\", \"100.64.3.2\"]\n",
    );
    star.place.write("noc.list", "# nobody yet\n");
    star.run(&["refresh"]).code(0);
    have(&star, "before", before);
    star.place.write("noc.list", LIST);
    star.run(&["refresh"]);
    have(
        &star,
        "while it leaks",
        [BLACKHOLES, BOTH, BLACKHOLES, BOTH],
    );
    let leak = "LEAK: 100.64.4.2 (eBGP) may not have blackholes and is sent at least 3, such as 198.51.100.0/24: refuse them to \
                it, or name it in neighbors";
    let ran = star.run(&["refresh"]).code(1).says(leak);
    assert!(
        !ran.err.contains("100.64.1.2") && !ran.err.contains("100.64.3.2"),
        "{}",
        ran.err
    );
    let status = star.run(&["status"]).out;
    assert!(
        status.contains("target it  FAILED") && status.contains(leak),
        "{status}"
    );
    // What is delisted leaves the router all the same.
    star.place
        .write("noc.list", "72.37.186.0/23\n198.51.100.0/24\n");
    star.run(&["refresh"]).code(1).says("LEAK: ");
    eventually("it is delisted", || {
        !star.table(1).contains("2001:db8:bad::/48")
    });
    star.place.write("noc.list", LIST);
    star.run(&["refresh"]);

    // As the header says.
    star.enter(&["route-map ALL deny 1", "match community NULLROUTED"]);
    let during = [BLACKHOLES, BOTH, BLACKHOLES, OTHERS];
    have(&star, "denied", during);
    star.run(&["refresh"]).code(0).says("it.conf unchanged");
    star.run(&["flush"]).code(0);
    have(&star, "after a flush", before);
    star.run(&["unpin"]).code(0);
    star.run(&["refresh"]).code(0);
    have(&star, "after unpin", during);
    star.enter(&["no route-map ALL deny 1"]);
    undo(&star, &[1, 3]);
}

/// bgpd sends an eBGP neighbor nothing only where it has no policy of any kind.
#[test]
fn a_prefix_list_alone_is_a_policy_and_its_neighbor_receives_a_blackhole() {
    let maps = "ip prefix-list ALL seq 5 permit any\nipv6 prefix-list ALL seq 5 permit any\n";
    let session = |asn, out| Session { asn, out };
    let Some(star) = Star::new(
        &[
            session(65_000, "route-map NULLROUTED-OUT"),
            session(65_001, "prefix-list ALL"),
            session(65_002, ""),
        ],
        maps,
    ) else {
        return;
    };
    star.enter(&["router bgp 65000", "bgp ebgp-requires-policy"]);
    star.trigger.run("vtysh", &["-c", "clear bgp *"]).code(0);
    star.configure("announce_to = \"ebgp\"\nneighbors = [\"100.64.1.2\"]\n");
    star.place.write("noc.list", LIST);
    star.run(&["refresh"]);
    let has = |number, table: &[&[&str]]| {
        let wanted = set(table);
        eventually(&format!("neighbor {number} has {wanted:?}"), || {
            star.table(number) == wanted
        });
    };
    has(1, BLACKHOLES);
    has(2, BOTH);
    assert_eq!(star.table(3), set(NOTHING));
    let discarded = |number: usize| {
        let question = format!("show bgp neighbors 100.64.{number}.2");
        let shown = star.trigger.run("vtysh", &["-c", &question]);
        shown
            .out
            .contains("Outbound updates discarded due to missing policy")
    };
    assert_eq!([2, 3].map(discarded), [false, true]);
    let leak = "LEAK: 100.64.2.2 (eBGP) may not have blackholes and is sent at least 3, such as 198.51.100.0/24: refuse them to \
                it, or name it in neighbors";
    let ran = star.run(&["refresh"]).code(1).says(leak);
    assert!(!ran.err.contains("100.64.3.2"), "{}", ran.err);

    // The clauses of the header, and the line that puts them at the neighbor.
    star.enter(&[
        "route-map YOURS deny 1",
        "match community NULLROUTED",
        "route-map YOURS permit 65535",
    ]);
    for family in ["address-family ipv4 unicast", "address-family ipv6 unicast"] {
        let attach = "neighbor 100.64.2.2 route-map YOURS out";
        star.enter(&["router bgp 65000", family, attach]);
    }
    has(2, OTHERS);
    star.run(&["refresh"]).code(0).says("it.conf unchanged");
    has(1, BLACKHOLES);
}
