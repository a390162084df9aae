//! Addresses that no redirect may lead to (pure).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;
use url::Host;

/// Whether an address belongs to this machine, to this link or to a private network, where no
/// public server has a reason to redirect to. IPv4 within IPv6 counts as the IPv4 address that it
/// leads to.
///
/// Source: the IANA special-purpose address registries (RFC 6890), as far as they name such
/// networks.
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => is_private_v6(ip),
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    // "This network" (RFC 791), carrier-grade NAT (RFC 6598), multicast and reserved.
    first == 0
        || (first == 100 && second & 0xc0 == 64)
        || first >= 224
        || ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_private_v4(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        // Unspecified, loopback, IPv4-compatible and IPv4-mapped (RFC 4291, section 2.5): never
        // used on the wire, so such a URL means this machine or is meant to pass a check.
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] => true,
        // NAT64 (RFC 6052): the well-known prefix leads to the IPv4 address.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        // NAT64 for local use (RFC 8215).
        [0x64, 0xff9b, 1, ..] => true,
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => embedded(high, low),
        // Unique local, link-local, site-local (RFC 3879), multicast.
        [first, ..] => {
            first & 0xfe00 == 0xfc00 || first & 0xff80 == 0xfe80 || first & 0xff00 == 0xff00
        }
    }
}

/// Whether a URL names this machine: `localhost`, or a loopback address.
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(text: &str) -> bool {
        is_private(text.parse().unwrap())
    }

    #[test]
    fn an_address_of_ours_is_private_however_it_is_written() {
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2002:c0a8:101::1",
        ] {
            assert!(private(ip), "{ip}");
        }
    }

    #[test]
    fn the_neighbours_of_private_space_are_public() {
        for ip in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700::1",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "fbff::1",
            "fe00::1",
        ] {
            assert!(!private(ip), "{ip}");
        }
    }
}
