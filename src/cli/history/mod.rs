//! `history`: what happened, to everything or to one prefix, and what was in force with an earlier
//! generation. Reads the ledger and nothing else.

mod book;
mod diff;
mod entry;
mod set;
mod story;

use std::path::Path;

use super::net::one_net;
use super::{Outcome, Stop, load};
use crate::ledger::Ledger;
use crate::prefix::{Effective, HostBits};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Everything that ever touched this prefix or address, in any written form
    prefix: Option<String>,
    /// What the second generation has and the first had not, and the other way round; 0 is the time
    /// before the first
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["prefix", "generation"])]
    diff: Option<Vec<u64>>,
    /// The set that was in force with this generation
    #[arg(long, value_name = "N", conflicts_with = "prefix")]
    generation: Option<u64>,
    /// The whole log book, not only its newest entries
    #[arg(long, conflicts_with_all = ["prefix", "diff", "generation"])]
    all: bool,
    /// The same as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    let net = arguments.prefix.as_deref();
    let net = net.map(|text| one_net(text, HostBits::Mask)).transpose()?;
    let config = load(path)?;
    let ledger = Ledger::read(&config.state_dir)?;
    let json = arguments.json;
    if let Some(net) = net {
        return story::run(&ledger, net, config.keep, json);
    }
    if let Some(number) = arguments.generation {
        return set::run(&ledger, number, json);
    }
    match arguments.diff.as_deref() {
        Some(&[from, to]) => diff::run(&ledger, from, to, json),
        _ => book::run(&ledger, arguments.all, json),
    }
}

/// What was in force with a generation, or which there are.
fn told(ledger: &Ledger, number: u64) -> Result<Effective, Stop> {
    if let Some(past) = ledger.at_generation(number)? {
        return Ok(past);
    }
    let there = match ledger.generation()? {
        Some(newest) => format!(
            "there are {} to {}",
            ledger.oldest_told()?.max(1),
            newest.number
        ),
        None => "there is none yet".to_owned(),
    };
    Err(Stop::usage(format!(
        "{number}: no generation whose set can be told; {there}"
    )))
}
