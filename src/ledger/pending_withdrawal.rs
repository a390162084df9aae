//! What is leaving a feed: withdrawals that wait.

use rusqlite::params;

use super::{Ledger, LedgerError, parsed};
use crate::feed::withdrawal::PendingWithdrawal;

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
    pub fn pending_withdrawals(
        &self,
        feed: &str,
        of: CopyKind,
    ) -> Result<Vec<PendingWithdrawal>, LedgerError> {
        let sql =
            "SELECT item, reference, since, missed FROM leaving WHERE feed = ?1 AND applied = ?2";
        let mut leaving: Vec<_> = self.rows(sql, params![feed, of as i64], |row| {
            Ok(PendingWithdrawal {
                item: parsed(row, 0)?,
                reference: row.get(1)?,
                since: row.get(2)?,
                missed: row.get(3)?,
            })
        })?;
        leaving.sort_unstable_by(|a, b| (a.item, &a.reference).cmp(&(b.item, &b.reference)));
        Ok(leaving)
    }

    /// This is leaving a feed now, and nothing else. Part of [`Ledger::atomically`].
    pub fn write_pending_withdrawals(
        &self,
        feed: &str,
        leaving: &[PendingWithdrawal],
    ) -> Result<(), LedgerError> {
        self.tried(|| {
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
        })
    }
}
