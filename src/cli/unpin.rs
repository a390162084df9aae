//! `unpin`: the undo of `flush`.

use std::path::Path;

use super::output::Talk;
use super::refresh::{exit, json, pass_with};
use super::{Outcome, Stop, load, output};
use crate::feed::fetch::Progress;
use crate::ledger::{Ledger, Lock};
use crate::pass::gather::Scope;

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
    let mut ledger = Ledger::open(&config.state_dir)?;
    match ledger.pinned()? {
        Some(since) => tracing::info!("unpinned; everything was withdrawn since {since}"),
        None => tracing::info!("there was no pin"),
    }
    ledger.set_pin(None)?;
    let outcome = pass_with(
        &config,
        &mut ledger,
        &lock,
        Scope::Offline.into(),
        "unpin",
        &Progress::default(),
    );
    let outcome = outcome.map_err(|stop| Stop {
        text: format!(
            "{}. The pin is gone: the next pass installs again",
            stop.text
        ),
        ..stop
    })?;
    if arguments.json {
        output::json(&json(&outcome))?;
    }
    Ok(exit(&outcome))
}
