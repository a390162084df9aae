//! Between our routes and the kernel's messages (`struct rtmsg`, rtnetlink(7)). Pure.

use std::fmt;

use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};

use super::{Kind, Mark};
use crate::prefix::{Bits, Prefix};

/// What differs between the families in a message.
pub trait Kin: Bits {
    /// `AF_INET` or `AF_INET6`.
    const FAMILY: AddressFamily;
    /// The metric of our routes in this family.
    fn metric(mark: &Mark) -> u32;
    /// As an attribute.
    fn to_address(self) -> RouteAddress;
    /// From an attribute; `None` for the other family.
    fn from_address(address: &RouteAddress) -> Option<Self>;
}

impl Kin for u32 {
    const FAMILY: AddressFamily = AddressFamily::Inet;
    fn metric(mark: &Mark) -> u32 {
        mark.metric
    }
    fn to_address(self) -> RouteAddress {
        RouteAddress::Inet(self.into())
    }
    fn from_address(address: &RouteAddress) -> Option<Self> {
        match address {
            RouteAddress::Inet(address) => Some((*address).into()),
            _ => None,
        }
    }
}

impl Kin for u128 {
    const FAMILY: AddressFamily = AddressFamily::Inet6;
    fn metric(mark: &Mark) -> u32 {
        mark.metric_v6()
    }
    fn to_address(self) -> RouteAddress {
        RouteAddress::Inet6(self.into())
    }
    fn from_address(address: &RouteAddress) -> Option<Self> {
        match address {
            RouteAddress::Inet6(address) => Some((*address).into()),
            _ => None,
        }
    }
}

/// A route as the kernel lists it, as far as we compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed<B: Bits> {
    /// The destination.
    pub prefix: Prefix<B>,
    /// The metric; lower wins.
    pub metric: u32,
    /// Whether table, protocol and type are ours.
    pub ours: bool,
    /// How `ip route` names the origin: a number or a word.
    pub protocol: u8,
    /// How `ip route` names the type.
    pub kind: RouteType,
}

impl<B: Bits> Installed<B> {
    /// Whether packets to it go on their way: it is no route that drops them.
    pub fn forwards(&self) -> bool {
        let drops = [
            RouteType::BlackHole,
            RouteType::Unreachable,
            RouteType::Prohibit,
        ];
        !drops.contains(&self.kind)
    }
}

/// Read a route of the dump; `None` when it is of another table, or no route at all (a cached
/// clone, a route by source or type of service).
pub fn read<B: Kin>(message: &RouteMessage, mark: &Mark) -> Option<Installed<B>> {
    let header = &message.header;
    if header.source_prefix_length != 0 || header.tos != 0 || table(message) != mark.table {
        return None;
    }
    if header
        .flags
        .contains(netlink_packet_route::route::RouteFlags::Cloned)
    {
        return None;
    }
    let mut address = B::ZERO;
    let mut metric = 0;
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(destination) => address = B::from_address(destination)?,
            RouteAttribute::Priority(priority) => metric = *priority,
            _ => {}
        }
    }
    let protocol = u8::from(header.protocol);
    Some(Installed {
        prefix: Prefix::new(address, header.destination_prefix_length.min(B::WIDTH)),
        metric,
        ours: protocol == mark.protocol && header.kind == kind(mark.kind),
        protocol,
        kind: header.kind,
    })
}

/// The message that adds or deletes exactly one route of ours: with table, protocol, type and
/// metric all set, so that a delete can match no other (`fib_table_delete`, `ip6_route_del`).
pub fn route<B: Kin>(prefix: Prefix<B>, metric: u32, mark: &Mark) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header = RouteHeader {
        address_family: B::FAMILY,
        destination_prefix_length: prefix.len(),
        table: u8::try_from(mark.table).unwrap_or(RouteHeader::RT_TABLE_UNSPEC),
        protocol: RouteProtocol::from(mark.protocol),
        scope: RouteScope::Universe,
        kind: kind(mark.kind),
        ..RouteHeader::default()
    };
    message.attributes = vec![
        RouteAttribute::Destination(prefix.first().to_address()),
        RouteAttribute::Table(mark.table),
    ];
    if metric != 0 {
        message.attributes.push(RouteAttribute::Priority(metric));
    }
    message
}

/// The request for a dump of one family.
pub fn dump<B: Kin>() -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = B::FAMILY;
    message
}

fn table(message: &RouteMessage) -> u32 {
    let attribute = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Table(table) => Some(*table),
            _ => None,
        });
    attribute.unwrap_or(message.header.table.into())
}

fn kind(kind: Kind) -> RouteType {
    match kind {
        Kind::Blackhole => RouteType::BlackHole,
        Kind::Unreachable => RouteType::Unreachable,
        Kind::Prohibit => RouteType::Prohibit,
    }
}

impl<B: Bits> fmt::Display for Installed<B> {
    /// As `ip route` prints it, as far as we know it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            RouteType::BlackHole => "blackhole ",
            RouteType::Unreachable => "unreachable ",
            RouteType::Prohibit => "prohibit ",
            RouteType::Throw => "throw ",
            _ => "",
        };
        let v6 = B::WIDTH == 128;
        // The kernel hangs an IPv6 route that drops on lo, and gives each a preference.
        let device = if v6 && !kind.is_empty() {
            " dev lo"
        } else {
            ""
        };
        let protocol = protocol_name(self.protocol);
        write!(f, "{kind}{}{device} proto {protocol}", self.prefix)?;
        if self.metric != 0 {
            write!(f, " metric {}", self.metric)?;
        }
        f.write_str(if v6 { " pref medium" } else { "" })
    }
}

/// The words of `/etc/iproute2/rt_protos` that a foreign route is likely to have.
fn protocol_name(protocol: u8) -> String {
    match protocol {
        2 => "kernel".to_owned(),
        3 => "boot".to_owned(),
        4 => "static".to_owned(),
        9 => "ra".to_owned(),
        11 => "zebra".to_owned(),
        12 => "bird".to_owned(),
        16 => "dhcp".to_owned(),
        186 => "bgp".to_owned(),
        number => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_of_ours_is_recognised_in_the_dump_and_no_other() {
        let mark = Mark::default();
        let prefix = Prefix::new(0x4825_ba00_u32, 23);
        let message = route(prefix, 0, &mark);
        let seen = read::<u32>(&message, &mark).unwrap();
        assert!(seen.ours);
        assert_eq!(seen.to_string(), "blackhole 72.37.186.0/23 proto 166");

        let mut other = message.clone();
        other.header.protocol = RouteProtocol::Static;
        assert!(!read::<u32>(&other, &mark).unwrap().ours);

        let mut unicast = message.clone();
        unicast.header.kind = RouteType::Unicast;
        assert!(!read::<u32>(&unicast, &mark).unwrap().ours);

        let elsewhere = Mark {
            table: 1_000,
            ..mark
        };
        assert!(read::<u32>(&message, &elsewhere).is_none());
        assert!(
            read::<u32>(&route(prefix, 7, &elsewhere), &elsewhere)
                .unwrap()
                .ours
        );
    }
}
