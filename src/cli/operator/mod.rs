//! Entries of the operator: `add`, `allow`, and what undoes them.

mod confirm;
mod end;
mod enter;

pub(super) use end::end_now;
pub(super) use enter::{Arguments as EnterArguments, enter_now, reason, run as enter};

use std::time::Duration;

use super::site::Making;
use super::{Exit, Stop, refresh};
use crate::config::Config;
use crate::ledger::{GenerationCause, Ledger, Lock, OperatorEntry};
use crate::pass::Outcome;
use crate::prefix::Item;

/// Longest wait for a pass that is under way.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// The lock of a pass, waited for, and the ledger.
pub(super) fn locked(config: &Config, verb: &str) -> Result<(Lock, Ledger), Stop> {
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

/// Bring it about. That a change of the feeds is held is not this verb's business.
async fn apply(making: &mut Making<'_>, cause: GenerationCause) -> Result<(Exit, Outcome), Stop> {
    let next = format!(
        "It is written down: the next pass brings it about (nullrouted --config {} refresh)",
        making.path.display()
    );
    let outcome = refresh::apply(making, cause, &next).await?;
    let exit = match outcome.failed() {
        true => Exit::Failed,
        false => Exit::Done,
    };
    Ok((exit, outcome))
}

/// The verb that undoes an entry, as the operator would type it.
fn undo(kind: OperatorEntry, item: Item) -> String {
    format!("nullrouted {} {item}", kind.undo())
}
