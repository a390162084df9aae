//! The pin: what is in force is frozen until the operator says `unpin`.

use rusqlite::{OptionalExtension, params};

use super::{Ledger, LedgerError};
use crate::time::Timestamp;

/// One row of `pin`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PinRow {
    /// Since when.
    pub at: Timestamp,
    /// The generation whose set is frozen; 0 for nothing (flush).
    pub generation: u64,
    /// Who did it.
    pub by: String,
}

impl PinRow {
    /// The pin of a flush.
    pub const NOTHING: u64 = 0;

    /// Whether everything is withdrawn.
    pub fn is_flush(&self) -> bool {
        self.generation == Self::NOTHING
    }
}

impl std::fmt::Display for PinRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { at, generation, by } = self;
        match self.is_flush() {
            true => write!(f, "to nothing by flush since {at}")?,
            false => write!(f, "to generation {generation} since {at}")?,
        }
        match by.as_str() {
            "" => Ok(()),
            by => write!(f, " ({by})"),
        }
    }
}

impl Ledger {
    /// What is frozen, if something is.
    pub fn pinned(&self) -> Result<Option<PinRow>, LedgerError> {
        let row = self
            .db
            .query_row("SELECT at, generation, by FROM pin", [], |row| {
                Ok(PinRow {
                    at: Timestamp(row.get(0)?),
                    generation: row.get::<_, i64>(1)? as u64,
                    by: row.get(2)?,
                })
            });
        row.optional().map_err(|error| self.error(error))
    }

    /// Freeze, or no longer. A pin takes the place of an earlier one; the time of a flush that is said
    /// twice is kept.
    pub fn set_pin(&self, pin: Option<&PinRow>) -> Result<(), LedgerError> {
        let done = match pin {
            Some(pin) => self.db.execute(
                "INSERT INTO pin (one, at, generation, by) VALUES (1, ?1, ?2, ?3)
                 ON CONFLICT (one) DO UPDATE SET
                   at = iif(generation = ?2, at, ?1), by = iif(generation = ?2, by, ?3), generation = ?2",
                params![pin.at.0, pin.generation as i64, pin.by],
            ),
            None => self.db.execute("DELETE FROM pin", []),
        };
        done.map(|_| ()).map_err(|error| self.error(error))
    }
}
