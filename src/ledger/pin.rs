//! The pin: what is in force is frozen until the operator says `unpin`.

use rusqlite::params;

use super::{Event, EventKind, Ledger, LedgerError};
use crate::run_dir::{Flush, RunDir};
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
    /// What is frozen, if something is. A flush that could not be written here, and stands in the
    /// run directory, is as good as its pin: also where this ledger cannot be read.
    pub fn pinned(&self) -> Result<Option<PinRow>, LedgerError> {
        let written = self.written_pin();
        if let Ok(Some(pin)) = &written
            && pin.is_flush()
        {
            return written;
        }
        match self.marked_flush() {
            Some(pin) => Ok(Some(pin)),
            None => written,
        }
    }

    /// The flush that the run directory tells of.
    fn marked_flush(&self) -> Option<PinRow> {
        let Flush { at, by, .. } = RunDir::here().flush(&self.state_dir)?;
        let generation = PinRow::NOTHING;
        Some(PinRow { at, generation, by })
    }

    /// Write down a flush that stands only in the run directory.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub fn adopt_flush(&self) -> Result<(), LedgerError> {
        match RunDir::here().flush(&self.state_dir) {
            Some(flush) => self.atomically(|ledger| ledger.flush(&flush)),
            None => Ok(()),
        }
    }

    /// Everything is withdrawn from now on, until unpin. Its time is what the clock of the machine
    /// said, as a flush does not wait for the ledger; it may be ahead of the time that the passes
    /// go by, which counts then.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub fn flush(&self, flush: &Flush) -> Result<(), LedgerError> {
        let Flush { at, by, reason } = flush;
        if self.written_pin()?.is_some_and(|pin| pin.is_flush()) {
            return Ok(());
        }
        let at = self.now()?.min(*at);
        let what = "everything is withdrawn until unpin";
        self.note_event(&Event {
            at,
            kind: EventKind::Flush,
            subject: String::new(),
            by: by.to_owned(),
            uid: None,
            text: match reason.as_str() {
                "" => what.to_owned(),
                reason => format!("{reason}; {what}"),
            },
            generation: None,
        })?;
        self.set_pin(Some(&PinRow {
            at,
            generation: PinRow::NOTHING,
            by: by.to_owned(),
        }))
    }

    fn written_pin(&self) -> Result<Option<PinRow>, LedgerError> {
        self.first("SELECT at, generation, by FROM pin", [], |row| {
            Ok(PinRow {
                at: row.get(0)?,
                generation: row.get::<_, i64>(1)? as u64,
                by: row.get(2)?,
            })
        })
    }

    /// Freeze, or no longer. A pin takes the place of an earlier one; the time of a flush that is
    /// said twice is kept.
    pub fn set_pin(&self, pin: Option<&PinRow>) -> Result<(), LedgerError> {
        let Some(pin) = pin else {
            return self.run("DELETE FROM pin", []);
        };
        self.run(
            "INSERT INTO pin (one, at, generation, by) VALUES (1, ?1, ?2, ?3)
             ON CONFLICT (one) DO UPDATE SET
               at = iif(generation = ?2, at, ?1), by = iif(generation = ?2, by, ?3), generation = ?2",
            params![pin.at, pin.generation as i64, pin.by],
        )
    }
}
