//! What was last seen of the kernel and of those who listen to it.

use std::fmt;

use rusqlite::params;
use serde::Serialize;
use serde::ser::SerializeStruct;

use super::{Ledger, LedgerError, Monitoring, Observation};
use crate::named::named;
use crate::time::Timestamp;

named! {
    /// What an observation is about. The words are a stable interface.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Topic {
        /// Routes that other programs changed.
        Watch = "watch",
        /// The last comparison of everything.
        Audit = "audit",
        /// The other listeners to changes of routes.
        Bus = "bus",
        /// What FRR's zebra holds.
        Zebra = "zebra",
        /// Routes that cover more specific ones.
        Covers = "covers",
    }
}

/// One row of `observed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// When it was seen.
    pub at: Timestamp,
    /// Whether somebody should do something.
    pub alarm: bool,
    /// How many there were in all.
    pub count: u64,
    pub seen: Observation,
}

impl Observed {
    /// The state of the monitoring of our routes.
    pub fn watch(state: Monitoring, alarm: bool, at: Timestamp) -> Self {
        Self {
            at,
            alarm,
            count: 0,
            seen: Observation::Watch(state),
        }
    }

    pub fn topic(&self) -> Topic {
        self.seen.topic()
    }
}

impl Serialize for Observed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("Observed", 5)?;
        row.serialize_field("what", &self.topic())?;
        row.serialize_field("at", &self.at)?;
        row.serialize_field("alarm", &self.alarm)?;
        row.serialize_field("count", &self.count)?;
        row.serialize_field("text", &self.seen.to_string())?;
        row.end()
    }
}

impl fmt::Display for Observed {
    /// As `status` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            alarm,
            count,
            seen,
        } = self;
        let what = self.topic();
        let state = if *alarm { "ALARM  " } else { "" };
        write!(f, "{}  {state}", what.name())?;
        match what {
            Topic::Watch if *count == 0 => write!(f, "{seen}, 0 routes put back so far")?,
            Topic::Watch => write!(f, "{count} routes put back so far; {seen}")?,
            Topic::Audit => write!(f, "{seen}; {count} audits so far")?,
            _ => write!(f, "{seen}")?,
        }
        write!(f, "  ({at})")
    }
}

impl Ledger {
    /// What was seen last, by name.
    pub fn observed(&self) -> Result<Vec<Observed>, LedgerError> {
        let sql = "SELECT what, at, alarm, count, text FROM observed ORDER BY what";
        let seen: Vec<Option<_>> = self.rows(sql, [], |row| {
            // It may be of another version of this program.
            let Ok(what) = row.get_ref(0)?.as_str()?.parse() else {
                return Ok(None);
            };
            let text: String = row.get(4)?;
            let read = serde_json::from_str(&text).ok();
            let read = read.filter(|seen: &Observation| seen.topic() == what);
            Ok(Some(Observed {
                at: row.get(1)?,
                alarm: row.get(2)?,
                count: row.get::<_, i64>(3)? as u64,
                seen: read.unwrap_or(Observation::Former(what, text)),
            }))
        })?;
        Ok(seen.into_iter().flatten().collect())
    }

    /// This was seen now; `count` is added to what was counted before.
    pub fn observe(&self, seen: &Observed) -> Result<(), LedgerError> {
        self.run(
            "INSERT INTO observed (what, at, alarm, count, text) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (what) DO UPDATE SET at = ?2, alarm = ?3, count = count + ?4, text = ?5",
            params![
                seen.topic().name(),
                seen.at.0,
                seen.alarm,
                seen.count as i64,
                serde_json::to_string(&seen.seen).unwrap_or_default(),
            ],
        )
    }
}
