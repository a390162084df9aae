//! Routes of ours that win over more specific routes of others inside our prefixes. Pure.
//!
//! The longest match wins before any metric, so a foreign route inside a prefix of ours keeps its
//! traffic flowing. Two routes of ours, one bit longer than it, win over it, and no route of
//! another program is changed. Nothing is longer than a route to a single address: there a better
//! metric wins, if there is one.

use super::message::Installed;
use super::reconcile::RouteId;
use crate::netlink::family::AddressFamily;
use crate::netlink::route::{RTN_UNICAST, RTPROT_KERNEL};
use crate::prefix::{Prefix, covering};

/// Routes that cover foreign ones, and foreign routes that cannot be covered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covers<B: AddressFamily> {
    /// Routes of ours in addition to those of the desired prefixes, ascending. Each is inside of a
    /// desired prefix.
    pub routes: Vec<RouteId<B>>,
    /// Foreign routes that no route of ours wins over.
    pub uncovered: Vec<Installed<B>>,
}

/// What of ours wins over a foreign route at or inside a prefix of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover<B: AddressFamily> {
    /// Two routes that are one bit longer than it, with the metric of ours.
    Halves(Prefix<B>, Prefix<B>),
    /// One route to the same address, with this metric.
    Metric(u32),
}

/// Why a foreign route is not covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCovered {
    /// It is the kernel's own route for an interface: a network of this machine.
    Kernel,
    /// It is not unicast. Local, broadcast and multicast routes belong to this machine, and a
    /// `throw` route was set on purpose.
    Kind,
    /// It is to a single address and has the best metric possible.
    Best,
}

/// What wins over this foreign route; `metric` is that of our routes. The place of the route is not
/// checked here: see `leaks`.
///
/// # Errors
/// Why no cover is made for it.
pub fn cover<B: AddressFamily>(route: &Installed<B>, metric: u32) -> Result<Cover<B>, NotCovered> {
    if let Some(why) = spared(route) {
        return Err(why);
    }
    if let Some((low, high)) = route.prefix.halves() {
        return Ok(Cover::Halves(low, high));
    }
    let better = match route.metric <= metric {
        true => route.metric.checked_sub(1),
        false => Some(metric),
    };
    // Metric 0 is no metric for IPv6.
    let better = better.filter(|better| *better > 0 || B::WIDTH == 32);
    better.map(Cover::Metric).ok_or(NotCovered::Best)
}

/// Why a route is left as it is, if it is.
fn spared<B: AddressFamily>(route: &Installed<B>) -> Option<NotCovered> {
    match (route.protocol, route.kind) {
        (_, kind) if kind != RTN_UNICAST => Some(NotCovered::Kind),
        (RTPROT_KERNEL, _) => Some(NotCovered::Kernel),
        _ => None,
    }
}

/// Whether a foreign route forwards packets that our routes to `desired` should drop, and is not
/// one of those that are left as they are. `metric` is that of our routes.
pub fn leaks<B: AddressFamily>(route: &Installed<B>, desired: &[Prefix<B>], metric: u32) -> bool {
    if route.ours || spared(route).is_some() {
        return false;
    }
    match covering(desired, &route.prefix) {
        Some(prefix) if *prefix == route.prefix => route.metric <= metric,
        covering => covering.is_some(),
    }
}

/// The routes that cover the leaks; `installed` holds the foreign routes at and inside the desired
/// prefixes.
pub fn covers<'a, B: AddressFamily>(
    desired: &[Prefix<B>],
    metric: u32,
    installed: impl Iterator<Item = &'a Installed<B>> + Clone,
) -> Covers<B> {
    let mut covers = Covers::default();
    let leaking = installed.filter(|route| leaks(route, desired, metric));
    for route in leaking.clone() {
        match cover(route, metric) {
            Ok(Cover::Halves(low, high)) => covers.routes.extend([(low, metric), (high, metric)]),
            Ok(Cover::Metric(better)) => covers.routes.push((route.prefix, better)),
            Err(_) => covers.uncovered.push(route.clone()),
        }
    }
    covers.routes.sort_unstable();
    covers.routes.dedup();
    // Where another leak occupies the place of a half, that leak is covered by halves of its own.
    let mut taken: Vec<RouteId<B>> = leaking.map(|route| (route.prefix, route.metric)).collect();
    taken.sort_unstable();
    let is_ours = |route: &RouteId<B>| desired.binary_search(&route.0).is_ok() && route.1 == metric;
    covers
        .routes
        .retain(|route| taken.binary_search(route).is_err() && !is_ours(route));
    covers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::route::{RTN_LOCAL, RTN_THROW};

    fn route<B: AddressFamily>(prefix: Prefix<B>, metric: u32) -> Installed<B> {
        Installed {
            prefix,
            metric,
            ours: false,
            protocol: 4,
            kind: RTN_UNICAST,
        }
    }

    #[test]
    fn what_is_longer_or_better_covers_and_some_is_left_as_it_is() {
        let net = Prefix::new(0x4825_bb00_u32, 24);
        let (low, high) = net.halves().unwrap();
        let of_net = route(net, 20);
        assert_eq!(cover(&of_net, 0), Ok(Cover::Halves(low, high)));
        let host = |metric| cover(&route(Prefix::host(9_u32), metric), 50);
        assert_eq!(host(0), Err(NotCovered::Best));
        assert_eq!(host(1), Ok(Cover::Metric(0)));
        assert_eq!(host(51), Ok(Cover::Metric(50)));
        let host = |metric| cover(&route(Prefix::host(9_u128), metric), 1_024);
        assert_eq!(host(1), Err(NotCovered::Best), "0 is none");
        assert_eq!(host(2), Ok(Cover::Metric(1)));

        let connected = Installed {
            protocol: RTPROT_KERNEL,
            ..of_net.clone()
        };
        assert_eq!(cover(&connected, 50), Err(NotCovered::Kernel));
        let around = [Prefix::new(0x4825_ba00_u32, 23)];
        assert!(leaks(&of_net, &around, 0) && !leaks(&connected, &around, 0));
        for kind in [RTN_THROW, RTN_LOCAL, 5] {
            let other = Installed {
                kind,
                ..of_net.clone()
            };
            assert_eq!(cover(&other, 50), Err(NotCovered::Kind), "{kind:?}");
            assert!(!leaks(&other, &around, 0), "{kind:?}");
        }
    }
}
