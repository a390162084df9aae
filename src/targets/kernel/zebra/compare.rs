//! Comparison of what zebra holds with what is installed.

use std::fmt;
use std::io;

use crate::netlink;
use crate::netlink::family::AddressFamily;
use crate::prefix::{Bits, Prefix};
use crate::targets::kernel::message::{self, Installed};
use crate::targets::kernel::{DumpFilter, Mark};

/// At most this many prefixes are named.
const NAMED: usize = 3;

/// At most this many foreign routes are kept to be looked up in the kernel: other programs may have
/// blackholes, too.
const OTHERS: usize = 250_000;

/// Prefixes that one side lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// How many there are.
    pub count: usize,
    /// There may be more: zebra holds more foreign blackholes than were kept.
    pub at_least: bool,
    /// The first of them.
    pub first: Vec<String>,
}

impl Difference {
    fn of<B: Bits>(prefixes: &[Prefix<B>]) -> Self {
        Self {
            count: prefixes.len(),
            at_least: false,
            first: prefixes
                .iter()
                .take(NAMED)
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// Add those of another family.
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.at_least |= other.at_least;
        self.first.extend(other.first);
        self.first.truncate(NAMED);
    }
}

impl fmt::Display for Difference {
    /// `24174 (11.10.0.1/32, 11.10.0.106/32, 11.10.0.113/32, …)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = if self.at_least { "at least " } else { "" };
        let more = if self.count > self.first.len() {
            ", …"
        } else {
            ""
        };
        write!(f, "{least}{} ({}{more})", self.count, self.first.join(", "))
    }
}

/// Collects what zebra holds, in any order.
pub struct Comparison<'a, B: Bits> {
    installed: &'a [Prefix<B>],
    /// Whether zebra holds each of them.
    held: Vec<bool>,
    others: Vec<Prefix<B>>,
    too_many: bool,
}

impl<'a, B: Bits> Comparison<'a, B> {
    /// Compare with these prefixes, ascending.
    pub fn new(installed: &'a [Prefix<B>]) -> Self {
        Self {
            installed,
            held: vec![false; installed.len()],
            others: Vec::new(),
            too_many: false,
        }
    }

    /// Zebra holds a kernel route that drops this prefix.
    pub fn holds(&mut self, prefix: Prefix<B>) {
        let place = self
            .installed
            .binary_search_by_key(&prefix.key(), Prefix::key);
        match place {
            Ok(at) => self.held[at] = true,
            Err(_) if self.others.len() < OTHERS => self.others.push(prefix),
            Err(_) => self.too_many = true,
        }
    }

    /// All of zebra's routes have been read.
    pub fn end(self) -> Doubt<B> {
        let lacks = self.installed.iter().zip(&self.held);
        let lacks: Vec<_> = lacks
            .filter(|(_, held)| !**held)
            .map(|(prefix, _)| *prefix)
            .collect();
        let mut others = self.others;
        others.sort_unstable_by_key(Prefix::key);
        others.dedup();
        Doubt {
            confirmed: vec![false; lacks.len()],
            lacks,
            alive: vec![false; others.len()],
            others,
            too_many: self.too_many,
        }
    }
}

/// Where zebra differs from the desired state, until the kernel is asked.
pub struct Doubt<B: Bits> {
    /// Should be installed, and zebra does not hold it; ascending.
    lacks: Vec<Prefix<B>>,
    /// Whether the kernel has each of them, as a route of ours.
    confirmed: Vec<bool>,
    /// Held by zebra, and none of ours; ascending.
    others: Vec<Prefix<B>>,
    /// Whether the kernel has each of them, as a route that drops.
    alive: Vec<bool>,
    too_many: bool,
}

impl<B: Bits> Doubt<B> {
    pub fn is_any(&self) -> bool {
        !self.lacks.is_empty() || !self.others.is_empty()
    }

    /// The kernel has this route.
    pub fn is_there(&mut self, route: &Installed<B>) {
        let find = |list: &[Prefix<B>]| list.binary_search_by_key(&route.prefix.key(), Prefix::key);
        if let Some(at) = find(&self.lacks).ok().filter(|_| route.ours) {
            self.confirmed[at] = true;
        }
        if let Some(at) = find(&self.others).ok().filter(|_| !route.forwards()) {
            self.alive[at] = true;
        }
    }

    /// How many should be installed and are not.
    pub fn not_installed(&self) -> usize {
        self.confirmed
            .iter()
            .filter(|confirmed| !**confirmed)
            .count()
    }

    /// Installed, and not held by zebra.
    pub fn missing(&self) -> Difference {
        Difference::of(&chosen(&self.lacks, &self.confirmed, true))
    }

    /// Held by zebra, and not in the kernel.
    pub fn ghosts(&self) -> Difference {
        Difference {
            at_least: self.too_many,
            ..Difference::of(&chosen(&self.others, &self.alive, false))
        }
    }
}

fn chosen<B: Bits>(prefixes: &[Prefix<B>], known: &[bool], wanted: bool) -> Vec<Prefix<B>> {
    let both = prefixes.iter().zip(known);
    let chosen = both.filter(|(_, known)| **known == wanted);
    chosen.map(|(prefix, _)| *prefix).collect()
}

/// Look up the differences in the kernel (I/O).
///
/// # Errors
/// Its routes cannot be read.
pub async fn strike_out<B: AddressFamily>(doubt: &mut Doubt<B>, mark: &Mark) -> io::Result<()> {
    let request = message::dump::<B>(DumpFilter::All, mark);
    netlink::dump(&request, Some(B::GROUP), |found| {
        if let Some(route) = message::read::<B>(found.payload, mark) {
            doubt.is_there(&route);
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::route::RouteType;

    use super::*;

    fn prefixes(addresses: impl IntoIterator<Item = u32>) -> Vec<Prefix<u32>> {
        addresses.into_iter().map(Prefix::host).collect()
    }

    fn route(address: u32, ours: bool, kind: RouteType) -> Installed<u32> {
        Installed {
            prefix: Prefix::host(address),
            metric: 0,
            ours,
            protocol: 166,
            kind,
        }
    }

    #[test]
    fn only_the_kernel_knows_what_is_missing_and_what_is_a_ghost() {
        let installed = prefixes([1, 2, 3, 4]);
        let mut comparison = Comparison::new(&installed);
        for held in [9, 3, 1, 8, 7, 9] {
            comparison.holds(Prefix::host(held));
        }
        let mut doubt = comparison.end();
        assert!(doubt.is_any());
        let drops = RouteType::BlackHole;
        // 4 should be installed, and a foreign route has its place; 8 is another program's
        // blackhole.
        for there in [
            route(1, true, drops),
            route(2, true, drops),
            route(4, false, RouteType::Unicast),
            route(7, false, RouteType::Unicast),
            route(8, false, drops),
        ] {
            doubt.is_there(&there);
        }
        assert_eq!(doubt.missing().to_string(), "1 (0.0.0.2/32)");
        assert_eq!(doubt.ghosts().to_string(), "2 (0.0.0.7/32, 0.0.0.9/32)");
        assert_eq!(doubt.not_installed(), 1);
    }

    #[test]
    fn the_same_leaves_no_doubt() {
        let installed = prefixes([1, 2]);
        let mut comparison = Comparison::new(&installed);
        for prefix in installed.iter().rev() {
            comparison.holds(*prefix);
        }
        assert!(!comparison.end().is_any());
        assert!(!Comparison::<u128>::new(&[]).end().is_any());
    }

    #[test]
    fn few_are_named_and_others_are_not_kept_without_end() {
        let mut comparison = Comparison::new(&[]);
        for address in 0..=OTHERS as u32 {
            comparison.holds(Prefix::host(address));
        }
        let ghosts = comparison.end().ghosts().to_string();
        assert_eq!(
            ghosts,
            "at least 250000 (0.0.0.0/32, 0.0.0.1/32, 0.0.0.2/32, …)"
        );
        let mut both = Difference::of(&prefixes([5, 6]));
        both.add(Difference::of(&prefixes([7, 8])));
        assert_eq!(
            both.to_string(),
            "4 (0.0.0.5/32, 0.0.0.6/32, 0.0.0.7/32, …)"
        );
    }
}
