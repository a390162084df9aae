//! The clock as the last pass saw it, and times that lie in the future.

use std::time::Duration;

use rusqlite::params;

use super::{Ledger, LedgerError};
use crate::clock::{ClockState, Doubt, Reading};
use crate::time::Timestamp;

/// A column with a time, and the column that says when its row was written: where the one is moved,
/// so is the other. `operator.until` may lie far ahead of the pass that wrote it.
const TIMES: [(&str, &str, &str); 27] = [
    ("feed", "looked_at", "looked_at"),
    ("feed", "not_before", "not_before"),
    ("feed", "confirmed_at", "confirmed_at"),
    ("feed", "changed_at", "changed_at"),
    ("feed", "taken_at", "taken_at"),
    ("feed", "applied_taken", "applied_taken"),
    ("feed", "ahead_since", "ahead_since"),
    ("listing", "first_seen", "first_seen"),
    ("listing", "last_seen", "last_seen"),
    ("leaving", "since", "since"),
    ("generation", "at", "at"),
    ("pin", "at", "at"),
    ("operator", "until", "since"),
    ("operator", "since", "since"),
    ("operator", "ended", "ended"),
    ("discovered", "first_seen", "first_seen"),
    ("discovered", "last_seen", "last_seen"),
    ("review", "at", "at"),
    ("review", "ended", "ended"),
    ("event", "at", "at"),
    ("pruned", "at", "at"),
    ("hold", "at", "at"),
    ("target", "at", "at"),
    ("observed", "at", "at"),
    ("settled", "at", "at"),
    ("clock", "at", "at"),
    ("clock", "first_at", "first_at"),
];

impl Ledger {
    /// The clock as the last pass saw it. A ledger without that knows when something was done last.
    pub fn clock(&self) -> Result<Option<ClockState>, LedgerError> {
        let sql = "SELECT at, wall, first_at, first_wall, up, boot FROM clock";
        let seen = self.first(sql, [], |row| {
            let first: Option<Timestamp> = row.get(2)?;
            Ok(ClockState {
                time: row.get(0)?,
                reading: Reading {
                    wall: row.get(1)?,
                    up: Duration::from_secs(row.get::<_, i64>(4)?.unsigned_abs()),
                    boot: row.get(5)?,
                },
                doubt: first
                    .zip(row.get(3)?)
                    .map(|(time, wall)| Doubt { wall, time }),
            })
        })?;
        if seen.is_some() {
            return Ok(seen);
        }
        let sql = "SELECT max(at) FROM (SELECT max(at) AS at FROM generation UNION ALL
                                        SELECT max(looked_at) FROM feed)";
        let last: Option<Timestamp> = self.tried(|| self.value(sql, []))?;
        Ok(last.map(|wall| {
            ClockState::first(Reading {
                wall,
                up: Duration::ZERO,
                boot: "none".to_owned(),
            })
        }))
    }

    /// The time for a verb to go by, after what the last pass saw.
    pub fn now(&self) -> Result<Timestamp, LedgerError> {
        Ok(crate::clock::Clock::of(self.clock()?.as_ref()).now())
    }

    /// A pass begins, and saw this.
    pub fn write_clock(&self, seen: &ClockState) -> Result<(), LedgerError> {
        let first = seen.doubt.map(|doubt| (doubt.time, doubt.wall)).unzip();
        self.run(
            "INSERT OR REPLACE INTO clock (one, at, wall, first_at, first_wall, up, boot)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                seen.time,
                seen.reading.wall,
                first.0,
                first.1,
                seen.reading.up.as_secs() as i64,
                seen.reading.boot
            ],
        )
    }

    /// Times that were written at `from` or later are so many seconds too small. Part of
    /// [`Ledger::atomically`].
    pub fn shift_times(&self, from: Timestamp, by: i64) -> Result<(), LedgerError> {
        TIMES.iter().try_for_each(|(table, column, written)| {
            let sql = format!("UPDATE {table} SET {column} = {column} + ?2 WHERE {written} >= ?1");
            self.run(&sql, [from.0, by])
        })
    }

    /// What lies so far in the future that the clock must have been wrong counts from now on.
    /// Answers the feeds whose confirmation does, with its time: the time itself is kept, for the
    /// clock may be wrong now. Part of [`Ledger::atomically`].
    pub fn count_from_now(&self, now: Timestamp) -> Result<Vec<(String, Timestamp)>, LedgerError> {
        let future = now.after(Timestamp::CLOCK_TOLERANCE);
        self.tried(|| {
            let any: bool = self.value(
                "SELECT EXISTS (SELECT 1 FROM feed
                   WHERE taken_at > ?1 OR applied_taken > ?1 OR confirmed_at > ?1 OR ahead_since IS NOT NULL)
                 OR EXISTS (SELECT 1 FROM operator WHERE since > ?1 AND ended IS NULL)",
                [future],
            )?;
            if !any {
                return Ok(Vec::new());
            }
            for sql in [
                "UPDATE feed SET taken_at = ?1 WHERE taken_at > ?2",
                "UPDATE feed SET applied_taken = ?1 WHERE applied_taken > ?2",
                "UPDATE operator SET until = until - since + ?1, since = ?1
                 WHERE since > ?2 AND ended IS NULL",
                "UPDATE feed SET ahead_since = NULL
                 WHERE ahead_since IS NOT NULL AND (confirmed_at IS NULL OR confirmed_at <= ?2 OR ahead_since > ?1)",
            ] {
                self.execute(sql, [now, future])?;
            }
            let ahead =
                "UPDATE feed SET ahead_since = ?1 WHERE confirmed_at > ?2 AND ahead_since IS NULL
                 RETURNING name, confirmed_at";
            self.all(ahead, [now, future], |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }
}
