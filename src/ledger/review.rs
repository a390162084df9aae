//! What people said to held changes, and the change that waits.

use rusqlite::{OptionalExtension, Row, params};

use super::{Ledger, LedgerError};
use crate::named::named;
use crate::plan::Reason;
use crate::time::Timestamp;

named! {
    /// What somebody says to a held change.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Said {
        /// It may be applied.
        Approved = "approved",
        /// It is not to be applied, and nobody is asked again.
        Rejected = "rejected",
    }
}

/// One row of `review`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRow {
    /// The ID of the change.
    pub id: String,
    /// What was said.
    pub said: Said,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// When it was applied or became void; `None` while it counts.
    pub ended: Option<Timestamp>,
    /// `applied`, `void`, or `withdrawn`; empty while it counts.
    pub outcome: String,
}

/// The change that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldRow {
    /// Name of its exact content.
    pub id: String,
    /// When it was first seen.
    pub at: Timestamp,
    /// Every reason.
    pub reasons: Vec<Reason>,
    /// Prefixes it would bring.
    pub added: usize,
    /// Prefixes it would take away.
    pub removed: usize,
    /// Who rejected it and when, if somebody did.
    pub rejected: Option<(String, Timestamp)>,
}

impl HoldRow {
    /// Whether somebody is still to say something to it.
    pub fn waits(&self) -> bool {
        self.rejected.is_none()
    }
}

/// Before version 7 of the tables: one sentence a line.
fn read_reasons(text: &str) -> Vec<Reason> {
    serde_json::from_str(text).unwrap_or_else(|_| {
        let lines = text.lines().map(str::to_owned);
        lines.map(Reason::Former).collect()
    })
}

const COLUMNS: &str = "id, verdict, at, by, ended, outcome";

impl ReviewRow {
    fn read(row: &Row) -> rusqlite::Result<Self> {
        let said = row.get::<_, String>(1)?.parse();
        Ok(Self {
            id: row.get(0)?,
            said: said.unwrap_or(Said::Rejected),
            at: Timestamp(row.get(2)?),
            by: row.get(3)?,
            ended: row.get::<_, Option<i64>>(4)?.map(Timestamp),
            outcome: row.get(5)?,
        })
    }
}

impl Ledger {
    /// The newest word on the change `id`.
    pub fn review_of(&self, id: &str) -> Result<Option<ReviewRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM review WHERE id = ?1 ORDER BY seq DESC LIMIT 1");
        let row = self.row(&sql, [id], ReviewRow::read).optional();
        row.map_err(|error| self.error(error))
    }

    /// The approval that has been neither applied nor become void.
    pub fn approval(&self) -> Result<Option<ReviewRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM review WHERE verdict = 'approved' AND ended IS NULL
             ORDER BY seq DESC LIMIT 1"
        );
        let row = self.row(&sql, [], ReviewRow::read).optional();
        row.map_err(|error| self.error(error))
    }

    /// Somebody says this to a change; what was said before no longer counts. Part of
    /// [`Ledger::atomically`].
    pub fn say(&self, id: &str, said: Said, at: Timestamp, by: &str) -> Result<(), LedgerError> {
        self.end_reviews("withdrawn", at)?;
        let done = self.execute(
            "INSERT INTO review (id, verdict, at, by) VALUES (?1, ?2, ?3, ?4)",
            params![id, said.name(), at.0, by],
        );
        done.map(|_| ()).map_err(|error| self.error(error))
    }

    /// Nothing that was said counts any more: it was `applied`, or is `void`.
    pub fn end_reviews(&self, outcome: &str, at: Timestamp) -> Result<(), LedgerError> {
        let done = self.execute(
            "UPDATE review SET ended = ?1, outcome = ?2 WHERE ended IS NULL",
            params![at.0, outcome],
        );
        done.map(|_| ()).map_err(|error| self.error(error))
    }

    /// What was said to other changes than `id` is void. Part of [`Ledger::atomically`].
    pub fn void_but(&self, id: Option<&str>, at: Timestamp) -> Result<(), LedgerError> {
        let done = self.execute(
            "UPDATE review SET ended = ?1, outcome = 'void' WHERE ended IS NULL AND id IS NOT ?2",
            params![at.0, id],
        );
        done.map(|_| ()).map_err(|error| self.error(error))
    }

    /// The change that waits.
    pub fn hold(&self) -> Result<Option<HoldRow>, LedgerError> {
        let row = self.row(
            "SELECT id, at, reasons, added, removed,
                    (SELECT by FROM review WHERE review.id = hold.id AND ended IS NULL AND verdict = 'rejected'),
                    (SELECT at FROM review WHERE review.id = hold.id AND ended IS NULL AND verdict = 'rejected')
             FROM hold",
            [],
            |row| {
                let reasons: String = row.get(2)?;
                let by: Option<String> = row.get(5)?;
                let at: Option<i64> = row.get(6)?;
                Ok(HoldRow {
                    id: row.get(0)?,
                    at: Timestamp(row.get(1)?),
                    reasons: read_reasons(&reasons),
                    added: row.get::<_, i64>(3)? as usize,
                    removed: row.get::<_, i64>(4)? as usize,
                    rejected: by.zip(at.map(Timestamp)),
                })
            },
        );
        row.optional().map_err(|error| self.error(error))
    }

    /// A change waits, or none does. The time of one that waited before is kept.
    pub fn set_hold(&self, hold: Option<&HoldRow>) -> Result<(), LedgerError> {
        let done = match hold {
            Some(hold) => self.execute(
                "INSERT INTO hold (one, id, at, reasons, added, removed) VALUES (1, ?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (one) DO UPDATE SET
                   at = CASE WHEN id = ?1 THEN at ELSE ?2 END, id = ?1, reasons = ?3, added = ?4, removed = ?5",
                params![
                    hold.id,
                    hold.at.0,
                    serde_json::to_string(&hold.reasons).unwrap_or_default(),
                    hold.added as i64,
                    hold.removed as i64
                ],
            ),
            None => self.execute("DELETE FROM hold", []),
        };
        done.map(|_| ()).map_err(|error| self.error(error))
    }
}
