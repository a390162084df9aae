//! The order of the tables. A prefix is a key as text, and rows that come in the order of their
//! keys are written fastest: each page is written once.

use crate::prefix::{Bits, Prefix, Short};

/// A family whose prefixes are sorted by their text.
pub(super) trait ByText: Bits {
    /// What sorts like the text of a prefix.
    type TextKey: Ord;

    fn text_key(prefix: Prefix<Self>) -> Self::TextKey;
}

impl ByText for u32 {
    /// Octets and length by their digits.
    type TextKey = u64;

    fn text_key(prefix: Prefix<Self>) -> u64 {
        let octets = prefix.first().to_be_bytes();
        let numbers = octets.into_iter().chain([prefix.len()]);
        numbers.fold(0, |key, number| {
            (key << 11) | u64::from(DIGITS[usize::from(number)])
        })
    }
}

impl ByText for u128 {
    type TextKey = Short;

    fn text_key(prefix: Prefix<Self>) -> Short {
        prefix.text(b'/')
    }
}

/// What sorts like the digits of each octet, in less than 11 bits. What follows an octet sorts
/// before any digit.
const DIGITS: [u16; 256] = {
    let mut digits = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let [hundreds, tens, ones] = [octet / 100 + 1, octet / 10 % 10 + 1, octet % 10 + 1];
        digits[octet] = match octet {
            0..10 => ones * 121,
            10..100 => tens * 121 + ones * 11,
            _ => hundreds * 121 + tens * 11 + ones,
        } as u16;
        octet += 1;
    }
    digits
};

/// Where the items are, in the order of the texts of their prefixes.
pub(super) fn by_text<T, B: ByText>(items: &[T], prefix: impl Fn(&T) -> Prefix<B>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..items.len() as u32).collect();
    order.sort_by_cached_key(|at| B::text_key(prefix(&items[*at as usize])));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorts<B: ByText>(prefixes: Vec<Prefix<B>>) {
        let texts: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
        let order = by_text(&prefixes, |prefix| *prefix);
        let sorted: Vec<&String> = order.iter().map(|at| &texts[*at as usize]).collect();
        assert!(sorted.is_sorted(), "{sorted:?}");
        assert_eq!(sorted.len(), prefixes.len());
    }

    proptest! {
        #[test]
        fn prefixes_are_sorted_by_their_text(
            v4 in prop::collection::vec((any::<u32>(), 0_u8..=32), 0..60),
            // Few octets, so that they differ in the last ones.
            near in prop::collection::vec((0_u32..1 << 10, 0_u8..=32), 0..60),
            v6 in prop::collection::vec((any::<u128>(), 0_u8..=128), 0..60),
        ) {
            let of = |(addr, len): (u32, u8)| Prefix::new(addr, len);
            sorts(v4.into_iter().map(of).collect());
            sorts(near.into_iter().map(of).collect());
            sorts(v6.into_iter().map(|(addr, len)| Prefix::new(addr, len)).collect());
        }
    }
}
