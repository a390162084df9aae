//! Routes inside of ours for which no cover is made: nobody is told that one would help.

use serde_json::Value;

use super::Ground;
use crate::support::NOC;

const COVERED: &str = "[kernel]\ncover_more_specifics = true\n";
const OWN_TABLE: &str =
    "a table of our own that is asked first: [kernel] table = 1166 and rule = 5000; or ";

/// Its only leak, with the cure.
#[track_caller]
fn leak(ground: &Ground) -> (Value, String) {
    let leak = ground.leak();
    let cure = leak["cure"].as_str().unwrap().to_owned();
    (leak, cure)
}

#[test]
fn a_single_address_with_the_best_metric_is_cured_by_a_table_a_worse_metric_or_its_removal() {
    for (prefix, other, listed) in [
        ("route add 72.37.187.9", "via 198.51.100.1", "72.37.187.9"),
        (
            "-6 route add 2001:db8:bad:1::9",
            "via 2001:db8:1::1",
            "2001:db8:bad:1::9",
        ),
    ] {
        let Some(ground) = Ground::new("") else {
            return;
        };
        let Ground { router, place, .. } = &ground;
        let best = u8::from(listed.contains(':'));
        let route = |metric: u8| format!("{prefix} {other} proto static metric {metric}");
        router.ip(&route(best));
        assert!(router.answers(listed));
        let (found, cure) = leak(&ground);
        assert_eq!(found["kind"], "more-specific");
        let why = format!("nothing wins over a single address with metric {best}; {OWN_TABLE}");
        let worse = best + 1;
        let owner = format!(
            "have its owner (proto static) set metric {worse} or more and [kernel] cover_more_specifics = true; or "
        );
        assert!(cure.starts_with(&format!("{why}{owner}remove it with: ip ")));

        // Covers do not help, and it is not said that they would.
        place.configure(&format!("{NOC}{COVERED}"));
        place.run_in(router, &["refresh"]).code(0);
        assert!(router.answers(listed));
        let (_, cure) = leak(&ground);
        assert!(!cure.contains("nullrouted refresh"), "{cure}");
        let owner =
            format!("have its owner (proto static) set metric {worse} or more, which is covered;");
        assert!(cure.contains(&owner), "{cure}");
        // What its owner can do.
        router.ip(&route(best).replace("route add", "route del"));
        router.ip(&route(worse));
        let (_, cure) = leak(&ground);
        assert!(
            cure.starts_with("nullrouted refresh covers it; or"),
            "{cure}"
        );
        place.run_in(router, &["refresh"]).code(0);
        ground.all_dropped();
        router.ip(&route(worse).replace("route add", "route del"));
        place.run_in(router, &["refresh"]).code(0);
        // A table of our own.
        router.ip(&route(best));
        place.configure(&format!("{NOC}[kernel]\ntable = 1166\nrule = 5000\n"));
        place.run_in(router, &["refresh"]).code(0);
        ground.all_dropped();
        assert!(!router.answers(listed));
        // Its removal.
        place.configure(NOC);
        place.run_in(router, &["refresh"]).code(0);
        ground.cure(&ground.leak());
        ground.all_dropped();
    }
}

#[test]
fn a_network_of_this_machine_is_to_be_protected_and_is_never_covered_or_won_over() {
    for kernel in ["", COVERED, "[kernel]\nmetric = 50\n"] {
        let Some(ground) = Ground::new(kernel) else {
            return;
        };
        let Ground { router, place, .. } = &ground;
        router.ip("route add 72.37.187.0/24 dev wan0 proto kernel scope link");
        let (_, cure) = leak(&ground);
        assert!(!cure.contains("[kernel]"), "{cure}");
        assert!(cure.contains("nullrouted allow 72.37.187.0/24 "), "{cure}");
        assert!(cure.contains("; or remove it with: ip route del"), "{cure}");
        let words = ["allow", "72.37.187.0/24", "--reason", "ours"];
        place.run_in(router, &words).code(0);
        ground.all_dropped();
        // Also in the very place of ours, where a better metric would win.
        router.ip("route add 192.0.2.0/24 dev wan0 proto kernel scope link metric 2");
        let json = ground.verify(&["--json"]).json();
        if let Some(leak) = json["leaks"].get(0) {
            assert_eq!(leak["kind"], "metric");
            let cure = leak["cure"].as_str().unwrap();
            assert!(cure.contains("nullrouted allow 192.0.2.0/24 "), "{cure}");
            assert!(!cure.contains("[kernel]"), "{cure}");
            ground.cure(leak);
            ground.all_dropped();
        }
        assert_eq!(json["verdict"] == "leaks", kernel.contains("50"));
    }
}

#[test]
fn neither_throw_nor_local_is_promised_a_cover() {
    let Some(ground) = Ground::new(COVERED) else {
        return;
    };
    let Ground { router, place, .. } = &ground;
    router.ip("route add default via 198.51.100.1 table default");
    router.ip("route add throw 192.0.2.0/28");
    assert!(router.answers("192.0.2.9"));
    let (_, cure) = leak(&ground);
    let why = format!("no cover is made for a throw route; {OWN_TABLE}remove it with: ip ");
    assert!(cure.starts_with(&why), "{cure}");
    place.configure(&format!("{NOC}[kernel]\ntable = 1166\nrule = 5000\n"));
    place.run_in(router, &["refresh"]).code(0);
    ground.all_dropped();
    place.configure(&format!("{NOC}{COVERED}"));
    place.run_in(router, &["refresh"]).code(0);
    ground.cure(&ground.leak());
    ground.all_dropped();

    router.ip("route add local 192.0.2.7 dev lo table main");
    let (_, cure) = leak(&ground);
    let allow = "if it is rightly yours, nullrouted allow 192.0.2.7 ([protect]";
    assert!(cure.starts_with(allow), "{cure}");
    ground.cure(&ground.leak());
    ground.all_dropped();
}

#[test]
fn a_route_in_the_place_of_ours_with_the_best_metric_is_covered_by_its_halves() {
    let Some(ground) = Ground::new("[kernel]\nmetric = 50\n") else {
        return;
    };
    let Ground { router, place, .. } = &ground;
    router.ip("route add 192.0.2.0/24 via 198.51.100.1 proto static");
    let (found, cure) = leak(&ground);
    assert_eq!(found["kind"], "metric");
    let covers = "[kernel] cover_more_specifics = true; or remove it with: ip ";
    assert!(cure.starts_with(covers), "{cure}");
    place.configure(&format!("{NOC}{COVERED}metric = 50\n"));
    place.run_in(router, &["refresh"]).code(0);
    ground.all_dropped();
    assert!(!router.answers("192.0.2.9"));
}

#[test]
fn what_a_cover_cures_and_what_not_are_told_apart_below_one_heading() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let Ground { router, .. } = &ground;
    router.ip("route add 72.37.187.0/24 via 198.51.100.1 proto bgp metric 20");
    router.ip("route add 192.0.2.9 via 198.51.100.1 proto static");
    let ran = ground.verify(&[]).code(1);
    ran.says("\n  cure: [kernel] cover_more_specifics = true; or remove it with: ip ")
        .says(
            "\n  cure of 192.0.2.9/32: nothing wins over a single address with metric 0; a table",
        );
}
