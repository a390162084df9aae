//! Nexthop objects, which routes may name instead of a gateway (`include/uapi/linux/nexthop.h`,
//! `net/ipv4/nexthop.c`; ip-nexthop(8)). Pure.
//!
//! With `net.ipv4.nexthop_compat_mode=0` such a route does not show its gateway, so the objects
//! themselves are read.

use netlink_packet_core::NetlinkSerializable;

use super::message::Hop;
use crate::discover::network;
use crate::netlink::message::{address, attributes, number};

/// Types of messages (`include/uapi/linux/rtnetlink.h`).
pub const RTM_NEWNEXTHOP: u16 = 104;
const RTM_GETNEXTHOP: u16 = 106;

const NHA_OIF: u16 = 5;
const NHA_GATEWAY: u16 = 6;

/// Bytes of `struct nhmsg`: the family, scope, protocol, a reserved byte, and four of flags.
const OBJECT_HEADER: usize = 8;

/// The request for every object of every family: its `struct nhmsg` must be zero except for the
/// family (`nh_valid_dump_req`), and `AF_UNSPEC` is zero as well.
#[derive(Clone, Copy, Debug)]
pub struct Objects;

impl NetlinkSerializable for Objects {
    fn message_type(&self) -> u16 {
        RTM_GETNEXTHOP
    }

    fn buffer_len(&self) -> usize {
        OBJECT_HEADER
    }

    fn serialize(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

/// The next hop of an object; groups and objects that drop have none. It counts as one of several:
/// only a route shows whether it is the only gateway.
pub fn hop(payload: &[u8]) -> Option<Hop> {
    let (mut gateway, mut interface) = (None, 0);
    attributes(payload.get(OBJECT_HEADER..)?, |kind, value| match kind {
        NHA_OIF => interface = number(value).unwrap_or(0),
        NHA_GATEWAY => gateway = address(value).and_then(network::host),
        _ => {}
    });
    Some(Hop {
        net: gateway?,
        interface,
        several: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NHA_ID: u16 = 1;
    const NHA_GROUP: u16 = 2;

    fn object(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; OBJECT_HEADER];
        for (kind, value) in attributes {
            let length = u16::try_from(4 + value.len()).unwrap();
            bytes.extend(length.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
        }
        bytes
    }

    fn seen(object: &[u8]) -> Option<String> {
        hop(object).map(|hop| format!("{} {}", hop.net, hop.interface))
    }

    #[test]
    fn an_object_has_one_gateway_or_none() {
        let id = (NHA_ID, &6_u32.to_ne_bytes()[..]);
        let oif = (NHA_OIF, &7_u32.to_ne_bytes()[..]);
        let v4 = (NHA_GATEWAY, &[203, 0, 202, 66][..]);
        let whole = object(&[id, oif, v4]);
        assert_eq!(seen(&whole).as_deref(), Some("203.0.202.66/32 7"));
        let tunnel = object(&[id, v4]);
        assert_eq!(seen(&tunnel).as_deref(), Some("203.0.202.66/32 0"));
        let v6 = "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap();
        let v6 = object(&[id, oif, (NHA_GATEWAY, &v6.octets())]);
        assert_eq!(seen(&v6).as_deref(), Some("2001:db8::1/128 7"));
        let linked = "fe80::1".parse::<std::net::Ipv6Addr>().unwrap();
        let linked = object(&[id, oif, (NHA_GATEWAY, &linked.octets())]);
        assert_eq!(seen(&linked), None);
        assert_eq!(
            seen(&object(&[id, (NHA_GROUP, &[6, 0, 0, 0, 0, 0, 0, 0])])),
            None
        );
        for cut in 0..whole.len() {
            hop(&whole[..cut]);
        }
    }

    #[test]
    fn the_request_is_a_header_of_zeroes() {
        let mut bytes = vec![7; Objects.buffer_len()];
        Objects.serialize(&mut bytes);
        assert_eq!((Objects.message_type(), bytes), (106, vec![0; 8]));
    }
}
