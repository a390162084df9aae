//! `feeds`: what can be turned on, what is, and how it is doing.

use std::path::Path;

use super::{Exit, Outcome, Stop, load, output};
use crate::feed::preset::{PRESETS, preset, retired};
use crate::ledger::Ledger;
use crate::pass::inputs::Cache;
use crate::shown;
use crate::time::Timestamp;
use crate::view::{Feeds, feeds};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Everything about this preset
    #[arg(value_name = "PRESET")]
    preset: Option<String>,
    /// Everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(output::Talk::Warnings);
    let wanted = match &arguments.preset {
        Some(name) => Some(preset(name).ok_or_else(|| {
            if let Some(why) = retired(name) {
                return Stop::usage(format!("{name}: {why}"));
            }
            let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
            Stop::usage(format!(
                "{name}: no preset of this name; {}",
                shown::permitted("there are", name, &names)
            ))
        })?),
        None => None,
    };
    // What can be had is shown without a configuration, too.
    let config = match path.exists() {
        true => Some(load(path)?),
        false => None,
    };
    let (now, configured) = match &config {
        Some(config) => {
            let ledger = Ledger::read(&config.state_dir)?;
            let now = ledger.now()?;
            (now, feeds(config, &ledger, Cache::default(), now)?)
        }
        None => (Timestamp::now(), Vec::new()),
    };
    let feeds = Feeds {
        path,
        is_there: config.is_some(),
        configured,
        preset: wanted,
        now,
    };
    output::Out::Ours.show(&feeds, arguments.json)?;
    Ok(Exit::Done)
}
