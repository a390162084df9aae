//! Looking at feeds: fetch or read, judge, keep the copy (I/O). What cannot be had or is not the
//! list changes nothing: the last good copy stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::known::Memory;
use super::{PassError, say};
use crate::config::{Config, FeedConfig, Origin};
use crate::feed::copies::Copies;
use crate::feed::fetch::{Fetched, Fetcher, Line, Progress, Validators};
use crate::feed::formats::parse_body;
use crate::feed::standing::Standing;
use crate::feed::{FeedCopy, Refused, file};
use crate::ledger::{FeedRow, Ledger};
use crate::plan::Change;
use crate::prefix::PrefixSet;
use crate::time::{Timestamp, short};

/// Which feeds a pass looks at. The publisher's floor stands above all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All of them.
    All,
    /// Those whose time has come.
    Due,
    /// This one.
    Only(&'a str),
    /// None: the copies at hand.
    Offline,
}

/// What a look gave, before it is judged.
enum Look {
    Unchanged,
    Body(Vec<u8>, Validators),
    Failed(Refused),
}

/// Look at the feeds of the scope, all at once, and judge each as it comes: one slow host delays
/// nobody else.
pub async fn gather(
    config: &Config,
    ledger: &mut Ledger,
    copies: &Copies,
    memory: &mut Memory,
    scope: Scope<'_>,
    progress: &Progress,
) -> Result<(), PassError> {
    let now = Timestamp::now();
    adopt(config, ledger, copies, memory, now)?;
    let mut rows = ledger.feeds()?;
    let wanted: Vec<&FeedConfig> = config
        .feeds
        .iter()
        .filter(|feed| is_wanted(feed, rows.get(&feed.name), scope, now))
        .collect();
    let fetcher = fetcher_for(config, &wanted);
    let mut looks = FuturesUnordered::new();
    for feed in wanted {
        ledger.note_look(&feed.name, now)?;
        let row = rows.remove(&feed.name).unwrap_or_else(|| FeedRow {
            name: feed.name.clone(),
            ..FeedRow::default()
        });
        let validators = validators(feed, &row, copies, memory);
        let fetcher = fetcher.clone();
        looks.push(async move {
            let line = progress.line(&feed.name);
            let look = look(config, feed, &validators, fetcher, &line).await;
            (feed, row, look)
        });
    }
    while let Some((feed, row, look)) = looks.next().await {
        judge(ledger, copies, memory, feed, row, look)?;
    }
    Ok(())
}

/// Begin a ledger that knows nothing of a feed with the copy on disk, if there is one: the ledger was
/// lost, the list was not.
fn adopt(
    config: &Config,
    ledger: &mut Ledger,
    copies: &Copies,
    memory: &mut Memory,
    now: Timestamp,
) -> Result<(), PassError> {
    for feed in &config.feeds {
        let mut row = ledger.feed(&feed.name)?.unwrap_or_default();
        if row.digest.is_some() {
            continue;
        }
        let Some((digest, confirmed)) = copies.applied(&feed.name) else {
            continue;
        };
        let Some(copy) = memory.get(copies, feed, &digest) else {
            continue;
        };
        let confirmed = confirmed.min(now);
        tracing::warn!(
            "feed={}  begun with the copy on disk from {confirmed}",
            feed.name
        );
        row.name.clone_from(&feed.name);
        row.confirmed_at = Some(confirmed);
        row.entries = copy.len();
        row.rejected = copy.rejected;
        row.digest = Some(digest);
        ledger.write_feed(&row)?;
        // It was in force: what the publisher changed since is judged against it.
        ledger.mark_applied(&[&feed.name])?;
        ledger.write_listings(&feed.name, &copy, confirmed)?;
    }
    Ok(())
}

/// What to name the copy at hand by. Validators of another place, or without their copy, would be
/// answered by a lie.
fn validators(
    feed: &FeedConfig,
    row: &FeedRow,
    copies: &Copies,
    memory: &mut Memory,
) -> Validators {
    let copy = row
        .digest
        .as_ref()
        .and_then(|digest| memory.get(copies, feed, digest));
    if copy.is_some() && row.origin == feed.origin.to_string() {
        row.validators.clone()
    } else {
        Validators::default()
    }
}

/// When the next look at any feed is due, or a copy changes its standing: `None` without feeds.
pub fn next_event(
    config: &Config,
    rows: &BTreeMap<String, FeedRow>,
    now: Timestamp,
) -> Option<Timestamp> {
    let events = config.feeds.iter().flat_map(|feed| {
        let row = rows.get(&feed.name);
        let confirmed = row.and_then(|row| row.confirmed_at);
        let ages = [feed.ages.stale_after, feed.ages.expire_after];
        let turns = ages
            .into_iter()
            .filter_map(move |age| Some(confirmed?.after(age)));
        std::iter::once(next_look(feed, row, now)).chain(turns.filter(move |turn| *turn > now))
    });
    events.min()
}

/// When a feed is looked at next. One that was put back or moved to another place, or whose last look
/// was broken off, is due as soon as the publisher permits; and so is one that was last looked at in
/// the future: the clock was set back.
pub fn next_look(feed: &FeedConfig, row: Option<&FeedRow>, now: Timestamp) -> Timestamp {
    let Some(row) = row else {
        return Timestamp(0);
    };
    let looked_at = row.looked_by(now);
    let moved = row.digest.is_some() && row.origin != feed.origin.to_string();
    let put_back = row.digest.is_none() && row.failures == 0;
    if moved && row.failures == 0 || put_back || row.state == Ledger::LOOKING {
        return looked_at.map_or(Timestamp(0), |at| at.after(feed.rhythm.floor));
    }
    feed.rhythm.next(looked_at, row.failures)
}

fn is_wanted(feed: &FeedConfig, row: Option<&FeedRow>, scope: Scope, now: Timestamp) -> bool {
    let wanted = match scope {
        Scope::All => true,
        Scope::Due => next_look(feed, row, now) <= now,
        Scope::Only(name) => feed.name == name,
        Scope::Offline => false,
    };
    let looked = row.and_then(|row| row.looked_by(now));
    let floor = feed.rhythm.floor_until(looked, now).filter(|_| wanted);
    if let (Some(until), Some(looked)) = (floor, looked) {
        let ago = short(looked.age(now));
        tracing::debug!(
            "feed={}  looked at {ago} ago; the publisher asks to wait until {until}",
            feed.name
        );
    }
    wanted && floor.is_none()
}

/// An HTTP client where one is needed; where there is none, why: that is the remote feeds' failure
/// and nobody else's.
fn fetcher_for(config: &Config, wanted: &[&FeedConfig]) -> Result<Fetcher, String> {
    let remote = wanted
        .iter()
        .any(|feed| matches!(feed.origin, Origin::Url(_)));
    if !remote {
        return Err("no HTTP client".to_owned());
    }
    Fetcher::new(config.fetch.clone())
}

async fn look(
    config: &Config,
    feed: &FeedConfig,
    known: &Validators,
    fetcher: Result<Fetcher, String>,
    line: &Line,
) -> Look {
    let found = match (&feed.origin, fetcher) {
        (Origin::Path(path), _) => {
            let body = file::read(path, config.fetch.max_bytes);
            body.map(|body| Fetched::Body(body, Validators::default()))
        }
        (Origin::Url(url), Ok(fetcher)) => fetcher.get(url, &feed.access, known, line).await,
        (Origin::Url(_), Err(why)) => Err(Refused::Unreachable(why)),
    };
    match found {
        Ok(Fetched::Unchanged) => Look::Unchanged,
        Ok(Fetched::Body(body, validators)) => Look::Body(body, validators),
        Err(refused) => Look::Failed(refused),
    }
}

/// Take what came as the new copy, or say why not; write down either.
fn judge(
    ledger: &mut Ledger,
    copies: &Copies,
    memory: &mut Memory,
    feed: &FeedConfig,
    mut row: FeedRow,
    look: Look,
) -> Result<(), PassError> {
    let now = Timestamp::now();
    row.looked_at = Some(now);
    match look {
        Look::Unchanged => {
            good(&mut row, now);
            if let Some(digest) = &row.digest {
                copies.confirm(&feed.name, digest, now);
            }
            tracing::debug!("feed={}  {} entries, not modified", feed.name, row.entries);
            ledger.write_feed(&row)?;
        }
        Look::Failed(refused) => refuse(ledger, feed, row, &refused, now)?,
        Look::Body(body, validators) => match parse_body(&body, &feed.rules) {
            Err(refused) => refuse(ledger, feed, row, &refused, now)?,
            Ok(copy) => {
                let digest = copies.save(&feed.name, &body).map_err(|error| {
                    let folder = &copies.folder().display();
                    PassError::Copies(format!(
                        "{folder}: {error}; the last good copies stay in force"
                    ))
                })?;
                drop(body);
                let old = row
                    .digest
                    .as_deref()
                    .and_then(|digest| memory.get(copies, feed, digest));
                let changed = row.digest.as_ref() != Some(&digest);
                tell(feed, &copy, old.as_deref(), changed);
                good(&mut row, now);
                if changed {
                    row.changed_at = Some(now);
                    ledger.write_listings(&feed.name, &copy, now)?;
                }
                row.entries = copy.len();
                row.rejected = copy.rejected;
                row.validators = validators;
                row.origin = feed.origin.to_string();
                memory.remember(&feed.name, &digest, Arc::new(copy));
                copies.confirm(&feed.name, &digest, now);
                row.digest = Some(digest);
                ledger.write_feed(&row)?;
            }
        },
    }
    Ok(())
}

fn good(row: &mut FeedRow, now: Timestamp) {
    row.failures = 0;
    row.state = Standing::Fresh.to_string();
    row.note.clear();
    row.confirmed_at = Some(now);
}

fn refuse(
    ledger: &Ledger,
    feed: &FeedConfig,
    mut row: FeedRow,
    refused: &Refused,
    now: Timestamp,
) -> Result<(), PassError> {
    let (state, note) = (refused.state().to_owned(), refused.to_string());
    let known = row.state == state && row.note == note;
    row.failures = row.failures.saturating_add(1);
    row.state = state;
    row.note = note;
    let next = match row.confirmed_at {
        None => "there is no earlier copy".to_owned(),
        Some(from) if Standing::at(Some(from), feed.ages, now).counts() => {
            let until = from.after(feed.ages.expire_after);
            format!("keeping {} entries from {from} until {until}", row.entries)
        }
        Some(from) => format!("the copy from {from} has expired"),
    };
    let line = format!("feed={}  {}: {refused}; {next}", feed.name, row.state);
    say::warning(!known, &line);
    ledger.write_feed(&row)?;
    Ok(())
}

/// One line for a new copy: what it holds, what changed, what was rejected.
fn tell(feed: &FeedConfig, copy: &FeedCopy, old: Option<&FeedCopy>, changed: bool) {
    let mut parts = vec![format!("{} entries", copy.len())];
    if let Some(old) = old {
        let change = Change::between(&listed(old), &listed(copy));
        parts.push(format!("{} new, {} gone", change.added(), change.removed()));
    }
    if let Some(first) = copy.rejections.first() {
        parts.push(format!("{} rejected ({first})", copy.rejected));
    }
    let line = format!("feed={}  {}", feed.name, parts.join(", "));
    say::news(changed, &line);
}

/// What a copy lists, each prefix once, in order; not aggregated.
fn listed(copy: &FeedCopy) -> PrefixSet {
    let mut v4: Vec<_> = copy.v4.iter().map(|entry| entry.prefix()).collect();
    let mut v6: Vec<_> = copy.v6.iter().map(|entry| entry.prefix()).collect();
    v4.sort_unstable_by_key(|prefix| prefix.key());
    v6.sort_unstable_by_key(|prefix| prefix.key());
    v4.dedup();
    v6.dedup();
    PrefixSet { v4, v6 }
}
