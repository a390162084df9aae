//! The set of an earlier generation, told backwards from the one in force.

use std::collections::HashSet;

use ipnet::IpNet;
use rusqlite::{OptionalExtension, params};

use super::{Ledger, LedgerError};
use crate::prefix::{Effective, PrefixSet};

impl Ledger {
    /// Generations before this one can no longer be told: what changed after them was forgotten.
    pub fn oldest_told(&self) -> Result<u64, LedgerError> {
        let row = self.row("SELECT generation FROM pruned", [], |row| {
            row.get::<_, i64>(0)
        });
        let row = row.optional().map_err(|error| self.error(error))?;
        Ok(row.map_or(0, |generation| generation as u64))
    }

    /// What was in force with this generation; `None` for one that never was, or that is too old. 0
    /// is the time before the first.
    pub fn at_generation(&self, number: u64) -> Result<Option<Effective>, LedgerError> {
        let newest = self.generation()?.map_or(0, |row| row.number);
        if number > newest || number < self.oldest_told()? {
            return Ok(None);
        }
        let in_force = self.in_force()?;
        let mut nets: HashSet<IpNet> = in_force.nets.nets().collect();
        let mut origins: HashSet<u32> = in_force.origins.into_iter().collect();
        let mut undo = |item: &str, came: bool| -> Option<()> {
            if let Some(asn) = item.strip_prefix("AS") {
                let asn = asn.parse().ok()?;
                match came {
                    true => origins.remove(&asn),
                    false => origins.insert(asn),
                };
            } else {
                let net = item.parse().ok()?;
                match came {
                    true => nets.remove(&net),
                    false => nets.insert(net),
                };
            }
            Some(())
        };
        let mut read = || {
            let mut statement = self.db.prepare_cached(
                "SELECT prefix, op FROM change WHERE generation > ?1 ORDER BY generation DESC",
            )?;
            let mut rows = statement.query(params![number as i64])?;
            while let Some(row) = rows.next()? {
                let came = row.get_ref(1)?.as_str()? == "+";
                undo(row.get_ref(0)?.as_str()?, came).ok_or(rusqlite::Error::InvalidQuery)?;
            }
            Ok(())
        };
        let told: rusqlite::Result<()> = read();
        told.map_err(|error| self.error(error))?;
        Ok(Some(Effective::new(PrefixSet::of_nets(nets), origins)))
    }
}
