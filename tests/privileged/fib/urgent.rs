//! What must go does not wait until everything is read again.

use std::fs;
use std::net::IpAddr;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use nullrouted::targets::kernel::Fib;

use super::batches::inside;
use super::hands::{runtime, set, sync};
use crate::support::Place;
use crate::support::holes::{Holes, MARKED};
use crate::support::inside::in_the_namespace_made_for_it;
use crate::support::namespace::Namespace;

/// Another program whose IPv6 routes come and go all the time: no reading of the table is whole
/// meanwhile.
struct Restless(Child);

impl Restless {
    fn begin(router: &Namespace, place: &Place) -> Self {
        let lines = |verb: &str| -> String {
            let line = |n| format!("route {verb} blackhole 2001:db8:{n:x}::/48 proto static\n");
            (0..3_000).map(line).collect()
        };
        place.write("batch", &[lines("add"), lines("del")].concat());
        let file = place.path("batch").display().to_string();
        let mut sh = router.command("sh");
        let line = format!("while test -e {file}; do ip -6 -batch {file} || exit 1; done");
        Self(sh.args(["-c", &line]).spawn().unwrap())
    }

    fn end(mut self, place: &Place) {
        assert!(self.0.try_wait().unwrap().is_none(), "it was restless");
        fs::remove_file(place.path("batch")).unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn what_must_go_is_taken_away_before_everything_is_read_again() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.sh(MARKED);
    let place = Place::new("");
    let restless = Restless::begin(&router, &place);
    thread::sleep(Duration::from_millis(300));
    inside(&router, "fib::urgent::take_away_while_others_come_and_go");
    restless.end(&place);
}

#[test]
#[ignore = "in a namespace"]
fn take_away_while_others_come_and_go() {
    in_the_namespace_made_for_it();
    let others: Vec<String> = (0..20_000)
        .map(|n| format!("2001:db9:{:x}:{:x}::/64", n >> 8, (n & 255) * 2))
        .collect();
    let listed = "2001:dba:bad::/48";
    let all: Vec<&str> = others.iter().map(String::as_str).chain([listed]).collect();
    let half = "2001:dba:bad:8000::/49";
    let less: Vec<&str> = others.iter().map(String::as_str).chain([half]).collect();
    let (all, less) = (set(&all), set(&less));
    let runtime = runtime();
    let _inside = runtime.enter();
    let mut fib = Fib::listening().unwrap();
    runtime.block_on(sync(&mut fib, &all, false));
    let mut holes = Holes::open();
    let address: IpAddr = "2001:dba:bad::1".parse().unwrap();
    assert!(holes.is_dropped(address));

    // As where notifications were lost.
    fib.invalidate();
    let begun = Instant::now();
    let looks = thread::spawn(move || {
        while holes.is_dropped(address) {
            thread::sleep(Duration::from_millis(1));
        }
        begun.elapsed()
    });
    let report = runtime.block_on(sync(&mut fib, &less, false));
    let all_of_it = begun.elapsed();
    let free = looks.join().unwrap();
    assert!(free < all_of_it / 3, "free after {free:?} of {all_of_it:?}");
    // And it is counted as if it were one change.
    assert_eq!((report.added, report.removed, report.failed), (1, 1, 0));
    assert_eq!(report.kept, 20_000);
    assert!(report.restored.is_empty(), "{report:?}");
    let report = runtime.block_on(sync(&mut fib, &less, false));
    assert_eq!((report.added, report.removed), (0, 0));
}
