//! `[[feed]]`: the source of a feed, how it is parsed, and when it is fetched.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::{Check, MOST, place, share, span};
use crate::config::model::{FeedConfig, Origin};
use crate::config::written;
use crate::feed::fetch::SecretFile;
use crate::feed::formats::{Format, Ports, Rules};
use crate::feed::preset::{PRESETS, Preset, retired};
use crate::feed::schedule::Rhythm;
use crate::feed::standing::Ages;
use crate::feed::withdrawal::WithdrawAfter;
use crate::policy::limits::{FeedLimits, Limits};
use crate::prefix::HostBits;
use crate::rib::OPERATOR;

/// More feeds than needed anywhere; an entry of the RIB names its feed in 16 bits.
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
            let at = place(&feed.get_ref().name).unwrap_or(feed.span());
            self.has_own_name(&checked, feeds.iter(), at);
            feeds.push(checked);
        }
        feeds
    }

    /// A feed has a name that none of the others has: it names its copies.
    pub(super) fn has_own_name<'f>(
        &mut self,
        feed: &FeedConfig,
        mut others: impl Iterator<Item = &'f FeedConfig>,
        at: Range<usize>,
    ) {
        if others.any(|other| other.name == feed.name) {
            let message = format!("name: {:?} is the name of another feed", feed.name);
            self.problem(at, message);
        }
    }

    fn feed(&mut self, written: &Spanned<written::Feed>) -> Option<FeedConfig> {
        self.fetched(written.get_ref(), written.span())
    }

    /// What is fetched and read by these keys.
    pub(super) fn fetched(
        &mut self,
        feed: &written::Feed,
        span: Range<usize>,
    ) -> Option<FeedConfig> {
        let name = self.name("feed", feed.name.as_ref(), &span);
        if name.as_deref() == Some(OPERATOR) {
            let message =
                format!("name: {OPERATOR:?} stands for what is added by hand (nullrouted add)");
            self.problem(span.clone(), message);
        }
        let known = PRESETS.each_ref().map(|preset| (preset.name, preset));
        let why = feed
            .preset
            .as_ref()
            .and_then(|name| Some((name, retired(name.get_ref())?)));
        let preset = match why {
            Some((name, why)) => {
                let message = format!("preset: {:?} is retired: {why}", name.get_ref());
                self.problem(name.span(), message);
                None
            }
            None => self.word("preset", &feed.preset, &known),
        };
        let origin = self.origin(feed, preset, &span);
        let rules = self.rules(feed, preset, origin.as_ref());
        let access = self.access(feed, origin.as_ref());
        let rhythm = self.rhythm(feed, preset, origin.as_ref());
        let ages = self.ages(feed, preset, rhythm);
        let patience = match &origin {
            Some(Origin::Path(_)) => WithdrawAfter::AT_ONCE,
            _ => WithdrawAfter::DEFAULT,
        };
        Some(FeedConfig {
            name: name?,
            preset: preset.map(|preset| preset.name),
            origin: origin?,
            access,
            rules,
            rhythm,
            ages,
            withdraw_after: (feed.withdraw_after.as_ref())
                .map_or(patience, |wait| wait.get_ref().0),
            limits: FeedLimits {
                max_added: share(&feed.max_added),
                max_removed: share(&feed.max_removed),
                max_added_count: self.number("max_added_count", &feed.max_added_count, 0..=MOST),
                max_removed_count: self.number(
                    "max_removed_count",
                    &feed.max_removed_count,
                    0..=MOST,
                ),
            },
            reserved: feed
                .reserved
                .unwrap_or(preset.is_some_and(|preset| preset.reserved)),
            believe_empty: feed.believe_empty.unwrap_or(false),
            attribution: preset.map(|preset| preset.attribution),
            protects: false,
        })
    }

    fn origin(
        &mut self,
        feed: &written::Feed,
        preset: Option<&'static Preset>,
        span: &Range<usize>,
    ) -> Option<Origin> {
        if let (Some(file), true) = (&feed.url_file, feed.url.is_some() || feed.path.is_some()) {
            let message = "url_file: a feed has a url, a url_file or a path, and one of them";
            self.problem(file.span(), message);
            return None;
        }
        if let Some(file) = &feed.url_file {
            return self.secret_file(SecretFile::URL, file).map(Origin::UrlFile);
        }
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
                    let hint = "`nullrouted feeds` lists the presets";
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
        let format = self.word("format", &feed.format, &Format::NAMES);
        let format = format.or(preset.map(|preset| preset.format));
        let format = format.unwrap_or_default();
        let words = [("refuse", HostBits::Refuse), ("mask", HostBits::Mask)];
        let host_bits = self.word("host_bits", &feed.host_bits, &words);
        let words = [("refuse", Ports::Refuse), ("ignore", Ports::Ignore)];
        let ports = self.word("ports", &feed.ports, &words);
        let text = |key: &Option<Spanned<String>>| key.as_ref().map(|key| key.get_ref().clone());
        let own = matches!(origin, Some(Origin::Path(_))) && format == Format::Cidr;
        let mut rules = Rules {
            host_bits: host_bits.unwrap_or_default(),
            header: preset
                .filter(|preset| preset.format == format)
                .and_then(|preset| preset.header),
            field: text(&feed.field),
            reference: text(&feed.reference),
            length: text(&feed.length),
            last: text(&feed.last),
            ports: ports.unwrap_or_default(),
            believe_empty: feed.believe_empty.unwrap_or(false),
            // A local list may be empty; a publisher's empty list is retired or broken.
            may_be_empty: own,
            few_bad_lines: if own { 3 } else { 1 },
            ..Rules::of(format)
        };
        self.field(feed, format);
        self.stream(feed, format, origin);
        if rules.host_bits == HostBits::Mask {
            // A truncated length is shorter than this: it must not be accepted by masking.
            rules.lengths_v4 = Some((Limits::default().shortest_v4, 32));
            rules.lengths_v6 = Some((Limits::default().shortest_v6, 128));
        }
        if let Some(preset) = preset {
            rules.lengths_v4 = preset.lengths_v4;
            rules.lengths_v6 = preset.lengths_v6;
        }
        if let Some(written) = &feed.lengths_v4 {
            rules.lengths_v4 = self.lengths("lengths_v4", written, 32);
        }
        if let Some(written) = &feed.lengths_v6 {
            rules.lengths_v6 = self.lengths("lengths_v6", written, 128);
        }
        rules
    }

    /// Some formats need the place of the address, others have no use for it.
    fn field(&mut self, feed: &written::Feed, format: Format) {
        let needed = matches!(format, Format::Csv | Format::Json);
        let has_columns = needed || format == Format::Columns;
        let of_sets = matches!(
            format,
            Format::Ipset | Format::Nft | Format::Rsc | Format::Auto
        );
        let useful = has_columns || of_sets;
        match (&feed.field, &feed.format) {
            (None, Some(written)) if needed => self.hinted(
                written.span(),
                format!("format: {format} does not say by itself where the address is"),
                "field = \"…\": the name or number of a column in CSV, a path such as \"items[].ip\" in JSON",
            ),
            (Some(written), _) if !useful => {
                let message = format!("field: {format} has no fields to choose from");
                self.problem(written.span(), message);
            }
            _ => {}
        }
        if let Some(written) = feed.reference.as_ref().filter(|_| !has_columns) {
            let message = format!("reference: {format} knows by itself where its references are");
            self.problem(written.span(), message);
        }
        for (key, written) in [("length", &feed.length), ("last", &feed.last)] {
            if let Some(written) = written.as_ref().filter(|_| !has_columns) {
                self.hinted(
                    written.span(),
                    format!("{key}: {format} has no second column beside the address"),
                    "it is read with format = \"csv\", \"columns\" and \"json\"",
                );
            }
        }
        if let (Some(_), Some(written)) = (&feed.length, &feed.last) {
            let message = "last: an address has a length or a last address, not both";
            self.problem(written.span(), message);
        }
    }

    /// Without this parameter a stream answers with the changes since the last request: a part that
    /// looks like a whole list.
    fn stream(&mut self, feed: &written::Feed, format: Format, origin: Option<&Origin>) {
        let (Some(Origin::Url(url)), Some(written)) = (origin, &feed.url) else {
            return;
        };
        let whole = url
            .query_pairs()
            .any(|pair| pair == ("startup".into(), "true".into()));
        if format == Format::Crowdsec && url.path().ends_with("/stream") && !whole {
            self.hinted(
                written.span(),
                "url: a stream of decisions gives only what is new",
                "add ?startup=true, so that each answer is the whole list",
            );
        }
    }

    /// `8-24`, or `none`.
    fn lengths(&mut self, key: &str, written: &Spanned<String>, width: u8) -> Option<(u8, u8)> {
        let text = written.get_ref();
        if text == "none" {
            return None;
        }
        let ends = text.split_once('-').and_then(|(shortest, longest)| {
            Some((shortest.trim().parse().ok()?, longest.trim().parse().ok()?))
        });
        let good = ends.filter(|(shortest, longest)| shortest <= longest && *longest <= width);
        if good.is_none() {
            let message = format!("{key}: {text:?} is no pair of lengths");
            let hint =
                format!("such as \"8-{width}\", or \"none\" when the list has no such prefix");
            self.hinted(written.span(), message, hint);
        }
        good.or(Some((0, width)))
    }

    fn rhythm(
        &mut self,
        feed: &written::Feed,
        preset: Option<&Preset>,
        origin: Option<&Origin>,
    ) -> Rhythm {
        let local = matches!(origin, Some(Origin::Path(_)));
        // A preset's minimum interval is the publisher's: it does not apply to a copy on our own
        // disk.
        let floor = preset
            .filter(|_| !local)
            .map_or(Duration::ZERO, |preset| preset.floor);
        let default = match preset {
            _ if local => FeedConfig::EVERY_PATH,
            Some(preset) => preset.every,
            None => FeedConfig::EVERY_URL,
        };
        let every = span(&feed.every).unwrap_or(default);
        let least = floor.max(Duration::from_secs(1));
        if let (Some(written), true) = (&feed.every, every < least) {
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

    fn ages(&mut self, feed: &written::Feed, preset: Option<&Preset>, rhythm: Rhythm) -> Ages {
        let written_expiry = span(&feed.expire_after);
        let stale_after = span(&feed.stale_after).unwrap_or_else(|| {
            let usual = FeedConfig::STALE_AFTER.max(rhythm.every.saturating_mul(2));
            usual.min(written_expiry.unwrap_or(usual))
        });
        let expire_after = written_expiry
            .unwrap_or_else(|| FeedConfig::EXPIRE_AFTER.max(stale_after.saturating_mul(2)));
        if let (Some(written), true) = (&feed.stale_after, stale_after < rhythm.every) {
            let message = "stale_after: shorter than every, so the feed would always be stale";
            self.problem(written.span(), message);
        }
        if let (Some(written), true) = (&feed.expire_after, expire_after < stale_after) {
            self.problem(written.span(), "expire_after: shorter than stale_after");
        }
        let max_age = span(&feed.max_age).or(preset.and_then(|preset| preset.max_age));
        Ages {
            stale_after,
            expire_after,
            max_age,
        }
    }
}
