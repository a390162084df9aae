//! Attacks, faults and operator mistakes that once broke a promise, by id. Each case fails on the build that
//! was attacked. This binary prints its results as a table, as `incidents` does.
//!
//! ```text
//! cargo test --test attacked -- A13      only the cases with this in their name
//! ```

#[allow(dead_code)]
#[path = "../incidents/ground.rs"]
mod ground;
#[path = "../incidents/inside.rs"]
mod inside;
#[path = "../support/mod.rs"]
mod support;

mod a11_sessions;
mod a1_dns_frees_a_list;
mod a20_counts;
mod a9_clock;

use std::process::ExitCode;

use support::cases::{self, Case, case};

const ATTACKED: &str = "Attacks, faults and mistakes";

/// Every id, in its order: none is left out, none is there twice.
#[rustfmt::skip]
const TABLES: [(&str, &[&str]); 1] = [(ATTACKED, &[
    "A1 dns-frees-a-list", "A1 proven-by-tls", "A1 proven-by-http", "A1 not-proven",
    "A1 eight-in-all",
    "A9 clock-ahead", "A9 clock-good-look", "A9 clock-future-rows", "A9 clock-off-for-a-week",
    "A9 clock-a-day-later", "A9 clock-daemon",
    "A11 sessions",
    "A20 miscount",
])];

#[rustfmt::skip]
static CASES: &[Case] = &[
    case(ATTACKED, "A1 dns-frees-a-list", "39 addresses of a name in a listed /23", a1_dns_frees_a_list::no_server),
    case(ATTACKED, "A1 proven-by-tls", "one of them proves the name by TLS", a1_dns_frees_a_list::tls),
    case(ATTACKED, "A1 proven-by-http", "one of them answers completely", a1_dns_frees_a_list::http),
    case(ATTACKED, "A1 not-proven", "cut short, or with a foreign certificate", a1_dns_frees_a_list::not_proven),
    case(ATTACKED, "A1 eight-in-all", "another address at every look, all answer", a1_dns_frees_a_list::eight_in_all),
    case(ATTACKED, "A9 clock-ahead", "ten years ahead once", a9_clock::ten_years_ahead),
    case(ATTACKED, "A9 clock-good-look", "a good look while it is ahead", a9_clock::a_good_look_meanwhile),
    case(ATTACKED, "A9 clock-future-rows", "confirmed ten years in the future", a9_clock::confirmed_in_the_future),
    case(ATTACKED, "A9 clock-off-for-a-week", "expiry waits a day", a9_clock::off_for_a_week),
    case(ATTACKED, "A9 clock-a-day-later", "ahead for a day: it is believed", a9_clock::really_a_day_later),
    case(ATTACKED, "A9 clock-daemon", "ahead and back while the daemon runs", a9_clock::under_the_daemon),
    case(ATTACKED, "A11 sessions", "39 connections to sshd, one login", a11_sessions::sessions),
    case(ATTACKED, "A20 miscount", "begun again: all of the pass is counted", a20_counts::begun_again),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        Some((first, rest)) if first == inside::INSIDE => inside::main(rest),
        _ => cases::main(&TABLES, CASES, &words),
    }
}
