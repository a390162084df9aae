//! The policy rule that leads to our table (`struct fib_rule_hdr`, include/uapi/linux/fib_rules.h;
//! ip-rule(8)). Pure; [`keep`] asks the kernel and changes it.
//!
//! A rule of ours is `PRIORITY: from all lookup TABLE proto PROTOCOL`, without a selector, with the table and the
//! protocol of one of our marks. Everything else belongs to others, whatever it has in common with ours.

pub mod keep;

use std::fmt;

use netlink_packet_core::Parseable;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleHeader, RuleMessage};

use super::Mark;
use super::message::protocol_name;
use crate::netlink::route::SHARED_TABLES;

/// Types of messages (`include/uapi/linux/rtnetlink.h`).
pub(super) const RTM_NEWRULE: u16 = 32;
/// A rule that went.
pub(super) const RTM_DELRULE: u16 = 33;

/// A family of addresses; each has rules of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    const ALL: [Self; 2] = [Self::V4, Self::V6];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// The rule that there should be, in each family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its priority; the lower is asked first, and the main table has 32766.
    pub priority: u32,
    /// The table that it leads to.
    pub table: u32,
    /// Its protocol number, which says that it is ours.
    pub protocol: u8,
    /// Whether it is added where it is not there. Otherwise it is only left where it is.
    pub add: bool,
}

/// A rule as the kernel lists it, as far as we compare it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Its family.
    pub family: Family,
    /// Its priority.
    pub priority: u32,
    /// The table that it leads to; 0 when it leads to none.
    pub table: u32,
    /// Who put it there (`FRA_PROTOCOL`, `RTPROT_*`).
    pub protocol: u8,
    /// Whether it does nothing but lead every packet to its table.
    pub plain: bool,
    /// As `ip rule` prints it, as far as we know it.
    pub text: String,
}

/// `FRA_SUPPRESS_PREFIXLEN` of a rule that suppresses nothing: the kernel always sends it.
const NOTHING_SUPPRESSED: u32 = u32::MAX;

impl Rule {
    /// Read one; `None` for a family without routes of ours.
    pub fn read(message: &RuleMessage) -> Option<Self> {
        let header = &message.header;
        let family = match header.family {
            AddressFamily::Inet => Family::V4,
            AddressFamily::Inet6 => Family::V6,
            _ => return None,
        };
        let (mut table, mut priority, mut protocol) = (u32::from(header.table), 0, 0);
        let mut plain = header.action == RuleAction::ToTable
            && (header.dst_len, header.src_len, header.tos) == (0, 0, 0)
            // `not from all` matches nothing.
            && !header.flags.contains(RuleFlags::Invert);
        for attribute in &message.attributes {
            match attribute {
                RuleAttribute::Table(number) => table = *number,
                RuleAttribute::Priority(number) => priority = *number,
                RuleAttribute::Protocol(number) => protocol = u8::from(*number),
                RuleAttribute::SuppressPrefixLen(NOTHING_SUPPRESSED) => {}
                _ => plain = false,
            }
        }
        Some(Self {
            family,
            priority,
            table,
            protocol,
            plain,
            text: text(message, table, priority),
        })
    }

    /// Whether it is ours by one of these marks.
    fn is_ours(&self, marks: &[Mark]) -> bool {
        let mut marks = marks.iter();
        // No rule of ours leads to a table that others share.
        self.plain
            && !SHARED_TABLES.contains(&self.table)
            && marks.any(|mark| (mark.table, mark.protocol) == (self.table, self.protocol))
    }

    fn is(&self, wanted: &Wanted) -> bool {
        let Wanted {
            priority,
            table,
            protocol,
            ..
        } = *wanted;
        self.plain && (self.priority, self.table, self.protocol) == (priority, table, protocol)
    }

    /// Whether a request for the other means this one as well: the kernel compares only what a request names
    /// (`rule_find`, net/core/fib_rules.c), and ours names no selector.
    fn answers_for(&self, other: &Self) -> bool {
        (self.family, self.priority, self.table, self.protocol)
            == (other.family, other.priority, other.table, other.protocol)
    }
}

/// Whether a notification is about a rule of ours.
pub(super) fn is_ours(payload: &[u8], mark: &Mark) -> bool {
    let message = RuleMessage::parse(payload).ok();
    let rule = message.and_then(|message| Rule::read(&message));
    rule.is_some_and(|rule| rule.is_ours(&[*mark]))
}

/// The message that adds or deletes a rule of ours.
pub fn message(family: Family, priority: u32, table: u32, protocol: u8) -> RuleMessage {
    let mut message = RuleMessage::default();
    message.header = RuleHeader {
        family: match family {
            Family::V4 => AddressFamily::Inet,
            Family::V6 => AddressFamily::Inet6,
        },
        table: u8::try_from(table).unwrap_or_default(),
        action: RuleAction::ToTable,
        ..RuleHeader::default()
    };
    message.attributes = vec![
        RuleAttribute::Priority(priority),
        RuleAttribute::Table(table),
        RuleAttribute::Protocol(RouteProtocol::from(protocol)),
    ];
    message
}

/// What has to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Families in which the rule is wanted and not there.
    pub add: Vec<Family>,
    /// Rules of ours that are not wanted.
    pub remove: Vec<Rule>,
    /// The same, but a request to delete it would hit a rule of somebody else: that one.
    pub stuck: Vec<(Rule, Rule)>,
    /// Rules of others with the priority or the table of the one that is wanted.
    pub beside: Vec<Rule>,
}

/// Compare what is there, in the order of the kernel, with what should be there. `marks` are those of which
/// there may be routes and rules of ours.
pub fn reconcile(present: &[Rule], wanted: Option<&Wanted>, marks: &[Mark]) -> Difference {
    let mut difference = Difference::default();
    if let Some(wanted) = wanted.filter(|wanted| wanted.add) {
        let there = |family| present.iter().any(|r| r.family == family && r.is(wanted));
        let families = Family::ALL.into_iter();
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

/// As `ip rule` prints it, as far as we know it.
fn text(message: &RuleMessage, table: u32, priority: u32) -> String {
    let header = &message.header;
    let six = match header.family {
        AddressFamily::Inet6 => "IPv6 ",
        _ => "",
    };
    let (mut from, mut rest) = ("all".to_owned(), String::new());
    let (mut protocol, mut to_master) = (0, false);
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Source(source) => from = format!("{source}/{}", header.src_len),
            RuleAttribute::Destination(to) => {
                rest.push_str(&format!(" to {to}/{}", header.dst_len))
            }
            RuleAttribute::Iifname(name) => rest.push_str(&format!(" iif {name}")),
            RuleAttribute::Oifname(name) => rest.push_str(&format!(" oif {name}")),
            RuleAttribute::FwMark(mark) => rest.push_str(&format!(" fwmark {mark:#x}")),
            RuleAttribute::Protocol(number) => protocol = u8::from(*number),
            RuleAttribute::L3MDev(master) => to_master = *master,
            _ => {}
        }
    }
    let not = match header.flags.contains(RuleFlags::Invert) {
        true => "not ",
        false => "",
    };
    let leads = match header.action {
        RuleAction::ToTable if to_master => "lookup [l3mdev-table]".to_owned(),
        RuleAction::ToTable => format!("lookup {table}"),
        other => format!("{other:?}").to_lowercase(),
    };
    // Those of the kernel and of nobody have none to show.
    let protocol = match protocol {
        0..=2 => String::new(),
        number => format!(" proto {}", protocol_name(number)),
    };
    format!("{six}{priority}: {not}from {from}{rest} {leads}{protocol}")
}

#[cfg(test)]
mod tests;
