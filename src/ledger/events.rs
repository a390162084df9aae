//! The log book: what happened beside generations.

use rusqlite::params;

use super::{Ledger, LedgerError};
use crate::time::Timestamp;

/// What an event is: a verb, or what else happened. The words are a stable interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Add,
    Remove,
    Allow,
    Disallow,
    Approve,
    Reject,
    Pin,
    Unpin,
    Flush,
    /// An entry of the operator reached its end.
    Expired,
    /// A change is held.
    Held,
    /// An approval is void: the lists moved on.
    Void,
    Protected,
    Unprotected,
    /// A router got another set than before, apart from what all get.
    Router,
    /// Of another version of this program.
    Unknown,
}

impl EventKind {
    const NAMES: [(Self, &str); 15] = [
        (Self::Add, "add"),
        (Self::Remove, "remove"),
        (Self::Allow, "allow"),
        (Self::Disallow, "disallow"),
        (Self::Approve, "approve"),
        (Self::Reject, "reject"),
        (Self::Pin, "pin"),
        (Self::Unpin, "unpin"),
        (Self::Flush, "flush"),
        (Self::Expired, "expired"),
        (Self::Held, "held"),
        (Self::Void, "void"),
        (Self::Protected, "protected"),
        (Self::Unprotected, "unprotected"),
        (Self::Router, "router"),
    ];

    /// As it stands in the ledger and in JSON.
    pub fn name(self) -> &'static str {
        let name = Self::NAMES.iter().find(|(kind, _)| *kind == self);
        name.map_or("unknown", |(_, name)| name)
    }

    pub(super) fn of_name(name: &str) -> Self {
        let kind = Self::NAMES.iter().find(|(_, known)| *known == name);
        kind.map_or(Self::Unknown, |(kind, _)| *kind)
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
}

impl Ledger {
    /// Note what happened.
    pub fn note_event(&self, event: &Event) -> Result<(), LedgerError> {
        let done = self.execute(
            "INSERT INTO event (at, what, subject, by, text, uid) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                event.at.0,
                event.kind.name(),
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
