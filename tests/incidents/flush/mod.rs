//! The brake, in every situation that was found broken around it, as one table: each ends with none
//! of our routes, or names the mark that it cannot know.

mod ground;
mod outputs;
mod situations;

use crate::support::cases::Group;

const TABLES: [(&str, &[&str]); 2] = [
    (situations::TABLE, situations::IDS),
    (outputs::TABLE, outputs::IDS),
];

pub fn group() -> Group {
    let cases = situations::cases().into_iter().chain(outputs::cases());
    Group {
        name: "flush",
        tables: &TABLES,
        cases: cases.collect(),
        alone: false,
    }
}
