//! Conversion of a range of addresses to the fewest prefixes that cover exactly this range.

use super::{Bits, Prefix};

/// The fewest prefixes that cover `first..=last` and nothing else, in ascending order.
///
/// There are none if `last` is before `first`, and at most `2 * B::WIDTH - 2`. They are made one by
/// one: the prefixes of a range are counted before any of them is kept.
pub fn prefixes_of_range<B: Bits>(first: B, last: B) -> impl Iterator<Item = Prefix<B>> {
    let mut next = Some(first);
    std::iter::from_fn(move || {
        let at = next.filter(|at| *at <= last)?;
        // The widest prefix that starts here, narrowed until it ends inside the range.
        let mut len = B::WIDTH - at.trailing_zeros().min(B::WIDTH);
        while Prefix::new(at, len).last() > last {
            len += 1;
        }
        let prefix = Prefix::new(at, len);
        next = prefix.last().next();
        Some(prefix)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(first: u32, last: u32) -> Vec<String> {
        prefixes_of_range(first, last)
            .map(|prefix| prefix.to_string())
            .collect()
    }

    #[test]
    fn a_range_becomes_the_fewest_prefixes_that_cover_exactly_it() {
        assert_eq!(shown(0xc000_0200, 0xc000_03ff), ["192.0.2.0/23"]);
        assert_eq!(
            shown(0xc000_0200, 0xc000_0209),
            ["192.0.2.0/29", "192.0.2.8/31"]
        );
        assert_eq!(shown(7, 7), ["0.0.0.7/32"]);
        assert!(shown(9, 8).is_empty());
    }

    #[test]
    fn the_ends_of_the_space_are_reached() {
        assert_eq!(shown(0, u32::MAX), ["0.0.0.0/0"]);
        assert_eq!(prefixes_of_range(0_u128, u128::MAX).count(), 1);
        assert_eq!(prefixes_of_range(1_u128, u128::MAX - 1).count(), 254);
    }
}
