//! Remote-triggered blackholes (RFC 5635), end to end, with packets and by the files that we write
//! and the commands that are the default.

mod changed;
mod lab;
mod leaks;
mod link;
mod saved;
mod speakers;
mod star;
mod user;

use nullrouted::targets::file::Lists;

use crate::support::NOC;
use crate::support::lab::LISTED;
use crate::support::namespace::eventually;
use lab::{Edge, HOLE, Lab, OTHERS};
use speakers::{TAGGED, Trigger, UNTAGGED};

/// What is listed, with a hole for what is protected.
const LIST: &str = "72.37.186.0/23\n2001:db8:bad::/48\n";

/// Whatever speaks at the trigger, listed traffic dies at both edges and nothing else does.
fn from_trigger_to_edges(trigger: Trigger) {
    let Some(lab) = Lab::new() else { return };
    let place = lab.trigger(trigger, "# nobody yet\n");
    for edge in Edge::ALL {
        for address in LISTED.iter().chain(&OTHERS).chain([&HOLE]) {
            lab.eventually(edge, address, true);
        }
    }

    lab.list(&place, LIST);
    for edge in Edge::ALL {
        for address in LISTED {
            lab.eventually(edge, address, false);
        }
        assert_eq!(lab.told("72.37.186.0/24"), ["blackhole", "noExport"]);
        for address in OTHERS.iter().chain([&HOLE]) {
            assert!(lab.answers(edge, address), "{address} through {edge:?}");
        }
    }

    // One delisting, and then all.
    lab.list(&place, "72.37.186.0/23\n");
    for edge in Edge::ALL {
        lab.eventually(edge, LISTED[1], true);
        assert!(!lab.answers(edge, LISTED[0]), "still listed, {edge:?}");
    }
    lab.list(&place, "# nobody any more\n");
    for edge in Edge::ALL {
        for address in LISTED.iter().chain(&OTHERS).chain([&HOLE]) {
            lab.eventually(edge, address, true);
        }
    }
}

#[test]
fn listed_traffic_dies_at_both_edges_triggered_by_frr() {
    from_trigger_to_edges(Trigger::Frr(Lists::One));
}

#[test]
fn listed_traffic_dies_at_both_edges_triggered_by_frr_with_a_list_for_each_octet() {
    from_trigger_to_edges(Trigger::Frr(Lists::Octets));
}

#[test]
fn listed_traffic_dies_at_both_edges_triggered_by_frr_without_a_list() {
    from_trigger_to_edges(Trigger::Frr(Lists::None));
}

/// Every blackhole of the kernel is announced then, but for those in own space.
#[test]
fn frr_without_a_list_keeps_own_space_to_itself() {
    let Some(lab) = Lab::new() else { return };
    let _place = lab.trigger(Trigger::Frr(Lists::None), LIST);
    // The trigger protects 72.37.187.0/24.
    for theirs in ["72.37.187.128/25", "203.0.113.64/26"] {
        lab.trigger.ip(&format!("route add blackhole {theirs}"));
    }
    for edge in Edge::ALL {
        eventually(&format!("{edge:?} is told"), || {
            lab.announced(edge, "203.0.113.64/26") && lab.announced(edge, "72.37.186.0/24")
        });
        assert!(!lab.announced(edge, "72.37.187.128/25"), "{edge:?}");
    }
}

#[test]
fn listed_traffic_dies_at_both_edges_triggered_by_bird() {
    from_trigger_to_edges(Trigger::Bird);
}

#[test]
fn listed_traffic_dies_at_both_edges_triggered_by_openbgpd() {
    from_trigger_to_edges(Trigger::OpenBgpd);
}

/// What the second feed lists: the other half of a prefix, and one beside it.
const OTHER_LIST: &str = "203.0.113.96/27\n2001:db8:77::/48\n";

/// A trigger that selects a feed announces what that feed lists. The two halves of 203.0.113.64/26
/// are of two feeds; `half` says whether the trigger can announce one of them.
fn of_one_feed(trigger: Trigger, half: bool) {
    let Some(lab) = Lab::new() else { return };
    let place = lab.trigger(trigger, "# nobody yet\n");
    place.write("other.list", OTHER_LIST);
    let selected = |feeds: &str| {
        let second = "[[feed]]\nname = \"other\"\npath = \"other.list\"\n";
        let protect = "[protect]\nprefixes = [\"72.37.187.0/24\"]\n";
        let router = trigger.router();
        place.configure(&format!("{NOC}{second}{protect}{router}feeds = {feeds}\n"));
        lab.list(&place, "72.37.186.0/23\n203.0.113.64/27\n");
    };
    let announced = |prefix| Edge::ALL.map(|edge| lab.announced(edge, prefix));
    selected("[\"noc\"]");
    eventually("the edges are told", || {
        announced("72.37.186.0/24") == [true; 2]
    });
    if half {
        eventually("of the half as well", || {
            announced("203.0.113.64/27") == [true; 2]
        });
    }
    assert_eq!(announced("203.0.113.64/27"), [half; 2]);
    for not_selected in ["203.0.113.64/26", "203.0.113.96/27", "2001:db8:77::/48"] {
        assert_eq!(announced(not_selected), [false; 2], "{not_selected}");
    }

    // Both halves are one prefix for a router that has both, and only then.
    selected("[\"noc\", \"other\"]");
    for selected in ["203.0.113.64/26", "2001:db8:77::/48"] {
        eventually(selected, || announced(selected) == [true; 2]);
    }
    eventually("the half is gone", || {
        announced("203.0.113.64/27") == [false; 2]
    });
    selected("[\"other\"]");
    eventually("what is of the first feed is gone", || {
        announced("72.37.186.0/24") == [false; 2] && announced("203.0.113.64/26") == [false; 2]
    });
    if half {
        eventually("of the other half", || {
            announced("203.0.113.96/27") == [true; 2]
        });
    }
    assert_eq!(announced("203.0.113.64/27"), [false; 2]);
    assert_eq!(announced("2001:db8:77::/48"), [true; 2]);
    place.run_in(&lab.trigger, &["flush"]).code(0);
    eventually("nothing is left", || {
        announced("203.0.113.96/27") == [false; 2] && announced("2001:db8:77::/48") == [false; 2]
    });
}

#[test]
fn bird_announces_what_the_selected_feed_lists() {
    of_one_feed(Trigger::Bird, true);
}

#[test]
fn openbgpd_announces_what_the_selected_feed_lists() {
    of_one_feed(Trigger::OpenBgpd, true);
}

/// It announces routes of the kernel, where both halves are one route: none of them, and nothing
/// wider.
#[test]
fn frr_announces_what_the_selected_feed_lists_but_for_what_the_kernel_has_in_a_wider_route() {
    of_one_feed(Trigger::Frr(Lists::One), false);
}

/// What somebody else enters into our lists, or takes out of them, is put right by the next pass,
/// changed or not.
#[test]
fn a_router_that_holds_something_else_than_its_file_gets_the_file_again() {
    let Some(lab) = Lab::new() else { return };
    let place = lab.trigger(Trigger::Frr(Lists::One), LIST);
    let refresh = || place.run_in(&lab.trigger, &["refresh"]).code(0);
    let ours = "ip prefix-list NULLROUTED-V4 seq 1210432128 permit 72.37.186.0/24";
    let theirs = "ip prefix-list NULLROUTED-V4 seq 7 permit 9.9.9.0/24";
    let less = format!("no {ours}");
    let to_all = [
        "route-map NULLROUTED-OUT permit 10",
        "no match community NULLROUTED",
    ];
    for (enter, what) in [
        (&[theirs][..], "one more"),
        (&[&*less], "one less"),
        (
            &["no bgp community-list standard NULLROUTED"],
            "no community",
        ),
        (&to_all, "all that is announced"),
    ] {
        assert!(
            !refresh().err.contains("loaded again"),
            "nothing to do before {what}"
        );
        let enter = enter.iter().flat_map(|line| ["-c", *line]);
        let words: Vec<_> = ["-d", "bgpd", "-c", "configure terminal"]
            .into_iter()
            .chain(enter)
            .collect();
        lab.trigger.run("vtysh", &words).code(0);
        refresh().says("nullrouted.conf loaded again");
        let held = ["-d", "bgpd", "-c", "show running-config"];
        let held = lab.trigger.run("vtysh", &held).code(0).out;
        assert!(
            held.contains(ours)
                && !held.contains(theirs)
                && held.contains("\n match community NULLROUTED\n")
                && held.contains("community-list standard NULLROUTED"),
            "{what}: {held}"
        );
    }
}

/// What changed is loaded alone, and what bgpd holds then is the file.
#[test]
fn of_a_list_that_is_held_only_the_difference_is_loaded() {
    let Some(lab) = Lab::new() else { return };
    let list = |range: std::ops::Range<u8>| -> String {
        range.map(|n| format!("72.{n}.0.0/17\n")).collect()
    };
    for lists in [Lists::One, Lists::Octets] {
        let place = lab.trigger(Trigger::Frr(lists), &list(50..60));
        let refresh = |list: &str| {
            place.write("noc.list", list);
            place.run_in(&lab.trigger, &["refresh"]).code(0)
        };
        refresh(&list(51..62)).says("nullrouted.conf replaced, its difference loaded, 11 prefixes");
        let held = ["-d", "bgpd", "-c", "show running-config"];
        let held = lab.trigger.run("vtysh", &held).code(0).out;
        let held = |n: u8| held.contains(&format!(" permit 72.{n}.0.0/17"));
        assert!(!held(50) && (51..62).all(held), "{lists}");
        // Started anew, bgpd holds nothing of it: what was held is not taken for granted.
        let words = [
            "-d",
            "bgpd",
            "-c",
            "configure terminal",
            "-c",
            "no ip prefix-list",
        ];
        let name = if lists == Lists::One {
            "NULLROUTED-V4"
        } else {
            "NULLROUTED-V4-72"
        };
        let last = format!("{} {name}", words[5]);
        lab.trigger
            .run("vtysh", &[&words[..5], &[&*last]].concat())
            .code(0);
        refresh(&list(51..63))
            .says("the difference was not taken, so all was loaded (verify failed: ");
        refresh(&list(51..63)).says("unchanged");
        lab.trigger.run(
            "vtysh",
            &[
                "-d",
                "bgpd",
                "-c",
                "configure terminal",
                "-c",
                "no route-map NULLROUTED-IN",
            ],
        );
    }
}

/// Of what a reflector announces with the community, an edge takes neither what is its operator's
/// own nor what is too short, and nothing without it.
#[test]
fn an_edge_takes_blackholes_alone_and_none_of_its_own() {
    let Some(lab) = Lab::new() else { return };
    for edge in Edge::ALL {
        let blackholes = || lab.blackholes(edge);
        let taken = ["203.0.113.9", "2001:db8:9::/64"];
        eventually(&format!("{edge:?} takes what it may"), || {
            taken.iter().all(|prefix| blackholes().contains(prefix))
        });
        for prefix in TAGGED.iter().chain(&UNTAGGED) {
            let refused = !taken.iter().any(|taken| prefix.starts_with(taken));
            assert_eq!(
                !lab.announced(edge, prefix),
                refused,
                "{prefix} at {edge:?}"
            );
        }
    }
}

/// A neighbor announces a part of what is listed: the more specific route wins over the blackhole.
#[test]
fn a_more_specific_route_of_a_third_neighbor_reopens_the_road_only_without_the_filter() {
    let Some(lab) = Lab::new() else { return };
    let place = lab.trigger(Trigger::Bird, LIST);
    let both = |edge, answers| {
        for address in LISTED {
            lab.eventually(edge, address, answers);
        }
    };
    for edge in Edge::ALL {
        both(edge, false);
    }
    let others = lab.others();
    for edge in Edge::ALL {
        both(edge, true);
    }
    for edge in Edge::ALL {
        let filter = lab.filter(edge, Lists::One, LIST);
        both(edge, false);
        // What the neighbor announces beside it stays.
        for (theirs, is_there) in [
            ("198.51.100.0/24", true),
            ("2001:db8:feed::/48", true),
            ("72.37.186.0/25", false),
            ("2001:db8:bad::/64", false),
        ] {
            assert_eq!(
                lab.announced(edge, theirs),
                is_there,
                "{theirs} at {edge:?}"
            );
        }
        lab.list_at(edge, &filter, "# nobody\n");
        both(edge, true);
        lab.list_at(edge, &filter, LIST);
        both(edge, false);
    }
    // The same by a list for each octet, the former route-map taken away by hand.
    let words = [
        "-d",
        "bgpd",
        "-c",
        "configure terminal",
        "-c",
        "no route-map NULLROUTED-FILTER",
    ];
    lab.frr.run("vtysh", &words).code(0);
    both(Edge::Frr, true);
    let filter = lab.filter(Edge::Frr, Lists::Octets, LIST);
    both(Edge::Frr, false);
    lab.list_at(Edge::Frr, &filter, "# nobody\n");
    both(Edge::Frr, true);
    drop(others);
    drop(place);
}
