//! What came of a look: the new copy, or why not; either is written down and said (I/O).

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::known::Memory;
use super::look::Look;
use super::prefer::preferred;
use super::{PassError, say};
use crate::config::{FeedConfig, Origin};
use crate::feed::copies::Copies;
use crate::feed::fetch::Validators;
use crate::feed::formats::Format;
use crate::feed::leaving::{WithdrawAfter, same_listings};
use crate::feed::standing::Standing;
use crate::feed::{FeedCopy, Refused};
use crate::ledger::{FeedRow, Ledger, Of};
use crate::plan::Change;
use crate::prefix::PrefixSet;
use crate::time::Timestamp;

/// Whoever judges, and where it is written down.
pub(super) struct Judge<'a> {
    pub ledger: &'a Ledger,
    pub copies: &'a Copies,
    pub memory: &'a mut Memory,
    pub now: Timestamp,
}

impl Judge<'_> {
    /// Take what came as the new copy, or say why not.
    pub fn judge(
        &mut self,
        feed: &FeedConfig,
        mut row: FeedRow,
        look: Look,
    ) -> Result<(), PassError> {
        row.looked_at = Some(self.now);
        row.jitter = match feed.origin {
            Origin::Url(_) => (RandomState::new().hash_one(0) % 1_000) as u16,
            Origin::Path(_) => 0,
        };
        row.not_before = None;
        match look {
            Look::Unchanged => self.confirmed(feed, row),
            Look::Failed(refused) => self.refused(feed, row, &refused),
            Look::Copy(body, copy, validators) => match preferred(feed, &row, *copy, self.now) {
                Err(refused) => self.refused(feed, row, &refused),
                Ok(copy) => self.taken(feed, row, (&body, copy), validators),
            },
        }
    }

    /// The copy at hand is still the current one.
    fn confirmed(&mut self, feed: &FeedConfig, mut row: FeedRow) -> Result<(), PassError> {
        let leaving = self.ledger.leaving(&feed.name, Of::Current)?;
        let leaving = feed.withdraw_after.confirmed(leaving, self.now);
        self.good(&mut row, "unchanged");
        if let Some(digest) = &row.digest {
            self.copies.confirm(&feed.name, digest, self.now);
        }
        tracing::debug!("feed={}  {} entries, not modified", feed.name, row.entries);
        self.ledger.atomically(|ledger| {
            ledger.write_leaving(&feed.name, &leaving)?;
            ledger.write_feed(&row)
        })?;
        Ok(())
    }

    /// A new copy, which may list the same as the old one.
    fn taken(
        &mut self,
        feed: &FeedConfig,
        mut row: FeedRow,
        (body, copy): (&[u8], FeedCopy),
        validators: Validators,
    ) -> Result<(), PassError> {
        let digest = match self.copies.save(&feed.name, body) {
            Ok(digest) => digest,
            Err(error) => {
                let why = format!("{}: {error}", self.copies.folder().display());
                // A failure like others for this feed: it is counted, and not tried again at once.
                self.refused(feed, row, &Refused::NotKept(why.clone()))?;
                let why = format!("{why}; the last good copies stay in force");
                return Err(PassError::Copies(why));
            }
        };
        let old = row.digest.as_deref();
        let old = old.and_then(|digest| self.memory.get(self.copies, feed, digest));
        let old = old.as_deref();
        // A change is a change of what is listed: headers and dates change all the time.
        let changed = row.digest.as_ref() != Some(&digest)
            && !old.is_some_and(|old| same_listings(old, &copy));
        tell(feed, &copy, old, changed);
        let nothing = FeedCopy::default();
        let leaving = self.ledger.leaving(&feed.name, Of::Current)?;
        let old = old.unwrap_or(&nothing);
        let leaving = match changed || !leaving.is_empty() {
            true => feed.withdraw_after.step(old, leaving, &copy, self.now),
            false => leaving,
        };
        self.good(&mut row, if changed { "fresh" } else { "unchanged" });
        if changed {
            row.changed_at = Some(self.now);
        }
        row.entries = copy.len();
        row.rejected = copy.rejected;
        row.generated = copy.generated;
        row.validators = validators;
        row.origin = feed.origin.to_string();
        self.copies.confirm(&feed.name, &digest, self.now);
        if row.digest.as_ref() != Some(&digest) {
            row.taken_at = Some(self.now);
        }
        row.digest = Some(digest.clone());
        // One copy is counted once: all of it or nothing.
        self.ledger.atomically(|ledger| {
            ledger.write_leaving(&feed.name, &leaving)?;
            if changed {
                ledger.write_listings(&feed.name, &copy, self.now)?;
            }
            ledger.write_feed(&row)
        })?;
        self.memory.remember(&feed.name, &digest, Arc::new(copy));
        Ok(())
    }

    fn good(&self, row: &mut FeedRow, state: &str) {
        row.failures = 0;
        row.state = state.to_owned();
        row.note.clear();
        row.confirmed_at = Some(self.now);
    }

    fn refused(
        &mut self,
        feed: &FeedConfig,
        mut row: FeedRow,
        refused: &Refused,
    ) -> Result<(), PassError> {
        let (state, note) = (refused.state().to_owned(), refused.to_string());
        let known = row.state == state && row.note == note;
        row.failures = row.failures.saturating_add(1);
        row.state = state;
        row.note = note;
        row.not_before = refused.wait().map(|wait| self.now.after(wait));
        let standing = |from| Standing::at(Some(from), row.generated, feed.ages, self.now);
        let next = match row.confirmed_at {
            None => "there is no earlier copy".to_owned(),
            Some(from) if standing(from).counts() => {
                let until = from.after(feed.ages.expire_after);
                format!("keeping {} entries from {from} until {until}", row.entries)
            }
            Some(from) => format!("the copy from {from} has expired"),
        };
        let line = format!("feed={}  {}: {refused}; {next}", feed.name, row.state);
        say::warning(!known, &line);
        self.ledger.write_feed(&row)?;
        Ok(())
    }
}

/// One line for a new copy: what it holds, what changed, what was rejected.
fn tell(feed: &FeedConfig, copy: &FeedCopy, old: Option<&FeedCopy>, changed: bool) {
    let mut parts = vec![format!("{} entries", copy.len())];
    let before = old.map(|old| old.format);
    if feed.rules.format == Format::Auto && before != Some(copy.format) {
        parts[0].push_str(&format!(", recognised as {}", copy.format));
        if let Some(before) = before {
            parts[0].push_str(&format!(" (before as {before})"));
        }
    }
    if let Some(old) = old {
        let change = Change::between(&listed(old), &listed(copy));
        parts.push(format!("{} new, {} gone", change.added(), change.removed()));
        if change.removed() > 0 && feed.withdraw_after != WithdrawAfter::AT_ONCE {
            parts.push(format!("withdrawn after {}", feed.withdraw_after));
        }
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
