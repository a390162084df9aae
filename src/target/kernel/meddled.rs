//! What others did to routes of ours, and what of it was undone. Pure.

use std::collections::{BTreeMap, HashSet};

use super::family::Order;
use super::install::Done;
use super::message::Kin;
use super::reconcile::{Difference, Route};
use super::storm::{Object, Storm};
use super::{Report, Restored};
use crate::prefix::{Bits, Prefix};

/// Who removed routes of ours, by the prefix; his netlink port, where the kernel told.
pub(super) type RemovedBy<B> = BTreeMap<Prefix<B>, Option<u32>>;

/// What others did since it was looked at last.
pub(super) struct Meddled<B: Bits> {
    /// Ours that they removed.
    pub removed: RemovedBy<B>,
    /// Routes with our mark that they added, and their netlink port.
    pub added: BTreeMap<Route<B>, u32>,
}

impl<B: Kin> Meddled<B> {
    /// Report what a change has undone. Answers what is owed: removed by others, still desired, and not back yet.
    pub fn undone(
        mut self,
        order: &Order<'_, B>,
        difference: &Difference<B>,
        done: &Done<B>,
        storm: &mut Storm,
        report: &mut Report,
    ) -> RemovedBy<B> {
        if self.removed.is_empty() && self.added.is_empty() {
            return self.removed;
        }
        let not_done: HashSet<&Route<B>> = done.refused.iter().chain(&done.exists).collect();
        let is_done = |route: &&Route<B>| !not_done.contains(*route);
        let mut back = Vec::new();
        for (prefix, _) in difference.add.iter().filter(is_done) {
            if let Some(by) = self.removed.remove(prefix) {
                let net = prefix.to_net();
                back.push(net);
                let what = Object::Route(net);
                report.restored.push(Restored { what, by });
            }
        }
        storm.restored(&back, order.now);
        let came = |route: &Route<B>| Some((route.0, *self.added.get(route)?));
        let gone = difference.remove.iter().filter(is_done).filter_map(came);
        let surplus = gone.map(|(prefix, by)| Restored {
            what: Object::Surplus(prefix.to_net()),
            by: Some(by),
        });
        let surplus: Vec<_> = surplus.collect();
        storm.undone(surplus.iter().map(|one| one.what), order.now);
        report.surplus.extend(surplus);
        self.removed
            .retain(|prefix, _| order.desired.binary_search(prefix).is_ok());
        self.removed
    }
}
