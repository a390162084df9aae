//! `check`: read the configuration, report every problem.

use std::path::Path;

use super::{Exit, Outcome, Stop, output};
use crate::config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Show the configuration as understood, with every default
    #[arg(long)]
    print: bool,
    /// Results as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    let checked = config::load(path);
    if arguments.json {
        let problems = checked
            .as_ref()
            .err()
            .map(config::Problems::places)
            .unwrap_or_default();
        output::json(&serde_json::json!({ "ok": checked.is_ok(), "problems": problems }))?;
        return Ok(if checked.is_ok() {
            Exit::Done
        } else {
            Exit::Usage
        });
    }
    let config = checked.map_err(Stop::usage)?;
    if arguments.print {
        return output::done(|out| out.write_all(config::print(&config).as_bytes()));
    }
    let (feeds, routers) = (config.feeds.len(), config.routers.len());
    eprintln!(
        "{}: no problem; {feeds} feeds, {routers} router files",
        path.display()
    );
    Ok(Exit::Done)
}
