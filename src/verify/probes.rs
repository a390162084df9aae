//! The addresses and packets that are looked up. Pure.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteAttribute, RouteFlags, RouteMessage};

use crate::netlink::family::AddressFamily;
use crate::netlink::route::RTA_IP_PROTO;
use crate::prefix::Prefix;

/// The first, the last, and one random address of a prefix; each once. The random one depends only
/// on the seed and the prefix, and not on the rest of the set.
pub fn addresses<B: AddressFamily>(
    prefix: &Prefix<B>,
    seed: u64,
) -> impl Iterator<Item = B> + use<B> {
    let (first, last) = (prefix.first(), prefix.last());
    let random = first.or(random::<B>(prefix, seed).and(B::netmask(prefix.len()).not()));
    let last = Some(last).filter(|last| *last != first);
    let random = Some(random).filter(|random| *random != first && Some(*random) != last);
    [Some(first), last, random].into_iter().flatten()
}

/// Bits of the seed and the prefix. Every bit of the address counts: FNV-1a over it, then
/// SplitMix64 as often as the width needs.
fn random<B: AddressFamily>(prefix: &Prefix<B>, seed: u64) -> B {
    let bytes = match prefix.first().to_ip() {
        std::net::IpAddr::V4(address) => u128::from(u32::from(address)),
        std::net::IpAddr::V6(address) => u128::from(address),
    };
    let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    for byte in bytes.to_be_bytes().into_iter().chain([prefix.len()]) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let words = (u128::from(next()) << 64) | u128::from(next());
    let bytes = words.to_be_bytes();
    let width = usize::from(B::WIDTH / 8);
    B::from_bytes(&bytes[..width]).unwrap_or(B::ZERO)
}

/// The packet of a lookup, apart from its destination: sent by this machine, from a socket that is
/// not bound, with no source, ports, type of service, flow label or tunnel.
///
/// The kernel fills in what a lookup leaves out: UDP in IPv4 and no protocol in IPv6, and the
/// calling user (`inet_rtm_getroute`, `inet6_rtm_getroute`). So every property that a rule may
/// match is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Firewall mark; 0 for none.
    pub mark: u32,
    /// UDP, TCP, or the ICMP of the family: the kernel refuses others
    /// (`rtm_getroute_parse_ip_proto`).
    pub protocol: u8,
    /// The user ID. Forwarded packets have user ID 0 as well (`ip_route_input_slow`).
    pub uid: u32,
}

impl Question {
    /// A plain packet.
    pub const PLAIN: Self = Self {
        mark: 0,
        protocol: 17,
        uid: 0,
    };

    /// One with this mark for each protocol that can be looked up.
    pub fn marked<B: AddressFamily>(mark: u32) -> [Self; 3] {
        let icmp = if B::WIDTH == 128 { 58 } else { 1 };
        [17, 6, icmp].map(|protocol| Self {
            mark,
            protocol,
            ..Self::PLAIN
        })
    }

    /// The request for the route of the packet to an address: which route of which table it takes
    /// (`RTM_F_FIB_MATCH`, `RTM_F_LOOKUP_TABLE`).
    pub fn to<B: AddressFamily>(self, address: B) -> RouteNetlinkMessage {
        let mut message = RouteMessage::default();
        message.header.address_family = B::FAMILY;
        message.header.destination_prefix_length = B::WIDTH;
        message.header.flags = RouteFlags::LookupTable | RouteFlags::FibMatch;
        message.attributes = vec![
            RouteAttribute::Destination(address.to_address()),
            RouteAttribute::Uid(self.uid),
            RouteAttribute::Other(DefaultNla::new(RTA_IP_PROTO, vec![self.protocol])),
        ];
        if self.mark != 0 {
            message.attributes.push(RouteAttribute::Mark(self.mark));
        }
        RouteNetlinkMessage::GetRoute(message)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::prefix::Bits;

    fn v4(text: &str, seed: u64) -> Vec<String> {
        let net: ipnet::Ipv4Net = text.parse().unwrap();
        let addresses = addresses(&Prefix::<u32>::from(net), seed);
        addresses
            .map(|address| address.to_ip().to_string())
            .collect()
    }

    #[test]
    fn first_last_and_a_random_address_each_once() {
        assert_eq!(v4("192.0.2.7/32", 1), ["192.0.2.7"]);
        assert_eq!(v4("192.0.2.6/31", 1), ["192.0.2.6", "192.0.2.7"]);
        let three = v4("72.37.186.0/23", 1);
        assert_eq!(three[..2], ["72.37.186.0", "72.37.187.255"]);
        assert!(three[2].starts_with("72.37.186.") || three[2].starts_with("72.37.187."));
        assert_eq!(
            three,
            v4("72.37.186.0/23", 1),
            "the same seed asks the same"
        );
    }

    #[test]
    fn random_addresses_are_all_over_the_prefix() {
        let net: ipnet::Ipv6Net = "2001:db8:bad::/48".parse().unwrap();
        let prefix = Prefix::<u128>::from(net);
        let random: BTreeSet<u128> = (0..1_000)
            .filter_map(|seed| addresses(&prefix, seed).nth(2))
            .collect();
        assert_eq!(random.len(), 1_000);
        assert!(
            random
                .iter()
                .all(|address| prefix.contains(&Prefix::host(*address)))
        );
        for bit in 0..80 {
            let ones = random
                .iter()
                .filter(|address| **address >> bit & 1 == 1)
                .count();
            assert!((350..650).contains(&ones), "bit {bit}: {ones} of 1000");
        }
    }
}
