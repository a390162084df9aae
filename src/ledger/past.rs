//! The set of an earlier generation, told backwards from the one in force.

use std::collections::HashSet;

use ipnet::IpNet;
use rusqlite::Row;

use super::{Ledger, LedgerError, parsed};
use crate::prefix::Item;
use crate::prefix::{Effective, PrefixSet};

impl Ledger {
    /// Generations before this one can no longer be told: what changed after them was forgotten.
    pub fn oldest_told(&self) -> Result<u64, LedgerError> {
        let sql = "SELECT generation FROM pruned";
        let oldest: Option<i64> = self.first(sql, [], |row| row.get(0))?;
        Ok(oldest.map_or(0, |generation| generation as u64))
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
        let mut undo = |row: &Row| {
            let came = row.get_ref(1)?.as_str()? == "+";
            match (parsed(row, 0)?, came) {
                (Item::Origin(asn), true) => origins.remove(&asn),
                (Item::Origin(asn), false) => origins.insert(asn),
                (Item::Prefix(net), true) => nets.remove(&net),
                (Item::Prefix(net), false) => nets.insert(net),
            };
            Ok(())
        };
        let sql =
            "SELECT prefix, op FROM every_change WHERE generation > ?1 ORDER BY generation DESC";
        self.rows::<(), ()>(sql, [number as i64], &mut undo)?;
        Ok(Some(Effective::new(PrefixSet::of_nets(nets), origins)))
    }
}
