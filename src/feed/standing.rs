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
    /// From here on, counted from the publisher's own date, it is withdrawn as well: a list that is
    /// downloaded every day may be years old.
    pub max_age: Option<Duration>,
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
    /// modified") at `confirmed`, and made by its publisher at `generated`, if he says so.
    pub fn at(
        confirmed: Option<Timestamp>,
        generated: Option<Timestamp>,
        ages: Ages,
        now: Timestamp,
    ) -> Self {
        let Some(confirmed) = confirmed else {
            return Self::Missing;
        };
        // Confirmed in the future: the clock was set back, and nothing is known of its age.
        let age = match confirmed > now.after(Timestamp::CLOCK_TOLERANCE) {
            true => ages.stale_after,
            false => confirmed.age(now),
        };
        let made = generated.map(|at| at.age(now));
        let outdated = made
            .zip(ages.max_age)
            .is_some_and(|(made, most)| made >= most);
        if age >= ages.expire_after || outdated {
            Self::Expired
        } else if age >= ages.stale_after || made.is_some_and(|made| made >= ages.stale_after) {
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
            max_age: None,
        };
        let at = |now| Standing::at(Some(Timestamp(5_000)), None, ages, Timestamp(now));
        assert_eq!(at(5_099), Standing::Fresh);
        assert_eq!(at(5_100), Standing::Stale);
        assert_eq!(at(5_999), Standing::Stale);
        assert_eq!(at(6_000), Standing::Expired);
        assert_eq!(at(10), Standing::Fresh, "a clock set back expires nothing");
        let far = Standing::at(Some(Timestamp(500_000)), None, ages, Timestamp(10));
        assert_eq!(far, Standing::Stale, "nor is it fresh for years");
        assert_eq!(
            Standing::at(None, None, ages, Timestamp(0)),
            Standing::Missing
        );
    }

    #[test]
    fn a_list_that_its_publisher_no_longer_makes_grows_old_however_often_it_is_downloaded() {
        let mut ages = Ages {
            stale_after: Duration::from_secs(100),
            expire_after: Duration::from_secs(1_000),
            max_age: None,
        };
        let at = |ages, made| {
            Standing::at(
                Some(Timestamp(5_000)),
                Some(Timestamp(made)),
                ages,
                Timestamp(5_000),
            )
        };
        assert_eq!(at(ages, 4_901), Standing::Fresh);
        assert_eq!(at(ages, 4_900), Standing::Stale, "the operator is warned");
        assert_eq!(
            at(ages, 0),
            Standing::Stale,
            "and nothing is withdrawn for it"
        );
        ages.max_age = Some(Duration::from_secs(3_000));
        assert_eq!(at(ages, 2_001), Standing::Stale);
        assert_eq!(
            at(ages, 2_000),
            Standing::Expired,
            "but where the list says so"
        );
    }
}
