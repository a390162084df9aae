//! The result of an attempt: the new copy, or why there is none. Both are recorded and logged
//! (I/O).

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::attempt::{Attempt, Body};
use super::inputs::Cache;
use super::newer::preferred;
use super::{PassError, log_once};
use crate::config::{Config, FeedConfig};
use crate::digest;
use crate::feed::fetch::Validators;
use crate::feed::formats::Format;
use crate::feed::standing::Standing;
use crate::feed::withdrawal::{self, WithdrawAfter};
use crate::feed::{CopyDifference, FeedCopy, FeedState, Refused};
use crate::ledger::{CopyKind, FeedRow, Ledger, Pieces};
use crate::time::Timestamp;

/// Accepts or refuses what was fetched, and writes it down.
pub(super) struct Acceptor<'a> {
    pub config: &'a Config,
    pub ledger: &'a Ledger,
    pub cache: &'a mut Cache,
    pub now: Timestamp,
}

impl Acceptor<'_> {
    /// Take what came as the new copy, or say why not. Answers the listings that are still to be
    /// written, where they are many.
    pub fn accept(
        &mut self,
        feed: &FeedConfig,
        mut row: FeedRow,
        attempt: Attempt,
    ) -> Result<Option<Pieces>, PassError> {
        if row.listed.is_none() {
            // What an earlier pass left may have been listed since this attempt began.
            row.listed = self.ledger.feed(&feed.name)?.and_then(|row| row.listed);
        }
        row.looked_at = Some(self.now);
        row.jitter = match feed.origin.is_remote() {
            true => (RandomState::new().hash_one(0) % 1_000) as u16,
            false => 0,
        };
        row.not_before = None;
        match attempt {
            Attempt::Unchanged => self.confirmed(feed, row).map(|()| None),
            Attempt::Failed(refused) => self.refused(feed, row, refused).map(|()| None),
            Attempt::Copy(body, validators) => match preferred(feed, &row, &body.copy, self.now) {
                Err(refused) => self.refused(feed, row, refused).map(|()| None),
                Ok(()) => self.taken(feed, row, body, validators),
            },
        }
    }

    /// The copy at hand is still the current one.
    fn confirmed(&mut self, feed: &FeedConfig, mut row: FeedRow) -> Result<(), PassError> {
        let leaving = self
            .ledger
            .pending_withdrawals(&feed.name, CopyKind::Current)?;
        let leaving = feed.withdraw_after.confirmed(leaving, self.now);
        self.good(&mut row, FeedState::Unchanged);
        if let Some(digest) = &row.digest {
            let copies = self.config.copies();
            copies.confirm(&feed.name, digest, self.now);
        }
        tracing::debug!("feed={}  {} entries, not modified", feed.name, row.entries);
        self.ledger.lightly(|ledger| {
            ledger.write_pending_withdrawals(&feed.name, &leaving)?;
            ledger.write_feed(&row)
        })?;
        Ok(())
    }

    /// A new copy, which may list the same as the old one.
    fn taken(
        &mut self,
        feed: &FeedConfig,
        mut row: FeedRow,
        body: Body,
        validators: Validators,
    ) -> Result<Option<Pieces>, PassError> {
        let Body {
            bytes,
            digest,
            copy,
        } = body;
        let copies = self.config.copies();
        if let Err(error) = copies.save(&feed.name, &digest, &bytes) {
            let why = format!("{}: {error}", copies.folder().display());
            // A failure like others for this feed: it is counted, and not tried again at once.
            self.refused(feed, row, Refused::NotKept(why.clone()))?;
            let why = format!("{why}; the last good copies stay in force");
            return Err(PassError::Copies(why));
        }
        self.cache.remember(&feed.name, &digest, copy.clone());
        let old = match row.digest.as_deref() {
            Some(same) if same == digest => Some(copy.clone()),
            Some(before) => self.cache.get(self.config, feed, before),
            None => None,
        };
        let difference = old.as_deref().map(|old| match Arc::as_ptr(&copy) == old {
            true => CopyDifference::default(),
            false => CopyDifference::between(old, &copy),
        });
        // A change is a change of what is listed: headers and dates change all the time.
        let changed = difference.as_ref().is_none_or(|one| !one.is_empty());
        let before = old.as_ref().map(|old| old.format).zip(difference.as_ref());
        log_new_copy(feed, &copy, before, changed);
        let leaving = self
            .ledger
            .pending_withdrawals(&feed.name, CopyKind::Current)?;
        let nothing = FeedCopy::default();
        let leaving = match changed || !leaving.is_empty() {
            true => {
                let old = old.as_deref().unwrap_or(&nothing);
                let leaving = feed.withdraw_after.step(old, leaving, &copy, self.now);
                withdrawal::at_most(leaving, feed.rules.max_entries)
            }
            false => leaving,
        };
        let state = match changed {
            true => FeedState::Fresh,
            false => FeedState::Unchanged,
        };
        self.good(&mut row, state);
        if changed {
            row.changed_at = Some(self.now);
        }
        row.entries = copy.len();
        row.rejected = copy.rejected;
        row.remarks = copy.remarks.clone();
        row.generated = copy.generated;
        row.validators = validators;
        row.origin = feed.origin.to_string();
        copies.confirm(&feed.name, &digest, self.now);
        // The listings are those of the copy before only if it was read by the same rules.
        let before = row.digest.as_ref().map(|before| read_as(feed, before));
        let in_step = before.is_some() && row.listed == before;
        if row.digest.as_ref() != Some(&digest) {
            row.taken_at = Some(self.now);
        }
        let listed = read_as(feed, &digest);
        let few = difference
            .as_ref()
            .filter(|one| in_step && one.came.len() + one.went.len() <= Pieces::ROWS);
        // The listings tell what was dropped, and why.
        let pieces = (few.is_none() && !feed.protects).then(|| {
            let of = (&*digest, listed.clone());
            Pieces::of(&feed.name, copy.clone(), of, self.now)
        });
        let is_same = !changed && pieces.is_none() && row.digest.as_ref() == Some(&digest);
        // Out of step until the last piece is written.
        row.listed = few.map(|_| listed).filter(|_| !feed.protects);
        row.digest = Some(digest);
        // One copy is counted once: all of it or nothing. Its listings may follow in pieces; that
        // they are not there yet is noted in the row.
        let write = |ledger: &Ledger| {
            ledger.write_pending_withdrawals(&feed.name, &leaving)?;
            if let Some(difference) = few {
                ledger.change_listings(&feed.name, difference, self.now)?;
            }
            ledger.write_feed(&row)
        };
        match is_same {
            true => self.ledger.lightly(write)?,
            // The row must not name a copy that is swept away after this.
            false => self.ledger.atomically(write)?,
        }
        Ok(pieces)
    }

    fn good(&self, row: &mut FeedRow, state: FeedState) {
        row.failures = 0;
        row.state = Some(state);
        row.refused = None;
        row.confirmed_at = Some(self.now);
    }

    fn refused(
        &mut self,
        feed: &FeedConfig,
        mut row: FeedRow,
        refused: Refused,
    ) -> Result<(), PassError> {
        let state = refused.state();
        let line = format!("feed={}  {state}: {refused}", feed.name);
        let (wait, refused) = (refused.wait(), Some(refused.bounded()));
        let known = row.state == Some(state) && row.refused == refused;
        row.failures = row.failures.saturating_add(1);
        row.state = Some(state);
        row.refused = refused;
        row.not_before = wait.map(|wait| self.now.after(wait));
        let standing = |from| Standing::at(Some(from), row.generated, feed.ages, self.now);
        let next = match row.confirmed(feed.ages, self.now) {
            None => "there is no earlier copy".to_owned(),
            Some(from) if feed.protects => {
                format!("the {} entries from {from} stay protected", row.entries)
            }
            Some(from) if standing(from).counts() => {
                let until = from.after(feed.ages.expire_after);
                format!("keeping {} entries from {from} until {until}", row.entries)
            }
            Some(from) => format!("the copy from {from} has expired"),
        };
        log_once::warning(!known, &format!("{line}; {next}"));
        self.ledger.lightly(|ledger| ledger.write_feed(&row))?;
        Ok(())
    }
}

/// A copy, and the rules by which it is read: the listings in the ledger are of both, and of a
/// version of this program.
pub(super) fn read_as(feed: &FeedConfig, digest: &str) -> String {
    let rules = format!("{} {:?}", env!("CARGO_PKG_VERSION"), feed.rules);
    format!("{digest} {}", digest::of(rules.as_bytes()))
}

/// One line for a new copy: what it holds, what changed since the one `before`, what was rejected.
fn log_new_copy(
    feed: &FeedConfig,
    copy: &FeedCopy,
    before: Option<(Format, &CopyDifference)>,
    changed: bool,
) {
    let mut parts = vec![format!("{} entries", copy.len())];
    let format = before.map(|(format, _)| format);
    if feed.rules.format == Format::Auto && format != Some(copy.format) {
        parts[0].push_str(&format!(", recognised as {}", copy.format));
        if let Some(before) = format {
            parts[0].push_str(&format!(" (before as {before})"));
        }
    }
    if let Some((_, CopyDifference { new, gone, .. })) = before {
        parts.push(format!("{new} new, {gone} gone"));
        if *gone > 0 && feed.withdraw_after != WithdrawAfter::AT_ONCE {
            let leaves = match feed.protects {
                true => "protected until gone from",
                false => "withdrawn after",
            };
            parts.push(format!("{leaves} {}", feed.withdraw_after));
        }
    }
    if let Some(first) = copy.rejections.first() {
        parts.push(format!("{} rejected ({first})", copy.rejected));
    }
    if !copy.remarks.is_empty() {
        parts.push(copy.remarks.to_string());
    }
    let line = format!("feed={}  {}", feed.name, parts.join(", "));
    log_once::news(changed, &line);
}
