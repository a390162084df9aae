//! What people said to held changes, and the change that waits.

use rusqlite::{Row, params};
use serde::{Serialize, Serializer};

use super::{Ledger, LedgerError, count};
use crate::named::named;
use crate::plan::{Reason, sentences};
use crate::time::Timestamp;

named! {
    /// The answer of an operator to a held change.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ReviewAnswer {
        /// It may be applied.
        Approved = "approved",
        /// It is not to be applied, and no further answer is asked for.
        Rejected = "rejected",
    }
}

/// One row of `review`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRow {
    /// The ID of the change.
    pub id: String,
    /// What was said.
    pub said: ReviewAnswer,
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HoldRow {
    /// Name of its exact content.
    pub id: String,
    /// When it was first seen.
    #[serde(rename = "since")]
    pub at: Timestamp,
    /// Every reason; sentences in JSON.
    #[serde(serialize_with = "in_words")]
    pub reasons: Vec<Reason>,
    /// Prefixes it would bring.
    pub added: usize,
    /// Prefixes it would take away.
    pub removed: usize,
    /// Who rejected it and when, if somebody did.
    #[serde(rename = "rejected_by", serialize_with = "name")]
    pub rejected: Option<(String, Timestamp)>,
    /// Who approved it and when, where a second person is asked for.
    #[serde(rename = "first_approved_by", serialize_with = "name")]
    pub first: Option<(String, Timestamp)>,
}

fn in_words<S: Serializer>(reasons: &[Reason], serializer: S) -> Result<S::Ok, S::Error> {
    sentences(reasons).serialize(serializer)
}

fn name<S: Serializer>(
    rejected: &Option<(String, Timestamp)>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let name = rejected.as_ref().map(|(by, _)| by);
    name.serialize(serializer)
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
        let said = row.get_ref(1)?.as_str()?.parse();
        Ok(Self {
            id: row.get(0)?,
            said: said.unwrap_or(ReviewAnswer::Rejected),
            at: row.get(2)?,
            by: row.get(3)?,
            ended: row.get(4)?,
            outcome: row.get(5)?,
        })
    }
}

impl Ledger {
    /// The newest word on the change `id`.
    pub fn review_of(&self, id: &str) -> Result<Option<ReviewRow>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM review WHERE id = ?1 ORDER BY seq DESC LIMIT 1");
        self.first(&sql, [id], ReviewRow::read)
    }

    /// The approval that has been neither applied nor become void.
    pub fn approval(&self) -> Result<Option<ReviewRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM review WHERE verdict = 'approved' AND ended IS NULL
             ORDER BY seq DESC LIMIT 1"
        );
        self.first(&sql, [], ReviewRow::read)
    }

    /// Who approved this change first, while a second person is asked for.
    pub fn first_approval(&self, id: &str) -> Result<Option<(String, Timestamp)>, LedgerError> {
        let sql = "SELECT by, at FROM first_approval WHERE id = ?1";
        self.first(sql, [id], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// This person approves a change, and a second one is asked for.
    pub fn write_first_approval(
        &self,
        id: &str,
        at: Timestamp,
        by: &str,
    ) -> Result<(), LedgerError> {
        self.run(
            "INSERT OR REPLACE INTO first_approval (one, id, at, by) VALUES (1, ?1, ?2, ?3)",
            params![id, at, by],
        )
    }

    /// Somebody says this to a change; what was said before no longer counts. Part of
    /// [`Ledger::atomically`].
    pub fn write_review(
        &self,
        id: &str,
        said: ReviewAnswer,
        at: Timestamp,
        by: &str,
    ) -> Result<(), LedgerError> {
        self.end_reviews("withdrawn", at)?;
        self.run("DELETE FROM first_approval", [])?;
        self.run(
            "INSERT INTO review (id, verdict, at, by) VALUES (?1, ?2, ?3, ?4)",
            params![id, said.name(), at.0, by],
        )
    }

    /// Nothing that was said counts any more: it was `applied`, or is `void`.
    pub fn end_reviews(&self, outcome: &str, at: Timestamp) -> Result<(), LedgerError> {
        self.run(
            "UPDATE review SET ended = ?1, outcome = ?2 WHERE ended IS NULL",
            params![at.0, outcome],
        )
    }

    /// What was said to other changes than `id` is void. Part of [`Ledger::atomically`].
    pub fn void_but(&self, id: Option<&str>, at: Timestamp) -> Result<(), LedgerError> {
        self.run("DELETE FROM first_approval WHERE id IS NOT ?1", [id])?;
        self.run(
            "UPDATE review SET ended = ?1, outcome = 'void' WHERE ended IS NULL AND id IS NOT ?2",
            params![at.0, id],
        )
    }

    /// The change that waits.
    pub fn hold(&self) -> Result<Option<HoldRow>, LedgerError> {
        self.first(
            "SELECT id, at, reasons, added, removed,
                    (SELECT by FROM review WHERE review.id = hold.id AND ended IS NULL AND verdict = 'rejected'),
                    (SELECT at FROM review WHERE review.id = hold.id AND ended IS NULL AND verdict = 'rejected'),
                    (SELECT by FROM first_approval WHERE first_approval.id = hold.id),
                    (SELECT at FROM first_approval WHERE first_approval.id = hold.id)
             FROM hold",
            [],
            |row| {
                let reasons: String = row.get(2)?;
                let by: Option<String> = row.get(5)?;
                let first: Option<String> = row.get(7)?;
                Ok(HoldRow {
                    id: row.get(0)?,
                    at: row.get(1)?,
                    reasons: read_reasons(&reasons),
                    added: count(row, 3)?,
                    removed: count(row, 4)?,
                    rejected: by.zip(row.get(6)?),
                    first: first.zip(row.get(8)?),
                })
            },
        )
    }

    /// A change waits, or none does. The time of one that waited before is kept.
    pub fn set_hold(&self, hold: Option<&HoldRow>) -> Result<(), LedgerError> {
        let Some(hold) = hold else {
            return self.run("DELETE FROM hold", []);
        };
        let reasons = serde_json::to_string(&hold.reasons).unwrap_or_default();
        let (added, removed) = (hold.added as i64, hold.removed as i64);
        self.run(
            "INSERT INTO hold (one, id, at, reasons, added, removed) VALUES (1, ?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (one) DO UPDATE SET
               at = CASE WHEN id = ?1 THEN at ELSE ?2 END, id = ?1, reasons = ?3, added = ?4, removed = ?5",
            params![hold.id, hold.at, reasons, added, removed],
        )
    }
}
