//! Points in time and spans of it, as values that are handed in: no function of the core asks a
//! clock.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// A time so far ahead of us, or further, is a mistake: the clock was set back, or a
    /// publisher's is wrong.
    pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(86_400);

    /// The last second that is written: of the year 9999 (RFC 3339 has four digits).
    pub const LAST: Self = Self(253_402_300_799);

    /// The current time, for the shells: the core takes `now` as an argument.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(since.map_or(0, |since| since.as_secs() as i64))
    }

    /// The time `span` later.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(span.as_secs()))
    }

    /// How long `self` lies behind `now`; zero when it lies ahead (a clock that was set back).
    pub fn age(self, now: Self) -> Duration {
        Duration::from_secs(now.0.saturating_sub(self.0).max(0) as u64)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC: `2026-08-22T06:00:03Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.clamp(0, Self::LAST.0) as u64;
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        fmt::Display::fmt(&humantime::format_rfc3339_seconds(time), f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = humantime::parse_rfc3339(&text).map_err(serde::de::Error::custom)?;
        let since = time.duration_since(UNIX_EPOCH);
        Ok(Self(since.map_or(0, |since| since.as_secs() as i64)))
    }
}

/// A span as an operator writes it: the largest units first, at most two of them (`1h 12m`).
pub fn short(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, name) in units {
        if rest >= size && parts.len() < 2 {
            parts.push(format!("{}{name}", rest / size));
            rest %= size;
        } else if !parts.is_empty() {
            break;
        }
    }
    if parts.is_empty() {
        return "0s".to_owned();
    }
    parts.join(" ")
}

/// How long ago that was, for an operator: `1h 12m ago`. What lies ahead is named as that.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    match at > now {
        true => format!("{} in the future", short(now.age(at))),
        false => format!("{} ago", short(at.age(now))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_as_rfc_3339() {
        assert_eq!(Timestamp(1_787_378_403).to_string(), "2026-08-22T06:00:03Z");
    }

    #[test]
    fn a_time_beyond_all_calendars_is_written_as_the_last() {
        let never = Timestamp(0).after(Duration::MAX);
        assert_eq!(never.to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(Timestamp(i64::MIN).to_string(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn a_span_reads_in_two_units_at_most() {
        assert_eq!(short(Duration::from_secs(0)), "0s");
        assert_eq!(short(Duration::from_secs(4_320)), "1h 12m");
        assert_eq!(short(Duration::from_secs(3_601)), "1h");
        assert_eq!(short(Duration::from_secs(7 * 86_400)), "7d");
    }

    #[test]
    fn what_lies_ahead_is_named_as_that() {
        let at = |at| ago(Timestamp(at), Timestamp(100_000));
        assert_eq!(at(96_400), "1h ago");
        assert_eq!(at(100_000), "0s ago");
        assert_eq!(at(100_000 + 3_650 * 86_400), "3650d in the future");
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_old() {
        assert_eq!(Timestamp(100).age(Timestamp(40)), Duration::ZERO);
    }
}
