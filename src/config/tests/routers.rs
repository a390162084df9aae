//! `[[router]]`, as the operator reads its problems.

use super::{accepted, problems};
use crate::config::print;
use crate::policy::selection::{Choice, Selection};
use crate::targets::file::{AnnounceTo, Direction, Family, FileOptions, Lists, Role};

fn router(family: &str, lines: &str) -> String {
    format!("[[router]]\nname = \"edge1\"\npath = \"/x/edge1\"\nfamily = \"{family}\"\n{lines}\n")
}

#[test]
fn a_role_is_one_that_the_family_can_have() {
    let config = accepted(&router("frr", "role = \"filter\""));
    let (family, role) = (Family::Frr, Role::Filter);
    assert_eq!(config.routers[0].options, FileOptions::usual(family, role));
    let config = accepted(&router("plain", ""));
    assert_eq!(config.routers[0].options.role, Role::Trigger);

    let shown = problems(&router("plain", "role = \"edge\""));
    let said = "role: plain is never \"edge\"\n    5 | role = \"edge\"\n      |        ^^^^^^\n      \
                hint: permitted are trigger";
    assert!(shown.contains(said), "{shown}");
    let shown = problems(&router("frr", "role = \"core\""));
    assert!(shown.contains("role: \"core\" is not known"), "{shown}");
    let said = "hint: permitted are trigger, edge, filter";
    assert!(shown.contains(said), "{shown}");
}

#[test]
fn a_next_hop_stands_where_the_file_has_one() {
    let config = accepted(&router(
        "frr",
        "next_hop_v4 = \"192.0.2.9\"\nnext_hop_v6 = \"100::9\"",
    ));
    let options = &config.routers[0].options;
    assert_eq!(options.next_hop_v4, Some("192.0.2.9".parse().unwrap()));
    assert_eq!(options.next_hop_v6, Some("100::9".parse().unwrap()));
    let shown = problems(&router(
        "frr",
        "role = \"filter\"\nnext_hop_v4 = \"192.0.2.9\"",
    ));
    let said = "next_hop_v4: frr as filter has no next hop\n    6 | next_hop_v4 = ";
    assert!(shown.contains(said), "{shown}");
    assert!(shown.contains("hint: leave it out"), "{shown}");
    for (key, hop) in [
        ("v4", "0.0.0.0"),
        ("v4", "224.0.0.1"),
        ("v6", "fe80::1"),
        ("v6", "::1"),
    ] {
        let shown = problems(&router("frr", &format!("next_hop_{key} = \"{hop}\"")));
        let said = format!("next_hop_{key}: {hop} is not the address of a host");
        assert!(
            shown.contains(&said) && shown.ends_with("1 problem"),
            "{shown}"
        );
    }
    let own = "next_hop_v4 = \"203.0.113.1\"\n[protect]\nprefixes = [\"203.0.113.0/24\"]";
    let shown = problems(&router("frr", own));
    let said = "next_hop_v4: 203.0.113.1 is protected ([protect] prefixes)";
    assert!(shown.contains(said), "{shown}");
    let shown = problems(&router("frr", "next_hop_v6 = \"192.0.2.9\""));
    assert!(shown.contains("next_hop_v6: "), "{shown}");
    assert!(shown.ends_with("1 problem"), "{shown}");
}

#[test]
fn a_command_is_a_list_of_words_or_what_is_usual_for_the_family() {
    let commands = "check = \"default\"\nreload = \"default\"\nverify = [\"true\"]";
    let config = accepted(&router("nftables", commands));
    let [router_] = &config.routers[..] else {
        panic!("one router");
    };
    assert_eq!(router_.check, ["nft", "-c", "-f", "{file}"]);
    assert_eq!(router_.reload, ["nft", "-f", "{file}"]);
    assert_eq!(router_.verify, ["true"]);
    // A file that is only written runs nothing.
    let config = accepted(&router("nftables", ""));
    assert!(config.routers[0].check.is_empty() && config.routers[0].reload.is_empty());

    let shown = problems(&router("plain", "reload = \"default\""));
    let said = "reload: there is no default command for plain\n    5 | reload = \"default\"\n      |          ^^^^^^^^^\n      \
                hint: write it as a list of words, with {file} for the file";
    assert!(shown.contains(said), "{shown}");
    let shown = problems(&router("frr", "check = \"vtysh -C -f {file}\""));
    let said = "check: expected \"default\", or a command as a list of words, such as [\"vtysh\", \"-f\", \"{file}\"]";
    assert!(shown.contains(said), "{shown}");
    assert!(shown.ends_with("1 problem"), "{shown}");
}

#[test]
fn lists_are_as_the_family_can_have_them() {
    let config = accepted(&router("frr", "lists = \"octets\""));
    assert_eq!(config.routers[0].options.lists, Lists::Octets);
    let shown = problems(&router("frr", "role = \"filter\"\nlists = \"none\""));
    let said = "lists: frr as filter has never \"none\"\n    6 | lists = \"none\"\n      |         ^^^^^^\n      \
                hint: permitted are auto, one, octets";
    assert!(shown.contains(said), "{shown}");
    for (role, auto) in [("trigger", true), ("filter", true), ("edge", false)] {
        let config = accepted(&router("frr", &format!("role = \"{role}\"")));
        assert_eq!(config.routers[0].auto, auto, "{role}");
    }
    let config = accepted(&router("frr", "lists = \"auto\"\nfrr_version = \"10.3\""));
    assert!(config.routers[0].auto);
    let version = config.routers[0].options.frr_version.as_ref();
    assert_eq!(version.unwrap().to_string(), "10.3");
    assert!(!accepted(&router("frr", "lists = \"one\"")).routers[0].auto);
    let shown = problems(&router("bird", "lists = \"auto\""));
    assert!(shown.contains("hint: permitted are one"), "{shown}");
    let shown = problems(&router("bird", "frr_version = \"10.3\""));
    assert!(shown.contains("frr_version: bird is not FRR"), "{shown}");
    let shown = problems(&router("frr", "frr_version = \"ten\""));
    let said = "frr_version: \"ten\" is no version of FRR\n    5 | frr_version = \"ten\"\n      |               ^^^^^\n      \
                hint: as `vtysh -c 'show version'` says it at the router, such as \"10.3\"";
    assert!(shown.contains(said), "{shown}");
    let shown = problems(&router("bird", "lists = \"octets\""));
    assert!(shown.contains("hint: permitted are one"), "{shown}");
    let shown = problems(&router("frr", "lists = \"two\""));
    assert!(shown.contains("lists: \"two\" is not known"), "{shown}");
}

#[test]
fn a_trigger_announces_to_ibgp_or_to_the_ebgp_neighbors_that_are_named() {
    let options = |lines: &str| accepted(&router("frr", lines)).routers[0].options.clone();
    assert_eq!(options("").announce_to, AnnounceTo::Ibgp);
    assert!(options("").neighbors.is_empty());
    let named = options("neighbors = [\"192.0.2.2\"]");
    assert_eq!(named.announce_to, AnnounceTo::Ibgp);
    assert_eq!(
        named.neighbors,
        ["192.0.2.2".parse::<std::net::IpAddr>().unwrap()]
    );
    let ebgp = options(
        "announce_to = \"ebgp\"\nneighbors = [\"2001:db8::2\", \"192.0.2.9\", \"192.0.2.2\"]",
    );
    assert_eq!(ebgp.announce_to, AnnounceTo::Ebgp);
    let neighbors: Vec<_> = ebgp.neighbors.iter().map(ToString::to_string).collect();
    assert_eq!(neighbors, ["192.0.2.2", "192.0.2.9", "2001:db8::2"]);
}

#[test]
fn announce_to_is_only_for_routers_that_announce() {
    let shown = |family: &str, lines: &str| problems(&router(family, lines));
    let file = "/etc/nullrouted/nullrouted.toml";
    assert_eq!(
        shown(
            "frr",
            "role = \"edge\"\nannounce_to = \"ebgp\"\nneighbors = [\"192.0.2.2\"]"
        ),
        format!(
            "{file}:6:15: announce_to: frr as edge announces nothing to neighbors
    6 | announce_to = \"ebgp\"
      |               ^^^^^^
      hint: only a router as trigger announces: leave it out
{file}:7:13: neighbors: frr as edge announces nothing to neighbors
    7 | neighbors = [\"192.0.2.2\"]
      |             ^^^^^^^^^^^^^
      hint: only a router as trigger announces: leave it out
2 problems"
        )
    );
    for (family, role) in [
        ("plain", "trigger"),
        ("nftables", "trigger"),
        ("ios", "filter"),
    ] {
        let lines = format!("role = \"{role}\"\nannounce_to = \"ibgp\"");
        let said = format!("announce_to: {family} as {role} announces nothing to neighbors\n");
        let shown = shown(family, &lines);
        assert!(
            shown.contains(&said) && shown.ends_with("1 problem"),
            "{shown}"
        );
    }
    assert_eq!(
        shown("ios", "announce_to = \"both\""),
        format!(
            "{file}:5:15: announce_to: \"both\" is not known
    5 | announce_to = \"both\"
      |               ^^^^^^
      hint: permitted are ibgp, ebgp
1 problem"
        )
    );
}

#[test]
fn ebgp_needs_neighbors_each_an_address_and_named_once() {
    let file = "/etc/nullrouted/nullrouted.toml";
    for lines in [
        "announce_to = \"ebgp\"",
        "announce_to = \"ebgp\"\nneighbors = []",
    ] {
        assert_eq!(
            problems(&router("bird", lines)),
            format!(
                "{file}:5:15: announce_to: \"ebgp\" without neighbors: no neighbor is permitted to receive the blackholes
    5 | announce_to = \"ebgp\"
      |               ^^^^^^
      hint: neighbors = [\"192.0.2.2\"] with the address of each eBGP neighbor that is to receive them
1 problem"
            )
        );
    }
    assert_eq!(
        problems(&router("frr", "neighbors = [\"192.0.2.2\", \"eth0\", \"192.0.2.2\"]")),
        format!(
            "{file}:5:27: neighbors: \"eth0\" is not the address of a neighbor
    5 | neighbors = [\"192.0.2.2\", \"eth0\", \"192.0.2.2\"]
      |                           ^^^^^^
      hint: the address that the session has at the router, such as 192.0.2.2 or 2001:db8::2; no name, no group, no prefix
{file}:5:35: neighbors: 192.0.2.2 is named twice
    5 | neighbors = [\"192.0.2.2\", \"eth0\", \"192.0.2.2\"]
      |                                   ^^^^^^^^^^^
      hint: leave one of them out
2 problems"
        )
    );
    for none in [
        "192.0.2.0/24",
        "0.0.0.0",
        "224.0.0.5",
        "255.255.255.255",
        "::",
        "ff02::1",
        "::ffff:192.0.2.2",
    ] {
        let shown = problems(&router("frr", &format!("neighbors = [\"{none}\"]")));
        let said = format!("neighbors: \"{none}\" is not the address of a neighbor\n");
        assert!(
            shown.contains(&said) && shown.ends_with("1 problem"),
            "{shown}"
        );
    }
    let shown = problems(&router("frr", "neighbors = \"192.0.2.2\""));
    assert!(
        shown.contains("neighbors: ") && shown.ends_with("1 problem"),
        "{shown}"
    );
}

/// GoBGP sends a route of its own to every neighbor, whatever its communities, and knows no iBGP.
#[test]
fn a_trigger_of_gobgp_names_its_neighbors() {
    let file = "/etc/nullrouted/nullrouted.toml";
    let wrong = "neighbors: none is named, and gobgp cannot tell iBGP from eBGP: it would send the blackholes to every neighbor";
    let hint = "hint: neighbors = [\"192.0.2.2\"] with the address of each neighbor that is to receive them\n1 problem";
    let shown = problems(&router("gobgp", ""));
    assert!(
        shown.starts_with(&format!("{file}:1:1: {wrong}\n")) && shown.ends_with(hint),
        "{shown}"
    );
    let shown = problems(&router("gobgp", "neighbors = []"));
    assert!(
        shown.starts_with(&format!("{file}:5:13: {wrong}\n")) && shown.ends_with(hint),
        "{shown}"
    );
    accepted(&router("gobgp", "neighbors = [\"192.0.2.2\"]"));
    accepted(&router("gobgp", "role = \"edge\""));
}

/// One problem of a router hides no other that can be judged without it.
#[test]
fn every_problem_of_a_router_is_shown_at_once() {
    let said = |shown: &str, all: &[&str]| {
        for part in all {
            assert_eq!(shown.matches(part).count(), 1, "{part}\n{shown}");
        }
        let count = format!("\n{} problems", all.len());
        assert!(shown.ends_with(&count), "{shown}");
    };
    let lines = "lists = \"two\"\nannounce_to = \"both\"\nneighbors = [\"eth0\"]\nfrr_version = \"ten\"\n\
                 direction = \"to\"\nnext_hop_v4 = \"224.0.0.1\"\nmax_length_v4 = 33\nfeeds = [\"none\"]";
    let shown = problems(&router("frr", lines));
    said(
        &shown,
        &[
            "lists: \"two\" is not known",
            "announce_to: \"both\" is not known",
            "neighbors: \"eth0\" is not the address of a neighbor",
            "frr_version: \"ten\" is no version of FRR",
            "direction: frr is no packet filter",
            "next_hop_v4: 224.0.0.1 is not the address of a host",
            "max_length_v4: ",
            "feeds: \"none\" is not known",
        ],
    );
    // Where it is not known what the router is, what does not depend on that is judged.
    let lines = "role = \"core\"\nneighbors = [\"eth0\"]\nnext_hop_v4 = \"224.0.0.1\"\nreload = \"default\"";
    let shown = problems(&router("fritz", lines));
    said(
        &shown,
        &[
            "family: \"fritz\" is not known",
            "role: \"core\" is not known",
            "neighbors: \"eth0\" is not the address of a neighbor",
            "next_hop_v4: 224.0.0.1 is not the address of a host",
        ],
    );
    let shown = problems("[[router]]\nname = \"edge1\"\n");
    said(
        &shown,
        &["a router without a family", "a router without a path"],
    );
    for hint in [
        "hint: permitted are frr, bird, openbgpd,",
        "hint: path = \"/etc/nullrouted/NAME.conf\", the file that is written for it",
    ] {
        assert!(shown.contains(hint), "{shown}");
    }
}

#[test]
fn a_direction_is_for_packet_filters() {
    for (written, direction) in [
        ("", Direction::Both),
        ("direction = \"to\"", Direction::To),
        ("direction = \"from\"", Direction::From),
        ("direction = \"both\"", Direction::Both),
    ] {
        let config = accepted(&router("nftables", written));
        assert_eq!(config.routers[0].options.direction, direction);
    }
    let shown = problems(&router("frr", "direction = \"to\""));
    let said = "direction: frr is no packet filter\n    5 | direction = \"to\"\n      |             ^^^^\n      \
                hint: only nftables drops packets by their source or destination";
    assert!(shown.contains(said), "{shown}");
    let shown = problems(&router("nftables", "direction = \"in\""));
    assert!(shown.contains("direction: \"in\" is not known"), "{shown}");
    let said = "hint: permitted are to, from, both";
    assert!(shown.contains(said), "{shown}");
}

const FEEDS: &str =
    "[[feed]]\nname = \"noc\"\npath = \"/x/noc\"\n[[feed]]\nname = \"drop\"\npath = \"/x/drop\"\n";

#[test]
fn a_router_selects_by_feed_family_and_length() {
    let config = accepted(&format!("{FEEDS}{}", router("plain", "")));
    assert_eq!(config.routers[0].selection, Selection::EVERYTHING);
    let lines = "feeds = [\"noc\", \"drop\", \"noc\"]\noperator = false\nfamilies = [\"ipv4\"]\nmax_length_v4 = 24";
    let config = accepted(&format!("{FEEDS}{}", router("frr", lines)));
    let selection = &config.routers[0].selection;
    let expected = Selection {
        choice: Choice {
            feeds: Some(vec!["drop".to_owned(), "noc".to_owned()]),
            operator: false,
        },
        longest_v4: Some(24),
        longest_v6: None,
    };
    assert_eq!(*selection, expected);
    // What is printed is read as the same.
    let printed = print(&config);
    let keys = "feeds  = [\"drop\", \"noc\"]\noperator = false\nfamilies = [\"ipv4\"]\nmax_length_v4 = 24\n";
    assert!(printed.contains(keys), "{printed}");
    assert_eq!(accepted(&printed).routers[0].selection, expected);
    let lines = "families = [\"ipv6\"]\nmax_length_v6 = 48";
    let config = accepted(&format!("{FEEDS}{}", router("plain", lines)));
    let again = accepted(&print(&config));
    assert_eq!(again.routers[0].selection, config.routers[0].selection);
    // All that is written here is what is left out nowhere.
    let lines =
        "operator = true\nfamilies = [\"ipv6\", \"ipv4\"]\nmax_length_v4 = 32\nmax_length_v6 = 128";
    let config = accepted(&format!("{FEEDS}{}", router("plain", lines)));
    assert!(config.routers[0].selection.has_everything());
    assert!(!print(&config).contains("operator"));
}

#[test]
fn an_unknown_feed_is_a_problem_that_names_those_there_are() {
    let shown = problems(&format!(
        "{FEEDS}{}",
        router("plain", "feeds = [\"noc\", \"dorp\"]")
    ));
    let said = "/etc/nullrouted/nullrouted.toml:11:17: feeds: \"dorp\" is not known\n   11 | feeds = [\"noc\", \"dorp\"]\n      \
                |                 ^^^^^^\n      hint: did you mean drop? permitted are noc, drop\n1 problem";
    assert_eq!(shown, said);
    let shown = problems(&router("plain", "feeds = [\"noc\"]"));
    assert!(shown.contains("hint: no [[feed]] has a name"), "{shown}");
    // What was added by hand is no feed of this name.
    let shown = problems(&format!(
        "{FEEDS}{}",
        router("plain", "feeds = [\"operator\"]")
    ));
    assert!(
        shown.contains("feeds: \"operator\" is not known"),
        "{shown}"
    );
    // A feed whose only fault is another one is known.
    let shown = problems(&format!(
        "[[feed]]\nname = \"noc\"\n{}",
        router("plain", "feeds = [\"noc\"]")
    ));
    assert!(
        shown.ends_with("\n1 problem") && !shown.contains("feeds: "),
        "{shown}"
    );
}

#[test]
fn a_selection_of_nothing_and_one_in_vain_are_problems() {
    for (family, lines, said, hint) in [
        (
            "plain",
            "feeds = []\noperator = false",
            "feeds: no feed, and operator = false: the router would get nothing",
            "name a feed, or set operator = true for what is added by hand alone",
        ),
        (
            "plain",
            "families = []",
            "families: none: the router would get nothing",
            "permitted are ipv4, ipv6",
        ),
        (
            "plain",
            "families = [\"v4\"]",
            "families: \"v4\" is not known",
            "permitted are ipv4, ipv6",
        ),
        (
            "plain",
            "families = [\"ipv6\"]\nmax_length_v4 = 24",
            "max_length_v4: families leaves this family out",
            "leave one of the two out",
        ),
        (
            "frr",
            "role = \"edge\"\nfeeds = [\"noc\"]",
            "feeds: frr as edge has no listed prefixes",
            "select at the trigger that announces to it",
        ),
        (
            "frr",
            "lists = \"none\"\nmax_length_v6 = 48",
            "max_length_v6: lists = \"none\" announces whatever the kernel drops",
            "a router with a selection of its own has lists of its own: lists = \"octets\"",
        ),
    ] {
        let shown = problems(&format!("{FEEDS}{}", router(family, lines)));
        assert!(shown.contains(&format!(": {said}\n")), "{shown}");
        assert!(shown.contains(&format!("hint: {hint}\n")), "{shown}");
        assert!(shown.ends_with("\n1 problem"), "{shown}");
    }
    let shown = problems(&router("plain", "max_length_v4 = 33"));
    assert!(
        shown.contains("max_length_v4: 33 is not from 1 to 32"),
        "{shown}"
    );
    let shown = problems(&router("plain", "max_length_v6 = 0"));
    assert!(
        shown.contains("max_length_v6: 0 is not from 1 to 128"),
        "{shown}"
    );
}

/// Two routers with these lines, each loaded by the default command.
fn two(family: &str, lines: [&str; 2]) -> String {
    let router = |(name, lines)| {
        format!(
            "[[router]]\nname = \"{name}\"\npath = \"/x/{name}\"\nfamily = \"{family}\"\nreload = \"default\"\n{lines}\n"
        )
    };
    ["one", "two"].into_iter().zip(lines).map(router).collect()
}

/// Each load would take away what the other one brought, at every pass, and both would be content.
#[test]
fn two_routers_that_the_default_loads_into_one_place_are_a_problem() {
    let [trigger, edge, filter] =
        ["trigger", "edge", "filter"].map(|role| format!("role = \"{role}\""));
    // GoBGP has no trigger without.
    let named = "neighbors = [\"192.0.2.2\"]";
    for (family, lines, written) in [
        (
            "nftables",
            ["direction = \"from\"", "direction = \"to\""],
            "the table inet nullrouted",
        ),
        ("ipset", ["", ""], "the sets nullrouted4 and nullrouted6"),
        (
            "exabgp",
            ["", ""],
            "the routes that ExaBGP has by /run/exabgp/nullrouted",
        ),
        (
            "frr",
            ["", &trigger],
            "the lists and route-maps of a trigger in bgpd",
        ),
        (
            "frr",
            [&filter, &filter],
            "the lists and route-maps of a filter in bgpd",
        ),
        ("bird", [&filter, &filter], "the names of a filter in BIRD"),
        ("bird", [&edge, &edge], "the names of an edge in BIRD"),
        (
            "openbgpd",
            [&trigger, &trigger],
            "the sets and rules of a trigger in OpenBGPD",
        ),
        (
            "gobgp",
            [named, named],
            "the routes that gobgpd has from a trigger",
        ),
        // One file, and another end of it.
        ("gobgp", [&edge, &filter], "/etc/gobgpd.conf"),
        ("gobgp", [&filter, &filter], "/etc/gobgpd.conf"),
    ] {
        let shown = problems(&two(family, lines));
        let said = format!(
            ":11:10: reload: the default loads the routers \"one\" and \"two\" into the {family} of this machine, and both \
             write {written}: only one of them can be in force\n   11 | reload = \"default\"\n      |          ^^^^^^^^^\n      \
             hint: keep one of them, with the feeds of both; the other needs a reload of its own, or none where it is on \
             another machine\n1 problem"
        );
        assert!(shown.contains(&said), "{shown}");
    }
    // Names that differ, another machine, and a file that nothing loads.
    for family in ["frr", "bird", "openbgpd"] {
        for (at, role) in [&trigger, &edge, &filter].into_iter().enumerate() {
            for other in &[&trigger, &edge, &filter][at + 1..] {
                accepted(&two(family, [role, other]));
            }
        }
    }
    accepted(&two("gobgp", [named, &edge]));
    accepted(&two("gobgp", [&filter, named]));
    let usual = "reload = \"default\"";
    for other in ["reload = [\"scp\", \"{file}\", \"edge2:/etc/x\"]", ""] {
        accepted(&two("nftables", ["", ""]).replacen(usual, other, 1));
    }
}
