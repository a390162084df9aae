//! `plan`: what a pass over the copies at hand would change, and why.

use std::io;

use ipnet::IpNet;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::{View, composed};
use crate::pass::inputs::Inputs;
use crate::pass::sets::{Move, Sets};
use crate::pipeline::Decision;
use crate::plan::{Change, Explained, joined, sentences};
use crate::policy::Policy;
use crate::prefix::PrefixSet;
use crate::shown::Lines;
use crate::targets::Outcome;
use crate::time::Timestamp;

pub struct Plan<'a> {
    pub inputs: &'a Inputs,
    pub decision: &'a Decision,
    pub targets: Vec<TargetPlan>,
    pub waiting: Waiting,
}

/// What a target would have to do.
#[derive(Serialize)]
pub struct TargetPlan {
    name: String,
    #[serde(rename = "would")]
    text: String,
    /// What comes to a router, where it gets a part of what is in force.
    added: Option<usize>,
    /// What goes there.
    removed: Option<usize>,
    pub changes: bool,
    #[serde(skip)]
    pub failed: bool,
}

impl TargetPlan {
    pub fn of(outcome: Outcome, sets: &Sets) -> Self {
        let Outcome { name, result } = outcome;
        match result {
            Err(fault) => Self {
                name,
                text: format!("fail: {fault}"),
                added: None,
                removed: None,
                changes: false,
                failed: true,
            },
            Ok(report) => {
                let moves = sets.moves_of(&name);
                let moves = moves.map(|one| (one.came.len(), one.went.len()));
                let more =
                    moves.map(|(added, removed)| format!(", {added} to add, {removed} to remove"));
                let (added, removed) = moves.unzip();
                Self {
                    name,
                    text: report.would() + &more.unwrap_or_default(),
                    added,
                    removed,
                    changes: report.changed,
                    failed: false,
                }
            }
        }
    }
}

/// A change that waits, as it is shown.
#[derive(Default)]
pub struct Waiting {
    pub rejected: Option<(String, Timestamp)>,
    /// What comes to routers that get a part, and what goes, once it is approved.
    pub routers: Sets,
}

impl Plan<'_> {
    /// What would be done; or, where it is held, what waits.
    pub fn shown(&self) -> &Change {
        match self.decision.held() {
            true => &self.decision.proposed,
            false => &self.decision.change,
        }
    }
}

impl Serialize for Plan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            inputs,
            decision,
            targets,
            waiting,
        } = self;
        let (shown, after) = (self.shown(), after(decision));
        let list = |explained: &mut dyn Iterator<Item = Explained>| explained.collect::<Vec<_>>();
        let router =
            |one: &Move| json!({"name": one.router, "added": one.came, "removed": one.went});
        let json = json!({
            "id": decision.id,
            "generation": inputs.generation,
            "add": list(&mut decision.explain_additions(shown)),
            "remove": list(&mut decision.explain_removals(shown, after, inputs.proposed_policy())),
            "keep": shown.kept(),
            "held": decision.held().then(|| json!({
                "reasons": sentences(&decision.verdict.reasons),
                "approvable": decision.approvable(),
                "protected": protected(inputs, decision).iter().map(|(sign, net)| {
                    json!({"op": sign, "prefix": net})
                }).collect::<Vec<_>>(),
                "routers": waiting.routers.moves().iter().map(router).collect::<Vec<_>>(),
                "rejected_by": waiting.rejected.as_ref().map(|(by, _)| by),
            })),
            "pinned": inputs.pinned.as_ref().map(|pin| &pin.row),
            "targets": targets,
        });
        composed(json, serializer)
    }
}

/// What would be in force after it; or, where it is held, after what waits.
fn after(decision: &Decision) -> &PrefixSet {
    match decision.held() {
        true => &decision.permitted.set,
        false => &decision.desired.nets,
    }
}

/// What of a held change is not visible in what is proposed, since it is protected.
fn protected(inputs: &Inputs, decision: &Decision) -> Vec<(char, IpNet)> {
    if !decision.held() {
        return Vec::new();
    }
    let published = &decision.published;
    let added = published.additions().map(|net| ('+', net));
    let changes = added.chain(published.removals().map(|net| ('-', net)));
    let protect = inputs.proposed_policy().protect.set();
    changes
        .filter(|(_, net)| protect.covering(*net).is_some())
        .collect()
}

impl View for Plan<'_> {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let Self {
            inputs,
            decision,
            targets,
            waiting,
        } = self;
        let change = self.shown();
        let line = |sign: char, explained: Explained, out: &mut Lines<'_>| {
            let (prefix, causes) = (
                explained.prefix.to_string(),
                joined(&explained.because, "; "),
            );
            writeln!(out, "{sign} {prefix:<20} {causes}")
        };
        let lines = |change: &Change,
                     (after, policy): (&PrefixSet, &Policy),
                     out: &mut Lines<'_>|
         -> io::Result<()> {
            for explained in decision.explain_additions(change) {
                line('+', explained, out)?;
            }
            for explained in decision.explain_removals(change, after, policy) {
                line('-', explained, out)?;
            }
            Ok(())
        };
        let (added, removed) = (decision.change.added(), decision.change.removed());
        if decision.held() && added + removed > 0 {
            let at_once = (&decision.desired.nets, inputs.policy(decision));
            lines(&decision.change, at_once, out)?;
            writeln!(
                out,
                "at once, whatever is held: {added} to add, {removed} to remove"
            )?;
        }
        lines(change, (after(decision), inputs.proposed_policy()), out)?;
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
            "plan {}  on top of generation {}: {added} to add, {removed} to remove, {kept} to keep",
            decision.id, inputs.generation
        )?;
        if let Some(pin) = &inputs.pinned {
            writeln!(out, "pinned {}, until `nullrouted unpin`", pin.row)?;
        }
        for reason in &decision.verdict.reasons {
            writeln!(out, "held, reason: {reason}")?;
        }
        let id = &decision.id;
        match &waiting.rejected {
            Some((by, at)) => writeln!(
                out,
                "rejected by {by} at {at}; nullrouted approve {id} would still apply it"
            )?,
            None if decision.held() && decision.approvable() => writeln!(
                out,
                "nullrouted approve {id} applies exactly this, nullrouted reject {id} keeps what is in force and asks again when the lists change"
            )?,
            None => {}
        }
        for one in waiting.routers.moves() {
            let text = one.describe();
            writeln!(out, "router {}: {text} if {id} is approved", one.router)?;
        }
        for target in targets {
            writeln!(out, "target={}  would {}", target.name, target.text)?;
        }
        Ok(())
    }
}
