//! Where a redirect may lead (pure): to https, never to a private address, and never without a
//! message.

use std::net::IpAddr;

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{StatusCode, Url};
use url::Host;

use super::private::is_private;
use crate::feed::Refused;
use crate::shown::first;

/// Longest URL in a message, in characters.
const SHOWN: usize = 120;

/// The target of a redirect, if an answer is one (RFC 9110, section 15.4); `at` is the requested
/// URL.
///
/// # Errors
/// [`Refused::Unreachable`] if `Location` is missing or no URL.
pub fn target(at: &Url, status: StatusCode, headers: &HeaderMap) -> Result<Option<Url>, Refused> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| at.join(location).ok());
    match next {
        Some(next) => Ok(Some(next)),
        None => Err(Refused::Unreachable(format!(
            "HTTP {status} without a usable Location"
        ))),
    }
}

/// Whether two URLs have the same scheme, host and port.
pub fn same_place(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Check a redirect to another host, of a feed whose own URL is a secret or not. The addresses of
/// its name are checked when they are resolved.
///
/// # Errors
/// [`Refused::Unreachable`] with the reason.
pub fn permitted(next: &Url, is_secret: bool) -> Result<(), Refused> {
    let refused = |why: &str| {
        // It may repeat what must not be shown.
        let to = match is_secret {
            true => "another place".to_owned(),
            false => shown(next),
        };
        Err(Refused::Unreachable(format!("redirected to {to}, {why}")))
    };
    let ip = match next.host() {
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        _ => None,
    };
    if next.scheme() != "https" {
        return refused("which is not https");
    }
    if !next.username().is_empty() || next.password().is_some() {
        return refused("with a name or password in it");
    }
    if ip.is_some_and(is_private) {
        return refused("which is a private address");
    }
    Ok(())
}

/// A URL for a message: without the query, which may contain a signature, and without a password.
fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}"));
    let whole = format!(
        "{}://{host}{}{}",
        url.scheme(),
        port.unwrap_or_default(),
        url.path()
    );
    match first(&whole, SHOWN) {
        start if start.len() < whole.len() => format!("{start}…"),
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn refusal(text: &str) -> String {
        permitted(&url(text), false).unwrap_err().to_string()
    }

    fn redirect(location: Option<&str>) -> Result<Option<Url>, Refused> {
        let mut headers = HeaderMap::new();
        if let Some(location) = location {
            headers.insert(LOCATION, location.parse().unwrap());
        }
        let at = url("https://lists.example.net/a/list.txt");
        target(&at, StatusCode::FOUND, &headers)
    }

    #[test]
    fn a_location_is_read_relative_to_where_it_was_said() {
        let next = redirect(Some("../b.txt")).unwrap().unwrap();
        assert_eq!(next.as_str(), "https://lists.example.net/b.txt");
        for location in [None, Some("https://"), Some("http://[::1")] {
            assert_eq!(
                redirect(location).unwrap_err().to_string(),
                "HTTP 302 Found without a usable Location"
            );
        }
    }

    #[test]
    fn an_answer_that_is_no_redirect_leads_nowhere() {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, "https://example.net/".parse().unwrap());
        for status in [200, 201, 304, 305, 503] {
            let status = StatusCode::from_u16(status).unwrap();
            let at = url("https://lists.example.net/");
            assert_eq!(target(&at, status, &headers), Ok(None), "{status}");
        }
    }

    #[test]
    fn another_scheme_host_or_port_is_another_place() {
        let here = url("http://lists.example.net/list.txt");
        assert!(same_place(&here, &url("http://lists.example.net:80/other")));
        for other in [
            "https://lists.example.net/list.txt",
            "http://lists.example.net:8080/list.txt",
            "http://example.net/list.txt",
        ] {
            assert!(!same_place(&here, &url(other)), "{other}");
        }
    }

    #[test]
    fn a_private_address_is_seen_in_every_spelling() {
        assert_eq!(
            permitted(&url("https://lists.example.net/x"), false),
            Ok(())
        );
        assert_eq!(permitted(&url("https://8.8.8.8/x"), false), Ok(()));
        // A feed whose own URL is secret: this one may repeat it.
        let told = permitted(&url("http://lists.example.net/hush"), true).unwrap_err();
        assert_eq!(
            told.to_string(),
            "redirected to another place, which is not https"
        );
        for spelling in [
            "https://2130706433/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://[::ffff:7f00:1]/",
            "https://169.254.169.254/latest/meta-data/",
        ] {
            let refused = refusal(spelling);
            assert!(
                refused.ends_with(", which is a private address"),
                "{spelling}: {refused}"
            );
        }
    }

    #[test]
    fn a_message_shows_neither_query_nor_password_nor_page_long_urls() {
        assert_eq!(
            refusal("http://bucket.example.net/list?signature=abc#x"),
            "redirected to http://bucket.example.net/list, which is not https"
        );
        assert_eq!(
            refusal("https://u:secret@example.net/list"),
            "redirected to https://example.net/list, with a name or password in it"
        );
        let long = format!("http://example.net/{}", "é".repeat(5_000));
        assert!(refusal(&long).len() < 200);
    }
}
