//! Protected space that was found by looking around.

use rusqlite::{Row, params};

use super::{Ledger, LedgerError, parsed};
use crate::discover::{Found, Remembered};

impl Ledger {
    /// What was found, by source and prefix. A source that this version does not know is left out.
    pub fn discovered(&self) -> Result<Vec<Remembered>, LedgerError> {
        let sql = "SELECT source, prefix, why, first_seen, last_seen, host FROM discovered";
        let read = |row: &Row| {
            let Ok(source) = row.get_ref(0)?.as_str()?.parse() else {
                return Ok(None);
            };
            Ok(Some(Remembered {
                source,
                found: Found {
                    item: parsed(row, 1)?,
                    why: row.get(2)?,
                    host: row.get(5)?,
                },
                first_seen: row.get(3)?,
                last_seen: row.get(4)?,
            }))
        };
        let found: Vec<Option<_>> = self.rows(sql, [], read)?;
        let mut found: Vec<Remembered> = found.into_iter().flatten().collect();
        found.sort_by(|a, b| (a.source, &a.found).cmp(&(b.source, &b.found)));
        Ok(found)
    }

    /// Exactly this is found. Part of [`Ledger::atomically`].
    pub fn write_discovered(&self, found: &[Remembered]) -> Result<(), LedgerError> {
        self.tried(|| {
            self.execute("DELETE FROM discovered", [])?;
            let mut insert = self.db.prepare_cached(
                "INSERT OR IGNORE INTO discovered (source, prefix, why, first_seen, last_seen, host)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for one in found {
                insert.execute(params![
                    one.source.name(),
                    one.found.item.to_string(),
                    one.found.why,
                    one.first_seen,
                    one.last_seen,
                    one.found.host,
                ])?;
            }
            Ok(())
        })
    }
}
