//! Prefixes and origin ASNs as one value: what is in force, what should be, what a router has.

use std::sync::LazyLock;

use super::{PrefixSet, subtract_set};

/// What is dropped: prefixes, and the origin ASNs that routers match in the AS path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effective {
    /// The prefixes.
    pub nets: PrefixSet,
    /// The origin ASNs: ascending, each once.
    pub origins: Vec<u32>,
}

/// An empty value with a static lifetime.
pub static NOTHING: LazyLock<Effective> = LazyLock::new(Effective::default);

impl Effective {
    /// These prefixes, and these origin ASNs in any order.
    pub fn new(nets: PrefixSet, origins: impl IntoIterator<Item = u32>) -> Self {
        let mut origins: Vec<u32> = origins.into_iter().collect();
        origins.sort_unstable();
        origins.dedup();
        Self { nets, origins }
    }

    /// Whether there is neither a prefix nor an origin ASN.
    pub fn is_empty(&self) -> bool {
        self.nets.is_empty() && self.origins.is_empty()
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let origins = self.origins.iter().chain(&other.origins);
        Self::new(self.nets.union(&other.nets), origins.copied())
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let both = self.origins.iter().filter(|asn| other.has_origin(**asn));
        Self {
            nets: self.nets.intersection(&other.nets),
            origins: both.copied().collect(),
        }
    }

    /// What is not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self {
            // A shortcut: subtracting equal sets leaves nothing to split.
            nets: match self.nets == other.nets {
                true => PrefixSet::default(),
                false => subtract_set(&self.nets, &other.nets),
            },
            origins: lacking(&self.origins, &other.origins).collect(),
        }
    }

    /// Whether the origin ASN is in it.
    pub fn has_origin(&self, asn: u32) -> bool {
        self.origins.binary_search(&asn).is_ok()
    }

    /// Each item as it is written in the ledger and in reports: `192.0.2.0/24`, `AS64496`.
    pub fn items(&self) -> impl Iterator<Item = String> + '_ {
        let nets = self.nets.nets().map(|net| net.to_string());
        nets.chain(self.origins.iter().copied().map(autonomous))
    }
}

/// Those of `these` that are not among `those`; both ascending.
pub fn lacking<'a>(these: &'a [u32], those: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    let lacks = |asn: &u32| those.binary_search(asn).is_err();
    these.iter().copied().filter(lacks)
}

/// An origin ASN as it is written in the ledger and in reports: `AS64496` (RFC 5396, asplain).
pub fn autonomous(asn: u32) -> String {
    format!("AS{asn}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(nets: &[&str], origins: &[u32]) -> Effective {
        let nets = nets.iter().map(|net| net.parse().unwrap());
        Effective::new(PrefixSet::of_nets(nets), origins.iter().copied())
    }

    #[test]
    fn both_parts_take_part_in_each_operation() {
        let one = of(
            &["192.0.2.0/24", "2001:db8::/32"],
            &[64_511, 64_496, 64_511],
        );
        assert_eq!(one.origins, [64_496, 64_511]);
        let other = of(&["192.0.2.128/25", "198.51.100.0/24"], &[64_496, 64_500]);
        assert_eq!(
            one.union(&other),
            of(
                &["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"],
                &[64_496, 64_500, 64_511]
            )
        );
        assert_eq!(one.intersection(&other), of(&["192.0.2.128/25"], &[64_496]));
        assert_eq!(
            one.without(&other),
            of(&["192.0.2.0/25", "2001:db8::/32"], &[64_511])
        );
        assert!(one.without(&one).is_empty() && !of(&[], &[64_496]).is_empty());
        let items: Vec<String> = one.without(&other).items().collect();
        assert_eq!(items, ["192.0.2.0/25", "2001:db8::/32", "AS64511"]);
    }
}
