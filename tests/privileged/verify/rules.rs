//! Policy rules that pass our table by.

use serde_json::json;

use super::Ground;
use crate::support::NOC;

const OWN: &str = "[kernel]\ntable = 1166\n";

/// Our table, with the rule that leads to it.
fn own() -> Option<Ground> {
    let ground = Ground::new(OWN)?;
    ground.router.ip("rule add pref 5000 lookup 1166");
    ground.router.ip("-6 rule add pref 5000 lookup 1166");
    ground.all_dropped();
    Some(ground)
}

#[test]
fn a_table_that_no_rule_leads_to_drops_nothing() {
    let Some(ground) = Ground::new(OWN) else {
        return;
    };
    let Ground { router, place, .. } = &ground;
    assert!(router.answers("72.37.187.9"));
    let ran = ground.verify(&["--random-seed", "7"]).code(1);
    let expected = "\
NOT everything is dropped: 2 leaks in 3 prefixes: 9 of 9 sampled addresses get through, random seed 7
no-rule (2): no policy rule leads to our table
  2 prefixes, 72.37.186.0/23 the first of them
    the kernel answers: 72.37.186.0 by default via 198.51.100.1 dev wan0 proto boot
  2001:db8:bad::/48
    the kernel answers: 2001:db8:bad:: by default via 2001:db8:1::1 dev wan0 proto boot metric 1024
  cure: [kernel] rule = 5000; or: ip rule add pref 5000 lookup 1166
";
    assert!(ran.out.starts_with(expected), "{}", ran.out);
    let leaks = ground.verify(&["--json"]).code(1).json()["leaks"].clone();
    ground.cure(&leaks[0]);
    ground.cure(&leaks[1]);
    ground.all_dropped();
    assert!(!router.answers("72.37.187.9"));
    // One that leads there for some packets only.
    router.ip("rule del pref 5000");
    router.ip("rule add pref 5000 from 203.0.113.0/24 lookup 1166");
    let leak = ground.leak();
    assert_eq!(leak["kind"], "rule");
    assert_eq!(leak["packets"], "packets not from 203.0.113.0/24");
    assert_eq!(leak["rule"], "32766: from all lookup main");
    assert_eq!(leak["cure"], "ask our table first: [kernel] rule = 32765");
    place.configure(&format!("{NOC}{OWN}rule = 5000\n"));
    router.ip("rule del pref 5000");
    let cure = &ground.leak()["cure"];
    assert_eq!(
        cure,
        "nullrouted refresh adds rule 5000; or: ip rule add pref 5000 lookup 1166"
    );
}

#[test]
fn a_rule_before_ours_is_named_with_the_packets_that_it_takes_and_its_cure_works() {
    let Some(ground) = own() else {
        return;
    };
    let Ground { router, .. } = &ground;
    router.ip("route add default via 198.51.100.1 table 100 proto static");
    router.ip("route add 203.0.113.0/24 via 198.51.100.1 table 101");
    router.ip("route add 192.0.2.0/26 via 198.51.100.1 table 102 proto bgp");
    router.sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
    // The rule, the packets, what shows it, and how many prefixes are open.
    for (rule, packets, get, prefixes) in [
        (
            "fwmark 0x1 lookup 100",
            Some("with fwmark 0x1"),
            "192.0.2.9 mark 1",
            2,
        ),
        (
            "fwmark 0x4/0x6 lookup 100",
            Some("with fwmark 0x4/0x6"),
            "192.0.2.9 mark 13",
            2,
        ),
        (
            "from 198.51.100.0/24 iif wan0 lookup 100",
            Some("from 198.51.100.0/24 that come in on wan0"),
            "192.0.2.9 from 198.51.100.1 iif wan0",
            2,
        ),
        (
            "iif lo lookup 100",
            Some("of this machine itself"),
            "192.0.2.9",
            2,
        ),
        (
            "oif wan0 lookup 100",
            Some("of sockets bound to wan0"),
            "192.0.2.9 oif wan0",
            2,
        ),
        (
            "ipproto udp dport 53 lookup 100",
            Some("with ipproto udp with dport 53"),
            "192.0.2.9 ipproto udp dport 53",
            2,
        ),
        ("to 192.0.2.0/25 lookup 100", None, "192.0.2.9", 1),
        ("not to 192.0.2.0/24 lookup 100", None, "72.37.187.9", 1),
        ("lookup 102", None, "192.0.2.9", 1),
        ("lookup main", None, "192.0.2.9", 2),
        ("lookup 102 suppress_prefixlength 25", None, "192.0.2.9", 1),
        (
            "fwmark 0x1 goto 6000",
            Some("with fwmark 0x1"),
            "192.0.2.9 mark 1",
            2,
        ),
    ] {
        router.ip("rule add pref 6000 nop");
        router.ip(&format!("rule add pref 100 {rule}"));
        let shown = ground.get(get);
        assert!(
            shown.contains("via 198.51.100.1") || shown.contains("dev wan0"),
            "{rule}: {shown}"
        );
        let leak = ground.leak();
        assert_eq!(leak["kind"], "rule", "{rule}: {leak:#}");
        assert_eq!(
            leak["packets"],
            json!(packets.map(|words| format!("packets {words}"))),
            "{rule}"
        );
        assert_eq!(leak["prefixes"], prefixes, "{rule}");
        let by = if rule.contains("goto") {
            "past"
        } else {
            "rule"
        };
        let all = ["from", "not"].iter().any(|word| rule.starts_with(word));
        let by = leak[by].as_str().unwrap();
        let text = rule.replace("not to", "not from all to");
        let text = if all {
            text
        } else {
            format!("from all {rule}")
        };
        assert_eq!(by, format!("100: {text}"));
        let cure = leak["cure"].as_str().unwrap();
        assert!(
            cure.starts_with("ask our table first: [kernel] rule = 99; or "),
            "{cure}"
        );
        ground.cure(&leak);
        router.ip("rule del pref 6000");
        ground.all_dropped();
    }
    // These lead nowhere, or to nothing that forwards.
    for rule in [
        "fwmark 0x1 lookup 101",
        "lookup 103",
        "lookup main suppress_prefixlength 0",
        "fwmark 0x1 blackhole",
        "to 72.37.0.0/16 unreachable",
        "from 203.0.113.0/24 prohibit",
        "fwmark 0x1 goto 5000",
        "iif gone0 lookup 100",
        "to 203.0.113.0/24 lookup 100",
    ] {
        router.ip(&format!("rule add pref 100 {rule}"));
        ground.all_dropped();
        router.ip("rule del pref 100");
    }
    // Ours first, and it is dropped: the first half of the cure.
    router.ip("rule add pref 100 fwmark 0x1 lookup 100");
    router.ip("rule add pref 99 lookup 1166");
    ground.all_dropped();
    assert_eq!(ground.get("192.0.2.9 mark 1"), "");
}

#[test]
fn rules_of_ipv6_are_its_own() {
    let Some(ground) = own() else {
        return;
    };
    let Ground { router, .. } = &ground;
    router.ip("-6 rule add pref 100 fwmark 0x1 lookup 100");
    router.ip("-6 route add default via 2001:db8:1::1 table 100");
    let leak = ground.leak();
    assert_eq!(leak["rule"], "100: from all fwmark 0x1 lookup 100");
    assert_eq!(leak["prefix"], "2001:db8:bad::/48");
    assert_eq!(leak["asked"]["address"], "2001:db8:bad::");
    assert!(
        leak["cure"]
            .as_str()
            .unwrap()
            .ends_with("ip -6 rule del pref 100 from all fwmark 0x1 lookup 100")
    );
    ground.cure(&leak);
    ground.all_dropped();
    router.ip("-6 rule add pref 100 lookup 100 suppress_prefixlength 0");
    ground.all_dropped();
    router.ip("-6 route add 2001:db8:bad:1::/64 via 2001:db8:1::1 dev wan0 onlink table 100");
    assert!(router.answers("2001:db8:bad:1::9"));
    ground.cure(&ground.leak());
    ground.all_dropped();
}

#[test]
fn a_rule_that_ours_in_the_main_table_cannot_come_before_needs_a_table_of_our_own() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let Ground { router, place, .. } = &ground;
    router.ip("route add default via 198.51.100.1 table 100");
    router.ip("rule add pref 100 fwmark 0x1 lookup 100");
    let cure = ground.leak()["cure"].clone();
    let cure = cure.as_str().unwrap();
    let own = "a table of our own that is asked first: [kernel] table = 1166 and rule = 99; or ";
    assert!(cure.starts_with(own), "{cure}");
    place.configure(&format!("{NOC}{OWN}rule = 99\n"));
    place.run_in(router, &["refresh"]).code(0);
    // What the daemon does with that key, where it does it already.
    router.run("ip", &["rule", "add", "pref", "99", "lookup", "1166"]);
    router.run("ip", &["-6", "rule", "add", "pref", "99", "lookup", "1166"]);
    ground.all_dropped();
    // The rule of the local table cannot be passed; an address that is everywhere leaks before all
    // others.
    router.ip("route add local 72.37.186.0/23 dev lo table local");
    let leak = ground.leak();
    assert_eq!(leak["kind"], "local");
    assert!(ground.get("72.37.187.9").contains("local 72.37.187.9"));
    ground.verify(&[]).code(1).says("goes there");
}
