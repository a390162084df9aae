//! What came of the targets, for the log and for the ledger (I/O: the log).

use super::{interference, neighbors};
use crate::ledger::{Ledger, LedgerError, Observed, TargetRow};
use crate::targets::kernel::{Mark, Report as Routes};
use crate::targets::{Done, Outcome, Wanted};

/// What came of targets, to be written to the ledger.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// The last result of each target that was tried.
    pub targets: Vec<TargetRow>,
    /// Former marks of which no route is left.
    pub cleared: Vec<Mark>,
    /// What was seen of the kernel on the way.
    pub observed: Vec<Observed>,
    /// What was done with the kernel's routes, where it was possible.
    pub kernel: Option<Routes>,
}

impl Applied {
    /// Whether a target failed.
    pub fn failed(&self) -> bool {
        self.targets.iter().any(|target| target.failed)
    }

    /// Log what came of a target, and keep it.
    pub fn take(&mut self, done: Done, wanted: &Wanted) {
        for outcome in &done.outcomes {
            let last = wanted.last(&outcome.name);
            log(outcome, last);
            self.targets.push(TargetRow::of(outcome, last, wanted.now));
        }
        let Some(seen) = done.kernel else { return };
        self.cleared.extend(seen.cleared);
        if let Some(routes) = seen.routes {
            let kernel = &wanted.config.kernel;
            let observed = interference::observed(kernel, &routes, seen.alarm, wanted.now);
            self.observed.extend(observed);
            self.observed.extend(neighbors::bus(&routes, wanted.now));
            self.kernel = Some(routes);
        }
    }

    /// Write it; part of [`Ledger::lightly`] or [`Ledger::atomically`].
    pub fn write(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        self.cleared
            .iter()
            .try_for_each(|mark| ledger.drop_mark(mark))?;
        if !self.cleared.is_empty() {
            ledger.copy_marks()?;
        }
        neighbors::write_down(ledger, &self.observed)?;
        self.targets
            .iter()
            .try_for_each(|target| ledger.write_target(target))
    }
}

/// One line for each outcome; at a low level where it says nothing new.
fn log(Outcome { name, result }: &Outcome, last: Option<&TargetRow>) {
    match result {
        Err(fault) => tracing::error!("target={name}  {fault}"),
        Ok(report) => {
            let line = format!("target={name}  {}", report.log_line());
            match &report.alarm {
                Some(alarm) => tracing::error!("{line}; {alarm}"),
                None => {
                    let is_known =
                        last.is_some_and(|last| !last.failed && last.notes == report.notes);
                    super::log_once::news(report.changed || !is_known, &line);
                }
            }
        }
    }
}
