//! What is there against what should be there, over the union of both. Pure.

use super::message::Installed;
use crate::prefix::{Bits, Prefix};

/// A listed prefix whose place in the table belongs to somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupied<B: Bits> {
    /// The route that stands there; it is left alone.
    pub by: Installed<B>,
}

/// What has to be done in one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference<B: Bits> {
    /// Desired and not there.
    pub add: Vec<Prefix<B>>,
    /// Ours, there, and not desired: with the metric that the kernel shows.
    pub remove: Vec<(Prefix<B>, u32)>,
    /// Ours, there and desired.
    pub keep: usize,
    /// Desired, and a route of somebody else has this prefix and metric.
    pub occupied: Vec<Occupied<B>>,
    /// Ours, there, not desired and not explained; kept because a feed has not been heard yet.
    pub unexplained: usize,
}

/// Compare. `metric` is that of our routes in this family.
///
/// `may_remove` says whether a route of ours that is not desired may go: while a feed has never
/// delivered a copy, routes left by an earlier life may be its own.
pub fn reconcile<B: Bits>(
    desired: &[Prefix<B>],
    mut installed: Vec<Installed<B>>,
    metric: u32,
    may_remove: impl Fn(&Prefix<B>) -> bool,
) -> Difference<B> {
    installed.sort_unstable_by_key(|route| (route.prefix.key(), !route.ours));
    let mut difference = Difference {
        add: Vec::new(),
        remove: Vec::new(),
        keep: 0,
        occupied: Vec::new(),
        unexplained: 0,
    };
    let mut rest = &installed[..];
    for prefix in desired {
        let before = rest.partition_point(|route| route.prefix.key() < prefix.key());
        let (passed, from_here) = rest.split_at(before);
        surplus(passed, &may_remove, &mut difference);
        let same = from_here.partition_point(|route| route.prefix == *prefix);
        let (here, after) = from_here.split_at(same);
        rest = after;
        place(*prefix, here, metric, &mut difference);
    }
    surplus(rest, &may_remove, &mut difference);
    difference
}

/// Routes to prefixes that are not desired: ours go, others are not even looked at.
fn surplus<B: Bits>(
    routes: &[Installed<B>],
    may_remove: &impl Fn(&Prefix<B>) -> bool,
    difference: &mut Difference<B>,
) {
    for route in routes.iter().filter(|route| route.ours) {
        if may_remove(&route.prefix) {
            difference.remove.push((route.prefix, route.metric));
        } else {
            difference.unexplained += 1;
        }
    }
}

/// Routes to one desired prefix.
fn place<B: Bits>(
    prefix: Prefix<B>,
    here: &[Installed<B>],
    metric: u32,
    difference: &mut Difference<B>,
) {
    let mut there = false;
    for route in here.iter().filter(|route| route.ours) {
        if route.metric == metric && !there {
            there = true;
        } else {
            // Ours with another metric: left by another configuration.
            difference.remove.push((prefix, route.metric));
        }
    }
    let in_the_way = here
        .iter()
        .find(|route| !route.ours && route.metric == metric);
    match in_the_way {
        _ if there => difference.keep += 1,
        None => difference.add.push(prefix),
        Some(route) => difference.occupied.push(Occupied { by: route.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_route::route::RouteType;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn route(addr: u32, ours: bool, metric: u32) -> Installed<u32> {
        Installed {
            prefix: Prefix::host(addr),
            metric,
            ours,
            protocol: if ours { 166 } else { 4 },
            kind: RouteType::BlackHole,
        }
    }

    #[test]
    fn a_foreign_route_to_a_listed_prefix_is_named_and_left_alone() {
        let installed = vec![route(1, false, 0), route(2, true, 0), route(3, true, 0)];
        let desired = [Prefix::host(1), Prefix::host(2), Prefix::host(4)];
        let difference = reconcile(&desired, installed, 0, |_| true);
        assert_eq!(difference.add, [Prefix::host(4)]);
        assert_eq!(difference.remove, [(Prefix::host(3), 0)]);
        assert_eq!(difference.keep, 1);
        assert_eq!(difference.occupied[0].by, route(1, false, 0));
    }

    #[test]
    fn a_foreign_route_of_another_metric_is_not_in_the_way() {
        let difference = reconcile(&[Prefix::host(1)], vec![route(1, false, 100)], 0, |_| true);
        assert_eq!(difference.add, [Prefix::host(1)]);
    }

    #[test]
    fn a_route_of_ours_with_an_older_metric_is_replaced() {
        let difference = reconcile(&[Prefix::host(1)], vec![route(1, true, 50)], 0, |_| true);
        assert_eq!(difference.add, [Prefix::host(1)]);
        assert_eq!(difference.remove, [(Prefix::host(1), 50)]);
    }

    #[test]
    fn routes_of_an_unknown_past_stay_while_a_feed_has_not_been_heard() {
        let difference = reconcile(&[], vec![route(1, true, 0), route(2, true, 0)], 0, |p| {
            *p == Prefix::host(2)
        });
        assert_eq!(difference.remove, [(Prefix::host(2), 0)]);
        assert_eq!(difference.unexplained, 1);
    }

    proptest! {
        #[test]
        fn foreign_routes_never_move_and_ours_become_the_desired_set(
            desired in prop::collection::btree_set(0_u32..30, 0..20),
            there in prop::collection::btree_set((0_u32..30, any::<bool>(), 0_u32..3), 0..40),
        ) {
            // One route a prefix and metric, as the kernel has it.
            let mut table = std::collections::BTreeMap::new();
            for (addr, ours, metric) in there {
                table.insert((addr, metric), ours);
            }
            let installed = table.iter().map(|((a, m), ours)| route(*a, *ours, *m)).collect();
            let wanted: Vec<_> = desired.iter().map(|a| Prefix::host(*a)).collect();
            let difference = reconcile(&wanted, installed, 0, |_| true);

            let foreign: BTreeSet<_> = table.iter().filter(|(_, ours)| !**ours).map(|(k, _)| *k).collect();
            for (prefix, metric) in &difference.remove {
                prop_assert!(!foreign.contains(&(prefix.first(), *metric)));
                table.remove(&(prefix.first(), *metric));
            }
            for prefix in &difference.add {
                let before = table.insert((prefix.first(), 0), true);
                prop_assert!(before.is_none(), "an add never meets a route");
            }
            let ours: BTreeSet<u32> = table.iter().filter(|(_, o)| **o).map(|((a, _), _)| *a).collect();
            let occupied: BTreeSet<u32> = difference.occupied.iter().map(|o| o.by.prefix.first()).collect();
            let placed: BTreeSet<u32> = desired.difference(&occupied).copied().collect();
            prop_assert_eq!(ours, placed);
        }
    }
}
