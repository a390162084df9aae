//! The result of a change of routes, and why one failed.

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
    /// How many of the added and removed ones an earlier report of the same pass has counted.
    pub told: usize,
    /// Routes that the kernel refused; [`Report::first_failure`] says why.
    pub failed: usize,
    /// The first refusal.
    pub first_failure: Option<String>,
    /// Desired prefixes whose place has a foreign route.
    pub occupied: Vec<String>,
    /// Routes of ours that no feed explains, kept for now.
    pub unexplained: usize,
    /// Routes that another program had removed and that are back.
    pub restored: Vec<Restored>,
    /// Routes with our mark that another program had added, and that are removed again.
    pub surplus: Vec<Restored>,
    /// Routes that another program keeps removing: they are put back later.
    pub postponed: usize,
    /// Routes of ours that cover more specific foreign ones, among those above.
    pub covers: usize,
    /// Foreign routes inside our prefixes that no route can cover.
    pub uncovered: Vec<String>,
    /// Notifications were lost, so everything was read.
    pub notifications_lost: bool,
    /// The listeners, and how the change was paced for them.
    pub paced: Paced,
}

/// What another program did and we undid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The changed object.
    pub what: Object,
    /// The netlink port of the other program, where the kernel named it.
    pub by: Option<u32>,
}

/// What was done and is in no report yet, because the change was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unreported {
    /// Routes added.
    pub added: usize,
    /// Routes removed.
    pub removed: usize,
    /// How many of both were nevertheless reported, by an earlier round of the same pass.
    pub told: usize,
}

impl Report {
    /// Add what was done before. A route that was added before was counted as kept now.
    pub(super) fn after(&mut self, before: Unreported) {
        self.added += before.added;
        self.removed += before.removed;
        self.told += before.told;
        self.kept = self.kept.saturating_sub(before.added);
    }

    /// Count one route that the kernel refused.
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
    /// Answers are lost repeatedly, so it is not known what is installed.
    AnswersLost,
    /// Routes change all the time, so that no dump shows all of ours, or what it shows is gone.
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
