//! What of the kernel's routes is ours to explain: the marks in use, and whether the ledger is
//! settled.

use std::collections::HashSet;

use ipnet::IpNet;
use rusqlite::params;

use super::{Ledger, LedgerError, parsed};
use crate::run_dir::RunDir;
use crate::targets::kernel::Mark;
use crate::time::Timestamp;

impl Ledger {
    /// The marks that routes of ours may carry. The metric is no part of a mark.
    pub fn marks(&self) -> Result<Vec<Mark>, LedgerError> {
        self.rows("SELECT tab, protocol, kind FROM mark", [], |row| {
            Ok(Mark {
                table: row.get(0)?,
                protocol: row.get(1)?,
                kind: parsed(row, 2)?,
                metric: 0,
            })
        })
    }

    /// Routes with this mark may be installed from now on.
    pub fn add_mark(&self, mark: &Mark) -> Result<(), LedgerError> {
        self.run(
            "INSERT OR IGNORE INTO mark (tab, protocol, kind) VALUES (?1, ?2, ?3)",
            params![mark.table, mark.protocol, mark.kind.to_string()],
        )
    }

    /// No route with this mark is left.
    pub fn drop_mark(&self, mark: &Mark) -> Result<(), LedgerError> {
        self.run(
            "DELETE FROM mark WHERE tab = ?1 AND protocol = ?2 AND kind = ?3",
            params![mark.table, mark.protocol, mark.kind.to_string()],
        )
    }

    /// Keep the marks in the run directory as well, for a flush that cannot read this ledger. Where
    /// that directory cannot be written, the ledger alone has them.
    pub fn copy_marks(&self) -> Result<(), LedgerError> {
        let marks = self.marks()?;
        let _ = RunDir::here().remember_marks(&self.state_dir, &marks);
        Ok(())
    }

    /// Whether a change has gone through with every feed read: from then on the ledger explains
    /// all.
    pub fn is_adopted(&self) -> Result<bool, LedgerError> {
        let row = self.first("SELECT 1 FROM settled", [], |_| Ok(()))?;
        Ok(row.is_some())
    }

    /// The ledger explains everything from now on.
    pub fn adopt(&self, now: Timestamp) -> Result<(), LedgerError> {
        self.run(
            "INSERT OR IGNORE INTO settled (one, at) VALUES (1, ?1)",
            [now.0],
        )
    }

    /// Every prefix that any generation brought or took away.
    pub fn ever_in_force(&self) -> Result<HashSet<IpNet>, LedgerError> {
        let sql = "SELECT prefix FROM every_change WHERE prefix NOT LIKE 'AS%'";
        self.rows(sql, [], |row| parsed(row, 0))
    }
}
