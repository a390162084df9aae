//! What else a policy rule looks at, beside addresses, interfaces and the mark. Pure.

use std::fmt;
use std::mem::discriminant;

use super::probes::Question;
use crate::netlink::message::number;

pub const FRA_TUN_ID: u16 = 12;
pub const FRA_UID_RANGE: u16 = 20;
pub const FRA_IP_PROTO: u16 = 22;
pub const FRA_SPORT_RANGE: u16 = 23;
pub const FRA_DPORT_RANGE: u16 = 24;
pub const FRA_DSCP: u16 = 25;
pub const FRA_FLOWLABEL: u16 = 26;

/// One of them; in this order `ip rule` prints them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// Type of service.
    Tos(u8),
    Dscp(u8),
    /// Users whose sockets send, the first and the last.
    Uids(u32, u32),
    /// `IPPROTO_…`
    Protocol(u8),
    SourcePorts(u16, u16),
    Ports(u16, u16),
    Tunnel(u64),
    FlowLabel(u32),
    /// An attribute that is new to us, and its value.
    New(u16, Box<[u8]>),
}

impl Selector {
    /// Of an attribute `FRA_…`.
    pub fn read(kind: u16, value: &[u8]) -> Self {
        let short = |at: usize| {
            let bytes = value.get(at..).and_then(<[u8]>::first_chunk);
            bytes.map_or(0, |bytes| u16::from_ne_bytes(*bytes))
        };
        let long = |at: usize| value.get(at..).and_then(number).unwrap_or(0);
        let first = value.first().copied().unwrap_or_default();
        match kind {
            FRA_IP_PROTO => Self::Protocol(first),
            FRA_SPORT_RANGE => Self::SourcePorts(short(0), short(2)),
            FRA_DPORT_RANGE => Self::Ports(short(0), short(2)),
            FRA_DSCP => Self::Dscp(first),
            FRA_FLOWLABEL => Self::FlowLabel(u32::from_be(long(0))),
            FRA_TUN_ID => {
                let id = value.first_chunk().map_or(0, |id| u64::from_be_bytes(*id));
                Self::Tunnel(id)
            }
            FRA_UID_RANGE => Self::Uids(long(0), long(4)),
            _ => Self::New(kind, value.into()),
        }
    }

    /// Whether no packet has both.
    pub fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Uids(first, last), Self::Uids(from, to)) => last < from || to < first,
            (Self::SourcePorts(first, last), Self::SourcePorts(from, to))
            | (Self::Ports(first, last), Self::Ports(from, to)) => last < from || to < first,
            // These have masks that we do not read.
            (Self::FlowLabel(_) | Self::New(..), _) => false,
            (one, two) => discriminant(one) == discriminant(two) && one != two,
        }
    }

    /// Whether each packet that has this one has the other.
    pub fn within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Uids(first, last), Self::Uids(from, to)) => from <= first && last <= to,
            (Self::SourcePorts(first, last), Self::SourcePorts(from, to))
            | (Self::Ports(first, last), Self::Ports(from, to)) => from <= first && last <= to,
            (one, two) => one == two,
        }
    }

    /// Whether the packet of a question has it; `None` where that is not known. It has no ports, and zeros
    /// for the rest (`fib4_rule_match`, `fib6_rule_match`: a port range never begins at 0, and what is 0 of
    /// type of service and tunnel selects nothing).
    pub fn asked(&self, question: &Question) -> Option<bool> {
        match self {
            Self::Protocol(protocol) => Some(*protocol == question.protocol),
            Self::Uids(first, last) => Some((*first..=*last).contains(&question.uid)),
            Self::Tos(0) | Self::Tunnel(0) => None,
            Self::Tos(_) | Self::Tunnel(_) | Self::SourcePorts(..) | Self::Ports(..) => Some(false),
            Self::Dscp(0) | Self::FlowLabel(0) => Some(true),
            // A value has no bits outside of its mask.
            Self::Dscp(_) => Some(false),
            Self::FlowLabel(_) | Self::New(..) => None,
        }
    }
}

/// As `ip rule` prints it.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut range = |word: &str, first: &u16, last: &u16| match first == last {
            true => write!(f, "{word} {first}"),
            false => write!(f, "{word} {first}-{last}"),
        };
        match self {
            Self::Tos(tos) => write!(f, "tos {tos:#04x}"),
            Self::Dscp(dscp) => write!(f, "dscp {dscp}"),
            Self::Uids(first, last) => write!(f, "uidrange {first}-{last}"),
            Self::Protocol(1) => f.write_str("ipproto icmp"),
            Self::Protocol(6) => f.write_str("ipproto tcp"),
            Self::Protocol(17) => f.write_str("ipproto udp"),
            Self::Protocol(58) => f.write_str("ipproto ipv6-icmp"),
            Self::Protocol(number) => write!(f, "ipproto {number}"),
            Self::SourcePorts(first, last) => range("sport", first, last),
            Self::Ports(first, last) => range("dport", first, last),
            Self::Tunnel(id) => write!(f, "tun_id {id}"),
            Self::FlowLabel(label) => write!(f, "flowlabel {label:#x}"),
            Self::New(kind, _) => write!(f, "selector {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_selectors_have_in_common_is_known() {
        let uids = Selector::Uids(10, 20);
        assert!(Selector::Uids(12, 12).within(&uids) && !uids.within(&Selector::Uids(12, 12)));
        assert!(uids.excludes(&Selector::Uids(21, 30)) && !uids.excludes(&Selector::Uids(20, 30)));
        assert!(Selector::Protocol(6).excludes(&Selector::Protocol(17)));
        assert!(!Selector::Protocol(6).excludes(&Selector::Tos(16)));
        assert!(!Selector::Ports(1, 2).excludes(&Selector::SourcePorts(7, 8)));
        assert!(!Selector::New(31, [1].into()).within(&Selector::New(31, [2].into())));
    }

    #[test]
    fn whether_a_question_has_it_may_not_be_known() {
        let asked = |selector: Selector| selector.asked(&Question::PLAIN);
        assert_eq!(asked(Selector::Protocol(17)), Some(true));
        assert_eq!(asked(Selector::Protocol(6)), Some(false));
        assert_eq!(asked(Selector::Uids(0, 0)), Some(true));
        assert_eq!(asked(Selector::Uids(1, 9)), Some(false));
        assert_eq!(asked(Selector::Ports(1, 65_535)), Some(false));
        assert_eq!(asked(Selector::Dscp(0)), Some(true));
        assert_eq!(asked(Selector::FlowLabel(1)), None);
        assert_eq!(asked(Selector::New(31, [].into())), None);
    }
}
