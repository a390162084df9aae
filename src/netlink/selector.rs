//! The selectors of a policy rule other than addresses
//! (`include/uapi/linux/fib_rules.h`). Pure.

use std::fmt;

use super::message::number;

/// The ID of a tunnel.
pub const FRA_TUN_ID: u16 = 12;
/// A range of user IDs.
pub const FRA_UID_RANGE: u16 = 20;
/// The IP protocol.
pub const FRA_IP_PROTO: u16 = 22;
/// A range of source ports.
pub const FRA_SPORT_RANGE: u16 = 23;
/// A range of destination ports.
pub const FRA_DPORT_RANGE: u16 = 24;
pub const FRA_DSCP: u16 = 25;
/// The IPv6 flow label.
pub const FRA_FLOWLABEL: u16 = 26;

/// A selector; the order of the variants is the one in which `ip rule` prints them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// Firewall mark and mask.
    Mark(u32, u32),
    /// The incoming interface; `lo` for packets of this machine itself.
    In(Box<str>),
    /// The interface to which the socket is bound.
    Out(Box<str>),
    /// The packet entered on a member of the VRF with this table; no selector of the kernel.
    Vrf(u32),
    /// Type of service.
    Tos(u8),
    /// The upper six bits of the type of service.
    Dscp(u8),
    /// The user IDs of sending sockets: the first and the last.
    Uids(u32, u32),
    /// The IP protocol, `IPPROTO_…`.
    Protocol(u8),
    /// Source ports, the first and the last.
    SourcePorts(u16, u16),
    /// Destination ports, the first and the last.
    Ports(u16, u16),
    /// The ID of a tunnel.
    Tunnel(u64),
    /// The IPv6 flow label.
    FlowLabel(u32),
    /// An unknown attribute, and its value.
    New(u16, Box<[u8]>),
}

impl Selector {
    /// Read an attribute `FRA_…`.
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
}

/// As `ip rule` prints it.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut range = |word: &str, first: &u16, last: &u16| match first == last {
            true => write!(f, "{word} {first}"),
            false => write!(f, "{word} {first}-{last}"),
        };
        match self {
            Self::Mark(value, u32::MAX) => write!(f, "fwmark {value:#x}"),
            Self::Mark(value, mask) => write!(f, "fwmark {value:#x}/{mask:#x}"),
            Self::In(interface) => write!(f, "iif {interface}"),
            Self::Out(interface) => write!(f, "oif {interface}"),
            Self::Vrf(table) => write!(f, "vrf {table}"),
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
