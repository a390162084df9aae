//! The listings: everything any feed ever listed, with first and last seen.

use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use rusqlite::{Row, params};

use super::order::by_text;
use super::overlap::covering;
use super::{Ledger, LedgerError, parsed};
use crate::feed::{CopyDifference, Entry, FeedCopy};
use crate::prefix::Item;
use crate::prefix::Short;
use crate::time::Timestamp;

/// A listing with its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T = IpNet> {
    /// Name of the feed.
    pub feed: String,
    /// The prefix as listed, or the AS.
    pub prefix: T,
    /// The feed's reference, empty when it gave none.
    pub reference: String,
    /// When it was first listed.
    pub first_seen: Timestamp,
    /// When it was gone; `None` while it is listed.
    pub last_seen: Option<Timestamp>,
}

impl Seen {
    /// The same as one of an item.
    pub(super) fn of_item(self) -> Seen<Item> {
        Seen {
            feed: self.feed,
            prefix: Item::Prefix(self.prefix),
            reference: self.reference,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
        }
    }
}

impl<T: FromStr> Seen<T> {
    /// Of feed, prefix, reference, first and last seen.
    pub(super) fn read(row: &Row) -> rusqlite::Result<Self> {
        Ok(Self {
            feed: row.get(0)?,
            prefix: parsed(row, 1)?,
            reference: row.get(2)?,
            first_seen: row.get(3)?,
            last_seen: row.get(4)?,
        })
    }
}

/// The listings of one feed, brought in step with a copy piece by piece, whatever they were.
///
/// A long list takes seconds, and what must be protected does not wait so long: between two pieces
/// others get their turn. Until the last piece `feed.listed` is empty, so what a crash leaves is
/// known to be out of step, and is begun again from the copy.
#[derive(Debug)]
pub struct Pieces {
    feed: String,
    /// What the copy lists, in the order of the table.
    wanted: Listings,
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
        copy: Arc<FeedCopy>,
        (digest, listed): (&str, String),
        now: Timestamp,
    ) -> Self {
        Self {
            feed: feed.to_owned(),
            wanted: Listings::of(copy),
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
        // What a loss of power takes back is out of step as before.
        let (at, after) = ledger.lightly(|ledger| ledger.tried(|| ledger.write_piece(self)))?;
        self.at = at;
        match after {
            Some(after) => self.after = after,
            None => return Ok(true),
        }
        Ok(false)
    }
}

/// The listings of a copy in the order of the table, each once.
#[derive(Debug)]
struct Listings {
    copy: Arc<FeedCopy>,
    /// Where they are in the copy: IPv4, then IPv6, then origin ASes.
    order: Vec<u32>,
}

/// A listing as it stands in the table: a prefix, or AS and a number, and the reference.
type Key<'a> = (&'a str, &'a str);

impl Listings {
    fn of(copy: Arc<FeedCopy>) -> Self {
        let (v4, v6) = (copy.v4.len() as u32, copy.v6.len() as u32);
        let mut order = by_text(&copy.v4, Entry::prefix);
        order.extend(by_text(&copy.v6, Entry::prefix).iter().map(|at| v4 + at));
        order.extend((0..copy.origins.len() as u32).map(|at| v4 + v6 + at));
        let listings = Self {
            copy,
            order: Vec::new(),
        };
        // A stable sort detects parts in order, and only merges them.
        order.sort_by(|one, other| listings.at(*one).cmp(&listings.at(*other)));
        // A second line is the same listing.
        order.dedup_by(|one, other| listings.at(*one) == listings.at(*other));
        Self { order, ..listings }
    }

    /// At most this number of them, from `from` on.
    fn some(&self, from: usize, most: usize) -> Vec<(Short, &str)> {
        let rest = self.order[from..].iter().take(most);
        rest.map(|at| self.at(*at)).collect()
    }

    fn at(&self, at: u32) -> (Short, &str) {
        let Self { copy, .. } = self;
        let (v4, v6) = (copy.v4.len(), copy.v6.len());
        let at = at as usize;
        if let Some(entry) = copy.v4.get(at) {
            (entry.prefix().text(b'/'), copy.reference(entry))
        } else if let Some(entry) = copy.v6.get(at - v4) {
            (entry.prefix().text(b'/'), copy.reference(entry))
        } else {
            let origin = &copy.origins[at - v4 - v6];
            (Short::autonomous(origin.asn), copy.origin_reference(origin))
        }
    }
}

impl Ledger {
    /// Write one piece. Answers how many listings of the copy have had their turn, and the last
    /// key; none when all is in step.
    fn write_piece(&self, pieces: &Pieces) -> rusqlite::Result<(usize, Option<(String, String)>)> {
        let Pieces {
            feed, after, now, ..
        } = pieces;
        let rows: Vec<(String, String, bool)> = self.all(
            "SELECT prefix, reference, last_seen IS NULL FROM listing
             WHERE feed = ?1 AND (prefix, reference) > (?2, ?3)
             ORDER BY prefix, reference LIMIT ?4",
            params![feed, after.0, after.1, Pieces::ROWS as i64],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let rows: Vec<(Key<'_>, bool)> = rows
            .iter()
            .map(|(prefix, reference, listed)| ((&**prefix, &**reference), *listed))
            .collect();
        let wanted = pieces.wanted.some(pieces.at, Pieces::ROWS + 1);
        let wanted: Vec<Key<'_>> = wanted
            .iter()
            .map(|(prefix, reference)| (prefix.as_str(), *reference))
            .collect();
        // As far as both sides are known.
        let of_rows = rows.get(Pieces::ROWS - 1).map(|(key, _)| *key);
        let of_copy = (wanted.len() > Pieces::ROWS).then(|| wanted[Pieces::ROWS - 1]);
        let end = of_rows.into_iter().chain(of_copy).min();
        let within = |key: &Key<'_>| end.is_none_or(|end| *key <= end);
        let wanted = &wanted[..wanted.partition_point(within)];
        let rows = &rows[..rows.partition_point(|(key, _)| within(key))];

        let known = |key: &Key<'_>| rows.binary_search_by(|(row, _)| row.cmp(key)).ok();
        let listed = |key: &&Key<'_>| known(key).is_some_and(|at| rows[at].1);
        self.list(
            feed,
            wanted.iter().filter(|key| !listed(key)).copied(),
            *now,
        )?;
        let gone = rows
            .iter()
            .filter(|(key, listed)| *listed && wanted.binary_search(key).is_err());
        self.delist(feed, gone.map(|(key, _)| *key), *now)?;
        if end.is_none() {
            self.execute(
                "UPDATE feed SET listed = ?2 WHERE name = ?1 AND digest = ?3",
                params![feed, pieces.listed, pieces.digest],
            )?;
        }
        let end = end.map(|(prefix, reference)| (prefix.to_owned(), reference.to_owned()));
        Ok((pieces.at + wanted.len(), end))
    }

    /// Change the listings of a feed that were in step with the copy before; for a few changes.
    /// Part of [`Ledger::atomically`].
    pub fn change_listings(
        &self,
        feed: &str,
        difference: &CopyDifference,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let (came, went) = (texts(&difference.came), texts(&difference.went));
        self.tried(|| {
            self.list(feed, keys(&came), now)?;
            self.delist(feed, keys(&went), now)
        })
    }

    /// These are listed from now on. One that comes back keeps its first day.
    fn list<'a>(
        &self,
        feed: &str,
        come: impl Iterator<Item = Key<'a>>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let insert = (
            "INSERT INTO listing (feed, first_seen, prefix, reference)",
            "ON CONFLICT DO UPDATE SET last_seen = NULL",
        );
        let rows = come.map(|(prefix, reference)| [prefix, reference]);
        self.insert_many(insert, &[&feed, &now], rows)
    }

    /// These were listed until now.
    fn delist<'a>(
        &self,
        feed: &str,
        gone: impl Iterator<Item = Key<'a>>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let mut update = self.db.prepare_cached(
            "UPDATE listing SET last_seen = ?4
             WHERE feed = ?1 AND prefix = ?2 AND reference = ?3 AND last_seen IS NULL",
        )?;
        for (prefix, reference) in gone {
            update.execute(params![feed, prefix, reference, now])?;
        }
        Ok(())
    }

    /// Feeds that are no longer configured list nothing and have no copy. When they were last
    /// looked at is kept: a publisher's floor holds for a feed that is put back, too.
    pub fn keep_feeds(&self, configured: &[&str], now: Timestamp) -> Result<(), LedgerError> {
        let known: Vec<String> = self.rows("SELECT name FROM feed", [], |row| row.get(0))?;
        if known.iter().all(|name| configured.contains(&name.as_str())) {
            return Ok(());
        }
        let names = serde_json::to_string(configured).unwrap_or_default();
        self.run(
            // One that was emptied already lists nothing: its past is not gone through.
            "UPDATE listing SET last_seen = ?1
             WHERE last_seen IS NULL
               AND feed IN (SELECT name FROM feed
                            WHERE digest IS NOT NULL AND name NOT IN (SELECT value FROM json_each(?2)))",
            params![now, &names],
        )?;
        self.run(
            "UPDATE feed SET etag = NULL, last_modified = NULL, confirmed_at = NULL, digest = NULL,
                             applied = NULL, applied_table = NULL, generated = NULL, listed = NULL,
                             taken_at = NULL, applied_taken = NULL,
                             entries = 0, rejected = 0
             WHERE name NOT IN (SELECT value FROM json_each(?1))",
            [&names],
        )?;
        self.run(
            "DELETE FROM leaving WHERE feed NOT IN (SELECT value FROM json_each(?1))",
            [&names],
        )
    }

    /// When a listing was first seen.
    pub fn first_seen(
        &self,
        feed: &str,
        prefix: IpNet,
        reference: &str,
    ) -> Result<Option<Timestamp>, LedgerError> {
        self.first(
            "SELECT first_seen FROM listing WHERE feed = ?1 AND prefix = ?2 AND reference = ?3",
            params![feed, prefix.to_string(), reference],
            |row| row.get(0),
        )
    }

    /// Every listing, present and past, of a prefix that covers `net` whole.
    pub fn listings_covering(&self, net: IpNet) -> Result<Vec<Seen>, LedgerError> {
        let sql = "SELECT feed, prefix, reference, first_seen, last_seen FROM listing
                   WHERE feed IN (SELECT name FROM feed)
                     AND prefix IN (SELECT value FROM json_each(?1))
                   ORDER BY first_seen, feed, prefix, reference";
        self.rows(sql, [covering(net)], Seen::read)
    }
}

fn texts<'a>(listings: &[(Item, &'a str)]) -> Vec<(String, &'a str)> {
    let both = listings.iter();
    both.map(|(item, reference)| (item.to_string(), *reference))
        .collect()
}

fn keys<'a>(listings: &'a [(String, &'a str)]) -> impl Iterator<Item = Key<'a>> {
    let both = listings.iter();
    both.map(|(item, reference)| (&**item, *reference))
}
