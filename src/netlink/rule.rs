//! Policy rules as the kernel lists them (`struct fib_rule_hdr`, `include/uapi/linux/fib_rules.h`):
//! their only reader, their text as iproute2 prints it, and the message that adds or deletes one.
//! Pure.

use std::fmt::Write;

use netlink_packet_core::NetlinkSerializable;
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleHeader, RuleMessage};
use nix::libc::RTM_GETRULE;
pub use nix::libc::{RTM_DELRULE, RTM_NEWRULE};

use super::family::{AddressFamily, prefix, written};
use super::message::{attributes, number};
use super::names::Names;
use super::selector::Selector;
use crate::prefix::Prefix;

const HEADER: usize = 12;

const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_GOTO: u16 = 4;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_FLOW: u16 = 11;
const FRA_SUPPRESS_IFGROUP: u16 = 13;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_OIFNAME: u16 = 17;
const FRA_PAD: u16 = 18;
const FRA_L3MDEV: u16 = 19;
const FRA_PROTOCOL: u16 = 21;
const FRA_FLOWLABEL_MASK: u16 = 27;
const FRA_DSCP_MASK: u16 = 30;

const FIB_RULE_INVERT: u32 = 2;
const FIB_RULE_UNRESOLVED: u32 = 4;
const FIB_RULE_DETACHED: u32 = 8 | 16;

/// The request for the rules of one family.
#[derive(Clone, Copy, Debug)]
pub struct GetRules {
    /// `AF_…`
    pub family: u8,
}

impl NetlinkSerializable for GetRules {
    fn message_type(&self) -> u16 {
        RTM_GETRULE
    }

    fn buffer_len(&self) -> usize {
        HEADER
    }

    fn serialize(&self, buffer: &mut [u8]) {
        buffer.fill(0);
        if let Some(family) = buffer.first_mut() {
            *family = self.family;
        }
    }
}

/// The selectors of a rule other than the destination: a packet must match all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select<B: AddressFamily> {
    /// The source prefix.
    pub from: Option<Prefix<B>>,
    pub other: Vec<Selector>,
}

impl<B: AddressFamily> Select<B> {
    /// Whether it matches every packet.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// What a rule does with matching packets (`FR_ACT_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look them up in a table. The rules continue if no route there decides.
    Lookup(u32),
    /// Continue at the first rule of this priority, or at the next rule if there is none.
    Goto(u32),
    /// Continue with the next rule.
    Nop,
    /// Drop them; the word names the type.
    Drop(&'static str),
}

/// A policy rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule<B: AddressFamily> {
    /// A lower priority is evaluated first.
    pub priority: u32,
    /// Which packets match, by everything but the destination …
    pub select: Select<B>,
    /// … and by the destination.
    pub to: Option<Prefix<B>>,
    /// It matches all other packets (`not`).
    pub invert: bool,
    /// It names an interface that does not exist.
    pub detached: bool,
    /// What it does with matching packets.
    pub action: Action,
    /// A route of this length or shorter counts as none, unless it drops.
    pub suppress: Option<u8>,
    /// A route whose outgoing interface is in this group counts as none, unless it drops.
    pub suppress_group: Option<u32>,
    /// The table is that of the VRF (`l3mdev`).
    pub l3mdev: bool,
    /// It leads to a priority that no rule has.
    pub unresolved: bool,
    /// It assigns realms to packets (`FRA_FLOW`).
    pub realms: bool,
    /// Its origin (`FRA_PROTOCOL`, `RTPROT_…`).
    pub protocol: u8,
}

impl<B: AddressFamily> Rule<B> {
    /// A rule that leads every packet to a table.
    pub fn lookup(priority: u32, table: u32) -> Self {
        Self {
            priority,
            select: Select::default(),
            to: None,
            invert: false,
            detached: false,
            action: Action::Lookup(table),
            suppress: None,
            suppress_group: None,
            l3mdev: false,
            unresolved: false,
            realms: false,
            protocol: 0,
        }
    }

    /// Read a rule. With an unknown selector it counts as a rule for some packets.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let (header, rest) = payload.split_at_checked(HEADER)?;
        if header[0] != u8::from(B::FAMILY) {
            return None;
        }
        let flags = number(&header[8..])?;
        let mut rule = Self::lookup(0, header[4].into());
        let select = &mut rule.select;
        let (mut to, mut from) = (Some(B::ZERO), Some(B::ZERO));
        let (mut target, mut table) = (None, u32::from(header[4]));
        let (mut mark, mut mask) = (None, None);
        if header[3] != 0 {
            select.other.push(Selector::Tos(header[3]));
        }
        attributes(rest, |kind, value| match kind {
            FRA_DST => to = B::from_bytes(value),
            FRA_SRC => from = B::from_bytes(value),
            FRA_IIFNAME => select.other.push(Selector::In(name(value))),
            FRA_OIFNAME => select.other.push(Selector::Out(name(value))),
            FRA_GOTO => target = number(value),
            FRA_PRIORITY => rule.priority = number(value).unwrap_or(0),
            FRA_FWMARK => mark = number(value),
            FRA_FWMASK => mask = number(value),
            FRA_TABLE => table = number(value).unwrap_or(table),
            FRA_SUPPRESS_PREFIXLEN => {
                rule.suppress = number(value).and_then(|length| u8::try_from(length).ok());
            }
            FRA_L3MDEV => rule.l3mdev = value.first().is_some_and(|on| *on != 0),
            FRA_SUPPRESS_IFGROUP => {
                rule.suppress_group = number(value).filter(|group| *group != u32::MAX);
            }
            FRA_FLOW => rule.realms = true,
            FRA_PROTOCOL => rule.protocol = value.first().copied().unwrap_or(0),
            FRA_PAD => {}
            // Masks of selectors that are read as well.
            FRA_FLOWLABEL_MASK..=FRA_DSCP_MASK => {}
            _ => select.other.push(Selector::read(kind, value)),
        });
        // A mark without a mask is compared whole (`fib_nl2rule`, net/core/fib_rules.c).
        let mask = mask.unwrap_or(mark.map_or(0, |_| u32::MAX));
        if mask != 0 {
            let mark = mark.unwrap_or(0) & mask;
            select.other.push(Selector::Mark(mark, mask));
        }
        select.other.sort();
        if header[2] != 0 {
            select.from = Some(prefix(from?, header[2])?);
        }
        if header[1] != 0 {
            rule.to = Some(prefix(to?, header[1])?);
        }
        rule.invert = flags & FIB_RULE_INVERT != 0;
        rule.unresolved = flags & FIB_RULE_UNRESOLVED != 0;
        rule.detached = flags & FIB_RULE_DETACHED != 0;
        rule.action = match header[7] {
            1 => Action::Lookup(table),
            2 => Action::Goto(target?),
            3 => Action::Nop,
            6 => Action::Drop("blackhole"),
            7 => Action::Drop("unreachable"),
            8 => Action::Drop("prohibit"),
            // The kernel has no other actions.
            _ => return None,
        };
        Some(rule)
    }

    /// Whether it matches every packet.
    pub fn takes_all(&self) -> bool {
        match self.invert {
            false => self.select.is_all() && self.to.is_none() && !self.detached,
            true => self.detached,
        }
    }

    /// As `ip rule` prints it.
    pub fn text(&self, names: &Names) -> String {
        format!("{}: {}", self.priority, self.words(names))
    }

    /// The command that removes it.
    pub fn removal(&self, names: &Names) -> String {
        let family = if B::WIDTH == 128 { " -6" } else { "" };
        let words = match self.l3mdev {
            true => "l3mdev".to_owned(),
            false => self.words(names).replace(" [detached]", ""),
        };
        format!("ip{family} rule del pref {} {words}", self.priority)
    }

    fn words(&self, names: &Names) -> String {
        let Select { from, other } = &self.select;
        let mut out = String::new();
        if self.invert {
            out.push_str("not ");
        }
        let from = from.as_ref().map_or_else(|| "all".to_owned(), written);
        let _ = write!(out, "from {from}");
        if let Some(to) = &self.to {
            let _ = write!(out, " to {}", written(to));
        }
        for one in other {
            let names_interface = matches!(one, Selector::In(_) | Selector::Out(_));
            let detached = match self.detached && names_interface {
                true => " [detached]",
                false => "",
            };
            let _ = write!(out, " {one}{detached}");
        }
        match self.action {
            _ if self.l3mdev => out.push_str(" lookup [l3mdev-table]"),
            Action::Lookup(table) => {
                let _ = write!(out, " lookup {}", names.table(table));
            }
            Action::Goto(target) => {
                let unresolved = if self.unresolved { " [unresolved]" } else { "" };
                let _ = write!(out, " goto {target}{unresolved}");
            }
            Action::Nop => out.push_str(" nop"),
            Action::Drop(word) => {
                let _ = write!(out, " {word}");
            }
        }
        if let Some(length) = self.suppress {
            let _ = write!(out, " suppress_prefixlength {length}");
        }
        if let Some(group) = self.suppress_group {
            let _ = write!(out, " suppress_ifgroup {group}");
        }
        out
    }
}

/// The message that adds or deletes a rule which leads every packet of a family to a table.
pub fn message<B: AddressFamily>(priority: u32, table: u32, protocol: u8) -> RuleMessage {
    let mut message = RuleMessage::default();
    message.header = RuleHeader {
        family: B::FAMILY,
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

fn name(value: &[u8]) -> Box<str> {
    let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::selector::{FRA_DPORT_RANGE, FRA_IP_PROTO};

    fn read(header: [u8; 12], attributes: &[(u16, &[u8])]) -> Rule<u32> {
        let mut bytes = header.to_vec();
        for (kind, value) in attributes {
            let length = u16::try_from(4 + value.len()).unwrap();
            bytes.extend(length.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        for cut in 0..bytes.len() {
            let _ = Rule::<u32>::read(&bytes[..cut]);
        }
        Rule::read(&bytes).unwrap()
    }

    #[test]
    fn a_rule_is_read_and_said_as_ip_rule_prints_it() {
        let names = Names::default();
        let text = |rule: &Rule<u32>| rule.text(&names);
        let priority = (FRA_PRIORITY, &4_003_u32.to_ne_bytes()[..]);
        let table = (FRA_TABLE, &1_166_u32.to_ne_bytes()[..]);
        let none = (FRA_SUPPRESS_PREFIXLEN, &u32::MAX.to_ne_bytes()[..]);
        let plain = read([2, 0, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0], &[none]);
        assert!(plain.takes_all());
        assert_eq!(text(&plain), "0: from all lookup main");

        let not = 2_u32.to_ne_bytes();
        let header = [2, 8, 8, 0x10, 252, 0, 0, 1, not[0], not[1], not[2], not[3]];
        let whole = read(
            header,
            &[
                priority,
                table,
                (FRA_SRC, &[10, 0, 0, 0]),
                (FRA_DST, &[9, 0, 0, 0]),
                (FRA_FWMARK, &1_u32.to_ne_bytes()),
                (FRA_FWMASK, &0xff_u32.to_ne_bytes()),
                (FRA_IIFNAME, b"eth0\0"),
                (FRA_IP_PROTO, &[17]),
                (
                    FRA_DPORT_RANGE,
                    &[53_u16.to_ne_bytes(), 53_u16.to_ne_bytes()].concat(),
                ),
                (FRA_SUPPRESS_PREFIXLEN, &0_u32.to_ne_bytes()),
            ],
        );
        assert_eq!(
            text(&whole),
            "4003: not from 10.0.0.0/8 to 9.0.0.0/8 fwmark 0x1/0xff iif eth0 tos 0x10 ipproto udp dport 53 \
             lookup 1166 suppress_prefixlength 0"
        );
        assert!(!whole.takes_all());
        assert_eq!(
            whole.removal(&names),
            format!("ip rule del pref 4003 {}", &text(&whole)[6..])
        );

        let drops = read([2, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0], &[priority]);
        assert_eq!(text(&drops), "4003: from all unreachable");
        let target = (FRA_GOTO, &9_000_u32.to_ne_bytes()[..]);
        let jumps = read([2, 0, 0, 0, 0, 0, 0, 2, 4, 0, 0, 0], &[priority, target]);
        assert_eq!(text(&jumps), "4003: from all goto 9000 [unresolved]");
        let new = read(
            [2, 0, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0],
            &[(31, &[0, 0, 0, 7])],
        );
        assert!(
            !new.takes_all(),
            "what is new to us is not taken for nothing"
        );
        let l3mdev = read(
            [2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
            &[priority, (FRA_L3MDEV, &[1])],
        );
        assert_eq!(text(&l3mdev), "4003: from all lookup [l3mdev-table]");
    }
}
