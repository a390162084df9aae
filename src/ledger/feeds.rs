//! The feeds: what the last looks gave.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};

use super::{Ledger, LedgerError};
use crate::feed::fetch::Validators;
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
    /// Failed attempts since the last good one.
    pub failures: u32,
    /// Name of the state: fresh, failed, foreign, incomplete, retired.
    pub state: String,
    /// What was seen at the last attempt, in words.
    pub note: String,
    /// Last good copy, or "not modified".
    pub confirmed_at: Option<Timestamp>,
    /// Last good copy with another content.
    pub changed_at: Option<Timestamp>,
    /// The last good copy.
    pub digest: Option<String>,
    /// The copy behind the generation in force.
    pub applied: Option<String>,
    /// Entries of the last good copy.
    pub entries: usize,
    /// Rejected lines of the last good copy.
    pub rejected: usize,
    /// The standing as it was last announced.
    pub standing: String,
}

const COLUMNS: &str = "name, origin, etag, last_modified, looked_at, failures, state, note, \
                       confirmed_at, changed_at, digest, applied, entries, rejected, standing";

impl FeedRow {
    /// The last attempt, unless it lies in the future: then the clock was set back, and nothing is
    /// known of it.
    pub fn looked_by(&self, now: Timestamp) -> Option<Timestamp> {
        self.looked_at.filter(|at| *at <= now)
    }

    fn read(row: &Row) -> rusqlite::Result<Self> {
        let time =
            |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp));
        Ok(Self {
            name: row.get(0)?,
            origin: row.get(1)?,
            validators: Validators {
                etag: row.get(2)?,
                last_modified: row.get(3)?,
            },
            looked_at: time(4)?,
            failures: row.get(5)?,
            state: row.get(6)?,
            note: row.get(7)?,
            confirmed_at: time(8)?,
            changed_at: time(9)?,
            digest: row.get(10)?,
            applied: row.get(11)?,
            entries: row.get::<_, i64>(12)? as usize,
            rejected: row.get::<_, i64>(13)? as usize,
            standing: row.get(14)?,
        })
    }
}

impl Ledger {
    /// The state of a feed from before a look to its end.
    pub const LOOKING: &'static str = "looking";

    /// Every feed that was ever looked at, by name.
    pub fn feeds(&self) -> Result<BTreeMap<String, FeedRow>, LedgerError> {
        let read = || {
            let mut statement = self.db.prepare(&format!("SELECT {COLUMNS} FROM feed"))?;
            let rows = statement.query_map([], FeedRow::read)?;
            rows.map(|row| row.map(|row| (row.name.clone(), row)))
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// One feed.
    pub fn feed(&self, name: &str) -> Result<Option<FeedRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM feed WHERE name = ?1");
        let row = self.db.query_row(&sql, [name], FeedRow::read).optional();
        row.map_err(|error| self.error(error))
    }

    /// The standing of a feed, as it is announced now.
    pub fn announce_standing(&self, name: &str, standing: &str) -> Result<(), LedgerError> {
        let sql = "UPDATE feed SET standing = ?2 WHERE name = ?1";
        let done = self.db.execute(sql, [name, standing]);
        done.map(|_| ()).map_err(|error| self.error(error))
    }

    /// A look is about to be made: noted before, so that a publisher's floor survives a crash.
    pub fn note_look(&self, name: &str, now: Timestamp) -> Result<(), LedgerError> {
        let done = self.db.execute(
            "INSERT INTO feed (name, origin, looked_at, state) VALUES (?1, '', ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET looked_at = ?2, state = ?3",
            params![name, now.0, Self::LOOKING],
        );
        done.map(|_| ()).map_err(|error| self.error(error))
    }

    /// Write one feed; `applied` is left as it is, for that belongs to the generation.
    pub fn write_feed(&self, row: &FeedRow) -> Result<(), LedgerError> {
        let time = |time: Option<Timestamp>| time.map(|time| time.0);
        let written = self.db.execute(
            "INSERT INTO feed (name, origin, etag, last_modified, looked_at, failures, state, note,
                               confirmed_at, changed_at, digest, entries, rejected)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             ON CONFLICT (name) DO UPDATE SET
               origin = ?2, etag = ?3, last_modified = ?4, looked_at = ?5, failures = ?6, state = ?7,
               note = ?8, confirmed_at = ?9, changed_at = ?10, digest = ?11, entries = ?12, rejected = ?13",
            params![
                row.name,
                row.origin,
                row.validators.etag,
                row.validators.last_modified,
                time(row.looked_at),
                row.failures,
                row.state,
                row.note,
                time(row.confirmed_at),
                time(row.changed_at),
                row.digest,
                row.entries as i64,
                row.rejected as i64,
            ],
        );
        written.map(|_| ()).map_err(|error| self.error(error))
    }
}
