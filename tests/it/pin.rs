//! Going back: pin, an earlier generation, unpin, and what stays protected meanwhile.

use crate::support::{NO_KERNEL, NOC, Place};

fn listed(place: &Place) -> Vec<String> {
    let ran = place.run(&["list"]).code(0);
    ran.lines().into_iter().map(str::to_owned).collect()
}

/// Three generations of one list.
fn place() -> Place {
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.write("noc.list", "192.0.2.0/24\n198.51.100.0/24\n");
    place.run(&["refresh"]).code(0);
    place.write(
        "noc.list",
        "198.51.100.0/24\n203.0.113.0/24\n2001:db8::/32\n",
    );
    place.run(&["refresh"]).code(0);
    place
}

#[test]
fn what_is_in_force_is_frozen_until_unpin() {
    let place = place();
    let frozen = listed(&place);
    place
        .run(&["pin", "--reason", "change freeze"])
        .code(0)
        .says(
            "pinned to generation 3: lists are still looked at, and nothing of theirs is applied",
        );
    place.write("noc.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(listed(&place), frozen);
    place
        .run(&["status"])
        .code(0)
        .says("PINNED to generation 3 since 20");
    assert_eq!(
        place.run(&["status", "--json"]).json()["pinned"]["generation"],
        3
    );
    place
        .run(&["plan"])
        .code(0)
        .says("PINNED to generation 3 since 20");
    // By hand: noted, and not in force; what is allowed is out at once.
    place
        .run(&["add", "192.0.2.7", "--reason", "phish"])
        .code(0)
        .says("recorded, and not in force: pinned to generation 3 since 20");
    place
        .run(&["allow", "203.0.113.0/25", "--reason", "customer"])
        .code(0);
    assert_eq!(
        listed(&place),
        ["198.51.100.0/24", "203.0.113.128/25", "2001:db8::/32"]
    );
    place.run(&["disallow", "203.0.113.0/25"]).code(0);
    assert_eq!(listed(&place), frozen, "it is frozen whole again");
    place
        .run(&["why", "192.0.2.7"])
        .code(0)
        .says("held: pinned to generation 3 since 20");
    place
        .run(&["unpin"])
        .code(0)
        .says("unpinned; it was pinned to generation 3 since 20");
    assert_eq!(listed(&place), ["192.0.2.0/24"]);
    place.run(&["unpin"]).code(0).says("there was no pin");
}

#[test]
fn an_earlier_generation_comes_back_exactly_but_for_what_is_protected_now() {
    let place = place();
    let now = listed(&place);
    place.run(&["pin", "2"]).code(0);
    assert_eq!(listed(&place), ["192.0.2.0/24", "198.51.100.0/24"]);
    place.run(&["pin", "1"]).code(0);
    assert_eq!(listed(&place), ["192.0.2.0/24"]);
    place.run(&["pin", "3"]).code(0);
    assert_eq!(listed(&place), now);
    place.configure(&format!(
        "{NOC}{NO_KERNEL}[protect]\nprefixes = [\"192.0.2.64/26\"]\n"
    ));
    place.run(&["pin", "1"]).code(0);
    assert_eq!(listed(&place), ["192.0.2.0/26", "192.0.2.128/25"]);
    place.run(&["why", "192.0.2.1"]).code(0).says("(pin)");
    place.run(&["unpin"]).code(0);
    assert_eq!(listed(&place), now);
    for (words, why) in [
        (
            &["pin", "99"][..],
            "generation 99 does not exist (available: 1 to ",
        ),
        (
            &["pin", "0"],
            "generation 0 is nothing: nullrouted flush withdraws everything",
        ),
        (&["pin", "last"], "invalid value 'last'"),
    ] {
        place.run(words).code(64).says(why);
    }
    let fresh = Place::of_list("192.0.2.0/24\n");
    fresh
        .run(&["pin"])
        .code(64)
        .says("there is no generation yet: nothing to freeze; nothing was changed");
}

#[test]
fn a_change_that_came_meanwhile_is_judged_against_what_was_in_force_before_the_pin() {
    let many: String = (0..40).map(|i| format!("72.37.{}.0/24\n", 2 * i)).collect();
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.write("noc.list", &many);
    place.run(&["refresh"]).code(3);
    let id = place.run(&["plan", "--json"]).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    place.run(&["approve", &id]).code(0);
    place.run(&["pin", "1"]).code(0);
    assert_eq!(listed(&place), ["192.0.2.0/24"]);
    place.write("noc.list", "72.37.0.0/24\n");
    place.run(&["refresh"]).code(0);
    // Nothing is judged, and so nothing approved, while it is pinned.
    place
        .run(&["approve", &id])
        .code(1)
        .says("nothing is judged while pinned to generation 1");
    // The loss of thirty-nine does not slip through: what was in force before the pin comes back.
    place.run(&["unpin"]).code(3);
    assert_eq!(listed(&place).len(), 40);
}

#[test]
fn origin_ases_go_back_with_their_generation() {
    let config = |more: &str| {
        format!(
            "[[feed]]\nname = \"asn\"\npath = \"asn.json\"\nformat = \"asndrop-json\"\n{NO_KERNEL}\
             [[router]]\nname = \"edge1\"\nfamily = \"frr\"\nrole = \"filter\"\npath = \"edge1.conf\"\n{more}"
        )
    };
    let list = |asns: &[u32]| -> String {
        let records: String = asns
            .iter()
            .map(|asn| format!("{{\"asn\":{asn},\"rir\":\"arin\",\"domain\":\"x.example\",\"cc\":\"US\",\"asname\":\"X\"}}\n"))
            .collect();
        let (size, count) = (records.len(), asns.len());
        format!(
            "{records}{{\"type\":\"metadata\",\"timestamp\":1790000000,\"size\":{size},\"records\":{count}}}\n"
        )
    };
    let place = Place::new(&config(""));
    place.write("asn.json", &list(&[64496, 64497]));
    place.run(&["refresh"]).code(0);
    place.write("asn.json", &list(&[64497, 64498]));
    place.run(&["refresh"]).code(0);
    assert!(!place.read("edge1.conf").contains("64496"));
    place.run(&["pin", "1"]).code(0);
    let file = place.read("edge1.conf");
    assert!(file.contains("64496") && !file.contains("64498"), "{file}");
    place.run(&["unpin"]).code(0);
    assert!(place.read("edge1.conf").contains("64498"));
    // Also over a flush, which takes them all away.
    place.run(&["flush"]).code(0);
    assert!(!place.read("edge1.conf").contains("64498"));
    place.run(&["pin", "1"]).code(0);
    assert!(place.read("edge1.conf").contains("64496"));
}

#[test]
fn what_a_pin_brought_back_goes_because_the_pin_has_ended() {
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.write("noc.list", "198.51.100.0/24\n");
    place.run(&["refresh"]).code(0);
    place.run(&["pin", "1"]).code(0);
    place.run(&["unpin"]).code(0);
    let told = place.run(&["history", "192.0.2.0/24"]).code(0);
    assert!(
        told.out.contains("the pin that kept it has ended"),
        "{}",
        told.out
    );
    assert!(!told.out.contains("no longer counts"), "{}", told.out);
}
