//! When a feed is fetched next. Pure: the time is a parameter, so minimum intervals survive
//! restarts.

use std::time::Duration;

use crate::time::Timestamp;

/// First delay after a failure; it doubles with each further failure, up to the feed's interval.
const FIRST_RETRY: Duration = Duration::from_secs(60);

/// A fetch is delayed at random, so that not all users of a list fetch it at once: by up to a tenth
/// of the interval, and at most this.
const MOST_JITTER: Duration = Duration::from_secs(1_800);

/// What the schedule of a feed depends on.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// Interval between fetches.
    pub every: Duration,
    /// The publisher's minimum interval; zero if it names none.
    pub floor: Duration,
}

impl Rhythm {
    /// When the next fetch is due, after one at `last` that was the `failures`-th failure in a row;
    /// `jitter` was drawn then, 0 to 999 per mille of the spread.
    pub fn next(&self, last: Option<Timestamp>, failures: u32, jitter: u16) -> Timestamp {
        let Some(last) = last else {
            return Timestamp(0);
        };
        let wait = match failures {
            0 => self.every,
            n => FIRST_RETRY
                .saturating_mul(1 << (n - 1).min(16))
                .min(self.every),
        };
        let spread = (wait / 10).min(MOST_JITTER);
        let jitter = spread * u32::from(jitter.min(999)) / 1_000;
        last.after(wait.max(self.floor) + jitter)
    }

    /// When the publisher permits the next fetch, if that is later than `now`.
    pub fn floor_until(&self, last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let until = last?.after(self.floor);
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RHYTHM: Rhythm = Rhythm {
        every: Duration::from_secs(7_200),
        floor: Duration::from_secs(3_600),
    };

    #[test]
    fn a_feed_never_looked_at_is_due_at_once() {
        assert_eq!(RHYTHM.next(None, 0, 0), Timestamp(0));
    }

    #[test]
    fn failures_are_retried_sooner_but_never_below_the_floor() {
        let last = Some(Timestamp(1_000));
        assert_eq!(RHYTHM.next(last, 0, 0), Timestamp(8_200));
        assert_eq!(RHYTHM.next(last, 1, 0), Timestamp(4_600));
        let free = Rhythm {
            floor: Duration::ZERO,
            ..RHYTHM
        };
        assert_eq!(free.next(last, 1, 0), Timestamp(1_060));
        assert_eq!(free.next(last, 3, 0), Timestamp(1_240));
        assert_eq!(free.next(last, 40, 0), Timestamp(8_200));
    }

    #[test]
    fn looks_are_spread_over_a_tenth_of_the_interval_and_never_come_early() {
        let last = Some(Timestamp(0));
        assert_eq!(RHYTHM.next(last, 0, 500), Timestamp(7_560));
        assert_eq!(RHYTHM.next(last, 0, 999), Timestamp(7_919));
        let daily = Rhythm {
            every: Duration::from_secs(86_400),
            ..RHYTHM
        };
        assert_eq!(
            daily.next(last, 0, 999),
            Timestamp(88_198),
            "at most half an hour"
        );
    }

    #[test]
    fn the_floor_holds_across_restarts() {
        let last = Some(Timestamp(1_000));
        assert_eq!(
            RHYTHM.floor_until(last, Timestamp(2_000)),
            Some(Timestamp(4_600))
        );
        assert_eq!(RHYTHM.floor_until(last, Timestamp(4_600)), None);
        assert_eq!(RHYTHM.floor_until(None, Timestamp(2_000)), None);
    }
}
