//! Routes as the kernel lists them (`struct rtmsg`, rtnetlink(7)), as far as they matter here. Pure.

use std::fmt::Write;
use std::net::IpAddr;

use netlink_packet_route::route::RouteType;

use super::names::Names;
use super::{prefix, written};
use crate::netlink::message::{address, attributes, number};
use crate::netlink::route::{
    HEADER, RTA_DST, RTA_GATEWAY, RTA_MULTIPATH, RTA_NH_ID, RTA_OIF, RTA_PREF, RTA_PREFSRC,
    RTA_PRIORITY, RTA_SRC, RTA_TABLE, RTA_VIA, RTM_F_CLONED, RTN_ANYCAST, RTN_BLACKHOLE,
    RTN_BROADCAST, RTN_LOCAL, RTN_PROHIBIT, RTN_THROW, RTN_UNICAST, RTN_UNREACHABLE, next_hops,
};
use crate::prefix::Prefix;
use crate::target::kernel::{Installed, Kin, Kind, Mark};

/// `include/uapi/linux/rtnetlink.h`
const RTNH_F_DEAD: u32 = 1;
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
/// What the kernel does when a lookup ends at a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The packet ends here.
    Drops,
    /// It goes on its way, or up into this machine.
    Forwards,
    /// The table has nothing to say: the rules go on (`RTN_THROW`).
    Throws,
}

/// What is compared of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<B: Kin> {
    /// Its destination.
    pub prefix: Prefix<B>,
    /// Only packets from here take it (IPv6 subtrees).
    pub source: Option<Prefix<B>>,
    /// Only packets with this type of service take it; 0 for all.
    pub tos: u8,
    pub table: u32,
    /// Lower wins.
    pub metric: u32,
    pub protocol: u8,
    /// `RTN_…`
    pub kind: u8,
}

impl<B: Kin> Seen<B> {
    /// Read one; `None` for what no lookup finds: cached clones, routes whose next hop is gone, the
    /// kernel's own last resort of IPv6 (metric 4294967295), and other families.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let (header, rest) = payload.split_at_checked(HEADER)?;
        let flags = number(&header[8..])?;
        if header[0] != u8::from(B::FAMILY) || flags & (RTM_F_CLONED | RTNH_F_DEAD) != 0 {
            return None;
        }
        let (mut to, mut from, mut metric, mut table) = (None, None, 0, u32::from(header[4]));
        attributes(rest, |kind, value| match kind {
            RTA_DST => to = address(value),
            RTA_SRC => from = address(value),
            RTA_PRIORITY => metric = number(value).unwrap_or(0),
            RTA_TABLE => table = number(value).unwrap_or(table),
            _ => {}
        });
        let last_resort = B::WIDTH == 128 && metric == u32::MAX;
        (!last_resort).then_some(())?;
        Some(Self {
            prefix: prefix(to, header[1])?,
            source: match header[2] {
                0 => None,
                length => Some(prefix(from, length)?),
            },
            tos: header[3],
            table,
            metric,
            protocol: header[5],
            kind: header[7],
        })
    }

    /// Whether table, protocol and type are ours.
    pub fn is_ours(&self, mark: &Mark) -> bool {
        let kind = match mark.kind {
            Kind::Blackhole => RTN_BLACKHOLE,
            Kind::Unreachable => RTN_UNREACHABLE,
            Kind::Prohibit => RTN_PROHIBIT,
        };
        (self.table, self.protocol, self.kind) == (mark.table, mark.protocol, kind)
            && !self.conditional()
    }

    /// Whether only some packets take it.
    pub fn conditional(&self) -> bool {
        self.source.is_some() || self.tos != 0
    }

    /// What happens to a packet that takes it.
    pub fn fate(&self) -> Fate {
        match self.kind {
            RTN_BLACKHOLE | RTN_UNREACHABLE | RTN_PROHIBIT => Fate::Drops,
            RTN_THROW => Fate::Throws,
            _ => Fate::Forwards,
        }
    }

    /// Its type, as `ip route` names it.
    pub fn word(&self) -> &'static str {
        TYPES.get(usize::from(self.kind)).unwrap_or(&"unknown")
    }

    /// The same as the kernel's target sees it, as a route of somebody else.
    pub fn foreign(&self) -> Installed<B> {
        Installed {
            prefix: self.prefix,
            metric: self.metric,
            ours: false,
            protocol: self.protocol,
            kind: RouteType::from(self.kind),
        }
    }

    /// Whether it leads into this machine.
    pub fn is_local(&self) -> bool {
        matches!(self.kind, RTN_LOCAL | RTN_BROADCAST | RTN_ANYCAST)
    }
}

/// A route that is kept.
#[derive(Clone, Debug)]
pub struct Route<B: Kin> {
    pub seen: Seen<B>,
    /// A route of ours to the same prefix, with the same metric, stands before it.
    pub behind_ours: bool,
    /// The message, for whoever has to name it.
    pub message: Box<[u8]>,
}

impl<B: Kin> Route<B> {
    /// The router preference of a route that says nothing of it: medium.
    pub const PREFERENCE: u8 = 2;

    /// The router preference (RFC 4191), higher wins: 1, 2 or 3 (`IPV6_DECODE_PREF`).
    pub fn preference(&self) -> u8 {
        let mut preference = Self::PREFERENCE;
        attributes(self.attributes(), |kind, value| {
            if kind == RTA_PREF {
                preference = value.first().map_or(preference, |bits| (bits & 3) ^ 2);
            }
        });
        preference
    }

    /// The interfaces that it leaves by, each once.
    pub fn interfaces(&self) -> Vec<u32> {
        let mut interfaces = Vec::new();
        attributes(self.attributes(), |kind, value| match kind {
            RTA_OIF => interfaces.extend(number(value)),
            RTA_MULTIPATH => interfaces.extend(next_hops(value).map(|hop| hop.interface)),
            _ => {}
        });
        interfaces.sort_unstable();
        interfaces.dedup();
        interfaces
    }

    fn attributes(&self) -> &[u8] {
        self.message.get(HEADER..).unwrap_or_default()
    }

    /// As `ip route` prints it; its protocol always.
    pub fn text(&self, names: &Names) -> String {
        text::<B>(&self.seen, &self.message, names, true)
    }

    /// The command that removes it, and nothing else.
    pub fn removal(&self, names: &Names) -> String {
        let family = if B::WIDTH == 128 { " -6" } else { "" };
        let text = text::<B>(&self.seen, &self.message, names, false);
        format!("ip{family} route del {text}")
    }
}

/// The route of an answer (`RTM_F_FIB_MATCH`), as `ip route` prints it.
pub fn answered<B: Kin>(payload: &[u8], names: &Names) -> String {
    let Some(seen) = Seen::<B>::read(payload) else {
        return "a route that cannot be read".to_owned();
    };
    text::<B>(&seen, payload, names, true)
}

/// `whole` names everything that `ip route` shows; without it only what makes a delete exact.
fn text<B: Kin>(seen: &Seen<B>, message: &[u8], names: &Names, whole: bool) -> String {
    let mut out = String::new();
    if seen.kind != RTN_UNICAST {
        let _ = write!(out, "{} ", seen.word());
    }
    out.push_str(&written(&seen.prefix));
    if let Some(source) = &seen.source {
        let _ = write!(out, " from {}", written(source));
    }
    if seen.tos != 0 {
        let _ = write!(out, " tos {:#04x}", seen.tos);
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
    // A delete by the object needs no more, and may not have it (`rtm_to_fib_config`).
    if object.is_none() || whole {
        hop.write(&mut out, names);
    }
    // Without a word `ip route` means the main table, but the local one for what is local (`iproute_modify`).
    if seen.table != Mark::default().table || seen.is_local() && !whole {
        let _ = write!(out, " table {}", names.table(seen.table));
    }
    let _ = write!(out, " proto {}", names.protocol(seen.protocol));
    let scope = header.get(6).copied().unwrap_or_default();
    if let Some((_, word)) = SCOPES.iter().find(|(number, _)| *number == scope) {
        let _ = write!(out, " scope {word}");
    }
    if let Some(source) = source.filter(|_| whole) {
        let _ = write!(out, " src {source}");
    }
    if seen.metric != 0 {
        let _ = write!(out, " metric {}", seen.metric);
    }
    if whole {
        let flags = header.get(8..).and_then(number).unwrap_or_default();
        for (flag, word) in FLAGS {
            if flags & flag != 0 {
                let _ = write!(out, " {word}");
            }
        }
        out.push_str(&several);
    }
    out
}

/// Where a route leads to.
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
        let weight = hop.weight;
        let mut read = Hop {
            interface: Some(hop.interface),
            ..Hop::default()
        };
        attributes(hop.attributes, |kind, value| read.read(kind, value));
        out.push_str(" nexthop");
        read.write(&mut out, names);
        let _ = write!(out, " weight {weight}");
    }
    out
}
