//! What is no longer in force.

use std::time::Duration;

use ipnet::IpNet;
use rusqlite::{Params, params};

use super::{Ledger, LedgerError};

/// What was taken away of late; some of it may have come back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// The prefixes.
    pub nets: Vec<IpNet>,
    /// The origin ASes.
    pub asns: Vec<u32>,
}

impl Left {
    /// An item as it is written in the ledger.
    pub(super) fn push(&mut self, text: &str) -> rusqlite::Result<()> {
        let asn = text.strip_prefix("AS").and_then(|asn| asn.parse().ok());
        match (asn, text.parse()) {
            (Some(asn), _) => self.asns.push(asn),
            (None, Ok(net)) => self.nets.push(net),
            (None, Err(_)) => return Err(rusqlite::Error::InvalidQuery),
        }
        Ok(())
    }
}

impl Ledger {
    /// What generations took away that are no older than `lately` before the newest one. So the
    /// same is answered until there is another generation.
    pub fn left(&self, lately: Duration) -> Result<Left, LedgerError> {
        let sql = "SELECT prefix FROM change JOIN generation ON number = generation
                   WHERE op = '-' AND at >= (SELECT max(at) FROM generation) - ?1";
        self.left_by(sql, params![lately.as_secs() as i64])
    }

    /// What they took away from the file of one router that has or had a selection of its own.
    pub fn left_of(&self, router: &str, lately: Duration) -> Result<Left, LedgerError> {
        let sql = "SELECT prefix FROM router_change JOIN generation ON number = generation
                   WHERE router = ?2 AND op <> '+' AND at >= (SELECT max(at) FROM generation) - ?1";
        self.left_by(sql, params![lately.as_secs() as i64, router])
    }

    fn left_by(&self, sql: &str, values: impl Params) -> Result<Left, LedgerError> {
        let read = || {
            let mut statement = self.db.prepare_cached(sql)?;
            let mut rows = statement.query(values)?;
            let mut left = Left::default();
            while let Some(row) = rows.next()? {
                left.push(row.get_ref(0)?.as_str()?)?;
            }
            Ok(left)
        };
        read().map_err(|error| self.error(error))
    }
}
