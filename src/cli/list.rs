//! `list`: the set in force, sorted, IPv4 before IPv6.

use std::path::Path;

use clap::ValueEnum;

use super::{Outcome, load, output, read_ledger};
use crate::shown;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How to write it
    #[arg(long, value_enum, default_value = "cidr")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
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
    let ledger = read_ledger(&config)?;
    let format = if arguments.json {
        Format::Json
    } else {
        arguments.format
    };
    if format == Format::Cidr {
        let set = ledger.in_force()?.nets;
        return output::done(|out| set.nets().try_for_each(|net| writeln!(out, "{net}")));
    }
    let routes = ledger.routes()?;
    output::done(|out| match format {
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
