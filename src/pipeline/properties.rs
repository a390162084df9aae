//! The promise of the gate, for random histories: nothing protected is ever in the plan, and
//! nothing beyond the limits is ever applied without an approval of its exact content.
//!
//! A history is driven through the real decision by a shell in memory. After every decision what
//! should be in force is computed again by a model of single cells.

mod bounds;
mod checks;
mod choices;
mod feeds;
mod history;
mod naive;
mod regressions;
mod shell;
mod shown;

use std::cell::RefCell;

use proptest::test_runner::{Config, TestRunner};

use crate::testing::cases;
use checks::{Ids, Tally};
use history::History;

#[test]
fn no_history_brings_what_is_protected_or_lets_go_what_nobody_approved() {
    let (ids, tally) = (RefCell::new(Ids::default()), RefCell::new(Tally::default()));
    let mut runner = TestRunner::new(Config {
        cases: cases(4_000),
        failure_persistence: None,
        ..Config::default()
    });
    let ran = runner.run(&history::any(), |history: History| {
        let driven = history.drive(&mut ids.borrow_mut(), &mut tally.borrow_mut());
        driven.map(drop)
    });
    let tally = tally.into_inner();
    println!("{tally:?}, {} IDs", ids.borrow().len());
    if let Err(failure) = ran {
        panic!("{failure}");
    }
    // The histories tell enough of everything, at least 20 times in 4 000.
    let least = cases(20);
    let Tally {
        gone,
        held,
        approved,
        pinned,
        restored,
        configured,
        beyond,
        remembered,
        ..
    } = tally;
    for (what, count) in [
        ("went by themselves", gone),
        ("held", held),
        ("held, beyond the limits", beyond),
        ("approved", approved),
        ("pinned", pinned),
        ("held after a pin", restored),
        ("held for the configuration", configured),
        ("remembered", remembered),
    ] {
        assert!(count >= least as usize, "{count} {what}");
    }
}

#[test]
fn one_entry_is_decided_as_with_all_listings() {
    let (ids, tally) = (RefCell::new(Ids::default()), RefCell::new(Tally::default()));
    let mut runner = TestRunner::new(Config {
        cases: cases(200),
        failure_persistence: None,
        ..Config::default()
    });
    let ran = runner.run(&history::of_entries(), |history: History| {
        let driven = history.drive(&mut ids.borrow_mut(), &mut tally.borrow_mut());
        driven.map(drop)
    });
    let tally = tally.into_inner();
    println!("{tally:?}");
    if let Err(failure) = ran {
        panic!("{failure}");
    }
    // Each is compared with the whole decision by the shell; most of them need no listings.
    let Tally {
        followed,
        decisions,
        ..
    } = tally;
    assert!(followed * 20 > decisions, "{followed} of {decisions}");
}
