//! The operator's own hand: `add`, `allow`, and what undoes them.

mod confirm;
mod end;
mod enter;

pub(super) use end::{Arguments as EndArguments, run as end};
pub(super) use enter::{Arguments as EnterArguments, reason, run as enter};

use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;

use super::refresh::{Looks, pass_with};
use super::{Exit, Stop};
use crate::config::Config;
use crate::feed::fetch::Progress;
use crate::ledger::{Hand, Ledger, Lock};
use crate::pass::Outcome;
use crate::pass::gather::Scope;

/// Longest wait for a pass that is under way.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// The lock of a pass, waited for, and the ledger.
pub(super) fn at_work(config: &Config, verb: &str) -> Result<(Lock, Ledger), Stop> {
    match Lock::wait(&config.state_dir, verb, PATIENCE)? {
        Some(lock) => Ok((lock, Ledger::open(&config.state_dir)?)),
        None => {
            // Opening it says what is wrong with the folder.
            Ledger::open(&config.state_dir)?;
            let folder = config.state_dir.display();
            Err(Stop::failed(format!(
                "state_dir {folder}: cannot be locked; nothing was changed"
            )))
        }
    }
}

/// Bring it about, and say what came of it for this prefix.
fn bring_about(
    path: &Path,
    (config, ledger, lock): (&Config, &mut Ledger, &Lock),
    verb: &'static str,
    json: bool,
) -> Result<(Exit, Outcome), Stop> {
    let looks = Looks::from(Scope::Offline);
    let outcome = pass_with(config, ledger, lock, looks, verb, &Progress::default());
    let outcome = outcome.map_err(|stop| Stop {
        text: format!(
            "{}. It is written down: the next pass brings it about (nullrouted --config {} refresh)",
            stop.text,
            path.display()
        ),
        ..stop
    })?;
    if json {
        super::output::json(&super::refresh::json(&outcome))?;
    }
    let exit = match outcome.failed() {
        true => Exit::Failed,
        // That a change of the feeds is held is not this verb's business.
        false => Exit::Done,
    };
    Ok((exit, outcome))
}

/// The verb that undoes an entry, as the operator would type it.
fn undo(hand: Hand, prefix: IpNet) -> String {
    format!("nullrouted {} {prefix}", hand.undo())
}
