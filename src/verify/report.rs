//! The report of a check. Pure.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Value, json};

use super::cure::Cure;
use crate::named::named;

named! {
    /// The cause of a leak.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Kind {
        /// No policy rule leads to our table.
        NoRule = "no-rule",
        /// Our route is missing.
        Missing = "missing",
        /// A foreign route has the place of ours: same table, prefix and metric.
        Occupied = "occupied",
        /// A foreign route to the same prefix precedes ours.
        Metric = "metric",
        /// A foreign route inside our prefix wins by longest match.
        MoreSpecific = "more-specific",
        /// A policy rule leads to another table first.
        Rule = "rule",
        /// Packets that enter on the interfaces of a VRF are looked up in its table.
        Vrf = "vrf",
        /// The address belongs to this machine.
        Local = "local",
        /// The kernel forwards a packet, and neither rules nor routes explain it.
        Unexplained = "unexplained",
    }
}

impl Kind {
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
    /// The kind of cause.
    pub kind: Kind,
    /// The prefix in force that leaks, or the first of several …
    pub prefix: IpNet,
    /// … and how many there are.
    pub prefixes: usize,
    /// The part of that prefix that leaks.
    pub net: IpNet,
    /// The address that was looked up, and the kernel's answer: the route that a packet takes, as
    /// `ip route` prints it, or `null` if no route matches. `null` if no lookup was made: the
    /// kernel makes none for packets of another machine.
    pub asked: Option<(std::net::IpAddr, Option<String>)>,
    /// The packets that leak, if not all do.
    pub packets: Option<String>,
    /// The rule that leads to the route, as `ip rule` prints it.
    pub rule: Option<String>,
    /// A rule before it whose `goto` skips others.
    pub past: Option<String>,
    /// The route, as `ip route` prints it.
    pub route: Option<String>,
    /// The name of its protocol.
    pub protocol: Option<String>,
    /// What the operator can do.
    pub cure: Cure,
}

/// The lookups and their results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Addresses that were looked up.
    pub addresses: u64,
    /// Addresses for which a route or a rule drops packets.
    pub dropped: u64,
    /// Addresses for which no route matches (or an unreachable rule does).
    pub no_route: u64,
    /// Addresses for which packets are forwarded.
    pub forwarded: u64,
    /// Addresses for which the kernel gave no result.
    pub refused: u64,
}

/// The whole report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The number of prefixes in force: IPv4, IPv6.
    pub prefixes: (usize, usize),
    /// The seed of the random addresses.
    pub seed: u64,
    /// The lookups.
    pub asked: Asked,
    /// Causes of leaks, by kind.
    pub leaks: Vec<Leak>,
    /// The number of causes of each kind; beyond the first 100 000 of a kind they are only counted.
    pub counts: BTreeMap<&'static str, usize>,
    /// Leaks by rules and routes that the kernel nevertheless drops.
    pub dropped_all_the_same: Vec<Leak>,
    /// Other notes about the result.
    pub notes: Vec<String>,
    /// Whether packets *from* the set are dropped as well: lines as they are printed.
    pub sources: Vec<String>,
}

impl Report {
    /// Whether everything is dropped.
    pub fn all_dropped(&self) -> bool {
        self.counts.values().all(|count| *count == 0) && self.asked.refused == 0
    }

    /// The report as JSON.
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
