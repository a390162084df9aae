//! The listings: everything any feed ever listed, with first and last seen.

use std::collections::HashMap;

use ipnet::IpNet;
use rusqlite::{OptionalExtension, params};

use super::near::covering;
use super::{Ledger, LedgerError};
use crate::feed::FeedCopy;
use crate::feed::leaving::items;
use crate::time::Timestamp;

/// A listing with its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Name of the feed.
    pub feed: String,
    /// The prefix as listed.
    pub prefix: IpNet,
    /// The feed's reference, empty when it gave none.
    pub reference: String,
    /// When it was first listed.
    pub first_seen: Timestamp,
    /// When it was gone; `None` while it is listed.
    pub last_seen: Option<Timestamp>,
}

impl Ledger {
    /// Bring the listings of one feed in step with a new copy. Part of [`Ledger::atomically`].
    pub fn write_listings(
        &self,
        feed: &str,
        copy: &FeedCopy,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let write = || {
            let mut known = HashMap::new();
            let mut select = self.db.prepare(
                "SELECT prefix, reference, last_seen IS NULL FROM listing WHERE feed = ?1",
            )?;
            let mut rows = select.query([feed])?;
            while let Some(row) = rows.next()? {
                let key: (String, String) = (row.get(0)?, row.get(1)?);
                known.insert(key, row.get::<_, bool>(2)?);
            }
            let mut insert = self.db.prepare(
                "INSERT INTO listing (feed, prefix, reference, first_seen) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?;
            let mut back = self.db.prepare(
                "UPDATE listing SET last_seen = NULL WHERE feed = ?1 AND prefix = ?2 AND reference = ?3",
            )?;
            for (prefix, reference) in rows_of(copy) {
                match known.remove(&(prefix.clone(), reference.to_owned())) {
                    Some(true) => {}
                    Some(false) => {
                        back.execute(params![feed, prefix, reference])?;
                    }
                    // New, or a second line with the same entry.
                    None => {
                        insert.execute(params![feed, prefix, reference, now.0])?;
                    }
                }
            }
            let mut gone = self.db.prepare(
                "UPDATE listing SET last_seen = ?4 WHERE feed = ?1 AND prefix = ?2 AND reference = ?3",
            )?;
            for ((prefix, reference), listed) in &known {
                if *listed {
                    gone.execute(params![feed, prefix, reference, now.0])?;
                }
            }
            Ok(())
        };
        write().map_err(|error| self.error(error))
    }

    /// Feeds that are no longer configured list nothing and have no copy. When they were last
    /// looked at is kept: a publisher's floor holds for a feed that is put back, too.
    pub fn keep_feeds(&self, configured: &[&str], now: Timestamp) -> Result<(), LedgerError> {
        let names = serde_json::to_string(configured).unwrap_or_default();
        let closed = self.db.execute(
            "UPDATE listing SET last_seen = ?1
             WHERE last_seen IS NULL AND feed NOT IN (SELECT value FROM json_each(?2))",
            params![now.0, &names],
        );
        let emptied = closed.and_then(|_| {
            self.db.execute(
                "UPDATE feed SET etag = NULL, last_modified = NULL, confirmed_at = NULL, digest = NULL,
                                 applied = NULL, applied_table = NULL, generated = NULL,
                                 taken_at = NULL, applied_taken = NULL,
                                 entries = 0, rejected = 0
                 WHERE name NOT IN (SELECT value FROM json_each(?1))",
                [&names],
            )
        });
        let emptied = emptied.and_then(|_| {
            self.db.execute(
                "DELETE FROM leaving WHERE feed NOT IN (SELECT value FROM json_each(?1))",
                [&names],
            )
        });
        emptied.map(|_| ()).map_err(|error| self.error(error))
    }

    /// When a listing was first seen.
    pub fn first_seen(
        &self,
        feed: &str,
        prefix: IpNet,
        reference: &str,
    ) -> Result<Option<Timestamp>, LedgerError> {
        let row = self.db.query_row(
            "SELECT first_seen FROM listing WHERE feed = ?1 AND prefix = ?2 AND reference = ?3",
            params![feed, prefix.to_string(), reference],
            |row| row.get(0),
        );
        row.optional()
            .map(|at| at.map(Timestamp))
            .map_err(|error| self.error(error))
    }

    /// Every listing, present and past, of a prefix that covers `net` whole.
    pub fn listings_covering(&self, net: IpNet) -> Result<Vec<Seen>, LedgerError> {
        let read = || {
            let mut statement = self.db.prepare(
                "SELECT feed, prefix, reference, first_seen, last_seen FROM listing
                 WHERE feed IN (SELECT name FROM feed)
                   AND prefix IN (SELECT value FROM json_each(?1))
                 ORDER BY first_seen, feed, prefix, reference",
            )?;
            let rows = statement.query_map([covering(net)], |row| {
                let prefix: String = row.get(1)?;
                Ok(Seen {
                    feed: row.get(0)?,
                    prefix: prefix.parse().map_err(|_| rusqlite::Error::InvalidQuery)?,
                    reference: row.get(2)?,
                    first_seen: Timestamp(row.get(3)?),
                    last_seen: row.get::<_, Option<i64>>(4)?.map(Timestamp),
                })
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.error(error))
    }
}

/// Each listing as text, with its reference.
fn rows_of(copy: &FeedCopy) -> impl Iterator<Item = (String, &str)> {
    items(copy).map(|(item, reference)| (item.to_string(), reference))
}
