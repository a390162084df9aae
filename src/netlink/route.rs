//! The message of a route (`struct rtmsg`, rtnetlink(7)): its numbers
//! (`include/uapi/linux/rtnetlink.h`), its only reader, and its text as iproute2 prints it. Pure.
//!
//! Routes are read in place, not by `netlink-packet-route`: a full routing table passes through
//! here, and an unknown attribute must not hide a route.

use std::fmt::Write;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use nix::libc::{
    RTA_DST, RTA_PREF, RTA_PREFSRC, RTA_PRIORITY, RTA_SRC, RTA_TABLE, RTM_F_CLONED, RTN_ANYCAST,
    RTN_BROADCAST,
};
pub use nix::libc::{
    RTA_GATEWAY, RTA_MULTIPATH, RTA_OIF, RTA_VIA, RTN_BLACKHOLE, RTN_LOCAL, RTN_PROHIBIT,
    RTN_THROW, RTN_UNICAST, RTN_UNREACHABLE, RTPROT_KERNEL,
};

use super::family::{AddressFamily, prefix, written};
use super::message::{address, attributes, number};
use super::names::Names;
use crate::prefix::Prefix;

/// Bytes of `struct rtmsg`: family, prefix lengths of destination and source, type of service,
/// table, protocol, scope, type, and four of flags.
pub const HEADER: usize = 12;
/// Bytes of `struct rtnexthop`.
const HOP_HEADER: usize = 8;
/// Its next hop is gone.
const RTNH_F_DEAD: u32 = 1;

/// The protocol of the packet in a route lookup.
pub const RTA_IP_PROTO: u16 = 27;
/// The ID of a nexthop object.
const RTA_NH_ID: u16 = 30;

/// The table that `ip route` uses by default (`RT_TABLE_MAIN`).
const RT_TABLE_MAIN: u32 = 254;
/// The default, main and local tables (`RT_TABLE_*`), which all programs share.
pub const SHARED_TABLES: RangeInclusive<u32> = 253..=255;

/// One of several next hops (`struct rtnexthop`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextHop<'a> {
    /// Its share of the packets, from 1.
    pub weight: u16,
    /// The index of its interface.
    pub interface: u32,
    pub attributes: &'a [u8],
}

/// The next hops of an [`RTA_MULTIPATH`], up to a torn one.
pub fn next_hops(mut rest: &[u8]) -> impl Iterator<Item = NextHop<'_>> {
    std::iter::from_fn(move || {
        let header = rest.get(..HOP_HEADER)?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let hop = NextHop {
            weight: u16::from(header[3]) + 1,
            interface: number(&header[4..])?,
            attributes: rest.get(HOP_HEADER..length)?,
        };
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some(hop)
    })
}

/// `RTNH_F_…`, as `ip route` names them.
const FLAGS: [(u32, &str); 2] = [(4, "onlink"), (16, "linkdown")];
const SCOPES: [(u8, &str); 3] = [(200, "site"), (253, "link"), (254, "host")];

/// Types of routes (`RTN_…`), as `ip route` names them.
const TYPES: [&str; 11] = [
    "none",
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
];

/// A route: what identifies it, and what it does to packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route<B: AddressFamily> {
    /// Its destination.
    pub prefix: Prefix<B>,
    /// The route matches only packets from this prefix (IPv6 subtrees).
    pub source: Option<Prefix<B>>,
    /// The route matches only packets with this type of service; 0 for all.
    pub tos: u8,
    pub table: u32,
    /// The metric; lower wins.
    pub metric: u32,
    /// Its origin (`RTPROT_…`).
    pub protocol: u8,
    /// Its type (`RTN_…`).
    pub kind: u8,
    /// `RTM_F_…` and `RTNH_F_…`
    pub flags: u32,
}

impl<B: AddressFamily> Route<B> {
    /// Read a route; `None` for another family, a torn message, and a cached route for one packet.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let (header, rest) = payload.split_at_checked(HEADER)?;
        let [family, length, source, tos, table, protocol, _, kind] = *header.first_chunk()?;
        let flags = number(&header[8..])?;
        if family != u8::from(B::FAMILY) || flags & RTM_F_CLONED != 0 {
            return None;
        }
        let (mut to, mut from) = (Some(B::ZERO), Some(B::ZERO));
        let (mut metric, mut table) = (0, u32::from(table));
        attributes(rest, |kind, value| match kind {
            RTA_DST => to = B::from_bytes(value),
            RTA_SRC => from = B::from_bytes(value),
            RTA_PRIORITY => metric = number(value).unwrap_or(0),
            RTA_TABLE => table = number(value).unwrap_or(table),
            _ => {}
        });
        Some(Self {
            prefix: prefix(to?, length)?,
            source: match source {
                0 => None,
                length => Some(prefix(from?, length)?),
            },
            tos,
            table,
            metric,
            protocol,
            kind,
            flags,
        })
    }

    /// Whether a lookup finds it: not if its next hop is gone, and not the kernel's own IPv6 route
    /// of last resort (metric 4294967295).
    pub fn is_found(&self) -> bool {
        let last_resort = B::WIDTH == 128 && self.metric == u32::MAX;
        self.flags & RTNH_F_DEAD == 0 && !last_resort
    }

    /// Whether it matches only some packets.
    pub fn conditional(&self) -> bool {
        self.source.is_some() || self.tos != 0
    }

    /// Whether it delivers packets to this machine.
    pub fn is_local(&self) -> bool {
        matches!(self.kind, RTN_LOCAL | RTN_BROADCAST | RTN_ANYCAST)
    }

    /// As `ip route` prints it, always with the protocol. `message` is the message that it was read
    /// from.
    pub fn text(&self, message: &[u8], names: &Names) -> String {
        self.words(message, names, true)
    }

    /// The command that removes this route and no other.
    pub fn removal(&self, message: &[u8], names: &Names) -> String {
        let family = if B::WIDTH == 128 { " -6" } else { "" };
        let words = self.words(message, names, false);
        format!("ip{family} route del {words}")
    }

    /// `whole` includes everything that `ip route` shows; without it only what makes a delete
    /// exact.
    fn words(&self, message: &[u8], names: &Names, whole: bool) -> String {
        let mut out = String::new();
        if self.kind != RTN_UNICAST {
            let _ = write!(out, "{} ", word(self.kind));
        }
        out.push_str(&written(&self.prefix));
        if let Some(source) = &self.source {
            let _ = write!(out, " from {}", written(source));
        }
        if self.tos != 0 {
            let _ = write!(out, " tos {:#04x}", self.tos);
        }
        let (header, rest) = message.split_at_checked(HEADER).unwrap_or_default();
        let (mut hop, mut several, mut object, mut source) =
            (Hop::default(), String::new(), None, None);
        attributes(rest, |kind, value| match kind {
            RTA_MULTIPATH => several = multipath(value, names),
            RTA_NH_ID => object = number(value),
            RTA_PREFSRC => source = address(value),
            _ => hop.read(kind, value),
        });
        if let Some(id) = object {
            let _ = write!(out, " nhid {id}");
        }
        // A delete by nexthop object needs no interface or gateway, and must not have one
        // (`rtm_to_fib_config`).
        if object.is_none() || whole {
            hop.write(&mut out, names);
        }
        // By default `ip route` means the main table, but the local one for local routes
        // (`iproute_modify`).
        if self.table != RT_TABLE_MAIN || self.is_local() && !whole {
            let _ = write!(out, " table {}", names.table(self.table));
        }
        let _ = write!(out, " proto {}", names.protocol(self.protocol));
        let scope = header.get(6).copied().unwrap_or_default();
        if let Some((_, word)) = SCOPES.iter().find(|(number, _)| *number == scope) {
            let _ = write!(out, " scope {word}");
        }
        if let Some(source) = source.filter(|_| whole) {
            let _ = write!(out, " src {source}");
        }
        if self.metric != 0 {
            let _ = write!(out, " metric {}", self.metric);
        }
        if whole {
            for (flag, word) in FLAGS {
                if self.flags & flag != 0 {
                    let _ = write!(out, " {word}");
                }
            }
            out.push_str(&several);
        }
        out
    }
}

/// A type of routes (`RTN_…`), as `ip route` names it.
pub fn word(kind: u8) -> &'static str {
    TYPES.get(usize::from(kind)).unwrap_or(&"unknown")
}

/// The router preference of a route without this attribute: medium.
pub const MEDIUM: u8 = 2;

/// The router preference in a route's message (RFC 4191), higher wins: 1, 2 or 3
/// (`IPV6_DECODE_PREF`).
pub fn preference(message: &[u8]) -> u8 {
    let mut preference = MEDIUM;
    attributes(message.get(HEADER..).unwrap_or_default(), |kind, value| {
        if kind == RTA_PREF {
            preference = value.first().map_or(preference, |bits| (bits & 3) ^ 2);
        }
    });
    preference
}

/// The outgoing interfaces, each once.
pub fn interfaces(message: &[u8]) -> Vec<u32> {
    let mut interfaces = Vec::new();
    attributes(
        message.get(HEADER..).unwrap_or_default(),
        |kind, value| match kind {
            RTA_OIF => interfaces.extend(number(value)),
            RTA_MULTIPATH => interfaces.extend(next_hops(value).map(|hop| hop.interface)),
            _ => {}
        },
    );
    interfaces.sort_unstable();
    interfaces.dedup();
    interfaces
}

/// A next hop of a unicast route: its address and its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The address, of either family.
    pub address: IpAddr,
    /// The index of the outgoing interface; 0 if the route does not name one.
    pub interface: u32,
    /// Whether it is one of several.
    pub several: bool,
}

/// Visit the next hops of a unicast route: `RTA_GATEWAY`, `RTA_VIA` (of the other family), and
/// those of `RTA_MULTIPATH`. Routes of other types have none and cost one comparison.
pub fn gateways(message: &[u8], mut visit: impl FnMut(Gateway)) {
    let Some((header, rest)) = message.split_at_checked(HEADER) else {
        return;
    };
    if header[7] != RTN_UNICAST {
        return;
    }
    let mut hop = Hop::default();
    attributes(rest, |kind, value| match kind {
        RTA_MULTIPATH => {
            for one in next_hops(value) {
                Hop::of(&one).visit(true, &mut visit);
            }
        }
        _ => hop.read(kind, value),
    });
    hop.visit(false, &mut visit);
}

/// A gateway and an outgoing interface, each if the route names it.
#[derive(Default)]
struct Hop {
    gateway: Option<IpAddr>,
    /// The gateway is of the other family.
    other: bool,
    interface: Option<u32>,
}

impl Hop {
    fn read(&mut self, kind: u16, value: &[u8]) {
        match kind {
            RTA_OIF => self.interface = number(value),
            RTA_GATEWAY => self.gateway = address(value),
            // `struct rtvia`: the family, then the address.
            RTA_VIA => {
                self.gateway = value.get(2..).and_then(address);
                self.other = true;
            }
            _ => {}
        }
    }

    /// One of several next hops.
    fn of(next: &NextHop<'_>) -> Self {
        let mut hop = Self {
            interface: Some(next.interface),
            ..Self::default()
        };
        attributes(next.attributes, |kind, value| hop.read(kind, value));
        hop
    }

    fn visit(&self, several: bool, visit: &mut impl FnMut(Gateway)) {
        if let Some(address) = self.gateway {
            visit(Gateway {
                address,
                interface: self.interface.unwrap_or(0),
                several,
            });
        }
    }

    fn write(&self, out: &mut String, names: &Names) {
        if let Some(gateway) = self.gateway {
            let family = match (self.other, gateway) {
                (false, _) => "",
                (true, IpAddr::V4(_)) => "inet ",
                (true, IpAddr::V6(_)) => "inet6 ",
            };
            let _ = write!(out, " via {family}{gateway}");
        }
        if let Some(interface) = self.interface {
            let _ = write!(out, " dev {}", names.link(interface));
        }
    }
}

fn multipath(value: &[u8], names: &Names) -> String {
    let mut out = String::new();
    for hop in next_hops(value) {
        out.push_str(" nexthop");
        Hop::of(&hop).write(&mut out, names);
        let _ = write!(out, " weight {}", hop.weight);
    }
    out
}
