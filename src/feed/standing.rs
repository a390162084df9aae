//! How old a feed's last good copy is, and what that means. Pure: the time is handed in.

use std::fmt;
use std::time::Duration;

use crate::time::Timestamp;

/// When a copy becomes stale and when it expires, counted from its last confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ages {
    /// From here on the operator is warned.
    pub stale_after: Duration,
    /// From here on what the copy lists is withdrawn.
    pub expire_after: Duration,
}

/// What a feed contributes at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There has never been a good copy.
    Missing,
    /// Confirmed recently.
    Fresh,
    /// Old, still in force.
    Stale,
    /// Too old: its listings no longer count.
    Expired,
}

impl Standing {
    /// The standing of a copy that was last confirmed (downloaded, read, or answered by "not
    /// modified") at `confirmed`.
    pub fn at(confirmed: Option<Timestamp>, ages: Ages, now: Timestamp) -> Self {
        let Some(confirmed) = confirmed else {
            return Self::Missing;
        };
        let age = confirmed.age(now);
        if age >= ages.expire_after {
            Self::Expired
        } else if age >= ages.stale_after {
            Self::Stale
        } else {
            Self::Fresh
        }
    }

    /// Whether the listings of the copy count.
    pub fn counts(self) -> bool {
        matches!(self, Self::Fresh | Self::Stale)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Expired => "expired",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_fresh_then_stale_then_expired() {
        let ages = Ages {
            stale_after: Duration::from_secs(100),
            expire_after: Duration::from_secs(1_000),
        };
        let at = |now| Standing::at(Some(Timestamp(5_000)), ages, Timestamp(now));
        assert_eq!(at(5_099), Standing::Fresh);
        assert_eq!(at(5_100), Standing::Stale);
        assert_eq!(at(5_999), Standing::Stale);
        assert_eq!(at(6_000), Standing::Expired);
        assert_eq!(at(10), Standing::Fresh, "a clock set back expires nothing");
        assert_eq!(Standing::at(None, ages, Timestamp(0)), Standing::Missing);
    }
}
