//! The listings: everything any feed ever listed, with first and last seen.

use ipnet::IpNet;
use rusqlite::{OptionalExtension, ToSql, params};

use super::near::covering;
use super::{Ledger, LedgerError};
use crate::feed::withdrawal::{Item, items};
use crate::feed::{CopyDifference, FeedCopy};
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

/// The listings of one feed, brought in step with a copy piece by piece, whatever they were.
///
/// A long list takes seconds, and what must be protected does not wait so long: between two pieces
/// others get their turn. Until the last piece `feed.listed` is empty, so what a crash leaves is
/// known to be out of step, and is begun again from the copy.
#[derive(Debug)]
pub struct Pieces {
    feed: String,
    /// Listings of the copy, ascending, each once.
    wanted: Vec<(String, String)>,
    /// How many of them have had their turn.
    at: usize,
    /// The last listing that has had its turn.
    after: (String, String),
    /// The digest of the copy, and how it was read.
    digest: String,
    listed: String,
    now: Timestamp,
}

impl Pieces {
    /// Rows of the table and listings of the copy that one piece goes through: some milliseconds.
    pub const ROWS: usize = 5_000;

    /// For a copy with this digest that was read like this, and first listed `now`.
    pub fn of(
        feed: &str,
        copy: &FeedCopy,
        (digest, listed): (&str, String),
        now: Timestamp,
    ) -> Self {
        let items = items(copy);
        let mut wanted: Vec<_> = items
            .map(|(item, reference)| (item.to_string(), reference.to_owned()))
            .collect();
        // In the order of the table; a second line is the same listing.
        wanted.sort_unstable();
        wanted.dedup();
        Self {
            feed: feed.to_owned(),
            wanted,
            at: 0,
            after: (String::new(), String::new()),
            digest: digest.to_owned(),
            listed,
            now,
        }
    }

    /// Whose listings they are.
    pub fn feed(&self) -> &str {
        &self.feed
    }

    /// Write the next piece, in a transaction of its own. Answers whether it was the last one.
    pub fn step(&mut self, ledger: &Ledger) -> Result<bool, LedgerError> {
        let (at, after) = ledger.atomically(|ledger| {
            let write = || ledger.write_piece(self);
            write().map_err(|error| ledger.error(error))
        })?;
        self.at = at;
        match after {
            Some(after) => self.after = after,
            None => return Ok(true),
        }
        Ok(false)
    }
}

/// A listing as it stands in the table.
type Key = (String, String);

impl Ledger {
    /// Write one piece. Answers how many listings of the copy have had their turn, and the last
    /// key; none when all is in step.
    fn write_piece(&self, pieces: &Pieces) -> rusqlite::Result<(usize, Option<Key>)> {
        let Pieces {
            feed, after, now, ..
        } = pieces;
        let mut select = self.db.prepare_cached(
            "SELECT prefix, reference, last_seen IS NULL FROM listing
             WHERE feed = ?1 AND (prefix, reference) > (?2, ?3)
             ORDER BY prefix, reference LIMIT ?4",
        )?;
        let limit = Pieces::ROWS as i64;
        let rows = select.query_map(params![feed, after.0, after.1, limit], |row| {
            Ok(((row.get(0)?, row.get(1)?), row.get(2)?))
        })?;
        let rows: Vec<(Key, bool)> = rows.collect::<rusqlite::Result<_>>()?;
        let rest = &pieces.wanted[pieces.at..];
        // As far as both sides are known.
        let of_rows = (rows.len() == Pieces::ROWS).then(|| rows.last().map(|(key, _)| key));
        let of_copy = rest
            .get(Pieces::ROWS - 1)
            .filter(|_| rest.len() > Pieces::ROWS);
        let end = match (of_rows.flatten(), of_copy) {
            (Some(row), Some(copy)) => Some(row.min(copy)),
            (row, copy) => row.or(copy),
        };
        let within = |key: &Key| end.is_none_or(|end| key <= end);
        let wanted = &rest[..rest.partition_point(within)];
        let rows = &rows[..rows.partition_point(|(key, _)| within(key))];

        let known = |key: &Key| rows.binary_search_by(|(row, _)| row.cmp(key)).ok();
        let listed = |key: &&Key| known(key).is_some_and(|at| rows[at].1);
        let come = wanted.iter().filter(|key| !listed(key));
        let come = come.map(|(prefix, reference)| (prefix, &**reference));
        self.list(feed, come, *now)?;
        let gone = rows
            .iter()
            .filter(|(key, listed)| *listed && wanted.binary_search(key).is_err());
        let gone = gone.map(|((prefix, reference), _)| (prefix, &**reference));
        self.delist(feed, gone, *now)?;
        if end.is_none() {
            self.execute(
                "UPDATE feed SET listed = ?2 WHERE name = ?1 AND digest = ?3",
                params![feed, pieces.listed, pieces.digest],
            )?;
        }
        Ok((pieces.at + wanted.len(), end.cloned()))
    }

    /// Change the listings of a feed that were in step with the copy before; for a few changes.
    /// Part of [`Ledger::atomically`].
    pub fn change_listings(
        &self,
        feed: &str,
        difference: &CopyDifference,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let CopyDifference { came, went, .. } = difference;
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
        let known = || {
            let mut names = self.db.prepare_cached("SELECT name FROM feed")?;
            let names = names.query_map([], |row| row.get(0))?;
            names.collect::<rusqlite::Result<Vec<String>>>()
        };
        let known = known().map_err(|error| self.error(error))?;
        if known.iter().all(|name| configured.contains(&name.as_str())) {
            return Ok(());
        }
        let names = serde_json::to_string(configured).unwrap_or_default();
        let closed = self.execute(
            // One that was emptied already lists nothing: nobody goes through its past.
            "UPDATE listing SET last_seen = ?1
             WHERE last_seen IS NULL
               AND feed IN (SELECT name FROM feed
                            WHERE digest IS NOT NULL AND name NOT IN (SELECT value FROM json_each(?2)))",
            params![now.0, &names],
        );
        let emptied = closed.and_then(|_| {
            self.execute(
                "UPDATE feed SET etag = NULL, last_modified = NULL, confirmed_at = NULL, digest = NULL,
                                 applied = NULL, applied_table = NULL, generated = NULL, listed = NULL,
                                 taken_at = NULL, applied_taken = NULL,
                                 entries = 0, rejected = 0
                 WHERE name NOT IN (SELECT value FROM json_each(?1))",
                [&names],
            )
        });
        let emptied = emptied.and_then(|_| {
            self.execute(
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
        let row = self.row(
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
            let mut statement = self.db.prepare_cached(
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
