//! What is leaving a feed: withdrawals that wait.

use rusqlite::params;

use super::{Ledger, LedgerError};
use crate::feed::withdrawal::PendingWithdrawal;
use crate::time::Timestamp;

/// Of which copy: the newest, or the one behind the generation in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CopyKind {
    /// The newest good copy.
    Current = 0,
    /// The copy behind the generation in force.
    Applied = 1,
}

impl Ledger {
    /// What is leaving a feed, ascending.
    pub fn leaving(&self, feed: &str, of: CopyKind) -> Result<Vec<PendingWithdrawal>, LedgerError> {
        let read = || {
            let mut statement = self.db.prepare_cached(
                "SELECT item, reference, since, missed FROM leaving WHERE feed = ?1 AND applied = ?2",
            )?;
            let rows = statement.query_map(params![feed, of as i64], |row| {
                let item: String = row.get(0)?;
                Ok(PendingWithdrawal {
                    item: item.parse().map_err(|()| rusqlite::Error::InvalidQuery)?,
                    reference: row.get(1)?,
                    since: Timestamp(row.get(2)?),
                    missed: row.get(3)?,
                })
            })?;
            let mut leaving: Vec<PendingWithdrawal> = rows.collect::<rusqlite::Result<_>>()?;
            leaving.sort_unstable_by(|a, b| (a.item, &a.reference).cmp(&(b.item, &b.reference)));
            Ok(leaving)
        };
        read().map_err(|error| self.error(error))
    }

    /// This is leaving a feed now, and nothing else. Part of [`Ledger::atomically`].
    pub fn write_leaving(
        &self,
        feed: &str,
        leaving: &[PendingWithdrawal],
    ) -> Result<(), LedgerError> {
        let write = || {
            self.execute(
                "DELETE FROM leaving WHERE feed = ?1 AND NOT applied",
                [feed],
            )?;
            let mut insert = self.db.prepare_cached(
                "INSERT INTO leaving (feed, applied, item, reference, since, missed)
                 VALUES (?1, 0, ?2, ?3, ?4, ?5)",
            )?;
            for one in leaving {
                let item = one.item.to_string();
                insert.execute(params![feed, item, one.reference, one.since.0, one.missed])?;
            }
            Ok(())
        };
        write().map_err(|error| self.error(error))
    }
}
