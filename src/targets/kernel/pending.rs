//! The intended effect of a round of changes, for when answers are lost. Pure.

use super::Report;
use super::reconcile::Difference;
use crate::netlink::family::AddressFamily;

/// The intended effect of a round; it may not have been done.
#[derive(Default)]
pub(super) struct Pending {
    added: usize,
    removed: usize,
    occupied: usize,
}

impl Pending {
    /// The sum of what was done before and what this difference sets out to do.
    pub fn of<B: AddressFamily>(before: &Report, difference: &Difference<B>) -> Self {
        Self {
            added: before.added + difference.add.len(),
            removed: before.removed + difference.remove.len(),
            occupied: difference.occupied.len(),
        }
    }

    /// Count what of it was done, by the difference that the next round finds.
    pub fn come_true<B: AddressFamily>(&self, report: &mut Report, difference: &Difference<B>) {
        let not_added = difference.add.len() + difference.occupied.len()
            - self.occupied.min(difference.occupied.len());
        report.added = self.added.saturating_sub(not_added);
        report.removed = self.removed.saturating_sub(difference.remove.len());
    }
}
