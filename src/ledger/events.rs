//! The log book: what happened beside generations.

use rusqlite::params;

use super::{Ledger, LedgerError};
use crate::time::Timestamp;

/// One row of `event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// The verb, or what else happened: expired, held, void, protected, unprotected.
    pub what: String,
    /// A prefix, or the ID of a change, or empty.
    pub subject: String,
    /// Who did it; empty for the program itself.
    pub by: String,
    /// The uid of the process that did it, by the kernel.
    pub uid: Option<u32>,
    /// Why, in words.
    pub text: String,
}

impl Ledger {
    /// Note what happened.
    pub fn note_event(&self, event: &Event) -> Result<(), LedgerError> {
        let done = self.execute(
            "INSERT INTO event (at, what, subject, by, text, uid) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                event.at.0,
                event.what,
                event.subject,
                event.by,
                event.text,
                event.uid
            ],
        );
        done.map(|_| ()).map_err(|error| self.error(error))
    }

    /// Whether a change of this ID was ever held.
    pub fn was_held(&self, id: &str) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM event WHERE what = 'held' AND subject = ?1)";
        let row = self.row(sql, [id], |row| row.get(0));
        row.map_err(|error| self.error(error))
    }
}
