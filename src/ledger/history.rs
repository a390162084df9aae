//! What happened, as it is told afterwards: the log book, and everything that ever touched a
//! prefix.

use std::net::IpAddr;

use ipnet::IpNet;
use rusqlite::{Row, params};

use super::overlap::OverlapQuery;
use super::{Event, EventKind, GenerationRow, Ledger, LedgerError, RouteRow, Seen, count, parsed};
use crate::prefix::{Item, overlap};
use crate::time::Timestamp;

/// The newest of the log book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// Generations, the newest first.
    pub generations: Vec<GenerationRow>,
    /// Events, the newest first.
    pub events: Vec<Event>,
    /// How many there are of both, these and older ones.
    pub entries: usize,
}

/// What a generation did to one prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// When.
    pub at: Timestamp,
    /// Which generation.
    pub generation: u64,
    /// The prefix or the AS.
    pub item: Item,
    /// Whether it came; else it went.
    pub came: bool,
    /// Every cause in words.
    pub cause: String,
}

impl ChangeRow {
    fn read(row: &Row) -> rusqlite::Result<Self> {
        Ok(Self {
            at: row.get(0)?,
            generation: row.get::<_, i64>(1)? as u64,
            item: parsed(row, 2)?,
            came: row.get_ref(3)?.as_str()? == "+",
            cause: row.get(4)?,
        })
    }
}

/// What a generation did to one prefix in the file of a router that has a part of what is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterChangeRow {
    /// When.
    pub at: Timestamp,
    /// Which generation.
    pub generation: u64,
    /// The name of the router.
    pub router: String,
    /// The prefix or the AS.
    pub item: Item,
    /// Whether it came; else it went.
    pub came: bool,
}

impl RouterChangeRow {
    fn read(row: &Row) -> rusqlite::Result<Self> {
        Ok(Self {
            at: row.get(0)?,
            generation: row.get::<_, i64>(1)? as u64,
            router: row.get(2)?,
            item: parsed(row, 3)?,
            came: row.get_ref(4)?.as_str()? == "+",
        })
    }
}

impl Event {
    const COLUMNS: &str = "at, what, subject, by, text, uid, generation";

    fn read(row: &Row) -> rusqlite::Result<Self> {
        Ok(Self {
            at: row.get(0)?,
            kind: (row.get_ref(1)?.as_str()?.parse()).unwrap_or(EventKind::Unknown),
            subject: row.get(2)?,
            by: row.get(3)?,
            text: row.get(4)?,
            uid: row.get(5)?,
            generation: row.get::<_, Option<i64>>(6)?.map(|number| number as u64),
        })
    }
}

impl Ledger {
    /// Read several things of one moment, whatever is written meanwhile.
    pub fn at_one_moment<T, E: From<LedgerError>>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let run = |sql| self.tried(|| self.db.execute_batch(sql)).map_err(E::from);
        run("BEGIN")?;
        let done = read(self);
        // Nothing was written: there is nothing to keep or to undo.
        run("ROLLBACK").and(done)
    }

    /// So many generations and so many events, the newest of each.
    pub fn book(&self, most: usize) -> Result<Book, LedgerError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let (generation, event) = (GenerationRow::COLUMNS, Event::COLUMNS);
        let generations =
            format!("SELECT {generation} FROM generation ORDER BY at DESC, number DESC LIMIT ?1");
        let events = format!("SELECT {event} FROM event ORDER BY at DESC, seq DESC LIMIT ?1");
        let entries = "SELECT (SELECT count(*) FROM generation) + (SELECT count(*) FROM event)";
        Ok(Book {
            generations: self.rows(&generations, [most], GenerationRow::read)?,
            events: self.rows(&events, [most], Event::read)?,
            entries: self.tried(|| self.row(entries, [], |row| count(row, 0)))?,
        })
    }

    /// What generations did to prefixes that overlap `net`, in their order.
    ///
    /// For a single address this takes one look into each generation for each prefix that covers
    /// it. For a wider one also the rows of its range of texts are read (see `overlap.rs`): of IPv4
    /// those of the same octets, so at worst, for less than a /8, every row.
    pub fn changes_near(&self, item: Item) -> Result<Vec<ChangeRow>, LedgerError> {
        let Item::Prefix(net) = item else {
            let sql = "SELECT at, generation, prefix, op, change.cause
                       FROM generation CROSS JOIN change
                       WHERE generation = number AND prefix = ?1 ORDER BY generation, op DESC";
            return self.rows(sql, [item.to_string()], ChangeRow::read);
        };
        let near = OverlapQuery::to(net);
        let columns = "at, generation, prefix, op, change.cause";
        // CROSS JOIN: the generations first, for changes stand by generation and then by prefix.
        let covering = format!(
            "SELECT {columns} FROM generation CROSS JOIN json_each(?1) AS key CROSS JOIN change
             WHERE generation = number AND prefix = key.value
             UNION ALL {IN_FORCE} AND prefix IN (SELECT value FROM json_each(?1))"
        );
        let inner = format!(
            "SELECT {columns} FROM generation CROSS JOIN change
             WHERE generation = number AND prefix >= ?1 AND prefix < ?2 AND prefix NOT LIKE 'AS%'
             UNION ALL {IN_FORCE} AND prefix >= ?1 AND prefix < ?2"
        );
        let mut found: Vec<_> = self.rows(&covering, [&near.covering], ChangeRow::read)?;
        let inner: Vec<_> = self.rows(&inner, [&near.from, &near.to], ChangeRow::read)?;
        found.extend(inner.into_iter().filter(|row| row.item.is_inside(&net)));
        found.sort_unstable_by_key(|row| (row.generation, row.came, row.item));
        Ok(found)
    }

    /// What came to single routers and left them of prefixes that overlap `net`, in the order of
    /// the generations.
    pub fn router_changes_near(&self, item: Item) -> Result<Vec<RouterChangeRow>, LedgerError> {
        let Item::Prefix(net) = item else {
            let sql = "SELECT at, generation, router, prefix, op
                       FROM router_change JOIN generation ON number = generation
                       WHERE op <> '.' AND prefix = ?1 ORDER BY generation, router, op";
            return self.rows(sql, [item.to_string()], RouterChangeRow::read);
        };
        let near = OverlapQuery::to(net);
        let sql = "SELECT at, generation, router, prefix, op
                   FROM router_change JOIN generation ON number = generation
                   WHERE op <> '.' AND prefix NOT LIKE 'AS%'
                     AND (prefix IN (SELECT value FROM json_each(?1)) OR prefix >= ?2 AND prefix < ?3)
                   ORDER BY generation, router, op, prefix";
        let values = [&near.covering, &near.from, &near.to];
        let mut found: Vec<_> = self.rows(sql, values, RouterChangeRow::read)?;
        found.retain(|row| row.item.touches(net));
        Ok(found)
    }

    /// Every listing, present and past, of a prefix that overlaps `net`; of the covering ones and
    /// then of the inner ones the oldest first. The cost is that of [`Ledger::changes_near`], once
    /// for each feed.
    pub fn listings_near(&self, item: Item) -> Result<Vec<Seen<Item>>, LedgerError> {
        let Item::Prefix(net) = item else {
            let sql = "SELECT feed, prefix, reference, first_seen, last_seen FROM listing
                       WHERE feed IN (SELECT name FROM feed) AND prefix = ?1
                       ORDER BY first_seen, feed, reference";
            return self.rows(sql, [item.to_string()], Seen::read);
        };
        let covering = self.listings_covering(net)?.into_iter();
        let mut found: Vec<_> = covering.map(Seen::of_item).collect();
        let near = OverlapQuery::to(net);
        let sql = "SELECT feed, prefix, reference, first_seen, last_seen FROM listing
                   WHERE feed IN (SELECT name FROM feed) AND prefix >= ?1 AND prefix < ?2
                     AND prefix NOT LIKE 'AS%'
                   ORDER BY first_seen, feed, prefix, reference";
        let inner: Vec<Seen<Item>> = self.rows(sql, [&near.from, &near.to], Seen::read)?;
        found.extend(inner.into_iter().filter(|seen| seen.prefix.is_inside(&net)));
        Ok(found)
    }

    /// Events about prefixes that overlap `net`, in the order in which they were noted. All events
    /// are gone through.
    pub fn events_near(&self, item: Item) -> Result<Vec<Event>, LedgerError> {
        let columns = Event::COLUMNS;
        let Item::Prefix(net) = item else {
            let sql = format!("SELECT {columns} FROM event WHERE subject = ?1 ORDER BY at, seq");
            return self.rows(&sql, [item.to_string()], Event::read);
        };
        let sql =
            format!("SELECT {columns} FROM event WHERE subject GLOB '*[.:]*' ORDER BY at, seq");
        let mut found = Vec::new();
        self.rows::<(), ()>(&sql, [], |row| {
            let subject = row.get_ref(2)?.as_str()?;
            if about(subject).is_some_and(|subject| overlap(&subject, &net)) {
                found.push(Event::read(row)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Why an item (a prefix, or AS and a number) came or went last in the generations after
    /// `after` up to `to`; empty where nothing did.
    pub fn newest_cause(&self, item: &str, after: u64, to: u64) -> Result<String, LedgerError> {
        // Of one generation: what it took away stands before what it brought.
        let sql = "SELECT number, op, change.cause FROM generation CROSS JOIN change
                   WHERE number > ?2 AND number <= ?3 AND generation = number AND prefix = ?1
                   UNION ALL
                   SELECT generation, '+', cause FROM route
                   WHERE generation > ?2 AND generation <= ?3 AND prefix = ?1 AND cause IS NOT NULL
                   ORDER BY 1 DESC, 2 LIMIT 1";
        let values = params![item, after as i64, to as i64];
        let cause = self.first(sql, values, |row| row.get(2))?;
        Ok(cause.unwrap_or_default())
    }

    /// A prefix which was in force with generation `number`, with the generation that brought it;
    /// `None` where that was forgotten.
    pub fn brought_by(&self, prefix: IpNet, number: u64) -> Result<Option<RouteRow>, LedgerError> {
        let sql = format!(
            "SELECT at, number, prefix, op, change.cause FROM generation CROSS JOIN change
             WHERE number <= ?2 AND generation = number AND prefix = ?1 AND op = '+'
             UNION ALL {IN_FORCE} AND number <= ?2 AND prefix = ?1
             ORDER BY 2 DESC LIMIT 1"
        );
        let values = params![prefix.to_string(), number as i64];
        let brought = self.first(&sql, values, ChangeRow::read)?;
        Ok(brought.map(|row| RouteRow {
            prefix,
            generation: row.generation,
            since: row.at,
            because: row.cause,
        }))
    }

    /// The time of the oldest thing in it; `None` where there is nothing. All listings are gone
    /// through.
    pub fn oldest(&self) -> Result<Option<Timestamp>, LedgerError> {
        let sql = "SELECT min(at) FROM (SELECT min(at) AS at FROM generation
                                        UNION ALL SELECT min(at) FROM event
                                        UNION ALL SELECT min(since) FROM operator
                                        UNION ALL SELECT min(first_seen) FROM listing)";
        self.tried(|| self.value(sql, []))
    }
}

/// The routes in force as the changes that brought them, but for those whose change stands in the
/// table of changes.
const IN_FORCE: &str = "SELECT at, generation, prefix, '+', route.cause
                        FROM route JOIN generation ON number = generation
                        WHERE route.cause IS NOT NULL";

/// The prefix or address that an event is about.
fn about(subject: &str) -> Option<IpNet> {
    let address = || subject.parse::<IpAddr>().ok().map(IpNet::from);
    subject.parse().ok().or_else(address)
}
