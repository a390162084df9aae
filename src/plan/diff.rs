//! The difference between what is in force and what should be, over the union of both.

use std::cmp::Ordering;
use std::fmt::{Display, Write};

use ipnet::IpNet;
use sha2::{Digest, Sha256};

use crate::digest::hexadecimal;
use crate::prefix::{Effective, Prefix, PrefixSet, autonomous};

/// Additions and removals of one kind, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side<T> {
    /// Desired and not in force.
    pub add: Vec<T>,
    /// In force and not desired.
    pub remove: Vec<T>,
    /// The number of items that are both.
    pub keep: usize,
}

/// Additions and removals of all kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// IPv4 prefixes.
    pub v4: Side<Prefix<u32>>,
    /// IPv6 prefixes.
    pub v6: Side<Prefix<u128>>,
    /// Origin ASNs.
    pub origins: Side<u32>,
}

impl<T: Copy + Ord> Side<T> {
    /// Compare two ascending sequences.
    pub fn between(old: &[T], new: &[T]) -> Self {
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

/// Items that are compared at once, to find where two sequences begin to differ.
const AT_ONCE: usize = 1_024;

impl<T: Copy + Ord> Side<T> {
    /// [`Side::between`] for two sequences that differ in one part: what they have in common before
    /// and after it is compared in large pieces.
    pub fn between_near(old: &[T], new: &[T]) -> Self {
        let alike = old.chunks(AT_ONCE).zip(new.chunks(AT_ONCE));
        let before: usize = alike
            .take_while(|(one, other)| one == other)
            .map(|(one, _)| one.len())
            .sum();
        let (old, new) = (&old[before..], &new[before..]);
        let alike = old.rchunks(AT_ONCE).zip(new.rchunks(AT_ONCE));
        let after: usize = alike
            .take_while(|(one, other)| one == other)
            .map(|(one, _)| one.len())
            .sum();
        let part = Self::between(&old[..old.len() - after], &new[..new.len() - after]);
        Self {
            keep: part.keep + before + after,
            ..part
        }
    }
}

impl<T> Side<T> {
    fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

impl Change {
    /// From `old` to `new`.
    pub fn between(old: &Effective, new: &Effective) -> Self {
        Self {
            origins: Side::between(&old.origins, &new.origins),
            ..Self::of_nets(&old.nets, &new.nets)
        }
    }

    /// From `old` to `new`, prefixes only.
    pub fn of_nets(old: &PrefixSet, new: &PrefixSet) -> Self {
        Self {
            v4: Side::between(&old.v4, &new.v4),
            v6: Side::between(&old.v6, &new.v6),
            origins: Side::between(&[], &[]),
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty() && self.origins.is_empty()
    }

    /// Number of added prefixes.
    pub fn added(&self) -> usize {
        self.v4.add.len() + self.v6.add.len()
    }

    /// Number of removed prefixes.
    pub fn removed(&self) -> usize {
        self.v4.remove.len() + self.v6.remove.len()
    }

    /// Number of kept prefixes.
    pub fn kept(&self) -> usize {
        self.v4.keep + self.v6.keep
    }

    /// The added prefixes, IPv4 before IPv6.
    pub fn additions(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.v4.add.iter().map(Prefix::to_net);
        v4.chain(self.v6.add.iter().map(Prefix::to_net))
    }

    /// The removed prefixes, IPv4 before IPv6.
    pub fn removals(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.v4.remove.iter().map(Prefix::to_net);
        v4.chain(self.v6.remove.iter().map(Prefix::to_net))
    }

    /// All added items, as written in the ledger.
    pub fn came(&self) -> impl Iterator<Item = String> + '_ {
        let nets = self.additions().map(|net| net.to_string());
        nets.chain(self.origins.add.iter().copied().map(autonomous))
    }

    /// All removed items, as written in the ledger.
    pub fn went(&self) -> impl Iterator<Item = String> + '_ {
        let nets = self.removals().map(|net| net.to_string());
        nets.chain(self.origins.remove.iter().copied().map(autonomous))
    }

    /// The short ID of this exact change: twelve hexadecimal digits. A different content has a
    /// different ID, and so has the reverse change.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        let mut line = String::new();
        let mut update = |sign: char, item: &dyn Display| {
            line.clear();
            // Writing to a string does not fail.
            let _ = writeln!(line, "{sign}{item}");
            hash.update(&line);
        };
        // In the order of earlier versions, so that their approvals still hold.
        let Self { v4, v6, origins } = self;
        v4.add.iter().for_each(|prefix| update('+', prefix));
        v6.add.iter().for_each(|prefix| update('+', prefix));
        v4.remove.iter().for_each(|prefix| update('-', prefix));
        v6.remove.iter().for_each(|prefix| update('-', prefix));
        let Side { add, remove, .. } = origins;
        add.iter().for_each(|asn| update('+', &autonomous(*asn)));
        remove.iter().for_each(|asn| update('-', &autonomous(*asn)));
        hexadecimal(&hash.finalize()[..6])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::aggregate;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    fn set() -> impl Strategy<Value = PrefixSet> {
        prop::collection::vec((0_u32..256, 24_u8..=32), 0..30).prop_map(|raw| {
            let mut v4: Vec<_> = raw.into_iter().map(|(a, l)| Prefix::new(a, l)).collect();
            v4.sort_unstable();
            PrefixSet {
                v4: aggregate(v4).into(),
                v6: Arc::default(),
            }
        })
    }

    proptest! {
        #[test]
        fn actual_and_plan_make_desired(actual in set(), desired in set()) {
            let change = Change::of_nets(&actual, &desired);
            let mut after: BTreeSet<_> = actual.v4.iter().copied().collect();
            for gone in &change.v4.remove {
                prop_assert!(after.remove(gone), "only what is there is removed");
            }
            for new in &change.v4.add {
                prop_assert!(after.insert(*new), "only what is missing is added");
            }
            prop_assert_eq!(Side::between_near(&actual.v4, &desired.v4), change.v4.clone());
            prop_assert_eq!(after.len(), change.kept() + change.added());
            prop_assert_eq!(after.into_iter().collect::<Arc<[_]>>(), desired.v4);
        }
    }

    #[test]
    fn the_id_names_the_exact_content() {
        let of = |nets: &[&str], origins: &[u32]| {
            let nets = nets.iter().map(|net| net.parse().unwrap());
            Effective::new(PrefixSet::of_nets(nets), origins.iter().copied())
        };
        let id = |old: &Effective, new: &Effective| Change::between(old, new).id();
        let (nothing, one) = (of(&[], &[]), of(&["192.0.2.0/24"], &[]));
        let name = id(&nothing, &one);
        assert_eq!(name.len(), 12);
        assert_ne!(name, id(&nothing, &of(&["192.0.2.0/25"], &[])));
        assert_ne!(name, id(&one, &nothing));
        assert_ne!(name, id(&nothing, &of(&["192.0.2.0/24"], &[64496])));
        let origin = of(&[], &[64496]);
        assert_ne!(id(&origin, &nothing), id(&nothing, &origin));
        // Kept items are not part of it.
        let [more, most] = [of(&[], &[64497]), of(&["192.0.2.0/24"], &[64497])];
        assert_eq!(id(&more, &most), name);
        // An approval that an earlier version recorded names the same change.
        assert_eq!(name, "ff6af2cc7a51");
    }
}
