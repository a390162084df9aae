//! What was last seen of the kernel and of those who listen to it.

use std::fmt;

use rusqlite::params;
use serde::Serialize;

use super::{Ledger, LedgerError};
use crate::time::Timestamp;

/// One row of `observed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// What it is about: `watch`, `audit`, `bus`, `zebra`, `covers`.
    pub what: String,
    /// When it was seen.
    pub at: Timestamp,
    /// Whether somebody should do something.
    pub alarm: bool,
    /// How many there were in all.
    pub count: u64,
    /// In words.
    pub text: String,
}

impl fmt::Display for Observed {
    /// As `status` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            at,
            alarm,
            count,
            text,
        } = self;
        let state = if *alarm { "ALARM  " } else { "" };
        write!(f, "{what}  {state}")?;
        match what.as_str() {
            "watch" if *count == 0 => write!(f, "{text}, 0 routes put back so far")?,
            "watch" => write!(f, "{count} routes put back so far; {text}")?,
            "audit" => write!(f, "{text}; {count} audits so far")?,
            _ => f.write_str(text)?,
        }
        write!(f, "  ({at})")
    }
}

impl Ledger {
    /// What was seen last, by name.
    pub fn observed(&self) -> Result<Vec<Observed>, LedgerError> {
        let read = || {
            let mut statement = self.db.prepare_cached(
                "SELECT what, at, alarm, count, text FROM observed ORDER BY what",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(Observed {
                    what: row.get(0)?,
                    at: Timestamp(row.get(1)?),
                    alarm: row.get(2)?,
                    count: row.get::<_, i64>(3)? as u64,
                    text: row.get(4)?,
                })
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// This was seen now; `count` is added to what was counted before.
    pub fn observe(&self, seen: &Observed) -> Result<(), LedgerError> {
        let done = self.execute(
            "INSERT INTO observed (what, at, alarm, count, text) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (what) DO UPDATE SET at = ?2, alarm = ?3, count = count + ?4, text = ?5",
            params![
                seen.what,
                seen.at.0,
                seen.alarm,
                seen.count as i64,
                seen.text
            ],
        );
        done.map(|_| ()).map_err(|error| self.error(error))
    }
}
