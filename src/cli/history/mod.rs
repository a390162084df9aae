//! `history`: what happened, to everything or to one prefix, and what was in force with an earlier
//! generation. Reads the ledger and nothing else.

mod book;
mod diff;
mod set;
mod story;

pub(super) use story::entered;

use std::path::Path;

use super::net::one_item;
use super::output::Out;
use super::site::Reader;
use super::{Outcome, Stop, ask, load};
use crate::control::{History, Question};
use crate::ledger::Ledger;
use crate::prefix::{Effective, HostBits, Item};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    wanted: History,
    /// The same as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: Arguments) -> Outcome {
    let Arguments { wanted, json } = arguments;
    item(&wanted)?;
    let config = load(path)?;
    match ask::question(&config, &Question::History(wanted.clone()), json)? {
        Some(exit) => Ok(exit),
        None => answer(Reader::quiet(config)?, &wanted, json),
    }
}

fn item(wanted: &History) -> Result<Option<Item>, Stop> {
    let item = wanted.item.as_deref();
    item.map(|text| one_item(text, HostBits::Mask)).transpose()
}

/// Tell it.
pub(super) fn answer(reader: Reader, wanted: &History, json: bool) -> Outcome {
    let show = (&reader.out, json);
    let ledger = &reader.ledger;
    if let Some(item) = item(wanted)? {
        return story::run(ledger, item, reader.config.keep, show);
    }
    if wanted.generation.is_some() || wanted.diff.is_some() || wanted.all {
        reader.is_short()?;
    }
    if let Some(number) = wanted.generation {
        return set::run(ledger, number, show);
    }
    match wanted.diff.as_deref() {
        Some(&[from, to]) => diff::run(ledger, from, to, show),
        _ => book::run(ledger, wanted.all, show),
    }
}

/// Where it is written, and whether as JSON.
type Show<'a> = (&'a Out, bool);

/// What was in force with a generation, or which there are.
fn told(ledger: &Ledger, number: u64) -> Result<Effective, Stop> {
    if let Some(past) = ledger.at_generation(number)? {
        return Ok(past);
    }
    let there = match ledger.generation()? {
        Some(newest) => format!(
            "(available: {} to {})",
            ledger.oldest_told()?.max(1),
            newest.number
        ),
        None => "(there is none yet)".to_owned(),
    };
    Err(Stop::usage(format!(
        "generation {number} is not known {there}"
    )))
}
