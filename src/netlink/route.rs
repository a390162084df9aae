//! A route's message (`struct rtmsg`, rtnetlink(7)): its numbers (`include/uapi/linux/rtnetlink.h`) and next hops. Pure.
//!
//! Routes are read in place, not by `netlink-packet-route`: a full routing table goes by, and an attribute that is new
//! to us must not hide a route.

use std::ops::RangeInclusive;

use super::message::number;

/// Bytes of `struct rtmsg`: family, lengths of destination and source, type of service, table, protocol, scope,
/// type, and four of flags.
pub const HEADER: usize = 12;
/// Bytes of `struct rtnexthop`.
const HOP_HEADER: usize = 8;
/// A route that was made for one packet.
pub const RTM_F_CLONED: u32 = 0x200;

/// The group of multicast that is told of IPv6 routes. IPv4 has 7.
pub const RTNLGRP_IPV6_ROUTE: u32 = 11;

/// The destination.
pub const RTA_DST: u16 = 1;
/// The source, of a route by source.
pub const RTA_SRC: u16 = 2;
/// The interface that packets leave by.
pub const RTA_OIF: u16 = 4;
/// The next hop.
pub const RTA_GATEWAY: u16 = 5;
/// The metric.
pub const RTA_PRIORITY: u16 = 6;
/// The source address that is preferred.
pub const RTA_PREFSRC: u16 = 7;
/// Several next hops.
pub const RTA_MULTIPATH: u16 = 9;
/// The table.
pub const RTA_TABLE: u16 = 15;
/// A next hop of the other family.
pub const RTA_VIA: u16 = 18;
/// The router preference of an IPv6 route (RFC 4191).
pub const RTA_PREF: u16 = 20;
/// The protocol of the packet that a question is about.
pub const RTA_IP_PROTO: u16 = 27;
/// A next hop that is an object of its own.
pub const RTA_NH_ID: u16 = 30;

/// The protocol of what the kernel adds by itself: the networks that the interfaces stand in.
pub const RTPROT_KERNEL: u8 = 2;
/// The default, main and local tables (`RT_TABLE_*`), which everybody shares.
pub const SHARED_TABLES: RangeInclusive<u32> = 253..=255;

/// Goes on its way.
pub const RTN_UNICAST: u8 = 1;
/// Ends at this machine.
pub const RTN_LOCAL: u8 = 2;
/// To everybody on a link.
pub const RTN_BROADCAST: u8 = 3;
/// Ends at this machine, which shares the address.
pub const RTN_ANYCAST: u8 = 4;
/// Dropped in silence.
pub const RTN_BLACKHOLE: u8 = 6;
/// Dropped with an ICMP "host unreachable".
pub const RTN_UNREACHABLE: u8 = 7;
/// Dropped with an ICMP "administratively prohibited".
pub const RTN_PROHIBIT: u8 = 8;
/// On to the next policy rule.
pub const RTN_THROW: u8 = 9;

/// One of several next hops (`struct rtnexthop`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextHop<'a> {
    /// How many shares of the packets it gets, from 1.
    pub weight: u16,
    /// The index of its interface.
    pub interface: u32,
    /// Its attributes.
    pub attributes: &'a [u8],
}

/// The next hops of a [`RTA_MULTIPATH`], up to one that is torn.
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
