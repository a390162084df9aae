//! What is read from the kernel's messages (rtnetlink(7); `include/uapi/linux/if_addr.h`). Pure.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::discover::network;
use crate::netlink::message::{address, attributes, number};
use crate::netlink::route::{
    self, RTA_GATEWAY, RTA_MULTIPATH, RTA_OIF, RTA_VIA, RTN_UNICAST, next_hops,
};

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;

/// Bytes of `struct ifaddrmsg`.
const ADDRESS_HEADER: usize = 8;

/// `IFA_F_PERMANENT`: an address without a lifetime, which somebody on this machine gave it.
const PERMANENT: u8 = 0x80;

/// The shortest network that an address with a lifetime makes, of IPv4 and IPv6. A server of DHCP chooses it.
const LEASED: (u8, u8) = (16, 48);

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The index of the interface.
    pub interface: u32,
    length: u8,
    /// Whether it was set on this machine, and not leased.
    permanent: bool,
    own: IpAddr,
    /// The other end where the interface has one, else the address itself.
    other: IpAddr,
}

impl Address {
    /// Read one. `IFA_LOCAL` is the address; `IFA_ADDRESS` is the peer's where it differs, and IPv6 without
    /// a peer has nothing but it (`if_addr.h`).
    pub fn read(payload: &[u8]) -> Option<Self> {
        let length = *payload.get(1)?;
        let permanent = payload.get(2)? & PERMANENT != 0;
        let interface = number(payload.get(4..)?)?;
        let (mut own, mut other) = (None, None);
        attributes(payload.get(ADDRESS_HEADER..)?, |kind, value| match kind {
            IFA_LOCAL => own = address(value),
            IFA_ADDRESS => other = address(value),
            _ => {}
        });
        Some(Self {
            interface,
            length,
            permanent,
            own: own.or(other)?,
            other: other.or(own)?,
        })
    }

    /// The interface's own address.
    pub fn own(&self) -> Option<IpNet> {
        network::host(self.own)
    }

    /// The address of the other end.
    pub fn peer(&self) -> Option<IpNet> {
        (self.other != self.own).then(|| network::host(self.other))?
    }

    /// The network that the interface stands in; it may be as large as the operator wrote it, and with a
    /// lease no larger than the part of it that is shown. `None` where it is no more than the address itself.
    pub fn network(&self) -> Option<IpNet> {
        network::host(self.other)?;
        let net = IpNet::new(self.other, self.protected_length())
            .ok()?
            .trunc();
        (net != IpNet::from(self.own)).then_some(net)
    }

    /// The whole network, where only a part of it is shown.
    pub fn cut_short(&self) -> Option<IpNet> {
        let cut = self.protected_length() != self.length;
        cut.then(|| IpNet::new(self.other, self.length).ok())?
            .map(|net| net.trunc())
    }

    fn protected_length(&self) -> u8 {
        let shortest = match self.other {
            IpAddr::V4(_) => LEASED.0,
            IpAddr::V6(_) => LEASED.1,
        };
        match self.permanent {
            true => self.length,
            false => self.length.max(shortest),
        }
    }
}

/// A next hop of a route, or of a nexthop object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hop {
    /// Where packets are sent to.
    pub net: IpNet,
    /// The index of the interface that leads there; 0 where the route does not say.
    pub interface: u32,
    /// Whether it is one of several.
    pub several: bool,
}

/// Visit the next hops of a unicast route: `RTA_GATEWAY`, `RTA_VIA` (of the other family), and those of
/// `RTA_MULTIPATH`. Other types of routes have none, and cost one comparison.
pub fn hops(payload: &[u8], mut visit: impl FnMut(Hop)) {
    let Some((header, rest)) = payload.split_at_checked(route::HEADER) else {
        return;
    };
    if header[7] != RTN_UNICAST {
        return;
    }
    let (mut gateway, mut interface) = (None, 0);
    attributes(rest, |kind, value| match kind {
        RTA_OIF => interface = number(value).unwrap_or(0),
        RTA_MULTIPATH => {
            for hop in next_hops(value) {
                attributes(hop.attributes, |kind, value| {
                    if let Some(net) = via(kind, value) {
                        visit(Hop {
                            net,
                            interface: hop.interface,
                            several: true,
                        });
                    }
                });
            }
        }
        _ => gateway = via(kind, value).or(gateway),
    });
    if let Some(net) = gateway {
        visit(Hop {
            net,
            interface,
            several: false,
        });
    }
}

fn via(kind: u16, value: &[u8]) -> Option<IpNet> {
    let value = match kind {
        RTA_GATEWAY => value,
        // `struct rtvia`: the family, then the address.
        RTA_VIA => value.get(2..)?,
        _ => return None,
    };
    network::host(address(value)?)
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::Emitable;
    use netlink_packet_route::AddressFamily;
    use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
    use netlink_packet_route::route::{
        RouteAddress, RouteAttribute, RouteMessage, RouteNextHop, RouteType, RouteVia,
    };

    use super::*;

    fn bytes(message: &impl Emitable) -> Vec<u8> {
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        bytes
    }

    fn route(kind: RouteType, attributes: Vec<RouteAttribute>) -> Vec<u8> {
        let mut route = RouteMessage::default();
        route.header.address_family = AddressFamily::Inet;
        route.header.kind = kind;
        route.attributes = attributes;
        bytes(&route)
    }

    fn v4(text: &str) -> RouteAddress {
        RouteAddress::Inet(text.parse().unwrap())
    }

    fn seen(route: &[u8]) -> Vec<String> {
        let mut seen = Vec::new();
        hops(route, |hop| {
            seen.push(format!("{} {} {}", hop.net, hop.interface, hop.several));
        });
        seen
    }

    #[test]
    fn next_hops_are_read_wherever_a_route_keeps_them() {
        let gateway = RouteAttribute::Gateway(v4("192.0.2.1"));
        let oif = RouteAttribute::Oif(7);
        let one = route(RouteType::Unicast, vec![gateway.clone(), oif.clone()]);
        assert_eq!(seen(&one), ["192.0.2.1/32 7 false"]);

        let via = RouteAttribute::Via(RouteVia::Inet6("2001:db8::1".parse().unwrap()));
        let other_family = route(RouteType::Unicast, vec![oif.clone(), via.clone()]);
        assert_eq!(seen(&other_family), ["2001:db8::1/128 7 false"]);

        let hop = |interface_index, attribute| {
            let mut hop = RouteNextHop::default();
            hop.interface_index = interface_index;
            hop.attributes = vec![attribute];
            hop
        };
        let several = RouteAttribute::MultiPath(vec![
            hop(7, gateway.clone()),
            hop(8, RouteAttribute::Gateway(v4("192.0.2.5"))),
            hop(9, via),
        ]);
        assert_eq!(
            seen(&route(RouteType::Unicast, vec![several])),
            [
                "192.0.2.1/32 7 true",
                "192.0.2.5/32 8 true",
                "2001:db8::1/128 9 true"
            ]
        );
        let linked = RouteAttribute::Gateway(RouteAddress::Inet6("fe80::1".parse().unwrap()));
        assert_eq!(seen(&route(RouteType::Unicast, vec![linked, oif])), [""; 0]);
        let dropping = route(RouteType::BlackHole, vec![gateway]);
        assert_eq!(seen(&dropping), [""; 0], "its type counts");
        for cut in 0..one.len() {
            seen(&one[..cut]);
        }
    }

    fn read_address(length: u8, attributes: Vec<AddressAttribute>) -> Address {
        let mut address = AddressMessage::default();
        address.header.index = 3;
        address.header.prefix_len = length;
        address.attributes = attributes;
        Address::read(&bytes(&address)).unwrap()
    }

    #[test]
    fn an_address_has_a_network_or_a_peer() {
        let own = |text: &str| AddressAttribute::Local(text.parse().unwrap());
        let other = |text: &str| AddressAttribute::Address(text.parse().unwrap());
        let net = |net: Option<IpNet>| net.map(|net| net.to_string()).unwrap_or_default();
        let said = |a: Address| [net(a.own()), net(a.peer()), net(a.network())];

        let plain = read_address(24, vec![other("192.0.2.7"), own("192.0.2.7")]);
        assert_eq!(said(plain), ["192.0.2.7/32", "", "192.0.2.0/24"]);
        assert_eq!(plain.interface, 3);
        let pointed = read_address(32, vec![other("192.0.2.8"), own("10.0.0.1")]);
        assert_eq!(
            said(pointed),
            ["10.0.0.1/32", "192.0.2.8/32", "192.0.2.8/32"]
        );
        let v6 = read_address(64, vec![other("2001:db8::7")]);
        assert_eq!(said(v6), ["2001:db8::7/128", "", "2001:db8::/64"]);
        let single = read_address(32, vec![other("203.0.113.1"), own("203.0.113.1")]);
        assert_eq!(said(single), ["203.0.113.1/32", "", ""]);
        // A lease makes no more than a /16, whatever its mask says.
        let leased = read_address(8, vec![other("203.0.113.7"), own("203.0.113.7")]);
        assert_eq!(said(leased), ["203.0.113.7/32", "", "203.0.0.0/16"]);
        assert_eq!(net(leased.cut_short()), "203.0.0.0/8");
        assert_eq!(net(plain.cut_short()), "");
        let mut permanent = AddressMessage::default();
        permanent.header.prefix_len = 8;
        permanent.header.flags = AddressHeaderFlags::Permanent;
        permanent.attributes = vec![own("203.0.113.7")];
        let permanent = Address::read(&bytes(&permanent)).unwrap();
        assert_eq!(said(permanent)[2], "203.0.0.0/8");
        assert_eq!(net(permanent.cut_short()), "");
        for never in ["127.0.0.1", "::1", "fe80::7"] {
            assert_eq!(said(read_address(8, vec![other(never)])), ["", "", ""]);
        }
    }
}
