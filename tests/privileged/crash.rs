//! Killed at random moments while it changes twenty thousand routes: fifty times with
//! `NULLROUTED_TESTS=all`, otherwise five times.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::namespace::Namespace;
use crate::support::{Place, unless_everything};

const ROUTES: u32 = 20_000;

/// Twenty thousand hosts, no two of which can be joined. Half of them differ between the two sets.
fn list(set: u32) -> String {
    let host = |i: u32| {
        let n = 2 * i + if i.is_multiple_of(2) { 0 } else { set };
        let other = if i % 2 == 1 && set == 1 { 128 } else { 0 };
        format!("11.{}.{}.{}\n", other + (n >> 16), (n >> 8) & 255, n & 255)
    };
    (0..ROUTES).map(host).collect()
}

/// Small, repeatable, good enough to choose moments (Knuth's constants).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn killed_at_any_moment_the_next_run_converges_and_foreign_routes_stay() {
    let Some(router) = Namespace::new() else {
        return;
    };
    for route in [
        "route add blackhole 11.0.0.0/32 proto static",
        "route add 11.0.0.4/32 dev lo metric 9",
        "-6 route add blackhole 2001:db8::/32 proto static",
    ] {
        router.ip(route);
    }
    let foreign = router.foreign();
    let place = Place::new(
        "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n[limits]\nmax_added = \"100%\"\nmax_removed = \"100%\"\n",
    );
    let lists = [list(0), list(1)];
    place.write("noc.list", &lists[0]);
    place.run_in(&router, &["refresh"]).code(0);

    // How long a whole change takes here, so that the kills fall into it.
    place.write("noc.list", &lists[1]);
    let start = Instant::now();
    place.run_in(&router, &["refresh"]).code(0);
    let whole = start.elapsed().as_millis() as u64;

    let mut chance = Chance(u64::from(std::process::id()));
    let kills = unless_everything(50, 5);
    let mut cut_short = 0;
    for kill in 0..kills {
        place.write("noc.list", &lists[kill as usize % 2]);
        let mut child = place
            .command(router.command(crate::support::PROGRAM), &["refresh"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(chance.below(whole)));
        let _ = child.kill();
        cut_short += u32::from(child.wait().unwrap().code().is_none());
        // The ledger is sound at once, before any repair.
        let ledger = place.ledger();
        let sound: String = ledger
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok");
        converged(&router, &place, &foreign, kill);
    }
    assert!(
        cut_short > kills / 5,
        "only {cut_short} of {kills} fell into a run"
    );
}

fn converged(router: &Namespace, place: &Place, foreign: &[String], kill: u32) {
    place.run_in(router, &["refresh"]).code(0);
    let wanted = place.run(&["list"]).code(0).out;
    let mut installed: Vec<_> = router
        .ip("-4 route show proto 166")
        .lines()
        .map(|line| line.trim().to_owned())
        .collect();
    let mut expected: Vec<_> = wanted
        .lines()
        // A host route prints without its length, and the place of 11.0.0.0 is taken.
        .filter(|line| *line != "11.0.0.0/32")
        .map(|line| format!("blackhole {}", line.trim_end_matches("/32")))
        .collect();
    installed.sort();
    expected.sort();
    assert_eq!(installed.len(), expected.len(), "after kill {kill}");
    assert!(installed == expected, "after kill {kill}");
    assert_eq!(router.foreign(), foreign, "after kill {kill}");
    place.run_in(router, &["plan"]).code(0);
}
