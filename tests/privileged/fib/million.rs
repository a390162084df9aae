//! A million routes, once, with `NULLROUTED_TESTS=all`; otherwise a tenth of them.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use crate::support::loads;
use crate::support::namespace::Namespace;
use crate::support::{NOC, Place, unless_everything};

/// A generous bound around everything: alone on two cores it takes 40 s, and other tests run beside
/// it. How fast the kernel is used is a matter of `benches/`.
const LONGEST: Duration = Duration::from_secs(360);

#[test]
fn a_million_routes_come_change_and_go() {
    let _alone = loads();
    let many = unless_everything(1_000_000, 100_000_u32);
    let (v4, v6) = (many, many / 10);
    let Some(router) = Namespace::new() else {
        return;
    };
    let limits = "[limits]\nmax_routes = 2_000_000\nmax_share_v4 = \"5%\"\n";
    let place = Place::new(&format!("{NOC}{limits}"));
    // Every second /28 of 72.0.0.0/7 and every second /64 of 2001:db8::/46, so that none can be
    // joined.
    let fours = (0..v4).map(|n| format!("{}/28\n", Ipv4Addr::from((72 << 24) + (n << 5))));
    let sixes = (0..u128::from(v6)).map(|n| (0x2001_0db8 << 96) + (n << 65));
    let sixes = sixes.map(|bits| format!("{}/64\n", Ipv6Addr::from(bits)));
    let list: String = fours.chain(sixes).collect();
    place.write("noc.list", &list);
    let begin = Instant::now();
    let step = |verb: &[&str]| {
        let start = Instant::now();
        let ran = place.run_in(&router, verb).code(0);
        println!("{verb:?}: {:.1} s", start.elapsed().as_secs_f64());
        ran
    };
    let count = || -> [u32; 2] {
        ["-4", "-6"].map(|family| {
            let count = router.sh(&format!("ip {family} route show proto 166 | wc -l"));
            count.trim().parse().unwrap()
        })
    };
    step(&["refresh"]).says(&format!("added {}, removed 0, kept 0, failed 0", v4 + v6));
    assert_eq!(count(), [v4, v6]);
    step(&["refresh"]).says(&format!("added 0, removed 0, kept {}, failed 0", v4 + v6));
    let list = list.replacen("72.0.0.0/28", "71.0.0.0/28", 1);
    let list = list.replacen("2001:db8::/64", "2001:db8:ffff::/64", 1);
    place.write("noc.list", &list);
    step(&["refresh"]).says(&format!(
        "added 2, removed 2, kept {}, failed 0",
        v4 + v6 - 2
    ));
    step(&["flush"]);
    assert_eq!(count(), [0, 0]);
    let took = begin.elapsed();
    println!("all: {:.1} s", took.as_secs_f64());
    assert!(took < LONGEST, "{took:?}");
}
