//! `list`: the set in force, sorted, IPv4 before IPv6.

use std::path::Path;

use clap::ValueEnum;

use super::site::Reader;
use super::{Exit, Outcome, Stop, ask, load};
use crate::control::Question;
use crate::shown;

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
        let set = &reader.in_force()?.nets;
        return match format {
            Format::Json => {
                let (v4, v6) = (set.v4.len(), set.v6.len());
                let routes = serde_json::json!({"routes": {"v4": v4, "v6": v6}});
                reader.out.json(&routes).map(|()| Exit::Done)
            }
            _ => reader.out.done(|out| writeln!(out, "{}", set.len())),
        };
    }
    if format == Format::Cidr {
        let set = &reader.in_force()?.nets;
        return reader
            .out
            .done(|out| set.nets().try_for_each(|net| writeln!(out, "{net}")));
    }
    reader.is_short()?;
    let routes = reader.ledger.routes()?;
    reader.out.done(|out| match format {
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(out.encoded());
            csv.write_record(["prefix", "generation", "since", "because"])?;
            for route in &routes {
                let (prefix, since) = (route.prefix.to_string(), route.since.to_string());
                let generation = route.generation.to_string();
                let because = shown::line(&route.because);
                csv.write_record([&*prefix, &*generation, &*since, &*because])?;
            }
            csv.flush()
        }
        _ => {
            shown::json(out.encoded(), &routes)?;
            writeln!(out)
        }
    })
}
