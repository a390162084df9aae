//! Subtraction by splitting: the rest of prefixes after holes are cut into them.

use std::sync::Arc;

use super::{Bits, Prefix, PrefixSet};

/// The most pieces one prefix may be cut into. A prefix that would need more is dropped whole:
/// otherwise a few scattered holes could grow the routing table without bound.
pub const MAX_PIECES: usize = 128;

/// The result of a subtraction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subtracted<B: Bits> {
    /// The rest, ascending, without overlap.
    pub left: Vec<Prefix<B>>,
    /// Prefixes that lost addresses and left pieces behind, or were covered whole by a hole.
    pub cut: Vec<Prefix<B>>,
    /// Prefixes dropped whole, because cutting would have taken more than [`MAX_PIECES`] pieces.
    pub dropped: Vec<Prefix<B>>,
}

/// Subtract `holes` from `from`; both are ascending and without overlap ([`aggregate`] makes them
/// so).
///
/// [`aggregate`]: super::aggregate
pub fn subtract<B: Bits>(from: &[Prefix<B>], holes: &[Prefix<B>]) -> Subtracted<B> {
    subtract_within(from, holes, MAX_PIECES)
}

/// [`subtract`] into any number of pieces: nothing is dropped whole. For holes of single addresses
/// that are bounded by count, so that the pieces are bounded, too.
pub fn cut<B: Bits>(from: &[Prefix<B>], holes: &[Prefix<B>]) -> Subtracted<B> {
    subtract_within(from, holes, usize::MAX)
}

fn subtract_within<B: Bits>(from: &[Prefix<B>], holes: &[Prefix<B>], most: usize) -> Subtracted<B> {
    let mut result = Subtracted {
        left: Vec::with_capacity(from.len()),
        cut: Vec::new(),
        dropped: Vec::new(),
    };
    let mut holes = holes;
    for prefix in from {
        // Holes are few, so for most prefixes one look at the next hole is enough.
        while let [hole, behind @ ..] = holes
            && hole.last() < prefix.first()
        {
            holes = behind;
        }
        if holes
            .first()
            .is_none_or(|hole| prefix.last() < hole.first())
        {
            result.left.push(*prefix);
            continue;
        }
        let touching = holes.partition_point(|hole| hole.first() <= prefix.last());
        let before = result.left.len();
        if split(
            *prefix,
            &holes[..touching],
            &mut result.left,
            before.saturating_add(most),
        ) {
            result.cut.push(*prefix);
        } else {
            result.left.truncate(before);
            result.dropped.push(*prefix);
        }
    }
    result
}

/// [`subtract`] for both families, if only the rest is needed.
pub fn subtract_set(from: &PrefixSet, holes: &PrefixSet) -> PrefixSet {
    PrefixSet {
        v4: rest(&from.v4, subtract(&from.v4, &holes.v4)),
        v6: rest(&from.v6, subtract(&from.v6, &holes.v6)),
    }
}

/// [`cut`] for both families, if only the rest is needed.
pub fn cut_set(from: &PrefixSet, holes: &PrefixSet) -> PrefixSet {
    PrefixSet {
        v4: rest(&from.v4, cut(&from.v4, &holes.v4)),
        v6: rest(&from.v6, cut(&from.v6, &holes.v6)),
    }
}

/// What is left of `from`, which is shared where nothing was cut out of it.
pub(crate) fn rest<B: Bits>(from: &Arc<[Prefix<B>]>, after: Subtracted<B>) -> Arc<[Prefix<B>]> {
    match after.is_whole() {
        true => from.clone(),
        false => after.left.into(),
    }
}

impl<B: Bits> Subtracted<B> {
    /// Whether nothing was cut.
    pub fn is_whole(&self) -> bool {
        self.cut.is_empty() && self.dropped.is_empty()
    }
}

/// Push the pieces of `prefix` outside `holes`; `false` if `left` would grow beyond `limit`.
fn split<B: Bits>(
    prefix: Prefix<B>,
    holes: &[Prefix<B>],
    left: &mut Vec<Prefix<B>>,
    limit: usize,
) -> bool {
    let Some(first_hole) = holes.first() else {
        left.push(prefix);
        return left.len() <= limit;
    };
    if first_hole.contains(&prefix) {
        return true;
    }
    // A hole is inside and does not cover it: the prefix has at least two addresses, so it has
    // halves.
    let Some((low, high)) = prefix.halves() else {
        return true;
    };
    let middle = holes.partition_point(|hole| hole.first() <= low.last());
    split(low, &holes[..middle], left, limit) && split(high, &holes[middle..], left, limit)
}

#[cfg(test)]
mod tests {
    use super::super::{aggregate, prefixes_of_range};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set() -> impl Strategy<Value = Vec<Prefix<u32>>> {
        prop::collection::vec((0_u32..256, 24_u8..=32), 0..20).prop_map(|raw| {
            let mut prefixes: Vec<_> = raw.into_iter().map(|(a, l)| Prefix::new(a, l)).collect();
            prefixes.sort_unstable();
            aggregate(prefixes)
        })
    }

    fn addresses(prefixes: &[Prefix<u32>]) -> BTreeSet<u32> {
        prefixes.iter().flat_map(|p| p.first()..=p.last()).collect()
    }

    proptest! {
        #[test]
        fn subtraction_leaves_nothing_protected_and_everything_else(from in set(), holes in set()) {
            let result = subtract(&from, &holes);
            let expected: BTreeSet<u32> = addresses(&from)
                .difference(&addresses(&holes))
                .copied()
                .collect();
            // 256 addresses never need more than 128 pieces: nothing is dropped here.
            prop_assert!(result.dropped.is_empty());
            prop_assert_eq!(addresses(&result.left), expected);
            prop_assert!(result.left.is_sorted());
            for cut in &result.cut {
                prop_assert!(holes.iter().any(|hole| hole.overlaps(cut)));
            }
        }
    }

    #[test]
    fn a_protected_host_in_a_listed_16_leaves_the_sixteen_pieces_around_it() {
        let listed = [Prefix::new(0xc633_0000_u32, 16)];
        let hole = [Prefix::host(0xc633_6407_u32)];
        let result = subtract(&listed, &hole);
        assert_eq!(result.left.len(), 16);
        assert_eq!(result.cut, listed);
        assert_eq!(aggregate(result.left.iter().copied()), result.left);
    }

    #[test]
    fn a_cut_of_more_than_128_pieces_drops_the_covering_prefix_and_says_so() {
        let listed = [
            Prefix::new(0x0a00_0000_u32, 16),
            Prefix::new(0x0b00_0000, 24),
        ];
        let every_other: Vec<_> = (0..200)
            .map(|i| Prefix::host(0x0a00_0000 + 2 * i))
            .collect();
        let result = subtract(&listed, &every_other);
        assert_eq!(result.left, [Prefix::new(0x0b00_0000, 24)]);
        assert_eq!(result.dropped, [Prefix::new(0x0a00_0000, 16)]);
        assert!(result.cut.is_empty());
    }

    #[test]
    fn a_cut_of_any_number_of_pieces_takes_the_holes_and_nothing_else() {
        let listed = [Prefix::new(0x0a00_0000_u32, 16)];
        let every_other: Vec<_> = (0..200)
            .map(|i| Prefix::host(0x0a00_0000 + 2 * i))
            .collect();
        let result = cut(&listed, &every_other);
        assert!(result.dropped.is_empty() && result.left.len() > MAX_PIECES);
        let left: u32 = result.left.iter().map(|p| p.last() - p.first() + 1).sum();
        assert_eq!(left, 65_536 - 200);
        assert_eq!(result.cut, listed);
    }

    #[test]
    fn a_hole_that_covers_everything_leaves_nothing() {
        let listed: Vec<_> = prefixes_of_range(5_u32, 900).collect();
        let result = subtract(&listed, &[Prefix::new(0, 0)]);
        assert!(result.left.is_empty());
        assert_eq!(result.cut.len(), listed.len());
    }
}
