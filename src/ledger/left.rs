//! What is no longer in force.

use std::time::Duration;

use ipnet::IpNet;
use rusqlite::params;

use super::{Ledger, LedgerError};

/// What was taken away of late; some of it may have come back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// The prefixes.
    pub nets: Vec<IpNet>,
    /// The origin ASes.
    pub asns: Vec<u32>,
}

impl Ledger {
    /// What generations took away that are no older than `lately` before the newest one. So the same is answered
    /// until there is another generation.
    pub fn left(&self, lately: Duration) -> Result<Left, LedgerError> {
        let read = || {
            let mut statement = self.db.prepare(
                "SELECT prefix FROM change JOIN generation ON number = generation
                 WHERE op = '-' AND at >= (SELECT max(at) FROM generation) - ?1",
            )?;
            let mut rows = statement.query(params![lately.as_secs() as i64])?;
            let mut left = Left::default();
            while let Some(row) = rows.next()? {
                let text = row.get_ref(0)?.as_str()?;
                let asn = text.strip_prefix("AS").and_then(|asn| asn.parse().ok());
                match (asn, text.parse()) {
                    (Some(asn), _) => left.asns.push(asn),
                    (None, Ok(net)) => left.nets.push(net),
                    (None, Err(_)) => return Err(rusqlite::Error::InvalidQuery),
                }
            }
            Ok(left)
        };
        read().map_err(|error| self.error(error))
    }
}
