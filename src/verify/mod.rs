//! Checks whether packets to the set in force are really dropped. The kernel looks up sample
//! addresses, and its FIB is read for the causes of leaks.
//!
//! ```text
//!  set in force ──┬── addresses (pure) ───────── RTM_GETROUTE, packed ──► answers ──┐
//!                 │                                                                 ├─ agree? ──► report
//!                 └── rules, routes (dumps) ──► order, walk, leaks (pure) ──► leaks ┘
//! ```
//!
//! The kernel's own algorithm is in `net/core/fib_rules.c` (`fib_rules_lookup`: rules by priority),
//! `net/ipv4/fib_trie.c` (`fib_table_lookup`) and `net/ipv6/route.c` (`ip6_pol_route`): longest
//! match, then the lowest metric, then the order in which the table lists the routes, with the
//! details of each family in `lookup`. `walk` does the same for every kind of packet that rules and
//! routes distinguish. Only `ask` and `read` do I/O.

mod answer;
mod ask;
mod cure;
mod fault;
mod fib;
mod finding;
mod leaks;
mod lookup;
mod order;
mod packets;
mod print;
mod probes;
mod read;
mod report;
mod route;
mod select;
mod walk;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use ask::{drops, verify};
