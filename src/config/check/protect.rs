//! `[protect]`: space that is never dropped, typed or in files that must be complete.

use std::path::Path;
use std::time::Duration;

use toml::Spanned;

use super::{Check, place};
use crate::config::model::{FeedConfig, Origin, TypedProtect};
use crate::config::{ReadFile, written};
use crate::discover::Source;
use crate::feed::formats::{Format, Rules, parse_body};
use crate::feed::standing::Ages;
use crate::feed::withdrawal::WithdrawAfter;
use crate::policy::protect::Protected;
use crate::prefix::{HostBits, PrefixSet, parse};

/// The widest networks that a list protects, and the narrowest: published ranges of one operator
/// are no shorter, and a shorter one would keep most of the lists out.
const LENGTHS_V4: (u8, u8) = (8, 32);
const LENGTHS_V6: (u8, u8) = (19, 128);
/// The last good copy of a list that protects does not expire.
const NEVER: Duration = Duration::from_secs(1_000 * 365 * 24 * 3_600);

impl Check<'_> {
    /// `[[protect.feed]]`: a name, like that of a feed, names its copies.
    pub(super) fn protect_feeds(
        &mut self,
        written: &[Spanned<written::ProtectFeed>],
        feeds: &[FeedConfig],
    ) -> Vec<FeedConfig> {
        let mut found: Vec<FeedConfig> = Vec::new();
        for one in written {
            let Some(feed) = self.protect_feed(one) else {
                continue;
            };
            let at = place(&one.get_ref().name).unwrap_or(one.span());
            self.has_own_name(&feed, feeds.iter().chain(&found), at);
            found.push(feed);
        }
        found
    }

    fn protect_feed(&mut self, written: &Spanned<written::ProtectFeed>) -> Option<FeedConfig> {
        let feed = self.fetched(&written.get_ref().as_feed(), written.span())?;
        if let (Origin::Url(url), Some(written)) = (&feed.origin, &written.get_ref().url)
            && url.scheme() != "https"
        {
            let hint = "permitted are https, and path = … for a local file";
            let message = "url: a list that protects is fetched over https: a program on the \
                           way could have anything protected";
            self.hinted(written.span(), message, hint);
        }
        Some(FeedConfig {
            rules: Rules {
                lengths_v4: Some(LENGTHS_V4),
                lengths_v6: Some(LENGTHS_V6),
                may_be_empty: false,
                ..feed.rules
            },
            ages: Ages {
                expire_after: NEVER,
                ..feed.ages
            },
            // An entry that two good copies lack is no longer protected, of a file as well.
            withdraw_after: WithdrawAfter::DEFAULT,
            protects: true,
            ..feed
        })
    }

    pub(super) fn protect(
        &mut self,
        written: &written::Protect,
        read: ReadFile,
    ) -> (Vec<Protected>, TypedProtect) {
        let mut protected = Vec::new();
        let mut typed = TypedProtect::default();
        for prefix in &written.prefixes {
            match parse(prefix.get_ref(), HostBits::Refuse) {
                Ok(meaning) => {
                    let nets = PrefixSet::of_written([meaning]);
                    protected.extend(nets.nets().map(|net| Protected {
                        net,
                        why: "[protect] prefixes".to_owned(),
                    }));
                }
                Err(reason) => {
                    let message = format!("prefixes: {:?}: {reason}", prefix.get_ref());
                    self.problem(prefix.span(), message);
                }
            }
            typed.prefixes.push(prefix.get_ref().clone());
        }
        for written in &written.asns {
            let asn = Some(written.clone());
            typed
                .asns
                .extend(self.number::<u32>("asns", &asn, 1..=i64::from(u32::MAX)));
        }
        for file in &written.files {
            let path = self.path(file);
            match protect_file(&path, read) {
                Ok(found) => protected.extend(found),
                Err(why) => {
                    let hint = "a file that protects must be whole: every line counts";
                    let message = format!("files: {}: {why}", path.display());
                    self.hinted(file.span(), message, hint);
                }
            }
            typed.files.push(path);
        }
        typed.discover = self.discover(written.discover.as_deref());
        (protected, typed)
    }

    fn discover(&mut self, written: Option<&[Spanned<String>]>) -> Vec<Source> {
        let Some(written) = written else {
            return Source::DEFAULT.to_vec();
        };
        let mut sources = Vec::new();
        for word in written {
            let source = self.one_of("discover", word, &Source::NAMES);
            sources.extend(source.filter(|source| !sources.contains(source)));
        }
        sources
    }
}

/// A plain list that must be complete: with one invalid line it would protect less than the
/// operator expects.
fn protect_file(path: &Path, read: ReadFile) -> Result<Vec<Protected>, String> {
    let body = read(path).map_err(|error| error.to_string())?;
    let rules = Rules {
        may_be_empty: true,
        ..Rules::of(Format::Cidr)
    };
    let copy = parse_body(&body, &rules).map_err(|refused| refused.to_string())?;
    if let Some(rejection) = copy.rejections.first() {
        return Err(rejection.to_string());
    }
    let why = |line: u32, reference: &str| match reference {
        "" => format!("{} line {line}", path.display()),
        reference => format!("{} line {line}: {reference}", path.display()),
    };
    let v4 = copy.v4.iter().map(|e| Protected {
        net: e.prefix().to_net(),
        why: why(e.line, copy.reference(e)),
    });
    let v6 = copy.v6.iter().map(|e| Protected {
        net: e.prefix().to_net(),
        why: why(e.line, copy.reference(e)),
    });
    Ok(v4.chain(v6).collect())
}
