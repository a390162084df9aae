//! A held change and the person who answers it: the ID names an exact content, and nothing else is
//! applied.

mod answers;
mod configured;
mod limits;
mod races;
mod second_person;

use crate::support::{NO_KERNEL, NOC, Place};

/// `count` networks that do not join, from `first` on.
fn networks(first: u32, count: u32) -> String {
    (first..first + count)
        .map(|i| format!("72.37.{}.0/24 # SBL{i}\n", 2 * i))
        .collect()
}

/// Forty networks are in force, and a list of five waits.
fn held(more: &str) -> (Place, String) {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}{more}"));
    place.write("noc.list", &networks(0, 40));
    // A feed of `more` that never had a copy is a failure, which counts before a held change.
    let failed = more.contains("[[feed]]");
    let codes = if failed { [1, 1] } else { [0, 3] };
    place.run(&["refresh"]).code(codes[0]);
    place.write("noc.list", &networks(0, 5));
    place.run(&["refresh"]).code(codes[1]);
    let id = waiting(&place).expect("a change waits");
    (place, id)
}

fn waiting(place: &Place) -> Option<String> {
    let status = place.run(&["status", "--json"]).json();
    status["held"]["id"].as_str().map(str::to_owned)
}

fn routes(place: &Place) -> usize {
    place.run(&["list"]).code(0).lines().len()
}
