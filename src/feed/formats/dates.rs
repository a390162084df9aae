//! The dates that publishers write into their headers.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::time::Timestamp;

/// `Thu, 06 Aug 2026 15:14:02 GMT`, as in HTTP.
pub(super) fn http(text: &str) -> Option<Timestamp> {
    of(httpdate::parse_http_date(text.trim()).ok()?)
}

/// `Mon Jan 24 00:36:02 UTC 2022`, as `date` prints it.
pub(super) fn unix(text: &str) -> Option<Timestamp> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [weekday, month, day, time, zone, year] = words[..] else {
        return None;
    };
    if !matches!(zone, "UTC" | "GMT") {
        return None;
    }
    http(&format!("{weekday}, {day:0>2} {month} {year} {time} GMT"))
}

/// `2026-08-02T23:00:24.978595` or `2024-03-26 23:30:15 UTC`.
pub(super) fn iso(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches("UTC").trim();
    of(humantime::parse_rfc3339_weak(text).ok()?)
}

/// Seconds since 1970, if they are in this century: any other number is something else.
pub(super) fn epoch(seconds: u64) -> Option<Timestamp> {
    (946_684_800..4_102_444_800)
        .contains(&seconds)
        .then_some(Timestamp(seconds as i64))
}

fn of(time: SystemTime) -> Option<Timestamp> {
    epoch(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dates_of_real_headers_are_read() {
        let noon = Some(Timestamp(1_786_017_600));
        assert_eq!(http(" Thu, 06 Aug 2026 12:00:00 GMT"), noon);
        assert_eq!(unix("Thu Aug 6 12:00:00 UTC 2026"), noon);
        assert_eq!(iso("2026-08-06T12:00:00.978595"), noon);
        assert_eq!(iso("2026-08-06 12:00:00 UTC"), noon);
        assert_eq!(epoch(1_786_017_600), noon);
        assert_eq!(epoch(7), None);
        assert_eq!(unix("Thu Aug 6 12:00:00 CEST 2026"), None);
    }
}
