//! `render`: print one router's file for the set in force.

use std::path::Path;

use super::{Outcome, Stop, load, output};
use crate::feed::standing::Standing;
use crate::ledger::Ledger;
use crate::pass::apply;
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
    let (rows, now) = (ledger.feeds()?, Timestamp::now());
    let standings: Vec<_> = config
        .feeds
        .iter()
        .map(|feed| {
            let row = rows.get(&feed.name).cloned().unwrap_or_default();
            Standing::at(row.confirmed_at, row.generated, feed.ages, now)
        })
        .collect();
    let set = ledger.in_force()?;
    let attributions = apply::credits(&config, &standings, &set);
    let text = render(
        router.family,
        &Sheet {
            set: &set,
            origins: &ledger.origins()?,
            attributions: &attributions,
        },
    );
    output::done(|out| out.write_all(text.as_bytes()))
}
