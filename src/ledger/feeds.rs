//! The feeds: what the last looks gave.

use std::collections::BTreeMap;

use rusqlite::{Row, params};

use super::{Ledger, LedgerError, count};
use crate::feed::fetch::Validators;
use crate::feed::standing::{Ages, Standing};
use crate::feed::{FeedState, Refused, Remarks};
use crate::time::Timestamp;

/// One row of `feed`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedRow {
    /// Name of the feed.
    pub name: String,
    /// Where the last good copy came from.
    pub origin: String,
    /// Validators of the last good copy.
    pub validators: Validators,
    /// Last attempt.
    pub looked_at: Option<Timestamp>,
    /// Drawn at the last attempt, so that the next one is not made by everybody at once: 0 to 999
    /// per mille of the spread.
    pub jitter: u16,
    /// The server asked to be left alone until then.
    pub not_before: Option<Timestamp>,
    /// Failed attempts since the last good one.
    pub failures: u32,
    /// What the last look gave; `None` before the first.
    pub state: Option<FeedState>,
    /// Why the last look gave no copy; `None` where it gave one.
    pub refused: Option<Refused>,
    /// Last good copy, or "not modified".
    pub confirmed_at: Option<Timestamp>,
    /// Last good copy that listed something else.
    pub changed_at: Option<Timestamp>,
    /// When the publisher says that he made the last good copy.
    pub generated: Option<Timestamp>,
    /// The last good copy.
    pub digest: Option<String>,
    /// The copy that its listings are in step with, and how it was read.
    pub listed: Option<String>,
    /// The copy behind the generation in force.
    pub applied: Option<String>,
    /// When the last good copy was first taken: ends of its entries are counted from it.
    pub taken_at: Option<Timestamp>,
    /// The same for the copy behind the generation in force; read only.
    pub applied_taken: Option<Timestamp>,
    /// The table of origins that was used with it.
    pub applied_table: Option<String>,
    /// Entries of the last good copy.
    pub entries: usize,
    /// Rejected lines of the last good copy.
    pub rejected: usize,
    /// What the last good copy was read as where that is not what stands in it.
    pub remarks: Remarks,
    /// The standing as it was last announced; `None` before that.
    pub standing: Option<Standing>,
    /// Since when the longest of its withdrawals waits; read only.
    pub leaving_since: Option<Timestamp>,
    /// Since when passes find its confirmation in the future; read only.
    pub ahead_since: Option<Timestamp>,
}

const COLUMNS: &str = "name, origin, etag, last_modified, looked_at, jitter, not_before, failures, \
                       state, note, confirmed_at, changed_at, generated, digest, applied, \
                       applied_table, taken_at, applied_taken, entries, rejected, standing, \
                       (SELECT min(since) FROM leaving WHERE feed = name AND NOT leaving.applied), listed, \
                       ahead_since, remarks";

impl FeedRow {
    /// The last attempt, unless it lies in the future: then the clock was set back, and nothing is
    /// known of it.
    pub fn attempted_by(&self, now: Timestamp) -> Option<Timestamp> {
        self.looked_at.filter(|at| *at <= now)
    }

    /// When the last good copy was confirmed, for its age. One in the future was confirmed while
    /// the clock was wrong: nothing is known of its age, so it is stale, and grows older from the
    /// first pass that saw it.
    pub fn confirmed(&self, ages: Ages, now: Timestamp) -> Option<Timestamp> {
        let at = self.confirmed_at?;
        if at <= now.after(Timestamp::CLOCK_TOLERANCE) {
            return Some(at);
        }
        let stale = Timestamp(now.0.saturating_sub_unsigned(ages.stale_after.as_secs()));
        Some(stale.min(self.ahead_since.unwrap_or(now)))
    }

    /// Until when the server asked to be left alone. Further ahead than any such wait, the clock
    /// was set back, and nothing is known of it.
    pub fn asked_to_wait(&self, now: Timestamp) -> Option<Timestamp> {
        let longest = now.after(Refused::LONGEST_WAIT);
        self.not_before
            .filter(|until| *until > now && *until <= longest)
    }

    fn read(row: &Row) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            origin: row.get(1)?,
            validators: Validators {
                etag: row.get(2)?,
                last_modified: row.get(3)?,
            },
            looked_at: row.get(4)?,
            jitter: row.get(5)?,
            not_before: row.get(6)?,
            failures: row.get(7)?,
            state: row.get_ref(8)?.as_str()?.parse().ok(),
            refused: refused(row.get_ref(9)?.as_str()?),
            confirmed_at: row.get(10)?,
            changed_at: row.get(11)?,
            generated: row.get(12)?,
            digest: row.get(13)?,
            applied: row.get(14)?,
            applied_table: row.get(15)?,
            taken_at: row.get(16)?,
            applied_taken: row.get(17)?,
            entries: count(row, 18)?,
            rejected: count(row, 19)?,
            standing: row.get_ref(20)?.as_str()?.parse().ok(),
            leaving_since: row.get(21)?,
            listed: row.get(22)?,
            ahead_since: row.get(23)?,
            remarks: serde_json::from_str(row.get_ref(24)?.as_str()?).unwrap_or_default(),
        })
    }
}

/// Before version 9 of the tables: a sentence.
fn refused(note: &str) -> Option<Refused> {
    let read =
        || serde_json::from_str(note).unwrap_or_else(|_| Refused::Unreachable(note.to_owned()));
    (!note.is_empty()).then(read)
}

impl Ledger {
    /// Every feed that was ever looked at, by name.
    pub fn feeds(&self) -> Result<BTreeMap<String, FeedRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM feed");
        self.rows(&sql, [], |row| Ok((row.get(0)?, FeedRow::read(row)?)))
    }

    /// One feed.
    pub fn feed(&self, name: &str) -> Result<Option<FeedRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM feed WHERE name = ?1");
        self.first(&sql, [name], FeedRow::read)
    }

    /// The standing of a feed, as it is announced now.
    pub fn announce_standing(&self, name: &str, standing: Standing) -> Result<(), LedgerError> {
        let sql = "UPDATE feed SET standing = ?2 WHERE name = ?1";
        self.run(sql, [name, &standing.to_string()])
    }

    /// A look is about to be made: noted before, so that a publisher's floor survives a crash.
    pub fn note_attempt(&self, name: &str, now: Timestamp) -> Result<(), LedgerError> {
        self.run(
            "INSERT INTO feed (name, origin, looked_at, state) VALUES (?1, '', ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET looked_at = ?2, state = ?3",
            params![name, now, FeedState::Looking.name()],
        )
    }

    /// Write one feed; `applied` is left as it is, for that belongs to the generation.
    pub fn write_feed(&self, row: &FeedRow) -> Result<(), LedgerError> {
        let refused = row.refused.as_ref().map(serde_json::to_string);
        let refused = refused.and_then(Result::ok).unwrap_or_default();
        let remarks = Some(&row.remarks).filter(|remarks| !remarks.is_empty());
        let remarks = remarks.map(serde_json::to_string);
        self.run(
            "INSERT INTO feed (name, origin, etag, last_modified, looked_at, jitter, not_before, failures,
                               state, note, confirmed_at, changed_at, generated, digest, entries, rejected,
                               taken_at, listed, remarks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
             ON CONFLICT (name) DO UPDATE SET
               origin = ?2, etag = ?3, last_modified = ?4, looked_at = ?5, jitter = ?6, not_before = ?7,
               failures = ?8, state = ?9, note = ?10, confirmed_at = ?11, changed_at = ?12,
               generated = ?13, digest = ?14, entries = ?15, rejected = ?16,
               taken_at = ?17, listed = ?18, remarks = ?19",
            params![
                row.name,
                row.origin,
                row.validators.etag,
                row.validators.last_modified,
                row.looked_at,
                row.jitter,
                row.not_before,
                row.failures,
                row.state.map_or("", FeedState::name),
                refused,
                row.confirmed_at,
                row.changed_at,
                row.generated,
                row.digest,
                row.entries as i64,
                row.rejected as i64,
                row.taken_at,
                row.listed,
                remarks.and_then(Result::ok).unwrap_or_default(),
            ],
        )
    }
}
