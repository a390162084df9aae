//! Conversion between our routes and the kernel's messages (`struct rtmsg`, rtnetlink(7)). Pure.

use std::fmt;

use netlink_packet_core::{
    NLM_F_CREATE, NLM_F_EXCL, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{
    RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};

use super::Mark;
use crate::netlink::family::AddressFamily;
use crate::netlink::names;
use crate::netlink::route::{RTN_BLACKHOLE, RTN_PROHIBIT, RTN_THROW, RTN_UNREACHABLE, Route, word};
use crate::prefix::{Bits, Prefix};

/// A route as the kernel lists it, with the fields that we compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed<B: Bits> {
    /// The destination.
    pub prefix: Prefix<B>,
    /// The metric; lower wins.
    pub metric: u32,
    /// Whether table, protocol and type are ours.
    pub ours: bool,
    /// The protocol number of the origin.
    pub protocol: u8,
    /// The type of the route (`RTN_…`).
    pub kind: u8,
}

/// Identifies a route of a table: the prefix, the metric, and whether it is foreign, so that ours
/// sorts before a foreign one in the same place.
pub type Key<B> = (Prefix<B>, u32, bool);

impl<B: Bits> Installed<B> {
    /// A route of ours.
    pub fn ours((prefix, metric): (Prefix<B>, u32), mark: &Mark) -> Self {
        Self {
            prefix,
            metric,
            ours: true,
            protocol: mark.protocol,
            kind: mark.kind.number(),
        }
    }

    /// The order in which routes are kept.
    pub fn key(&self) -> Key<B> {
        (self.prefix, self.metric, !self.ours)
    }

    /// Whether it forwards packets, and does not drop them.
    pub fn forwards(&self) -> bool {
        ![RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT].contains(&self.kind)
    }
}

/// Read a route. `None` if it is of the other family or another table, or does not match by
/// destination alone (a cached clone, a route by source or type of service).
pub fn read<B: AddressFamily>(payload: &[u8], mark: &Mark) -> Option<Installed<B>> {
    let route = Route::<B>::read(payload)?;
    (route.table == mark.table && !route.conditional()).then_some(Installed {
        prefix: route.prefix,
        metric: route.metric,
        ours: route.is_ours(mark),
        protocol: route.protocol,
        kind: route.kind,
    })
}

/// The message that adds or deletes exactly one route of ours. Table, protocol, type and metric are
/// all set, so that a delete can match no other route (`fib_table_delete`). IPv6 ignores the type
/// (`ip6_route_del`), so two programs must differ in the protocol.
fn route<B: AddressFamily>(prefix: Prefix<B>, metric: u32, mark: &Mark) -> RouteMessage {
    let mut message = of_table::<B>(mark);
    message.header.destination_prefix_length = prefix.len();
    message.header.protocol = RouteProtocol::from(mark.protocol);
    message.header.kind = RouteType::from(mark.kind.number());
    let destination = RouteAttribute::Destination(prefix.first().to_address());
    message.attributes.insert(0, destination);
    if metric != 0 {
        message.attributes.push(RouteAttribute::Priority(metric));
    }
    message
}

/// The request that deletes one route of ours, whatever its scope (`RT_SCOPE_NOWHERE`).
pub fn deletion<B: AddressFamily>(
    prefix: Prefix<B>,
    metric: u32,
    mark: &Mark,
) -> RouteNetlinkMessage {
    let mut message = route(prefix, metric, mark);
    message.header.scope = RouteScope::NoWhere;
    RouteNetlinkMessage::DelRoute(message)
}

fn of_table<B: AddressFamily>(mark: &Mark) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header = RouteHeader {
        address_family: B::FAMILY,
        table: u8::try_from(mark.table).unwrap_or(RouteHeader::RT_TABLE_UNSPEC),
        scope: RouteScope::Universe,
        ..RouteHeader::default()
    };
    message.attributes = vec![RouteAttribute::Table(mark.table)];
    message
}

/// Which routes a dump asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpFilter {
    /// Our routes only.
    Ours,
    /// Every route of our table.
    All,
}

/// The request for a dump of one family. A kernel that does not filter (Linux before 4.20) sends
/// more routes; [`read`] finds ours among them.
pub fn dump<B: AddressFamily>(which: DumpFilter, mark: &Mark) -> RouteNetlinkMessage {
    let mut message = of_table::<B>(mark);
    if which == DumpFilter::Ours {
        message.header.protocol = RouteProtocol::from(mark.protocol);
        message.header.kind = RouteType::from(mark.kind.number());
    }
    RouteNetlinkMessage::GetRoute(message)
}

/// A request for one route of ours, filled in for one route after the other.
pub struct Request {
    mark: Mark,
    /// The metric of the previous route.
    metric: u32,
    scope: RouteScope,
    packet: NetlinkMessage<RouteNetlinkMessage>,
}

impl Request {
    /// Adds a route. `NLM_F_EXCL`: never in the place of another; never `NLM_F_REPLACE`, which
    /// would remove a foreign route.
    pub fn add(mark: Mark) -> Self {
        let message = RouteNetlinkMessage::NewRoute(RouteMessage::default());
        Self::new(
            mark,
            message,
            (NLM_F_CREATE | NLM_F_EXCL, RouteScope::Universe),
        )
    }

    /// Deletes a route, whatever its scope (`RT_SCOPE_NOWHERE`).
    pub fn delete(mark: Mark) -> Self {
        let message = RouteNetlinkMessage::DelRoute(RouteMessage::default());
        Self::new(mark, message, (0, RouteScope::NoWhere))
    }

    fn new(mark: Mark, message: RouteNetlinkMessage, (flags, scope): (u16, RouteScope)) -> Self {
        let payload = NetlinkPayload::InnerMessage(message);
        let mut packet = NetlinkMessage::new(NetlinkHeader::default(), payload);
        packet.header.flags = flags;
        Self {
            mark,
            metric: 0,
            scope,
            packet,
        }
    }

    /// The request for this route.
    pub fn of<B: AddressFamily>(
        &mut self,
        prefix: Prefix<B>,
        metric: u32,
    ) -> &mut NetlinkMessage<RouteNetlinkMessage> {
        if let NetlinkPayload::InnerMessage(
            RouteNetlinkMessage::NewRoute(message) | RouteNetlinkMessage::DelRoute(message),
        ) = &mut self.packet.payload
        {
            let is_alike = message.header.address_family == B::FAMILY && self.metric == metric;
            match message.attributes.first_mut() {
                // There may be a million requests, so only what differs is written.
                Some(destination) if is_alike => {
                    *destination = RouteAttribute::Destination(prefix.first().to_address());
                    message.header.destination_prefix_length = prefix.len();
                }
                _ => {
                    *message = route(prefix, metric, &self.mark);
                    message.header.scope = self.scope;
                }
            }
            self.metric = metric;
        }
        &mut self.packet
    }
}

impl<B: Bits> fmt::Display for Installed<B> {
    /// As `ip route` prints it, with the fields that we know.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            RTN_BLACKHOLE | RTN_UNREACHABLE | RTN_PROHIBIT | RTN_THROW => {
                format!("{} ", word(self.kind))
            }
            _ => String::new(),
        };
        let v6 = B::WIDTH == 128;
        // The kernel attaches an IPv6 route that drops to lo, and gives each route a preference.
        let device = if v6 && !kind.is_empty() {
            " dev lo"
        } else {
            ""
        };
        let protocol = names::protocol(self.protocol);
        write!(f, "{kind}{}{device} proto {protocol}", self.prefix)?;
        if self.metric != 0 {
            write!(f, " metric {}", self.metric)?;
        }
        f.write_str(if v6 { " pref medium" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::Emitable;

    use super::*;

    fn seen(message: &RouteMessage, mark: &Mark) -> Option<Installed<u32>> {
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        for cut in 0..bytes.len() {
            read::<u32>(&bytes[..cut], mark);
        }
        assert_eq!(read::<u128>(&bytes, mark), None);
        read(&bytes, mark)
    }

    #[test]
    fn a_route_of_ours_is_recognised_in_the_dump_and_no_other() {
        let mark = Mark::default();
        let prefix = Prefix::new(0x4825_ba00_u32, 23);
        let message = route(prefix, 0, &mark);
        let ours = seen(&message, &mark).unwrap();
        assert!(ours.ours);
        assert_eq!(ours.to_string(), "blackhole 72.37.186.0/23 proto 166");

        let mut other = message.clone();
        other.header.protocol = RouteProtocol::Static;
        assert!(!seen(&other, &mark).unwrap().ours);

        let mut unicast = message.clone();
        unicast.header.kind = RouteType::Unicast;
        assert!(!seen(&unicast, &mark).unwrap().ours);

        let mut by_source = message.clone();
        by_source.header.source_prefix_length = 8;
        assert_eq!(seen(&by_source, &mark), None);

        let elsewhere = Mark {
            table: 1_000,
            ..mark
        };
        assert!(seen(&message, &elsewhere).is_none());
        let there = seen(&route(prefix, 7, &elsewhere), &elsewhere).unwrap();
        assert!(there.ours);
        assert_eq!(there.metric, 7);
    }

    #[test]
    fn a_request_forgets_the_route_before() {
        let mut request = Request::add(Mark::default());
        let (one, two) = (Prefix::host(1_u32), Prefix::new(0x0102_0000_u32, 16));
        let first = request.of(one, 7).clone();
        let second = request.of(two, 0).clone();
        assert_ne!(first, second);
        let fresh = Request::add(Mark::default()).of(two, 0).clone();
        assert_eq!(second, fresh);
        let alike = request.of(one, 0).clone();
        assert_eq!(alike, *Request::add(Mark::default()).of(one, 0));
        let v6 = Prefix::new(0x2001_0db8_u128 << 96, 32);
        let other = request.of(v6, 0).clone();
        assert_eq!(other, *Request::add(Mark::default()).of(v6, 0));
    }
}
