//! One listener, and how long a change waits for it. Pure.

use std::time::Duration;

use super::table::Socket;

/// The most memory of the kernel that one notification takes, in bytes: 832 for IPv4, 1 280 for
/// IPv6 (column `Rmem`, Linux 6.18).
pub(super) const NOTIFICATION: u32 = 1_280;

/// Fewest routes in one batch, however small a listener's buffer is.
pub(super) const SMALLEST_BATCH: usize = 12;

/// Longest wait for a listener that reads nothing.
pub(super) const STILL: Duration = Duration::from_secs(2);

/// Longest total wait for a listener that reads more slowly than the allowance it has earned.
pub(super) const SLOW: Duration = Duration::from_secs(30);

/// The most that one look counts as waiting time. A longer look says nothing about the listener:
/// the machine was busy or was suspended.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// A listener, as seen from the first look at a change to the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// Its netlink port.
    pub port: u32,
    /// The inode of its socket.
    pub inode: u64,
    /// Whether it was left behind at some time: it did not read, or read too slowly.
    pub left_behind: bool,
    /// Notifications that it lost during this change.
    pub lost: u64,
    /// Notifications that it lost since its socket was opened.
    pub lost_ever: u32,
    /// Whether its socket was closed at the last look.
    pub gone: bool,
    /// The rest of [`STILL`].
    still: Duration,
    /// The rest of [`SLOW`].
    slow: Duration,
    /// Whether it is another nullrouted process, which reads all routes again where it lost a
    /// notification; `None` until the owner of the socket is looked up.
    pub(super) of_us: Option<bool>,
    pub(super) unread: u32,
    room: u32,
    /// How often it lost a notification of a batch that was sent while it kept up.
    overrun: u32,
    /// It lost a notification, and receives no more until it has read all that waits
    /// (`NETLINK_S_CONGESTED`).
    congested: bool,
}

impl Neighbor {
    pub(super) fn new(socket: &Socket) -> Self {
        Self {
            port: socket.port,
            inode: socket.inode,
            left_behind: false,
            lost: 0,
            lost_ever: socket.drops,
            gone: false,
            still: STILL,
            slow: SLOW,
            of_us: None,
            unread: socket.unread,
            room: socket.room,
            overrun: 0,
            congested: false,
        }
    }

    /// Whether its routes may differ from those of the kernel.
    pub fn may_have_missed(&self) -> bool {
        self.lost > 0 || self.left_behind
    }

    /// The same listener at the next change. If it has read what waited, the full time applies
    /// again; otherwise only the rest.
    pub(super) fn once_more(&self, socket: &Socket) -> Self {
        let mut now = Self::new(socket);
        let lost = socket.drops != self.lost_ever;
        now.congested = socket.unread > 0 && (self.congested || lost);
        now.of_us = self.of_us;
        if now.lags() {
            (now.still, now.slow) = (self.still, self.slow);
        }
        now
    }

    /// Whether changes are paced to it: another nullrouted process is not counted.
    pub(super) fn counts(&self) -> bool {
        !self.gone && self.of_us != Some(true)
    }

    /// Whether more than a quarter of its buffer is in use, so that the next batch might not fit.
    pub(super) fn lags(&self) -> bool {
        self.unread > if self.congested { 0 } else { self.room / 4 }
    }

    /// Whether changes no longer wait for it.
    pub(super) fn is_given_up(&self) -> bool {
        self.still.is_zero() || self.slow.is_zero()
    }

    /// Whether a change has to wait for it.
    pub(super) fn holds_up(&self) -> bool {
        self.counts() && self.lags() && !self.is_given_up()
    }

    /// Subtract a wait of this length from its remaining time.
    pub(super) fn waited(&mut self, waited: Duration) {
        let waited = waited.min(LOOK);
        self.still = self.still.saturating_sub(waited);
        self.slow = self.slow.saturating_sub(waited);
    }

    /// Extend its remaining time, because it keeps up with routes that are worth this much.
    pub(super) fn earns(&mut self, earned: Duration) {
        self.still = STILL.min(self.still + earned);
        self.slow = SLOW.min(self.slow + earned);
    }

    /// How many routes fit half of its buffer.
    pub(super) fn batch(&self) -> usize {
        let whole = (self.room / 2 / NOTIFICATION) as usize;
        (whole >> self.overrun.min(16)).max(SMALLEST_BATCH)
    }

    /// Update it from its socket.
    pub(super) fn look(&mut self, socket: &Socket) {
        let kept_up = !self.lags();
        self.gone = false;
        let lost = socket.drops.wrapping_sub(self.lost_ever);
        self.lost += u64::from(lost);
        self.lost_ever = socket.drops;
        if socket.unread < self.unread && !self.is_given_up() {
            self.still = STILL;
        }
        self.unread = socket.unread;
        self.congested = self.unread > 0 && (self.congested || lost > 0);
        self.overrun += u32::from(kept_up && lost > 0);
    }
}
