//! What is held, and what nobody may let go.

use super::{held, networks, routes, waiting};
use crate::support::{NO_KERNEL, NOC, Place};

#[test]
fn with_manual_review_every_change_of_a_list_waits_for_a_second_person() {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}[review]\nmode = \"manual\"\n"));
    place.write("noc.list", "192.0.2.0/24\n");
    place
        .run(&["refresh"])
        .code(3)
        .says("held, reason: every change waits for approve ([review] mode = \"manual\")");
    assert_eq!(routes(&place), 0);
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    assert_eq!(routes(&place), 1);
    place.run(&["refresh"]).code(0);
    place.write("noc.list", "192.0.2.0/24\n198.51.100.0/24\n");
    place.run(&["refresh"]).code(3);
    // His own hand needs no other.
    place
        .run(&["add", "203.0.113.0/24", "--reason", "phish"])
        .code(0);
    assert_eq!(
        place.run(&["list"]).lines(),
        ["192.0.2.0/24", "203.0.113.0/24"]
    );
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    assert_eq!(routes(&place), 3);
}

#[test]
fn nobody_may_approve_what_cannot_be_read_or_would_drop_everything() {
    let halves: String = (0..=255).map(|i| format!("{i}.0.0.0/8\n")).collect();
    let place = Place::new(&format!("{NOC}reserved = true\n{NO_KERNEL}"));
    place.write("noc.list", &halves);
    place
        .run(&["refresh"])
        .code(3)
        .says("together the feeds make 0.0.0.0/2");
    let everything = waiting(&place).unwrap();
    place.run(&["approve", &everything]).code(1).says(&format!(
        "{everything} cannot be approved: noc: 93.4% of all IPv4 addresses"
    ));
    assert_eq!(routes(&place), 0);
    let (place, id) = held("");
    for file in std::fs::read_dir(place.path("state/copies")).unwrap() {
        std::fs::write(file.unwrap().path(), "torn").unwrap();
    }
    place
        .run(&["approve", &id])
        .code(1)
        .says("nothing was changed");
    assert_eq!(routes(&place), 40);
}

#[test]
fn what_grows_inside_protected_space_is_judged_when_it_grows() {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}"));
    place.write("noc.list", &networks(0, 20));
    place.run(&["refresh"]).code(0);
    place
        .run(&[
            "allow",
            "72.37.0.0/16",
            "--reason",
            "maintenance",
            "--for",
            "2h",
        ])
        .code(0);
    assert_eq!(routes(&place), 0);
    place.write("noc.list", &networks(0, 60));
    let ran = place.run(&["refresh"]).code(3);
    assert!(
        ran.err
            .contains("noc: 40 of 20 prefixes would be added, 200%"),
        "{}",
        ran.err
    );
    place.later(7_201);
    place.run(&["refresh"]).code(3);
    assert_eq!(
        routes(&place),
        20,
        "what was there comes back, and nothing more"
    );
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    assert_eq!(routes(&place), 60);
}

#[test]
fn a_number_of_prefixes_is_a_limit_also_for_a_feed_that_was_empty() {
    let place = Place::new(&format!(
        "{NOC}believe_empty = true\nmax_added_count = 10\n{NO_KERNEL}"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.write("noc.list", "# quiet\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(routes(&place), 0);
    place.write("noc.list", &networks(0, 20));
    place
        .run(&["refresh"])
        .code(3)
        .says("noc: 20 prefixes would be added (max_added_count 10)");
    assert_eq!(routes(&place), 0);
}

#[test]
fn a_protection_that_ends_while_a_change_is_held_leaves_no_hole_behind() {
    let (place, id) = held("");
    // Listed still: it comes back. Kept by the hold alone: it does not.
    for prefix in ["72.37.2.0/24", "72.37.60.0/24"] {
        place.run(&["allow", prefix, "--reason", "test"]).code(0);
        place.run(&["disallow", prefix]).code(0);
    }
    let list = place.run(&["list"]).code(0).out;
    assert!(
        list.contains("72.37.2.0/24") && !list.contains("72.37.60.0/24"),
        "{list}"
    );
    assert_eq!(waiting(&place), Some(id));
}

#[test]
fn a_lower_limit_asks_nothing_of_what_is_in_force() {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}"));
    place.write("noc.list", &networks(0, 40));
    place.run(&["refresh"]).code(0);
    place.configure(&format!("{NOC}{NO_KERNEL}[limits]\nmax_routes = 30\n"));
    place.run(&["refresh"]).code(0);
    assert_eq!((routes(&place), waiting(&place)), (40, None));
    // What comes is beyond it, and has to be approved; then it is in force, and asks no more.
    place.write("noc.list", &networks(0, 41));
    place
        .run(&["refresh"])
        .code(3)
        .says("41 routes (max_routes 30)");
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    place.run(&["refresh"]).code(0);
    place.run(&["flush"]).code(0);
    place.run(&["unpin"]).code(0);
    assert_eq!(routes(&place), 41);
}

#[test]
fn what_the_lists_change_inside_protected_space_is_shown_for_approval() {
    let place = Place::new(&format!(
        "{NOC}{NO_KERNEL}[review]\nmode = \"manual\"\n[protect]\nprefixes = [\"198.51.100.0/24\"]\n"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(3);
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    place.write("noc.list", "192.0.2.0/24\n198.51.100.7\n");
    place.run(&["refresh"]).code(3);
    let plan = place.run(&["plan"]).code(3);
    assert!(
        plan.out
            .contains("+ 198.51.100.7/32      listed now, and protected"),
        "{}",
        plan.out
    );
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    assert_eq!(place.run(&["list"]).lines(), ["192.0.2.0/24"]);
}
