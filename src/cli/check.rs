//! `check`: read the configuration, report every problem, and advise on what it refers to.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Exit, Outcome, Stop, output};
use crate::config::{self, Advice, Config, RouterConfig};
use crate::ledger::{FeedRow, Ledger, SelectionRow, TargetRow};
use crate::shown::{self, counted};
use crate::targets::file::lists;
use crate::targets::file::too_many;
use crate::view::RouterLists;

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
    let mut ways = Vec::new();
    let examined = config::examine(path).map(|(config, advice)| {
        let known = Known::read(&config);
        ways = known.ways(&config);
        let known = known
            .too_large(&config)
            .into_iter()
            .chain(known.columns(&config));
        let advice: Vec<_> = known.chain(advice).collect();
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
        let json =
            serde_json::json!({ "ok": ok, "problems": problems, "advice": advice, "lists": ways });
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
    for RouterLists { router, chosen } in &ways {
        output::say(format!("router {router}: {}", lists::said(chosen)));
    }
    let (feeds, routers) = (config.feeds.len(), config.routers.len());
    let advised = match advice.len() {
        0 => String::new(),
        1 => ", 1 piece of advice".to_owned(),
        count => format!(", {count} pieces of advice"),
    };
    output::say(format!(
        "{}: no problem; {}, {}{advised}",
        path.display(),
        counted(feeds, "feed"),
        counted(routers, "router file"),
    ));
    Ok(exit)
}

/// What the ledger knows; nothing where it cannot be read.
#[derive(Default)]
struct Known {
    routes: Option<[usize; 2]>,
    /// Of routers that do not get everything.
    selections: BTreeMap<String, SelectionRow>,
    targets: Vec<TargetRow>,
    feeds: BTreeMap<String, FeedRow>,
}

impl Known {
    fn read(config: &Config) -> Self {
        let read = Ledger::read(&config.state_dir);
        let known = read.and_then(|ledger| {
            Ok(Self {
                routes: Some(ledger.in_force()?.nets.counts()),
                selections: ledger.selections()?,
                targets: ledger.targets()?,
                feeds: ledger.feeds()?,
            })
        });
        known.unwrap_or_default()
    }

    /// The last result of a router.
    fn last(&self, router: &RouterConfig) -> Option<&TargetRow> {
        self.targets.iter().find(|row| row.name == router.name)
    }

    /// IPv4 and IPv6 prefixes of a router.
    fn of(&self, router: &RouterConfig) -> Option<[usize; 2]> {
        let selection = self.selections.get(&router.name);
        selection.map_or(self.routes, |selection| Some(selection.routes))
    }

    /// What would be chosen for each router by what is in force now.
    fn ways(&self, config: &Config) -> Vec<RouterLists> {
        let routers = config.routers.iter();
        let ways = routers.filter_map(|router| {
            Some(RouterLists {
                router: router.name.clone(),
                chosen: lists::known(
                    router,
                    self.last(router),
                    self.of(router).unwrap_or_default(),
                )?,
            })
        });
        ways.collect()
    }

    /// Which feeds have a column that is not read and belongs to the address.
    fn columns(&self, config: &Config) -> Vec<Advice> {
        let feeds = config.fetched();
        let advised = feeds.filter_map(|feed| {
            let column = self.feeds.get(&feed.name)?.remarks.unread_column.as_ref()?;
            Some(Advice {
                kind: "column",
                router: None,
                text: format!("feed {}: {column}", feed.name),
                line: 0,
                column: 0,
            })
        });
        advised.collect()
    }

    /// Which routers get more than they take well, by what is in force now; nothing where that is
    /// not known.
    fn too_large(&self, config: &Config) -> Vec<Advice> {
        let routers = config.routers.iter();
        let advised = routers.filter_map(|router| {
            let [v4, v6] = self.of(router)?;
            let chosen = lists::known(router, self.last(router), [v4, v6]);
            let options = lists::options(router, chosen.as_ref());
            Some(Advice {
                kind: "size",
                router: Some(router.name.clone()),
                text: too_many(&options, v4, v6)?,
                line: 0,
                column: 0,
            })
        });
        advised.collect()
    }
}
