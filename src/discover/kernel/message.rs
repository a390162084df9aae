//! Networks in the kernel's addresses and routes that must not be dropped. Pure.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::discover::network;
pub use crate::netlink::address::Address;
use crate::netlink::route::{Gateway, gateways};

/// The shortest prefix length of the network of a leased address, for IPv4 and IPv6. A DHCP server
/// chooses the mask.
const LEASED: (u8, u8) = (16, 48);

impl Address {
    /// The interface's own address.
    pub fn own(&self) -> Option<IpNet> {
        network::host(self.own)
    }

    /// The address of the other end.
    pub fn peer(&self) -> Option<IpNet> {
        (self.other != self.own).then(|| network::host(self.other))?
    }

    /// The network of the interface. It may be as large as the operator configured it; with a lease
    /// only a part of limited size is shown. `None` if it has no address other than the interface's
    /// own.
    pub fn network(&self) -> Option<IpNet> {
        network::host(self.other)?;
        let net = IpNet::new(self.other, self.protected_length())
            .ok()?
            .trunc();
        (net != IpNet::from(self.own)).then_some(net)
    }

    /// The whole network, if only a part of it is shown.
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
    /// The address of the next hop.
    pub net: IpNet,
    /// The index of the outgoing interface; 0 if the route does not name one.
    pub interface: u32,
    /// Whether it is one of several.
    pub several: bool,
}

/// Visit the next hops of a unicast route that have an Internet address.
pub fn hops(payload: &[u8], mut visit: impl FnMut(Hop)) {
    gateways(payload, |gateway| {
        let Gateway {
            address,
            interface,
            several,
        } = gateway;
        if let Some(net) = network::host(address) {
            visit(Hop {
                net,
                interface,
                several,
            });
        }
    });
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
        // A lease shows at most a /16, whatever its mask is.
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
