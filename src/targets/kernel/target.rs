//! The kernel as a target: the routes, and the policy rule that leads to them (I/O).
//!
//! ```text
//!  rule added ─► routes of former marks removed ─► our routes ─► the rest of them ─► rule removed
//! ```

use std::collections::HashSet;
use std::time::Instant;

use ipnet::IpNet;

use super::rule::keep::{self, Rules};
use super::rule::{RuleChange, WantedRule};
use super::{
    Alarm, Desired, Difference, DumpFilter, Fib, Installed, Mark, Report as Routes, Restored,
    planned, read,
};
use crate::config::{Config, KernelConfig};
use crate::netlink::family::AddressFamily;
use crate::prefix::{NOTHING, Prefix};
use crate::targets::{
    Absence, Counts, Doing, Done, Fault, Note, Outcome, Presence, Removable, Report, Target,
    Wanted, What,
};
use crate::time::Timestamp;

/// The name of the kernel among the targets.
pub const KERNEL: &str = "kernel";
/// The name of the outcome that reports leftovers with a former mark.
const FORMER: &str = "kernel-former-mark";

#[derive(Default)]
pub struct Kernel {
    pub fib: Fib,
}

/// What was seen in the kernel on the way.
#[derive(Debug, Default)]
pub struct Details {
    /// What was done with the routes, where it was possible.
    pub routes: Option<Routes>,
    /// Former marks of which no route is left.
    pub cleared: Vec<Mark>,
    /// The alarm while another program keeps removing routes, and whether that is news; looked at
    /// when a route was put back.
    pub alarm: Option<(Option<Alarm>, bool)>,
}

impl Target for Kernel {
    fn name(&self) -> &str {
        KERNEL
    }

    fn place(&self, config: &Config) -> String {
        format!("table {}", config.kernel.mark.table)
    }

    fn plan<'a>(&'a mut self, wanted: &'a Wanted) -> Doing<'a, Vec<Outcome>> {
        Box::pin(plan(wanted))
    }

    fn apply<'a>(&'a mut self, wanted: &'a Wanted) -> Doing<'a, Done> {
        Box::pin(self.make(wanted))
    }

    fn changed(&mut self) -> Doing<'_, ()> {
        Box::pin(self.fib.changed())
    }

    fn presence<'a>(
        &'a mut self,
        net: IpNet,
        route: Option<IpNet>,
        wanted: &'a Wanted,
    ) -> Doing<'a, Presence> {
        Box::pin(presence(&wanted.config.kernel, net, route))
    }
}

impl Kernel {
    async fn make(&mut self, wanted: &Wanted) -> Done {
        let config = &wanted.config.kernel;
        let mut done = Done::default();
        let mut seen = Box::<Details>::default();
        self.fib.rest();
        let (rules, rule_back) = self.begin_rules(wanted).await;
        // In another table they stay until ours are there: no moment without either. In ours they
        // are in the way.
        let (after, before): (Vec<Mark>, Vec<Mark>) = wanted
            .former
            .iter()
            .partition(|mark| mark.table != config.mark.table && config.enabled);
        remove_former(&before, wanted, &mut done, &mut seen).await;
        let mut routes = None;
        if config.enabled && !wanted.is_flushed() {
            routes = Some(self.make_routes(wanted, rule_back, &mut seen).await);
        }
        remove_former(&after, wanted, &mut done, &mut seen).await;
        end_rules(rules, routes, &mut done, &mut seen).await;
        done.kernel = Some(seen);
        done
    }

    /// Our routes.
    async fn make_routes(
        &mut self,
        wanted: &Wanted,
        rule_back: Option<Restored>,
        seen: &mut Details,
    ) -> Result<Report, Fault> {
        let (config, begun) = (&wanted.config.kernel, Instant::now());
        let table = Desired {
            mark: config.mark,
            desired: &wanted.everything.nets,
            may_remove: &|net| wanted.removable.permits(net),
            cover: config.cover_more_specifics,
            now: wanted.now,
        };
        // Without notifications everything is read each time.
        if !self.fib.listens() {
            self.fib.invalidate();
        }
        let mut routes = match self.fib.sync(table).await {
            Ok(routes) => routes,
            Err(fault) => {
                // No notification says that something is to be done.
                self.fib.expect_change();
                return Err(Fault::Kernel(fault));
            }
        };
        let report = report(&routes).map(|report| Report {
            took: Some(begun.elapsed()),
            ..report
        });
        routes.restored.extend(rule_back);
        if !routes.restored.is_empty() || !routes.surplus.is_empty() {
            seen.alarm = Some(self.fib.alarm(wanted.now));
        }
        seen.routes = Some(routes);
        report
    }

    /// The policy rule, before the routes. Returns what another program had removed.
    async fn begin_rules(&mut self, wanted: &Wanted) -> (Rules, Option<Restored>) {
        if wanted.is_flushed() {
            return (Rules::default(), None);
        }
        let mut rule = wanted_rule(wanted);
        if let Some(rule) = &mut rule {
            rule.add &= self.fib.may_add_rule(rule.priority, wanted.now);
        }
        let rules = keep::begin(rule, &marks(wanted)).await;
        let priority = rule.map(|rule| rule.priority);
        let back = self.fib.rule_is(priority, rules.added(), wanted.now);
        (rules, back)
    }
}

/// What came of the routes.
fn report(routes: &Routes) -> Result<Report, Fault> {
    let counts = Counts {
        added: routes.added,
        removed: routes.removed,
        kept: routes.kept,
        failed: routes.failed,
    };
    if let Some(why) = &routes.first_failure {
        return Err(Fault::Routes(counts, why.clone()));
    }
    let occupied = routes.occupied.first().map(|first| Note::Occupied {
        count: routes.occupied.len(),
        first: first.clone(),
    });
    let some = |count: usize, note: fn(usize) -> Note| (count > 0).then(|| note(count));
    let notes = [
        occupied,
        some(routes.unexplained, Note::RoutesFromBefore),
        some(routes.postponed, Note::BackedOff),
    ];
    // What is put back has a line of its own.
    let changed = counts.added + counts.removed > routes.told + routes.restored.len();
    Ok(Report {
        notes: notes.into_iter().flatten().collect(),
        ..Report::new(What::Routes(counts, Vec::new()), changed)
    })
}

/// The policy rule that there should be. Without a route of ours there is nothing to lead to; but
/// while routes from before this ledger are kept, so is their rule.
fn wanted_rule(wanted: &Wanted) -> Option<WantedRule> {
    let config = &wanted.config.kernel;
    let priority = config.rule.filter(|_| config.enabled)?;
    let desired = &wanted.everything.nets;
    let nothing_stays = desired.is_empty() && matches!(wanted.removable, Removable::All);
    (!nothing_stays).then_some(WantedRule {
        priority,
        table: config.mark.table,
        protocol: config.mark.protocol,
        add: !desired.is_empty(),
    })
}

/// Every mark of which there may be rules.
fn marks(wanted: &Wanted) -> Vec<Mark> {
    let config = &wanted.config.kernel;
    let current = config.enabled.then_some(config.mark);
    wanted.former.iter().copied().chain(current).collect()
}

/// The policy rules, after the routes. A former mark is not forgotten while a rule of it stays.
async fn end_rules(
    rules: Rules,
    routes: Option<Result<Report, Fault>>,
    done: &mut Done,
    seen: &mut Details,
) {
    let ended = rules.end();
    seen.cleared.retain(|mark| {
        let of = (mark.table, mark.protocol);
        let mut left = ended.left.iter();
        !left.any(|rule| (rule.table, rule.protocol) == of)
    });
    let Some(mut routes) = routes else {
        for change in &ended.changes {
            tracing::info!("target={KERNEL}  {change}");
        }
        if let Some(why) = ended.failure {
            done.outcomes
                .push(Outcome::new(FORMER, Err(Fault::FormerRule(why))));
        }
        return;
    };
    if let Ok(report) = &mut routes {
        report.changed |= !ended.changes.is_empty();
        report.notes.extend(ended.note);
        if let What::Routes(_, rules) = &mut report.what {
            *rules = ended.changes;
        }
    }
    let result = match ended.failure {
        None => routes,
        Some(why) => Err(Fault::Rules(Box::new(routes), why)),
    };
    done.outcomes.push(Outcome::new(KERNEL, result));
}

/// Routes of former marks are removed.
async fn remove_former(former: &[Mark], wanted: &Wanted, done: &mut Done, seen: &mut Details) {
    for mark in former {
        match clear(*mark, wanted.now).await {
            Ok(removed) => {
                tracing::info!(
                    "target={KERNEL}  removed {removed} routes of a former mark ({mark})"
                );
                seen.cleared.push(*mark);
            }
            Err(why) => done
                .outcomes
                .push(Outcome::new(FORMER, Err(Fault::FormerMark(why)))),
        }
    }
}

/// Remove every route with a former mark. Returns how many there were.
async fn clear(mark: Mark, now: Timestamp) -> Result<usize, String> {
    let nothing = Desired {
        mark,
        desired: &NOTHING.nets,
        may_remove: &|_| true,
        cover: false,
        now,
    };
    let routes = Fib::default().sync(nothing).await;
    let routes = routes.map_err(|fault| fault.to_string())?;
    match routes.first_failure {
        Some(why) => Err(why),
        None => Ok(routes.removed),
    }
}

async fn plan(wanted: &Wanted) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut step = |result| outcomes.push(Outcome::new(KERNEL, result));
    for mark in &wanted.former {
        step(match count(*mark).await {
            Ok(count) => Ok(Report::new(What::FormerMark(count), count > 0)),
            Err(fault) => Err(Fault::Kernel(fault)),
        });
    }
    if wanted.config.kernel.enabled {
        step(plan_routes(wanted).await.map_err(Fault::Kernel));
    }
    match plan_rules(wanted).await {
        Ok(changes) if changes.is_empty() => {}
        Ok(changes) => step(Ok(Report::new(What::Rules(changes), true))),
        Err(fault) => step(Err(fault)),
    }
    outcomes
}

async fn plan_routes(wanted: &Wanted) -> Result<Report, super::Fault> {
    let desired = &wanted.everything.nets;
    let v4 = plan_family(wanted, &desired.v4).await?;
    let v6 = plan_family(wanted, &desired.v6).await?;
    let counts = Counts {
        added: v4.add.len() + v6.add.len(),
        removed: v4.remove.len() + v6.remove.len(),
        kept: v4.keep + v6.keep,
        failed: 0,
    };
    let count = v4.occupied.len() + v6.occupied.len();
    let occupied = (count > 0).then(|| Note::Occupied {
        count,
        first: String::new(),
    });
    let changes = counts.added + counts.removed > 0;
    Ok(Report {
        notes: occupied.into_iter().collect(),
        ..Report::new(What::Routes(counts, Vec::new()), changes)
    })
}

async fn plan_family<B: AddressFamily>(
    wanted: &Wanted,
    desired: &[Prefix<B>],
) -> Result<Difference<B>, super::Fault> {
    let config = &wanted.config.kernel;
    let (mark, cover) = (config.mark, config.cover_more_specifics);
    // Our routes alone are few. Those of others are read only where they may matter.
    if !cover {
        let ours = read::<B>(&mark, DumpFilter::Ours).await?.routes;
        let ours = ours.iter().map(|route| route.prefix);
        if ours.eq(desired.iter().copied()) {
            return Ok(Difference::none(desired.len()));
        }
    }
    planned(mark, desired, cover, |net| wanted.removable.permits(net)).await
}

async fn plan_rules(wanted: &Wanted) -> Result<Vec<RuleChange>, Fault> {
    let marks = marks(wanted);
    if marks.is_empty() {
        return Ok(Vec::new());
    }
    let rule = wanted_rule(wanted);
    match keep::difference(rule.as_ref(), &marks).await {
        Ok(difference) => Ok(difference.changes(rule.as_ref())),
        Err(error) => Err(Fault::Kernel(super::Fault::Socket(error))),
    }
}

/// How many routes carry a mark.
pub async fn count(mark: Mark) -> Result<usize, super::Fault> {
    let v4 = read::<u32>(&mark, DumpFilter::Ours).await?.routes;
    let v6 = read::<u128>(&mark, DumpFilter::Ours).await?.routes;
    Ok(v4.len() + v6.len())
}

async fn presence(config: &KernelConfig, net: IpNet, route: Option<IpNet>) -> Presence {
    let Some(route) = route.filter(|_| config.enabled) else {
        return Presence::NotConcerned;
    };
    let absent = match (route, net) {
        (IpNet::V4(route), IpNet::V4(net)) => {
            absent::<u32>(&config.mark, route.into(), net.into()).await
        }
        (IpNet::V6(route), IpNet::V6(net)) => {
            absent::<u128>(&config.mark, route.into(), net.into()).await
        }
        _ => Ok(None),
    };
    match absent {
        Ok(None) => Presence::Here,
        Ok(Some(why)) => Presence::Absent(why),
        Err(fault) => Presence::Unknown(Fault::Kernel(fault)),
    }
}

async fn absent<B: AddressFamily>(
    mark: &Mark,
    route: Prefix<B>,
    net: Prefix<B>,
) -> Result<Option<Absence>, super::Fault> {
    let installed = read::<B>(mark, DumpFilter::All).await?.routes;
    let ours = || installed.iter().filter(|route| route.ours);
    let here: HashSet<Prefix<B>> = ours().map(|route| route.prefix).collect();
    let covered = |other: &Installed<B>| match other.prefix.halves() {
        Some((low, high)) => here.contains(&low) && here.contains(&high),
        None => ours().any(|route| route.prefix == other.prefix && route.metric < other.metric),
    };
    // Longest match wins, unless something of ours covers it.
    let inside = installed.iter().filter(|other| {
        let longer = other.prefix.len() > route.len() && route.contains(&other.prefix);
        !other.ours && longer && !covered(other)
    });
    let wins = inside.filter(|other| other.prefix.overlaps(&net) && other.forwards());
    if let Some(other) = wins.max_by_key(|other| other.prefix.len()) {
        return Ok(Some(Absence::MoreSpecific(other.to_string())));
    }
    let mut here = installed.iter().filter(|other| other.prefix == route);
    if let Some(ours) = here.clone().find(|other| other.ours) {
        let mut better = here.filter(|o| !o.ours && o.metric < ours.metric && o.forwards());
        return Ok(better
            .next()
            .map(|other| Absence::BetterMetric(other.to_string())));
    }
    Ok(Some(match here.next() {
        Some(other) => Absence::Occupied(other.to_string()),
        None => Absence::Missing,
    }))
}
