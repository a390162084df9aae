//! Which listeners a change waits for, and for how long. Pure: it takes looks and the time between
//! them.

use std::time::Duration;

use super::table::{DEFAULT_ROOM, Socket};

/// The most memory of the kernel that one notification takes, in bytes: 832 for IPv4, 1 280 for
/// IPv6 (column `Rmem`, Linux 6.18).
const NOTIFICATION: u32 = 1_280;

/// Fewest routes in one batch, however small a listener's buffer is.
const SMALLEST_BATCH: usize = 12;

/// Changes of at most this many routes are not paced: they fit the default buffer of a socket, even
/// if a quarter of it is in use. Excluding one address from an IPv6 prefix as short as a /5 takes
/// no more routes than this.
pub const SMALL: usize = ((DEFAULT_ROOM - DEFAULT_ROOM / 4) / NOTIFICATION) as usize;

/// Longest wait while the listeners that hold up a change read nothing.
const STILL: Duration = Duration::from_secs(2);

/// Longest wait of one change for listeners that read slowly, in addition to [`EARNED`].
const SLOW: Duration = Duration::from_secs(30);

/// The time that each route of a change adds to [`SLOW`] where that is partly used up: listeners
/// may read as slowly as 2 000 routes a second.
const EARNED: Duration = Duration::from_micros(500);

/// The most that one look counts as waiting time. A longer look says nothing about the listeners:
/// the machine was busy or was suspended.
const LOOK: Duration = Duration::from_millis(20);

/// A listener, as seen from the first look at a change to the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbor {
    pub(super) socket: Socket,
    /// Whether this change went on without it: it did not read, or read too slowly.
    pub left_behind: bool,
    /// Notifications that it lost during this change.
    pub lost: u64,
    /// Whether its socket was closed at the last look.
    pub gone: bool,
    /// No change waits for it until it has read.
    given_up: bool,
    /// Whether it is another nullrouted process, which reads all routes again where it lost a
    /// notification; `None` until the owner of the socket is looked up.
    of_us: Option<bool>,
}

impl Neighbor {
    fn new(socket: Socket) -> Self {
        Self {
            socket,
            left_behind: false,
            lost: 0,
            gone: false,
            given_up: false,
            of_us: None,
        }
    }

    /// Whether its routes may differ from those of the kernel.
    pub fn may_have_missed(&self) -> bool {
        self.lost > 0 || self.left_behind
    }

    /// Whether it lost a notification since its socket was opened.
    pub fn ever_lost(&self) -> bool {
        self.socket.drops > 0
    }

    /// Whether changes are paced to it: another nullrouted process is not counted.
    fn counts(&self) -> bool {
        !self.gone && self.of_us != Some(true)
    }

    /// Whether more than a quarter of its buffer is in use, so that the next batch might not fit. A
    /// listener that lost a notification receives no more until it has read all that waits
    /// (`NETLINK_S_CONGESTED`).
    fn lags(&self) -> bool {
        let limit = if self.lost > 0 {
            0
        } else {
            self.socket.room / 4
        };
        self.socket.unread > limit
    }

    fn holds_up(&self) -> bool {
        self.counts() && self.lags() && !self.given_up
    }

    /// How many routes fit half of its buffer.
    fn batch(&self) -> usize {
        let routes = (self.socket.room / 2 / NOTIFICATION) as usize;
        routes.max(SMALLEST_BATCH)
    }

    fn observe(&mut self, socket: Socket) {
        self.gone = false;
        self.lost += u64::from(socket.drops.wrapping_sub(self.socket.drops));
        self.socket = socket;
        self.given_up &= self.lags();
    }
}

/// All listeners, kept from change to change: a change does not wait again for one that the
/// previous change has given up.
#[derive(Clone, Debug, Default)]
pub struct Listeners {
    all: Vec<Neighbor>,
    /// The rest of [`STILL`].
    still: Duration,
    /// The rest of [`SLOW`].
    slow: Duration,
}

impl Listeners {
    /// A change begins, and these sockets are seen. The count of lost notifications starts at 0.
    pub fn begin(&mut self, seen: &[Socket]) {
        let now = seen.iter().map(|&socket| {
            let is_it = |one: &&Neighbor| {
                (one.socket.inode, one.socket.port) == (socket.inode, socket.port)
            };
            let before = self.all.iter().find(is_it);
            let mut now = Neighbor::new(socket);
            now.given_up = now.lags() && before.is_some_and(|one| one.given_up);
            now.of_us = before.and_then(|one| one.of_us);
            now
        });
        self.all = now.collect();
        (self.still, self.slow) = (STILL, SLOW);
    }

    pub fn all(&self) -> &[Neighbor] {
        &self.all
    }

    /// Whether there is no listener to wait for.
    pub fn is_alone(&self) -> bool {
        !self.all.iter().any(Neighbor::counts)
    }

    /// How many routes fit the buffer of every listener that is not given up.
    pub fn batch(&self) -> usize {
        let counted = |one: &&Neighbor| one.counts() && !one.given_up;
        let counted = self.all.iter().filter(counted);
        counted.map(Neighbor::batch).min().unwrap_or(usize::MAX)
    }

    /// Update the listeners after a wait of `waited`. Returns whether to go on: every listener has
    /// kept up or is given up.
    pub fn observe_after(&mut self, seen: &[Socket], waited: Duration) -> bool {
        let unread = |all: &[Neighbor]| -> u64 {
            let waited_for = all.iter().filter(|one| one.counts() && !one.given_up);
            waited_for.map(|one| u64::from(one.socket.unread)).sum()
        };
        let before = unread(&self.all);
        self.see(seen);
        let waited = waited.min(LOOK);
        self.slow = self.slow.saturating_sub(waited);
        self.still = match unread(&self.all) < before {
            true => STILL,
            false => self.still.saturating_sub(waited),
        };
        if self.still.is_zero() || self.slow.is_zero() {
            for one in self.all.iter_mut().filter(|one| one.lags()) {
                one.given_up = true;
            }
        }
        for one in self.all.iter_mut().filter(|one| one.counts()) {
            one.left_behind |= one.given_up;
        }
        !self.all.iter().any(Neighbor::holds_up)
    }

    /// Update the listeners when nothing more is sent.
    pub fn see(&mut self, seen: &[Socket]) {
        for one in &mut self.all {
            match seen.iter().find(|socket| socket.inode == one.socket.inode) {
                Some(socket) => one.observe(*socket),
                None => (one.gone, one.socket.unread) = (true, 0),
            }
        }
        for socket in seen {
            if self.all.iter().all(|one| one.socket.inode != socket.inode) {
                self.all.push(Neighbor::new(*socket));
            }
        }
    }

    /// Look up, once for each listener that holds up the change, whether it is another nullrouted
    /// process. Returns whether one is.
    pub fn identify(&mut self, is_of_us: impl Fn(&Neighbor) -> bool) -> bool {
        let mut found = false;
        for one in &mut self.all {
            if one.holds_up() && one.of_us.is_none() {
                one.of_us = Some(is_of_us(one));
                found |= one.of_us == Some(true);
            }
        }
        found
    }

    /// This many routes are sent now.
    pub fn sends(&mut self, routes: usize) {
        let earned = EARNED.saturating_mul(u32::try_from(routes).unwrap_or(u32::MAX));
        (self.still, self.slow) = (STILL, SLOW.min(self.slow + earned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const LOW: u32 = DEFAULT_ROOM / 4;
    const BATCH: usize = 83;

    fn socket(inode: u64, unread: u32, drops: u32) -> Socket {
        Socket {
            port: inode as u32,
            unread,
            room: DEFAULT_ROOM,
            drops,
            inode,
        }
    }

    /// How long a batch of 100 routes waits while this look does not change.
    fn waits(listeners: &mut Listeners, seen: &[Socket]) -> Duration {
        let mut waited = Duration::ZERO;
        let mut step = Duration::ZERO;
        while !listeners.observe_after(seen, step) {
            step = MS;
            waited += step;
            assert!(waited.as_secs() < 60, "for ever");
        }
        listeners.sends(100);
        waited
    }

    fn begun(seen: &[Socket]) -> Listeners {
        let mut listeners = Listeners::default();
        listeners.begin(seen);
        listeners
    }

    fn left_behind(listeners: &Listeners) -> Vec<bool> {
        listeners.all.iter().map(|one| one.left_behind).collect()
    }

    #[test]
    fn a_small_change_fits_the_part_of_a_buffer_that_a_listener_keeps_free() {
        let small = SMALL as u32 * NOTIFICATION;
        assert!(LOW + small <= DEFAULT_ROOM && SMALL > 128 - 5, "{SMALL}");
    }

    #[test]
    fn a_listener_that_was_given_up_is_waited_for_again_when_it_has_read() {
        let (kept, stopped) = ([socket(1, LOW, 0)], [socket(1, LOW + 1, 0)]);
        let mut listeners = begun(&kept);
        assert_eq!(waits(&mut listeners, &stopped), STILL);
        for _ in 0..3 {
            listeners.begin(&stopped);
            assert_eq!(left_behind(&listeners), [false], "not in this change");
            assert_eq!(listeners.batch(), usize::MAX);
            assert_eq!(waits(&mut listeners, &stopped), Duration::ZERO);
            assert_eq!(left_behind(&listeners), [true]);
        }
        // It reads within a change, or between two.
        assert_eq!(waits(&mut listeners, &kept), Duration::ZERO);
        assert_eq!(waits(&mut listeners, &stopped), STILL);
        listeners.begin(&kept);
        assert_eq!(waits(&mut listeners, &stopped), STILL);
        // Another listener with the same inode is a different one.
        let mut other = stopped;
        other[0].port = 2;
        listeners.begin(&other);
        assert_eq!(waits(&mut listeners, &other), STILL);
    }

    #[test]
    fn a_last_look_leaves_no_listener_behind() {
        let stopped = [socket(1, LOW + 1, 0)];
        let mut listeners = begun(&stopped);
        waits(&mut listeners, &stopped);
        listeners.begin(&stopped);
        listeners.see(&[socket(1, LOW + 1, 3)]);
        let one = &listeners.all()[0];
        assert_eq!((one.left_behind, one.lost), (false, 3));
    }

    #[test]
    fn another_of_us_is_not_waited_for_and_is_looked_up_once() {
        let seen = [
            socket(1, LOW + 1, 0),
            socket(2, 0, 0),
            socket(3, LOW + 1, 0),
        ];
        let mut listeners = begun(&seen);
        assert!(!listeners.observe_after(&seen, Duration::ZERO));
        assert!(listeners.identify(|one| one.socket.inode == 3));
        assert!(!listeners.identify(|_| panic!("looked up again")));
        waits(&mut listeners, &seen);
        assert_eq!(left_behind(&listeners), [true, false, false]);
        // It is not waited for the next time either, and it makes no batch smaller.
        listeners.begin(&seen[2..]);
        assert!(listeners.observe_after(&seen[2..], Duration::ZERO) && listeners.is_alone());
        assert_eq!(listeners.batch(), usize::MAX);
    }

    #[test]
    fn a_batch_fits_the_buffer_of_every_listener_that_keeps_up() {
        for room in [DEFAULT_ROOM, 2 << 20, 180_000_000] {
            let socket = Socket {
                room,
                ..socket(1, room / 4, 0)
            };
            let mut listeners = begun(&[socket]);
            assert!(listeners.observe_after(&[socket], MS));
            let batch = listeners.batch() as u32;
            assert!(
                batch >= 83 && socket.unread + batch * NOTIFICATION <= room,
                "{batch}"
            );
        }
    }

    #[test]
    fn without_a_listener_nothing_waits() {
        let mut listeners = begun(&[]);
        assert_eq!(listeners.batch(), usize::MAX);
        assert!(listeners.observe_after(&[], MS));
    }

    #[test]
    fn a_listener_that_stops_is_given_up_once_and_others_are_still_waited_for() {
        let mut listeners = begun(&[socket(1, 0, 0), socket(2, 0, 0)]);
        assert_eq!(listeners.batch(), BATCH);
        assert!(
            !listeners.observe_after(&[socket(1, LOW + 1, 0), socket(2, 0, 0)], Duration::ZERO)
        );
        assert!(listeners.observe_after(&[socket(1, LOW, 0), socket(2, 0, 0)], MS));
        listeners.sends(100);
        let stopped = [socket(1, 0, 0), socket(2, LOW + 1, 0)];
        assert_eq!(waits(&mut listeners, &stopped), STILL);
        for _ in 0..1_000 {
            assert_eq!(waits(&mut listeners, &stopped), Duration::ZERO);
        }
        assert_eq!(listeners.batch(), BATCH, "for the other");
        assert_eq!(left_behind(&listeners), [false, true]);
        let both = [socket(1, LOW + 1, 0), socket(2, LOW + 1, 0)];
        assert_eq!(waits(&mut listeners, &both), STILL);
    }

    #[test]
    fn a_slow_listener_is_waited_for_longer_and_not_for_ever() {
        let mut listeners = begun(&[socket(1, 0, 0)]);
        let mut waited = Duration::ZERO;
        let mut batches = 0;
        while left_behind(&listeners) == [false] {
            // It reads one step in a second and a half, until a batch of 100 is sent.
            for unread in (LOW..LOW + 8).rev() {
                for _ in 0..150 {
                    let goes_on = listeners.observe_after(&[socket(1, unread + 1, 0)], MS * 10);
                    waited += if goes_on { Duration::ZERO } else { MS * 10 };
                }
            }
            listeners.observe_after(&[socket(1, LOW, 0)], MS);
            listeners.sends(100);
            batches += 1;
        }
        let allowed = SLOW + EARNED * 100 * (batches - 1);
        assert!(
            batches > 1 && waited.abs_diff(allowed) < STILL,
            "{waited:?}"
        );
        // A listener that keeps up from then on has the full time again.
        for _ in 0..1_000 {
            assert_eq!(waits(&mut listeners, &[socket(1, 0, 0)]), Duration::ZERO);
        }
        assert_eq!(waits(&mut listeners, &[socket(1, LOW + 1, 0)]), STILL);
    }

    #[test]
    fn a_suspended_machine_does_not_count_as_a_wait() {
        let stopped = [socket(1, LOW + 1, 0)];
        let mut listeners = begun(&stopped);
        for _ in 0..50 {
            assert!(!listeners.observe_after(&stopped, SLOW));
        }
        assert_eq!(left_behind(&listeners), [false]);
        assert_eq!(waits(&mut listeners, &stopped), STILL - 50 * LOOK);
    }

    #[test]
    fn losses_are_counted_from_the_first_look_and_all_must_be_read_after_one() {
        let mut listeners = begun(&[socket(1, 0, u32::MAX)]);
        assert!(!listeners.observe_after(&[socket(1, 1, 4)], MS));
        assert!(listeners.observe_after(&[socket(1, 0, 4)], MS));
        assert_eq!(listeners.all()[0].lost, 5);
        let tiny = Socket {
            room: 2_048,
            ..socket(2, 0, 0)
        };
        listeners.see(&[tiny]);
        assert_eq!(listeners.batch(), SMALLEST_BATCH);
    }

    #[test]
    fn a_listener_that_comes_later_counts_from_then_and_a_closed_one_does_not() {
        let mut listeners = begun(&[]);
        assert!(listeners.observe_after(&[socket(7, LOW, 9)], MS));
        assert_eq!(listeners.batch(), BATCH);
        assert!(!listeners.observe_after(&[socket(7, LOW + 1, 9)], MS));
        assert!(listeners.observe_after(&[], MS));
        assert_eq!(listeners.all()[0].lost, 0);
        assert!(listeners.all()[0].gone);
    }
}
