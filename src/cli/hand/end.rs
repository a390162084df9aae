//! `remove` and `disallow`: the undo of `add` and `allow`.

use std::path::Path;

use ipnet::IpNet;

use super::super::net::one_net;
use super::super::who::who;
use super::super::{Outcome, Stop, load, output};
use super::{at_work, bring_about};
use crate::ledger::{Event, Hand, Ledger};
use crate::pass::hand::said;
use crate::prefix::{HostBits, overlap};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The prefix, as it was entered
    prefix: String,
    /// The outcome as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(hand: Hand, path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(output::Talk::Warnings);
    let config = load(path)?;
    let prefix = one_net(&arguments.prefix, HostBits::Refuse)?;
    let (lock, ledger) = at_work(&config, hand.undo())?;
    let (now, by) = (ledger.now()?, who());
    let ended = ledger.atomically(|ledger| {
        let ended = ledger.end_operator(hand, prefix, now, &by)?;
        if let Some(ended) = &ended {
            ledger.note_event(&Event {
                at: now,
                what: hand.undo().to_owned(),
                subject: prefix.to_string(),
                by: by.clone(),
                text: format!("was: {}", said(ended)),
            })?;
        }
        Ok(ended)
    })?;
    if ended.is_none() {
        return Err(none(hand, prefix, &ledger)?);
    }
    let (exit, outcome) =
        bring_about(path, (&config, &ledger, &lock), hand.undo(), arguments.json)?;
    if arguments.json {
        return Ok(exit);
    }
    let in_force = ledger.in_force()?;
    let dropped = in_force.nets.overlaps(prefix);
    let what = match (hand, &outcome.pinned) {
        _ if outcome.failed() => "taken back, and not everywhere yet".to_owned(),
        (Hand::Add, Some(pin)) if dropped => {
            format!("no longer added, and still in force: pinned {pin}, until `nullrouted unpin`")
        }
        (Hand::Add, _) if dropped => {
            format!("no longer added by hand, and still blackholed: see nullrouted why {prefix}")
        }
        (Hand::Add, _) => "no longer blackholed".to_owned(),
        (Hand::Allow, _) if dropped => "no longer allowed: it is blackholed now".to_owned(),
        (Hand::Allow, _) => "no longer allowed; nothing of it is blackholed".to_owned(),
    };
    let generation = outcome.generation;
    output::results(|out| writeln!(out, "{prefix} {what}; generation {generation}"))?;
    Ok(exit)
}

/// There is no such entry: what there is instead.
fn none(hand: Hand, prefix: IpNet, ledger: &Ledger) -> Result<Stop, Stop> {
    let rows = ledger.operator(ledger.now()?)?;
    let mut near = rows
        .iter()
        .filter(|row| row.hand == hand && row.ended.is_none() && overlap(&row.prefix, &prefix));
    let verb = hand.verb();
    let hint = match near.next() {
        Some(row) => format!("there is {}: {}", row.prefix, said(row)),
        None if hand == Hand::Add => {
            format!("what a feed lists is taken out with: nullrouted allow {prefix} --reason TEXT")
        }
        None => "nullrouted status shows what was entered".to_owned(),
    };
    Ok(Stop::usage(format!(
        "{prefix}: nobody said `{verb}` for exactly this; {hint}; nothing was changed"
    )))
}
