//! The log book: what happened beside generations.

use rusqlite::params;

use super::{Ledger, LedgerError};
use crate::named::named;
use crate::time::Timestamp;

named! {
    /// What an event is: a verb, or what else happened. The words stand in the ledger and in JSON,
    /// and are a stable interface.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum EventKind {
        Add = "add",
        Remove = "remove",
        Allow = "allow",
        Disallow = "disallow",
        Approve = "approve",
        Reject = "reject",
        Pin = "pin",
        Unpin = "unpin",
        Flush = "flush",
        /// An entry of the operator reached its end.
        Expired = "expired",
        /// A change is held.
        Held = "held",
        /// An approval is void: the lists moved on.
        Void = "void",
        Protected = "protected",
        Unprotected = "unprotected",
        /// A router got another set than before, apart from what all get.
        Router = "router",
        /// Of another version of this program.
        Unknown = "unknown",
    }
}

/// One row of `event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    pub kind: EventKind,
    /// A prefix, or the ID of a change, or empty.
    pub subject: String,
    /// Who did it; empty for the program itself.
    pub by: String,
    /// The uid of the process that did it, by the kernel.
    pub uid: Option<u32>,
    /// Why, in words.
    pub text: String,
    /// The newest generation when it was noted; read only. `None` where an earlier version noted
    /// it.
    pub generation: Option<u64>,
}

impl Ledger {
    /// Note what happened.
    pub fn note_event(&self, event: &Event) -> Result<(), LedgerError> {
        self.run(
            "INSERT INTO event (at, what, subject, by, text, uid, generation)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT coalesce(max(number), 0) FROM generation))",
            params![
                event.at.0,
                event.kind.name(),
                event.subject,
                event.by,
                event.text,
                event.uid
            ],
        )
    }

    /// Whether a change of this ID was ever held.
    pub fn was_held(&self, id: &str) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM event WHERE what = 'held' AND subject = ?1)";
        self.tried(|| self.value(sql, [id]))
    }
}
