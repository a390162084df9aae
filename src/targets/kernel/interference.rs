//! What other programs did to our routes, and what of it was undone. Pure.

use std::collections::BTreeMap;

use super::backoff::{Backoff, Object};
use super::install::Done;
use super::reconcile::{Difference, RouteId};
use super::{Report, Restored};
use crate::netlink::family::AddressFamily;
use crate::prefix::{Bits, Prefix};
use crate::time::Timestamp;

/// What other programs did and is not undone yet.
#[derive(Default)]
pub(super) struct Interference<B: Bits> {
    /// Routes of ours that they removed, with their netlink port where the kernel named it.
    pub removed: BTreeMap<Prefix<B>, Option<u32>>,
    /// Routes with our mark that they added, and their netlink port.
    pub added: BTreeMap<RouteId<B>, u32>,
}

impl<B: AddressFamily> Interference<B> {
    /// Whether another program had removed it, and no route of ours for the prefix is removed in
    /// the same change: only such a route may wait. `going` is ascending.
    pub fn is_owed(&self, (prefix, _): &RouteId<B>, going: &[RouteId<B>]) -> bool {
        let at = going.partition_point(|(gone, _)| gone < prefix);
        let goes = going.get(at).is_some_and(|(gone, _)| gone == prefix);
        !goes && self.removed.contains_key(prefix)
    }

    /// Report what a change to what is `desired` has undone. A route that was removed by others, is
    /// still desired and is not back yet remains in `removed`.
    pub fn undone(
        &mut self,
        (desired, now): (&[Prefix<B>], Timestamp),
        (difference, done): (&Difference<B>, &Done<B>),
        backoff: &mut Backoff,
        report: &mut Report,
    ) {
        if self.removed.is_empty() && self.added.is_empty() {
            return;
        }
        let not_done = done.not_done();
        let is_done = |route: &&RouteId<B>| !not_done.contains(*route);
        let mut back = Vec::new();
        for (prefix, _) in difference.add.iter().filter(is_done) {
            if let Some(by) = self.removed.remove(prefix) {
                let net = prefix.to_net();
                back.push(net);
                let what = Object::Route(net);
                report.restored.push(Restored { what, by });
            }
        }
        backoff.restored(&back, now);
        let added = std::mem::take(&mut self.added);
        let came = |route: &RouteId<B>| Some((route.0, *added.get(route)?));
        let gone = difference.remove.iter().filter(is_done).filter_map(came);
        let surplus = gone.map(|(prefix, by)| Restored {
            what: Object::Surplus(prefix.to_net()),
            by: Some(by),
        });
        let surplus: Vec<_> = surplus.collect();
        backoff.undone(surplus.iter().map(|one| one.what), now);
        report.surplus.extend(surplus);
        let is_desired = |prefix: &Prefix<B>| desired.binary_search(prefix).is_ok();
        self.removed.retain(|prefix, _| is_desired(prefix));
    }
}
