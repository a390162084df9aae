//! One who listens, and how long it is waited for him. Pure.

use std::time::Duration;

use super::table::Socket;

/// What one notification takes of the kernel's memory at most, in bytes: 832 for IPv4, 1 280 for IPv6 (column `Rmem`,
/// Linux 6.18).
pub(super) const NOTIFICATION: u32 = 1_280;

/// Routes in one go are never less, however small somebody's buffer is.
pub(super) const SMALLEST_GO: usize = 12;

/// Longest wait for somebody who reads nothing.
pub(super) const STILL: Duration = Duration::from_secs(2);

/// Longest wait in all for somebody who reads, but more slowly than he earns.
pub(super) const SLOW: Duration = Duration::from_secs(30);

/// One look counts for no more. What took longer says nothing of him: the machine was busy, or stood still.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// One who listens, as he was seen from the first look at a change to the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// His netlink port.
    pub port: u32,
    /// His socket.
    pub inode: u64,
    /// Whether he was left behind at some time: he did not read, or too slowly.
    pub left_behind: bool,
    /// Notifications that he lost meanwhile.
    pub lost: u64,
    /// Notifications that he lost since he listens.
    pub lost_ever: u32,
    /// Whether he was gone at the last look: his socket is closed.
    pub gone: bool,
    /// What is left of [`STILL`].
    still: Duration,
    /// What is left of [`SLOW`].
    slow: Duration,
    /// Whether it is another of us, which reads all routes anew where it lost something; `None` until it is asked.
    pub(super) of_us: Option<bool>,
    pub(super) unread: u32,
    room: u32,
    /// How often he lost something that was sent while he kept up.
    overrun: u32,
    /// He lost something, and gets nothing more until he has read all that waits (`NETLINK_S_CONGESTED`).
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

    /// Whether he may hold something else than what there is.
    pub fn may_have_missed(&self) -> bool {
        self.lost > 0 || self.left_behind
    }

    /// The same one at the next change: whoever has read what waited for him is waited for as if nothing had been,
    /// whoever has not only for what was left.
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

    /// Whether it is cared what he can read: not for another of us.
    pub(super) fn counts(&self) -> bool {
        !self.gone && self.of_us != Some(true)
    }

    /// Whether more waits for him than a quarter of his buffer: the next go might not fit.
    pub(super) fn lags(&self) -> bool {
        self.unread > if self.congested { 0 } else { self.room / 4 }
    }

    /// Whether nobody waits for him any more.
    pub(super) fn is_given_up(&self) -> bool {
        self.still.is_zero() || self.slow.is_zero()
    }

    /// Whether it is to be waited for him.
    pub(super) fn holds_up(&self) -> bool {
        self.counts() && self.lags() && !self.is_given_up()
    }

    /// It was waited so long.
    pub(super) fn waited(&mut self, waited: Duration) {
        let waited = waited.min(LOOK);
        self.still = self.still.saturating_sub(waited);
        self.slow = self.slow.saturating_sub(waited);
    }

    /// Routes worth so much are sent while he keeps up: he may take longer again.
    pub(super) fn earns(&mut self, earned: Duration) {
        self.still = STILL.min(self.still + earned);
        self.slow = SLOW.min(self.slow + earned);
    }

    /// So many routes fit half of his buffer.
    pub(super) fn go(&self) -> usize {
        let whole = (self.room / 2 / NOTIFICATION) as usize;
        (whole >> self.overrun.min(16)).max(SMALLEST_GO)
    }

    /// Take in what was seen of him.
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
