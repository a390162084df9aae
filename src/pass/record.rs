//! A decision, written down before anything is changed.

use super::inputs::Basis;
use super::sets::Sets;
use crate::config::decisive;
use crate::ledger::{Event, EventKind, GenerationCause, HoldRow, LedgerError, Origin, TableUsed};
use crate::plan::{Cause, Side, joined};
use crate::targets;
use crate::time::Timestamp;

/// What is written down.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub basis: Basis<'a>,
    pub sets: &'a Sets,
    /// What the pass is made for.
    pub cause: GenerationCause,
}

impl Record<'_> {
    /// Whether the same stays in force, for every router too, nothing waits, and no word of the
    /// operator is used up.
    pub fn changes_nothing(&self) -> bool {
        let Basis {
            inputs, decision, ..
        } = self.basis;
        decision.change.is_empty()
            && !self.sets.change()
            && !decision.held()
            && inputs.approval.is_none()
            && inputs.generation > 0
    }

    /// Write all of it; part of [`Ledger::atomically`]. Answers the generation in force and the
    /// change that waits.
    pub fn write(&self) -> Result<(u64, Option<HoldRow>), LedgerError> {
        let Basis {
            config,
            ledger,
            inputs,
            decision,
            now,
        } = self.basis;
        self.end_what_is_over()?;
        self.review()?;
        let generation = self.generation()?;
        let held = self.hold()?;
        if decision.pinned.is_none() {
            // A rejection was of another question.
            ledger.void_but(held.as_ref().map(|hold| hold.id.as_str()), now)?;
        }
        if decision.goes() {
            let counted = config.feeds.iter().zip(&decision.standings);
            let counted = counted.filter(|(_, standing)| standing.counts());
            let counted: Vec<&str> = counted.map(|(feed, _)| feed.name.as_str()).collect();
            ledger.mark_applied(&counted, &inputs.table)?;
            ledger.set_decisive(&decisive(config))?;
        }
        // What protects does not wait for the lists.
        let protecting: Vec<&str> = inputs.protecting(decision).collect();
        if !protecting.is_empty() {
            ledger.mark_applied(&protecting, &TableUsed::Now(None))?;
        }
        if decision.adopts() {
            ledger.adopt(now)?;
        }
        if config.kernel.enabled {
            ledger.add_mark(&config.kernel.mark)?;
        }
        // While its removal is held, a feed that left the configuration is still a reason of what
        // is in force.
        if !decision.holds_configuration {
            let names = config.fetched().map(|feed| feed.name.as_str());
            ledger.keep_feeds(&names.collect::<Vec<_>>(), now)?;
        }
        ledger.keep_targets(&targets::names(config))?;
        Ok((generation, held))
    }

    /// The new generation, if anything changes.
    fn generation(&self) -> Result<u64, LedgerError> {
        let Basis {
            config,
            ledger,
            inputs,
            decision,
            now,
        } = self.basis;
        let apart = decision.change.is_empty();
        // A router that gets something else is a reason as well: so the former set can be gone back
        // to.
        let generation = match apart && !self.sets.change() {
            true => inputs.generation,
            false => self.new_generation()?,
        };
        self.sets.write(config, ledger, (generation, apart, now))?;
        Ok(generation)
    }

    fn new_generation(&self) -> Result<u64, LedgerError> {
        let Basis {
            ledger,
            inputs,
            decision,
            now,
            ..
        } = self.basis;
        let change = &decision.change;
        let approval = inputs.approval.as_ref().filter(|_| decision.approved);
        let origin = Origin {
            at: now,
            // A pin of another process is applied by the first pass that sees it.
            cause: match (decision.pinned, inputs.pinned.as_ref()) {
                (Some(0), _) => GenerationCause::Flush,
                (Some(_), Some(_)) if self.cause == GenerationCause::Refresh => {
                    GenerationCause::Pin
                }
                _ => self.cause,
            },
            pinned: decision.pinned.is_some(),
            approved: approval.map(|approval| (approval.id.as_str(), approval.by.as_str())),
        };
        let (after, policy) = (&decision.desired.nets, self.basis.policy());
        let why_added = |net| joined(&decision.explain_addition(net).because, "; ");
        let why_removed = |net| joined(&decision.explain_removal(net, after, policy).because, "; ");
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
            let why = match decision.pinned {
                Some(0) => Cause::Flushed.to_string(),
                Some(generation) => Cause::Pinned { generation }.to_string(),
                None => "no longer listed".to_owned(),
            };
            let gone = remove.iter().map(|asn| (*asn, why.clone()));
            ledger.note_origins(generation, '-', gone)?;
            ledger.set_origins(&decision.desired.origins)?;
            let before = inputs.in_force.origins.len();
            let after = decision.desired.origins.len();
            tracing::info!("origins  {after} origin ASes in force (was {before})");
        }
        Ok(generation)
    }

    /// Every feed that lists the AS.
    fn why_origin(&self, asn: u32) -> String {
        let Basis { decision, .. } = self.basis;
        let sources = decision.rib.sources().iter();
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
    fn hold(&self) -> Result<Option<HoldRow>, LedgerError> {
        let Basis {
            ledger,
            decision,
            now,
            ..
        } = self.basis;
        let before = ledger.hold()?;
        if !decision.held() {
            ledger.set_hold(None)?;
            return Ok(None);
        }
        let hold = HoldRow {
            id: decision.id.clone(),
            at: now,
            reasons: decision.verdict.reasons.clone(),
            added: decision.proposed.added(),
            removed: decision.proposed.removed(),
            rejected: None,
            first: None,
        };
        ledger.set_hold(Some(&hold))?;
        if before.is_none_or(|before| before.id != hold.id) {
            self.note(EventKind::Held, &hold.id, &joined(&hold.reasons, "; "))?;
        }
        ledger.hold()
    }

    /// An approval is used up by its change, and void when the feeds have moved on.
    fn review(&self) -> Result<(), LedgerError> {
        let Basis {
            ledger,
            inputs,
            decision,
            now,
            ..
        } = self.basis;
        let Some(approval) = &inputs.approval else {
            return Ok(());
        };
        let id = &approval.id;
        if decision.approved {
            return ledger.end_reviews("applied", now);
        }
        if decision.pinned.is_some() {
            return Ok(());
        }
        ledger.end_reviews("void", now)?;
        let what = match decision.held() {
            true => format!("what waits now is {}", decision.id),
            false => "nothing waits any more".to_owned(),
        };
        tracing::warn!(
            "the approval of {id} by {} is void: {} moved on; {what}",
            approval.by,
            decision.movers(),
        );
        self.note(
            EventKind::Void,
            id,
            &format!("{} moved on; {what}", decision.movers()),
        )
    }

    /// Entries of the operator whose time is over.
    fn end_what_is_over(&self) -> Result<(), LedgerError> {
        let Basis { ledger, now, .. } = self.basis;
        for row in ledger.operator(now.after(Timestamp::CLOCK_TOLERANCE))? {
            if row.ended.is_some() || row.counts(now) {
                continue;
            }
            ledger.end_operator(row.kind, row.item, now, "")?;
            let (verb, prefix) = (row.kind.verb(), row.item.to_string());
            tracing::info!("{verb} {prefix}  expired: {}", row.reason);
            self.note(
                EventKind::Expired,
                &prefix,
                &format!("{verb}: {}", row.reason),
            )?;
        }
        Ok(())
    }

    fn note(&self, kind: EventKind, subject: &str, text: &str) -> Result<(), LedgerError> {
        let Basis { ledger, now, .. } = self.basis;
        ledger.note_event(&Event {
            at: now,
            kind,
            subject: subject.to_owned(),
            by: String::new(),
            uid: None,
            text: text.to_owned(),
            generation: None,
        })
    }
}
