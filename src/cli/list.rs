//! `list`: the set in force, sorted, IPv4 before IPv6.

use std::path::Path;

use clap::ValueEnum;

use super::site::Reader;
use super::{Exit, Outcome, Stop, ask, load};
use crate::control::Question;
use crate::shown;
use crate::view::{RouteCount, csv};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How to write it
    #[arg(long, value_enum, default_value = "cidr")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
    /// Only how many prefixes there are
    #[arg(long)]
    count: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One prefix a line
    Cidr,
    /// An array of objects
    Json,
    /// prefix,generation,since,because
    Csv,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    let config = load(path)?;
    let list = List {
        format: match arguments.json {
            true => Format::Json,
            false => arguments.format,
        },
        count: arguments.count,
    };
    let format = list.format.to_possible_value();
    let question = Question::List {
        format: format.map(|format| format.get_name().to_owned()),
        count: list.count,
    };
    match ask::question(&config, &question, list.format == Format::Json)? {
        Some(exit) => Ok(exit),
        None => answer(Reader::alone(config)?, list),
    }
}

/// What is wanted.
#[derive(Clone, Copy)]
pub(super) struct List {
    format: Format,
    count: bool,
}

impl List {
    /// As a client of the control socket asks for it.
    pub fn read(format: Option<&str>, count: bool) -> Result<Self, Stop> {
        let format = match format {
            None => Format::Json,
            Some(name) => Format::from_str(name, false)
                .map_err(|_| Stop::usage(format!("format: {name} is none; cidr, json, csv")))?,
        };
        Ok(Self { format, count })
    }
}

/// Write it.
pub(super) fn answer(mut reader: Reader, list: List) -> Outcome {
    let List { format, count } = list;
    if count {
        let routes = reader.in_force()?.nets.counts().into();
        reader
            .out
            .show(&RouteCount { routes }, format == Format::Json)?;
        return Ok(Exit::Done);
    }
    if format == Format::Cidr {
        let set = &reader.in_force()?.nets;
        return reader.out.done(|out| {
            set.v4
                .iter()
                .try_for_each(|prefix| writeln!(out, "{prefix}"))?;
            set.v6
                .iter()
                .try_for_each(|prefix| writeln!(out, "{prefix}"))
        });
    }
    reader.is_short()?;
    let routes = reader.ledger.routes()?;
    reader.out.done(|out| match format {
        Format::Csv => csv(&routes, out),
        _ => {
            shown::json(out.encoded(), &routes)?;
            writeln!(out)
        }
    })
}
