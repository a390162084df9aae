//! `plan`: what a pass over the copies at hand would change, and why.

use std::io;

use ipnet::IpNet;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::{View, composed};
use crate::pass::inputs::Inputs;
use crate::pass::sets::{Move, Sets};
use crate::pipeline::{Applied, AtHand, Decision};
use crate::plan::{Cause, Change, Explained, joined, sentences};
use crate::policy::Policy;
use crate::policy::limits::Share;
use crate::prefix::PrefixSet;
use crate::shown::{Lines, counted, thousands};
use crate::targets::Outcome;
use crate::time::Timestamp;

pub struct Plan<'a> {
    pub inputs: &'a Inputs,
    pub decision: &'a Decision,
    pub targets: Vec<TargetPlan>,
    pub waiting: Waiting,
    pub extent: Extent,
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
            ..
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

/// How much of a plan is shown. JSON has all of it.
#[derive(Clone, Debug)]
pub struct Extent {
    /// No prefix by itself.
    pub summary: bool,
    /// Only prefixes of which this feed is a cause.
    pub feed: Option<String>,
    /// At most this many prefixes to add, and as many to remove; `None` for all.
    pub most: Option<usize>,
}

impl Extent {
    /// Prefixes of each kind that are shown unless more are asked for.
    pub const LARGEST: usize = 10;

    fn shows(&self, explained: &Explained) -> bool {
        let Some(feed) = &self.feed else {
            return true;
        };
        explained.because.iter().any(|cause| match cause {
            Cause::Listed(listing) | Cause::Delisted(listing) => listing.feed == *feed,
            _ => false,
        })
    }
}

impl View for Plan<'_> {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let Self {
            inputs,
            decision,
            targets,
            waiting,
            ..
        } = self;
        self.headline(out)?;
        if let Some(pin) = &inputs.pinned {
            writeln!(out, "PINNED {pin}, until `nullrouted unpin`", pin = pin.row)?;
        }
        for reason in &decision.verdict.reasons {
            writeln!(out, "held, reason: {reason}")?;
        }
        let change = self.shown();
        let policy = inputs.proposed_policy();
        if decision.held() {
            self.copies(out)?;
            self.shares(out)?;
        }
        self.prefixes(out, change, (after(decision), policy))?;
        if !self.extent.summary {
            for (sign, net) in protected(inputs, decision) {
                let why = match sign {
                    '+' => "listed now, and protected",
                    _ => "no longer listed, and protected",
                };
                writeln!(out, "{sign} {:<20} {why}", net.to_string())?;
            }
        }
        let (added, removed) = (decision.change.added(), decision.change.removed());
        if decision.held() && added + removed > 0 {
            let (added, removed) = (counted(added, "prefix"), thousands(removed));
            writeln!(
                out,
                "at once, whatever is held: {added} to add, {removed} to remove"
            )?;
            let at_once = (&decision.desired.nets, inputs.policy(decision));
            self.prefixes(out, &decision.change, at_once)?;
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

impl Plan<'_> {
    /// What is so now, then what would be done.
    fn headline(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let (inputs, decision) = (self.inputs, self.decision);
        let change = self.shown();
        let in_force = counted(inputs.in_force.nets.len(), "prefix");
        let number = inputs.generation;
        let now = match number {
            0 => "nothing is in force yet".to_owned(),
            number => format!("{in_force} in force (generation {number})"),
        };
        let id = &decision.id;
        let (added, removed) = (
            counted(change.added(), "prefix"),
            thousands(change.removed()),
        );
        let kept = thousands(change.kept());
        if decision.held() {
            return writeln!(
                out,
                "HELD: change {id} waits: {added} to add, {removed} to remove, {kept} to keep; {now}"
            );
        }
        if !change.is_empty() {
            return writeln!(
                out,
                "{now}; plan {id}: {added} to add, {removed} to remove, {kept} to keep"
            );
        }
        match self
            .targets
            .iter()
            .any(|target| target.changes || target.failed)
        {
            true => writeln!(out, "The lists change nothing: {now}; the targets differ"),
            false => writeln!(out, "No changes: {now}"),
        }
    }

    /// The copies of the feeds that changed.
    fn copies(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let dated = |at: &AtHand| {
            let published = at.copy.generated;
            let published = published.map(|at| format!(", published {at}"));
            let published = published.unwrap_or_default();
            let entries = counted(at.copy.len(), "entry");
            format!("{entries}, downloaded {}{published}", at.fetched)
        };
        for feed in &self.inputs.feeds {
            let (Some(Applied::Copy(old)), Some(new)) = (&feed.applied, &feed.current) else {
                continue;
            };
            if old.digest != new.digest {
                writeln!(out, "feed {}, in force: {}", feed.name, dated(old))?;
                writeln!(out, "feed {}, waiting:  {}", feed.name, dated(new))?;
            }
        }
        Ok(())
    }

    /// How many addresses are dropped before and after.
    fn shares(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let (before, after) = (&self.decision.desired.nets, after(self.decision));
        let families = [
            ("IPv4", before.share_v4(), after.share_v4()),
            ("IPv6", before.share_v6(), after.share_v6()),
        ];
        for (family, before, after) in families {
            if before > 0.0 && before != after {
                let change = (after - before) / before * 100.0;
                let (before, after) = (Share(before), Share(after));
                writeln!(
                    out,
                    "{family} addresses: {change:+.1}%, from {before} of all to {after}"
                )?;
            }
        }
        Ok(())
    }

    /// The largest prefixes that come and go, each with its causes.
    fn prefixes(
        &self,
        out: &mut Lines<'_>,
        change: &Change,
        (after, policy): (&PrefixSet, &Policy),
    ) -> io::Result<()> {
        if self.extent.summary {
            return Ok(());
        }
        let decision = self.decision;
        let come = change.additions().collect();
        self.largest(out, '+', come, &|net| decision.explain_addition(net))?;
        let go = change.removals().collect();
        self.largest(out, '-', go, &|net| {
            decision.explain_removal(net, after, policy)
        })
    }

    fn largest(
        &self,
        out: &mut Lines<'_>,
        sign: char,
        mut nets: Vec<IpNet>,
        explain: &dyn Fn(IpNet) -> Explained,
    ) -> io::Result<()> {
        let all = nets.len();
        let most = self.extent.most.unwrap_or(all);
        if all > most {
            nets.sort_by_key(IpNet::prefix_len);
        }
        let explained = nets.into_iter().map(explain);
        let mut shown = 0;
        for one in explained.filter(|one| self.extent.shows(one)).take(most) {
            let (prefix, causes) = (one.prefix.to_string(), joined(&one.because, "; "));
            writeln!(out, "{sign} {prefix:<20} {causes}")?;
            shown += 1;
        }
        let what = if sign == '+' { "to add" } else { "to remove" };
        match all.saturating_sub(shown) {
            more if more > 0 && self.extent.feed.is_none() => {
                let more = thousands(more);
                writeln!(
                    out,
                    "  … {more} more {what}: these are the largest (--all shows all)"
                )
            }
            _ => Ok(()),
        }
    }
}
