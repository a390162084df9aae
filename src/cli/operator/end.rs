//! `remove` and `disallow`: the undo of `add` and `allow`.

use ipnet::IpNet;

use super::super::net::one_net;
use super::super::site::Making;
use super::super::{Outcome, Stop};
use super::apply;
use crate::control::End;
use crate::ledger::{Ledger, OperatorEntry};
use crate::pass::At;
use crate::pass::operator::describe;
use crate::prefix::{HostBits, overlap};

/// End it, with the lock of a pass.
pub(crate) async fn end_now(mut making: Making<'_>, kind: OperatorEntry, end: &End) -> Outcome {
    let prefix = one_net(&end.prefix, HostBits::Refuse)?;
    let author = making.author;
    let ledger = making.site.at()?.ledger;
    let now = ledger.now()?;
    let ended = ledger.atomically(|ledger| {
        let ended = ledger.end_operator(kind, prefix, now, &author.name)?;
        if let Some(ended) = &ended {
            let text = format!("was: {}", describe(ended));
            ledger.note_event(&author.event(now, kind.ends(), prefix, text))?;
        }
        Ok(ended)
    })?;
    if ended.is_none() {
        return Err(none(kind, prefix, ledger)?);
    }
    let (exit, outcome) = apply(&mut making, kind.ended()).await?;
    if making.json {
        return Ok(exit);
    }
    let At { ledger, cache, .. } = making.site.at()?;
    let in_force = cache.in_force(ledger)?;
    let dropped = in_force.nets.overlaps(prefix);
    let what = match (kind, &outcome.pinned) {
        _ if outcome.failed() => "taken back, and not everywhere yet".to_owned(),
        (OperatorEntry::Add, Some(pin)) if dropped => {
            format!("no longer added, and still in force: pinned {pin}, until `nullrouted unpin`")
        }
        (OperatorEntry::Add, _) if dropped => {
            format!("no longer added by hand, and still blackholed: see nullrouted why {prefix}")
        }
        (OperatorEntry::Add, _) => "no longer blackholed".to_owned(),
        (OperatorEntry::Allow, _) if dropped => {
            "no longer allowed: it is blackholed now".to_owned()
        }
        (OperatorEntry::Allow, _) => "no longer allowed; nothing of it is blackholed".to_owned(),
    };
    let generation = outcome.generation;
    making
        .out
        .results(|out| writeln!(out, "{prefix} {what}; generation {generation}"))?;
    Ok(exit)
}

/// There is no such entry: what there is instead.
fn none(kind: OperatorEntry, prefix: IpNet, ledger: &Ledger) -> Result<Stop, Stop> {
    let rows = ledger.operator(ledger.now()?)?;
    let mut near = rows
        .iter()
        .filter(|row| row.kind == kind && row.ended.is_none() && overlap(&row.prefix, &prefix));
    let verb = match kind {
        OperatorEntry::Add => "added",
        OperatorEntry::Allow => "allowed",
    };
    let hint = match near.next() {
        Some(row) => format!("{} was: {}", row.prefix, describe(row)),
        None if kind == OperatorEntry::Add => {
            format!("what a feed lists is taken out with: nullrouted allow {prefix} --reason TEXT")
        }
        None => "nullrouted status shows what was entered".to_owned(),
    };
    Ok(Stop::usage(format!(
        "{prefix} was not {verb} by hand; {hint}; nothing was changed"
    )))
}
