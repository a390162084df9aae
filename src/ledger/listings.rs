//! The listings: everything any feed ever listed, with first and last seen.

use ipnet::IpNet;
use rusqlite::{OptionalExtension, ToSql, params};

use super::near::covering;
use super::{Ledger, LedgerError};
use crate::feed::leaving::{Item, items};
use crate::feed::{Difference, FeedCopy};
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
    /// Bring the listings of one feed in step with a copy, whatever they were. Part of
    /// [`Ledger::atomically`].
    pub fn write_listings(
        &self,
        feed: &str,
        copy: &FeedCopy,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let write = || {
            let mut wanted: Vec<(String, &str)> = items(copy)
                .map(|(item, reference)| (item.to_string(), reference))
                .collect();
            // In the order of the table, so that it grows at its end; a second line is the same listing.
            wanted.sort_unstable();
            wanted.dedup();
            let mut wanted = wanted.into_iter().peekable();
            let mut gone = Vec::new();
            let mut select = self.db.prepare(
                "SELECT prefix, reference, last_seen IS NULL FROM listing WHERE feed = ?1
                 ORDER BY prefix, reference",
            )?;
            let mut come = Vec::new();
            let mut rows = select.query([feed])?;
            while let Some(row) = rows.next()? {
                let key = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
                let before = |one: &(String, &str)| (one.0.as_str(), one.1) < key;
                come.extend(std::iter::from_fn(|| wanted.next_if(before)));
                let same = wanted.next_if(|one| (one.0.as_str(), one.1) == key);
                match (same, row.get::<_, bool>(2)?) {
                    (Some(_), true) | (None, false) => {}
                    (Some(back), false) => come.push(back),
                    (None, true) => gone.push((key.0.to_owned(), key.1.to_owned())),
                }
            }
            drop(rows);
            let gone = gone.iter();
            self.list(feed, come.into_iter().chain(wanted), now)?;
            self.delist(
                feed,
                gone.map(|(prefix, reference)| (prefix, &**reference)),
                now,
            )
        };
        write().map_err(|error| self.error(error))
    }

    /// The same for listings that were in step with the copy before. Part of [`Ledger::atomically`].
    pub fn change_listings(
        &self,
        feed: &str,
        difference: &Difference,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let Difference { came, went, .. } = difference;
        let write = || {
            self.list(feed, came.iter().map(as_text), now)?;
            self.delist(feed, went.iter().map(as_text), now)
        };
        write().map_err(|error| self.error(error))
    }

    /// These are listed from now on. One that comes back keeps its first day.
    fn list<'a>(
        &self,
        feed: &str,
        come: impl Iterator<Item = (impl ToSql, &'a str)>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let mut insert = self.db.prepare_cached(
            "INSERT INTO listing (feed, prefix, reference, first_seen) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET last_seen = NULL",
        )?;
        for (prefix, reference) in come {
            insert.execute(params![feed, prefix, reference, now.0])?;
        }
        Ok(())
    }

    /// These were listed until now.
    fn delist<'a>(
        &self,
        feed: &str,
        gone: impl Iterator<Item = (impl ToSql, &'a str)>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let mut update = self.db.prepare_cached(
            "UPDATE listing SET last_seen = ?4
             WHERE feed = ?1 AND prefix = ?2 AND reference = ?3 AND last_seen IS NULL",
        )?;
        for (prefix, reference) in gone {
            update.execute(params![feed, prefix, reference, now.0])?;
        }
        Ok(())
    }

    /// Feeds that are no longer configured list nothing and have no copy. When they were last
    /// looked at is kept: a publisher's floor holds for a feed that is put back, too.
    pub fn keep_feeds(&self, configured: &[&str], now: Timestamp) -> Result<(), LedgerError> {
        let names = serde_json::to_string(configured).unwrap_or_default();
        let closed = self.db.execute(
            // One that was emptied already lists nothing: nobody goes through its past.
            "UPDATE listing SET last_seen = ?1
             WHERE last_seen IS NULL
               AND feed IN (SELECT name FROM feed
                            WHERE digest IS NOT NULL AND name NOT IN (SELECT value FROM json_each(?2)))",
            params![now.0, &names],
        );
        let emptied = closed.and_then(|_| {
            self.db.execute(
                "UPDATE feed SET etag = NULL, last_modified = NULL, confirmed_at = NULL, digest = NULL,
                                 applied = NULL, applied_table = NULL, generated = NULL, listed = NULL,
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

fn as_text<'a>((item, reference): &(Item, &'a str)) -> (String, &'a str) {
    (item.to_string(), *reference)
}
