//! The difference between two copies of one feed. Pure, in one pass over both.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{Entry, FeedCopy, OriginEntry};
use crate::prefix::Bits;
use crate::prefix::Item;

/// From an older copy to a newer one. A listing is an item with its reference; two lines with the
/// same listing are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyDifference<'a> {
    /// Listings of the newer copy that the older one lacks.
    pub came: Vec<(Item, &'a str)>,
    /// Listings of the older copy that the newer one lacks.
    pub went: Vec<(Item, &'a str)>,
    /// Prefixes that only the newer copy lists, by whatever reference.
    pub new: usize,
    /// Prefixes that only the older copy lists.
    pub gone: usize,
    /// Whether their entries end at other times.
    pub other_ends: bool,
}

/// One side of a copy.
struct Side<'a, 'b, B> {
    copy: &'a FeedCopy,
    /// What is left of it, ascending.
    rest: &'b [Entry<B>],
}

impl<'a> CopyDifference<'a> {
    /// From `old` to `new`; fastest where both ascend (see [`FeedCopy::ascend`]).
    pub fn between(old: &'a FeedCopy, new: &'a FeedCopy) -> Self {
        let mut difference = Self::default();
        difference.walk((old, &old.v4), (new, &new.v4));
        difference.walk((old, &old.v6), (new, &new.v6));
        difference.origins(old, new);
        difference.other_ends = (&old.ends_v4, &old.ends_v6) != (&new.ends_v4, &new.ends_v6);
        difference
    }

    /// Whether both say the same, in whatever order and lines. Ends are part of what a copy says.
    pub fn is_empty(&self) -> bool {
        self.came.is_empty() && self.went.is_empty() && !self.other_ends
    }

    fn walk<B: Bits>(
        &mut self,
        (old_copy, old): (&'a FeedCopy, &[Entry<B>]),
        (new_copy, new): (&'a FeedCopy, &[Entry<B>]),
    ) {
        let (old, new) = (ascending(old), ascending(new));
        let mut old = Side {
            copy: old_copy,
            rest: &old,
        };
        let mut new = Side {
            copy: new_copy,
            rest: &new,
        };
        loop {
            let key = match (old.rest.first(), new.rest.first()) {
                (None, None) => return,
                (Some(one), None) | (None, Some(one)) => one.key(),
                (Some(old), Some(new)) => old.key().min(new.key()),
            };
            let (before, now) = (old.take(&key), new.take(&key));
            if !by_one_reference((old.copy, before), (new.copy, now)) {
                self.one_prefix((old.copy, before), (new.copy, now));
            }
        }
    }

    /// Everything that lists one prefix, before and now.
    fn one_prefix<B: Bits>(
        &mut self,
        (old, before): (&'a FeedCopy, &[Entry<B>]),
        (new, now): (&'a FeedCopy, &[Entry<B>]),
    ) {
        let Some(one) = before.first().or(now.first()) else {
            return;
        };
        self.new += usize::from(before.is_empty());
        self.gone += usize::from(now.is_empty());
        let before: BTreeSet<&str> = before.iter().map(|entry| old.reference(entry)).collect();
        let now: BTreeSet<&str> = now.iter().map(|entry| new.reference(entry)).collect();
        let listing = |reference: &&'a str| (Item::Prefix(one.prefix().to_net()), *reference);
        self.came.extend(now.difference(&before).map(listing));
        self.went.extend(before.difference(&now).map(listing));
    }

    fn origins(&mut self, old: &'a FeedCopy, new: &'a FeedCopy) {
        let of = |copy: &'a FeedCopy| -> BTreeSet<(u32, &'a str)> {
            let named = |origin: &OriginEntry| (origin.asn, copy.origin_reference(origin));
            copy.origins.iter().map(named).collect()
        };
        let (before, now) = (of(old), of(new));
        let listing = |(asn, reference): &(u32, &'a str)| (Item::Origin(*asn), *reference);
        self.came.extend(now.difference(&before).map(listing));
        self.went.extend(before.difference(&now).map(listing));
    }
}

impl<'b, B: Bits> Side<'_, 'b, B> {
    /// Take the entries of the prefix with this key, where it is the next one.
    fn take(&mut self, key: &B::Key) -> &'b [Entry<B>] {
        let same = self.rest.iter().take_while(|entry| entry.key() == *key);
        let (taken, rest) = self.rest.split_at(same.count());
        self.rest = rest;
        taken
    }
}

/// Whether both sides list a prefix, by one reference alone: so it is with nearly every prefix.
fn by_one_reference<B: Bits>(
    (old, before): (&FeedCopy, &[Entry<B>]),
    (new, now): (&FeedCopy, &[Entry<B>]),
) -> bool {
    let ([first, ..], [_, ..]) = (before, now) else {
        return false;
    };
    let one = old.reference(first);
    // Most feeds give none, and to compare nothing with nothing is slow: memcmp(3) of an empty
    // string reads where nothing is.
    let same = |other: &str| one.len() == other.len() && (one.is_empty() || one == other);
    before.iter().all(|entry| same(old.reference(entry)))
        && now.iter().all(|entry| same(new.reference(entry)))
}

fn ascending<B: Bits>(entries: &[Entry<B>]) -> Cow<'_, [Entry<B>]> {
    if entries.is_sorted_by_key(Entry::key) {
        return Cow::Borrowed(entries);
    }
    let mut entries = entries.to_vec();
    entries.sort_by_key(Entry::key);
    Cow::Owned(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::{Prefix, Written};
    use proptest::prelude::*;

    fn copy() -> impl Strategy<Value = FeedCopy> {
        let reference = prop::sample::select(vec!["", "SBL1", "SBL2"]);
        let prefix = (0_u8..6, any::<bool>(), reference);
        let origin = (0_u32..4, prop::sample::select(vec!["", "SPAMMER"]));
        let prefixes = prop::collection::vec(prefix, 0..12);
        (prefixes, prop::collection::vec(origin, 0..4), any::<bool>()).prop_map(
            |(prefixes, origins, ascends)| {
                let mut copy = FeedCopy::default();
                for (line, (host, v6, reference)) in (1..).zip(prefixes) {
                    let written = match v6 {
                        true => Written::V6(Prefix::host(u128::from(host))),
                        false => Written::V4(Prefix::host(u32::from(host))),
                    };
                    copy.add(written, line, reference);
                }
                for (asn, reference) in origins {
                    copy.add_origin(asn, 0, reference);
                }
                if ascends {
                    copy.ascend();
                }
                copy
            },
        )
    }

    fn listed(copy: &FeedCopy) -> BTreeSet<(Item, &str)> {
        let v4 = copy
            .v4
            .iter()
            .map(|entry| (entry.prefix().to_net(), copy.reference(entry)));
        let v6 = copy
            .v6
            .iter()
            .map(|entry| (entry.prefix().to_net(), copy.reference(entry)));
        let prefixes = v4
            .chain(v6)
            .map(|(net, reference)| (Item::Prefix(net), reference));
        let origins = copy.origins.iter();
        let origins = origins.map(|one| (Item::Origin(one.asn), copy.origin_reference(one)));
        prefixes.chain(origins).collect()
    }

    proptest! {
        #[test]
        fn it_is_what_sets_of_listings_differ_in(old in copy(), new in copy()) {
            let (before, now) = (listed(&old), listed(&new));
            let difference = CopyDifference::between(&old, &new);
            let came: BTreeSet<_> = difference.came.iter().copied().collect();
            let went: BTreeSet<_> = difference.went.iter().copied().collect();
            prop_assert_eq!(&came, &now.difference(&before).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(&went, &before.difference(&now).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!((came.len(), went.len()), (difference.came.len(), difference.went.len()), "each once");
            prop_assert_eq!(difference.is_empty(), before == now);
            let prefixes = |items: &BTreeSet<(Item, &str)>| -> BTreeSet<Item> {
                let items = items.iter().map(|(item, _)| *item);
                items.filter(|item| matches!(item, Item::Prefix(_))).collect()
            };
            let (before, now) = (prefixes(&before), prefixes(&now));
            prop_assert_eq!(difference.new, now.difference(&before).count());
            prop_assert_eq!(difference.gone, before.difference(&now).count());
        }
    }
}
