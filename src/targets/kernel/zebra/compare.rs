//! The difference between the routes that zebra holds and those of the kernel. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Held;
use crate::prefix::{Bits, Prefix};
use crate::targets::kernel::message::Installed;

/// At most this many prefixes are named.
const NAMED: usize = 3;

/// Prefixes that one side lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mismatch {
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub first: Vec<String>,
}

impl Mismatch {
    /// Add the prefixes of `these` that are not among `those`. Both are ascending.
    pub fn add<B: Bits>(&mut self, these: &[Prefix<B>], those: &[Prefix<B>]) {
        for prefix in these {
            if those.binary_search(prefix).is_err() {
                self.count += 1;
                if self.first.len() < NAMED {
                    self.first.push(prefix.to_string());
                }
            }
        }
    }
}

impl fmt::Display for Mismatch {
    /// `24174 (11.10.0.1/32, 11.10.0.106/32, 11.10.0.113/32, …)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.count > self.first.len() {
            ", …"
        } else {
            ""
        };
        write!(f, "{} ({}{more})", self.count, self.first.join(", "))
    }
}

/// Routes of the kernel.
#[derive(Default)]
pub struct Kernel<B: Bits> {
    ours: Vec<Prefix<B>>,
    /// Those that drop, of any program.
    dropping: Vec<Prefix<B>>,
}

impl<B: Bits> Kernel<B> {
    /// Take in a route. The same one may come twice.
    pub fn add(&mut self, route: &Installed<B>) {
        if route.ours {
            self.ours.push(route.prefix);
        }
        if !route.forwards() {
            self.dropping.push(route.prefix);
        }
    }

    /// Add the differences between these routes and those that drop in zebra to `held`.
    pub fn compare(self, zebra: Vec<Prefix<B>>, held: &mut Held) {
        let (ours, zebra) = (ascending(self.ours), ascending(zebra));
        held.wanted += ours.len();
        held.missing.add(&ours, &zebra);
        held.ghosts.add(&zebra, &ascending(self.dropping));
    }
}

fn ascending<B: Bits>(mut prefixes: Vec<Prefix<B>>) -> Vec<Prefix<B>> {
    prefixes.sort_unstable();
    prefixes.dedup();
    prefixes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::route::{RTN_BLACKHOLE, RTN_UNICAST};

    fn route(address: u32, ours: bool, kind: u8) -> Installed<u32> {
        Installed {
            prefix: Prefix::host(address),
            metric: 0,
            ours,
            protocol: 166,
            kind,
        }
    }

    fn compared(kernel: &[Installed<u32>], zebra: &[u32]) -> Held {
        let mut held = Held::default();
        let zebra = zebra.iter().copied().map(Prefix::host).collect();
        let mut routes = Kernel::default();
        kernel.iter().for_each(|route| routes.add(route));
        routes.compare(zebra, &mut held);
        held
    }

    #[test]
    fn a_route_of_ours_is_missing_and_a_route_that_no_longer_drops_is_a_ghost() {
        let drops = RTN_BLACKHOLE;
        // 8 is another program's blackhole; 4 and 7 forward.
        let kernel = [
            route(8, false, drops),
            route(1, true, drops),
            route(2, true, drops),
            route(3, true, drops),
            route(4, false, RTN_UNICAST),
            route(7, false, RTN_UNICAST),
        ];
        let held = compared(&kernel, &[9, 3, 1, 8, 7, 9]);
        assert_eq!(held.missing.to_string(), "1 (0.0.0.2/32)");
        assert_eq!(held.ghosts.to_string(), "2 (0.0.0.7/32, 0.0.0.9/32)");
        assert_eq!(held.wanted, 3);
    }

    #[test]
    fn the_same_routes_in_another_order_do_not_differ() {
        let kernel = [1, 2].map(|address| route(address, true, RTN_BLACKHOLE));
        assert_eq!(compared(&kernel, &[2, 1]).distance(), 0);
        assert_eq!(compared(&[], &[]).distance(), 0);
    }

    #[test]
    fn the_first_of_both_families_are_named() {
        let mut held = compared(&[], &[5, 6]);
        Kernel::default().compare(vec![Prefix::host(7_u128), Prefix::host(8)], &mut held);
        assert_eq!(
            held.ghosts.to_string(),
            "4 (0.0.0.5/32, 0.0.0.6/32, ::7/128, …)"
        );
    }
}
