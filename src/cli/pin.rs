//! `pin`: freeze what is in force, or go back to an earlier generation.

use super::operator::reason;
use super::refresh::{apply, exit};
use super::site::Making;
use super::unpin::change_pin;
use super::{Outcome, Stop};
use crate::control::Pin;
use crate::ledger::{EventKind, GenerationCause, PinRow};
use crate::pass::At;

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
            "generation {generation} does not exist (available: {oldest} to {newest}); nothing was changed"
        )));
    };
    let now = ledger.now()?;
    let text = format!(
        "{} prefixes {}",
        past.nets.len(),
        reason.unwrap_or_default()
    );
    change_pin(ledger, &config.state_dir, |ledger| {
        ledger.set_pin(Some(&PinRow {
            at: now,
            generation,
            by: author.name.clone(),
        }))?;
        let subject = format!("generation {generation}");
        ledger.note_event(&author.event(now, EventKind::Pin, subject, text.trim()))
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
