//! `[[feed]]`: where a feed comes from, how it is read, when it is looked at.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::{Check, share, span};
use crate::config::model::{FeedConfig, Origin};
use crate::config::written;
use crate::feed::formats::{Format, Rules};
use crate::feed::preset::{PRESETS, Preset};
use crate::feed::schedule::Rhythm;
use crate::feed::standing::Ages;
use crate::policy::limits::FeedLimits;
use crate::prefix::HostBits;

/// More feeds than anybody has; an entry of the RIB names its feed in 16 bits.
const MOST_FEEDS: usize = 1_000;
const URL_SCHEMES: &str = "permitted are https and http; for a file write path = …";

impl Check<'_> {
    pub(super) fn feeds(&mut self, written: &[Spanned<written::Feed>]) -> Vec<FeedConfig> {
        let mut feeds: Vec<FeedConfig> = Vec::new();
        if let Some(first_beyond) = written.get(MOST_FEEDS) {
            let message = format!("more than {MOST_FEEDS} feeds");
            self.problem(first_beyond.span(), message);
        }
        for feed in written {
            let Some(checked) = self.feed(feed) else {
                continue;
            };
            if feeds.iter().any(|other| other.name == checked.name) {
                let span = feed
                    .get_ref()
                    .name
                    .as_ref()
                    .map_or(feed.span(), Spanned::span);
                let message = format!("name: {:?} is the name of another feed", checked.name);
                self.problem(span, message);
            }
            feeds.push(checked);
        }
        feeds
    }

    fn feed(&mut self, written: &Spanned<written::Feed>) -> Option<FeedConfig> {
        let span = written.span();
        let feed = written.get_ref();
        let name = self.name("feed", feed.name.as_ref(), &span);
        let preset = feed.preset.as_ref().and_then(|name| {
            let known: Vec<(&str, &'static Preset)> =
                PRESETS.iter().map(|preset| (preset.name, preset)).collect();
            self.word("preset", name, &known)
        });
        let origin = self.origin(feed, preset, &span);
        let rules = self.rules(feed, preset, origin.as_ref());
        let access = self.access(feed, origin.as_ref());
        let rhythm = self.rhythm(feed, preset, origin.as_ref());
        let ages = self.ages(feed, rhythm);
        Some(FeedConfig {
            name: name?,
            preset: preset.map(|preset| preset.name),
            origin: origin?,
            access,
            rules,
            rhythm,
            ages,
            limits: FeedLimits {
                max_added: share(feed.max_added.as_ref()),
                max_removed: share(feed.max_removed.as_ref()),
            },
            reserved: feed.reserved,
            attribution: preset.map(|preset| preset.attribution),
        })
    }

    fn origin(
        &mut self,
        feed: &written::Feed,
        preset: Option<&'static Preset>,
        span: &Range<usize>,
    ) -> Option<Origin> {
        match (&feed.url, &feed.path) {
            (Some(url), Some(_)) => {
                self.problem(url.span(), "url: a feed has a url or a path, not both");
                None
            }
            (Some(url), None) => self.url("url", url, URL_SCHEMES).map(Origin::Url),
            (None, Some(path)) => Some(Origin::Path(self.path(path))),
            (None, None) => match preset {
                Some(preset) => preset.url.parse().ok().map(Origin::Url),
                // An unknown preset has been reported already.
                None if feed.preset.is_some() => None,
                None => {
                    let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
                    let hint = format!("presets are {}", names.join(", "));
                    self.hinted(
                        span.clone(),
                        "a feed without a preset, a url or a path",
                        hint,
                    );
                    None
                }
            },
        }
    }

    fn rules(
        &mut self,
        feed: &written::Feed,
        preset: Option<&Preset>,
        origin: Option<&Origin>,
    ) -> Rules {
        let format = feed
            .format
            .as_ref()
            .and_then(|format| self.word("format", format, &Format::NAMES))
            .or(preset.map(|preset| preset.format))
            .unwrap_or(Format::Cidr);
        let host_bits = feed.host_bits.as_ref().and_then(|word| {
            let words = [("refuse", HostBits::Refuse), ("mask", HostBits::Mask)];
            self.word("host_bits", word, &words)
        });
        let mut rules = Rules {
            host_bits: host_bits.unwrap_or_default(),
            // A list of the operator's own may be empty; a publisher's is then retired or broken.
            may_be_empty: matches!(origin, Some(Origin::Path(_))) && format == Format::Cidr,
            ..Rules::of(format)
        };
        if let Some(preset) = preset {
            rules.lengths_v4 = preset.lengths_v4;
            rules.lengths_v6 = preset.lengths_v6;
        }
        rules
    }

    fn rhythm(
        &mut self,
        feed: &written::Feed,
        preset: Option<&Preset>,
        origin: Option<&Origin>,
    ) -> Rhythm {
        let local = matches!(origin, Some(Origin::Path(_)));
        // A preset's floor is the publisher's: it does not bind a copy on our own disk.
        let floor = preset
            .filter(|_| !local)
            .map_or(Duration::ZERO, |preset| preset.floor);
        let default = match preset {
            _ if local => FeedConfig::EVERY_PATH,
            Some(preset) => preset.every,
            None => FeedConfig::EVERY_URL,
        };
        let every = span(feed.every.as_ref()).unwrap_or(default);
        let least = floor.max(Duration::from_secs(1));
        if let Some(written) = feed.every.as_ref().filter(|_| every < least) {
            let least = humantime::format_duration(least);
            let message = format!("every: {} is too often", humantime::format_duration(every));
            let hint = if floor.is_zero() {
                format!("at least \"{least}\"")
            } else {
                format!("the publisher asks for at least \"{least}\" between downloads")
            };
            self.hinted(written.span(), message, hint);
        }
        Rhythm { every, floor }
    }

    fn ages(&mut self, feed: &written::Feed, rhythm: Rhythm) -> Ages {
        let written_expiry = span(feed.expire_after.as_ref());
        let stale_after = span(feed.stale_after.as_ref()).unwrap_or_else(|| {
            let usual = FeedConfig::STALE_AFTER.max(rhythm.every.saturating_mul(2));
            usual.min(written_expiry.unwrap_or(usual))
        });
        let expire_after = written_expiry
            .unwrap_or_else(|| FeedConfig::EXPIRE_AFTER.max(stale_after.saturating_mul(2)));
        if let Some(written) = feed
            .stale_after
            .as_ref()
            .filter(|_| stale_after < rhythm.every)
        {
            let message = "stale_after: shorter than every, so the feed would always be stale";
            self.problem(written.span(), message);
        }
        if let Some(written) = feed
            .expire_after
            .as_ref()
            .filter(|_| expire_after < stale_after)
        {
            self.problem(written.span(), "expire_after: shorter than stale_after");
        }
        Ages {
            stale_after,
            expire_after,
        }
    }
}
