//! Sequence numbers that come from the prefix itself, so that one changed prefix changes one line.
//!
//! In a list of permits the order has no meaning.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::prefix::{Bits, Prefix};

/// Prefixes that suggest a number.
pub(super) trait Numbered: Bits {
    /// The number, the same whatever else is in the set.
    fn number(prefix: &Prefix<Self>) -> u32;
}

/// The address. Prefixes of the set do not overlap, so it is unique.
impl Numbered for u32 {
    fn number(prefix: &Prefix<Self>) -> u32 {
        prefix.first()
    }
}

/// 32 bits mixed from the 128 of the address (the finalizer of MurmurHash3). Of 100 000 prefixes one will have the
/// number of another, and then gets the next: it may change when the other goes.
impl Numbered for u128 {
    fn number(prefix: &Prefix<Self>) -> u32 {
        let address = prefix.first();
        let mut mixed = (address >> 64) as u64 ^ (address as u64).rotate_left(32);
        mixed ^= mixed >> 33;
        mixed = mixed.wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^= mixed >> 33;
        mixed = mixed.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        (mixed >> 32) as u32
    }
}

/// The prefixes with their numbers, each of `free` and each another one: what the prefix suggests, or the next free.
pub(super) fn numbered<B: Numbered>(
    prefixes: &[Prefix<B>],
    free: RangeInclusive<u32>,
) -> impl Iterator<Item = (u32, &Prefix<B>)> {
    let (first, last) = free.into_inner();
    let mut taken = HashSet::with_capacity(prefixes.len());
    prefixes.iter().map(move |prefix| {
        let mut number = B::number(prefix).clamp(first, last);
        while !taken.insert(number) {
            number = if number == last { first } else { number + 1 };
        }
        (number, prefix)
    })
}
