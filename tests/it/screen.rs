//! What an operator sees at three in the morning fits one screen, however much there is.

use crate::support::{NO_KERNEL, Place};

/// Thirty feeds, four of them with something to say; a change that waits; ten entries by hand.
fn busy() -> Place {
    let feeds: String = (0..30)
        .map(|i| {
            format!("[[feed]]\nname = \"a-list-of-some-publisher-{i}\"\npath = \"{i}.list\"\nformat = \"cidr\"\n")
        })
        .collect();
    let place = Place::new(&format!("{feeds}{NO_KERNEL}"));
    let list = |i: u32, count: u32| -> String {
        (0..count)
            .map(|n| format!("72.{i}.{}.0/24\n", 2 * n))
            .collect()
    };
    for i in 0..30 {
        place.write(&format!("{i}.list"), &list(i, 30));
    }
    place.run(&["refresh"]).code(0);
    for i in [3, 7, 20] {
        std::fs::remove_file(place.path(&format!("{i}.list"))).unwrap();
    }
    for i in [11, 12, 13, 14, 15] {
        place.write(&format!("{i}.list"), &list(i, 2));
    }
    place.write("29.list", &format!("{}not a network\n", list(29, 30)));
    place.run(&["refresh"]).code(3);
    for i in 0..10 {
        let prefix = format!("192.0.2.{i}");
        place
            .run(&["add", &prefix, "--reason", "phish, ticket 4711"])
            .code(0);
    }
    place
}

#[test]
fn status_fits_one_screen_and_what_matters_comes_first() {
    let place = busy();
    let ran = place.run(&["status"]).code(0);
    let lines = ran.lines();
    assert!(lines.len() <= 24, "{} lines:\n{}", lines.len(), ran.out);
    let widest = lines.iter().map(|line| line.chars().count()).max();
    assert!(widest <= Some(140), "{widest:?}:\n{}", ran.out);
    assert!(
        lines[0].starts_with("902 routes in force (902 IPv4, 0 IPv6), generation 11, "),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("HELD  change "), "{}", lines[1]);
    for feed in [
        "publisher-3 ",
        "publisher-7 ",
        "publisher-20",
        "publisher-29",
    ] {
        assert!(
            ran.out.contains(feed),
            "{feed} has something to say:\n{}",
            ran.out
        );
    }
    assert!(
        ran.out
            .contains("… 26 more feeds, all well (--json shows all)"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("… 7 more by hand (--json shows all)"),
        "{}",
        ran.out
    );
    let json = place.run(&["status", "--json"]).code(0).json();
    assert_eq!(json["feeds"].as_array().unwrap().len(), 30);
    assert_eq!(json["by_hand"].as_array().unwrap().len(), 10);
    let held = &json["held"];
    assert_eq!((&held["added"], &held["removed"]), (&0.into(), &140.into()));
}

#[test]
fn the_story_of_a_prefix_fits_one_screen() {
    let place = busy();
    let ran = place.run(&["why", "72.0.0.0/8"]).code(0);
    assert!(ran.lines().len() <= 40, "{}", ran.out);
    let ran = place.run(&["why", "72.11.40.9"]).code(0);
    assert!(ran.lines().len() <= 10, "{}", ran.out);
}
