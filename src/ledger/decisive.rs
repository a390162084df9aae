//! What of the configuration decided the set in force.

use rusqlite::params;

use super::{Ledger, LedgerError};
use crate::config::Decisive;

impl Ledger {
    /// What it was for the set in force; nothing where that is not known.
    pub fn decisive(&self) -> Result<Decisive, LedgerError> {
        let sql = "SELECT part, value FROM decisive";
        self.rows(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// It is this from now on. Part of [`Ledger::atomically`].
    pub fn set_decisive(&self, decisive: &Decisive) -> Result<(), LedgerError> {
        if self.decisive()? == *decisive {
            return Ok(());
        }
        self.tried(|| {
            self.execute("DELETE FROM decisive", [])?;
            let mut insert = self
                .db
                .prepare_cached("INSERT INTO decisive (part, value) VALUES (?1, ?2)")?;
            for (part, value) in decisive {
                insert.execute(params![part, value])?;
            }
            Ok(())
        })
    }
}
