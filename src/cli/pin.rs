//! `pin`: freeze what is in force, or go back to an earlier generation.

use std::path::Path;

use super::hand::{at_work, reason};
use super::output::Talk;
use super::refresh::{bring_about, exit};
use super::unpin::change_pin;
use super::who::who;
use super::{Outcome, Stop, load, output};
use crate::ledger::{Event, PinRow};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The generation to go back to, as history shows it; without it the one in force
    generation: Option<u64>,
    /// Why: shown by history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The outcome as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(Talk::Steps);
    let config = load(path)?;
    let reason = arguments.reason.as_deref().map(reason).transpose()?;
    let (lock, ledger) = at_work(&config, "pin")?;
    let newest = ledger.generation()?.map_or(0, |row| row.number);
    let generation = arguments.generation.unwrap_or(newest);
    if generation == PinRow::NOTHING {
        let what = match arguments.generation {
            Some(_) => "generation 0 is nothing: nullrouted flush withdraws everything",
            None => "there is no generation yet: nothing to freeze",
        };
        return Err(Stop::usage(format!("{what}; nothing was changed")));
    }
    let Some(past) = ledger.at_generation(generation)? else {
        let oldest = ledger.oldest_told()?.max(1);
        return Err(Stop::usage(format!(
            "{generation}: no generation that can be gone back to; there are {oldest} to {newest}; nothing was changed"
        )));
    };
    let (now, by) = (ledger.now()?, who());
    let text = format!(
        "{} prefixes {}",
        past.nets.len(),
        reason.unwrap_or_default()
    );
    change_pin(&ledger, &config.state_dir, |ledger| {
        ledger.set_pin(Some(&PinRow {
            at: now,
            generation,
            by: by.clone(),
        }))?;
        ledger.note_event(&Event {
            at: now,
            what: "pin".to_owned(),
            subject: format!("generation {generation}"),
            by: by.clone(),
            text: text.trim().to_owned(),
        })
    })?;
    let next = "The pin is set: the next pass goes by it";
    let outcome = bring_about((&config, &ledger, &lock), "pin", next, arguments.json)?;
    if !arguments.json {
        tracing::info!(
            "pinned to generation {generation}: lists are still looked at, and nothing of theirs is applied \
             until `nullrouted unpin`; what is protected stays protected"
        );
    }
    Ok(exit(&outcome))
}
