//! `pin`: freeze what is in force, or go back to an earlier generation.

use std::path::Path;

use super::ask::change_or;
use super::operator::{locked, reason};
use super::output::Talk;
use super::refresh::{alone, apply, exit};
use super::site::{Making, Own};
use super::unpin::change_pin;
use super::{Outcome, Stop, load, output};
use crate::control::{Change, Pin};
use crate::ledger::{Event, EventKind, GenerationCause, PinRow};
use crate::pass::At;

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
    let pin = Pin {
        generation: arguments.generation,
        reason: arguments.reason.clone(),
    };
    pin.reason.as_deref().map(reason).transpose()?;
    change_or(
        &config.clone(),
        &Change::Pin(pin.clone()),
        arguments.json,
        || {
            let (lock, ledger) = locked(&config, "pin")?;
            let own = Own::new(config, ledger, lock);
            alone(path, own, arguments.json, async |making| {
                pin_now(making, &pin).await
            })
        },
    )
}

/// Pin it, with the lock of a pass.
pub(super) async fn pin_now(mut making: Making<'_>, pin: &Pin) -> Outcome {
    let author = making.author;
    let reason = pin.reason.as_deref().map(reason).transpose()?;
    let At { config, ledger, .. } = making.site.at()?;
    let newest = ledger.generation()?.map_or(0, |row| row.number);
    let generation = pin.generation.unwrap_or(newest);
    if generation == PinRow::NOTHING {
        let what = match pin.generation {
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
    let (now, by) = (ledger.now()?, author.name.clone());
    let text = format!(
        "{} prefixes {}",
        past.nets.len(),
        reason.unwrap_or_default()
    );
    change_pin(ledger, &config.state_dir, |ledger| {
        ledger.set_pin(Some(&PinRow {
            at: now,
            generation,
            by: by.clone(),
        }))?;
        ledger.note_event(&Event {
            at: now,
            kind: EventKind::Pin,
            subject: format!("generation {generation}"),
            by: by.clone(),
            uid: Some(author.uid),
            text: text.trim().to_owned(),
        })
    })?;
    let next = "The pin is set: the next pass goes by it";
    let outcome = apply(&mut making, GenerationCause::Pin, next).await?;
    if !making.json {
        tracing::info!(
            "pinned to generation {generation}: lists are still looked at, and nothing of theirs is applied \
             until `nullrouted unpin`; what is protected stays protected"
        );
    }
    Ok(exit(&outcome))
}
