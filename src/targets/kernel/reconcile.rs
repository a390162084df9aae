//! Comparison of the present routes with the desired ones, over the union of both. Pure.

use super::message::Installed;
use crate::prefix::{Bits, Prefix};

/// A route of ours: its prefix and its metric.
pub type RouteId<B> = (Prefix<B>, u32);

/// A desired prefix whose place in the table has a foreign route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupied<B: Bits> {
    /// The foreign route; it is left alone.
    pub by: Installed<B>,
}

/// The changes needed in one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference<B: Bits> {
    /// Desired and not present.
    pub add: Vec<RouteId<B>>,
    /// Ours, present, and not desired, with the metric that the kernel shows.
    pub remove: Vec<RouteId<B>>,
    /// Ours, present and desired.
    pub keep: usize,
    /// Desired, and a foreign route has this prefix and metric.
    pub occupied: Vec<Occupied<B>>,
    /// Ours, present, not desired and not explained; kept because a feed has not been read yet.
    pub unexplained: usize,
}

impl<B: Bits> Difference<B> {
    /// No change; `keep` routes are as desired.
    pub fn none(keep: usize) -> Self {
        Self {
            add: Vec::new(),
            remove: Vec::new(),
            keep,
            occupied: Vec::new(),
            unexplained: 0,
        }
    }
}

/// Compare. `desired` is ascending, and so is `installed` by [`Installed::key`].
///
/// `may_remove` says whether a route of ours that is not desired may be removed: until every feed
/// has delivered a copy, routes from before this ledger may belong to a feed that has not. A route
/// to a desired prefix with another metric is always removed.
pub fn reconcile<B: Bits>(
    desired: impl IntoIterator<Item = RouteId<B>>,
    installed: &[Installed<B>],
    may_remove: impl Fn(&Prefix<B>) -> bool,
) -> Difference<B> {
    let key = |(prefix, metric): &RouteId<B>| (prefix.key(), *metric);
    let mut difference = Difference::none(0);
    let mut installed = installed.iter().peekable();
    let mut last: Option<Prefix<B>> = None;
    for route in desired {
        let at = key(&route);
        let is_desired = |prefix: Prefix<B>, last| prefix == route.0 || Some(prefix) == last;
        while let Some(before) = installed.next_if(|one| key(&(one.prefix, one.metric)) < at) {
            let free = is_desired(before.prefix, last) || may_remove(&before.prefix);
            difference.surplus(before, free);
        }
        last = Some(route.0);
        let Some(here) = installed.next_if(|one| (one.prefix, one.metric) == route) else {
            difference.add.push(route);
            continue;
        };
        match here.ours {
            true => difference.keep += 1,
            false => difference.occupied.push(Occupied { by: here.clone() }),
        }
        // IPv6 may have several routes with one prefix and metric: foreign ones in addition to
        // ours, which sort after it.
        while installed
            .next_if(|one| (one.prefix, one.metric) == route)
            .is_some()
        {}
    }
    for rest in installed {
        let free = Some(rest.prefix) == last || may_remove(&rest.prefix);
        difference.surplus(rest, free);
    }
    difference
}

impl<B: Bits> Difference<B> {
    /// A route that is not desired: ours is removed if it is `free` to be, foreign ones are
    /// skipped.
    fn surplus(&mut self, route: &Installed<B>, free: bool) {
        match (route.ours, free) {
            (false, _) => {}
            (true, true) => self.remove.push((route.prefix, route.metric)),
            (true, false) => self.unexplained += 1,
        }
    }

    /// The part of it that stops dropping addresses: removed routes that are not inside an added
    /// one, and added routes inside those, for the space that stays.
    pub fn removals(&self) -> Self {
        let routes = |these: &[RouteId<B>], inside: &mut dyn FnMut(&Prefix<B>) -> bool| {
            let routes = these.iter().filter(|(prefix, _)| inside(prefix));
            routes.copied().collect::<Vec<_>>()
        };
        let mut is_joined = inside_of(&self.add);
        let remove = routes(&self.remove, &mut |prefix| !is_joined(prefix));
        let add = routes(&self.add, &mut inside_of(&remove));
        Self {
            add,
            remove,
            ..Self::none(0)
        }
    }

    /// How many routes are added and removed.
    pub fn changes(&self) -> usize {
        self.add.len() + self.remove.len()
    }
}

/// Whether prefixes, passed in ascending order, are inside of one of these, which are ascending,
/// too.
fn inside_of<B: Bits>(these: &[RouteId<B>]) -> impl FnMut(&Prefix<B>) -> bool {
    let mut these = these.iter().map(|(prefix, _)| prefix).peekable();
    // Of those that begin no later, the one that ends last.
    let mut widest: Option<&Prefix<B>> = None;
    move |prefix| {
        while let Some(next) = these.next_if(|next| next.first() <= prefix.first()) {
            if widest.is_none_or(|widest| widest.last() < next.last()) {
                widest = Some(next);
            }
        }
        widest.is_some_and(|widest| widest.last() >= prefix.last())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn route(addr: u32, ours: bool, metric: u32) -> Installed<u32> {
        Installed {
            prefix: Prefix::host(addr),
            metric,
            ours,
            protocol: if ours { 166 } else { 4 },
            kind: crate::netlink::route::RTN_BLACKHOLE,
        }
    }

    fn against(desired: &[u32], installed: &[Installed<u32>]) -> Difference<u32> {
        let desired = desired.iter().map(|addr| (Prefix::host(*addr), 0));
        reconcile(desired, installed, |_| true)
    }

    #[test]
    fn a_foreign_route_to_a_listed_prefix_is_named_and_left_alone() {
        let installed = [route(1, false, 0), route(2, true, 0), route(3, true, 0)];
        let difference = against(&[1, 2, 4], &installed);
        assert_eq!(difference.add, [(Prefix::host(4), 0)]);
        assert_eq!(difference.remove, [(Prefix::host(3), 0)]);
        assert_eq!(difference.keep, 1);
        assert_eq!(difference.occupied[0].by, route(1, false, 0));
    }

    #[test]
    fn a_foreign_route_of_another_metric_is_not_in_the_way() {
        let difference = against(&[1], &[route(1, false, 100)]);
        assert_eq!(difference.add, [(Prefix::host(1), 0)]);
    }

    #[test]
    fn a_route_of_ours_with_an_older_metric_is_replaced() {
        for metric in [50, 0] {
            let desired = [(Prefix::host(1), 50 - metric)];
            let difference = reconcile(desired, &[route(1, true, metric)], |_| false);
            assert_eq!(difference.add, desired);
            assert_eq!(difference.remove, [(Prefix::host(1), metric)]);
        }
    }

    #[test]
    fn ours_beside_a_foreign_route_of_the_same_metric_is_kept() {
        let difference = against(&[1], &[route(1, true, 0), route(1, false, 0)]);
        assert_eq!(difference.keep, 1);
        assert_eq!(difference.occupied, []);
        assert_eq!(difference.changes(), 0);
    }

    #[test]
    fn routes_of_an_unknown_past_stay_while_a_feed_has_not_been_heard() {
        let installed = [route(1, true, 0), route(2, true, 0)];
        let difference = reconcile([], &installed, |p| *p == Prefix::host(2));
        assert_eq!(difference.remove, [(Prefix::host(2), 0)]);
        assert_eq!(difference.unexplained, 1);
    }

    #[test]
    fn the_part_that_takes_away_has_what_stays_of_it_and_nothing_else() {
        let net = |text: &str| -> (Prefix<u32>, u32) {
            let (address, length) = text.split_once('/').unwrap();
            let address: std::net::Ipv4Addr = address.parse().unwrap();
            (Prefix::new(address.into(), length.parse().unwrap()), 0)
        };
        let nets = |texts: &[&str]| texts.iter().map(|text| net(text)).collect::<Vec<_>>();
        let difference = Difference {
            add: nets(&[
                "10.0.0.0/8",
                "50.0.0.0/23",
                "72.37.186.0/29",
                "72.37.187.0/24",
                "99.0.0.0/8",
            ]),
            remove: nets(&[
                "50.0.0.0/24",
                "50.0.1.0/24",
                "72.37.186.0/23",
                "72.37.186.8/32",
                "98.0.0.0/8",
            ]),
            keep: 7,
            occupied: Vec::new(),
            unexplained: 1,
        };
        let part = difference.removals();
        assert_eq!(part.add, nets(&["72.37.186.0/29", "72.37.187.0/24"]));
        // Two that are joined leave no gap: they are removed when the joined one is added.
        assert_eq!(part.remove, difference.remove[2..]);
        assert_eq!((part.keep, part.unexplained), (0, 0));
    }

    proptest! {
        #[test]
        fn foreign_routes_never_move_and_ours_become_the_desired_set(
            desired in prop::collection::btree_set(0_u32..30, 0..20),
            there in prop::collection::btree_set((0_u32..30, any::<bool>(), 0_u32..3), 0..40),
        ) {
            // One route for each prefix and metric, as in the kernel.
            let mut table = std::collections::BTreeMap::new();
            for (addr, ours, metric) in there {
                table.insert((addr, metric), ours);
            }
            let installed: Vec<_> = table.iter().map(|((a, m), ours)| route(*a, *ours, *m)).collect();
            let wanted: Vec<_> = desired.iter().copied().collect();
            let difference = against(&wanted, &installed);

            let foreign: BTreeSet<_> = table.iter().filter(|(_, ours)| !**ours).map(|(k, _)| *k).collect();
            for (prefix, metric) in &difference.remove {
                prop_assert!(!foreign.contains(&(prefix.first(), *metric)));
                table.remove(&(prefix.first(), *metric));
            }
            for (prefix, metric) in &difference.add {
                let before = table.insert((prefix.first(), *metric), true);
                prop_assert!(before.is_none(), "an add never meets a route");
            }
            let ours: BTreeSet<u32> = table.iter().filter(|(_, o)| **o).map(|((a, _), _)| *a).collect();
            let occupied: BTreeSet<u32> = difference.occupied.iter().map(|o| o.by.prefix.first()).collect();
            let placed: BTreeSet<u32> = desired.difference(&occupied).copied().collect();
            prop_assert_eq!(ours, placed);
        }
    }
}
