//! The difference between what is in force and what should be, over the union of both.

use std::cmp::Ordering;
use std::fmt::Write;

use ipnet::IpNet;
use sha2::{Digest, Sha256};

use crate::digest::hexadecimal;
use crate::prefix::{Bits, Prefix, PrefixSet};

/// What one family gains and loses, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side<B: Bits> {
    /// Desired and not in force.
    pub add: Vec<Prefix<B>>,
    /// In force and not desired.
    pub remove: Vec<Prefix<B>>,
    /// Number of prefixes that are both.
    pub keep: usize,
}

/// What both families gain and lose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// IPv4.
    pub v4: Side<u32>,
    /// IPv6.
    pub v6: Side<u128>,
}

impl<B: Bits> Side<B> {
    /// Walk both ascending sides at once.
    pub fn between(old: &[Prefix<B>], new: &[Prefix<B>]) -> Self {
        let mut side = Self {
            add: Vec::new(),
            remove: Vec::new(),
            keep: 0,
        };
        let (mut i, mut j) = (0, 0);
        loop {
            let order = match (old.get(i), new.get(j)) {
                (Some(old), Some(new)) => old.cmp(new),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return side,
            };
            match order {
                Ordering::Less => {
                    side.remove.push(old[i]);
                    i += 1;
                }
                Ordering::Greater => {
                    side.add.push(new[j]);
                    j += 1;
                }
                Ordering::Equal => {
                    side.keep += 1;
                    i += 1;
                    j += 1;
                }
            }
        }
    }
}

impl Change {
    /// From `old` to `new`.
    pub fn between(old: &PrefixSet, new: &PrefixSet) -> Self {
        Self {
            v4: Side::between(&old.v4, &new.v4),
            v6: Side::between(&old.v6, &new.v6),
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.added() == 0 && self.removed() == 0
    }

    /// Number of additions.
    pub fn added(&self) -> usize {
        self.v4.add.len() + self.v6.add.len()
    }

    /// Number of removals.
    pub fn removed(&self) -> usize {
        self.v4.remove.len() + self.v6.remove.len()
    }

    /// Number of prefixes that stay.
    pub fn kept(&self) -> usize {
        self.v4.keep + self.v6.keep
    }

    /// The additions, IPv4 before IPv6.
    pub fn additions(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.v4.add.iter().map(Prefix::to_net);
        v4.chain(self.v6.add.iter().map(Prefix::to_net))
    }

    /// The removals, IPv4 before IPv6.
    pub fn removals(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.v4.remove.iter().map(Prefix::to_net);
        v4.chain(self.v6.remove.iter().map(Prefix::to_net))
    }

    /// The short name of this exact change, and of that from one list of origin ASes to another: twelve
    /// hexadecimal digits. Another content has another name; so has the same content that comes when
    /// it goes here.
    pub fn id(&self, origins_before: &[u32], origins_now: &[u32]) -> String {
        let mut hash = Sha256::new();
        let mut line = String::new();
        let mut update = |sign: char, net: IpNet| {
            line.clear();
            // Writing to a string does not fail.
            let _ = writeln!(line, "{sign}{net}");
            hash.update(&line);
        };
        self.additions().for_each(|net| update('+', net));
        self.removals().for_each(|net| update('-', net));
        for asn in lacking(origins_now, origins_before) {
            hash.update(format!("+AS{asn}\n"));
        }
        for asn in lacking(origins_before, origins_now) {
            hash.update(format!("-AS{asn}\n"));
        }
        hexadecimal(&hash.finalize()[..6])
    }
}

/// Those of `these` that are not among `those`; both ascending.
pub fn lacking<'a>(these: &'a [u32], those: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    let lacks = |asn: &u32| those.binary_search(asn).is_err();
    these.iter().copied().filter(lacks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::aggregate;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set() -> impl Strategy<Value = PrefixSet> {
        prop::collection::vec((0_u32..256, 24_u8..=32), 0..30).prop_map(|raw| {
            let mut v4: Vec<_> = raw.into_iter().map(|(a, l)| Prefix::new(a, l)).collect();
            v4.sort_unstable();
            PrefixSet {
                v4: aggregate(v4),
                v6: Vec::new(),
            }
        })
    }

    proptest! {
        #[test]
        fn actual_and_plan_make_desired(actual in set(), desired in set()) {
            let change = Change::between(&actual, &desired);
            let mut after: BTreeSet<_> = actual.v4.iter().copied().collect();
            for gone in &change.v4.remove {
                prop_assert!(after.remove(gone), "only what is there is removed");
            }
            for new in &change.v4.add {
                prop_assert!(after.insert(*new), "only what is missing is added");
            }
            prop_assert_eq!(after.len(), change.kept() + change.added());
            prop_assert_eq!(after.into_iter().collect::<Vec<_>>(), desired.v4);
        }
    }

    #[test]
    fn the_id_names_the_exact_content() {
        let nets = |list: &[&str]| PrefixSet::of_nets(list.iter().map(|n| n.parse().unwrap()));
        let change = Change::between(&nets(&[]), &nets(&["192.0.2.0/24"]));
        let other = Change::between(&nets(&[]), &nets(&["192.0.2.0/25"]));
        let back = Change::between(&nets(&["192.0.2.0/24"]), &nets(&[]));
        let id = change.id(&[], &[]);
        assert_eq!(id.len(), 12);
        assert_ne!(id, other.id(&[], &[]));
        assert_ne!(id, back.id(&[], &[]));
        assert_ne!(id, change.id(&[], &[64496]));
        assert_ne!(change.id(&[64496], &[]), change.id(&[], &[64496]));
        assert_eq!(
            change.id(&[64497], &[64496, 64497]),
            change.id(&[], &[64496])
        );
        assert_eq!(id, change.clone().id(&[], &[]));
    }
}
