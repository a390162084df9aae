//! The set of an earlier generation, as `list` writes the one in force.

use ipnet::IpNet;
use serde::Serialize;

use super::super::{Exit, Outcome, Stop, output};
use super::told;
use crate::ledger::Ledger;
use crate::time::Timestamp;

/// One prefix that was in force.
#[derive(Debug, Serialize)]
struct Row {
    prefix: IpNet,
    /// The generation that brought it; null where that was forgotten.
    generation: Option<u64>,
    since: Option<Timestamp>,
}

pub(super) fn run(ledger: &Ledger, number: u64, json: bool) -> Outcome {
    if !json {
        let past = ledger.at_one_moment(|ledger| told(ledger, number))?;
        return output::done(|out| past.set.nets().try_for_each(|net| writeln!(out, "{net}")));
    }
    let rows = ledger.at_one_moment(|ledger| {
        let past = told(ledger, number)?;
        let rows = past.set.nets().map(|prefix| {
            let (generation, since) = ledger.brought_by(prefix, number)?.unzip();
            Ok(Row {
                prefix,
                generation,
                since,
            })
        });
        rows.collect::<Result<Vec<_>, Stop>>()
    })?;
    output::json(&rows)?;
    Ok(Exit::Done)
}
