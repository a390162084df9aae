//! The brake, in every situation that was found broken around it, as one table: each ends with none of our
//! routes, or names the mark that it cannot know. It prints the time of each row.
//!
//! ```text
//! cargo test --test flush -- ledger      only the rows with this in their name
//! ```

#[path = "../support/mod.rs"]
mod support;

mod ground;
mod outputs;
mod situations;

use std::process::ExitCode;

use support::cases::{self, Case};

const TABLES: [(&str, &[&str]); 2] = [
    (situations::TABLE, situations::IDS),
    (outputs::TABLE, outputs::IDS),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    static CASES: std::sync::OnceLock<Vec<Case>> = std::sync::OnceLock::new();
    let cases = CASES.get_or_init(|| {
        let all = situations::cases().into_iter();
        all.chain(outputs::cases()).collect()
    });
    cases::main(&TABLES, cases, &words)
}
