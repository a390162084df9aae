//! What marks a route as ours.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::netlink::family::AddressFamily;
use crate::netlink::route::{RTN_BLACKHOLE, RTN_PROHIBIT, RTN_UNREACHABLE};

named! {
    /// What a route of ours does to a packet; the names are those of `ip route`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Kind {
        /// Drop it silently (`RTN_BLACKHOLE`).
        #[default]
        Blackhole = "blackhole",
        /// Answer ICMP host unreachable (`RTN_UNREACHABLE`).
        Unreachable = "unreachable",
        /// Answer ICMP administratively prohibited (`RTN_PROHIBIT`).
        Prohibit = "prohibit",
    }
}

impl Kind {
    /// Its number in a message.
    pub fn number(self) -> u8 {
        match self {
            Self::Blackhole => RTN_BLACKHOLE,
            Self::Unreachable => RTN_UNREACHABLE,
            Self::Prohibit => RTN_PROHIBIT,
        }
    }
}

/// Table, protocol and type together identify a route as ours. The metric is where our routes are
/// placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Routing table; 254 is the main one.
    pub table: u32,
    /// Protocol number of the origin (`RTPROT_*`, rtnetlink.h).
    pub protocol: u8,
    /// Type of the route.
    pub kind: Kind,
    /// Metric; for IPv6 a 0 becomes 1024 ([`Mark::metric_v6`]), as in the kernel.
    pub metric: u32,
}

impl Default for Mark {
    fn default() -> Self {
        Self {
            table: 254,
            protocol: 166,
            kind: Kind::Blackhole,
            metric: 0,
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, protocol) = (self.table, self.protocol);
        write!(f, "table {table}, protocol {protocol}, {}", self.kind)
    }
}

impl Mark {
    /// Whether routes with one mark and routes with the other cannot be told apart.
    pub fn same_as(&self, other: &Self) -> bool {
        (self.table, self.protocol, self.kind) == (other.table, other.protocol, other.kind)
    }

    /// The metric that the kernel uses instead of 0 in IPv6 (`IP6_RT_PRIO_USER`, net/ipv6/route.c).
    const IPV6_DEFAULT_METRIC: u32 = 1024;

    /// The metric of our IPv6 routes.
    pub fn metric_v6(&self) -> u32 {
        match self.metric {
            0 => Self::IPV6_DEFAULT_METRIC,
            metric => metric,
        }
    }

    /// The metric of our routes of one family.
    pub fn metric_of<B: AddressFamily>(&self) -> u32 {
        match B::WIDTH {
            128 => self.metric_v6(),
            _ => self.metric,
        }
    }

    /// The other program that marks its routes with this protocol number:
    /// include/uapi/linux/rtnetlink.h, and what zebra sweeps when it starts (zebra/rt_netlink.h).
    pub fn owner_of_protocol(protocol: u8) -> Option<&'static str> {
        Some(match protocol {
            0..=2 => "the kernel",
            3 | 4 => "the administrator",
            9 => "router advertisements",
            11 | 42 | 186..=198 => "FRR's zebra",
            12 => "BIRD",
            16 => "DHCP clients",
            18 => "keepalived",
            99 => "Open/R",
            _ => return None,
        })
    }
}
