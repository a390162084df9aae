//! What one generation has and another had not.

use super::super::{Exit, Outcome, Stop};
use super::{Show, told};
use crate::ledger::Ledger;
use crate::plan::Change;
use crate::view::{Diff, DiffItem, View};

pub(super) fn run(ledger: &Ledger, from: u64, to: u64, (show, json): Show<'_>) -> Outcome {
    let diff = ledger.at_one_moment(|ledger| between(ledger, from, to))?;
    match json {
        true => show.json(&diff)?,
        false => show.screen(|out| diff.print(out))?,
    }
    Ok(Exit::Done)
}

fn between(ledger: &Ledger, from: u64, to: u64) -> Result<Diff, Stop> {
    let (before, after) = (told(ledger, from)?, told(ledger, to)?);
    let change = Change::between(&before, &after);
    let (after_first, last) = (from.min(to), from.max(to));
    let explained = |prefix: String| {
        let because = ledger.newest_cause(&prefix, after_first, last)?;
        Ok::<_, Stop>(DiffItem { prefix, because })
    };
    Ok(Diff {
        from,
        to,
        added: change.came().map(explained).collect::<Result<_, _>>()?,
        removed: change.went().map(explained).collect::<Result<_, _>>()?,
        keep: change.kept() + change.origins.keep,
    })
}
