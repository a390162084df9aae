//! The clock as the last pass saw it, and times that lie in the future.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

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
        let read = || {
            let row = self.row(
                "SELECT at, wall, first_at, first_wall, up, boot FROM clock",
                [],
                |row| {
                    let first: Option<(i64, i64)> = row
                        .get::<_, Option<i64>>(2)?
                        .zip(row.get::<_, Option<i64>>(3)?);
                    Ok(ClockState {
                        time: Timestamp(row.get(0)?),
                        reading: Reading {
                            wall: Timestamp(row.get(1)?),
                            up: Duration::from_secs(row.get::<_, i64>(4)?.unsigned_abs()),
                            boot: row.get(5)?,
                        },
                        doubt: first.map(|(time, wall)| Doubt {
                            wall: Timestamp(wall),
                            time: Timestamp(time),
                        }),
                    })
                },
            );
            if let Some(seen) = row.optional()? {
                return Ok(Some(seen));
            }
            let last: Option<i64> = self.row(
                "SELECT max(at) FROM (SELECT max(at) AS at FROM generation UNION ALL
                                      SELECT max(looked_at) FROM feed)",
                [],
                |row| row.get(0),
            )?;
            Ok(last.map(|at| {
                ClockState::first(Reading {
                    wall: Timestamp(at),
                    up: Duration::ZERO,
                    boot: "none".to_owned(),
                })
            }))
        };
        read().map_err(|error| self.error(error))
    }

    /// The time for a verb to go by, after what the last pass saw.
    pub fn now(&self) -> Result<Timestamp, LedgerError> {
        Ok(crate::clock::Clock::of(self.clock()?.as_ref()).now())
    }

    /// A pass begins, and saw this.
    pub fn write_clock(&self, seen: &ClockState) -> Result<(), LedgerError> {
        let first = seen.doubt.map(|doubt| (doubt.time.0, doubt.wall.0)).unzip();
        let done = self.execute(
            "INSERT OR REPLACE INTO clock (one, at, wall, first_at, first_wall, up, boot)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                seen.time.0,
                seen.reading.wall.0,
                first.0,
                first.1,
                seen.reading.up.as_secs() as i64,
                seen.reading.boot
            ],
        );
        done.map(|_| ()).map_err(|error| self.error(error))
    }

    /// Times that were written at `from` or later are so many seconds too small. Part of
    /// [`Ledger::atomically`].
    pub fn shift_times(&self, from: Timestamp, by: i64) -> Result<(), LedgerError> {
        let shift = || {
            for (table, column, written) in TIMES {
                let sql =
                    format!("UPDATE {table} SET {column} = {column} + ?2 WHERE {written} >= ?1");
                self.execute(&sql, [from.0, by])?;
            }
            Ok(())
        };
        shift().map_err(|error| self.error(error))
    }

    /// What lies so far in the future that the clock must have been wrong counts from now on.
    /// Answers the feeds whose confirmation does, with its time: the time itself is kept, for the
    /// clock may be wrong now. Part of [`Ledger::atomically`].
    pub fn count_from_now(&self, now: Timestamp) -> Result<Vec<(String, Timestamp)>, LedgerError> {
        let future = now.after(Timestamp::CLOCK_TOLERANCE);
        let count = || {
            let any: bool = self.row(
                "SELECT EXISTS (SELECT 1 FROM feed
                   WHERE taken_at > ?1 OR applied_taken > ?1 OR confirmed_at > ?1 OR ahead_since IS NOT NULL)
                 OR EXISTS (SELECT 1 FROM operator WHERE since > ?1 AND ended IS NULL)",
                [future.0],
                |row| row.get(0),
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
                self.execute(sql, [now.0, future.0])?;
            }
            let mut ahead = self.db.prepare_cached(
                "UPDATE feed SET ahead_since = ?1 WHERE confirmed_at > ?2 AND ahead_since IS NULL
                 RETURNING name, confirmed_at",
            )?;
            let rows = ahead.query_map([now.0, future.0], |row| {
                Ok((row.get(0)?, Timestamp(row.get(1)?)))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        count().map_err(|error| self.error(error))
    }
}
