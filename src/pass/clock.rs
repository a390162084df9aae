//! A pass begins by looking at the clock; all that it does goes by what is made of it (I/O).

use std::time::Duration;

use super::inputs::Cache;
use super::log_once;
use crate::clock::{ClockState, ClockVerdict};
use crate::ledger::{Ledger, LedgerError};
use crate::time::short;

/// What the ledger knows of the clock may be so old: nothing is written for a clock that goes as it
/// should.
const WRITTEN_EVERY: Duration = Duration::from_secs(1_800);

/// Look at the clock, say what is new about it, and write it down.
pub(super) fn read_clock(ledger: &Ledger, cache: &mut Cache) -> Result<(), LedgerError> {
    let written = ledger.clock()?;
    let last = cache.clock.later_than(written.as_ref());
    let turn = cache.clock.read(last.or_else(|| written.clone()));
    let seen = cache.clock.seen().clone();
    let ahead = ledger.atomically(|ledger| {
        if let ClockVerdict::Accepted(doubt, by) = turn {
            ledger.shift_times(doubt.time, by)?;
        }
        if is_news(written.as_ref(), &seen) {
            ledger.write_clock(&seen)?;
        }
        ledger.count_from_now(seen.time)
    })?;
    let wall = seen.reading.wall;
    match turn {
        ClockVerdict::Believed => {}
        ClockVerdict::Doubted => tracing::warn!("clock  {seen}"),
        ClockVerdict::StillDoubted => tracing::debug!("clock  {seen}"),
        ClockVerdict::RightAgain => tracing::info!("clock  {wall} is what was expected again"),
        ClockVerdict::Accepted(doubt, _) => tracing::warn!(
            "clock  {wall}: the clock has gone on for a day since {}, and is believed from now on; what was \
             written meanwhile is dated by it",
            doubt.wall
        ),
    }
    for (feed, at) in ahead {
        let far = short(seen.time.age(at));
        let line = format!(
            "feed={feed}  confirmed {far} in the future ({at}), while the clock was wrong: stale, and its age is \
             counted from now on until the next good look"
        );
        log_once::warning(true, &line);
    }
    Ok(())
}

/// Whether the ledger is to know of it.
fn is_news(written: Option<&ClockState>, seen: &ClockState) -> bool {
    written.is_none_or(|written| {
        let (before, now) = (&written.reading, &seen.reading);
        written.doubt != seen.doubt
            || before.boot != now.boot
            || now.up.abs_diff(before.up) >= WRITTEN_EVERY
            || before
                .wall
                .after(now.up.abs_diff(before.up))
                .0
                .abs_diff(now.wall.0)
                > 2
    })
}
