//! Lists whose entries have numbers up to 65535.
//!
//! Many prefixes are spread over several lists, `NAME`, `NAME-2`, `NAME-3`. A list gets no more
//! than half of its numbers on the average: so few prefixes want the number of another one, and one
//! that goes moves next to none.

use crate::prefix::Prefix;
use crate::targets::file::parts::sequence::{Numbered, numbered};

/// The last number: that of the entry about all others. The entries are before it.
pub const OTHERS: u32 = 65_535;

/// The number of prefixes in a list, on average.
const SHARE: usize = 32_767;

/// Some prefixes, in as many lists as they need: one, where there are none.
pub struct Shards<'a, B> {
    name: &'a str,
    prefixes: &'a [Prefix<B>],
}

impl<'a, B: Numbered> Shards<'a, B> {
    /// Those of this name, without ours before it.
    pub fn new(name: &'a str, prefixes: &'a [Prefix<B>]) -> Self {
        Self { name, prefixes }
    }

    /// Their names, `NULLROUTED-NAME` first.
    pub fn names(&self) -> Vec<String> {
        let name = |at| match at {
            1 => format!("NULLROUTED-{}", self.name),
            at => format!("NULLROUTED-{}-{at}", self.name),
        };
        let count = self.prefixes.len().div_ceil(SHARE).max(1);
        (1..=count).map(name).collect()
    }

    pub fn prefixes(&self) -> &'a [Prefix<B>] {
        self.prefixes
    }

    /// Each prefix, in their order, with its list, counted from 0, and its number in there.
    pub fn places(&self) -> impl Iterator<Item = (usize, u32, &'a Prefix<B>)> + use<'a, B> {
        let room = OTHERS - 1;
        let count = u32::try_from(self.names().len()).unwrap_or(u32::MAX);
        let place = move |(number, prefix)| ((number / room) as usize, number % room + 1, prefix);
        numbered(self.prefixes, 0..=count.saturating_mul(room) - 1).map(place)
    }

    /// What is in each list, with its number, in their order.
    pub fn by_list(&self) -> Vec<Vec<(u32, Prefix<B>)>> {
        let mut lists = vec![Vec::new(); self.names().len()];
        for (list, number, prefix) in self.places() {
            lists[list].push((number, *prefix));
        }
        lists
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn more_prefixes_than_a_list_holds_are_in_several_and_each_has_a_number() {
        assert_eq!(Shards::<u32>::new("X", &[]).names(), ["NULLROUTED-X"]);
        for count in [32_767, 32_768, 140_000_u32] {
            let prefixes: Vec<_> = (0..count).map(|n| Prefix::host(n * 2)).collect();
            let lists = Shards::new("X", &prefixes);
            let names = lists.names();
            assert_eq!(names.len(), count.div_ceil(32_767) as usize);
            assert!(names.get(1).is_none_or(|name| name == "NULLROUTED-X-2"));
            let lists = lists.by_list();
            assert_eq!(lists.len(), names.len());
            for entries in &lists {
                let numbers: HashSet<_> = entries.iter().map(|(n, _)| n).collect();
                assert_eq!(numbers.len(), entries.len());
                assert!(numbers.into_iter().all(|n| (1..OTHERS).contains(n)));
                assert!(entries.is_sorted_by_key(|(_, prefix)| *prefix));
            }
            let entries = lists.iter().map(Vec::len);
            assert_eq!(entries.sum::<usize>(), prefixes.len());
        }
    }
}
