//! `status`: feeds, set, holds, protection, targets, on one screen.

mod check;

use std::path::Path;

use super::site::Reader;
use super::{Exit, Outcome, ask, block_on, load, output};
use crate::clock::Clock;
use crate::control::Question;
use crate::discover::Source;
use crate::pass::protection;
use crate::targets::kernel::sources;
use crate::view::{
    Explained, InKernel, RouterLists, Selected, Status, feeds, observed, without_copy,
};

pub(super) use check::Severity;

const EXITS: &str = "Ends with 1 while a configured feed has never had a copy. With --check: 0 OK; 1 WARNING: a feed is \
                     stale, a change is held, a generation is pinned, an alarm, a doubted clock; 2 CRITICAL: a target failed, the \
                     kernel has other routes than those in force, flushed, a feed is without a copy that counts; 3 \
                     UNKNOWN: the configuration, the ledger or the kernel cannot be read.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXITS)]
pub(super) struct Arguments {
    /// Everything as JSON
    #[arg(long)]
    json: bool,
    /// One line and an exit code, as a monitoring plugin gives them; asks the kernel
    #[arg(long, conflicts_with = "json")]
    check: bool,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    if arguments.check {
        return check::run(path);
    }
    output::talk(output::Talk::Warnings);
    let config = load(path)?;
    match ask::question(&config, &Question::Status, arguments.json)? {
        Some(exit) => Ok(exit),
        None => answer(Reader::alone(config)?, arguments.json),
    }
}

/// Show it.
pub(super) fn answer(mut reader: Reader, json: bool) -> Outcome {
    let in_force = reader.in_force()?;
    let Reader {
        config,
        ledger,
        mut cache,
        out,
        ..
    } = reader;
    let in_force = &in_force.nets;
    let clock = Clock::of(ledger.clock()?.as_ref());
    let now = clock.now();
    let mut by_hand = ledger.operator(now)?;
    let found = ledger.discovered()?;
    let sources = (&found[..], &by_hand[..]);
    let policy = protection::in_effect((&config, &ledger), &mut cache, sources, now)?;
    by_hand.retain(|row| row.counts(now));
    let of = |source: &Source| {
        let of = found.iter().filter(|one| one.source == *source);
        of.filter(|one| one.found.net().is_some()).count()
    };
    let sources = config.protect.discover.iter();
    let kernel = match config.kernel.enabled {
        true => check::Step::settled(&config)?.1.ok(),
        false => None,
    };
    let kernel = kernel.map(|step| InKernel {
        missing: step.missing,
        surplus: step.surplus,
        occupied: step.occupied,
    });
    let dropped = match config.kernel.enabled {
        true => Some(block_on(sources::read(&config.kernel))?),
        false => None,
    };
    let targets = ledger.targets()?;
    let auto = config.routers.iter().filter(|router| router.auto);
    let lists = targets.iter().filter_map(|target| {
        auto.clone().find(|router| router.name == target.name)?;
        let (router, chosen) = (target.name.clone(), target.lists.clone()?);
        Some(RouterLists { router, chosen })
    });
    let protected = policy.protect.typed().iter().map(|one| Explained {
        prefix: one.net,
        why: one.why.clone(),
    });
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        generation: ledger.generation()?,
        routes: in_force.counts().into(),
        kernel,
        feeds: feeds(&config, &ledger, cache, now)?,
        held: ledger.hold()?,
        pinned: ledger.pinned()?,
        selections: Selected::all(ledger.selections()?),
        lists: lists.collect(),
        targets,
        clock: Some(clock.seen().clone()).filter(|seen| seen.doubt.is_some()),
        observed: observed(&config, &ledger)?,
        sources: dropped,
        by_hand,
        protected: protected.collect(),
        protected_asns: policy.protect.asns().to_vec(),
        found: sources.map(|source| (source.name(), of(source))).collect(),
        now,
    };
    out.show(&status, json)?;
    let without = without_copy(&config, &ledger)?;
    without.iter().for_each(|line| out.say(line));
    Ok(match without.is_empty() {
        true => Exit::Done,
        false => Exit::Failed,
    })
}
