//! `plan`: what a pass over the copies at hand would change, and why. Changes nothing.

use std::io;
use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;
use serde_json::json;

use super::output::Talk;
use super::{Exit, Outcome as Ended, block_on, load, output};
use crate::feed::copies::Copies;
use crate::ledger::Ledger;
use crate::pass;
use crate::pass::inputs::{Cache, Inputs, View};
use crate::pass::sets::{Move, Sets};
use crate::pass::wanted;
use crate::pipeline::Decision;
use crate::plan::{Change, Explained, sentences};
use crate::prefix::PrefixSet;
use crate::shown::Lines;
use crate::targets::{self, Outcome, Runner};
use crate::time::Timestamp;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The plan as JSON
    #[arg(long)]
    json: bool,
}

/// What a target would have to do.
struct TargetPlan {
    name: String,
    text: String,
    /// What comes to a router and what goes, where it gets a part of what is in force.
    moves: Option<(usize, usize)>,
    changes: bool,
    failed: bool,
}

impl TargetPlan {
    fn of(outcome: Outcome, sets: &Sets) -> Self {
        let Outcome { name, result } = outcome;
        match result {
            Err(fault) => Self {
                name,
                text: format!("fail: {fault}"),
                moves: None,
                changes: false,
                failed: true,
            },
            Ok(report) => {
                let moves = sets.moves_of(&name);
                let moves = moves.map(|one| (one.came.len(), one.went.len()));
                let more =
                    moves.map(|(added, removed)| format!(", {added} to add, {removed} to remove"));
                Self {
                    name,
                    text: report.would() + &more.unwrap_or_default(),
                    moves,
                    changes: report.changed,
                    failed: false,
                }
            }
        }
    }
}

/// A change that waits, as it is shown.
struct Waits {
    rejected: Option<(String, Timestamp)>,
    /// What comes to routers that get a part, and what goes, once it is approved.
    routers: Sets,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Ended {
    output::talk(Talk::Warnings);
    let config = load(path)?;
    let ledger = Ledger::read(&config.state_dir)?;
    let copies = Copies::under(&config.state_dir);
    let now = ledger.now()?;
    let cache = &mut Cache::default();
    let found = block_on(pass::discovery::as_it_is(
        &config,
        &ledger.discovered()?,
        now,
    ))?;
    let view = View::AsItIs(found);
    let inputs = Inputs::read_as(&config, &ledger, &copies, cache, &view, now)?;
    let generation = inputs.generation;
    let decision = Arc::new(inputs.decide(now));
    let sets = Sets::decided(&config, &ledger, &inputs, &decision)?;
    let wanted = wanted::proposed((&config, &ledger), (&inputs, &decision), &sets, now)?;
    let mut runner = Runner::new(targets::each(&config, output::progress()));
    let targets = block_on(runner.plan(&wanted))?.into_iter();
    let targets: Vec<_> = targets
        .map(|outcome| TargetPlan::of(outcome, &sets))
        .collect();

    let hold = ledger.hold()?.filter(|hold| hold.id == decision.id);
    let waits = Waits {
        rejected: hold.and_then(|hold| hold.rejected),
        // Where no router selects, all of it is in the plan already.
        routers: match decision.held() && decision.approvable() && sets.select() {
            true => {
                let approved = inputs.decide_as_approved(&decision.id, now);
                Sets::decided(&config, &ledger, &inputs, &approved)?
            }
            false => Sets::default(),
        },
    };

    // What would be done; or, where it is held, what waits.
    let shown = if decision.held() {
        &decision.proposed
    } else {
        &decision.change
    };
    if arguments.json {
        let after = after(&decision);
        let list = |explained: &mut dyn Iterator<Item = Explained>| explained.collect::<Vec<_>>();
        let target = |t: &TargetPlan| {
            let (added, removed) = t.moves.unzip();
            json!({
                "name": t.name, "changes": t.changes, "would": t.text,
                "added": added, "removed": removed,
            })
        };
        let router =
            |one: &Move| json!({"name": one.router, "added": one.came, "removed": one.went});
        output::json(&json!({
            "id": decision.id,
            "generation": generation,
            "add": list(&mut decision.explain_additions(shown)),
            "remove": list(&mut decision.explain_removals(shown, after, &inputs.policy)),
            "keep": shown.kept(),
            "held": decision.held().then(|| json!({
                "reasons": sentences(&decision.verdict.reasons),
                "approvable": decision.approvable(),
                "protected": protected(&inputs, &decision).iter().map(|(sign, net)| {
                    json!({"op": sign, "prefix": net})
                }).collect::<Vec<_>>(),
                "routers": waits.routers.moves().iter().map(router).collect::<Vec<_>>(),
                "rejected_by": waits.rejected.as_ref().map(|(by, _)| by),
            })),
            "pinned": inputs.pinned.as_ref().map(|pin| &pin.row),
            "targets": targets.iter().map(target).collect::<Vec<_>>(),
        }))?;
    } else {
        output::results(|out| print(out, &inputs, &decision, &targets, &waits))?;
    }
    let changes = !shown.is_empty() || targets.iter().any(|target| target.changes);
    if targets.iter().any(|target| target.failed) {
        return Ok(Exit::Failed);
    }
    Ok(match (decision.held(), changes) {
        (true, _) if waits.rejected.is_none() => Exit::Held,
        (true, _) => Exit::Done,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Done,
    })
}

/// What would be in force after it; or, where it is held, after what waits.
fn after(decision: &Decision) -> &PrefixSet {
    match decision.held() {
        true => &decision.permitted.set,
        false => &decision.desired.nets,
    }
}

/// What of a held change nobody would see in what is proposed: all of it is protected.
fn protected(inputs: &Inputs, decision: &Decision) -> Vec<(char, IpNet)> {
    if !decision.held() {
        return Vec::new();
    }
    let published = &decision.published;
    let added = published.additions().map(|net| ('+', net));
    let changes = added.chain(published.removals().map(|net| ('-', net)));
    let protect = inputs.policy.protect.set();
    changes
        .filter(|(_, net)| protect.covering(*net).is_some())
        .collect()
}

fn print(
    out: &mut Lines<'_>,
    inputs: &Inputs,
    decision: &Decision,
    targets: &[TargetPlan],
    waits: &Waits,
) -> io::Result<()> {
    let change = if decision.held() {
        &decision.proposed
    } else {
        &decision.change
    };
    let line = |sign: char, explained: Explained, out: &mut Lines<'_>| {
        let causes: Vec<_> = explained.because.iter().map(ToString::to_string).collect();
        writeln!(
            out,
            "{sign} {:<20} {}",
            explained.prefix.to_string(),
            causes.join("; ")
        )
    };
    let lines = |change: &Change, after: &PrefixSet, out: &mut Lines<'_>| -> io::Result<()> {
        for explained in decision.explain_additions(change) {
            line('+', explained, out)?;
        }
        for explained in decision.explain_removals(change, after, &inputs.policy) {
            line('-', explained, out)?;
        }
        Ok(())
    };
    let (added, removed) = (decision.change.added(), decision.change.removed());
    if decision.held() && added + removed > 0 {
        lines(&decision.change, &decision.desired.nets, out)?;
        writeln!(
            out,
            "at once, whatever is held: {added} to add, {removed} to remove"
        )?;
    }
    lines(change, after(decision), out)?;
    for (sign, net) in protected(inputs, decision) {
        let why = match sign {
            '+' => "listed now, and protected",
            _ => "no longer listed, and protected",
        };
        writeln!(out, "{sign} {:<20} {why}", net.to_string())?;
    }
    let (added, removed, kept) = (change.added(), change.removed(), change.kept());
    writeln!(
        out,
        "plan {}  upon generation {}: {added} to add, {removed} to remove, {kept} to keep",
        decision.id, inputs.generation
    )?;
    if let Some(pin) = &inputs.pinned {
        writeln!(out, "pinned {}, until `nullrouted unpin`", pin.row)?;
    }
    for reason in &decision.verdict.reasons {
        writeln!(out, "held, reason: {reason}")?;
    }
    let id = &decision.id;
    match &waits.rejected {
        Some((by, at)) => writeln!(
            out,
            "rejected by {by} at {at}; nullrouted approve {id} would still apply it"
        )?,
        None if decision.held() && decision.approvable() => writeln!(
            out,
            "nullrouted approve {id} applies exactly this, nullrouted reject {id} ends the question"
        )?,
        None => {}
    }
    for one in waits.routers.moves() {
        let text = one.told();
        writeln!(out, "router {}: {text} if {id} is approved", one.router)?;
    }
    for target in targets {
        writeln!(out, "target={}  would {}", target.name, target.text)?;
    }
    Ok(())
}
