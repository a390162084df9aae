//! From the written shapes to the model: every value is checked, every error reported.

mod feed;
mod fetch;
mod kernel;
mod places;
mod protect;
mod selection;
mod target;

pub(super) use places::places;

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::model::{Config, DaemonConfig, FeedConfig, OriginsConfig};
use super::written::{self, Percent, Span, Written};
use super::{Problem, ReadFile};
use crate::feed::formats::Rules;
use crate::policy::Policy;
use crate::policy::limits::{Limits, Review, Share};
use crate::policy::protect::{Protect, ProtectedAsn};
use crate::shown;

/// The state directory, if the file names none.
pub const STATE_DIR: &str = "/var/lib/nullrouted";

/// Largest number of anything that is counted.
const MOST: i64 = u32::MAX as i64;

/// Check everything; the result is valid only if no problem was added.
pub fn check(
    written: &Written,
    base: &Path,
    read: ReadFile,
    problems: &mut Vec<Problem>,
) -> Config {
    let mut check = Check { base, problems };
    let fetch = check.fetch(&written.fetch);
    let mut feeds = check.feeds(&written.feed);
    let mut protect_feeds = check.protect_feeds(&written.protect.feed, &feeds);
    let limits = check.limits(&written.limits);
    for feed in feeds.iter_mut().chain(&mut protect_feeds) {
        feed.rules.max_bytes = fetch.max_bytes;
        feed.rules.max_entries = limits.max_entries().min(Rules::MAX_ENTRIES);
    }
    let (protected, protect) = check.protect(&written.protect, read);
    let typed = |asn: &u32| ProtectedAsn {
        asn: *asn,
        why: "[protect] asns".to_owned(),
    };
    let asns = protect.asns.iter().map(typed).collect();
    let routers = check.routers(&written.router, &names(&written.feed), &protected);
    Config {
        state_dir: match &written.state_dir {
            Some(dir) => check.path(dir),
            None => PathBuf::from(STATE_DIR),
        },
        feeds,
        policy: Policy {
            protect: Protect::new(protected).with_asns(asns),
            limits,
            review: check
                .word("mode", &written.review.mode, &Review::NAMES)
                .unwrap_or_default(),
        },
        protect,
        second_person: written.review.second_person.unwrap_or(false),
        protect_feeds,
        kernel: check.kernel(&written.kernel),
        routers,
        fetch,
        origins: check.origins(&written.asn),
        keep: check.keep(&written.ledger),
        daemon: check.daemon(&written.daemon),
    }
}

struct Check<'a> {
    base: &'a Path,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn problem(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Problem {
        self.problems.push(Problem::at(span, message));
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    fn hinted(&mut self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.problem(span, message).hint = Some(hint.into());
    }

    fn path(&self, written: &Spanned<String>) -> PathBuf {
        self.base.join(written.get_ref())
    }

    /// One of a few words, if one is written.
    fn word<T: Copy>(
        &mut self,
        key: &str,
        written: &Option<Spanned<String>>,
        permitted: &[(&str, T)],
    ) -> Option<T> {
        self.one_of(key, written.as_ref()?, permitted)
    }

    /// One of a few words.
    fn one_of<T: Copy>(
        &mut self,
        key: &str,
        written: &Spanned<String>,
        permitted: &[(&str, T)],
    ) -> Option<T> {
        let found = permitted.iter().find(|(name, _)| name == written.get_ref());
        if found.is_none() {
            let names: Vec<_> = permitted.iter().map(|(name, _)| *name).collect();
            let message = format!("{key}: {:?} is not known", written.get_ref());
            let hint = shown::permitted("permitted are", written.get_ref(), &names);
            self.hinted(written.span(), message, hint);
        }
        found.map(|(_, value)| *value)
    }

    /// A number within bounds, if one is written.
    fn number<T: TryFrom<i64>>(
        &mut self,
        key: &str,
        written: &Option<Spanned<i64>>,
        bounds: RangeInclusive<i64>,
    ) -> Option<T> {
        let written = written.as_ref()?;
        let number = *written.get_ref();
        if !bounds.contains(&number) {
            let (least, most) = bounds.into_inner();
            let message = format!("{key}: {number} is not from {least} to {most}");
            self.problem(written.span(), message);
            return None;
        }
        T::try_from(number).ok()
    }

    /// Names become file names and words in messages, so few characters are permitted.
    fn name(
        &mut self,
        of: &str,
        name: Option<&Spanned<String>>,
        span: &Range<usize>,
    ) -> Option<String> {
        let Some(name) = name else {
            self.problem(span.clone(), format!("a {of} without a name"));
            return None;
        };
        let text = name.get_ref();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        let fine = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain);
        if !fine || text.len() > 64 {
            let hint = "a to z, 0 to 9, and - _ . inside, at most 64 characters";
            self.hinted(
                name.span(),
                format!("name: {text:?} cannot be the name of a {of}"),
                hint,
            );
            return None;
        }
        Some(text.clone())
    }

    fn limits(&mut self, written: &written::Limits) -> Limits {
        let default = Limits::default();
        let shortest_v4 = self.number("shortest_v4", &written.shortest_v4, 1..=32);
        let shortest_v6 = self.number("shortest_v6", &written.shortest_v6, 1..=128);
        let max_routes = self.number("max_routes", &written.max_routes, 0..=MOST);
        let small_change = self.number("small_change", &written.small_change, 0..=MOST);
        Limits {
            shortest_v4: shortest_v4.unwrap_or(default.shortest_v4),
            shortest_v6: shortest_v6.unwrap_or(default.shortest_v6),
            max_routes: max_routes.unwrap_or(default.max_routes),
            max_added: share(&written.max_added).unwrap_or(default.max_added),
            max_removed: share(&written.max_removed).unwrap_or(default.max_removed),
            max_added_count: self.number("max_added_count", &written.max_added_count, 0..=MOST),
            max_removed_count: self.number(
                "max_removed_count",
                &written.max_removed_count,
                0..=MOST,
            ),
            max_share_v4: share(&written.max_share_v4).unwrap_or(default.max_share_v4),
            max_share_v6: share(&written.max_share_v6).unwrap_or(default.max_share_v6),
            small_change: small_change.unwrap_or(default.small_change),
        }
    }

    fn keep(&mut self, written: &written::Ledger) -> Duration {
        let keep = span(&written.keep).unwrap_or(Config::KEEP);
        if let (Some(written), true) = (&written.keep, keep < Config::SHORTEST_KEEP) {
            self.problem(written.span(), "keep: must be at least \"1d\"");
        }
        keep
    }

    fn daemon(&mut self, written: &written::Daemon) -> DaemonConfig {
        let names = written.group.iter().map(|name| ("group", name));
        let names = names.chain(written.writers.iter().map(|name| ("writers", name)));
        for (key, name) in names {
            let text = name.get_ref();
            let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if text.is_empty() || text.len() > 64 || !text.chars().all(fine) {
                let message = format!("{key}: {text:?} cannot be a name of the system");
                self.problem(name.span(), message);
            }
        }
        if let (None, Some(first)) = (&written.group, written.writers.first()) {
            let hint = "group = \"NAME\": only its members can connect";
            let message =
                "writers: without a group only root and the user of the daemon can connect";
            self.hinted(first.span(), message, hint);
        }
        let name = |name: &Spanned<String>| name.get_ref().clone();
        DaemonConfig {
            group: written.group.as_ref().map(name),
            writers: written.writers.iter().map(name).collect(),
        }
    }

    fn origins(&mut self, written: &written::Asn) -> Option<OriginsConfig> {
        if let (None, Some(max_age)) = (&written.table, &written.max_age) {
            self.problem(
                max_age.span(),
                "max_age: there is no table that it could be the age of",
            );
        }
        Some(OriginsConfig {
            table: self.path(written.table.as_ref()?),
            max_age: span(&written.max_age).unwrap_or(FeedConfig::TABLE_AGE),
        })
    }
}

/// The names of the feeds, whatever else of them is wrong.
fn names(written: &[Spanned<written::Feed>]) -> Vec<&str> {
    let names = written.iter().filter_map(|feed| {
        let name = feed.get_ref().name.as_ref()?;
        Some(name.get_ref().as_str())
    });
    names.collect()
}

/// Where a value is written.
fn place<T>(written: &Option<Spanned<T>>) -> Option<Range<usize>> {
    written.as_ref().map(Spanned::span)
}

fn span(written: &Option<Spanned<Span>>) -> Option<Duration> {
    written.as_ref().map(|span| span.get_ref().0)
}

fn share(written: &Option<Spanned<Percent>>) -> Option<Share> {
    written.as_ref().map(|percent| percent.get_ref().0)
}
