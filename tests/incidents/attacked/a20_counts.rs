//! A20: an address appears while many routes are installed, so the pass is begun again. What it
//! says is about all of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::namespace::Namespace;
use crate::support::{AROUND, NOC, Place, cases};

/// Addresses appear in it until they hit the change, which most do at the first try.
const TRIES: u32 = 15;

pub fn begun_again() {
    let list: String = (0..40_000_u32)
        .map(|i| format!("11.{}.{}.{}\n", i >> 15, i >> 7 & 255, 2 * (i & 127)))
        .collect();
    let mut begun_again = 0;
    for turn in 0..TRIES {
        let Some(router) = Namespace::new() else {
            return;
        };
        let place = Place::new(&format!(
            "{NOC}{AROUND}[kernel]\ntype = \"blackhole\"\n[limits]\nmax_routes = 100000\n"
        ));
        place.write("noc.list", &list);
        router.ip("link add veth0 type veth peer name veth1");
        router.ip("link set veth0 up");
        let done = AtomicBool::new(false);
        let ran = thread::scope(|scope| {
            scope.spawn(|| {
                // From the first generation on, one after the other, each of them listed.
                while !done.load(Ordering::Relaxed)
                    && router.sh("ip -4 route show proto 166 | head -1").is_empty()
                {
                    thread::sleep(Duration::from_millis(1));
                }
                router.ip(&format!("address add 11.0.{turn}.2/32 dev veth0"));
            });
            let ran = place.run_in(&router, &["refresh"]);
            done.store(true, Ordering::Relaxed);
            ran
        })
        .code(0);
        // What the pass says in the end is about all of it, in however many rounds it was made.
        let all: String = place
            .ledger()
            .query_row(
                "SELECT report FROM target WHERE name = 'kernel'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        let number = |word: &str| -> i64 {
            let (_, after) = all.split_once(word).unwrap();
            after.split(',').next().unwrap().trim().parse().unwrap()
        };
        let (added, removed, kept) = (number("added "), number("removed "), number("kept "));
        let there = router.ours().len() as i64;
        assert_eq!((added - removed, kept), (there, 0), "{all}: {}", ran.err);
        let generations = ran.err.matches("generation ").count();
        if generations > 1 {
            begun_again += 1;
            if begun_again == 3 {
                break;
            }
        }
    }
    cases::note(format!("begun again in {begun_again} passes"));
    assert!(begun_again > 0, "no change was hit in {TRIES} passes");
}
