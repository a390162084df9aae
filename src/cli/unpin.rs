//! `unpin`: the undo of `pin` and of `flush`.

use std::path::Path;

use super::output::Talk;
use super::refresh::{bring_about, exit};
use super::who::who;
use super::{Outcome, Stop, load, output};
use crate::ledger::{Event, Ledger, LedgerError, Lock};
use crate::run_dir::RunDir;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Change the pin: the one in the ledger, and the marker of a flush in the run directory. Both or none.
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
    // The lock first: while another pass is at work nothing is changed, not even the pin.
    let lock = Lock::take(&config.state_dir, Lock::PASS, "unpin")??;
    let ledger = Ledger::open(&config.state_dir)?;
    match ledger.pinned()? {
        Some(pin) => {
            change_pin(&ledger, &config.state_dir, |ledger| {
                ledger.set_pin(None)?;
                ledger.note_event(&Event {
                    at: ledger.now()?,
                    what: "unpin".to_owned(),
                    subject: String::new(),
                    by: who(),
                    text: format!("it was pinned {pin}"),
                })
            })?;
            tracing::info!("unpinned; it was pinned {pin}");
        }
        None => tracing::info!("there was no pin"),
    }
    let next = "The pin is gone: the next pass installs again";
    let outcome = bring_about((&config, &ledger, &lock), "unpin", next, arguments.json)?;
    Ok(exit(&outcome))
}
