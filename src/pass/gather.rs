//! Fetching feeds: which, and when (I/O). Each result is accepted or refused by `accept`. A
//! download that fails or is not the list changes nothing: the last good copy stays in force.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, timeout};

use super::accept::{Acceptor, read_as};
use super::address_requests::AddressRequests;
use super::attempt::{Attempt, Client, attempt};
use super::inputs::Cache;
use super::keeper::Keeper;
use super::{Inbox, PassError, log_once};
use crate::config::{Config, FeedConfig, Origin};
use crate::discover::Source;
use crate::feed::FeedState;
use crate::feed::fetch::{AddressRequester, Validators};
use crate::feed::withdrawal::WithdrawAfter;
use crate::ledger::{CopyKind, FeedRow, Ledger, Pieces, PinRow, TableUsed};
use crate::progress::Progress;
use crate::time::{Timestamp, short};

/// Which feeds a pass fetches. The publisher's minimum interval precedes all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedSelection<'a> {
    /// All of them.
    All,
    /// Those that are due.
    Due,
    Only(&'a str),
    /// None: the copies at hand.
    Offline,
    /// None, and no source of protected space is read: the kernel notifies a daemon of each change.
    Entry,
}

/// How a pass fetches feeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchMode {
    /// Ask for the whole body, also where the copy at hand may still be the current one.
    pub force: bool,
    /// Fetch also where the publisher's minimum interval or `Retry-After` forbids it.
    pub ignore_floor: bool,
}

/// Why the fetched copies are applied now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchProgress {
    /// All feeds are fetched.
    Complete,
    /// Others are still being fetched.
    StillFetching,
    /// An address or a gateway appeared meanwhile.
    AddressAppeared,
    /// A download waits until an address is no longer dropped.
    AddressRequested,
    /// The operator wants a change: it does not wait for downloads.
    OperatorRequest,
}

/// How often a pass that waits for downloads checks whether there was a flush.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// How long fetched copies wait for others before they are applied.
const BATCH_DELAY: Duration = Duration::from_secs(2);

/// Shortest time for downloads before a new address is applied: the kernel protects it already, and
/// only files wait.
const MIN_FETCH_TURN: Duration = Duration::from_millis(500);

/// The downloads of a pass, all concurrent.
pub struct Attempts<'a> {
    pending: FuturesUnordered<Pending<'a>>,
    /// What was frozen when they began.
    pinned: Option<PinRow>,
    /// Since when there is something to act upon: at first what is known from before.
    since: Option<Instant>,
    /// What the downloads ask.
    pub(super) address_requests: AddressRequests,
    /// Why a copy that came could not be kept.
    pub(super) unsaved: Option<String>,
    /// Lists that protect and have no copy yet: the first copies of the others wait for them.
    unread: usize,
    /// Listings of long lists that are still to be written, or that a crash left out of step.
    writing: Vec<Pieces>,
}

type Pending<'a> = Pin<Box<dyn Future<Output = (&'a FeedConfig, FeedRow, Attempt)> + 'a>>;

/// Begin to fetch the selected feeds.
pub fn begin<'a>(
    config: &'a Config,
    ledger: &Ledger,
    cache: &mut Cache,
    (selection, mode): (FeedSelection<'_>, FetchMode),
    progress: &'a Progress,
) -> Result<Attempts<'a>, PassError> {
    let now = cache.clock.now();
    adopt(config, ledger, cache, now)?;
    end_waits(config, ledger, now)?;
    let mut rows = ledger.feeds()?;
    let wanted: Vec<&FeedConfig> = config
        .fetched()
        .filter(|feed| {
            let row = rows.get(&feed.name);
            is_wanted(feed, row, selection, mode, (now, cache.clock.off_since()))
        })
        .collect();
    cache.connect_attempts.clear();
    let protects_hosts = config.protect.discover.contains(&Source::FeedHosts);
    let (addresses, asked) = protects_hosts.then(AddressRequester::new).unzip();
    let client = Client::asking(addresses);
    let pending = FuturesUnordered::new();
    // What is begun and not ended is seen by that; a file is read in a moment.
    let mut far = wanted
        .iter()
        .filter(|feed| feed.origin.is_remote())
        .map(|feed| &feed.name)
        .peekable();
    if far.peek().is_some() {
        ledger.lightly(|ledger| far.try_for_each(|name| ledger.note_attempt(name, now)))?;
    }
    let mut unread = 0;
    for feed in wanted {
        let row = rows.remove(&feed.name).unwrap_or_else(|| FeedRow {
            name: feed.name.clone(),
            ..FeedRow::default()
        });
        unread += usize::from(is_unread(feed, &row));
        let validators = match mode.force {
            true => Validators::default(),
            false => validators(config, feed, &row, cache),
        };
        let known = row.digest.as_ref().and_then(|digest| {
            let copy = cache.at_hand(&feed.name, digest)?;
            Some((digest.clone(), copy))
        });
        let attempt = attempt(config, feed, (validators, known), client.clone(), progress);
        let looking: Pending = Box::pin(async move { (feed, row, attempt.await) });
        pending.push(looking);
    }
    let pinned = ledger.pinned()?;
    let writing = unfinished(config, ledger, cache, now)?;
    Ok(Attempts {
        writing,
        pending,
        pinned,
        unread,
        since: ledger.generation()?.is_some().then(Instant::now),
        address_requests: AddressRequests::new(asked),
        unsaved: None,
    })
}

impl Attempts<'_> {
    /// Accept what is fetched until all is, or until the rest keeps the pass waiting: one slow
    /// host delays neither other feeds nor what must be protected now.
    pub async fn accept(
        &mut self,
        config: &Config,
        ledger: &Ledger,
        cache: &mut Cache,
        (keeper, inbox): (&Keeper, &dyn Inbox),
    ) -> Result<FetchProgress, PassError> {
        let begun = Instant::now();
        loop {
            // One piece of what is to be written, and then everything else.
            let glance = match self.writing.last_mut() {
                None => CHECK_INTERVAL,
                Some(pieces) => {
                    if pieces.step(ledger)? {
                        self.writing.pop();
                    }
                    Duration::ZERO
                }
            };
            let came = tokio::select! {
                biased;
                asked = self.address_requests.next() => {
                    let in_force = cache.in_force(ledger)?;
                    if self.address_requests.take(asked, &mut cache.connect_attempts, &in_force.nets) {
                        return Ok(FetchProgress::AddressRequested);
                    }
                    continue;
                }
                () = inbox.arrives() => return Ok(FetchProgress::OperatorRequest),
                came = timeout(glance, self.pending.next()) => came,
            };
            let came = match came {
                Ok(None) if self.writing.is_empty() => return Ok(FetchProgress::Complete),
                Ok(None) | Err(_) => {
                    tokio::task::yield_now().await;
                    None
                }
                Ok(came) => came,
            };
            let (feed, row, attempt) = match came {
                Some(came) => came,
                // A flush waits for this pass: what has not come by then is fetched by the next
                // one, which also writes what is not written yet.
                None if self.is_flushed(ledger)? => {
                    let waiting = self.pending.len();
                    tracing::warn!("flushed meanwhile: {waiting} downloads are given up");
                    self.writing.clear();
                    return Ok(FetchProgress::Complete);
                }
                None if begun.elapsed() >= MIN_FETCH_TURN && keeper.has_news() => {
                    return Ok(FetchProgress::AddressAppeared);
                }
                None if self.unread > 0 => continue,
                None if self
                    .since
                    .is_some_and(|since| since.elapsed() >= BATCH_DELAY) =>
                {
                    self.since = None;
                    return Ok(FetchProgress::StillFetching);
                }
                None => continue,
            };
            self.unread -= usize::from(is_unread(feed, &row));
            let now = cache.clock.now();
            let mut acceptor = Acceptor {
                config,
                ledger,
                cache,
                now,
            };
            match acceptor.accept(feed, row, attempt) {
                // The others and what must be protected do not wait for a full disk.
                Err(PassError::Copies(why)) => self.unsaved = self.unsaved.take().or(Some(why)),
                judged => {
                    if let Some(pieces) = judged? {
                        self.writing.retain(|older| older.feed() != pieces.feed());
                        self.writing.push(pieces);
                    }
                }
            }
            self.since = Some(Instant::now());
        }
    }

    /// Whether there was a flush since they began.
    fn is_flushed(&self, ledger: &Ledger) -> Result<bool, PassError> {
        let pin = ledger.pinned()?;
        Ok(pin != self.pinned && pin.is_some_and(|pin| pin.is_flush()))
    }
}

fn is_unread(feed: &FeedConfig, row: &FeedRow) -> bool {
    feed.protects && row.digest.is_none()
}

/// What a pass that ended early, or the copy that a lost ledger was begun with, left to be listed.
fn unfinished(
    config: &Config,
    ledger: &Ledger,
    cache: &mut Cache,
    now: Timestamp,
) -> Result<Vec<Pieces>, PassError> {
    let rows = ledger.feeds()?;
    let mut writing = Vec::new();
    for feed in &config.feeds {
        let row = rows.get(&feed.name).filter(|row| row.listed.is_none());
        let Some((row, digest)) = row.and_then(|row| Some((row, row.digest.as_ref()?))) else {
            continue;
        };
        if let Some(copy) = cache.get(config, feed, digest) {
            let of = (&**digest, read_as(feed, digest));
            let since = row.taken_at.unwrap_or(now);
            writing.push(Pieces::of(&feed.name, copy, of, since));
        }
    }
    Ok(writing)
}

/// Forget what waited long enough: from here on it is not listed.
fn end_waits(config: &Config, ledger: &Ledger, now: Timestamp) -> Result<(), PassError> {
    for feed in config.fetched() {
        let mut leaving = ledger.pending_withdrawals(&feed.name, CopyKind::Current)?;
        let before = leaving.len();
        leaving.retain(|leaving| !feed.withdraw_after.is_over(leaving, now));
        if leaving.len() < before {
            ledger.atomically(|ledger| ledger.write_pending_withdrawals(&feed.name, &leaving))?;
        }
    }
    Ok(())
}

/// Begin a ledger that knows nothing of a feed with the copy on disk, if there is one: the ledger
/// was lost, the list was not.
fn adopt(
    config: &Config,
    ledger: &Ledger,
    cache: &mut Cache,
    now: Timestamp,
) -> Result<(), PassError> {
    for feed in config.fetched() {
        let mut row = ledger.feed(&feed.name)?.unwrap_or_default();
        if row.digest.is_some() {
            continue;
        }
        let Some((digest, confirmed)) = config.copies().applied(&feed.name) else {
            continue;
        };
        let Some(copy) = cache.get(config, feed, &digest) else {
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
        row.remarks = copy.remarks.clone();
        row.digest = Some(digest);
        row.generated = copy.generated;
        row.taken_at = Some(confirmed);
        ledger.atomically(|ledger| {
            ledger.write_feed(&row)?;
            // It was in force: what the publisher changed since is judged against it.
            ledger.mark_applied(&[&feed.name], &TableUsed::Now(None))
        })?;
    }
    Ok(())
}

/// What to name the copy at hand by. Validators of another place, or without their copy, would be
/// answered by a lie.
fn validators(config: &Config, feed: &FeedConfig, row: &FeedRow, cache: &mut Cache) -> Validators {
    let same = match &feed.origin {
        Origin::Url(_) => true,
        Origin::UrlFile(file) => row.confirmed_at.is_some_and(|at| file.is_older_than(at)),
        Origin::Path(_) => false,
    };
    let same = same && row.origin == feed.origin.to_string();
    let copy = row.digest.as_ref().filter(|_| same);
    match copy.and_then(|digest| cache.get(config, feed, digest)) {
        Some(_) => row.validators.clone(),
        None => Validators::default(),
    }
}

/// When any feed is due next, or a copy changes its standing; `None` without feeds.
pub fn next_event(
    config: &Config,
    rows: &BTreeMap<String, FeedRow>,
    now: Timestamp,
) -> Option<Timestamp> {
    let events = config.fetched().flat_map(|feed| {
        let row = rows.get(&feed.name);
        let confirmed = row.and_then(|row| row.confirmed(feed.ages, now));
        let ages = [feed.ages.stale_after, feed.ages.expire_after];
        let turns = ages
            .into_iter()
            .filter_map(move |age| Some(confirmed?.after(age)));
        let outdated = row.and_then(|row| Some(row.generated?.after(feed.ages.max_age?)));
        let gone = match feed.withdraw_after {
            WithdrawAfter::Time(span) => row.and_then(|row| Some(row.leaving_since?.after(span))),
            WithdrawAfter::Copies(_) => None,
        };
        let turns = turns.chain(outdated).chain(gone);
        std::iter::once(next_attempt(feed, row, now)).chain(turns.filter(move |turn| *turn > now))
    });
    events.min()
}

/// When a feed is fetched next. One that was put back or moved to another place, or whose last
/// attempt was broken off, is due as soon as the publisher permits; and so is one that was last
/// tried in the future: the clock was set back.
pub fn next_attempt(feed: &FeedConfig, row: Option<&FeedRow>, now: Timestamp) -> Timestamp {
    let Some(row) = row else {
        return Timestamp(0);
    };
    let looked_at = row.attempted_by(now);
    let not_before = row.asked_to_wait(now).unwrap_or_default();
    let moved = row.digest.is_some() && row.origin != feed.origin.to_string();
    let put_back = row.digest.is_none() && row.failures == 0;
    if moved && row.failures == 0 || put_back || row.state == Some(FeedState::Looking) {
        let permitted = looked_at.map_or(Timestamp(0), |at| at.after(feed.rhythm.floor));
        return permitted.max(not_before);
    }
    feed.rhythm
        .next(looked_at, row.failures, row.jitter)
        .max(not_before)
}

fn is_wanted(
    feed: &FeedConfig,
    row: Option<&FeedRow>,
    selection: FeedSelection,
    mode: FetchMode,
    (now, off_since): (Timestamp, Option<Timestamp>),
) -> bool {
    // Where the machine may have been off for long, its feeds are due, as far as their publishers
    // permit.
    let looked_before = |off| row.and_then(|row| row.looked_at).is_some_and(|at| at < off);
    let wanted = match selection {
        FeedSelection::All => true,
        FeedSelection::Due => {
            next_attempt(feed, row, now) <= now || off_since.is_some_and(looked_before)
        }
        FeedSelection::Only(name) => feed.name == name,
        FeedSelection::Offline | FeedSelection::Entry => false,
    };
    if !wanted {
        return false;
    }
    let looked = row.and_then(|row| row.attempted_by(now));
    let floor = feed.rhythm.floor_until(looked, now);
    let asked = row.and_then(|row| row.asked_to_wait(now));
    let Some(until) = floor.max(asked) else {
        return true;
    };
    let who = if floor >= asked {
        "publisher"
    } else {
        "server"
    };
    let ago = looked.map_or_else(
        || "never".to_owned(),
        |at| format!("{} ago", short(at.age(now))),
    );
    let name = &feed.name;
    if mode.ignore_floor {
        tracing::warn!(
            "feed={name}  looked at {ago}; the {who} asks to wait until {until}, which is ignored"
        );
        return true;
    }
    let line = format!("feed={name}  looked at {ago}; the {who} asks to wait until {until}");
    // News for the verb that named this feed.
    log_once::news(
        mode.force || matches!(selection, FeedSelection::Only(_)),
        &line,
    );
    false
}
