//! What is told of it. Pure.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Value, json};

/// Why packets get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// No policy rule leads to our table.
    NoRule,
    /// Our route is not there.
    Missing,
    /// A route of others has the place of ours: same table, prefix and metric.
    Occupied,
    /// A route of others to the same prefix comes before ours.
    Metric,
    /// A route of others inside our prefix wins by longest match.
    MoreSpecific,
    /// A policy rule leads to another table first.
    Rule,
    /// What comes in on the interfaces of a VRF is looked up in its table.
    Vrf,
    /// This machine has the address itself.
    Local,
    /// The kernel lets a packet through, and neither rules nor routes say why.
    Unexplained,
}

/// Number of kinds.
pub const COUNT: usize = 9;

impl Kind {
    /// In the order in which they are told.
    pub const ALL: [Self; COUNT] = [
        Self::NoRule,
        Self::Missing,
        Self::Occupied,
        Self::Metric,
        Self::MoreSpecific,
        Self::Rule,
        Self::Vrf,
        Self::Local,
        Self::Unexplained,
    ];

    /// Its name in JSON, and the first word of its lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoRule => "no-rule",
            Self::Missing => "missing",
            Self::Occupied => "occupied",
            Self::Metric => "metric",
            Self::MoreSpecific => "more-specific",
            Self::Rule => "rule",
            Self::Vrf => "vrf",
            Self::Local => "local",
            Self::Unexplained => "unexplained",
        }
    }

    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::NoRule => "no policy rule leads to our table",
            Self::Missing => "our route is not there",
            Self::Occupied => "a route of others has the place of ours",
            Self::Metric => "a route of others to the same prefix comes before ours",
            Self::MoreSpecific => "a route of others inside our prefix wins by longest match",
            Self::Rule => "a policy rule leads past our table",
            Self::Vrf => "what comes in on interfaces of a VRF is looked up in its table",
            Self::Local => "this machine has the address itself",
            Self::Unexplained => "the kernel lets it through; no rule and no route says why",
        }
    }
}

/// One cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// What kind of cause it is.
    pub kind: Kind,
    /// The prefix in force that is open, or the first of them …
    pub prefix: IpNet,
    /// … and how many there are.
    pub prefixes: usize,
    /// What of that prefix is open.
    pub net: IpNet,
    /// The address that the kernel was asked about, and what it said: the route that a packet takes, as
    /// `ip route` prints it, or `null` where nothing leads there. `null` where it was not asked: it cannot
    /// be asked for packets that are of another machine.
    pub asked: Option<(std::net::IpAddr, Option<String>)>,
    /// Which packets, where it is not all of them.
    pub packets: Option<String>,
    /// The rule that leads there, as `ip rule` prints it; and the one before it that leads past ours.
    pub rule: Option<String>,
    /// A rule before it whose `goto` leads past others.
    pub past: Option<String>,
    /// The route, as `ip route` prints it.
    pub route: Option<String>,
    /// Its protocol by name.
    pub protocol: Option<String>,
    /// What the operator can do.
    pub cure: String,
}

/// What the kernel was asked, and what it said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Addresses.
    pub addresses: u64,
    /// A route or a rule drops packets to them.
    pub dropped: u64,
    /// Nothing leads there (or an unreachable rule).
    pub no_route: u64,
    /// Packets get through.
    pub forwarded: u64,
    /// The kernel did not say.
    pub refused: u64,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Prefixes in force: IPv4, IPv6.
    pub prefixes: (usize, usize),
    /// What the random addresses depend on.
    pub seed: u64,
    /// The questions.
    pub asked: Asked,
    /// Causes, by kind.
    pub leaks: Vec<Leak>,
    /// How many there are of each kind; beyond the first 100 000 of a kind they are only counted.
    pub counts: BTreeMap<&'static str, usize>,
    /// What rules and routes say leaks, and the kernel drops all the same.
    pub dropped_all_the_same: Vec<Leak>,
    /// What else there is to know about the answer.
    pub notes: Vec<String>,
    /// Whether packets *from* the set are dropped as well: lines as they are printed.
    pub sources: Vec<String>,
}

impl Report {
    /// Whether everything is dropped.
    pub fn all_dropped(&self) -> bool {
        self.counts.values().all(|count| *count == 0) && self.asked.refused == 0
    }

    /// Everything, for programs.
    pub fn json(&self, generation: Option<u64>) -> Value {
        json!({
            "verdict": if self.all_dropped() { "dropped" } else { "leaks" },
            "generation": generation,
            "prefixes": {"v4": self.prefixes.0, "v6": self.prefixes.1},
            "random_seed": self.seed,
            "asked": self.asked,
            "counts": self.counts,
            "leaks": self.leaks.iter().map(leak).collect::<Vec<_>>(),
            "dropped_all_the_same": self.dropped_all_the_same.iter().map(leak).collect::<Vec<_>>(),
            "notes": self.notes,
            "sources": self.sources,
        })
    }
}

fn leak(leak: &Leak) -> Value {
    let mut value = json!(leak);
    let asked = leak.asked.as_ref();
    value["asked"] =
        json!(asked.map(|(address, route)| json!({"address": address, "route": route})));
    value
}
