//! The shapes of the TOML file, as written. Every value keeps its place in the text.
//!
//! Plain structs with `deny_unknown_fields`; no `flatten` and no tagged enums, which lose the
//! position of an error. Everything is optional here: the check judges what is missing.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use toml::Spanned;

use crate::feed::withdrawal::WithdrawAfter;
use crate::policy::limits::Share;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    pub state_dir: Option<Spanned<String>>,
    pub feed: Vec<Spanned<Feed>>,
    pub protect: Protect,
    pub limits: Limits,
    pub review: Review,
    pub ledger: Ledger,
    pub daemon: Daemon,
    pub kernel: Kernel,
    pub router: Vec<Spanned<Router>>,
    pub fetch: Fetch,
    pub asn: Asn,
}

/// `[[feed]]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Feed {
    pub name: Option<Spanned<String>>,
    pub preset: Option<Spanned<String>>,
    pub url: Option<Spanned<String>>,
    pub url_file: Option<Spanned<String>>,
    pub path: Option<Spanned<String>>,
    pub format: Option<Spanned<String>>,
    pub every: Option<Spanned<Span>>,
    pub stale_after: Option<Spanned<Span>>,
    pub expire_after: Option<Spanned<Span>>,
    pub max_added: Option<Spanned<Percent>>,
    pub max_removed: Option<Spanned<Percent>>,
    pub max_added_count: Option<Spanned<i64>>,
    pub max_removed_count: Option<Spanned<i64>>,
    pub host_bits: Option<Spanned<String>>,
    pub lengths_v4: Option<Spanned<String>>,
    pub lengths_v6: Option<Spanned<String>>,
    pub withdraw_after: Option<Spanned<Wait>>,
    pub max_age: Option<Spanned<Span>>,
    pub field: Option<Spanned<String>>,
    pub reference: Option<Spanned<String>>,
    pub length: Option<Spanned<String>>,
    pub last: Option<Spanned<String>>,
    pub ports: Option<Spanned<String>>,
    pub reserved: Option<bool>,
    pub believe_empty: Option<bool>,
    pub client_certificate_file: Option<Spanned<String>>,
    pub user: Option<Spanned<String>>,
    pub password_file: Option<Spanned<String>>,
    pub bearer_file: Option<Spanned<String>>,
    pub api_key_file: Option<Spanned<String>>,
    pub header: Option<Spanned<Header>>,
}

/// `header = { name = "…", file = "…" }`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Header {
    pub name: Option<Spanned<String>>,
    pub file: Option<Spanned<String>>,
}

impl Feed {
    /// The authentication settings, each with its key.
    pub fn access(&self) -> [(&'static str, Option<&Spanned<String>>); 6] {
        let header = self
            .header
            .as_ref()
            .and_then(|header| header.get_ref().file.as_ref());
        [
            (
                "client_certificate_file",
                self.client_certificate_file.as_ref(),
            ),
            ("user", self.user.as_ref()),
            ("password_file", self.password_file.as_ref()),
            ("bearer_file", self.bearer_file.as_ref()),
            ("api_key_file", self.api_key_file.as_ref()),
            ("header", header),
        ]
    }
}

/// `[protect]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Protect {
    pub prefixes: Vec<Spanned<String>>,
    pub files: Vec<Spanned<String>>,
    pub asns: Vec<Spanned<i64>>,
    pub discover: Option<Vec<Spanned<String>>>,
    pub feed: Vec<Spanned<ProtectFeed>>,
}

/// `[[protect.feed]]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProtectFeed {
    pub name: Option<Spanned<String>>,
    pub url: Option<Spanned<String>>,
    pub path: Option<Spanned<String>>,
    pub format: Option<Spanned<String>>,
    pub every: Option<Spanned<Span>>,
    pub stale_after: Option<Spanned<Span>>,
    pub host_bits: Option<Spanned<String>>,
    pub field: Option<Spanned<String>>,
    pub reference: Option<Spanned<String>>,
    pub length: Option<Spanned<String>>,
    pub last: Option<Spanned<String>>,
}

impl ProtectFeed {
    /// The same keys as those of a list.
    pub fn as_feed(&self) -> Feed {
        Feed {
            name: self.name.clone(),
            url: self.url.clone(),
            path: self.path.clone(),
            format: self.format.clone(),
            every: self.every.clone(),
            stale_after: self.stale_after.clone(),
            host_bits: self.host_bits.clone(),
            field: self.field.clone(),
            reference: self.reference.clone(),
            length: self.length.clone(),
            last: self.last.clone(),
            ..Feed::default()
        }
    }
}

/// `[limits]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub shortest_v4: Option<Spanned<i64>>,
    pub shortest_v6: Option<Spanned<i64>>,
    pub max_routes: Option<Spanned<i64>>,
    pub max_added: Option<Spanned<Percent>>,
    pub max_removed: Option<Spanned<Percent>>,
    pub max_added_count: Option<Spanned<i64>>,
    pub max_removed_count: Option<Spanned<i64>>,
    pub max_share_v4: Option<Spanned<Percent>>,
    pub max_share_v6: Option<Spanned<Percent>>,
    pub small_change: Option<Spanned<i64>>,
}

/// `[review]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Review {
    pub mode: Option<Spanned<String>>,
    pub second_person: Option<bool>,
}

/// `[ledger]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ledger {
    pub keep: Option<Spanned<Span>>,
}

/// `[daemon]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Daemon {
    pub group: Option<Spanned<String>>,
    pub writers: Vec<Spanned<String>>,
}

/// `[kernel]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kernel {
    pub enabled: Option<bool>,
    pub table: Option<Spanned<i64>>,
    pub protocol: Option<Spanned<i64>>,
    pub metric: Option<Spanned<i64>>,
    pub r#type: Option<Spanned<String>>,
    pub on_stop: Option<Spanned<String>>,
    pub rule: Option<Spanned<i64>>,
    pub audit: Option<Spanned<Span>>,
    pub cover_more_specifics: Option<bool>,
}

/// `[[router]]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Router {
    pub name: Option<Spanned<String>>,
    pub family: Option<Spanned<String>>,
    pub role: Option<Spanned<String>>,
    pub next_hop_v4: Option<Spanned<Ipv4Addr>>,
    pub next_hop_v6: Option<Spanned<Ipv6Addr>>,
    pub lists: Option<Spanned<String>>,
    pub frr_version: Option<Spanned<String>>,
    pub announce_to: Option<Spanned<String>>,
    pub neighbors: Option<Spanned<Vec<Spanned<String>>>>,
    pub direction: Option<Spanned<String>>,
    pub feeds: Option<Spanned<Vec<Spanned<String>>>>,
    pub operator: Option<Spanned<bool>>,
    pub families: Option<Spanned<Vec<Spanned<String>>>>,
    pub max_length_v4: Option<Spanned<i64>>,
    pub max_length_v6: Option<Spanned<i64>>,
    pub path: Option<Spanned<String>>,
    pub check: Option<Spanned<Command>>,
    pub reload: Option<Spanned<Command>>,
    pub verify: Option<Spanned<Command>>,
    pub adopt: Option<bool>,
}

impl Router {
    /// The commands, each with its key.
    pub fn commands(&self) -> [(&'static str, &Option<Spanned<Command>>); 3] {
        [
            ("check", &self.check),
            ("reload", &self.reload),
            ("verify", &self.verify),
        ]
    }
}

/// `[fetch]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fetch {
    pub contact: Option<Spanned<String>>,
    pub connect_timeout: Option<Spanned<Span>>,
    pub first_byte_timeout: Option<Spanned<Span>>,
    pub timeout: Option<Spanned<Span>>,
    pub min_speed: Option<Spanned<i64>>,
    pub min_speed_time: Option<Spanned<Span>>,
    pub max_bytes: Option<Spanned<i64>>,
    pub proxy: Option<Spanned<String>>,
    pub ca_file: Option<Spanned<String>>,
}

/// `[asn]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asn {
    pub table: Option<Spanned<String>>,
    pub max_age: Option<Spanned<Span>>,
}

/// `"2 copies"`, or a duration.
#[derive(Clone, Copy, Debug)]
pub struct Wait(pub WithdrawAfter);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "copies or a duration in quotes, such as \"2 copies\" or \"6h\"";
        text(deserializer, expected, |text| {
            let wait: WithdrawAfter = text.parse().ok()?;
            Some(match wait {
                WithdrawAfter::Time(time) => bounded(text, time).map(|_| Wait(wait)),
                WithdrawAfter::Copies(_) => Ok(Wait(wait)),
            })
        })
    }
}

/// A duration: `"6h"`, `"90m"`, `"7d"`.
#[derive(Clone, Copy, Debug)]
pub struct Span(pub Duration);

/// A share in percent: `"25%"`. More than 100 % is a sensible limit for growth.
#[derive(Clone, Copy, Debug)]
pub struct Percent(pub Share);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(
            deserializer,
            "a duration in quotes, such as \"6h\"",
            |text| {
                let time = humantime::parse_duration(text).ok()?;
                Some(bounded(text, time).map(Span))
            },
        )
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a share in quotes, such as \"25%\"", |text| {
            let percent: f64 = text.strip_suffix('%')?.trim().parse().ok()?;
            // `inf` and `nan` are numbers to `f64`, and `1e999` is `inf`.
            Some(match (0.0..=MOST_PERCENT).contains(&percent) {
                true => Ok(Percent(Share(percent / 100.0))),
                false => Err(format!(
                    "{text:?} is no limit: a share is from 0% to {MOST_PERCENT}%"
                )),
            })
        })
    }
}

/// Largest share: a larger limit would have no effect.
const MOST_PERCENT: f64 = 1e6;

/// Longest duration, in years. Adding it to a point in time does not overflow.
const MOST_YEARS: u64 = 1_000;

/// Check that a duration is in range.
fn bounded(text: &str, time: Duration) -> Result<Duration, String> {
    // A year in humantime.
    const YEAR: u64 = 31_557_600;
    match time <= Duration::from_secs(MOST_YEARS * YEAR) {
        true => Ok(time),
        false => Err(format!("{text:?} is longer than {MOST_YEARS} years")),
    }
}

/// `"default"`, or a program and its arguments.
#[derive(Clone, Debug)]
pub enum Command {
    /// The default of the family.
    Default,
    /// These words.
    Words(Vec<String>),
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Command;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("\"default\", or a command as a list of words, such as [\"vtysh\", \"-f\", \"{file}\"]")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Command, E> {
                let unexpected = serde::de::Unexpected::Str(text);
                match text {
                    "default" => Ok(Command::Default),
                    _ => Err(E::invalid_value(unexpected, &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Command, A::Error> {
                let words = SeqAccessDeserializer::new(seq);
                Vec::deserialize(words).map(Command::Words)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A value written as a string; `expected` is the message if it is something else, and the error of
/// `parse` if it is invalid.
fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<Result<T, String>>,
) -> Result<T, D::Error> {
    struct Text<F>(&'static str, F);
    impl<T, F: Fn(&str) -> Option<Result<T, String>>> Visitor<'_> for Text<F> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str(self.0)
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            let unexpected = serde::de::Unexpected::Str(text);
            let parsed = (self.1)(text).ok_or_else(|| E::invalid_value(unexpected, &self))?;
            parsed.map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Text(expected, parse))
}
