//! Attacks, faults and operator mistakes that once broke a promise, by id. Each case fails on the build that
//! was attacked. This binary prints its results as a table, as `incidents` does.
//!
//! ```text
//! cargo test --test attacked -- A13      only the cases with this in their name
//! ```

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use support::cases::{self, Case};

const ATTACKED: &str = "Attacks, faults and mistakes";

/// Every id, in its order: none is left out, none is there twice.
#[rustfmt::skip]
const TABLES: [(&str, &[&str]); 1] = [(ATTACKED, &[
])];

#[rustfmt::skip]
static CASES: &[Case] = &[
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    cases::main(&TABLES, CASES, &words)
}
