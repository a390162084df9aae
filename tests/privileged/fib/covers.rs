//! Routes of others inside of ours.

use crate::support::daemon::Daemon;
use crate::support::lab::beside;
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NOC, Place};

fn place(list: &str, cover: bool) -> Place {
    let cover = format!("[kernel]\ncover_more_specifics = {cover}\n");
    let protect = "[protect]\ndiscover = []\nprefixes = [\"72.37.187.128/25\"]\n";
    let place = Place::new(&format!("{NOC}{cover}{protect}"));
    place.write("noc.list", list);
    place
}

/// Whether the kernel would send a packet to this address on its way.
fn passes(router: &Namespace, address: &str) -> bool {
    router
        .run("ip", &["route", "get", address])
        .out
        .contains(" dev wan")
}

const INSIDE: [&str; 4] = [
    "route add 72.37.186.64/26 via 192.0.2.2 proto bird metric 32",
    "route add 72.37.187.0/26 via 192.0.2.2 proto static",
    "route add 72.37.187.9 via 192.0.2.2 proto bird metric 32",
    "-6 route add 2001:db8:bad:1::/64 via 2001:db8::2 proto static",
];

const ASKED: [&str; 4] = [
    "72.37.186.65",
    "72.37.187.60",
    "72.37.187.9",
    "2001:db8:bad:1::9",
];

#[test]
fn a_more_specific_route_is_covered_when_it_comes_and_free_when_it_goes() {
    let Some((router, _neighbor)) = beside() else {
        return;
    };
    let place = place("72.37.186.0/23\n2001:db8:bad::/48\n", true);
    // One is there before, and what is protected stays free.
    router.ip(INSIDE[1]);
    router.ip("route add 72.37.187.192/26 via 192.0.2.2");
    let daemon = Daemon::start(&place, &router);
    assert!(!passes(&router, ASKED[1]));
    let alone = router.ours();
    for (route, asked) in INSIDE.iter().zip(ASKED) {
        if !route.contains("72.37.187.0/26") {
            router.ip(route);
        }
        eventually(route, || !passes(&router, asked));
    }
    assert!(passes(&router, "72.37.187.193"), "protected");
    let via = || -> Vec<String> {
        let foreign = router.foreign().into_iter();
        foreign.filter(|line| line.contains(" via ")).collect()
    };
    assert_eq!(via().len(), 5);
    place
        .run_in(&router, &["status"])
        .says("covers  ")
        .says("routes cover more specific ones of others");
    let why = place.run_in(&router, &["why", "72.37.186.65"]).code(0);
    assert!(!why.out.contains("not ours wins"), "{}", why.out);
    place.run_in(&router, &["plan"]).code(0);

    for route in [INSIDE[0], INSIDE[2], INSIDE[3]] {
        router.ip(&route.replace("route add", "route del"));
    }
    eventually("what covered them is gone", || router.ours() == alone);
    assert_eq!(via().len(), 2, "{:#?}", via());
    // The listing goes, and its covers with it.
    place.write("noc.list", "2001:db8:bad::/48\n");
    place.run_in(&router, &["refresh"]);
    place.run_in(&router, &["remove", "72.37.186.0/23"]);
    drop(daemon);
}

#[test]
fn what_nothing_can_cover_is_told() {
    let Some((router, _neighbor)) = beside() else {
        return;
    };
    let place = place("72.37.186.0/23\n", true);
    // A single address with the best metric there is.
    router.ip("route add 72.37.186.9 via 192.0.2.2 proto static");
    place.run_in(&router, &["refresh"]).code(0);
    assert!(passes(&router, "72.37.186.9"));
    place
        .run_in(&router, &["status"])
        .says("covers  ALARM  0 routes cover more specific ones of others; 1 cannot be covered")
        .says("72.37.186.9/32 proto static");
    // Nobody is told of what is turned off.
    for config in [
        NOC.to_owned(),
        format!("{NOC}[kernel]\nenabled = false\ncover_more_specifics = true\n"),
    ] {
        place.configure(&config);
        let status = place.run_in(&router, &["status"]).code(0);
        assert!(!status.out.contains("covers  "), "{config}: {}", status.out);
    }
}

#[test]
fn nothing_is_covered_unless_it_is_wanted() {
    let Some((router, _neighbor)) = beside() else {
        return;
    };
    let place = place("72.37.186.0/23\n2001:db8:bad::/48\n", false);
    INSIDE.iter().for_each(|route| drop(router.ip(route)));
    place.run_in(&router, &["refresh"]).code(0);
    assert!(ASKED.iter().all(|asked| passes(&router, asked)));
    let status = place.run_in(&router, &["status"]);
    assert!(!status.out.contains("covers"), "{}", status.out);
}
