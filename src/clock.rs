//! Whether the clock of the machine is believed, and the time that is gone by while it is not.
//!
//! A clock that jumps ends what it should not: feeds expire, entries end, history is forgotten. So a
//! clock that is more than a day away from what the last pass and the machine's uptime explain is
//! doubted for a day: until then the time goes on from the last pass. [`judge`] is pure; only
//! [`Reading::now`] asks the system.

use std::fmt;
use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::time::{Timestamp, short};

/// A clock that is doubted may be read again so much later without another doubt: a machine that is off most of the
/// time is read once a start.
const SAME_DOUBT: Duration = Duration::from_secs(31 * 86_400);

/// What the system says of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The clock of the machine.
    pub wall: Timestamp,
    /// Since the machine was started, with the time that it slept.
    pub up: Duration,
    /// Which start of the machine that is; empty where it cannot be told.
    pub boot: String,
}

/// What was made of a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What the system said.
    pub reading: Reading,
    /// The time that is gone by.
    pub time: Timestamp,
    /// While the clock is not believed: since when.
    pub doubt: Option<Doubt>,
}

/// Since when the clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What the clock said when it was doubted first.
    pub wall: Timestamp,
    /// The time that was gone by then.
    pub time: Timestamp,
}

/// What became of the doubt at a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The clock is believed, as it was before.
    Believed,
    /// The clock is doubted from here on.
    Doubted,
    /// It is doubted, as it was before.
    StillDoubted,
    /// It says again what was expected.
    RightAgain,
    /// It has been so for a day, and is believed. Times that were written since the doubt began are so
    /// many seconds too small.
    Accepted(Doubt, i64),
}

impl Reading {
    /// What the system says now.
    pub fn now() -> Self {
        let up = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from);
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self {
            wall: Timestamp::now(),
            up: up.unwrap_or_default(),
            boot: boot.trim().to_owned(),
        }
    }

    /// How long after `last` this is by the uptime; zero where the machine was started in between.
    fn since(&self, last: &Self) -> Duration {
        match self.boot == last.boot {
            true => self.up.saturating_sub(last.up),
            false => Duration::ZERO,
        }
    }
}

impl Seen {
    /// The first reading there is, which nothing speaks against.
    pub fn first(reading: Reading) -> Self {
        Self {
            time: reading.wall,
            reading,
            doubt: None,
        }
    }

    /// By how much the clock is away from the time that is gone by, in seconds; negative where it is behind.
    pub fn ahead(&self) -> i64 {
        seconds_between(self.time, self.reading.wall)
    }

    /// When the clock is believed, by itself.
    pub fn believed_at(&self) -> Option<Timestamp> {
        let doubt = self.doubt?;
        Some(doubt.wall.after(Timestamp::CLOCK_TOLERANCE))
    }
}

impl fmt::Display for Seen {
    /// Why the clock is not believed, what that means, what happens next, and what to type.
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

/// What to make of a reading after `last`, which is what was made of the one before.
pub fn judge(last: Option<&Seen>, reading: Reading) -> (Seen, Turn) {
    let Some(last) = last else {
        return (Seen::first(reading), Turn::Believed);
    };
    let day = Timestamp::CLOCK_TOLERANCE.as_secs();
    let elapsed = reading.since(&last.reading);
    let wall = reading.wall;
    let away = |from: Timestamp| seconds_between(from.after(elapsed), wall);
    let believed = |turn| {
        let seen = Seen {
            time: wall,
            reading: reading.clone(),
            doubt: None,
        };
        (seen, turn)
    };
    // A stop of the machine explains up to a day by itself.
    if away(last.time).unsigned_abs() <= day {
        return believed(match last.doubt {
            None => Turn::Believed,
            Some(_) => Turn::RightAgain,
        });
    }
    // It goes on from where it was doubted, or it jumped again.
    let goes_on = -(day as i64)..=SAME_DOUBT.as_secs() as i64;
    let goes_on = last
        .doubt
        .filter(|_| goes_on.contains(&away(last.reading.wall)));
    let Some(doubt) = goes_on else {
        // One second more: what is written from now on is told apart from what was written before.
        let time = last.time.after(elapsed + Duration::from_secs(1));
        // What was written since an earlier doubt is counted from that one.
        let from = last.doubt.map_or(time, |doubt| doubt.time);
        let doubt = Some(Doubt { wall, time: from });
        let seen = Seen {
            reading,
            time,
            doubt,
        };
        return (seen, Turn::Doubted);
    };
    let ticked = seconds_between(last.reading.wall, wall).max(0);
    let time = last
        .time
        .after(elapsed.max(Duration::from_secs(ticked.unsigned_abs())));
    if seconds_between(doubt.wall, wall) >= day as i64 {
        let behind = seconds_between(time, wall);
        return believed(Turn::Accepted(doubt, behind));
    }
    let seen = Seen {
        reading,
        time,
        doubt: Some(doubt),
    };
    (seen, Turn::StillDoubted)
}

/// The time of a process: judged once, and from then on as long as the uptime says.
#[derive(Clone, Debug)]
pub struct Clock {
    seen: Seen,
    /// Whether a pass of this process has looked at it.
    looked: bool,
}

impl Default for Clock {
    /// By the clock of the machine, where nothing else is known.
    fn default() -> Self {
        Self::of(None)
    }
}

impl Clock {
    /// After what the last pass saw.
    pub fn of(last: Option<&Seen>) -> Self {
        let (seen, _) = judge(last, Reading::now());
        Self {
            seen,
            looked: false,
        }
    }

    /// Read the clock again, after what the last pass of any process saw.
    pub fn look(&mut self, last: Option<Seen>) -> Turn {
        let last = last.unwrap_or_else(|| self.seen.clone());
        let (seen, turn) = judge(Some(&last), Reading::now());
        self.seen = seen;
        self.looked = true;
        turn
    }

    /// What a pass of this process saw, where it is newer than what is written: that could not be written down, or
    /// did not have to be.
    pub fn later_than(&self, written: Option<&Seen>) -> Option<Seen> {
        let is_later = written.is_none_or(|written| {
            let (ours, theirs) = (&self.seen.reading, &written.reading);
            ours.boot == theirs.boot && ours.up >= theirs.up
        });
        (self.looked && is_later).then(|| self.seen.clone())
    }

    /// The time to decide by. Between two looks it cannot jump.
    pub fn now(&self) -> Timestamp {
        let up = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from);
        let elapsed = up.map_or(Duration::ZERO, |up| up.saturating_sub(self.seen.reading.up));
        self.seen.time.after(elapsed)
    }

    /// What was made of the last reading.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// While the clock is ahead and not believed: since when, by the time that is gone by. The machine may have
    /// been off meanwhile, so a feed that was not looked at since then is due.
    pub fn off_since(&self) -> Option<Timestamp> {
        let doubt = self.seen.doubt?;
        (self.seen.ahead() > 0).then_some(doubt.time)
    }
}

#[cfg(test)]
mod tests;
