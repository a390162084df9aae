//! `remove` and `disallow`: the undo of `add` and `allow`.

use super::super::net::one_item;
use super::super::site::Making;
use super::super::{Outcome, Stop};
use super::apply;
use crate::control::End;
use crate::ledger::{Ledger, OperatorEntry};
use crate::pass::At;
use crate::pass::operator::describe;
use crate::prefix::{HostBits, Item};

/// End it, with the lock of a pass.
pub(crate) async fn end_now(mut making: Making<'_>, kind: OperatorEntry, end: &End) -> Outcome {
    let item = one_item(&end.prefix, HostBits::Refuse)?;
    let author = making.author;
    let ledger = making.site.at()?.ledger;
    let now = ledger.now()?;
    let ended = ledger.atomically(|ledger| {
        let ended = ledger.end_operator(kind, item, now, &author.name)?;
        if let Some(ended) = &ended {
            let text = format!("was: {}", describe(ended));
            ledger.note_event(&author.event(now, kind.ends(), item, text))?;
        }
        Ok(ended)
    })?;
    if ended.is_none() {
        return Err(none(kind, item, ledger)?);
    }
    let (exit, outcome) = apply(&mut making, kind.ended()).await?;
    if making.json {
        return Ok(exit);
    }
    let At { ledger, cache, .. } = making.site.at()?;
    let in_force = cache.in_force(ledger)?;
    let dropped = match item {
        Item::Prefix(net) => in_force.nets.overlaps(net),
        Item::Origin(asn) => in_force.has_origin(asn),
    };
    let is = match item {
        Item::Prefix(_) => "blackholed",
        Item::Origin(_) => "refused by filters",
    };
    let what = match (kind, &outcome.pinned) {
        _ if outcome.failed() => "taken back, and not everywhere yet".to_owned(),
        (OperatorEntry::Add, Some(pin)) if dropped => {
            format!("no longer added, and still in force: pinned {pin}, until `nullrouted unpin`")
        }
        (OperatorEntry::Add, _) if dropped => {
            format!("no longer added by hand, and still {is}: see nullrouted why {item}")
        }
        (OperatorEntry::Add, _) => format!("no longer {is}"),
        (OperatorEntry::Allow, _) if dropped => {
            format!("no longer allowed: it is {is} now")
        }
        (OperatorEntry::Allow, _) => format!("no longer allowed; nothing of it is {is}"),
    };
    let generation = outcome.generation;
    making
        .out
        .results(|out| writeln!(out, "{item} {what}; generation {generation}"))?;
    Ok(exit)
}

/// There is no such entry: what there is instead.
fn none(kind: OperatorEntry, item: Item, ledger: &Ledger) -> Result<Stop, Stop> {
    let rows = ledger.operator(ledger.now()?)?;
    let mut near = rows
        .iter()
        .filter(|row| row.kind == kind && row.ended.is_none() && row.item.meets(&item));
    let verb = match kind {
        OperatorEntry::Add => "added",
        OperatorEntry::Allow => "allowed",
    };
    let hint = match near.next() {
        Some(row) => format!("{} was: {}", row.item, describe(row)),
        None if kind == OperatorEntry::Add => {
            format!("what a feed lists is taken out with: nullrouted allow {item} --reason TEXT")
        }
        None => "nullrouted status shows what was entered".to_owned(),
    };
    Ok(Stop::usage(format!(
        "{item} was not {verb} by hand; {hint}; nothing was changed"
    )))
}
