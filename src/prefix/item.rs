//! What is listed, added or allowed: a network, or an origin AS. Pure.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::{autonomous, overlap};

/// A network, or an origin AS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    Prefix(IpNet),
    Origin(u32),
}

impl Item {
    /// Whether it is about this network.
    pub fn touches(&self, net: IpNet) -> bool {
        matches!(self, Self::Prefix(own) if overlap(own, &net))
    }

    /// Whether it is a smaller network inside of this one.
    pub fn is_inside(&self, net: &IpNet) -> bool {
        matches!(self, Self::Prefix(own) if own != net && net.contains(own))
    }

    /// Whether both are about the same AS, or share an address.
    pub fn meets(&self, other: &Self) -> bool {
        match other {
            Self::Prefix(net) => self.touches(*net),
            Self::Origin(_) => self == other,
        }
    }
}

impl fmt::Display for Item {
    /// `192.0.2.0/24` or `AS64496`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(net) => net.fmt(f),
            Self::Origin(asn) => f.pad(&autonomous(*asn)),
        }
    }
}

impl FromStr for Item {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.strip_prefix("AS") {
            Some(asn) => asn.parse().map(Self::Origin).map_err(|_| ()),
            None => text.parse().map(Self::Prefix).map_err(|_| ()),
        }
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The number of an AS as people write it: `AS64500`, in letters of either case (RFC 5396,
/// asplain).
pub fn asn_of(text: &str) -> Option<u32> {
    let text = text.trim_ascii();
    let (start, number) = text.split_at_checked(2)?;
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_asn = plain && start.eq_ignore_ascii_case("AS");
    is_asn.then(|| number.parse().ok()).flatten()
}

/// Whether a network on the Internet may have this number. Those for documentation (RFC 5398) stay,
/// as documentation prefixes do.
pub fn is_public(asn: u32) -> bool {
    // RFC 7607; RFC 6793, section 9; RFC 6996; RFC 7300.
    !matches!(asn, 0 | 23_456 | 64_512..=65_535 | 4_200_000_000..=u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_as_is_written_with_its_letters() {
        for (text, asn) in [
            ("AS64500", Some(64_500)),
            (" as4199999999 ", Some(4_199_999_999)),
            ("AS4294967296", None),
            ("AS", None),
            ("ASN64500", None),
            ("AS+5", None),
            ("64500", None),
            ("ä5", None),
        ] {
            assert_eq!(asn_of(text), asn, "{text}");
        }
    }

    #[test]
    fn reserved_and_private_numbers_are_of_no_network() {
        for asn in [0, 23_456, 64_512, 65_534, 65_535, 4_200_000_000, u32::MAX] {
            assert!(!is_public(asn), "{asn}");
        }
        for asn in [1, 64_496, 64_511, 65_536, 65_551, 4_199_999_999] {
            assert!(is_public(asn), "{asn}");
        }
    }
}
