//! Whether the clock of the machine is trusted, and the time in use while it is not.
//!
//! A clock that jumps would end things too early: feeds would expire, entries would end, history
//! would be deleted. So a clock that is more than a day away from what the last pass and the
//! machine's uptime explain is doubted for a day: until then the time continues from the last pass.
//! [`evaluate`] is pure; only [`Reading::now`] asks the system.

use std::fmt;
use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::time::{Timestamp, short};

/// A doubted clock may be read again after up to this time without a new doubt: a machine that is
/// off most of the time is read once per start.
const SAME_DOUBT: Duration = Duration::from_secs(31 * 86_400);

/// The system's clocks at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The clock of the machine.
    pub wall: Timestamp,
    /// The time since the machine was started, including the time in suspend.
    pub up: Duration,
    /// The identifier of this start of the machine; empty if it cannot be read.
    pub boot: String,
}

/// The result of judging a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockState {
    pub reading: Reading,
    /// The time in use.
    pub time: Timestamp,
    /// While the clock is not trusted: since when.
    pub doubt: Option<Doubt>,
}

/// Since when the clock is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The time of the clock when it was first doubted.
    pub wall: Timestamp,
    /// The time in use at that moment.
    pub time: Timestamp,
}

/// How a reading changed the doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockVerdict {
    /// The clock is trusted, as before.
    Believed,
    /// The clock is doubted from here on.
    Doubted,
    /// The clock is doubted, as before.
    StillDoubted,
    /// The clock again has the expected time.
    RightAgain,
    /// The clock has been consistent for a day, and is trusted. Times that were written since the
    /// doubt began are this many seconds too small.
    Accepted(Doubt, i64),
}

impl Reading {
    /// Read the system's clocks.
    pub fn now() -> Self {
        let up = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from);
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self {
            wall: Timestamp::now(),
            up: up.unwrap_or_default(),
            boot: boot.trim().to_owned(),
        }
    }

    /// The time since `last` by the uptime; zero if the machine was started in between.
    fn since(&self, last: &Self) -> Duration {
        match self.boot == last.boot {
            true => self.up.saturating_sub(last.up),
            false => Duration::ZERO,
        }
    }
}

impl ClockState {
    /// The first reading, which nothing contradicts.
    pub fn first(reading: Reading) -> Self {
        Self {
            time: reading.wall,
            reading,
            doubt: None,
        }
    }

    /// How far the clock is ahead of the time in use, in seconds; negative if it is behind.
    pub fn ahead(&self) -> i64 {
        seconds_between(self.time, self.reading.wall)
    }

    /// When the clock will be trusted, by its own time.
    pub fn believed_at(&self) -> Option<Timestamp> {
        let doubt = self.doubt?;
        Some(doubt.wall.after(Timestamp::CLOCK_TOLERANCE))
    }
}

impl fmt::Display for ClockState {
    /// Why the clock is not trusted, what that means, what happens next, and what to type.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(until), wall) = (self.believed_at(), self.reading.wall) else {
            return write!(f, "the clock is believed");
        };
        let ahead = self.ahead();
        let away = short(Duration::from_secs(ahead.unsigned_abs()));
        let way = if ahead < 0 { "behind" } else { "ahead of" };
        write!(
            f,
            "the clock says {wall}, {away} {way} what the last pass and the uptime explain; was the \
             machine off? Until the clock says {until} the time is taken to be {}, and nothing expires or is \
             forgotten by the new one; if it is wrong, set it (timedatectl)",
            self.time
        )
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.0.saturating_sub(from.0)
}

/// Judge a reading after `last`, the result of the previous one.
pub fn evaluate(last: Option<&ClockState>, reading: Reading) -> (ClockState, ClockVerdict) {
    let Some(last) = last else {
        return (ClockState::first(reading), ClockVerdict::Believed);
    };
    let day = Timestamp::CLOCK_TOLERANCE.as_secs();
    let elapsed = reading.since(&last.reading);
    let wall = reading.wall;
    let away = |from: Timestamp| seconds_between(from.after(elapsed), wall);
    let believed = |turn| {
        let seen = ClockState {
            time: wall,
            reading: reading.clone(),
            doubt: None,
        };
        (seen, turn)
    };
    // A stop of the machine explains up to a day by itself.
    if away(last.time).unsigned_abs() <= day {
        return believed(match last.doubt {
            None => ClockVerdict::Believed,
            Some(_) => ClockVerdict::RightAgain,
        });
    }
    // The clock continues from where it was doubted, or it jumped again.
    let goes_on = -(day as i64)..=SAME_DOUBT.as_secs() as i64;
    let goes_on = last
        .doubt
        .filter(|_| goes_on.contains(&away(last.reading.wall)));
    let Some(doubt) = goes_on else {
        // One second more: times that are written from now on differ from those written before.
        let time = last.time.after(elapsed + Duration::from_secs(1));
        // If there was a doubt before, times are counted from that one.
        let from = last.doubt.map_or(time, |doubt| doubt.time);
        let doubt = Some(Doubt { wall, time: from });
        let seen = ClockState {
            reading,
            time,
            doubt,
        };
        return (seen, ClockVerdict::Doubted);
    };
    let ticked = seconds_between(last.reading.wall, wall).max(0);
    let time = last
        .time
        .after(elapsed.max(Duration::from_secs(ticked.unsigned_abs())));
    if seconds_between(doubt.wall, wall) >= day as i64 {
        let behind = seconds_between(time, wall);
        return believed(ClockVerdict::Accepted(doubt, behind));
    }
    let seen = ClockState {
        reading,
        time,
        doubt: Some(doubt),
    };
    (seen, ClockVerdict::StillDoubted)
}

/// The time of a process: judged once, then advanced by the uptime.
#[derive(Clone, Debug)]
pub struct Clock {
    seen: ClockState,
    /// Whether a pass of this process has read the clock.
    looked: bool,
}

impl Default for Clock {
    /// The clock of the machine, if nothing else is known.
    fn default() -> Self {
        Self::of(None)
    }
}

impl Clock {
    /// The clock after the last pass, with what it saw.
    pub fn of(last: Option<&ClockState>) -> Self {
        let (seen, _) = evaluate(last, Reading::now());
        Self {
            seen,
            looked: false,
        }
    }

    /// Read the clock again, after what the last pass of any process saw.
    pub fn read(&mut self, last: Option<ClockState>) -> ClockVerdict {
        let last = last.unwrap_or_else(|| self.seen.clone());
        let (seen, turn) = evaluate(Some(&last), Reading::now());
        self.seen = seen;
        self.looked = true;
        turn
    }

    /// What a pass of this process saw, if it is newer than what is written: it could not be
    /// written, or did not have to be.
    pub fn later_than(&self, written: Option<&ClockState>) -> Option<ClockState> {
        let is_later = written.is_none_or(|written| {
            let (ours, theirs) = (&self.seen.reading, &written.reading);
            ours.boot == theirs.boot && ours.up >= theirs.up
        });
        (self.looked && is_later).then(|| self.seen.clone())
    }

    /// The time for decisions. Between two readings it cannot jump.
    pub fn now(&self) -> Timestamp {
        let up = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from);
        let elapsed = up.map_or(Duration::ZERO, |up| up.saturating_sub(self.seen.reading.up));
        self.seen.time.after(elapsed)
    }

    /// The result of the last reading.
    pub fn seen(&self) -> &ClockState {
        &self.seen
    }

    /// While the clock is ahead and not trusted: since when, by the time in use. The machine may
    /// have been off meanwhile, so a feed that was not fetched since then is due.
    pub fn off_since(&self) -> Option<Timestamp> {
        let doubt = self.seen.doubt?;
        (self.seen.ahead() > 0).then_some(doubt.time)
    }
}

#[cfg(test)]
mod tests;
