//! `history`: what happened, to everything or to one prefix, and what was in force with an earlier
//! generation. Reads the ledger and nothing else.

mod book;
mod diff;
mod set;
mod story;

use std::path::Path;

use ipnet::IpNet;

use super::net::one_net;
use super::output::Out;
use super::site::Reader;
use super::{Outcome, Stop, ask, load};
use crate::control::Question;
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
    let wanted = Wanted {
        prefix: arguments.prefix.clone(),
        diff: match arguments.diff.as_deref() {
            Some(&[from, to]) => Some((from, to)),
            _ => None,
        },
        generation: arguments.generation,
        all: arguments.all,
    };
    wanted.net()?;
    let config = load(path)?;
    let Wanted {
        prefix,
        diff,
        generation,
        all,
    } = wanted.clone();
    let question = Question::History {
        prefix,
        diff,
        generation,
        all,
    };
    match ask::question(&config, &question, arguments.json)? {
        Some(exit) => Ok(exit),
        None => answer(Reader::quiet(config)?, &wanted, arguments.json),
    }
}

#[derive(Clone)]
pub(super) struct Wanted {
    pub prefix: Option<String>,
    pub diff: Option<(u64, u64)>,
    pub generation: Option<u64>,
    pub all: bool,
}

impl Wanted {
    fn net(&self) -> Result<Option<IpNet>, Stop> {
        let net = self.prefix.as_deref();
        net.map(|text| one_net(text, HostBits::Mask)).transpose()
    }
}

/// Tell it.
pub(super) fn answer(reader: Reader, wanted: &Wanted, json: bool) -> Outcome {
    let show = (&reader.out, json);
    let ledger = &reader.ledger;
    if let Some(net) = wanted.net()? {
        return story::run(ledger, net, reader.config.keep, show);
    }
    if wanted.generation.is_some() || wanted.diff.is_some() || wanted.all {
        reader.is_short()?;
    }
    if let Some(number) = wanted.generation {
        return set::run(ledger, number, show);
    }
    match wanted.diff {
        Some((from, to)) => diff::run(ledger, from, to, show),
        None => book::run(ledger, wanted.all, show),
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
