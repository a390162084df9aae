//! `list`: the set in force, sorted, IPv4 before IPv6.

use std::io;

use serde::Serialize;

use super::{Routes, View};
use crate::ledger::RouteRow;
use crate::shown::{self, Lines};

/// How many prefixes there are.
#[derive(Serialize)]
pub struct RouteCount {
    pub routes: Routes,
}

impl View for RouteCount {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        writeln!(out, "{}", self.routes.v4 + self.routes.v6)
    }
}

/// The set as a table, with why each prefix is in it.
///
/// # Errors
/// Those of `out`.
pub fn csv(routes: &[RouteRow], out: &mut Lines<'_>) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out.encoded());
    csv.write_record(["prefix", "generation", "since", "because"])?;
    for route in routes {
        let (prefix, since) = (route.prefix.to_string(), route.since.to_string());
        let generation = route.generation.to_string();
        let because = shown::line(&route.because);
        csv.write_record([&*prefix, &*generation, &*since, &*because])?;
    }
    csv.flush()
}
