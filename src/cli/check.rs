//! `check`: read the configuration, report every problem.

use std::path::Path;

use super::{Exit, Outcome, Stop, output};
use crate::config::{self, Config};
use crate::ledger::Ledger;
use crate::target::router::too_many;

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
        let advice: Vec<_> = checked.as_ref().map(advice).unwrap_or_default();
        let advice: Vec<_> = advice
            .iter()
            .map(|(router, text)| serde_json::json!({ "router": router, "text": text }))
            .collect();
        let ok = checked.is_ok();
        output::json(&serde_json::json!({ "ok": ok, "problems": problems, "advice": advice }))?;
        return Ok(if ok { Exit::Done } else { Exit::Usage });
    }
    let config = checked.map_err(|problems| Stop::problems(&problems, ""))?;
    if arguments.print {
        return output::done(|out| out.text(&config::print(&config)));
    }
    if let Some(text) = config::modes::advice(path) {
        output::say(format!("{}: {text}", path.display()));
    }
    for (router, text) in advice(&config) {
        output::say(format!("router {router}: {text}"));
    }
    let (feeds, routers) = (config.feeds.len(), config.routers.len());
    output::say(format!(
        "{}: no problem; {feeds} feeds, {routers} router files",
        path.display()
    ));
    Ok(Exit::Done)
}

/// Which routers get more than they take well, by what is in force now; nothing where that is not known.
fn advice(config: &Config) -> Vec<(&str, String)> {
    let in_force = Ledger::read(&config.state_dir).and_then(|ledger| ledger.in_force());
    let Ok(set) = in_force else {
        return Vec::new();
    };
    let routers = config.routers.iter();
    let advised = routers.filter_map(|router| {
        let text = too_many(&router.shape, set.v4.len(), set.v6.len())?;
        Some((router.name.as_str(), text))
    });
    advised.collect()
}
