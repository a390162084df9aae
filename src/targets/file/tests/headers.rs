//! What the heads of files say to the engineer who has to approve them, word by word, and that the
//! files keep to it.

mod sessions;
mod undo;

use super::reading::junos_statements;
use super::*;

/// Families whose routers announce, and whose texts follow documentation.
const ROUTE_MAPS: [Family; 7] = [
    Family::Frr,
    Family::Ios,
    Family::IosXr,
    Family::NxOs,
    Family::Eos,
    Family::Vrp,
    Family::VyOs,
];
const POLICIES: [Family; 5] = [
    Family::Junos,
    Family::JunosSet,
    Family::SrOs,
    Family::SrOsClassic,
    Family::RouterOs,
];

fn trigger(family: Family) -> FileOptions {
    FileOptions::usual(family, Role::Trigger)
}

/// The comments of the head, in one line.
fn head(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("#!/"));
    let lines = lines.take_while(|line| line.starts_with(['!', '#']));
    let words = lines.flat_map(|line| line.trim_start_matches(['!', '#']).split_whitespace());
    words.collect::<Vec<_>>().join(" ")
}

fn head_of(family: Family, role: Role) -> String {
    head(&text(&FileOptions::usual(family, role), &case("mixed")))
}

#[track_caller]
fn says(head: &str, parts: &[&str]) {
    for part in parts {
        assert_eq!(head.matches(part).count(), 1, "{part}\n{head}");
    }
}

#[test]
fn a_list_or_a_filter_that_is_replaced_is_named() {
    let ios = head_of(Family::Ios, Role::Filter);
    says(
        &ios,
        &[
            "A neighbor has one prefix-list a direction, and no distribute-list beside it: where there is one, this line replaces it. \
         Move yours into your route-map (match ip address prefix-list) first.",
            "show ip as-path-access-list 466 (must be empty before the first load: the number may be yours)",
            "The origin ASes match where AS numbers are plain (no `bgp asnotation dot`).",
        ],
    );
    let nx_os = head_of(Family::NxOs, Role::Filter);
    says(
        &nx_os,
        &[
            "A neighbor has one prefix-list and one filter-list a direction: where there is one, this line replaces it. Move yours into \
         your route-map (match ip address prefix-list, match as-path) first.",
            "Needs an NX-OS with numbers in as-path lists (Nexus 9000; the references of Nexus 6000 have none).",
            "Before the neighbor's lines: `show ip as-path-access-list NULLROUTED-ORIGINS` must show the lines of this file.",
            "The origin ASes match where AS numbers are plain: what `as-format asdot` changes here is not established.",
        ],
    );
}

#[test]
fn a_community_list_of_nx_os_has_no_number_and_is_looked_at_first() {
    for role in [Role::Trigger, Role::Edge] {
        let text = text(&FileOptions::usual(Family::NxOs, role), &case("mixed"));
        let lists = text
            .lines()
            .filter(|line| line.starts_with("ip community-list"));
        let lists: Vec<_> = lists.collect();
        assert_eq!(
            lists,
            ["ip community-list standard NULLROUTED permit 65535:666"]
        );
        let looked = "Before the neighbor's lines: `show ip community-list NULLROUTED` must show the line of this file.";
        says(&head(&text), &[looked]);
    }
}

#[test]
fn what_was_accepted_before_is_asked_for_anew_of_the_neighbor_alone() {
    let clear = "clear bgp ipv4 unicast ADDRESS soft in, clear bgp ipv6 unicast ADDRESS soft in (what was accepted before stays else)";
    for family in [Family::Ios, Family::NxOs] {
        for role in [Role::Edge, Role::Filter] {
            let head = head_of(family, role);
            says(&head, &[clear]);
            assert!(!head.contains("unicast *"), "{head}");
        }
    }
}

/// These, one after the other.
#[track_caller]
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else {
            panic!("{part}\n{text}");
        };
        rest = behind;
    }
}

/// How a file is taken out, in one line.
fn undo_of(head: &str) -> &str {
    head.split_once("Undo: ").unwrap().1
}

#[test]
fn an_edge_says_whether_its_limit_ends_the_session() {
    for family in [Family::Junos, Family::JunosSet] {
        says(
            &head_of(family, Role::Edge),
            &[
                "family inet unicast prefix-limit maximum 500000 teardown",
                "family inet6 unicast prefix-limit maximum 500000 teardown",
                "Without `teardown` it only logs.",
            ],
        );
    }
    says(
        &head_of(Family::RouterOs, Role::Edge),
        &["The limit is not exact: some more may be installed, and the session stays."],
    );
}

#[test]
fn a_trigger_says_what_stays_and_which_route_of_the_operator_becomes_ours() {
    let stays = "What you protect no longer stays in the lists OWN, and no blackhole for it is announced: take it out by hand.";
    for family in [Family::Ios, Family::NxOs, Family::Vrp] {
        says(&head_of(family, Role::Trigger), &[stays]);
    }
    let own = "A static route of your own to null for a listed prefix is the same route: it gets tag 666, is announced, and goes when \
               the prefix does. Protect its prefix in nullrouted.";
    for family in [
        Family::Ios,
        Family::NxOs,
        Family::Eos,
        Family::IosXr,
        Family::Vrp,
    ] {
        says(&head_of(family, Role::Trigger), &[own]);
    }
}

#[test]
fn an_edge_says_how_to_see_where_ipv6_goes() {
    for family in [Family::Ios, Family::NxOs, Family::Eos] {
        says(
            &head_of(family, Role::Edge),
            &["See with `show ipv6 route PREFIX` that it is Null0"],
        );
    }
    says(
        &head_of(Family::Vrp, Role::Edge),
        &[
            "See with `display ipv6 routing-table PREFIX` that it is NULL0",
            "On NE8000 (V8) `apply ipv6 next-hop blackhole` in NULLROUTED-EDGE6",
        ],
    );
}

#[test]
fn sr_os_says_its_release_and_opens_no_block_that_closes_in_its_line() {
    for role in Role::NAMES.map(|(_, role)| role) {
        says(
            &head_of(Family::SrOs, role),
            &["Needs SR OS 20.2 or later."],
        );
        says(
            &head_of(Family::SrOsClassic, role),
            &["For 7450, 7750, 7950 of release 14 or later."],
        );
        for name in CASES {
            let text = text(&FileOptions::usual(Family::SrOs, role), &case(name));
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                let line = line.trim_end_matches(" { }").trim_end_matches(" {");
                assert!(
                    !line.contains('{') && (!line.contains('}') || line.trim() == "}"),
                    "{line}"
                );
            }
        }
    }
    let edge = head_of(Family::SrOs, Role::Edge);
    says(
        &edge,
        &[
            "/configure router \"Base\" bgp group \"GROUP\" prefix-limit ipv4 maximum 500000",
            "/configure router \"Base\" bgp group \"GROUP\" prefix-limit ipv6 maximum 500000",
        ],
    );
}

#[test]
fn what_junos_deletes_is_there_the_first_time_too() {
    for role in Role::NAMES.map(|(_, role)| role) {
        let text = text(&FileOptions::usual(Family::JunosSet, role), &case("mixed"));
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(
            lines[0].starts_with("set groups NULLROUTED")
                && lines[1].starts_with("delete groups NULLROUTED")
        );
        assert_eq!(lines[0], lines[2]);
    }
}
