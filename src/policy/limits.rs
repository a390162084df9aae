//! Limits: how wide, how many, and how much may change at once.

use std::fmt;

/// A share of a whole, `0.0..=1.0`, written in percent.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One digit after the point, more only below one percent.
        let digits = if self.0 < 0.01 { 10_000.0 } else { 10.0 };
        let percent = (self.0 * 100.0 * digits).round() / digits;
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
    /// Most routes in force.
    pub max_routes: usize,
    /// Most additions at once, as a share of what is in force.
    pub max_added: Share,
    /// Most removals at once, as a share of what is in force.
    pub max_removed: Share,
    /// Most IPv4 addresses in force, as a share of all there are.
    pub max_share_v4: Share,
    /// A change of at most so many prefixes is never held for its share: one of three is 33 %.
    pub small_change: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            shortest_v4: 8,
            shortest_v6: 19,
            max_routes: 500_000,
            max_added: Share(0.50),
            max_removed: Share(0.25),
            max_share_v4: Share(0.05),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_reads_in_percent() {
        assert_eq!(Share(0.25).to_string(), "25%");
        assert_eq!(Share(0.6137).to_string(), "61.4%");
        assert_eq!(Share(0.0004).to_string(), "0.04%");
    }
}
