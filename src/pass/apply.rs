//! Decide, write it down, and bring the targets in step (I/O). The keeper protects meanwhile.

use std::sync::Arc;

use super::address_requests::AddressRequests;
use super::discovery::{self, Where};
use super::inputs::{Basis, Cache, Inputs};
use super::keeper::{Keeper, Order};
use super::record::Record;
use super::sets::Sets;
use super::sweep::sweep;
use super::{Applied, Outcome, PassError, announce, neighbors, wanted};
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::{GenerationCause, HoldRow, Ledger, LedgerError, PinRow};
use crate::pipeline::Decision;
use crate::progress::Progress;
use crate::targets::{self, Runner, Wanted};
use crate::time::Timestamp;

/// How often a round is repeated at once because something appeared meanwhile.
const AGAIN: u32 = 1;

/// What a pass acts with.
pub(super) struct Applying<'a> {
    pub config: &'a Arc<Config>,
    pub ledger: &'a Ledger,
    pub cache: &'a mut Cache,
    pub keeper: &'a Keeper,
    pub progress: &'a Progress,
    pub in_step: &'a mut (dyn FnMut() + Send),
    /// Whether the kernel was brought in step already in this pass.
    pub goes_on: bool,
}

/// What was decided and written down.
struct Step {
    wanted: Arc<Wanted>,
    decision: Arc<Decision>,
    generation: u64,
    held: Option<HoldRow>,
    pin: Option<PinRow>,
    /// When the next entry of the operator ends by itself.
    next_end: Option<Timestamp>,
}

impl Step {
    fn order(&self, clock: &Clock, goes_on: bool) -> Order {
        Order {
            wanted: self.wanted.clone(),
            generation: self.generation,
            pin: self.pin.clone(),
            clock: clock.clone(),
            goes_on,
        }
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

impl Applying<'_> {
    /// Look at what answers at once. Answers whether there is something new to protect.
    pub async fn scan_local(&mut self) -> Result<bool, LedgerError> {
        let mut answers = self.keeper.scan_kernel().await;
        answers.extend(discovery::scan_sources(self.config, Where::Files).await);
        discovery::take_in(self.config, answers, self.ledger, self.cache)
    }

    /// Look at other programs, which may keep the pass waiting.
    pub async fn scan_programs(&mut self) -> Result<(), LedgerError> {
        let answers = discovery::scan_sources(self.config, Where::Far).await;
        discovery::take_in(self.config, answers, self.ledger, self.cache)?;
        Ok(())
    }

    /// Bring every target in step; once more where something appeared meanwhile.
    pub async fn apply(&mut self, cause: GenerationCause) -> Result<Outcome, PassError> {
        let (mut cause, mut again) = (cause, 0);
        loop {
            let outcome = self.once(cause).await?;
            self.cache.acted = true;
            sweep(self.config, self.ledger, self.cache);
            self.cache.publish(self.config);
            // Where addresses come and go all the time the downloads have their turn, too: what is
            // new is cut out of the routes already, and comes into the files with the next round.
            let is_enough = again == AGAIN;
            if is_enough || !self.keeper.has_news() || !self.scan_local().await? {
                self.ledger.forget(self.cache.clock.now(), self.config.keep);
                return Ok(outcome);
            }
            // What was done was done by what was known before.
            (cause, again) = (GenerationCause::Protect, again + 1);
        }
    }

    /// The same once.
    async fn once(&mut self, cause: GenerationCause) -> Result<Outcome, PassError> {
        let ledger = self.ledger;
        let step = self.decide(cause)?;
        let (wanted, pin) = (&step.wanted, &step.pin);
        let is_flushed = flushed_since(ledger, pin);
        let order = step.order(&self.cache.clock, self.goes_on);
        self.goes_on = true;
        let kernel = Box::new(self.keeper.target(order));
        let mut runner = Runner::new(targets::all(self.config, kernel, self.progress));
        let mut applied = Applied::default();
        let mut in_step = Some(&mut *self.in_step);
        let done = |done| {
            applied.take(done, wanted);
            // The kernel is the first.
            if let Some(in_step) = in_step.take() {
                in_step();
            }
        };
        // A flush has the last word: it waits for this pass, and withdraws then.
        runner.apply(wanted, || !is_flushed(), done).await;
        let written = ledger.lightly(|ledger| applied.write(ledger));
        written.map_err(PassError::Unrecorded)?;
        if let Some(report) = &applied.kernel {
            let last = ledger.observed()?;
            let now = (&**self.config, wanted.now);
            let seen = neighbors::observe(now, report, false, &last, &is_flushed).await;
            neighbors::write_down(ledger, &seen).map_err(PassError::Unrecorded)?;
        }
        let ends = [step.decision.next_end, step.next_end];
        Ok(Outcome {
            generation: step.generation,
            routes: step.decision.desired.nets.len(),
            pinned: step.pin.clone(),
            targets: applied.targets,
            next_end: ends.into_iter().flatten().min(),
            held: step.held,
        })
    }

    /// An address that a download connects to next must not be dropped. The files of routers do not
    /// follow what has proved nothing yet, except where there is nothing else that drops.
    pub async fn open(&mut self, cause: GenerationCause) -> Result<(), PassError> {
        let (config, ledger) = (self.config, self.ledger);
        if !config.kernel.enabled {
            return self.apply(cause).await.map(drop);
        }
        let step = self.decide(GenerationCause::Protect)?;
        let order = step.order(&self.cache.clock, self.goes_on);
        let mut applied = Applied::default();
        applied.take(self.keeper.apply(order).await, &step.wanted);
        self.goes_on = true;
        let written = ledger.lightly(|ledger| applied.write(ledger));
        written.map_err(PassError::Unrecorded)
    }

    /// What the downloads proved stays protected when they have ended.
    pub fn keep_proven(&mut self, reach: &mut AddressRequests) -> Result<(), LedgerError> {
        let found = reach.proven(self.config);
        if !found.is_empty() {
            let answers = vec![discovery::proven(found)];
            discovery::take_in(self.config, answers, self.ledger, self.cache)?;
        }
        Ok(())
    }

    /// Decide by what is known, and write it down before anything is changed.
    fn decide(&mut self, cause: GenerationCause) -> Result<Step, PassError> {
        let (config, ledger) = (self.config, self.ledger);
        // From here on the time stands still: one decision has one time.
        let now = self.cache.clock.now();
        let inputs = Inputs::read(config, ledger, self.cache, now)?;
        let decision = inputs.decide_once(self.cache, now);
        announce::decision(config, ledger, &decision, self.cache)?;
        let basis = Basis {
            config,
            ledger,
            inputs: &inputs,
            decision: &decision,
            now,
        };
        let sets = Sets::decided(basis)?;
        let record = Record {
            basis,
            sets: &sets,
            cause,
        };
        // All of it or nothing, and what changes anything on the disk before that.
        let (generation, held) = match record.changes_nothing() {
            true => ledger.lightly(|_| record.write())?,
            false => ledger.atomically(|_| record.write())?,
        };
        ledger.copy_marks()?;
        let everything = self
            .cache
            .put_in_force(ledger, generation, &decision.desired)
            .map_err(PassError::NotApplied)?;
        self.cache.publish(config);
        let wanted = wanted::recorded(basis, everything, &sets);
        if decision.goes() {
            self.cache.went();
        }
        Ok(Step {
            wanted: Arc::new(wanted.map_err(PassError::NotApplied)?),
            next_end: inputs.next_end,
            pin: inputs.pinned.map(|pin| pin.row),
            decision,
            generation,
            held,
        })
    }
}
