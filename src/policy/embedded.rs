//! IPv6 networks that hold an IPv4 network: a route to one does not drop the IPv4 packets. Pure.

use ipnet::IpNet;

use super::reserved::{RESERVED, touching};
use crate::prefix::{Bits, Prefix};

/// Each form: the prefix before the IPv4 address, where that ends (bits from the right), what it is
/// called. In the last one the address has no fixed place.
const FORMS: [(u128, u8, Option<u32>, &str); 3] = [
    (
        0x2002 << 112,
        16,
        Some(80),
        "a 6to4 form of an IPv4 network (RFC 3056)",
    ),
    (
        0x64_ff9b << 96,
        96,
        Some(0),
        "a NAT64 form of an IPv4 network (RFC 6052)",
    ),
    (
        0x64_ff9b_0001 << 80,
        48,
        None,
        "a NAT64 form of an IPv4 network (RFC 8215)",
    ),
];

/// The form of a network that holds at least one bit of an IPv4 address that is in use. Lists of
/// bogons name the forms of reserved space, and mean the IPv6 packets.
pub fn embedded_form(prefix: Prefix<u128>) -> Option<&'static str> {
    let (.., len, at, form) = *FORMS.iter().find(|(net, len, ..)| {
        prefix.len() > *len && prefix.first() & u128::netmask(*len) == *net
    })?;
    let is_reserved = at.is_some_and(|at| {
        let v4 = Prefix::new((prefix.first() >> at) as u32, (prefix.len() - len).min(32));
        let mut reserved = touching(&RESERVED, v4.to_net());
        reserved.any(|(net, _)| matches!(net, IpNet::V4(_)))
    });
    (!is_reserved).then_some(form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::{HostBits, Written, parse};

    #[test]
    fn a_network_that_holds_an_ipv4_address_is_known_by_its_form() {
        for (text, rfc) in [
            ("2002:c000:201::/48", Some("RFC 3056")),
            ("2002:c000:201::1", Some("RFC 3056")),
            ("2002:5000::/20", Some("RFC 3056")),
            ("2002::/16", None),
            ("2002:a00::/24", None),
            ("2002:ac10::/28", None),
            ("64:ff9b::192.0.2.1", Some("RFC 6052")),
            ("64:ff9b::c000:200/120", Some("RFC 6052")),
            ("64:ff9b::10.0.0.1", None),
            ("64:ff9b::/96", None),
            ("64:ff9b::1:0:0/96", None),
            ("64:ff9b:1:c000:2:100::/96", Some("RFC 8215")),
            ("64:ff9b:1::/48", None),
            ("2001:db8::/32", None),
        ] {
            let Ok(Written::V6(prefix)) = parse(text, HostBits::Refuse) else {
                panic!("{text}");
            };
            let form = embedded_form(prefix);
            assert_eq!(form.is_some(), rfc.is_some(), "{text}");
            assert!(
                form.is_none_or(|form| form.contains(rfc.unwrap())),
                "{text}"
            );
        }
    }
}
