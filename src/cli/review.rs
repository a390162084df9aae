//! `approve` and `reject`: the answer to a held change.

use super::operator::reason;
use super::refresh::{apply, exit};
use super::site::Making;
use super::{Exit, Outcome, Stop};
use crate::control::Review;
use crate::ledger::{EventKind, GenerationCause, Ledger, LedgerError, ReviewAnswer};
use crate::pass::At;
use crate::pass::inputs::Inputs;
use crate::pipeline::Decision;
use crate::plan::joined;

/// Say it, with the lock of a pass.
pub(super) async fn review_now(
    mut making: Making<'_>,
    said: ReviewAnswer,
    review: &Review,
) -> Outcome {
    let author = making.author;
    let reason = review.reason.as_deref().map(reason).transpose()?;
    let At {
        config,
        ledger,
        cache,
    } = making.site.at()?;
    let now = ledger.now()?;
    let inputs = Inputs::read(config, ledger, cache, now)?;
    let decision = inputs.decide_once(cache, now);
    let id = review.id.trim().to_lowercase();
    if inputs.pinned.is_some() || !decision.held() || decision.id != id {
        return Err(Stop::failed(not_it(&id, &inputs, &decision, ledger)?));
    }
    if said == ReviewAnswer::Approved && !decision.approvable() {
        return Err(Stop::failed(format!(
            "{id} cannot be approved: {}; nothing was changed",
            joined(&decision.verdict.reasons, "; ")
        )));
    }
    let (added, removed) = (decision.proposed.added(), decision.proposed.removed());
    let reason = reason.map_or_else(String::new, |reason| format!("{reason}; "));
    let text = format!(
        "{reason}{added} to add, {removed} to remove; {}",
        joined(&decision.verdict.reasons, "; ")
    );
    let (kind, cause) = match said {
        ReviewAnswer::Rejected => (EventKind::Reject, GenerationCause::Reject),
        _ => (EventKind::Approve, GenerationCause::Approve),
    };
    let first = match said {
        ReviewAnswer::Approved if config.second_person => ledger.first_approval(&id)?,
        _ => None,
    };
    let by = match &first {
        Some((first, at)) if *first == author.name => {
            return Err(Stop::failed(format!(
                "{id} was approved by {first} at {at}: a different person must approve it as well ([review] second_person = true); nothing was changed"
            )));
        }
        Some((first, _)) => format!("{first} and {}", author.name),
        None => author.name.clone(),
    };
    if said == ReviewAnswer::Approved && config.second_person && first.is_none() {
        let text = format!("first of two approvals; {text}");
        ledger.atomically(|ledger| {
            ledger.write_first_approval(&id, now, &by)?;
            ledger.note_event(&author.event(now, kind, &id, text))
        })?;
        return first_of_two(&making, &id, &by);
    }
    ledger.atomically(|ledger| {
        ledger.write_review(&id, said, now, &by)?;
        ledger.note_event(&author.event(now, kind, &id, text))
    })?;
    let next = "Recorded; the next pass applies it";
    drop((inputs, decision));
    let outcome = apply(&mut making, cause, next).await?;
    if said == ReviewAnswer::Rejected && !making.json {
        making.out.results(|out| {
            writeln!(
                out,
                "{id} rejected: what is in force stays; another change of the feeds is judged anew"
            )
        })?;
    }
    Ok(match (said, exit(&outcome)) {
        // It was answered: nothing is waited for.
        (ReviewAnswer::Rejected, Exit::Held) => Exit::Done,
        (_, exit) => exit,
    })
}

/// One person has approved it; it waits for another.
fn first_of_two(making: &Making<'_>, id: &str, by: &str) -> Outcome {
    if making.json {
        let shown = serde_json::json!({"id": id, "first_approved_by": by});
        making.out.json(&shown)?;
        return Ok(Exit::Held);
    }
    making.out.results(|out| {
        writeln!(
            out,
            "{id} approved by {by}: a second person must approve it ([review] second_person = true); what is in force stays"
        )
    })?;
    Ok(Exit::Held)
}

/// Why this ID names nothing that waits.
fn not_it(
    id: &str,
    inputs: &Inputs,
    decision: &Decision,
    ledger: &Ledger,
) -> Result<String, LedgerError> {
    if let Some(pin) = &inputs.pinned {
        let pin = &pin.row;
        return Ok(format!(
            "{id}: nothing is judged while pinned {pin}; `nullrouted unpin` first; nothing was changed"
        ));
    }
    let waits = match decision.held() {
        true => format!(
            "what waits now is {} (nullrouted plan shows it)",
            decision.id
        ),
        false => "no change is held".to_owned(),
    };
    let former = ledger.review_of(id)?.map(|row| {
        let (at, by, said) = (row.at, row.by, row.said.name());
        match row.outcome.as_str() {
            "" => format!("was {said} by {by} at {at}"),
            outcome => format!("was {said} by {by} at {at} ({outcome})"),
        }
    });
    let held = ledger.was_held(id)?;
    let former = match (former, held) {
        (Some(former), _) => former,
        (None, true) => format!("is void: {} moved on", decision.movers()),
        (None, false) => {
            return Ok(format!(
                "no held change has the ID {id}; {waits}; nothing was changed"
            ));
        }
    };
    Ok(format!("{id} {former}; {waits}; nothing was changed"))
}
