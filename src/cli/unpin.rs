//! `unpin`: the undo of `pin` and of `flush`.

use std::path::Path;

use super::refresh::{apply, exit};
use super::site::Making;
use super::{Outcome, Stop};
use crate::ledger::{EventKind, GenerationCause, Ledger, LedgerError};
use crate::pass::At;
use crate::run_dir::RunDir;

/// Change the pin: the one in the ledger, and the marker of a flush in the run directory. Both or
/// none.
pub(super) fn change_pin(
    ledger: &Ledger,
    state_dir: &Path,
    change: impl FnOnce(&Ledger) -> Result<(), LedgerError>,
) -> Result<(), Stop> {
    let run_dir = RunDir::here();
    let flush = run_dir.flush(state_dir);
    run_dir.end_flush(state_dir).map_err(Stop::failed)?;
    let changed = ledger.atomically(change);
    if let (Err(_), Some(flush)) = (&changed, flush) {
        let _ = run_dir.set_flushed(state_dir, &flush);
    }
    Ok(changed?)
}

/// Unpin, with the lock of a pass.
pub(super) async fn unpin_now(mut making: Making<'_>) -> Outcome {
    let author = making.author;
    let At { config, ledger, .. } = making.site.at()?;
    match ledger.pinned()? {
        Some(pin) => {
            change_pin(ledger, &config.state_dir, |ledger| {
                ledger.set_pin(None)?;
                let text = format!("it was pinned {pin}");
                ledger.note_event(&author.event(ledger.now()?, EventKind::Unpin, "", text))
            })?;
            tracing::info!("unpinned; it was pinned {pin}");
        }
        None => tracing::info!("there was no pin"),
    }
    let next = "The pin is gone: the next pass installs again";
    let outcome = apply(&mut making, GenerationCause::Unpin, next).await?;
    Ok(exit(&outcome))
}
