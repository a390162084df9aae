//! A set of addresses of both families, as the fewest prefixes.

use std::ops::Range;
use std::sync::Arc;

use ipnet::IpNet;

use super::{Prefix, Written, aggregate, prefixes_of_range};

/// Addresses of both families: each side ascending, aggregated, without overlap. IPv4 before IPv6.
/// A clone shares the prefixes: a set of a million is held once, however many keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixSet {
    /// The IPv4 prefixes.
    pub v4: Arc<[Prefix<u32>]>,
    /// The IPv6 prefixes.
    pub v6: Arc<[Prefix<u128>]>,
}

impl PrefixSet {
    /// The set of what was written, in any order.
    pub fn of_written(written: impl IntoIterator<Item = Written>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for one in written {
            match one {
                Written::V4(prefix) => v4.push(prefix),
                Written::V6(prefix) => v6.push(prefix),
                Written::Range4(first, last) => v4.extend(prefixes_of_range(first, last)),
                Written::Range6(first, last) => v6.extend(prefixes_of_range(first, last)),
            }
        }
        Self::of_prefixes(v4, v6)
    }

    /// The set of these prefixes, in any order.
    pub fn of_prefixes(mut v4: Vec<Prefix<u32>>, mut v6: Vec<Prefix<u128>>) -> Self {
        v4.sort_unstable_by_key(Prefix::key);
        v6.sort_unstable_by_key(Prefix::key);
        Self {
            v4: aggregate(v4).into(),
            v6: aggregate(v6).into(),
        }
    }

    /// The set of these networks, in any order.
    pub fn of_nets(nets: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for net in nets {
            match net {
                IpNet::V4(net) => v4.push(net.into()),
                IpNet::V6(net) => v6.push(net.into()),
            }
        }
        Self::of_prefixes(v4, v6)
    }

    /// Number of IPv4 and of IPv6 prefixes.
    pub fn counts(&self) -> [usize; 2] {
        [self.v4.len(), self.v6.len()]
    }

    /// Number of prefixes of both families.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there is no address in it.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// The prefixes in order, IPv4 before IPv6.
    pub fn nets(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.v4.iter().map(Prefix::to_net);
        v4.chain(self.v6.iter().map(Prefix::to_net))
    }

    /// The prefix of the set that contains all of `net`.
    pub fn covering(&self, net: IpNet) -> Option<IpNet> {
        match net {
            IpNet::V4(net) => covering(&self.v4, &net.into()).map(Prefix::to_net),
            IpNet::V6(net) => covering(&self.v6, &net.into()).map(Prefix::to_net),
        }
    }

    /// Whether any address of `net` is in the set.
    pub fn overlaps(&self, net: IpNet) -> bool {
        match net {
            IpNet::V4(net) => overlaps(&self.v4, net.into()),
            IpNet::V6(net) => overlaps(&self.v6, net.into()),
        }
    }

    /// Share of all IPv4 addresses, `0.0..=1.0`.
    pub fn share_v4(&self) -> f64 {
        // Not `sum`: the sum of nothing is -0.
        self.v4
            .iter()
            .map(Prefix::share)
            .fold(0.0, std::ops::Add::add)
    }

    /// Share of all IPv6 addresses, `0.0..=1.0`.
    pub fn share_v6(&self) -> f64 {
        self.v6
            .iter()
            .map(Prefix::share)
            .fold(0.0, std::ops::Add::add)
    }

    /// The addresses in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        let v4 = self.v4.iter().chain(&*other.v4).copied().collect();
        let v6 = self.v6.iter().chain(&*other.v6).copied().collect();
        Self::of_prefixes(v4, v6)
    }

    /// The addresses in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        PrefixSet {
            v4: common(&self.v4, &other.v4).into(),
            v6: common(&self.v6, &other.v6).into(),
        }
    }
}

/// Of two prefixes that share an address one contains the other: the smaller one is the
/// intersection.
fn common<B: super::Bits>(one: &[Prefix<B>], other: &[Prefix<B>]) -> Vec<Prefix<B>> {
    let (mut i, mut j) = (0, 0);
    let mut both = Vec::new();
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        if a.contains(b) {
            both.push(*b);
        } else if b.contains(a) {
            both.push(*a);
        }
        // The one that ends first overlaps no later prefix.
        if a.last() <= b.last() {
            i += 1;
        }
        if b.last() <= a.last() {
            j += 1;
        }
    }
    both
}

/// The prefix of `sorted` that contains all of `prefix`. They ascend, and none is inside another.
pub(crate) fn covering<'a, B: super::Bits>(
    sorted: &'a [Prefix<B>],
    prefix: &Prefix<B>,
) -> Option<&'a Prefix<B>> {
    let after = sorted.partition_point(|one| one.first() <= prefix.first());
    sorted[..after].last().filter(|one| one.contains(prefix))
}

/// Where the prefixes of `sorted` are that are inside of `window`. They ascend, and none around it
/// is among them.
pub(crate) fn inside<B: super::Bits>(sorted: &[Prefix<B>], window: &Prefix<B>) -> Range<usize> {
    let start = sorted.partition_point(|one| one.key() < window.key());
    start..sorted.partition_point(|one| one.first() <= window.last())
}

fn overlaps<B: super::Bits>(sorted: &[Prefix<B>], net: Prefix<B>) -> bool {
    let after = sorted.partition_point(|p| p.last() < net.first());
    sorted.get(after).is_some_and(|p| p.overlaps(&net))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn some() -> impl Strategy<Value = PrefixSet> {
        let one = (0_u32..256, 24_u8..=32).prop_map(|(host, len)| Prefix::new(host, len));
        prop::collection::vec(one, 0..20)
            .prop_map(|prefixes| PrefixSet::of_prefixes(prefixes, Vec::new()))
    }

    fn single(set: &PrefixSet) -> BTreeSet<u32> {
        set.v4.iter().flat_map(|p| p.first()..=p.last()).collect()
    }

    proptest! {
        #[test]
        fn what_either_has_and_what_both_have(one in some(), other in some()) {
            let (union, both) = (one.union(&other), one.intersection(&other));
            prop_assert_eq!(single(&union), &single(&one) | &single(&other));
            prop_assert_eq!(single(&both), &single(&one) & &single(&other));
            // The fewest possible prefixes, in order.
            prop_assert_eq!(PrefixSet::of_prefixes(both.v4.to_vec(), Vec::new()), both);
        }
    }

    #[test]
    fn the_covering_prefix_is_found_and_a_neighbour_is_not() {
        let set = PrefixSet::of_nets(["72.37.186.0/23".parse().unwrap()]);
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        assert_eq!(
            set.covering(net("72.37.187.9/32")),
            Some(net("72.37.186.0/23"))
        );
        assert_eq!(set.covering(net("72.37.188.1/32")), None);
        assert_eq!(set.covering(net("72.37.186.0/22")), None);
        assert!(set.overlaps(net("72.37.184.0/22")));
        assert!(!set.overlaps(net("72.37.188.0/22")));
    }
}
