//! What came of a pass, or of a flush.

use serde::Serialize;

use crate::ledger::{HoldRow, PinRow, TargetRow};
use crate::pass::Outcome;

#[derive(Debug, Serialize)]
pub struct Passed<'a> {
    generation: u64,
    routes: usize,
    held: Option<&'a HoldRow>,
    pinned: Option<&'a PinRow>,
    targets: &'a [TargetRow],
}

impl<'a> Passed<'a> {
    pub fn of(outcome: &'a Outcome) -> Self {
        Self {
            generation: outcome.generation,
            routes: outcome.routes,
            held: outcome.held.as_ref(),
            pinned: outcome.pinned.as_ref(),
            targets: &outcome.targets,
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Flushed<'a> {
    /// Whether nothing is left anywhere.
    pub flushed: bool,
    pub targets: &'a [TargetRow],
}
