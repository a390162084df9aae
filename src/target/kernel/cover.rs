//! Routes of ours that win over more specific ones of others inside our prefixes. Pure.
//!
//! The longest match wins before any metric, so a route of somebody else inside a prefix of ours keeps its traffic
//! flowing. Two of ours, one bit longer than it, win over it, and nothing is taken away from anybody. For a single
//! address there is nothing longer: there a better metric wins, where there is one.

use netlink_packet_route::route::RouteType;

use super::message::{Installed, Kin};
use super::reconcile::Route;
use crate::prefix::Prefix;

/// What covers, and what cannot be covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covers<B: Kin> {
    /// Routes of ours beside those of the desired prefixes, ascending. Each is inside of one of them.
    pub routes: Vec<Route<B>>,
    /// Routes of others that nothing wins over.
    pub uncovered: Vec<Installed<B>>,
}

impl<B: Kin> Default for Covers<B> {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            uncovered: Vec::new(),
        }
    }
}

/// `RTPROT_KERNEL`: the networks that the interfaces stand in.
const KERNEL: u8 = 2;

/// Whether a route of somebody else lets packets through that ours to `desired` should drop; `metric` is that of ours.
/// The kernel's own routes are left as they are: they are this machine's networks.
pub fn leaks<B: Kin>(route: &Installed<B>, desired: &[Prefix<B>], metric: u32) -> bool {
    // What is local, or goes to many, is this machine's own.
    if route.ours || route.protocol == KERNEL || route.kind != RouteType::Unicast {
        return false;
    }
    match covering(desired, &route.prefix) {
        Some(prefix) if *prefix == route.prefix => route.metric <= metric,
        covering => covering.is_some(),
    }
}

/// The prefix of `desired` (ascending, none inside another) that contains this one.
pub fn covering<'a, B: Kin>(desired: &'a [Prefix<B>], prefix: &Prefix<B>) -> Option<&'a Prefix<B>> {
    let after = desired.partition_point(|one| one.first() <= prefix.first());
    desired[..after].last().filter(|one| one.contains(prefix))
}

/// The routes that cover what leaks; `installed` is what others have at and inside the desired prefixes.
pub fn covers<'a, B: Kin>(
    desired: &[Prefix<B>],
    metric: u32,
    installed: impl Iterator<Item = &'a Installed<B>> + Clone,
) -> Covers<B> {
    let mut covers = Covers::default();
    let leaking = installed.filter(|route| leaks(route, desired, metric));
    for route in leaking.clone() {
        if let Some((low, high)) = route.prefix.halves() {
            covers.routes.extend([(low, metric), (high, metric)]);
            continue;
        }
        let better = match route.metric <= metric {
            true => route.metric.checked_sub(1),
            false => Some(metric),
        };
        // Metric 0 is none for IPv6.
        match better.filter(|better| *better > 0 || B::WIDTH == 32) {
            Some(better) => covers.routes.push((route.prefix, better)),
            None => covers.uncovered.push(route.clone()),
        }
    }
    covers.routes.sort_unstable();
    covers.routes.dedup();
    // Where another leak stands in the very place of a half, that one is covered by halves of its own.
    let mut taken: Vec<Route<B>> = leaking.map(|route| (route.prefix, route.metric)).collect();
    taken.sort_unstable();
    let is_ours = |route: &Route<B>| desired.binary_search(&route.0).is_ok() && route.1 == metric;
    covers
        .routes
        .retain(|route| taken.binary_search(route).is_err() && !is_ours(route));
    covers
}
