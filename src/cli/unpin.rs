//! `unpin`: the undo of `pin` and of `flush`.

use std::path::Path;

use super::output::Talk;
use super::refresh::{bring_about, exit};
use super::who::who;
use super::{Outcome, load, output};
use crate::ledger::{Event, Ledger, Lock};
use crate::time::Timestamp;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The outcome as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(Talk::Steps);
    let config = load(path)?;
    // The lock first: while another pass is at work nothing is changed, not even the pin.
    let lock = Lock::take(&config.state_dir, Lock::PASS, "unpin")??;
    let ledger = Ledger::open(&config.state_dir)?;
    match ledger.pinned()? {
        Some(pin) => {
            tracing::info!("unpinned; it was pinned {pin}");
            ledger.atomically(|ledger| {
                ledger.set_pin(None)?;
                ledger.note_event(&Event {
                    at: Timestamp::now(),
                    what: "unpin".to_owned(),
                    subject: String::new(),
                    by: who(),
                    text: format!("it was pinned {pin}"),
                })
            })?;
        }
        None => tracing::info!("there was no pin"),
    }
    let next = "The pin is gone: the next pass installs again";
    let outcome = bring_about((&config, &ledger, &lock), "unpin", next, arguments.json)?;
    Ok(exit(&outcome))
}
