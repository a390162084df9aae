//! Advice for the operator about a leak; the program never carries it out. Pure.

use std::fmt;

use serde::{Serialize, Serializer};

use super::report::Kind;
use super::route::Kept;
use crate::config::KernelConfig;
use crate::netlink::family::AddressFamily;
use crate::netlink::family::written;
use crate::netlink::names::Names;
use crate::netlink::route::Route;
use crate::netlink::route::{RTN_LOCAL, RTPROT_KERNEL, SHARED_TABLES, word};
use crate::netlink::rule::Rule;
use crate::targets::kernel::{self as target, NotCovered};

/// A table and a rule for examples; no other program is known to use them.
const TABLE: u32 = 1_166;
const PRIORITY: u32 = 5_000;

/// The routes and the rules behind a leak.
#[derive(Default)]
pub struct Causes<'a, B: AddressFamily> {
    pub route: Option<&'a Kept<B>>,
    pub rule: Option<&'a Rule<B>>,
    /// The rule whose `goto` skips ours.
    pub jump: Option<&'a Rule<B>>,
}

/// What the operator can do about a leak: one thing after the other, or one instead of the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cure(Vec<Step>);

/// One thing to do, or why something else cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A pass adds the configured rule with this priority.
    RefreshAddsRule(u32),
    /// A pass installs the route again.
    RefreshInstalls,
    /// A pass covers the route.
    RefreshCovers,
    /// A setting that covers it.
    CoverMoreSpecifics,
    /// A rule with this priority in the configuration.
    ConfigureRule(u32),
    /// A rule with this priority, before the rules that are in the way.
    RuleBefore(u32),
    /// A table of our own with a rule of this priority.
    OwnTable(u32),
    /// A lower metric for our routes.
    Metric(u32),
    /// The owner of the route chooses this metric or a higher one; in words who that is, and
    /// whether it is covered then.
    OwnersMetric(String, u32, bool),
    /// The prefix belongs to this machine.
    Allow(String),
    /// The kernel keeps a route to this prefix for an interface.
    KeptByKernel(String),
    /// Discovery protects the network that a local route is of.
    DiscoverConnected,
    NoCoverFor(&'static str),
    NothingWins(u32),
    NoRuleBefore,
    /// A command that adds a rule.
    AddRule(String),
    /// A command that removes what is in the way.
    Remove(String),
    Unexplained,
}

impl fmt::Display for Cure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last: Option<&Step> = None;
        for step in &self.0 {
            f.write_str(match (last, step) {
                (None, _) => "",
                (Some(_), Step::AddRule(_)) => "; or: ",
                (Some(Step::NoCoverFor(_) | Step::NothingWins(_)), other)
                    if !other.is_command() =>
                {
                    "; "
                }
                (Some(_), _) => "; or ",
            })?;
            write!(f, "{step}")?;
            last = Some(step);
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cover = "[kernel] cover_more_specifics = true";
        match self {
            Self::RefreshAddsRule(priority) => write!(f, "nullrouted refresh adds rule {priority}"),
            Self::RefreshInstalls => f.write_str("nullrouted refresh puts it back"),
            Self::RefreshCovers => f.write_str("nullrouted refresh covers it"),
            Self::CoverMoreSpecifics => f.write_str(cover),
            Self::ConfigureRule(priority) => write!(f, "[kernel] rule = {priority}"),
            Self::RuleBefore(priority) => {
                write!(f, "ask our table first: [kernel] rule = {priority}")
            }
            Self::OwnTable(priority) => write!(
                f,
                "a table of our own that is asked first: [kernel] table = {TABLE} and rule = {priority}"
            ),
            Self::Metric(metric) => write!(f, "[kernel] metric = {metric}"),
            Self::OwnersMetric(owner, metric, is_covered) => {
                write!(
                    f,
                    "have its owner (proto {owner}) set metric {metric} or more"
                )?;
                match is_covered {
                    true => f.write_str(", which is covered"),
                    false => write!(f, " and {cover}"),
                }
            }
            Self::Allow(prefix) => write!(
                f,
                "if it is rightly yours, nullrouted allow {prefix} ([protect] discover with \"addresses\" does so \
                 by itself)"
            ),
            Self::KeptByKernel(prefix) => write!(
                f,
                "the kernel keeps it for an interface and no cover is made; if it is rightly yours, nullrouted allow \
                 {prefix} ([protect] discover with \"connected\" does so by itself)"
            ),
            Self::DiscoverConnected => f.write_str(
                "[protect] discover with \"connected\" protects the network that it is of",
            ),
            Self::NoCoverFor(kind) => write!(f, "no cover is made for a {kind} route"),
            Self::NothingWins(metric) => {
                write!(f, "nothing wins over a single address with metric {metric}")
            }
            Self::NoRuleBefore => f.write_str("no rule can be asked before that one"),
            Self::AddRule(command) => f.write_str(command),
            Self::Remove(command) => write!(f, "remove it with: {command}"),
            Self::Unexplained => {
                f.write_str("see ip rule and ip route get ADDRESS; please tell us")
            }
        }
    }
}

impl Serialize for Cure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Step {
    /// Whether it is a command for this one leak.
    fn is_command(&self) -> bool {
        matches!(self, Self::AddRule(_) | Self::Remove(_))
    }
}

impl Cure {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the advice is the same, up to the command for this one leak.
    pub fn is_same_advice(&self, other: &Self) -> bool {
        self.advice().eq(other.advice())
    }

    fn advice(&self) -> impl Iterator<Item = &Step> {
        self.0.iter().take_while(|step| !step.is_command())
    }

    fn then(mut self, step: Option<Step>) -> Self {
        self.0.extend(step);
        self
    }
}

/// The cure of a leak.
pub fn cure<B: AddressFamily>(
    kind: Kind,
    causes: &Causes<'_, B>,
    settings: &KernelConfig,
    names: &Names,
) -> Cure {
    match kind {
        Kind::NoRule => no_rule::<B>(settings),
        Kind::Missing => Cure(vec![Step::RefreshInstalls]),
        Kind::MoreSpecific | Kind::Metric | Kind::Occupied => {
            in_our_table(kind, causes, settings, names)
        }
        Kind::Rule | Kind::Vrf => rule(causes, settings, names),
        Kind::Local => local(causes.route, names),
        Kind::Unexplained => Cure(vec![Step::Unexplained]),
    }
}

fn no_rule<B: AddressFamily>(settings: &KernelConfig) -> Cure {
    let family = if B::WIDTH == 128 { " -6" } else { "" };
    let table = settings.mark.table;
    let (first, priority) = match settings.rule {
        Some(priority) => (Step::RefreshAddsRule(priority), priority),
        None => (Step::ConfigureRule(PRIORITY), PRIORITY),
    };
    let command = format!("ip{family} rule add pref {priority} lookup {table}");
    Cure(vec![first, Step::AddRule(command)])
}

/// A foreign route at or inside a prefix of ours, in our table.
fn in_our_table<B: AddressFamily>(
    kind: Kind,
    causes: &Causes<'_, B>,
    settings: &KernelConfig,
    names: &Names,
) -> Cure {
    let Some(route) = causes.route else {
        return Cure::default();
    };
    let seen = &route.route;
    if seen.is_local() && seen.kind != RTN_LOCAL {
        return local(causes.route, names);
    }
    let first = match () {
        // A route for only some packets precedes every route for all packets.
        () if seen.conditional() => Cure::default(),
        () if seen.is_local() => local(causes.route, names),
        // No advice overrides a network of the operator's own.
        () if kind == Kind::MoreSpecific || seen.protocol == RTPROT_KERNEL => {
            cover(route, causes, settings, names)
        }
        () => match metric(seen) {
            Some(metric) => Cure(vec![metric]),
            None => cover(route, causes, settings, names),
        },
    };
    first.then(Some(Step::Remove(route.removal(names))))
}

/// A cover, or the alternatives where the kernel target makes none.
fn cover<B: AddressFamily>(
    route: &Kept<B>,
    causes: &Causes<'_, B>,
    settings: &KernelConfig,
    names: &Names,
) -> Cure {
    let seen = &route.route;
    let own = own_table(causes, settings);
    let covers = settings.cover_more_specifics;
    match target::cover(&seen.foreign(), settings.mark.metric_of::<B>()) {
        Ok(_) if covers => Cure(vec![Step::RefreshCovers]),
        Ok(_) => Cure(vec![Step::CoverMoreSpecifics]),
        Err(NotCovered::Kernel) => Cure(vec![Step::KeptByKernel(written(&seen.prefix))]),
        Err(NotCovered::Kind) => Cure(vec![Step::NoCoverFor(word(seen.kind))]).then(own),
        Err(NotCovered::Best) => {
            // IPv6 has no metric 0, so no metric is better than 1.
            let worse = seen.metric.max(u32::from(B::WIDTH == 128)) + 1;
            let owner = names.protocol(seen.protocol);
            Cure(vec![Step::NothingWins(seen.metric)])
                .then(own)
                .then(Some(Step::OwnersMetric(owner, worse, covers)))
        }
    }
}

/// If our table is shared with other programs: a table of our own that is looked up first.
fn own_table<B: AddressFamily>(causes: &Causes<'_, B>, settings: &KernelConfig) -> Option<Step> {
    if !SHARED_TABLES.contains(&settings.mark.table) {
        return None;
    }
    let rules = causes.jump.into_iter().chain(causes.rule);
    let first = rules.map(|rule| rule.priority).min();
    let before = first.map_or(PRIORITY, |first| first.saturating_sub(1).min(PRIORITY));
    (before > 0).then_some(Step::OwnTable(before))
}

/// A metric that is lower than that of the route, if there is one. A configured 0 means 1024 in
/// IPv6.
fn metric<B: AddressFamily>(seen: &Route<B>) -> Option<Step> {
    let lower = match (seen.metric, B::WIDTH) {
        (2.., _) => 1,
        (1, 32) => 0,
        _ => return None,
    };
    Some(Step::Metric(lower))
}

fn rule<B: AddressFamily>(causes: &Causes<'_, B>, settings: &KernelConfig, names: &Names) -> Cure {
    let rules = causes.jump.into_iter().chain(causes.rule);
    let first = rules.min_by_key(|rule| rule.priority);
    let Some(first) = first else {
        return Cure::default();
    };
    // The rules of the main and the local table are the kernel's own and must not be removed.
    let removable = ![0, 32_766, 32_767].contains(&first.priority);
    let remove = removable.then(|| Step::Remove(first.removal(names)));
    let before = first
        .priority
        .checked_sub(1)
        .filter(|priority| *priority > 0);
    let own = !SHARED_TABLES.contains(&settings.mark.table);
    let ahead = before.map(|priority| match own {
        true => Step::RuleBefore(priority),
        false => Step::OwnTable(priority),
    });
    match (ahead, remove) {
        (None, None) => Cure(vec![Step::NoRuleBefore]),
        (ahead, remove) => Cure::default().then(ahead).then(remove),
    }
}

fn local<B: AddressFamily>(route: Option<&Kept<B>>, names: &Names) -> Cure {
    let Some(route) = route else {
        return Cure::default();
    };
    if route.route.kind == RTN_LOCAL {
        return Cure(vec![Step::Allow(written(&route.route.prefix))]);
    }
    Cure(vec![Step::DiscoverConnected]).then(Some(Step::Remove(route.removal(names))))
}
