//! Decide, write it down, and bring the targets in step (I/O). Whatever has to be waited for meanwhile, an address
//! that appears does not wait.

use std::pin::pin;
use std::sync::Arc;

use super::apply;
use super::around::{self, Where};
use super::kernel::to_kernel;
use super::known::{Known, Memory};
use super::mend::{Why, mend};
use super::record::Record;
use super::senses::{News, Senses};
use super::sweep::sweep;
use super::task::{Applied, Removable, Task};
use super::{Outcome, PassError, announce, former_marks, neighbors, removable, write_down};
use crate::config::Config;
use crate::feed::copies::Copies;
use crate::ledger::{HoldRow, Ledger, LedgerError, PinRow, TargetRow};
use crate::pipeline::Decision;
use crate::target::kernel::Mark;
use crate::target::router::Gone;
use crate::time::Timestamp;

/// Cause of a generation that comes of looking around.
pub(super) const PROTECT: &str = "protect";

/// So often a change of the kernel is given up and begun anew because something appears meanwhile.
const INTERRUPTIONS: u32 = 3;

/// Whoever acts, and what he needs for it.
pub(super) struct Act<'a> {
    pub config: &'a Config,
    pub ledger: &'a Ledger,
    pub copies: &'a Copies,
    pub memory: &'a mut Memory,
    pub senses: &'a mut Senses,
}

/// What was decided and written down.
struct Step {
    known: Known,
    decision: Arc<Decision>,
    generation: u64,
    held: Option<HoldRow>,
    former: Vec<Mark>,
    last: Vec<TargetRow>,
    removable: Removable,
    credits: Vec<&'static str>,
    now: Timestamp,
}

impl Step {
    /// With what is gone, for the router files.
    fn task<'a>(&'a self, config: &'a Config, gone: &'a Gone) -> Task<'a> {
        Task {
            config,
            sheet: apply::sheet(
                config,
                &self.decision,
                &self.decision.desired,
                gone,
                &self.credits,
            ),
            removable: &self.removable,
            last: &self.last,
            former: &self.former,
            now: self.now,
        }
    }

    fn pin(&self) -> Option<PinRow> {
        self.known.pinned.as_ref().map(|pin| pin.row.clone())
    }
}

/// Whether somebody has flushed, or pinned something else, since `pin` was what stood there.
fn flushed_since(ledger: &Ledger, pin: &Option<PinRow>) -> impl Fn() -> bool {
    move || {
        ledger
            .pinned()
            .is_ok_and(|now| now.is_some() && now != *pin)
    }
}

impl Act<'_> {
    /// Look at what answers at once. Answers whether there is something new to protect.
    pub async fn look_near(&mut self) -> Result<bool, LedgerError> {
        let looks = around::looks(self.config, Where::Near).await;
        around::take_in(&looks, self.ledger, self.memory, &mut self.senses.around)
    }

    /// Look at what may keep us waiting, and at what appears meanwhile.
    pub async fn look_far(&mut self) -> Result<(), PassError> {
        let mut looks = pin!(around::looks(self.config, Where::Far));
        loop {
            tokio::select! {
                looks = &mut looks => {
                    around::take_in(&looks, self.ledger, self.memory, &mut self.senses.around)?;
                    return Ok(());
                }
                news = self.senses.changed() => {
                    self.protect(news).await?;
                }
            }
        }
    }

    /// Bring every target in step.
    pub async fn act(&mut self, cause: &str) -> Result<Outcome, PassError> {
        let mut cause = cause;
        let mut interruptions = 0;
        loop {
            let patient = interruptions == INTERRUPTIONS;
            if let Some((outcome, changed)) = self.once(cause, patient).await? {
                self.memory.acted = true;
                sweep(self.config, self.ledger, self.copies, self.memory);
                if !changed {
                    self.ledger
                        .forget(self.memory.clock.now(), self.config.keep);
                    return Ok(outcome);
                }
            } else {
                interruptions += 1;
            }
            // What was done was done by what was known before.
            cause = PROTECT;
        }
    }

    /// The same once; answers also whether something appeared meanwhile. `None`: something appeared while the kernel was
    /// changed, which may take seconds, so that was given up; unless `patient`.
    async fn once(
        &mut self,
        cause: &str,
        patient: bool,
    ) -> Result<Option<(Outcome, bool)>, PassError> {
        let (config, ledger) = (self.config, self.ledger);
        let step = self.decide(cause)?;
        let Decision {
            desired, origins, ..
        } = &*step.decision;
        let gone = apply::gone(config, ledger, desired, origins).map_err(PassError::NotApplied)?;
        let (task, pin) = (step.task(config, &gone), step.pin());
        // Whoever flushes now has the last word: he waits for us, and withdraws then.
        let flushed = flushed_since(ledger, &pin);
        let Senses { around, fib } = &mut *self.senses;
        let mut applied = tokio::select! {
            biased;
            applied = to_kernel(task, fib, &flushed) => applied,
            () = around.changed(), if !patient => {
                self.look_near().await?;
                return Ok(None);
            }
        };
        let mut changed = false;
        {
            // A reload may take minutes.
            let mut files = pin!(apply::to_files(task, &flushed));
            loop {
                tokio::select! {
                    done = &mut files => {
                        applied.targets.extend(done.targets);
                        break;
                    }
                    news = self.senses.changed() => {
                        changed |= self.protect(news).await?;
                    }
                }
            }
        }
        write_down(ledger, &applied).map_err(PassError::Unrecorded)?;
        if let Some(report) = &applied.kernel {
            let last = ledger.observed()?;
            // FRR may have to be waited for, too.
            let mut look = pin!(neighbors::look(task, report, false, &last, &flushed));
            let seen = loop {
                tokio::select! {
                    seen = &mut look => break seen,
                    news = self.senses.changed() => {
                        changed |= self.protect(news).await?;
                    }
                }
            };
            neighbors::write_down(ledger, &seen).map_err(PassError::Unrecorded)?;
        }
        let Step {
            known, decision, ..
        } = &step;
        let ends = [decision.next_end, known.next_end];
        let outcome = Outcome {
            generation: step.generation,
            routes: decision.desired.len(),
            pinned: pin.clone(),
            targets: applied.targets,
            next_end: ends.into_iter().flatten().min(),
            held: step.held,
        };
        Ok(Some((outcome, changed)))
    }

    /// Something may have appeared: then the kernel is brought in step at once, where anything is in force yet.
    /// Answers whether it was. What somebody else changed is put back.
    async fn protect(&mut self, news: News) -> Result<bool, PassError> {
        if news == News::Routes {
            let fib = &mut self.senses.fib;
            mend(self.config, self.ledger, self.memory, fib, Why::Told).await?;
            return Ok(false);
        }
        if !self.look_near().await? || self.ledger.generation()?.is_none() {
            return Ok(false);
        }
        let (config, ledger) = (self.config, self.ledger);
        let step = self.decide(PROTECT)?;
        let pin = step.pin();
        let flushed = flushed_since(ledger, &pin);
        let fib = &mut self.senses.fib;
        let applied: Applied = to_kernel(step.task(config, Gone::nothing()), fib, &flushed).await;
        write_down(ledger, &applied).map_err(PassError::Unrecorded)?;
        Ok(true)
    }

    /// Decide by what is known, and write it down before anything is changed.
    fn decide(&mut self, cause: &str) -> Result<Step, PassError> {
        let (config, ledger) = (self.config, self.ledger);
        // From here on the time stands still: one decision has one time.
        let now = self.memory.clock.now();
        let known = Known::read(config, ledger, self.copies, self.memory, now)?;
        let decision = known.decide_once(self.memory, now);
        announce::decision(config, ledger, &decision, self.memory)?;
        let (former, last) = (former_marks(config, ledger)?, ledger.targets()?);
        let record = Record {
            config,
            decision: &decision,
            known: &known,
            cause,
            now,
        };
        // All of it or nothing.
        let (generation, held) = ledger.atomically(|ledger| record.write(ledger))?;
        ledger.copy_marks()?;
        self.memory
            .put_in_force(ledger, generation, &decision.desired)
            .map_err(PassError::NotApplied)?;
        let protected = known.policy.protect.set();
        Ok(Step {
            removable: removable(ledger, protected).map_err(PassError::NotApplied)?,
            credits: apply::credits(config, &decision.standings, &decision.desired),
            known,
            decision,
            generation,
            held,
            former,
            last,
            now,
        })
    }
}
