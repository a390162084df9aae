//! The list is right, and hurts by what it does in time or beside other lists and routes.

use crate::Incident;
use crate::feed_lies::body;
use crate::ground::{daemon, etc, holes, listed, touch};
use crate::over_http::ALONE;
use crate::support::cases::note;
use crate::support::http::{Answer, Server};
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NO_KERNEL, NOC, Place};

/// As lists carry it, two of them by design.
const PRIVATE: &str = "10.0.0.0/8\n100.64.0.0/10\n172.16.0.0/12\n127.0.0.1\n127.0.0.0/8\n169.254.0.0/16\n\
                       224.0.0.0/3\n72.37.186.0/24\nfe80::/10\nff02::/16\n::1\n";

pub fn private_space() {
    let incident = Incident::after("lengths_v4 = \"3-32\"", body(PRIVATE));
    assert_eq!(incident.in_force, ["72.37.186.0/24"]);
    for (address, why) in [
        ("127.0.0.1", "127.0.0.0/8, loopback (RFC 1122)"),
        ("172.20.0.1", "172.16.0.0/12, private use (RFC 1918)"),
        (
            "100.64.0.1",
            "100.64.0.0/10, shared address space (RFC 6598)",
        ),
        ("224.0.0.5", "224.0.0.0/4, multicast (RFC 5771)"),
    ] {
        let said = incident.place.run(&["why", address]).code(0);
        said.says("is listed and not blackholed: it is protected")
            .says(why);
    }
    // As most publishers write it, read by the default rules: what is too wide is refused, line by
    // line.
    let few = "10.0.0.0/8\n100.64.0.0/10\n172.16.0.0/12\n127.0.0.1\n224.0.0.0/3\n72.37.186.0/24\n";
    let incident = Incident::after("", body(few));
    assert_eq!(incident.in_force, ["72.37.186.0/24"]);
    // A bogon list is asked for by name, and even that never drops what a machine cannot do
    // without.
    let keys = "reserved = true\nlengths_v4 = \"3-32\"\nlengths_v6 = \"8-128\"";
    let limits = "[limits]\nmax_share_v4 = \"100%\"\nmax_share_v6 = \"100%\"\nshortest_v4 = 3\n";
    let bogons = Incident::with(keys, limits, body(PRIVATE));
    assert_eq!(
        bogons.in_force,
        [
            "10.0.0.0/8",
            "72.37.186.0/24",
            "100.64.0.0/10",
            "172.16.0.0/12",
            "240.0.0.0/4"
        ]
    );
}

pub fn shared_ownership() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let other = "[[feed]]\nname = \"other\"\npath = \"other.list\"\n";
    let place = Place::new(&format!("{NOC}{other}"));
    let refreshed = || {
        place.run_in(&router, &["refresh"]).code(0);
        router.ours()
    };
    place.write("noc.list", "72.37.186.0/23\n192.0.2.0/24\n");
    place.write("other.list", "72.37.186.0/23 # SBL1\n198.51.100.0/24\n");
    assert_eq!(refreshed().len(), 3);
    place.write("noc.list", "192.0.2.0/24\n");
    let both = ["blackhole 72.37.186.0/23", "blackhole 192.0.2.0/24"];
    assert_eq!(refreshed()[..2], both, "the other reason holds it");
    place
        .run_in(&router, &["why", "72.37.187.9"])
        .code(0)
        .says("is blackholed by 72.37.186.0/23")
        .says("listed by other: 72.37.186.0/23 (SBL1)")
        .says("formerly listed by noc: 72.37.186.0/23");
    place.write("other.list", "198.51.100.0/24\n");
    let left = ["blackhole 192.0.2.0/24", "blackhole 198.51.100.0/24"];
    assert_eq!(refreshed(), left, "the last reason is gone");
}

pub fn stale_ban() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(NOC);
    place.write("noc.list", "72.37.186.0/23 # spammer\n");
    place.run_in(&router, &["refresh"]).code(0);
    let add = |prefix: &str, time: &str| {
        let words = ["add", prefix, "--reason", "DDoS, ticket 7", "--for", time];
        place.run_in(&router, &words).code(0);
    };
    add("203.0.113.9", "2h");
    add("203.0.113.11", "9h");
    // Whatever is in force is shown, with its reason.
    let shown = place.run_in(&router, &["list"]).code(0);
    let shown = shown.lines();
    assert_eq!(
        shown,
        ["72.37.186.0/23", "203.0.113.9/32", "203.0.113.11/32"]
    );
    for route in shown {
        let reason = match route {
            "72.37.186.0/23" => "listed by noc: 72.37.186.0/23 (spammer), line 1, since ",
            _ => "(DDoS, ticket 7",
        };
        let why = place.run_in(&router, &["why", route]).code(0);
        why.says("is blackholed by ").says(reason);
    }
    place
        .run_in(&router, &["list", "--json"])
        .code(0)
        .says("spammer")
        .says("DDoS, ticket 7");
    place
        .run_in(&router, &["status"])
        .code(0)
        .says("3 routes in force")
        .says("hand add 203.0.113.9/32  DDoS, ticket 7");

    // Its time is over: it goes in the next pass, and the other stays.
    place.edit("UPDATE operator SET since = since - 7300, until = until - 7300 WHERE prefix = '203.0.113.9/32'",
    );
    place.run_in(&router, &["refresh"]).code(0);
    assert!(!touch(&holes(&router), "203.0.113.9"));
    assert!(touch(&holes(&router), "203.0.113.11"));
    place
        .run_in(&router, &["why", "203.0.113.9"])
        .code(0)
        .says("is not blackholed: nothing lists it any more")
        .says("formerly added by hand: 203.0.113.9/32");
    // A route of ours that nothing explains goes as well.
    router.ip("route add blackhole 198.51.100.0/24 proto 166");
    place.run_in(&router, &["refresh"]).code(0);
    let left = ["blackhole 72.37.186.0/23", "blackhole 203.0.113.11"];
    assert_eq!(router.ours(), left);

    // And by itself, where the daemon is running.
    let _daemon = daemon(&place, &router);
    add("203.0.113.12", "3s");
    assert_eq!(router.ours().len(), 3);
    eventually("its three seconds are over", || router.ours() == left);
}

pub fn mass_expiry() {
    let nets = ["72.37.186.0/23", "192.0.2.0/24", "198.51.100.0/24"];
    let good = |net: &str| Answer::Tagged(format!("{net}\n"), "\"one\"".to_owned());
    let servers = nets.map(|net| Server::new(good(net)));
    let feeds = ["a", "b", "c"].into_iter().zip(&servers);
    let feeds = feeds
        .map(|(name, server)| format!("[[feed]]\nname = \"{name}\"\nurl = \"{}\"\n", server.url()));
    let feeds: String = feeds.collect();
    let place = Place::new(&format!(
        "{feeds}{NO_KERNEL}{ALONE}[fetch]\nfirst_byte_timeout = \"1s\"\n"
    ));
    place.run(&["refresh"]).code(0);
    assert_eq!(listed(&place).len(), 3);

    // The network is down, for a day: each feed says so by its name, and nothing goes.
    servers
        .iter()
        .for_each(|server| server.answer(Answer::Silence));
    place.edit("UPDATE feed SET confirmed_at = confirmed_at - 90000");
    let mut ran = place.run(&["refresh"]).code(0);
    for name in ["a", "b", "c"] {
        ran = ran.says(&format!("feed={name}  failed: no answer after 1 s"));
        ran = ran.says(&format!(
            "feed={name}  fresh -> stale; its 1 entries still count"
        ));
    }
    assert_eq!(listed(&place).len(), 3);
    place.run(&["status"]).code(0).says("feed a  stale ");

    // For a week, with one of them.
    place.edit("UPDATE feed SET confirmed_at = confirmed_at - 604800 WHERE name = 'b'");
    let ran = place.run(&["refresh"]).code(0);
    let ran = ran.says("feed=b  stale -> expired; its 1 entries no longer count");
    assert_eq!(ran.err.matches("->").count(), 1, "{}", ran.err);
    let others = [nets[0].parse().unwrap(), nets[2].parse().unwrap()];
    assert_eq!(listed(&place), others, "only what the expired one lists");
    place
        .run(&["why", "192.0.2.1"])
        .code(0)
        .says("is not blackholed: the copy that lists it has expired");

    // It is back, with the same list: "not modified" is enough.
    let answers = nets.iter().zip(&servers);
    answers.for_each(|(net, server)| server.answer(good(net)));
    place.run(&["refresh"]).code(0);
    assert_eq!(listed(&place).len(), 3);
    let status = place.run(&["status", "--json"]).json();
    assert_eq!(status["feeds"][1]["standing"], "fresh");
    assert_eq!(status["feeds"][1]["state"], "unchanged");
}

pub fn more_specific() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let Some(hoster) = router.another() else {
        return;
    };
    etc(&router, &[]);
    router.wire(
        "wan0",
        "198.51.100.2/24",
        &hoster,
        "lan0",
        "198.51.100.1/24",
    );
    hoster.address("lo", "72.37.186.1/32 72.37.187.9/32");
    router.ip("route add default via 198.51.100.1");
    eventually("the hoster answers", || router.answers("72.37.186.1"));
    // As a BGP speaker installs it.
    router.ip("route add 72.37.187.0/24 via 198.51.100.1 proto bgp metric 20");
    let frr = "[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n";
    let place = Place::new(&format!("{NOC}{frr}"));
    place.write("noc.list", "72.37.186.0/23\n");
    let before = router.foreign();
    place.run_in(&router, &["refresh"]).code(0);
    assert_eq!(router.foreign(), before, "theirs is not touched");
    assert!(!router.answers("72.37.186.1"), "dropped");
    assert!(router.answers("72.37.187.9"), "longest match wins");
    place
        .run_in(&router, &["why", "72.37.187.9"])
        .code(0)
        .says("NOT at kernel: a more specific route that is not ours wins: 72.37.187.0/24");
    let here = place.run_in(&router, &["why", "72.37.186.1"]).code(0);
    assert!(!here.out.contains("NOT at kernel"), "{}", here.out);
    let file = place.read("edge1.conf");
    assert!(file.contains("permit 72.37.186.0/23"), "{file}");
    place
        .run_in(&router, &["verify"])
        .code(1)
        .says("72.37.186.0/23: 72.37.187.0/24 via 198.51.100.1 dev wan0 proto bgp metric 20");
    note("named by why and verify; cover_more_specifics and role filter: tests of their own");
}
