//! `[fetch]`, and the authentication of feeds.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderName;
use toml::Spanned;

use super::{Check, span};
use crate::config::model::Origin;
use crate::config::written::{self, Span};
use crate::feed::fetch::{Access, FetchLimits, Secret, SecretFile, is_this_machine};

/// Headers that frame a message, or that the program sets (RFC 9110; RFC 9112).
const RESERVED: [&str; 14] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "if-modified-since",
    "if-none-match",
    "proxy-authorization",
    "range",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// No network is faster, and a message would speak of 0 seconds.
const LEAST_SPAN: Duration = Duration::from_secs(1);

impl Check<'_> {
    pub(super) fn fetch(&mut self, written: &written::Fetch) -> FetchLimits {
        let default = FetchLimits::default();
        let most = 100_000_000_000;
        let max_bytes = self.number("max_bytes", &written.max_bytes, 1..=most);
        let min_speed = self.number("min_speed", &written.min_speed, 0..=most);
        let contact = written.contact.as_ref().filter(|contact| {
            let fine = contact
                .get_ref()
                .chars()
                .all(|c| c.is_ascii_graphic() || c == ' ');
            if !fine {
                let message = "contact: goes into an HTTP header, so plain ASCII only";
                self.problem(contact.span(), message);
            }
            fine
        });
        let contact = contact.map(|contact| contact.get_ref().clone());
        let connect = self.wait("connect_timeout", &written.connect_timeout);
        let first_byte = self.wait("first_byte_timeout", &written.first_byte_timeout);
        let timeout = self.wait("timeout", &written.timeout);
        let min_speed_time = self.wait("min_speed_time", &written.min_speed_time);
        let proxy = written.proxy.as_ref();
        FetchLimits {
            connect_timeout: connect.unwrap_or(default.connect_timeout),
            first_byte_timeout: first_byte.unwrap_or(default.first_byte_timeout),
            timeout: timeout.unwrap_or(default.timeout),
            min_speed: min_speed.unwrap_or(default.min_speed),
            min_speed_time: min_speed_time.unwrap_or(default.min_speed_time),
            max_bytes: max_bytes.unwrap_or(default.max_bytes),
            contact,
            proxy: proxy.and_then(|url| self.url("proxy", url, "permitted are http and https")),
            ca_file: written.ca_file.as_ref().map(|file| self.path(file)),
        }
    }

    /// An HTTP URL; `hint` says what is permitted.
    pub(super) fn url(&mut self, key: &str, written: &Spanned<String>, hint: &str) -> Option<Url> {
        let text = written.get_ref();
        let url = match text.parse::<Url>() {
            Ok(url) => url,
            Err(error) => {
                self.problem(written.span(), format!("{key}: {text:?}: {error}"));
                return None;
            }
        };
        if !matches!(url.scheme(), "http" | "https") {
            let message = match key {
                "url" => format!("{key}: {}: is not fetched", url.scheme()),
                _ => format!("{key}: {}: is not supported", url.scheme()),
            };
            self.hinted(written.span(), message, hint);
            return None;
        }
        if !url.username().is_empty() || url.password().is_some() {
            let message = format!("{key}: a name or password in it would be shown in messages");
            self.problem(written.span(), message);
            return None;
        }
        Some(url)
    }

    /// The authentication of a feed.
    pub(super) fn access(&mut self, feed: &written::Feed, origin: Option<&Origin>) -> Access {
        for (key, written) in feed.access() {
            if let (Some(written), Some(origin)) = (written, origin) {
                self.is_safe(key, written, origin);
            }
        }
        Access {
            client_certificate: feed
                .client_certificate_file
                .as_ref()
                .and_then(|file| self.secret_file("client_certificate_file", file)),
            secret: self.secret(feed),
        }
    }

    /// Check that a secret is sent encrypted.
    fn is_safe(&mut self, key: &str, written: &Spanned<String>, origin: &Origin) {
        match origin {
            Origin::Path(_) => {
                let message = format!("{key}: a feed with a path is read, not asked for");
                self.problem(written.span(), message);
            }
            Origin::Url(url) if url.scheme() == "https" => {}
            // It is judged when it is read.
            Origin::UrlFile(_) => {}
            Origin::Url(_) if key == "client_certificate_file" => {
                let message = format!("{key}: over http there are no certificates");
                self.hinted(written.span(), message, "the feed's url must be https");
            }
            Origin::Url(url) if is_this_machine(url) => {}
            Origin::Url(url) => {
                let host = url.host_str().unwrap_or_default();
                let message = format!("{key}: would be sent to {host} over http, for all to read");
                let hint = "permitted over https, and over http to this machine";
                self.hinted(written.span(), message, hint);
            }
        }
    }

    /// A file with a secret, or a credential.
    pub(super) fn secret_file(
        &mut self,
        key: &str,
        written: &Spanned<String>,
    ) -> Option<SecretFile> {
        let read = SecretFile::read(written.get_ref(), self.base);
        let report = |why| {
            let message = format!("{key}: {:?} {why}", written.get_ref());
            let hint = "such as \"credential:NAME\", a file in $CREDENTIALS_DIRECTORY";
            self.hinted(written.span(), message, hint);
        };
        read.map_err(report).ok()
    }

    /// `header = { name = …, file = … }`.
    fn header(&mut self, written: &Spanned<written::Header>) -> Option<Secret> {
        let written::Header { name, file } = written.get_ref();
        let (Some(name), Some(file)) = (name, file) else {
            let message = "header: without a name or a file";
            let hint = "such as { name = \"Auth-Key\", file = \"/etc/nullrouted/key\" }";
            self.hinted(written.span(), message, hint);
            return None;
        };
        let text = name.get_ref();
        match text.parse::<HeaderName>() {
            Ok(header) if !RESERVED.contains(&header.as_str()) => Some(Secret::Header {
                name: header,
                file: self.secret_file("header", file)?,
            }),
            Ok(_) => {
                let message = format!("header: {text:?} is set by the program itself");
                let hint = "for Authorization there are bearer_file, and user with password_file";
                self.hinted(name.span(), message, hint);
                None
            }
            Err(_) => {
                let message = format!("header: {text:?} is no name of a header");
                self.hinted(
                    name.span(),
                    message,
                    "letters, digits and hyphens, such as \"Auth-Key\"",
                );
                None
            }
        }
    }

    /// At most one secret per feed.
    fn secret(&mut self, feed: &written::Feed) -> Option<Secret> {
        let basic = match (&feed.user, &feed.password_file) {
            (Some(user), Some(file)) => {
                // RFC 7617, section 2.
                if user
                    .get_ref()
                    .contains(|c: char| c == ':' || c.is_control())
                {
                    let message = "user: a colon or control character cannot be sent";
                    self.problem(user.span(), message);
                }
                let user = user.get_ref().clone();
                self.secret_file("password_file", file)
                    .map(|password_file| {
                        let secret = Secret::Basic {
                            user,
                            password_file,
                        };
                        (file.span(), secret)
                    })
            }
            (Some(alone), None) => {
                self.problem(alone.span(), "user: without password_file");
                None
            }
            (None, Some(alone)) => {
                self.problem(alone.span(), "password_file: without user");
                None
            }
            (None, None) => None,
        };
        let bearer = feed.bearer_file.as_ref();
        let bearer = bearer.and_then(|file| {
            let secret = Secret::Bearer(self.secret_file("bearer_file", file)?);
            Some((file.span(), secret))
        });
        let api_key = feed.api_key_file.as_ref();
        let api_key = api_key.and_then(|file| {
            let secret = Secret::ApiKey(self.secret_file("api_key_file", file)?);
            Some((file.span(), secret))
        });
        let header = feed.header.as_ref();
        let header = header.and_then(|header| Some((header.span(), self.header(header)?)));
        let mut found = [basic, bearer, api_key, header].into_iter().flatten();
        let first = found.next().map(|(_, secret)| secret)?;
        for (span, further) in found {
            let (one, other) = (first.file().0, further.file().0);
            let message = format!("{other}: a feed has one secret, and this one has {one}");
            let hint = "permitted is one of password_file, bearer_file, api_key_file and header";
            self.hinted(span, message, hint);
        }
        Some(first)
    }

    fn wait(&mut self, key: &str, written: &Option<Spanned<Span>>) -> Option<Duration> {
        let wait = span(written)?;
        if let (Some(written), true) = (written, wait < LEAST_SPAN) {
            let message = format!("{key}: {} is too short", humantime::format_duration(wait));
            self.hinted(written.span(), message, "at least \"1s\"");
        }
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, Problems, parse, print};

    fn read(text: &str) -> Result<Config, Problems> {
        let nothing = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        parse(Path::new("/etc/nullrouted/nullrouted.toml"), text, &nothing)
    }

    /// The problems of a feed with these lines, without the lines that show the text.
    fn problems(lines: &str) -> String {
        let text = format!("[[feed]]\nname = \"member\"\n{lines}\n");
        let shown = read(&text).map_or_else(|problems| problems.to_string(), |_| String::new());
        let told = shown.lines().filter(|line| !line.contains(" | "));
        told.collect::<Vec<_>>().join("\n")
    }

    const HTTPS: &str = "url = \"https://members.example.net/x\"\n";

    #[test]
    fn a_secret_travels_over_https_or_within_the_machine() {
        for (key, also) in [
            ("password_file", "user = \"a\"\n"),
            ("bearer_file", ""),
            ("api_key_file", ""),
        ] {
            let with = |url: &str| problems(&format!("{also}{key} = \"f\"\nurl = \"{url}\""));
            let shown = with("http://members.example.net/x");
            let told = format!("{key}: would be sent to members.example.net over http");
            assert!(shown.contains(&told), "{shown}");
            for url in [
                "https://members.example.net/x",
                "http://127.0.0.1:8080/x",
                "http://[::1]/x",
                "http://localhost/x",
            ] {
                assert_eq!(with(url), "", "{key} to {url}");
            }
        }
        let certificate = "client_certificate_file = \"f\"\nurl = \"http://127.0.0.1/x\"";
        assert!(problems(certificate).contains("over http there are no certificates"));
        assert!(
            problems("bearer_file = \"f\"\npath = \"x\"")
                .contains("bearer_file: a feed with a path is read, not asked for")
        );
    }

    #[test]
    fn a_feed_has_one_secret_and_a_name_has_its_password() {
        assert_eq!(
            problems(&format!("{HTTPS}bearer_file = \"b\"\napi_key_file = \"k\"")),
            "/etc/nullrouted/nullrouted.toml:5:16: api_key_file: a feed has one \
             secret, and this one has bearer_file\n      hint: permitted is one of password_file, \
             bearer_file, api_key_file and header\n1 problem"
        );
        for (lines, why) in [
            ("user = \"a\"", "user: without password_file"),
            ("password_file = \"f\"", "password_file: without user"),
            (
                "user = \"a:b\"\npassword_file = \"f\"",
                "user: a colon or control character cannot be sent",
            ),
        ] {
            let shown = problems(&format!("{HTTPS}{lines}"));
            assert!(shown.contains(why), "{shown}");
        }
    }

    #[test]
    fn a_header_of_the_publishers_own_has_a_name_and_a_file() {
        for (lines, why) in [
            (
                "header = { name = \"Auth-Key\" }",
                "header: without a name or a file",
            ),
            (
                "header = { name = \"Host\", file = \"k\" }",
                "header: \"Host\" is set by the program itself\n      hint: for Authorization there are \
                 bearer_file, and user with password_file",
            ),
            (
                "header = { name = \"Auth Key\", file = \"k\" }",
                "header: \"Auth Key\" is no name of a header\n      hint: letters, digits and hyphens",
            ),
            (
                "header = { nam = \"Auth-Key\", file = \"k\" }",
                "nam: no such key here",
            ),
            (
                "header = { name = \"Key\", file = \"credential:a/b\" }",
                "header: \"credential:a/b\" is no name of a credential\n      hint: such as \
                 \"credential:NAME\", a file in $CREDENTIALS_DIRECTORY",
            ),
            (
                "bearer_file = \"b\"\nheader = { name = \"Key\", file = \"k\" }",
                "header: a feed has one secret, and this one has bearer_file",
            ),
            (
                "url_file = \"u\"",
                "url_file: a feed has a url, a url_file or a path, and one of them",
            ),
        ] {
            let shown = problems(&format!("{HTTPS}{lines}"));
            assert!(shown.contains(why), "{lines}: {shown}");
        }
        let shown = problems(
            "header = { name = \"Key\", file = \"k\" }\nurl = \"http://members.example.net/x\"",
        );
        assert!(
            shown.contains("header: would be sent to members.example.net over http"),
            "{shown}"
        );
        let shown = problems("url_file = \"credential:\"");
        assert!(
            shown.contains("url_file: \"credential:\" is no name of a credential"),
            "{shown}"
        );
    }

    #[test]
    fn the_bounds_of_a_download_are_checked() {
        for (line, why) in [
            (
                "proxy = \"socks5://proxy.example.net:1080\"",
                "proxy: socks5: is not supported",
            ),
            (
                "proxy = \"http://u:p@proxy.example.net\"",
                "proxy: a name or password in it would be shown in messages",
            ),
            ("timeout = \"0s\"", "timeout: 0s is too short"),
            (
                "first_byte_timeout = \"10ms\"",
                "first_byte_timeout: 10ms is too short",
            ),
            ("min_speed = -1", "min_speed: -1 is not from 0 to "),
        ] {
            let shown = problems(&format!("{HTTPS}[fetch]\n{line}"));
            assert!(shown.contains(why), "{shown}");
        }
    }

    #[test]
    fn what_is_unpacked_has_the_limit_of_what_is_fetched() {
        let text = format!("[[feed]]\nname = \"a\"\n{HTTPS}[fetch]\nmax_bytes = 5000\n");
        assert_eq!(read(&text).unwrap().feeds[0].rules.max_bytes, 5_000);
        let text = format!("[[feed]]\nname = \"a\"\n{HTTPS}");
        assert_eq!(read(&text).unwrap().feeds[0].rules.max_bytes, 64_000_000);
    }

    #[test]
    fn every_key_of_a_download_is_printed_as_it_is_read() {
        let feeds: String = [
            "user = \"edge1\"\npassword_file = \"/p\"\nclient_certificate_file = \"/c\"",
            "bearer_file = \"/b\"",
            "api_key_file = \"/k\"",
            "header = { name = \"Auth-Key\", file = \"credential:k\" }",
        ]
        .iter()
        .enumerate()
        .map(|(i, keys)| format!("[[feed]]\nname = \"f{i}\"\n{HTTPS}{keys}\n"))
        .collect();
        let fetch = r#"[fetch]
contact = "noc@example.net"
connect_timeout = "2s"
first_byte_timeout = "3s"
timeout = "4s"
min_speed = 5
min_speed_time = "6s"
max_bytes = 7
proxy = "http://proxy.example.net:3128"
ca_file = "ca.pem"
"#;
        let config = read(&format!("{feeds}{fetch}")).unwrap();
        let again = read(&print(&config)).unwrap();
        assert_eq!(again.fetch, config.fetch);
        for (one, other) in config.feeds.iter().zip(&again.feeds) {
            assert_ne!(one.access, crate::feed::fetch::Access::default());
            assert_eq!(one.access, other.access);
        }
    }
}
