//! What is no longer in force.

use std::time::Duration;

use ipnet::IpNet;
use rusqlite::params;

use super::{Ledger, LedgerError, parsed};
use crate::prefix::Item;

/// What was taken away of late; some of it may have come back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentlyWithdrawn {
    /// The prefixes.
    pub nets: Vec<IpNet>,
    /// The origin ASes.
    pub asns: Vec<u32>,
}

impl FromIterator<Item> for RecentlyWithdrawn {
    fn from_iter<Items: IntoIterator<Item = Item>>(items: Items) -> Self {
        let mut left = Self::default();
        for item in items {
            match item {
                Item::Prefix(net) => left.nets.push(net),
                Item::Origin(asn) => left.asns.push(asn),
            }
        }
        left
    }
}

impl Ledger {
    /// What generations took away that are no older than `lately` before the newest one. So the
    /// same is answered until there is another generation.
    pub fn recently_withdrawn(&self, lately: Duration) -> Result<RecentlyWithdrawn, LedgerError> {
        let sql = "SELECT prefix FROM change JOIN generation ON number = generation
                   WHERE op = '-' AND at >= (SELECT max(at) FROM generation) - ?1";
        self.rows(sql, [lately.as_secs() as i64], |row| parsed(row, 0))
    }

    /// What they took away from the file of one router that has or had a selection of its own.
    pub fn recently_withdrawn_of(
        &self,
        router: &str,
        lately: Duration,
    ) -> Result<RecentlyWithdrawn, LedgerError> {
        let sql = "SELECT prefix FROM router_change JOIN generation ON number = generation
                   WHERE router = ?2 AND op <> '+' AND at >= (SELECT max(at) FROM generation) - ?1";
        self.rows(sql, params![lately.as_secs() as i64, router], |row| {
            parsed(row, 0)
        })
    }
}
