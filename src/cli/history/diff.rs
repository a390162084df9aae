//! What one generation has and another had not.

use serde::Serialize;

use super::super::{Exit, Outcome, Stop};
use super::{Show, told};
use crate::ledger::Ledger;
use crate::plan::Change;

/// The difference, as JSON has it.
#[derive(Debug, Serialize)]
struct Diff {
    from: u64,
    to: u64,
    added: Vec<Item>,
    removed: Vec<Item>,
    keep: usize,
}

/// What came or went last in between, and why.
#[derive(Debug, Serialize)]
struct Item {
    /// A prefix, or AS and a number.
    prefix: String,
    because: String,
}

pub(super) fn run(ledger: &Ledger, from: u64, to: u64, (show, json): Show<'_>) -> Outcome {
    let diff = ledger.at_one_moment(|ledger| between(ledger, from, to))?;
    if json {
        show.json(&diff)?;
        return Ok(Exit::Done);
    }
    show.done(|out| {
        let width = diff.added.iter().chain(&diff.removed);
        let width = width.map(|item| item.prefix.len()).max().unwrap_or(0);
        for (op, items) in [('+', &diff.added), ('-', &diff.removed)] {
            for Item { prefix, because } in items {
                let line = format!("{op} {prefix:<width$}  {because}");
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        writeln!(
            out,
            "generation {from} -> {to}: {} added, {} removed, {} kept",
            diff.added.len(),
            diff.removed.len(),
            diff.keep
        )
    })
}

fn between(ledger: &Ledger, from: u64, to: u64) -> Result<Diff, Stop> {
    let (before, after) = (told(ledger, from)?, told(ledger, to)?);
    let change = Change::between(&before, &after);
    let (after_first, last) = (from.min(to), from.max(to));
    let explained = |prefix: String| {
        let because = ledger.newest_cause(&prefix, after_first, last)?;
        Ok::<_, Stop>(Item { prefix, because })
    };
    Ok(Diff {
        from,
        to,
        added: change.came().map(explained).collect::<Result<_, _>>()?,
        removed: change.went().map(explained).collect::<Result<_, _>>()?,
        keep: change.kept() + change.origins.keep,
    })
}
