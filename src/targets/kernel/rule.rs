//! The policy rule that leads to our table (`struct fib_rule_hdr`, include/uapi/linux/fib_rules.h;
//! ip-rule(8)). Pure; [`keep`] asks the kernel and changes it.
//!
//! A rule of ours is `PRIORITY: from all lookup TABLE proto PROTOCOL`, without a selector, with the
//! table and the protocol of one of our marks. Every other rule belongs to another program,
//! whatever it has in common with ours.

pub mod keep;

use std::collections::BTreeSet;
use std::fmt;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::rule::RuleMessage;

use super::Mark;
use crate::named::named;
use crate::netlink::family::AddressFamily;
use crate::netlink::names::{self, Names};
use crate::netlink::route::SHARED_TABLES;
use crate::netlink::rule::{self, Action};

named! {
    /// An address family; each has rules of its own.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Family {
        V4 = "IPv4",
        V6 = "IPv6",
    }
}

/// The desired rule in each family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedRule {
    /// Its priority; a lower one is looked up first, and the main table has 32766.
    pub priority: u32,
    /// The table that it leads to.
    pub table: u32,
    /// Its protocol number, which marks it as ours.
    pub protocol: u8,
    /// Whether it is added where it is missing. Otherwise it is only left where it is.
    pub add: bool,
}

/// A rule as the kernel lists it, with the fields that we compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PresentRule {
    pub family: Family,
    pub priority: u32,
    /// The table that it leads to; 0 when it leads to none.
    pub table: u32,
    /// Its origin (`FRA_PROTOCOL`, `RTPROT_*`).
    pub protocol: u8,
    /// Whether it does nothing but lead every packet to its table.
    pub plain: bool,
    /// As `ip rule` prints it, with the fields that we know.
    pub text: String,
}

impl PresentRule {
    /// Read a rule; `None` for a family without routes of ours, and for a rule with a field that
    /// ours never have.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let v4 = Self::of::<u32>(Family::V4, payload);
        v4.or_else(|| Self::of::<u128>(Family::V6, payload))
    }

    fn of<B: AddressFamily>(family: Family, payload: &[u8]) -> Option<Self> {
        let rule = rule::Rule::<B>::read(payload)?;
        let (table, leads) = match rule.action {
            Action::Lookup(table) => (table, !rule.l3mdev),
            _ => (0, false),
        };
        let suppresses = rule.suppress.is_some() || rule.suppress_group.is_some();
        Some(Self {
            family,
            priority: rule.priority,
            table,
            protocol: rule.protocol,
            // `not from all` matches nothing.
            plain: leads && !rule.invert && rule.takes_all() && !suppresses && !rule.realms,
            text: text(family, &rule),
        })
    }

    /// The request that deletes it.
    pub fn deletion(&self) -> RouteNetlinkMessage {
        let rule = message(self.family, self.priority, self.table, self.protocol);
        RouteNetlinkMessage::DelRule(rule)
    }

    /// Why it is not deleted: the request would hit the other one.
    pub fn stuck_by(&self, other: &Self) -> String {
        format!(
            "rule {} not removed: the request would hit one that is not ours ({})",
            self.priority, other.text
        )
    }

    /// Whether it is ours by one of these marks.
    fn is_ours(&self, marks: &[Mark]) -> bool {
        let mut marks = marks.iter();
        // No rule of ours leads to a table that other programs share.
        self.plain
            && !SHARED_TABLES.contains(&self.table)
            && marks.any(|mark| (mark.table, mark.protocol) == (self.table, self.protocol))
    }

    fn is(&self, wanted: &WantedRule) -> bool {
        self.plain
            && (self.priority, self.table, self.protocol)
                == (wanted.priority, wanted.table, wanted.protocol)
    }

    /// Whether a request for the other rule matches this one as well: the kernel compares only the
    /// fields that a request names (`rule_find`, net/core/fib_rules.c), and ours names no selector.
    fn answers_for(&self, other: &Self) -> bool {
        (self.family, self.priority, self.table, self.protocol)
            == (other.family, other.priority, other.table, other.protocol)
    }
}

/// Whether a notification is about a rule of ours.
pub(super) fn is_ours(payload: &[u8], mark: &Mark) -> bool {
    PresentRule::read(payload).is_some_and(|rule| rule.is_ours(&[*mark]))
}

/// The message that adds or deletes a rule of ours.
pub fn message(family: Family, priority: u32, table: u32, protocol: u8) -> RuleMessage {
    match family {
        Family::V4 => rule::message::<u32>(priority, table, protocol),
        Family::V6 => rule::message::<u128>(priority, table, protocol),
    }
}

/// The changes needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleDifference {
    /// Families in which the rule is wanted and missing.
    pub add: Vec<Family>,
    /// Rules of ours that are not wanted.
    pub remove: Vec<PresentRule>,
    /// Rules of ours that are not wanted, where a request to delete one would hit a foreign rule;
    /// each with that foreign rule.
    pub stuck: Vec<(PresentRule, PresentRule)>,
    /// Foreign rules with the priority or the table of the wanted one.
    pub beside: Vec<PresentRule>,
}

/// A rule of ours that was added or removed, or would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleChange {
    pub priority: u32,
    pub added: bool,
    /// The family, where it is only one.
    pub family: Option<Family>,
}

impl fmt::Display for RuleChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.added { "added" } else { "removed" };
        write!(f, "rule {} {verb}", self.priority)?;
        match self.family {
            Some(family) => write!(f, " ({family})"),
            None => Ok(()),
        }
    }
}

impl RuleDifference {
    /// What it would change, by priority.
    pub fn changes(&self, wanted: Option<&WantedRule>) -> Vec<RuleChange> {
        let change = |priority, added| RuleChange {
            priority,
            added,
            family: None,
        };
        let added = wanted.filter(|_| !self.add.is_empty());
        let removed: BTreeSet<u32> = self.remove.iter().map(|rule| rule.priority).collect();
        let removed = removed.into_iter().map(|priority| change(priority, false));
        let added = added.map(|wanted| change(wanted.priority, true));
        added.into_iter().chain(removed).collect()
    }
}

/// Compare the present rules, in the order of the kernel, with the wanted one. `marks` are those of
/// which there may be routes and rules of ours.
pub fn reconcile(
    present: &[PresentRule],
    wanted: Option<&WantedRule>,
    marks: &[Mark],
) -> RuleDifference {
    let mut difference = RuleDifference::default();
    if let Some(wanted) = wanted.filter(|wanted| wanted.add) {
        let there = |family| present.iter().any(|r| r.family == family && r.is(wanted));
        let families = Family::NAMES.map(|(_, family)| family).into_iter();
        difference.add = families.filter(|family| !there(*family)).collect();
    }
    for (before, rule) in present.iter().enumerate() {
        if wanted.is_some_and(|wanted| rule.is(wanted)) {
            continue;
        }
        if rule.is_ours(marks) {
            let mut earlier = present.iter().take(before);
            match earlier.find(|other| !other.plain && other.answers_for(rule)) {
                Some(other) => difference.stuck.push((rule.clone(), other.clone())),
                None => difference.remove.push(rule.clone()),
            }
        } else if wanted.is_some_and(|w| rule.priority == w.priority || rule.table == w.table) {
            difference.beside.push(rule.clone());
        }
    }
    difference
}

/// As `ip rule` prints it, with the names that iproute2 ships.
fn text<B: AddressFamily>(family: Family, rule: &rule::Rule<B>) -> String {
    let six = match family {
        Family::V4 => "",
        Family::V6 => "IPv6 ",
    };
    // The kernel's protocol and an unspecified one are not printed.
    let protocol = match rule.protocol {
        0..=2 => String::new(),
        number => format!(" proto {}", names::protocol(number)),
    };
    format!("{six}{}{protocol}", rule.text(&Names::default()))
}

#[cfg(test)]
mod tests;
