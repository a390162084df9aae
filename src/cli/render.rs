//! `render`: print one router's file for the set in force.

use std::path::Path;

use super::{Outcome, Stop, load, output};
use crate::feed::copies::Copies;
use crate::ledger::Ledger;
use crate::pass::apply;
use crate::pass::known::{Known, Memory};
use crate::target::router::{Sheet, render};
use crate::time::Timestamp;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The name of a [[router]] in the configuration
    router: String,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    let config = load(path)?;
    let wanted = config
        .routers
        .iter()
        .find(|router| router.name == arguments.router);
    let router = wanted.ok_or_else(|| {
        let names: Vec<_> = config
            .routers
            .iter()
            .map(|router| router.name.as_str())
            .collect();
        let there = if names.is_empty() {
            "none is configured".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        Stop::usage(format!(
            "{}: no router of this name; {there}",
            arguments.router
        ))
    })?;
    let ledger = Ledger::read(&config.state_dir)?;
    let copies = Copies::under(&config.state_dir);
    let now = Timestamp::now();
    let known = Known::read(&config, &ledger, &copies, &mut Memory::default(), now)?;
    let decision = known.decide(now);
    let credits = apply::credits(&config, &decision.standings, &known.in_force);
    let sheet = Sheet {
        origins: &known.origins,
        ..apply::sheet(&config, &decision, &known.in_force, &credits)
    };
    let text = render(&router.shape, &sheet);
    output::done(|out| out.write_all(text.as_bytes()))
}
