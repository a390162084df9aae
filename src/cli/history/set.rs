//! The set of an earlier generation, as `list` writes the one in force.

use super::super::{Exit, Outcome, Stop};
use super::{Show, told};
use crate::ledger::Ledger;
use crate::view::PastRoute;

pub(super) fn run(ledger: &Ledger, number: u64, (show, json): Show<'_>) -> Outcome {
    if !json {
        let past = ledger.at_one_moment(|ledger| told(ledger, number))?;
        return show.done(|out| past.nets.nets().try_for_each(|net| writeln!(out, "{net}")));
    }
    let rows = ledger.at_one_moment(|ledger| {
        let past = told(ledger, number)?;
        let rows = past.nets.nets().map(|prefix| {
            let brought = ledger.brought_by(prefix, number)?;
            Ok(PastRoute {
                prefix,
                generation: brought.as_ref().map(|row| row.generation),
                since: brought.as_ref().map(|row| row.since),
                because: brought.map(|row| row.because),
            })
        });
        rows.collect::<Result<Vec<_>, Stop>>()
    })?;
    show.json(&rows)?;
    Ok(Exit::Done)
}
