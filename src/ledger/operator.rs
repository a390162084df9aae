//! What the operator added or allowed by hand.

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

use super::{EventKind, GenerationCause, Ledger, LedgerError};
use crate::prefix::Item;
use crate::time::Timestamp;

/// What an operator entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OperatorEntry {
    /// It is to be dropped, as if a feed listed it.
    Add,
    /// It is not to be dropped, whatever lists it.
    Allow,
}

impl OperatorEntry {
    /// The verb, which is its name in the ledger.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Allow => "allow",
        }
    }

    /// The event of its beginning.
    pub fn begins(self) -> EventKind {
        match self {
            Self::Add => EventKind::Add,
            Self::Allow => EventKind::Allow,
        }
    }

    /// The event of its end by the operator.
    pub fn ends(self) -> EventKind {
        match self {
            Self::Add => EventKind::Remove,
            Self::Allow => EventKind::Disallow,
        }
    }

    /// What the generation of its beginning comes from.
    pub fn begun(self) -> GenerationCause {
        match self {
            Self::Add => GenerationCause::Add,
            Self::Allow => GenerationCause::Allow,
        }
    }

    /// What the generation of its end comes from.
    pub fn ended(self) -> GenerationCause {
        match self {
            Self::Add => GenerationCause::Remove,
            Self::Allow => GenerationCause::Disallow,
        }
    }

    /// The verb that undoes it.
    pub fn undo(self) -> &'static str {
        match self {
            Self::Add => "remove",
            Self::Allow => "disallow",
        }
    }
}

/// One row of `operator`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperatorRow {
    /// Its number in the ledger, from 1.
    #[serde(skip)]
    pub id: u32,
    /// What it does.
    #[serde(rename = "verb")]
    pub kind: OperatorEntry,
    /// The prefix, or the origin AS.
    #[serde(rename = "prefix")]
    pub item: Item,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// From when.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// When it ended; `None` while nobody ended it and its time was not seen to be over.
    #[serde(skip)]
    pub ended: Option<Timestamp>,
}

impl OperatorRow {
    /// Whether it counts at this time.
    pub fn counts(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.until.is_none_or(|until| until > now)
    }

    fn read(row: &Row) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            kind: match row.get_ref(1)?.as_str()? {
                "add" => OperatorEntry::Add,
                _ => OperatorEntry::Allow,
            },
            item: row
                .get_ref(2)?
                .as_str()?
                .parse()
                .map_err(|()| rusqlite::Error::InvalidQuery)?,
            reason: row.get(3)?,
            by: row.get(4)?,
            since: row.get(5)?,
            until: row.get(6)?,
            ended: row.get(7)?,
        })
    }
}

const COLUMNS: &str = "id, kind, prefix, reason, by, since, until, ended";

impl Ledger {
    /// Entries that have not ended, or ended at `since` or later; in the order in which they were
    /// made.
    pub fn operator(&self, since: Timestamp) -> Result<Vec<OperatorRow>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM operator WHERE ended IS NULL OR ended >= ?1 ORDER BY id"
        );
        self.rows(&sql, [since], OperatorRow::read)
    }

    /// Write a new entry; its `id` is given by the ledger. Fails where one for the same prefix
    /// counts.
    pub fn write_operator(&self, row: &OperatorRow) -> Result<(), LedgerError> {
        self.run(
            "INSERT INTO operator (kind, prefix, reason, by, since, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                row.kind.verb(),
                row.item.to_string(),
                row.reason,
                row.by,
                row.since.0,
                row.until.map(|until| until.0),
            ],
        )
    }

    /// End the entry for exactly this item; `by` is empty when its time was over. Answers it as
    /// it was.
    pub fn end_operator(
        &self,
        hand: OperatorEntry,
        item: Item,
        at: Timestamp,
        by: &str,
    ) -> Result<Option<OperatorRow>, LedgerError> {
        let prefix = item.to_string();
        self.tried(|| {
            let sql = format!(
                "SELECT {COLUMNS} FROM operator WHERE kind = ?1 AND prefix = ?2 AND ended IS NULL"
            );
            let row = self
                .row(&sql, [hand.verb(), &prefix], OperatorRow::read)
                .optional()?;
            self.execute(
                "UPDATE operator SET ended = ?3, ended_by = ?4
                 WHERE kind = ?1 AND prefix = ?2 AND ended IS NULL",
                params![hand.verb(), prefix, at.0, by],
            )?;
            Ok(row)
        })
    }
}
