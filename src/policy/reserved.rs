//! Special-purpose space, by the IANA registries
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry/>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry/>).
//!
//! Documentation prefixes are not included: no host has such an address, so dropping them is right.

use ipnet::IpNet;

use crate::prefix::{PrefixSet, overlap};

/// Excluded from every feed that does not set `reserved = true`.
pub const RESERVED: [(&str, &str); 19] = [
    ("0.0.0.0/8", "this network (RFC 791)"),
    ("10.0.0.0/8", "private use (RFC 1918)"),
    ("100.64.0.0/10", "shared address space (RFC 6598)"),
    ("127.0.0.0/8", "loopback (RFC 1122)"),
    ("169.254.0.0/16", "link-local (RFC 3927)"),
    ("172.16.0.0/12", "private use (RFC 1918)"),
    ("192.0.0.0/24", "IETF protocol assignments (RFC 6890)"),
    ("192.168.0.0/16", "private use (RFC 1918)"),
    ("198.18.0.0/15", "benchmarking (RFC 2544)"),
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("240.0.0.0/4", "reserved (RFC 1112)"),
    ("::/8", "unspecified, loopback and IPv4-mapped (RFC 4291)"),
    ("64:ff9b::/96", "IPv4-IPv6 translation (RFC 6052)"),
    ("64:ff9b:1::/48", "IPv4-IPv6 translation (RFC 8215)"),
    ("100::/64", "discard-only (RFC 6666)"),
    ("fc00::/7", "unique local (RFC 4193)"),
    ("fe80::/10", "link-local (RFC 4291)"),
    ("fec0::/10", "site-local, deprecated (RFC 3879)"),
    ("ff00::/8", "multicast (RFC 4291)"),
];

/// Never dropped, whatever lists it, including a bogon feed and the operator's own entries.
pub const NEVER: [(&str, &str); 6] = [
    ("127.0.0.0/8", "loopback (RFC 1122)"),
    ("169.254.0.0/16", "link-local (RFC 3927)"),
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("::1/128", "loopback (RFC 4291)"),
    ("fe80::/10", "link-local (RFC 4291)"),
    ("ff00::/8", "multicast (RFC 4291)"),
];

/// The entries of a table that share an address with `net`, and why they are there.
pub fn touching(
    table: &'static [(&'static str, &'static str)],
    net: IpNet,
) -> impl Iterator<Item = (IpNet, &'static str)> {
    nets(table).filter(move |(entry, _)| overlap(entry, &net))
}

/// The networks of a table.
pub fn nets(
    table: &'static [(&'static str, &'static str)],
) -> impl Iterator<Item = (IpNet, &'static str)> {
    // The tables are constants; a test parses every line of them.
    table
        .iter()
        .filter_map(|(net, why)| Some((net.parse().ok()?, *why)))
}

/// The reserved space of both families.
pub fn space() -> PrefixSet {
    PrefixSet::of_nets(nets(&RESERVED).map(|(net, _)| net))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_a_network() {
        assert_eq!(nets(&RESERVED).count(), RESERVED.len());
        assert_eq!(nets(&NEVER).count(), NEVER.len());
    }

    #[test]
    fn the_reserved_ipv4_share_is_as_the_registry_has_it() {
        let set = PrefixSet::of_nets(nets(&RESERVED).map(|(net, _)| net));
        assert!((set.share_v4() - 0.138).abs() < 0.001, "{}", set.share_v4());
    }
}
