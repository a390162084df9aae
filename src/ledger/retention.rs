//! What is over for long enough is forgotten; what is in force keeps its story.

use std::fmt;
use std::time::Duration;

use rusqlite::params;

use super::{Ledger, LedgerError};
use crate::time::{Timestamp, short};

/// How much was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Listings that ended.
    pub listings: usize,
    /// Generations; one of which something is still in force is not counted, for its row stays.
    pub generations: usize,
    /// Entries of the log book.
    pub events: usize,
    /// What the operator added or allowed, and has ended.
    pub by_hand: usize,
    /// What people said to held changes, and no longer counts.
    pub reviews: usize,
    /// Feeds that are no longer configured.
    pub feeds: usize,
    /// How long the ledger keeps what is over.
    pub keep: Duration,
}

impl Pruned {
    fn parts(&self) -> [(usize, &'static str, &'static str); 6] {
        [
            (self.listings, "listing", "listings"),
            (self.generations, "generation", "generations"),
            (self.events, "event", "events"),
            (self.by_hand, "entry by hand", "entries by hand"),
            (self.reviews, "review", "reviews"),
            (self.feeds, "feed", "feeds"),
        ]
    }

    /// Whether nothing was old enough.
    pub fn is_nothing(&self) -> bool {
        self.parts().iter().all(|(count, ..)| *count == 0)
    }
}

impl fmt::Display for Pruned {
    /// `1 204 listings and 12 generations older than 400d`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts();
        let parts = parts.iter().filter(|(count, ..)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, one, more)| {
                format!(
                    "{} {}",
                    grouped(*count),
                    if *count == 1 { one } else { more }
                )
            })
            .collect();
        match parts.as_slice() {
            [] => f.write_str("nothing")?,
            [one] => f.write_str(one)?,
            [first @ .., last] => write!(f, "{} and {last}", first.join(", "))?,
        }
        write!(f, " older than {}", short(self.keep))
    }
}

/// A number in groups of three digits: `1 204`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

impl Ledger {
    /// So often it is looked after at most.
    const PRUNE_EVERY: Duration = Duration::from_secs(86_400);

    /// Forget what is over, and say so. That it cannot be done is no reason for anything else to
    /// fail.
    pub fn forget(&self, now: Timestamp, keep: Duration) {
        match self.prune(now, keep) {
            Ok(Some(pruned)) if !pruned.is_nothing() => tracing::info!("ledger  forgot {pruned}"),
            Ok(_) => {}
            Err(error) => tracing::warn!("ledger  nothing old was forgotten: {error}"),
        }
    }

    /// When it was looked after last.
    pub fn pruned_at(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.first("SELECT at FROM pruned", [], |row| row.get(0))
    }

    /// Forget what was over before `now - keep`, once a day; `None` when that was done within a
    /// day.
    ///
    /// All of it happens inside the database, so it takes no more memory than its page cache. What
    /// can be told of generations stays exact, see [`Ledger::oldest_told`].
    pub fn prune(&self, now: Timestamp, keep: Duration) -> Result<Option<Pruned>, LedgerError> {
        // So far ahead of us the clock was set back, and nothing is known of it.
        let sane = now.after(Timestamp::CLOCK_TOLERANCE);
        let last = self.pruned_at()?.filter(|at| *at <= sane);
        if last.is_some_and(|at| at.age(now) < Self::PRUNE_EVERY) {
            return Ok(None);
        }
        self.atomically(|ledger| ledger.tried(|| ledger.prune_older(now, keep)))
            .map(Some)
    }

    fn prune_older(&self, now: Timestamp, keep: Duration) -> rusqlite::Result<Pruned> {
        let cut = now.0.saturating_sub_unsigned(keep.as_secs());
        let delete = |sql: &str| self.execute(sql, [cut]);
        let listings = delete("DELETE FROM listing WHERE last_seen < ?1")?;
        let events = delete("DELETE FROM event WHERE at < ?1")?;
        let by_hand = delete("DELETE FROM operator WHERE ended < ?1")?;
        let reviews = delete("DELETE FROM review WHERE ended < ?1")?;
        let first = self.first_kept(cut)?;
        let (generations, whole) = self.prune_generations(first)?;
        // One that is configured has a copy; without one it loses nothing but its failures.
        let feeds = delete(
            "DELETE FROM feed
             WHERE looked_at < ?1 AND digest IS NULL AND applied IS NULL AND confirmed_at IS NULL
               AND NOT EXISTS (SELECT 1 FROM listing WHERE listing.feed = feed.name)",
        )?;
        let told = if whole { 0 } else { first };
        self.execute(
            "INSERT INTO pruned (one, at, generation) VALUES (1, ?1, ?2)
             ON CONFLICT (one) DO UPDATE SET at = ?1, generation = max(generation, ?2)",
            params![now.0, told],
        )?;
        Ok(Pruned {
            listings,
            generations,
            events,
            by_hand,
            reviews,
            feeds,
            keep,
        })
    }

    /// The oldest generation that is kept whole: the first that is young enough, but never one
    /// after the newest or after the one that is pinned. The pin of a flush (0) is none.
    fn first_kept(&self, cut: i64) -> rusqlite::Result<i64> {
        let sql =
            "SELECT min(coalesce((SELECT min(number) FROM generation WHERE at >= ?1), newest),
                              coalesce((SELECT generation FROM pin WHERE generation > 0), newest))
                   FROM (SELECT coalesce(max(number), 0) AS newest FROM generation)";
        self.row(sql, [cut], |row| row.get(0))
    }

    /// Forget generations before `first`, but for what is in force since then. Answers how many are
    /// gone, and whether nothing was forgotten of any.
    fn prune_generations(&self, first: i64) -> rusqlite::Result<(usize, bool)> {
        // An origin AS in force has no generation of its own: the last that brought it is the one.
        let changes = self.execute(
            "DELETE FROM change
             WHERE generation < ?1
               AND NOT (op = '+' AND EXISTS (
                     SELECT 1 FROM route
                     WHERE route.prefix = change.prefix AND route.generation = change.generation))
               AND NOT (op = '+' AND prefix LIKE 'AS%'
                        AND EXISTS (SELECT 1 FROM origin
                                    WHERE asn = CAST(substr(change.prefix, 3) AS INTEGER))
                        AND NOT EXISTS (
                          SELECT 1 FROM generation AS after CROSS JOIN change AS later
                          WHERE after.number > change.generation
                            AND later.generation = after.number AND later.prefix = change.prefix))",
            [first],
        )?;
        let generations = self.execute(
            "DELETE FROM generation
             WHERE number < ?1
               AND NOT EXISTS (SELECT 1 FROM change WHERE generation = number)
               AND number NOT IN (SELECT generation FROM route WHERE generation < ?1)",
            [first],
        )?;
        let chosen = self.prune_chosen(first)?;
        Ok((generations, changes + generations + chosen == 0))
    }

    /// Forget what choices of feeds no longer had with `first`, and what came to a router or left
    /// it before that.
    fn prune_chosen(&self, first: i64) -> rusqlite::Result<usize> {
        let chosen = self.execute("DELETE FROM chosen WHERE went <= ?1", [first])?;
        self.execute(
            "DELETE FROM choice WHERE went <= ?1 AND NOT EXISTS (SELECT 1 FROM chosen WHERE choice = id)",
            [first],
        )?;
        self.execute("DELETE FROM router_change WHERE generation < ?1", [first])?;
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests;
