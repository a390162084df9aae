//! Sequence numbers that come from the prefix itself, so that one changed prefix changes one line.
//!
//! In a list of permits the order has no meaning.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::prefix::{Bits, Prefix};

/// Prefixes that suggest a number.
pub trait Numbered: Bits {
    /// The number, the same whatever else is in the set.
    fn number(prefix: &Prefix<Self>) -> u32;
}

/// The address in the middle of the prefix: another one for each, also where one is inside of
/// another. A host and the /31 around it would share one.
impl Numbered for u32 {
    fn number(prefix: &Prefix<Self>) -> u32 {
        let half = (1_u32 << 31).checked_shr(prefix.len().into());
        prefix.first() | half.unwrap_or(0)
    }
}

/// 32 bits mixed from the 128 of the address and the length (the finalizer of MurmurHash3). Of 100
/// 000 prefixes one will have the number of another, and then gets the next: it may change when the
/// other goes.
impl Numbered for u128 {
    fn number(prefix: &Prefix<Self>) -> u32 {
        let address = prefix.first();
        let bits = (address >> 64) as u64 ^ (address as u64).rotate_left(32);
        // Far apart: else the bits of the length are those of an address.
        let len = u64::from(prefix.len()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed(bits.wrapping_add(len))
    }
}

fn mixed(mut bits: u64) -> u32 {
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (bits >> 32) as u32
}

/// The prefixes with their numbers, each of `free` and each another one: what the prefix suggests,
/// or the next free. There are more numbers than prefixes. Where they are fewer than addresses, a
/// prefix suggests a place among them.
pub fn numbered<B: Numbered>(
    prefixes: &[Prefix<B>],
    free: RangeInclusive<u32>,
) -> impl Iterator<Item = (u32, &Prefix<B>)> {
    let (first, last) = free.into_inner();
    let is_narrow = last - first < u32::MAX / 2;
    let suggested = move |prefix: &Prefix<B>| match B::number(prefix) {
        number if is_narrow => first + mixed(number.into()) % (last - first + 1),
        number => number.clamp(first, last),
    };
    // Those that ascend are each another one: then nothing needs to be remembered.
    let ascend = |pair: &[Prefix<B>]| suggested(&pair[0]) < suggested(&pair[1]);
    let mut taken = match prefixes.windows(2).all(ascend) {
        true => Taken::Ascending,
        false if is_narrow => Taken::Flags(vec![false; (last - first) as usize + 1]),
        false => Taken::shared(prefixes.iter().map(suggested).collect()),
    };
    prefixes.iter().map(move |prefix| {
        let mut number = suggested(prefix);
        let mut is_suggested = true;
        while !taken.take(number, first, is_suggested) {
            number = if number == last { first } else { number + 1 };
            is_suggested = false;
        }
        (number, prefix)
    })
}

/// Which numbers are taken.
enum Taken {
    /// Those before.
    Ascending,
    /// A flag a number, counted from the first: where there are few.
    Flags(Vec<bool>),
    /// Where there are many, next to none is suggested twice: only those are remembered, and what
    /// was taken in their place.
    Shared {
        /// All that are suggested, ascending.
        suggested: Vec<u32>,
        /// Those of them that several prefixes suggest.
        twice: HashSet<u32>,
        /// Those of `twice` that are taken, and those taken instead, which no prefix suggests.
        taken: HashSet<u32>,
    },
}

impl Taken {
    fn shared(mut suggested: Vec<u32>) -> Self {
        suggested.sort_unstable();
        let pairs = suggested.windows(2).filter(|pair| pair[0] == pair[1]);
        let twice = pairs.map(|pair| pair[0]).collect();
        Self::Shared {
            suggested,
            twice,
            taken: HashSet::new(),
        }
    }

    /// False if it was taken before, or is to be left to a prefix that suggests it.
    fn take(&mut self, number: u32, first: u32, is_suggested: bool) -> bool {
        match self {
            Self::Ascending => true,
            Self::Flags(flags) => !std::mem::replace(&mut flags[(number - first) as usize], true),
            Self::Shared { twice, .. } if is_suggested && !twice.contains(&number) => true,
            Self::Shared { taken, .. } if is_suggested => taken.insert(number),
            Self::Shared {
                suggested, taken, ..
            } => suggested.binary_search(&number).is_err() && taken.insert(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn numbers_are_within_what_is_free_and_each_another_one() {
        let numbers = |addresses: &[u32]| -> Vec<u32> {
            let prefixes: Vec<_> = addresses.iter().map(|&addr| Prefix::host(addr)).collect();
            numbered(&prefixes, 2..=u32::MAX - 1)
                .map(|(number, _)| number)
                .collect()
        };
        assert_eq!(numbers(&[1 << 24, 5 << 24]), [1 << 24, 5 << 24]);
        assert_eq!(numbers(&[0, 1, 2]), [2, 3, 4]);
        assert_eq!(numbers(&[7, u32::MAX - 1, u32::MAX]), [7, u32::MAX - 1, 2]);
        // The third is left to whom it is for.
        assert_eq!(numbers(&[0, 1, 3, 4]), [2, 5, 3, 4]);
        let v6: Vec<_> = (0..2_000_u128).map(|n| Prefix::new(n << 64, 64)).collect();
        let all: HashSet<u32> = numbered(&v6, 2..=3_000).map(|(number, _)| number).collect();
        assert_eq!(all.len(), v6.len());
        assert!(all.iter().all(|number| (2..=3_000).contains(number)));
    }

    #[test]
    fn whoever_suggests_a_number_alone_has_it() {
        let prefixes: Vec<_> = (0..300_000_u128)
            .map(|n| Prefix::new(0x2001_0db8 << 96 | n << 72, 56))
            .collect();
        let mut suggesting = HashMap::new();
        for prefix in &prefixes {
            *suggesting.entry(u128::number(prefix)).or_insert(0) += 1;
        }
        let twice = suggesting.values().filter(|count| **count > 1).count();
        assert!(twice > 0, "none of them would be tested");
        let numbered: Vec<_> = numbered(&prefixes, 0..=u32::MAX).collect();
        let numbers: HashSet<u32> = numbered.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers.len(), prefixes.len());
        let moved = numbered
            .iter()
            .filter(|(number, prefix)| *number != u128::number(prefix));
        assert_eq!(moved.count(), prefixes.len() - suggesting.len());
        for (number, prefix) in &numbered {
            let suggested = u128::number(prefix);
            assert!(*number == suggested || suggesting[&suggested] > 1);
        }
    }

    /// A router refuses a number with another prefix, or forgets the one that had it.
    #[test]
    fn a_prefix_has_another_number_than_what_covers_it() {
        let covers = |prefix: Prefix<u32>| std::iter::successors(Some(prefix), Prefix::parent);
        let nested: Vec<_> = covers(Prefix::new(0xc633_6400, 31)).collect();
        let numbers: HashSet<_> = nested.iter().map(u32::number).collect();
        assert_eq!(numbers.len(), 32);
        assert_eq!(u32::number(&Prefix::new(0xc633_6400, 24)), 0xc633_6480);
        let covers = |prefix: Prefix<u128>| std::iter::successors(Some(prefix), Prefix::parent);
        for address in [0x2001_0db8 << 96, 0x2001_0db8 << 96 | 0x68 << 64 | 1] {
            let nested: Vec<_> = covers(Prefix::new(address, 128)).collect();
            let numbers: HashSet<_> = nested.iter().map(u128::number).collect();
            assert_eq!(numbers.len(), 129);
        }
    }

    #[test]
    fn few_numbers_are_spread_and_one_prefix_less_moves_next_to_none() {
        let prefixes: Vec<_> = (0..2_000_u32)
            .map(|n| Prefix::new(0x4800_0000 + (n << 8), 24))
            .collect();
        let numbers = |prefixes: &[Prefix<u32>]| -> HashSet<(u32, u32)> {
            let numbered = numbered(prefixes, 1..=65_534);
            let numbers: HashSet<_> = numbered.map(|(n, prefix)| (n, prefix.first())).collect();
            assert!(numbers.iter().all(|(n, _)| (1..=65_534).contains(n)));
            numbers
        };
        let all = numbers(&prefixes);
        assert_eq!(
            all.iter().map(|(n, _)| n).collect::<HashSet<_>>().len(),
            2_000
        );
        let free = |&&(number, address): &&(u32, u32)| {
            let prefix = Prefix::new(address, 24);
            number == 1 + mixed(u32::number(&prefix).into()) % 65_534
        };
        assert!(all.iter().filter(free).count() > 1_900);
        let moved = (0..2_000).map(|gone| {
            let mut fewer = prefixes.clone();
            fewer.remove(gone);
            numbers(&fewer).difference(&all).count()
        });
        assert!(moved.step_by(80).sum::<usize>() <= 3);
    }
}
