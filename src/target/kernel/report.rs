//! What became of the routes, and why it could not be done.

use std::fmt;
use std::io;

use super::backoff::Object;
use super::bus::Paced;

/// What was done in one family, or in both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Routes added.
    pub added: usize,
    /// Routes removed.
    pub removed: usize,
    /// Routes that were there and stayed.
    pub kept: usize,
    /// How many of the added and removed ones an earlier report of the same pass has told of.
    pub told: usize,
    /// Routes that the kernel refused; [`Report::first_failure`] says why.
    pub failed: usize,
    /// The first refusal.
    pub first_failure: Option<String>,
    /// Listed prefixes whose place a foreign route has.
    pub occupied: Vec<String>,
    /// Routes of ours that nothing explains, kept for now.
    pub unexplained: usize,
    /// What somebody else had removed and that is back.
    pub restored: Vec<Restored>,
    /// Routes with our mark that somebody else had added, and that are gone again.
    pub surplus: Vec<Restored>,
    /// Routes that somebody keeps removing: they are put back later.
    pub postponed: usize,
    /// Routes of ours that cover more specific ones of others, among those above.
    pub covers: usize,
    /// Routes of others inside our prefixes that no route can cover.
    pub uncovered: Vec<String>,
    /// Notifications had been lost, so everything was read.
    pub notifications_lost: bool,
    /// Who else listened, and how it was paced for them.
    pub paced: Paced,
}

/// What somebody else did and we undid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What it was about.
    pub what: Object,
    /// The netlink port of whoever did it, where the kernel said so.
    pub by: Option<u32>,
}

/// What was done and is in no report yet: a change that was dropped in the middle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unreported {
    /// Routes added.
    pub added: usize,
    /// Routes removed.
    pub removed: usize,
    /// How many of both were reported all the same: by an earlier round of the same pass.
    pub told: usize,
}

impl Report {
    /// With what was done before it: what came then was found there now.
    pub(super) fn after(&mut self, before: Unreported) {
        self.added += before.added;
        self.removed += before.removed;
        self.told += before.told;
        self.kept = self.kept.saturating_sub(before.added);
    }

    /// One more that the kernel refused.
    pub(super) fn failure(&mut self, what: String) {
        self.failed += 1;
        self.first_failure.get_or_insert(what);
    }

    /// Both families in one report.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.added += other.added;
        self.removed += other.removed;
        self.kept += other.kept;
        self.told += other.told;
        self.failed += other.failed;
        self.unexplained += other.unexplained;
        self.postponed += other.postponed;
        self.covers += other.covers;
        self.first_failure = self.first_failure.or(other.first_failure);
        self.occupied.extend(other.occupied);
        self.restored.extend(other.restored);
        self.surplus.extend(other.surplus);
        self.uncovered.extend(other.uncovered);
        self
    }
}

/// Why the kernel cannot be used as a target.
#[derive(Debug)]
pub enum Fault {
    /// No netlink socket, or it fails.
    Socket(io::Error),
    /// The dump failed.
    Dump(io::Error),
    /// Answers are lost again and again, so nobody knows what is installed.
    AnswersLost,
    /// Routes change all the time, so that no reading shows all of ours, or what it shows is gone.
    Restless,
    /// Routes may not be changed here.
    Permission,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(error) => write!(f, "no netlink socket: {error}"),
            Self::Dump(error) => write!(f, "the routes cannot be read: {error}"),
            Self::AnswersLost => f.write_str(
                "the kernel's answers are lost again and again (ENOBUFS); what is installed is compared at the next pass",
            ),
            Self::Restless => f.write_str(
                "others change routes so fast that ours cannot be read; what is installed is compared at the next pass",
            ),
            Self::Permission => f.write_str(
                "routes may not be changed: CAP_NET_ADMIN is missing (run as root, from the shipped \
                 unit, or give it with setcap cap_net_admin+ep)",
            ),
        }
    }
}

impl std::error::Error for Fault {}
