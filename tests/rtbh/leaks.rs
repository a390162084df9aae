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
    let session = |asn, map| Session { asn, map };
    Star::new(
        &[
            session(65_000, "NULLROUTED-OUT"),
            session(65_000, "MIXED"),
            session(65_001, "NULLROUTED-OUT"),
            session(65_002, "ALL"),
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

/// The header's way back.
fn undo(star: &Star) {
    star.enter(&[
        "router bgp 65000",
        "address-family ipv4 unicast",
        "no redistribute kernel",
        "exit-address-family",
        "address-family ipv6 unicast",
        "no redistribute kernel",
    ]);
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
    undo(&star);
    have(&star, "after the undo", before);
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
    undo(&star);
    have(&star, "after the undo", before);
}
