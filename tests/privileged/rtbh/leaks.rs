//! Who receives what a trigger announces: four neighbors, each table compared exactly before,
//! during, after a flush and after the undo of the header.

use std::collections::BTreeSet;

use super::star::{OWN, Session, Star};
use crate::support::namespace::eventually;

const LIST: &str = "72.37.186.0/23\n198.51.100.0/24\n2001:db8:bad::/48\n";
const LISTED: [&str; 3] = ["198.51.100.0/24", "2001:db8:bad::/48", "72.37.186.0/23"];

/// The recipe of the header for a session that carries other routes too, and what a careless
/// operator writes.
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

/// A clause that lacks what keeps blackholes from eBGP neighbors is no longer that of the file, and
/// the file is loaded again.
#[test]
fn a_guard_that_was_taken_out_of_a_clause_comes_back() {
    let Some(star) = star() else { return };
    star.configure("lists = \"one\"\n");
    star.place.write("noc.list", LIST);
    star.run(&["refresh"]).code(0);
    let guarded: [&[&[&str]]; 4] = [BLACKHOLES, BOTH, NOTHING, OTHERS];
    have(&star, "with the guard", guarded);
    star.run(&["refresh"]).code(0).says("it.conf unchanged");
    let mut open = ["NULLROUTED-IN", "NULLROUTED-IN6"].map(|map| {
        let clause = format!("route-map {map} permit 10");
        vec![clause, "set community blackhole".to_owned()]
    });
    let open = open.iter_mut().flat_map(std::mem::take).collect::<Vec<_>>();
    let open: Vec<_> = open.iter().map(String::as_str).collect();
    star.enter(&open);
    have(
        &star,
        "without the guard",
        [BLACKHOLES, BOTH, BLACKHOLES, BOTH],
    );
    // bgpd withdraws them a moment later: until then they are a leak.
    star.run(&["refresh"]).says("it.conf loaded again");
    have(&star, "with the guard again", guarded);
    star.run(&["refresh"]).code(0).says("it.conf unchanged");
    // The blackholes that others make and those of no list; what was added to a clause.
    let inner = [
        "route-map NULLROUTED-IN permit 10",
        "set local-preference 5",
    ];
    let source = [inner[0], "no match ip next-hop type blackhole"];
    let outer = ["route-map NULLROUTED-OUT permit 10", "set metric 7"];
    for changed in [source, inner, outer] {
        star.enter(&changed);
        star.run(&["refresh"]).code(0).says("it.conf loaded again");
        star.run(&["refresh"]).code(0).says("it.conf unchanged");
        have(&star, changed[1], guarded);
    }
}

/// Another network announces what is listed, and bgpd passes that on as every route.
#[test]
fn a_route_of_a_neighbor_that_is_listed_is_no_leak() {
    let Some(star) = star() else { return };
    star.configure("lists = \"one\"\n");
    let theirs = "72.40.0.0/16";
    let announces = [
        "-d",
        "bgpd",
        "-c",
        "configure terminal",
        "-c",
        "router bgp 65001",
        "-c",
        "address-family ipv4 unicast",
        "-c",
        "network 72.40.0.0/16",
    ];
    star.neighbor(3).run("vtysh", &announces).code(0);
    eventually("it is passed on", || star.table(4).contains(theirs));
    star.place.write("noc.list", &format!("{LIST}{theirs}\n"));
    for _ in 0..3 {
        let ran = star.run(&["refresh"]);
        assert!(!ran.err.contains("LEAK"), "{}", ran.err);
    }
    eventually("the others are announced", || {
        LISTED.iter().all(|listed| star.table(1).contains(*listed))
    });
    let ran = star.run(&["refresh"]).code(0);
    assert!(!ran.err.contains("LEAK"), "{}", ran.err);
}

/// no-export does not keep a route from the other ASes of a confederation.
#[test]
fn a_neighbor_of_the_same_confederation_is_no_ebgp_neighbor() {
    let session = |asn, out| Session { asn, out };
    let sessions = [
        session(65_000, "route-map NULLROUTED-OUT"),
        session(65_001, "route-map NULLROUTED-OUT"),
        session(65_002, "route-map NULLROUTED-OUT"),
    ];
    let Some(star) = Star::new(&sessions, "") else {
        return;
    };
    let confederation = [
        "bgp confederation identifier 65100",
        "bgp confederation peers 65000 65001",
    ];
    let inside = |asn: u32| format!("router bgp {asn}");
    star.enter(&[&inside(65_000), confederation[0], confederation[1]]);
    for (number, asn) in [(1, 65_000), (2, 65_001)] {
        let router = inside(asn);
        let words = ["-d", "bgpd", "-c", "configure terminal", "-c", &router];
        let more = confederation.iter().flat_map(|line| ["-c", line]);
        let words: Vec<_> = words.into_iter().chain(more).collect();
        star.neighbor(number).run("vtysh", &words).code(0);
    }
    // The neighbor outside knows the trigger by the AS of the confederation.
    let outside = "router bgp 65002";
    let (remove, add) = (
        "no neighbor 100.64.3.1",
        "neighbor 100.64.3.1 remote-as 65100",
    );
    let mut words = vec!["-d", "bgpd", "-c", "configure terminal"];
    for line in [
        outside,
        remove,
        add,
        "address-family ipv4 unicast",
        "neighbor 100.64.3.1 activate",
    ] {
        words.extend(["-c", line]);
    }
    star.neighbor(3).run("vtysh", &words).code(0);
    star.configure("lists = \"one\"\n");
    star.place
        .write("noc.list", "72.37.186.0/23\n198.51.100.0/24\n");
    star.run(&["refresh"]).code(0);
    let listed = set(&[&["198.51.100.0/24", "72.37.186.0/23"]]);
    for number in [1, 2] {
        eventually("it is announced", || star.table(number) == listed);
    }
    star.run(&["refresh"]).code(0).says("it.conf unchanged");
    assert_eq!(star.table(3), set(&[]));
}
