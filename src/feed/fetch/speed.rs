//! Whether a download is fast enough (pure): averaged over consecutive intervals.

use std::time::Duration;

use tokio::time::Instant;

/// Counts the bytes of the current interval.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    least: u64,
    over: Duration,
    until: Instant,
    bytes: u64,
}

impl Speed {
    /// At least `least` bytes per second (0: any speed), averaged over `over`, starting at `now`.
    pub fn new(least: u64, over: Duration, now: Instant) -> Self {
        Self {
            least,
            over,
            until: now + over,
            bytes: 0,
        }
    }

    /// The end of the current interval.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// Count received bytes.
    pub fn got(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// Judge the interval that ended, and begin the next. Returns whether it was fast enough.
    pub fn suffices(&mut self, now: Instant) -> bool {
        let needed = self.least as f64 * self.over.as_secs_f64();
        let suffices = self.bytes as f64 >= needed;
        *self = Self::new(self.least, self.over, now);
        suffices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_does_not_pay_for_a_stall_in_the_next_span() {
        let begin = Instant::now();
        let over = Duration::from_secs(10);
        let mut speed = Speed::new(500, over, begin);
        assert_eq!(speed.until(), begin + over);
        speed.got(1_000_000);
        assert!(speed.suffices(speed.until()));
        speed.got(4_999);
        assert!(!speed.suffices(speed.until()));
        speed.got(5_000);
        assert!(speed.suffices(speed.until()));
        assert_eq!(speed.until(), begin + 4 * over);
    }

    #[test]
    fn nothing_is_too_slow_for_zero() {
        let now = Instant::now();
        let mut speed = Speed::new(0, Duration::from_secs(1), now);
        assert!(speed.suffices(speed.until()));
    }
}
