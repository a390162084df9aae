//! Looking around for space that must not be dropped, and writing down what is found (I/O).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Url;

use super::inputs::Cache;
use super::log_once;
use crate::config::{Config, Origin};
use crate::discover::{
    Answer, Cause, Excess, Found, Host, Remembered, Root, ScanRequest, Source, SourceAnswer, Watch,
    bounded, remember, scan,
};
use crate::ledger::{Event, EventKind, Ledger, LedgerError};
use crate::time::Timestamp;

/// At most this many changes are logged one by one.
const TOLD: usize = 10;

/// Who notices that an address or a gateway appears. Where the kernel sends no notification, a pass
/// still scans.
pub fn watch(config: &Config) -> Watch {
    Watch::open(&config.protect.discover).unwrap_or_else(|error| {
        tracing::warn!(
            "protect  what appears is noticed at the next pass only: no netlink socket: {error}"
        );
        Watch::blind()
    })
}

/// Bring what is remembered in step with what was seen. Answers whether there is something new.
pub(super) fn take_in(
    config: &Config,
    answers: Vec<SourceAnswer>,
    ledger: &Ledger,
    cache: &mut Cache,
) -> Result<bool, LedgerError> {
    let answers = with_unasked(config, answers);
    for (line, is_new) in complaints(&answers, &mut cache.around) {
        log_once::warning(is_new, &line);
    }
    let now = cache.clock.now();
    let before = ledger.discovered()?;
    let (found, excess) = bounded(remember(&before, &answers, now));
    for (is_new, line) in beyond(&excess, &mut cache.beyond) {
        log_once::warning(is_new, &line);
    }
    if says_the_same(&before, &found) {
        return Ok(false);
    }
    ledger.atomically(|ledger| {
        let new = tell(ledger, &before, &found, now)?;
        ledger.write_discovered(&found)?;
        Ok(new)
    })
}

/// What is seen at every pass is dated so seldom; nothing goes by shorter times.
const DATED_EVERY: Duration = Duration::from_secs(60);

/// Whether nothing is new but the time at which all of it was seen, and that by little.
fn says_the_same(before: &[Remembered], found: &[Remembered]) -> bool {
    before.len() == found.len()
        && before.iter().zip(found).all(|(before, found)| {
            let dated = found.last_seen.0 - before.last_seen.0;
            (before.source, &before.found) == (found.source, &found.found)
                && before.first_seen == found.first_seen
                && (0..DATED_EVERY.as_secs() as i64).contains(&dated)
        })
}

/// The place of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// At the kernel's addresses and routes, which also tell of changes.
    Kernel,
    /// In files, and at what is written in the configuration.
    Files,
    /// At other programs, which may keep the pass waiting.
    Far,
}

impl Where {
    fn is_at(self, source: Source) -> bool {
        self == match source {
            Source::Addresses | Source::Connected | Source::Gateways => Self::Kernel,
            Source::Resolvers | Source::Sessions | Source::FeedHosts => Self::Files,
            Source::BgpNeighbors => Self::Far,
        }
    }
}

/// What would be remembered after a scan; writes nothing down, and asks no other program.
pub async fn as_it_is(config: &Config, before: &[Remembered], now: Timestamp) -> Vec<Remembered> {
    let mut seen = scan_sources(config, Where::Kernel).await;
    seen.extend(scan_sources(config, Where::Files).await);
    bounded(remember(before, &with_unasked(config, seen), now)).0
}

/// One scan of the configured sources of a place.
pub(super) async fn scan_sources(config: &Config, at: Where) -> Vec<SourceAnswer> {
    let sources = config.protect.discover.iter().copied();
    let asked: Vec<Source> = sources.filter(|source| at.is_at(*source)).collect();
    scan(&ScanRequest {
        sources: &asked,
        hosts: &hosts(config),
        root: Root::default(),
    })
    .await
}

/// The scans with all other sources of the configuration, which were not asked: they keep what
/// they showed.
fn with_unasked(config: &Config, mut answers: Vec<SourceAnswer>) -> Vec<SourceAnswer> {
    for source in &config.protect.discover {
        if answers.iter().all(|(asked, _)| asked != source) {
            answers.push((*source, Answer::not_asked()));
        }
    }
    answers
}

/// What the downloads proved, as a scan: all else that the source showed stays.
pub(super) fn proven(found: Vec<Found>) -> SourceAnswer {
    let mut shown = Answer::not_asked();
    shown.found = found;
    (Source::FeedHosts, shown)
}

/// What is said of parts that show more than is protected, and whether it is news: each is named
/// once, until it is within its bound. `said` has those that were named.
fn beyond(excess: &[Excess], said: &mut BTreeSet<(Source, String)>) -> Vec<(bool, String)> {
    let key = |one: &Excess| (one.source, one.part.clone());
    said.retain(|known| excess.iter().any(|one| key(one) == *known));
    let lines = excess.iter().map(|one| {
        let Excess {
            source,
            part,
            shown,
            most,
        } = one;
        let line = format!(
            "protect  {source}: {part}: {shown} addresses, and at most {most} are protected: those that \
             were seen last; list the others under [protect] prefixes if they must not be dropped"
        );
        (said.insert(key(one)), line)
    });
    lines.collect()
}

/// The hosts that must be reached to fetch the feeds.
fn hosts(config: &Config) -> Vec<Host> {
    let feeds = config.fetched();
    let feeds =
        feeds.filter_map(|feed| Some((url_of(&feed.origin)?, format!("feed {}", feed.name))));
    let proxy = config.fetch.proxy.iter();
    let proxy = proxy.map(|url| (Cow::Borrowed(url), "the proxy".to_owned()));
    let named = feeds.chain(proxy).filter_map(|(url, feed)| {
        let name = url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some(Host { name, feed })
    });
    named.collect()
}

/// Longest wait for the file with a secret URL: what must be protected waits for it.
const ANSWER: Duration = Duration::from_millis(200);

/// The URL that a feed is fetched from; nothing for a local file, and for a secret one that cannot
/// be read: its download says so.
pub(super) fn url_of(origin: &Origin) -> Option<Cow<'_, Url>> {
    match origin {
        Origin::Url(url) => Some(Cow::Borrowed(url)),
        Origin::UrlFile(file) => file.url_within(ANSWER).ok().map(Cow::Owned),
        Origin::Path(_) => None,
    }
}

/// What is said of the parts that failed, and whether it is news: each is named once, and again
/// when it has answered in between, whatever the words. What was not asked has not answered, and is
/// not named. `said` has the parts that were named.
fn complaints(
    answers: &[SourceAnswer],
    said: &mut BTreeSet<(Source, Option<String>)>,
) -> BTreeMap<String, bool> {
    let mut lines = BTreeMap::new();
    for (source, shown) in answers {
        let failed = |why: &Option<String>| shown.failed.iter().any(|one| one.why == *why);
        // A source that fails as a whole has not answered for any of its parts.
        said.retain(|(of, why)| of != source || failed(&None) || why.is_some() && failed(why));
        for one in &shown.failed {
            let line = match &one.cause {
                Cause::Error(cause) => {
                    format!("protect  {source}: {cause}; what it showed before stays protected")
                }
                Cause::Unproven(cause) => format!("protect  {source}: {cause}"),
                Cause::NotAsked => continue,
            };
            // Two parts may have one cause.
            *lines.entry(line).or_default() |= said.insert((*source, one.why.clone()));
        }
    }
    lines
}

/// What is protected now and was not, and the other way round. Answers whether there is something
/// new.
fn tell(
    ledger: &Ledger,
    before: &[Remembered],
    found: &[Remembered],
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let lacking = |these: &[Remembered], those: &[Remembered]| -> Vec<Remembered> {
        let same = |one: &Remembered, other: &Remembered| {
            (one.source, &one.found) == (other.source, &other.found)
        };
        let new = these
            .iter()
            .filter(|one| !those.iter().any(|other| same(one, other)));
        new.cloned().collect()
    };
    let (new, gone) = (lacking(found, before), lacking(before, found));
    if before.is_empty() || new.len() + gone.len() > TOLD {
        let (all, new, gone) = (found.len(), new.len(), gone.len());
        tracing::info!("protect  {all} networks protected automatically ({new} new, {gone} gone)");
    }
    let told = !before.is_empty() && new.len() + gone.len() <= TOLD;
    for (kind, one) in new
        .iter()
        .map(|one| (EventKind::Protected, one))
        .chain(gone.iter().map(|one| (EventKind::Unprotected, one)))
    {
        let (item, why) = (one.found.item, &one.found.why);
        // Names have other addresses all the time.
        log_once::news(
            told && one.source != Source::FeedHosts,
            &format!("protect  {item} is {} now: {why}", kind.name()),
        );
        if one.source != Source::FeedHosts {
            ledger.note_event(&Event {
                at: now,
                kind,
                subject: item.to_string(),
                by: String::new(),
                uid: None,
                text: why.clone(),
                generation: None,
            })?;
        }
    }
    Ok(!new.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Failed;

    #[test]
    fn what_is_seen_again_is_dated_once_a_minute() {
        let seen = |net: &str, first, last| Remembered {
            source: Source::Addresses,
            found: Found::new(net.parse().unwrap(), "address of eth0"),
            first_seen: Timestamp(first),
            last_seen: Timestamp(last),
        };
        let before = [seen("192.0.2.1/32", 0, 100), seen("192.0.2.2/32", 0, 100)];
        let again = |last| [seen("192.0.2.1/32", 0, last), seen("192.0.2.2/32", 0, 100)];
        assert!(says_the_same(&before, &before));
        assert!(says_the_same(&before, &again(159)));
        assert!(!says_the_same(&before, &again(160)));
        assert!(
            !says_the_same(&before, &again(99)),
            "the clock was set back"
        );
        assert!(!says_the_same(&before, &before[..1]));
        assert!(!says_the_same(
            &before[..1],
            &[seen("192.0.2.3/32", 0, 100)]
        ));
        assert!(!says_the_same(
            &before[..1],
            &[seen("192.0.2.1/32", 100, 100)]
        ));
    }

    fn failed(why: Option<&str>, cause: &str) -> Failed {
        Failed {
            why: why.map(str::to_owned),
            cause: Cause::Error(cause.to_owned()),
        }
    }

    /// What is news after a scan at the feeds' hosts.
    fn news(said: &mut BTreeSet<(Source, Option<String>)>, failed: &[Failed]) -> Vec<String> {
        let shown = Answer {
            found: vec![],
            failed: failed.to_vec(),
        };
        complained(said, shown)
    }

    fn complained(said: &mut BTreeSet<(Source, Option<String>)>, shown: Answer) -> Vec<String> {
        let lines = complaints(&[(Source::FeedHosts, shown)], said);
        let news = lines.into_iter().filter(|(_, is_new)| *is_new);
        let cause = |line: String| line.split(';').next().unwrap_or_default().to_owned();
        news.map(|(line, _)| cause(line)).collect()
    }

    #[test]
    fn a_part_that_fails_is_told_once_until_it_has_answered() {
        let said = &mut BTreeSet::new();
        let (a, b) = (
            failed(Some("a"), "a is gone"),
            failed(Some("b"), "b is gone"),
        );
        let both = [a.clone(), b.clone()];
        assert_eq!(news(said, &both[..1]), ["protect  feed-hosts: a is gone"]);
        assert_eq!(news(said, &both), ["protect  feed-hosts: b is gone"]);
        assert_eq!(news(said, &[failed(Some("a"), "a is late"), b]), [""; 0]);
        assert_eq!(news(said, &both[1..]), [""; 0], "a answers");
        assert_eq!(news(said, &both), ["protect  feed-hosts: a is gone"]);
    }

    #[test]
    fn what_is_not_asked_is_not_told_and_has_not_answered() {
        let said = &mut BTreeSet::new();
        let a = [failed(Some("a"), "a is gone")];
        assert_eq!(news(said, &a).len(), 1);
        assert_eq!(complained(said, Answer::not_asked()), [""; 0]);
        assert_eq!(news(said, &a), [""; 0]);
        let one = Failed {
            why: Some("a".to_owned()),
            cause: Cause::NotAsked,
        };
        assert_eq!(news(said, &[one]), [""; 0]);
        assert_eq!(news(said, &a), [""; 0]);
        let late = "no answer within 5s";
        assert_eq!(complained(said, Answer::error(late)).len(), 1);
        assert_eq!(complained(said, Answer::error(late)), [""; 0]);
        assert_eq!(news(said, &a), [""; 0], "the whole had not answered");
        assert_eq!(complained(said, Answer::error(late)).len(), 1, "it had");
        // Another source is read as well.
        let other = [(Source::Resolvers, Answer::default())];
        assert!(complaints(&other, said).is_empty());
        assert_eq!(complained(said, Answer::error(late)), [""; 0]);
    }

    #[test]
    fn a_host_of_two_feeds_is_told_once() {
        let said = &mut BTreeSet::new();
        let a = failed(
            Some("host of feed a: lists.invalid"),
            "lists.invalid does not resolve",
        );
        let b = failed(
            Some("host of feed b: lists.invalid"),
            "lists.invalid does not resolve",
        );
        assert_eq!(news(said, &[a.clone(), b.clone()]).len(), 1);
        assert_eq!(news(said, &[a, b]), [""; 0]);
    }
}
