//! The limits of the model, counted again.

use std::collections::BTreeSet;

use super::naive::{Cells, Net, Space};
use crate::policy::limits::{FeedLimits, Limits, Share};

/// The limits in whole numbers.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bits that a prefix must have more than its space, for each family.
    pub shortest: [u8; 2],
    pub routes: usize,
    /// Cells of each family.
    pub cells: [usize; 2],
    pub change: OwnBounds,
    pub small: usize,
}

/// Those that a feed may set for itself; additions, then removals.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnBounds {
    pub percent: [Option<usize>; 2],
    pub count: [Option<usize>; 2],
}

impl OwnBounds {
    /// As the configuration has them.
    pub fn limits(&self) -> FeedLimits {
        let share = |percent: usize| Share(percent as f64 / 100.0);
        FeedLimits {
            max_added: self.percent[0].map(share),
            max_removed: self.percent[1].map(share),
            max_added_count: self.count[0],
            max_removed_count: self.count[1],
        }
    }
}

impl Bounds {
    /// As the configuration has them.
    pub fn limits(&self, space: &Space) -> Limits {
        let own = self.change.limits();
        let share = |family: usize| {
            let cell = 0.5_f64.powi(i32::from(space.base[family]) + 8);
            Share(self.cells[family] as f64 * cell)
        };
        let defaults = Limits::default();
        Limits {
            shortest_v4: space.base[0] + self.shortest[0],
            shortest_v6: space.base[1] + self.shortest[1],
            max_routes: self.routes,
            max_added: own.max_added.unwrap_or(defaults.max_added),
            max_removed: own.max_removed.unwrap_or(defaults.max_removed),
            max_added_count: own.max_added_count,
            max_removed_count: own.max_removed_count,
            max_share_v4: share(0),
            max_share_v6: share(1),
            small_change: self.small,
        }
    }

    /// Those for a feed: its own, and those for all where it has none.
    pub fn of_feed(&self, own: &OwnBounds) -> Self {
        let mut bounds = *self;
        for way in [0, 1] {
            bounds.change.percent[way] = own.percent[way].or(self.change.percent[way]);
            bounds.change.count[way] = own.count[way].or(self.change.count[way]);
        }
        bounds
    }

    fn percent(&self, way: usize) -> usize {
        self.change.percent[way].unwrap_or([50, 25][way])
    }

    /// Whether a set is too large.
    pub fn too_large(&self, set: Cells) -> bool {
        set.nets().len() > self.routes
            || set.count(0) > self.cells[0]
            || set.count(1) > self.cells[1]
    }

    /// Whether a prefix of a set is too short.
    pub fn too_short(&self, set: Cells) -> bool {
        set.nets().iter().any(|net| self.refuses(*net))
    }

    /// Whether a prefix is too short.
    pub fn refuses(&self, net: Net) -> bool {
        net.len < self.shortest[net.family]
    }

    /// Whether too much comes or goes.
    pub fn too_much(&self, space: &Space, before: Cells, now: Cells) -> bool {
        let wider = |family: usize| {
            let come = now.minus(before).count(family);
            come > space.small[family] && come * 100 > self.percent(0) * before.count(family)
        };
        let narrower = |family: usize| {
            let gone = before.minus(now).count(family);
            let was = before.count(family);
            // The addresses of this number of /24 or /48.
            let few = self.small as f64 * 0.5_f64.powi([24, 48][family]);
            let share = gone as f64 * 0.5_f64.powi(i32::from(space.base[family]) + 8);
            let is = now.count(family);
            let leap = is > 0 && is * 100 < was && share > few;
            (gone > space.small[family] || leap) && gone * 100 > self.percent(1) * was
        };
        let many = self.too_many(&before.nets(), &now.nets());
        let addresses = |family| wider(family) || narrower(family);
        many || !before.is_empty() && (addresses(0) || addresses(1))
    }

    /// Whether too many come or go.
    pub fn too_many<T: Ord>(&self, before: &BTreeSet<T>, now: &BTreeSet<T>) -> bool {
        let counts = [
            now.difference(before).count(),
            before.difference(now).count(),
        ];
        let beyond = |way: usize| {
            let (count, most) = (counts[way], self.change.count[way]);
            // Of nothing there is no share.
            let share = !before.is_empty() && count * 100 > self.percent(way) * before.len();
            count > self.small && share || most.is_some_and(|most| count > most)
        };
        beyond(0) || beyond(1)
    }
}
