//! `check`: read the configuration, report every problem, and advise on what it refers to.

use std::path::Path;

use super::{Exit, Outcome, Stop, output};
use crate::config::{self, Advice, Config};
use crate::ledger::Ledger;
use crate::shown;
use crate::target::router::too_many;

const EXITS: &str = "Ends with 64 where there is a problem. Advice is on what the configuration refers to (files, \
                     folders, commands, hosts): it ends with 0, and with --strict with 1.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXITS)]
pub(super) struct Arguments {
    /// Show the configuration as understood, with every default
    #[arg(long)]
    print: bool,
    /// End with 1 where there is advice
    #[arg(long)]
    strict: bool,
    /// Results as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    let examined = config::examine(path).map(|(config, advice)| {
        let advice: Vec<_> = too_large(&config).into_iter().chain(advice).collect();
        (config, advice)
    });
    let exit = match &examined {
        Err(_) => Exit::Usage,
        Ok((_, advice)) if arguments.strict && !advice.is_empty() => Exit::Failed,
        Ok(_) => Exit::Done,
    };
    if arguments.json {
        let (ok, problems, advice) = match &examined {
            Ok((_, advice)) => (true, Vec::new(), advice.as_slice()),
            Err(problems) => (false, problems.places(), &[][..]),
        };
        let json = serde_json::json!({ "ok": ok, "problems": problems, "advice": advice });
        output::json(&json)?;
        return Ok(exit);
    }
    let (config, advice) = examined.map_err(|problems| Stop::problems(&problems, ""))?;
    if arguments.print {
        output::results(|out| out.text(&config::print(&config)))?;
        return Ok(exit);
    }
    for Advice {
        router,
        text,
        line,
        column,
        ..
    } in &advice
    {
        let at = match line {
            0 => String::new(),
            line => format!(":{line}:{column}"),
        };
        output::say(match (line, router) {
            (0, Some(router)) => format!("router {router}: {text}"),
            _ => format!("{}{at}: advice: {text}", shown::path(path)),
        });
    }
    let (feeds, routers) = (config.feeds.len(), config.routers.len());
    let advised = match advice.len() {
        0 => String::new(),
        1 => ", 1 piece of advice".to_owned(),
        count => format!(", {count} pieces of advice"),
    };
    output::say(format!(
        "{}: no problem; {feeds} feeds, {routers} router files{advised}",
        path.display()
    ));
    Ok(exit)
}

/// Which routers get more than they take well, by what is in force now; nothing where that is not known.
fn too_large(config: &Config) -> Vec<Advice> {
    let in_force = Ledger::read(&config.state_dir).and_then(|ledger| ledger.in_force());
    let Ok(set) = in_force else {
        return Vec::new();
    };
    let routers = config.routers.iter();
    let advised = routers.filter_map(|router| {
        Some(Advice {
            kind: "size",
            router: Some(router.name.clone()),
            text: too_many(&router.shape, set.v4.len(), set.v6.len())?,
            line: 0,
            column: 0,
        })
    });
    advised.collect()
}
