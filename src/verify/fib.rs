//! The part of the kernel's routes that matters for the set in force: small, however large the
//! table is. Pure.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::route::{Fate, Kept};
use crate::netlink::family::AddressFamily;
use crate::netlink::route::Route;
use crate::prefix::Prefix;
use crate::targets::kernel::Mark;

/// The routes of one family, collected during a dump.
#[derive(Clone, Debug)]
pub struct Fib<'a, B: AddressFamily> {
    /// The set in force: ascending, without overlap.
    pub prefixes: &'a [Prefix<B>],
    mark: Mark,
    /// Tables in which a covering route matters: those that are looked up before ours; and ours, if
    /// it has routes that hide ours.
    tables: &'a BTreeSet<u32>,
    /// The metric of our route to each prefix, if it is present.
    pub present: Vec<Option<u32>>,
    /// Routes inside a prefix, equal to one, or covering one: by prefix, then in the order of their
    /// table.
    pub routes: Vec<Kept<B>>,
    /// The number of routes of ours in this family, wanted or not.
    pub ours: usize,
}

impl<'a, B: AddressFamily> Fib<'a, B> {
    /// An empty one.
    pub fn new(prefixes: &'a [Prefix<B>], mark: Mark, tables: &'a BTreeSet<u32>) -> Self {
        Self {
            prefixes,
            mark,
            tables,
            present: vec![None; prefixes.len()],
            routes: Vec::new(),
            ours: 0,
        }
    }

    /// Take in a route of the dump.
    pub fn see(&mut self, message: &[u8]) {
        if let Some(seen) = Route::read(message).filter(Route::is_found) {
            self.take(seen, message);
        }
    }

    /// The same for a route that is already parsed.
    pub fn take(&mut self, seen: Route<B>, message: &[u8]) {
        let in_our_table = seen.table == self.mark.table;
        if !in_our_table && !self.tables.contains(&seen.table) {
            return;
        }
        let at = self.over(seen.prefix.first());
        let inside = at.filter(|at| self.prefixes[*at].contains(&seen.prefix));
        let is_ours = seen.is_ours(&self.mark);
        self.ours += usize::from(is_ours);
        let mut behind_ours = false;
        match inside {
            Some(at) if self.prefixes[at] == seen.prefix => {
                let present = &mut self.present[at];
                if is_ours {
                    let lowest = present.map_or(seen.metric, |metric| metric.min(seen.metric));
                    *present = Some(lowest);
                    return;
                }
                behind_ours = in_our_table && *present == Some(seen.metric);
            }
            Some(_) => {}
            // A covering route in our own table does not matter: ours wins unless a route hides it.
            None if !self.tables.contains(&seen.table) => return,
            None if !self.covers(&seen.prefix) => return,
            None => {}
        }
        self.routes.push(Kept {
            route: seen,
            behind_ours,
            message: message.into(),
        });
    }

    /// Sort the routes after the dump.
    pub fn sort(&mut self) {
        // A stable sort: of routes with the same metric the first in the dump wins.
        self.routes.sort_by_key(|route| {
            let route = &route.route;
            (
                route.prefix.key(),
                route.table,
                Reverse(route.tos),
                route.metric,
            )
        });
    }

    /// Whether our table has a `throw` route: then the rules after it matter.
    pub fn throws(&self) -> bool {
        let mut routes = self.routes.iter().map(|route| &route.route);
        routes.any(|seen| seen.table == self.mark.table && seen.fate() == Fate::Throws)
    }

    /// Whether a route by source to the same prefix can hide ours within our table.
    pub fn hides(&self) -> bool {
        let mut routes = self.routes.iter().map(|route| &route.route);
        routes.any(|seen| {
            let same = self
                .prefixes
                .binary_search_by_key(&seen.prefix.key(), Prefix::key);
            seen.table == self.mark.table && seen.source.is_some() && same.is_ok()
        })
    }

    /// The only prefix that may contain this address.
    fn over(&self, address: B) -> Option<usize> {
        let after = self
            .prefixes
            .partition_point(|prefix| prefix.first() <= address);
        after.checked_sub(1)
    }

    /// Whether this prefix contains one of the prefixes in force.
    fn covers(&self, prefix: &Prefix<B>) -> bool {
        let next = self
            .prefixes
            .partition_point(|one| one.first() < prefix.first());
        self.prefixes
            .get(next)
            .is_some_and(|one| prefix.contains(one))
    }
}
