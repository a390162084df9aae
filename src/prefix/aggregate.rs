//! Exact aggregation: the fewest prefixes with the same addresses.

use super::{Bits, Prefix};

/// Aggregate prefixes in ascending order into the fewest that cover the same addresses, in
/// ascending order and without overlap.
///
/// The caller sorts (by [`Prefix::key`]); an unsorted input is a bug that debug builds catch.
pub fn aggregate<B: Bits>(ascending: impl IntoIterator<Item = Prefix<B>>) -> Vec<Prefix<B>> {
    let mut joined = Aggregate::default();
    ascending.into_iter().for_each(|prefix| joined.push(prefix));
    joined.finish()
}

/// [`aggregate`], one prefix at a time.
///
/// One pass with a stack: what the top covers is skipped; two halves of one parent become the
/// parent, repeatedly. Nothing is ever covered that was not covered before.
#[derive(Debug)]
pub struct Aggregate<B: Bits> {
    stack: Vec<Prefix<B>>,
}

impl<B: Bits> Default for Aggregate<B> {
    fn default() -> Self {
        Self { stack: Vec::new() }
    }
}

impl<B: Bits> Aggregate<B> {
    /// Add a prefix; none may sort before an earlier one.
    #[inline]
    pub fn push(&mut self, prefix: Prefix<B>) {
        let stack = &mut self.stack;
        if let Some(top) = stack.last() {
            debug_assert!(
                top.first() <= prefix.first(),
                "unsorted: {prefix} after {top}"
            );
            if top.contains(&prefix) {
                return;
            }
        }
        let mut joined = prefix;
        while let (Some(below), Some(parent)) = (stack.last(), joined.parent()) {
            // `below` ends before `joined` starts, so all but the last bit in common means the two
            // halves of one.
            let (len, common) = (joined.len(), below.first().common_len(joined.first()));
            if below.len() != len || common < len - 1 {
                break;
            }
            stack.pop();
            joined = parent;
        }
        stack.push(joined);
    }

    /// The fewest prefixes that cover what was added.
    pub fn finish(self) -> Vec<Prefix<B>> {
        self.stack
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// A small space, so that random prefixes nest, touch and repeat: the last eight bits.
    pub(crate) fn small_prefixes() -> impl Strategy<Value = Vec<Prefix<u32>>> {
        prop::collection::vec((0_u32..256, 24_u8..=32), 0..40)
            .prop_map(|raw| raw.into_iter().map(|(a, l)| Prefix::new(a, l)).collect())
    }

    fn addresses(prefixes: &[Prefix<u32>]) -> BTreeSet<u32> {
        prefixes.iter().flat_map(|p| p.first()..=p.last()).collect()
    }

    proptest! {
        #[test]
        fn aggregation_covers_exactly_what_was_listed(mut prefixes in small_prefixes()) {
            let before = addresses(&prefixes);
            prefixes.sort_unstable();
            let after = aggregate(prefixes);
            prop_assert_eq!(&addresses(&after), &before);
            let separate: usize = after.iter().map(|p| (p.last() - p.first()) as usize + 1).sum();
            prop_assert_eq!(separate, before.len(), "no address twice");
            prop_assert!(after.is_sorted());
        }

        #[test]
        fn aggregation_is_minimal(mut prefixes in small_prefixes()) {
            prefixes.sort_unstable();
            let after = aggregate(prefixes);
            for pair in after.windows(2) {
                prop_assert!(pair[0].parent() != pair[1].parent());
            }
            prop_assert_eq!(&aggregate(after.clone()), &after);
        }
    }

    #[test]
    fn two_halves_of_everything_become_everything() {
        let halves = [Prefix::new(0_u32, 1), Prefix::new(1 << 31, 1)];
        assert_eq!(aggregate(halves), [Prefix::new(0, 0)]);
    }
}
