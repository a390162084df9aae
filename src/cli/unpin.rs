//! `unpin`: the undo of `pin` and of `flush`.

use std::path::Path;

use super::ask::change_or;
use super::output::Talk;
use super::refresh::{alone, apply, exit};
use super::site::{Making, Own};
use super::{Outcome, Stop, load, output};
use crate::control::{Change, Unpin};
use crate::ledger::{Event, EventKind, GenerationCause, Ledger, LedgerError, Lock};
use crate::pass::At;
use crate::run_dir::RunDir;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The outcome as JSON
    #[arg(long)]
    json: bool,
}

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

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(Talk::Steps);
    let config = load(path)?;
    let change = Change::Unpin(Unpin {});
    change_or(&config.clone(), &change, arguments.json, || {
        // The lock first: while another pass is at work nothing is changed, not even the pin.
        let lock = Lock::take(&config.state_dir, Lock::PASS, "unpin")??;
        let ledger = Ledger::open(&config.state_dir)?;
        let own = Own::new(config, ledger, lock);
        alone(path, own, arguments.json, unpin_now)
    })
}

/// Unpin, with the lock of a pass.
pub(super) async fn unpin_now(mut making: Making<'_>) -> Outcome {
    let author = making.author;
    let At { config, ledger, .. } = making.site.at()?;
    match ledger.pinned()? {
        Some(pin) => {
            change_pin(ledger, &config.state_dir, |ledger| {
                ledger.set_pin(None)?;
                ledger.note_event(&Event {
                    at: ledger.now()?,
                    kind: EventKind::Unpin,
                    subject: String::new(),
                    by: author.name.clone(),
                    uid: Some(author.uid),
                    text: format!("it was pinned {pin}"),
                })
            })?;
            tracing::info!("unpinned; it was pinned {pin}");
        }
        None => tracing::info!("there was no pin"),
    }
    let next = "The pin is gone: the next pass installs again";
    let outcome = apply(&mut making, GenerationCause::Unpin, next).await?;
    Ok(exit(&outcome))
}
