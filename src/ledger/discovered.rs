//! Protected space that was found by looking around.

use rusqlite::params;

use super::{Ledger, LedgerError};
use crate::discover::{Found, Remembered, Source};
use crate::time::Timestamp;

impl Ledger {
    /// What was found, by source and prefix. A source that this version does not know is left out.
    pub fn discovered(&self) -> Result<Vec<Remembered>, LedgerError> {
        let read = || {
            let mut statement = self.db.prepare_cached(
                "SELECT source, prefix, why, first_seen, last_seen FROM discovered",
            )?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (name, net): (String, String) = (row.get(0)?, row.get(1)?);
                let Some((_, source)) = Source::NAMES.iter().find(|(known, _)| *known == name)
                else {
                    continue;
                };
                found.push(Remembered {
                    source: *source,
                    found: Found {
                        net: net.parse().map_err(|_| rusqlite::Error::InvalidQuery)?,
                        why: row.get(2)?,
                    },
                    first_seen: Timestamp(row.get(3)?),
                    last_seen: Timestamp(row.get(4)?),
                });
            }
            found.sort_by(|a, b| (a.source, &a.found).cmp(&(b.source, &b.found)));
            Ok(found)
        };
        read().map_err(|error| self.error(error))
    }

    /// Exactly this is found. Part of [`Ledger::atomically`].
    pub fn write_discovered(&self, found: &[Remembered]) -> Result<(), LedgerError> {
        let write = || {
            self.execute("DELETE FROM discovered", [])?;
            let mut insert = self.db.prepare_cached(
                "INSERT OR IGNORE INTO discovered (source, prefix, why, first_seen, last_seen)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for one in found {
                insert.execute(params![
                    one.source.name(),
                    one.found.net.to_string(),
                    one.found.why,
                    one.first_seen.0,
                    one.last_seen.0
                ])?;
            }
            Ok(())
        };
        write().map_err(|error| self.error(error))
    }
}
