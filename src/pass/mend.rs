//! Put back what somebody else changed: the set in force, as the ledger has it, into the kernel (I/O). No feed is looked
//! at, and nothing is decided.

use super::kernel::to_kernel;
use super::known::Memory;
use super::task::{Applied, Task};
use super::{PassError, Removable, write_down};
use crate::config::Config;
use crate::ledger::{Ledger, Observed};
use crate::prefix::PrefixSet;
use crate::target::kernel::{Fib, Report};
use crate::time::Timestamp;

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
    let overflow = fib.take_overflow();
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
    let now = Timestamp::now();
    let task = Task {
        desired: &desired,
        removable: &removable,
        last: &ledger.targets()?,
        ..Task::nothing(config, now)
    };
    let stop = || ledger.pinned().is_ok_and(|now| now != pin);
    let mut applied = to_kernel(task, fib, &stop).await;
    if why == Why::Audit || overflow {
        let audit = audited(&applied, why, now);
        applied.observed.extend(audit);
    }
    if applied.kernel.is_none() {
        fib.disturb();
    }
    write_down(ledger, &applied).map_err(PassError::Unrecorded)?;
    Ok(applied.kernel)
}

/// What an audit found.
fn audited(applied: &Applied, why: Why, now: Timestamp) -> Option<Observed> {
    let report = applied.kernel.as_ref()?;
    let missing = report.restored.len() + report.postponed;
    let surplus = report.removed;
    let found = match (missing, surplus) {
        (0, 0) => format!("all {} routes are as they should be", report.kept),
        _ => format!("{missing} routes were missing, {surplus} too many"),
    };
    let text = match why {
        Why::Audit => found,
        Why::Told => format!("notifications were lost, so everything was compared: {found}"),
    };
    match missing + surplus {
        0 => tracing::debug!("audit  {text}"),
        _ => tracing::warn!("audit  {text}"),
    }
    Some(Observed {
        what: "audit".to_owned(),
        at: now,
        alarm: false,
        count: 1,
        text,
    })
}
