//! The delay that a server asks for (pure).

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::feed::Refused;

/// `Retry-After` of an answer that says "too often" or "not now" (RFC 9110, section 10.2.3):
/// seconds or an HTTP date, at most 24 hours; `None` without one, or if the date has passed.
pub fn retry_after(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    if status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error() {
        return None;
    }
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that does not fit asks for more than the maximum.
        value
            .parse()
            .map_or(Refused::LONGEST_WAIT, Duration::from_secs)
    } else {
        let date = httpdate::parse_http_date(value).ok()?;
        date.duration_since(now).ok()?
    };
    (!wait.is_zero()).then_some(wait.min(Refused::LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(status: u16, value: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        // 1994-11-06T08:49:37Z, the date in RFC 9110, section 5.6.7.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let status = StatusCode::from_u16(status).unwrap();
        retry_after(status, &headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_each_form_of_an_http_date_are_read() {
        assert_eq!(wait(429, "120"), Some(120));
        assert_eq!(wait(503, " 120 "), Some(120));
        assert_eq!(wait(500, "Sun, 06 Nov 1994 08:59:37 GMT"), Some(600));
        assert_eq!(wait(503, "Sunday, 06-Nov-94 08:59:37 GMT"), Some(600));
        assert_eq!(wait(503, "Sun Nov  6 08:59:37 1994"), Some(600));
    }

    #[test]
    fn the_delay_is_at_most_a_day() {
        assert_eq!(wait(429, "86401"), Some(86_400));
        assert_eq!(wait(429, "99999999999999999999999"), Some(86_400));
        assert_eq!(wait(429, "Sat, 06 Nov 2094 08:49:37 GMT"), Some(86_400));
    }

    #[test]
    fn what_asks_for_nothing_gives_no_wait() {
        assert_eq!(wait(404, "120"), None);
        assert_eq!(wait(301, "120"), None);
        for value in [
            "",
            "0",
            "-5",
            "1.5",
            "soon",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(wait(429, value), None, "{value:?}");
        }
    }
}
