//! `plan`: what a pass over the copies at hand would change, and why. Changes nothing.

use std::path::Path;
use std::sync::Arc;

use super::output::Talk;
use super::refresh::known_feed;
use super::{Exit, Outcome, block_on, load, output};
use crate::ledger::Ledger;
use crate::pass;
use crate::pass::inputs::{Basis, Cache, Inputs, View};
use crate::pass::sets::Sets;
use crate::pass::wanted;
use crate::targets::{self, Runner};
use crate::view::{Extent, Plan, TargetPlan, Waiting};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The plan as JSON, with every prefix
    #[arg(long)]
    json: bool,
    /// Counts and reasons, and no prefix
    #[arg(long, conflicts_with_all = ["all", "limit", "feed"])]
    summary: bool,
    /// Every prefix, not only the largest
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Only prefixes of which this feed is a cause
    #[arg(long, value_name = "NAME")]
    feed: Option<String>,
    /// At most this many prefixes to add, and as many to remove [default: 10]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl Arguments {
    fn extent(&self) -> Extent {
        let most = self.limit.unwrap_or(Extent::LARGEST);
        Extent {
            summary: self.summary,
            feed: self.feed.clone(),
            // What is asked for by name is not cut short.
            most: (!self.all && (self.feed.is_none() || self.limit.is_some())).then_some(most),
        }
    }
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(Talk::Warnings);
    let config = load(path)?;
    if let Some(name) = &arguments.feed {
        known_feed(name, &config)?;
    }
    let ledger = Ledger::read(&config.state_dir)?;
    let now = ledger.now()?;
    let cache = &mut Cache::default();
    let found = block_on(pass::discovery::as_it_is(
        &config,
        &ledger.discovered()?,
        now,
    ))?;
    let view = View::AsItIs(found);
    let inputs = Inputs::read_as(&config, &ledger, cache, &view, now)?;
    let decision = Arc::new(inputs.decide(now));
    let basis = Basis {
        config: &config,
        ledger: &ledger,
        inputs: &inputs,
        decision: &decision,
        now,
    };
    let sets = Sets::decided(basis)?;
    let wanted = wanted::proposed(basis, &sets)?;
    let mut runner = Runner::new(targets::each(&config, output::progress()));
    let targets = block_on(runner.plan(&wanted))?.into_iter();
    let targets: Vec<_> = targets
        .map(|outcome| TargetPlan::of(outcome, &sets))
        .collect();

    let hold = ledger.hold()?.filter(|hold| hold.id == decision.id);
    let waiting = Waiting {
        rejected: hold.and_then(|hold| hold.rejected),
        // Where no router selects, all of it is in the plan already.
        routers: match decision.held() && decision.approvable() && sets.select() {
            true => {
                let decision = &Arc::new(inputs.decide_as_approved(&decision.id, now));
                Sets::decided(Basis { decision, ..basis })?
            }
            false => Sets::default(),
        },
    };

    let plan = Plan {
        inputs: &inputs,
        decision: &decision,
        targets,
        waiting,
        extent: arguments.extent(),
    };
    output::Out::Ours.show(&plan, arguments.json)?;
    let changes = !plan.shown().is_empty() || plan.targets.iter().any(|target| target.changes);
    if plan.targets.iter().any(|target| target.failed) {
        return Ok(Exit::Failed);
    }
    Ok(match (decision.held(), changes) {
        (true, _) if plan.waiting.rejected.is_none() => Exit::Held,
        (true, _) => Exit::Done,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Done,
    })
}
