//! Limits: how wide, how many, and how much may change at once.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::named::named;

/// A share of a whole, `0.0..=1.0`, written in percent.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Share(pub f64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0 * 100.0;
        // One digit after the point; below one percent, four significant digits.
        let digits = match percent > 0.0 && percent < 1.0 {
            true => 3 - percent.log10().floor() as i32,
            false => 1,
        };
        let places = 10_f64.powi(digits);
        let percent = (percent * places).round() / places;
        write!(f, "{percent}%")
    }
}

/// The `[limits]` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Shortest IPv4 length that is accepted, from any source.
    pub shortest_v4: u8,
    /// Shortest IPv6 length that is accepted, from any source.
    pub shortest_v6: u8,
    /// Most routes that the feeds may produce.
    pub max_routes: usize,
    /// Most additions at once, as a share of what is in force.
    pub max_added: Share,
    /// Most removals at once, as a share of what is in force.
    pub max_removed: Share,
    /// Most additions at once, in prefixes; `None` for any number.
    pub max_added_count: Option<usize>,
    /// Most removals at once, in prefixes; `None` for any number.
    pub max_removed_count: Option<usize>,
    /// Most IPv4 addresses that the feeds may cover, as a share of all there are.
    pub max_share_v4: Share,
    /// Most IPv6 addresses that the feeds may cover, as a share of all there are.
    pub max_share_v6: Share,
    /// A change of at most this many prefixes is never held for its share: one of three is 33 %.
    pub small_change: usize,
}

impl Limits {
    /// Entries that a list may have for each route that may be in force: adjacent prefixes are
    /// joined, and a list may name a prefix more than once.
    pub const ENTRIES_PER_ROUTE: usize = 4;
    /// Entries that a list may have in any case.
    pub const ENTRIES_ALWAYS: usize = 100_000;

    /// Most entries of a list that are read: the work is limited by what may come into force.
    pub fn max_entries(&self) -> usize {
        let entries = self.max_routes.saturating_mul(Self::ENTRIES_PER_ROUTE);
        entries.max(Self::ENTRIES_ALWAYS)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            shortest_v4: 8,
            shortest_v6: 19,
            max_routes: 500_000,
            max_added: Share(0.50),
            max_removed: Share(0.25),
            max_added_count: None,
            max_removed_count: None,
            max_share_v4: Share(0.05),
            max_share_v6: Share(0.01),
            small_change: 10,
        }
    }
}

/// The part of the limits that a feed may set for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FeedLimits {
    /// Overrides [`Limits::max_added`].
    pub max_added: Option<Share>,
    /// Overrides [`Limits::max_removed`].
    pub max_removed: Option<Share>,
    /// Overrides [`Limits::max_added_count`].
    pub max_added_count: Option<usize>,
    /// Overrides [`Limits::max_removed_count`].
    pub max_removed_count: Option<usize>,
}

impl FeedLimits {
    /// The limits for this feed: its own ones, and the general ones where it has none.
    pub fn over(&self, all: &Limits) -> Limits {
        Limits {
            max_added: self.max_added.unwrap_or(all.max_added),
            max_removed: self.max_removed.unwrap_or(all.max_removed),
            max_added_count: self.max_added_count.or(all.max_added_count),
            max_removed_count: self.max_removed_count.or(all.max_removed_count),
            ..*all
        }
    }
}

named! {
    /// What lets a change by the publishers proceed.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Review {
        /// The limits: a change within them proceeds automatically.
        #[default]
        Limits = "limits",
        /// The operator, each time.
        Manual = "manual",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_reads_in_percent() {
        assert_eq!(Share(0.25).to_string(), "25%");
        assert_eq!(Share(0.6137).to_string(), "61.4%");
        assert_eq!(Share(0.0004).to_string(), "0.04%");
        assert_eq!(Share(1.0 / 128.0).to_string(), "0.7813%");
        assert_eq!(Share(3.0 / 2.0_f64.powi(29)).to_string(), "0.0000005588%");
        assert_eq!(Share(0.0).to_string(), "0%");
    }
}
