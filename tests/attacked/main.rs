//! Attacks, faults and operator mistakes that once broke a promise, by id. Each case fails on the build that
//! was attacked. This binary prints its results as a table, as `incidents` does.
//!
//! ```text
//! cargo test --test attacked -- A13      only the cases with this in their name
//! ```

mod a9_clock;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use support::cases::{self, Case, case};

const ATTACKED: &str = "Attacks, faults and mistakes";

/// Every id, in its order: none is left out, none is there twice.
#[rustfmt::skip]
const TABLES: [(&str, &[&str]); 1] = [(ATTACKED, &[
    "A9 clock-ahead", "A9 clock-good-look", "A9 clock-future-rows", "A9 clock-off-for-a-week",
    "A9 clock-a-day-later", "A9 clock-daemon",
])];

#[rustfmt::skip]
static CASES: &[Case] = &[
    case(ATTACKED, "A9 clock-ahead", "ten years ahead once", a9_clock::ten_years_ahead),
    case(ATTACKED, "A9 clock-good-look", "a good look while it is ahead", a9_clock::a_good_look_meanwhile),
    case(ATTACKED, "A9 clock-future-rows", "confirmed ten years in the future", a9_clock::confirmed_in_the_future),
    case(ATTACKED, "A9 clock-off-for-a-week", "expiry waits a day", a9_clock::off_for_a_week),
    case(ATTACKED, "A9 clock-a-day-later", "ahead for a day: it is believed", a9_clock::really_a_day_later),
    case(ATTACKED, "A9 clock-daemon", "ahead and back while the daemon runs", a9_clock::under_the_daemon),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    cases::main(&TABLES, CASES, &words)
}
