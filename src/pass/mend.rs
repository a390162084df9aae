//! Put back what somebody else changed: the set in force, as the ledger has it, into the kernel (I/O). No feed is looked
//! at, and nothing is decided.

use super::kernel::to_kernel;
use super::known::Memory;
use super::task::Task;
use super::{PassError, Removable, watched, write_down};
use crate::config::Config;
use crate::ledger::Ledger;
use crate::prefix::PrefixSet;
use crate::target::kernel::{Fib, Report};

/// Why the kernel is looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It told of a change, or could not tell of all.
    Told,
    /// It is time to read everything.
    Audit,
}

/// Bring the kernel in step with what is in force, and answer what was done. Where a flush waits for us, it does it.
///
/// # Errors
/// The ledger cannot be read, or could not take down what became of it.
pub async fn mend(
    config: &Config,
    ledger: &Ledger,
    memory: &mut Memory,
    fib: &mut Fib,
    why: Why,
) -> Result<Option<Report>, PassError> {
    fib.rest();
    // Under another mark nothing was installed yet: the next pass writes it down first.
    let is_known = ledger
        .marks()?
        .iter()
        .any(|mark| mark.same_as(&config.kernel.mark));
    if !config.kernel.enabled || !is_known || ledger.generation()?.is_none() {
        return Ok(None);
    }
    let desired = memory.in_force(ledger)?;
    let pin = ledger.pinned()?;
    if pin.as_ref().is_some_and(|pin| pin.is_flush()) && !desired.is_empty() {
        return Ok(None);
    }
    if why == Why::Audit {
        fib.doubt();
    }
    // What an earlier life left is left to the next pass.
    let removable = match ledger.settled()? {
        true => Removable::All,
        false => Removable::Explained {
            ever: ledger.ever_in_force()?,
            protected: PrefixSet::default(),
        },
    };
    let now = memory.clock.now();
    let task = Task {
        removable: &removable,
        last: &ledger.targets()?,
        ..Task::of(&desired, config, now)
    };
    let stop = || ledger.pinned().is_ok_and(|now| now != pin);
    let mut applied = to_kernel(task, fib, &stop).await;
    if let (Why::Audit, Some(report)) = (why, &applied.kernel)
        && !report.notifications_lost
    {
        let audit = watched::audited(report, "", now);
        applied.observed.push(audit);
    }
    write_down(ledger, &applied).map_err(PassError::Unrecorded)?;
    Ok(applied.kernel)
}
