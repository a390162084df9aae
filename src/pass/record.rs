//! A decision, written down before anything is changed.

use std::sync::Arc;

use super::inputs::Inputs;
use super::sets::Sets;
use crate::config::{Config, decisive};
use crate::ledger::{Event, EventKind, GenerationCause, HoldRow, Ledger, LedgerError, Origin};
use crate::pipeline::Decision;
use crate::plan::{Cause, Side, joined};
use crate::targets;
use crate::time::Timestamp;

/// What is written down.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub config: &'a Arc<Config>,
    pub decision: &'a Decision,
    pub sets: &'a Sets,
    pub inputs: &'a Inputs,
    /// What the pass is made for.
    pub cause: GenerationCause,
    pub now: Timestamp,
}

impl Record<'_> {
    /// Whether the same stays in force, for every router too, nothing waits, and no word of the
    /// operator is used up.
    pub fn changes_nothing(&self) -> bool {
        self.decision.change.is_empty()
            && !self.sets.change()
            && !self.decision.held()
            && self.inputs.approval.is_none()
            && self.inputs.generation > 0
    }

    /// Write all of it; part of [`Ledger::atomically`]. Answers the generation in force and the
    /// change that waits.
    pub fn write(&self, ledger: &Ledger) -> Result<(u64, Option<HoldRow>), LedgerError> {
        self.end_what_is_over(ledger)?;
        self.review(ledger)?;
        let generation = self.generation(ledger)?;
        let held = self.hold(ledger)?;
        if self.decision.pinned.is_none() {
            // A rejection was of another question.
            ledger.void_but(held.as_ref().map(|hold| hold.id.as_str()), self.now)?;
        }
        if self.decision.goes() {
            let counted = self.config.feeds.iter().zip(&self.decision.standings);
            let counted = counted.filter(|(_, standing)| standing.counts());
            let counted: Vec<&str> = counted.map(|(feed, _)| feed.name.as_str()).collect();
            ledger.mark_applied(&counted, &self.inputs.table)?;
            ledger.set_decisive(&decisive(self.config))?;
        }
        if self.decision.adopts() {
            ledger.adopt(self.now)?;
        }
        if self.config.kernel.enabled {
            ledger.add_mark(&self.config.kernel.mark)?;
        }
        // While its removal is held, a feed that left the configuration is still a reason of what
        // is in force.
        if !self.decision.holds_configuration {
            let names = self.config.feeds.iter().map(|feed| feed.name.as_str());
            ledger.keep_feeds(&names.collect::<Vec<_>>(), self.now)?;
        }
        ledger.keep_targets(&targets::names(self.config))?;
        Ok((generation, held))
    }

    /// The new generation, if anything changes.
    fn generation(&self, ledger: &Ledger) -> Result<u64, LedgerError> {
        let apart = self.decision.change.is_empty();
        // A router that gets something else is a reason as well: so the former set can be gone back
        // to.
        let generation = match apart && !self.sets.change() {
            true => self.inputs.generation,
            false => self.new_generation(ledger)?,
        };
        self.sets
            .write(self.config, ledger, (generation, apart, self.now))?;
        Ok(generation)
    }

    fn new_generation(&self, ledger: &Ledger) -> Result<u64, LedgerError> {
        let change = &self.decision.change;
        let approval = self
            .inputs
            .approval
            .as_ref()
            .filter(|_| self.decision.approved);
        let origin = Origin {
            at: self.now,
            // A pin of another process is applied by the first pass that sees it.
            cause: match (self.decision.pinned, self.inputs.pinned.as_ref()) {
                (Some(0), _) => GenerationCause::Flush,
                (Some(_), Some(_)) if self.cause == GenerationCause::Refresh => {
                    GenerationCause::Pin
                }
                _ => self.cause,
            },
            pinned: self.decision.pinned.is_some(),
            approved: approval.map(|approval| (approval.id.as_str(), approval.by.as_str())),
        };
        let (after, policy) = (&self.decision.desired.nets, &self.inputs.policy);
        let why_added = |net| joined(&self.decision.explain_addition(net).because, "; ");
        let why_removed = |net| {
            joined(
                &self.decision.explain_removal(net, after, policy).because,
                "; ",
            )
        };
        let generation = ledger.write_generation(origin, change, (why_added, why_removed))?;
        let (added, removed, kept) = (change.added(), change.removed(), change.kept());
        let by = approval.map_or_else(String::new, |approval| {
            format!(", change {} approved by {}", approval.id, approval.by)
        });
        tracing::info!(
            "generation {generation}  {added} added, {removed} removed, {kept} kept{by}"
        );
        let Side { add, remove, .. } = &change.origins;
        if !add.is_empty() || !remove.is_empty() {
            let come = add.iter().map(|asn| (*asn, self.why_origin(*asn)));
            ledger.note_origins(generation, '+', come)?;
            let why = match self.decision.pinned {
                Some(0) => Cause::Flushed.to_string(),
                Some(generation) => Cause::Pinned { generation }.to_string(),
                None => "no longer listed".to_owned(),
            };
            let gone = remove.iter().map(|asn| (*asn, why.clone()));
            ledger.note_origins(generation, '-', gone)?;
            ledger.set_origins(&self.decision.desired.origins)?;
            let before = self.inputs.in_force.origins.len();
            let after = self.decision.desired.origins.len();
            tracing::info!("origins  {after} origin ASes in force, before {before}");
        }
        Ok(generation)
    }

    /// Every feed that lists the AS.
    fn why_origin(&self, asn: u32) -> String {
        let sources = self.decision.rib.sources().iter();
        let listed = sources.flat_map(|source| {
            let origins = source
                .copy
                .origins
                .iter()
                .filter(move |origin| origin.asn == asn);
            origins.map(|origin| {
                let name = source.copy.origin_reference(origin);
                format!("{} {name}", source.name).trim_end().to_owned()
            })
        });
        listed.collect::<Vec<_>>().join("; ")
    }

    /// The change that waits after this decision.
    fn hold(&self, ledger: &Ledger) -> Result<Option<HoldRow>, LedgerError> {
        let decision = self.decision;
        let before = ledger.hold()?;
        if !decision.held() {
            ledger.set_hold(None)?;
            return Ok(None);
        }
        let hold = HoldRow {
            id: decision.id.clone(),
            at: self.now,
            reasons: decision.verdict.reasons.clone(),
            added: decision.proposed.added(),
            removed: decision.proposed.removed(),
            rejected: None,
        };
        ledger.set_hold(Some(&hold))?;
        if before.is_none_or(|before| before.id != hold.id) {
            self.note(
                ledger,
                EventKind::Held,
                &hold.id,
                &joined(&hold.reasons, "; "),
            )?;
        }
        ledger.hold()
    }

    /// An approval is used up by its change, and void when the feeds have moved on.
    fn review(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        let Some(approval) = &self.inputs.approval else {
            return Ok(());
        };
        let id = &approval.id;
        if self.decision.approved {
            return ledger.end_reviews("applied", self.now);
        }
        if self.decision.pinned.is_some() {
            return Ok(());
        }
        ledger.end_reviews("void", self.now)?;
        let what = match self.decision.held() {
            true => format!("what waits now is {}", self.decision.id),
            false => "nothing waits any more".to_owned(),
        };
        tracing::warn!(
            "the approval of {id} by {} is void: {} moved on; {what}",
            approval.by,
            self.decision.movers(),
        );
        self.note(
            ledger,
            EventKind::Void,
            id,
            &format!("{} moved on; {what}", self.decision.movers()),
        )
    }

    /// Entries of the operator whose time is over.
    fn end_what_is_over(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        for row in ledger.operator(self.now.after(Timestamp::CLOCK_TOLERANCE))? {
            if row.ended.is_some() || row.counts(self.now) {
                continue;
            }
            ledger.end_operator(row.kind, row.prefix, self.now, "")?;
            let (verb, prefix) = (row.kind.verb(), row.prefix.to_string());
            tracing::info!("{verb} {prefix}  its time is over: {}", row.reason);
            self.note(
                ledger,
                EventKind::Expired,
                &prefix,
                &format!("{verb}: {}", row.reason),
            )?;
        }
        Ok(())
    }

    fn note(
        &self,
        ledger: &Ledger,
        kind: EventKind,
        subject: &str,
        text: &str,
    ) -> Result<(), LedgerError> {
        ledger.note_event(&Event {
            at: self.now,
            kind,
            subject: subject.to_owned(),
            by: String::new(),
            uid: None,
            text: text.to_owned(),
        })
    }
}
