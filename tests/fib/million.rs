//! A million routes, once.

use std::time::Instant;

use crate::support::namespace::Namespace;
use crate::support::{NOC, Place};

#[test]
fn a_million_routes_come_change_and_go() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let limits = "[limits]\nmax_routes = 2_000_000\nmax_share_v4 = \"5%\"\n";
    let place = Place::new(&format!("{NOC}{limits}"));
    // Every second /28 of 72.0.0.0/7, so that none can be joined.
    let list: String = (0..1_000_000_u32)
        .map(|n| format!("{}/28\n", std::net::Ipv4Addr::from((72 << 24) + (n << 5))))
        .collect();
    place.write("noc.list", &list);
    let step = |verb: &[&str], expected: i32| {
        let start = Instant::now();
        let ran = place.run_in(&router, verb).code(expected);
        println!("{verb:?}: {:.1} s", start.elapsed().as_secs_f64());
        ran
    };
    let count = || {
        router
            .sh("ip route show proto 166 | wc -l")
            .trim()
            .parse::<usize>()
            .unwrap()
    };
    step(&["refresh"], 0).says("added 1000000, removed 0, kept 0, failed 0");
    assert_eq!(count(), 1_000_000);
    step(&["refresh"], 0).says("added 0, removed 0, kept 1000000, failed 0");
    place.write("noc.list", &list.replacen("72.0.0.0/28", "71.0.0.0/28", 1));
    step(&["refresh"], 0).says("added 1, removed 1, kept 999999, failed 0");
    step(&["flush"], 0);
    assert_eq!(count(), 0);
}
