//! Which listeners a change waits for, and for how long. Pure: it takes looks and the time between
//! them, and returns decisions.

use std::time::Duration;

use super::neighbor::{NOTIFICATION, Neighbor};
use super::table::{DEFAULT_ROOM, Socket};

/// Changes of at most this many routes are not paced: they fit the default buffer of a socket, even
/// if a quarter of it is in use. Excluding one address from an IPv6 prefix as short as a /5 takes
/// no more routes than this.
pub const SMALL: usize = ((DEFAULT_ROOM - DEFAULT_ROOM / 4) / NOTIFICATION) as usize;

/// The time that a listener which keeps up earns for each route: it may read as slowly as 2 000
/// routes a second.
const EARNED: Duration = Duration::from_micros(500);

/// All listeners, kept from change to change.
#[derive(Clone, Debug, Default)]
pub struct Patience(Vec<Neighbor>);

impl Patience {
    /// A change begins, and these sockets are seen. The count of lost notifications starts at 0.
    pub fn begin(&mut self, seen: &[Socket]) {
        let now = seen.iter().map(|socket| {
            let is_it = |one: &&Neighbor| (one.inode, one.port) == (socket.inode, socket.port);
            let before = self.0.iter().find(is_it);
            before.map_or_else(|| Neighbor::new(socket), |one| one.once_more(socket))
        });
        self.0 = now.collect();
    }

    pub fn neighbors(&self) -> &[Neighbor] {
        &self.0
    }

    /// Whether there is no listener to wait for.
    pub fn is_alone(&self) -> bool {
        !self.0.iter().any(Neighbor::counts)
    }

    /// How many routes fit the buffer of every listener that is not left behind.
    pub fn batch(&self) -> usize {
        let counted = |one: &&Neighbor| one.counts() && (!one.lags() || one.holds_up());
        let counted = self.0.iter().filter(counted);
        counted.map(Neighbor::batch).min().unwrap_or(usize::MAX)
    }

    /// Update the listeners after a wait of `waited`. Returns whether to go on: every listener has
    /// kept up or is no longer waited for.
    pub fn look(&mut self, seen: &[Socket], waited: Duration) -> bool {
        for neighbor in self.0.iter_mut().filter(|one| one.lags()) {
            neighbor.waited(waited);
        }
        self.see(seen);
        for neighbor in self.0.iter_mut().filter(|one| one.counts()) {
            neighbor.left_behind |= neighbor.lags() && neighbor.is_given_up();
        }
        !self.0.iter().any(Neighbor::holds_up)
    }

    /// Update the listeners when nothing more is sent.
    pub fn see(&mut self, seen: &[Socket]) {
        for neighbor in &mut self.0 {
            match seen.iter().find(|one| one.inode == neighbor.inode) {
                Some(socket) => neighbor.look(socket),
                None => (neighbor.gone, neighbor.unread) = (true, 0),
            }
        }
        for socket in seen {
            if self.0.iter().all(|one| one.inode != socket.inode) {
                self.0.push(Neighbor::new(socket));
            }
        }
    }

    /// Look up, once for each listener that holds up the change, whether it is another nullrouted
    /// process. Returns whether one is.
    pub fn identify(&mut self, are_of_us: impl Fn(&[Neighbor]) -> Vec<bool>) -> bool {
        let is_asked = |one: &Neighbor| one.holds_up() && one.of_us.is_none();
        let asked: Vec<_> = self.0.iter().filter(|one| is_asked(one)).cloned().collect();
        if asked.is_empty() {
            return false;
        }
        let answers = are_of_us(&asked);
        let those = self.0.iter_mut().filter(|one| is_asked(one));
        for (one, &is) in those.zip(&answers) {
            one.of_us = Some(is);
        }
        answers.contains(&true)
    }

    /// This many routes are sent now.
    pub fn sends(&mut self, routes: usize) {
        let earned = EARNED.saturating_mul(u32::try_from(routes).unwrap_or(u32::MAX));
        for neighbor in self.0.iter_mut().filter(|one| !one.lags()) {
            neighbor.earns(earned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::neighbor::{LOOK, SLOW, SMALLEST_BATCH, STILL};
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
    fn waits(patience: &mut Patience, seen: &[Socket]) -> Duration {
        let mut waited = Duration::ZERO;
        let mut step = Duration::ZERO;
        while !patience.look(seen, step) {
            step = MS;
            waited += step;
            assert!(waited.as_secs() < 60, "for ever");
        }
        patience.sends(100);
        waited
    }

    fn begun(seen: &[Socket]) -> Patience {
        let mut patience = Patience::default();
        patience.begin(seen);
        patience
    }

    #[test]
    fn a_small_change_fits_behind_what_whoever_keeps_up_has_not_read() {
        let small = SMALL as u32 * NOTIFICATION;
        assert!(LOW + small <= DEFAULT_ROOM && SMALL > 128 - 5, "{SMALL}");
    }

    #[test]
    fn who_was_left_behind_is_waited_for_again_only_when_he_has_read() {
        let (kept, stopped) = ([socket(1, LOW, 0)], [socket(1, LOW + 1, 0)]);
        let mut patience = begun(&kept);
        assert_eq!(waits(&mut patience, &stopped), STILL);
        for _ in 0..3 {
            patience.begin(&stopped);
            assert!(!patience.neighbors()[0].left_behind, "not in this change");
            assert_eq!(patience.batch(), usize::MAX);
            assert_eq!(waits(&mut patience, &stopped), Duration::ZERO);
            assert!(patience.neighbors()[0].left_behind);
        }
        // A lost notification counts once, and as long as some wait to be read the listener counts
        // as not reading.
        let mut lost = [socket(1, 1, 7)];
        let (kept, stopped) = ([socket(1, LOW, 7)], [socket(1, LOW + 1, 7)]);
        patience.begin(&lost);
        assert_eq!(patience.neighbors()[0].lost, 0);
        assert_eq!(waits(&mut patience, &lost), Duration::ZERO);
        lost[0].unread = 0;
        patience.begin(&lost);
        assert_eq!(waits(&mut patience, &stopped), STILL);
        // Half of its time is used up and the other half is left. Another listener with the same
        // inode is a different one.
        patience.begin(&kept);
        assert!(!patience.look(&stopped, Duration::ZERO));
        for _ in 0..100 {
            assert!(!patience.look(&stopped, STILL / 200));
        }
        patience.begin(&stopped);
        assert_eq!(waits(&mut patience, &stopped), STILL / 2);
        let mut other = stopped;
        other[0].port = 2;
        patience.begin(&other);
        assert_eq!(waits(&mut patience, &other), STILL);
    }

    #[test]
    fn what_is_seen_when_nothing_was_to_be_waited_for_leaves_nobody_behind() {
        let stopped = [socket(1, LOW + 1, 0)];
        let mut patience = begun(&stopped);
        waits(&mut patience, &stopped);
        patience.begin(&stopped);
        patience.see(&[socket(1, LOW + 1, 3)]);
        let one = &patience.neighbors()[0];
        assert_eq!((one.left_behind, one.lost), (false, 3));
    }

    #[test]
    fn another_of_us_is_not_waited_for_and_is_asked_for_once() {
        let seen = [
            socket(1, LOW + 1, 0),
            socket(2, 0, 0),
            socket(3, LOW + 1, 0),
        ];
        let mut patience = begun(&seen);
        assert!(!patience.look(&seen, Duration::ZERO));
        assert!(patience.identify(|asked| asked.iter().map(|one| one.inode == 3).collect()));
        assert!(!patience.identify(|_| panic!("asked again")));
        waits(&mut patience, &seen);
        let behind = |patience: &Patience| -> Vec<_> {
            patience.neighbors().iter().map(|n| n.left_behind).collect()
        };
        assert_eq!(behind(&patience), [true, false, false]);
        // It is not waited for the next time either, and it makes no batch smaller.
        patience.begin(&seen[2..]);
        assert!(patience.look(&seen[2..], Duration::ZERO) && patience.is_alone());
        assert_eq!(patience.batch(), usize::MAX);
    }

    #[test]
    fn a_go_after_one_that_kept_up_fits_every_buffer() {
        for room in [DEFAULT_ROOM, 2 << 20, 180_000_000] {
            let socket = Socket {
                room,
                ..socket(1, room / 4, 0)
            };
            let mut patience = begun(&[socket]);
            assert!(patience.look(&[socket], MS));
            let batch = patience.batch() as u32;
            assert!(
                batch >= 83 && socket.unread + batch * NOTIFICATION <= room,
                "{batch}"
            );
        }
    }

    #[test]
    fn nobody_listens_nobody_waits() {
        let mut patience = begun(&[]);
        assert_eq!(patience.batch(), usize::MAX);
        assert!(patience.look(&[], MS));
    }

    #[test]
    fn who_reads_is_waited_for_and_who_does_not_is_left_behind_once_and_for_all_goes() {
        let mut patience = begun(&[socket(1, 0, 0), socket(2, 0, 0)]);
        assert_eq!(patience.batch(), BATCH);
        assert!(!patience.look(&[socket(1, LOW + 1, 0), socket(2, 0, 0)], Duration::ZERO));
        assert!(patience.look(&[socket(1, LOW, 0), socket(2, 0, 0)], MS));
        patience.sends(100);
        let stopped = [socket(1, 0, 0), socket(2, LOW + 1, 0)];
        assert_eq!(waits(&mut patience, &stopped), STILL);
        for _ in 0..1_000 {
            assert_eq!(waits(&mut patience, &stopped), Duration::ZERO);
        }
        assert_eq!(patience.batch(), BATCH, "for the other");
        let behind: Vec<_> = patience.neighbors().iter().map(|n| n.left_behind).collect();
        assert_eq!(behind, [false, true]);
        patience.look(&stopped[1..], MS);
        let alone = Patience(vec![patience.neighbors()[1].clone()]);
        assert_eq!(alone.batch(), usize::MAX);
    }

    #[test]
    fn whoever_reads_again_is_waited_for_again_as_long_as_he_has_earned() {
        let stopped = [socket(1, LOW + 1, 0)];
        let mut patience = begun(&stopped);
        assert_eq!(waits(&mut patience, &stopped), STILL);
        for _ in 0..3 {
            assert_eq!(waits(&mut patience, &[socket(1, LOW, 0)]), Duration::ZERO);
        }
        assert_eq!(waits(&mut patience, &stopped), 300 * EARNED);
        for _ in 0..1_000 {
            waits(&mut patience, &[socket(1, 0, 0)]);
        }
        assert_eq!(waits(&mut patience, &stopped), STILL, "never longer");
    }

    #[test]
    fn whoever_reads_slowly_is_waited_for_longer_and_not_for_ever() {
        let mut patience = begun(&[socket(1, 0, 0)]);
        let mut slow = Duration::ZERO;
        for go in 0.. {
            let last = patience.neighbors()[0].left_behind;
            // It reads one step in a second and a half, until a batch of 100 is sent.
            for unread in (LOW..LOW + 8).rev() {
                for _ in 0..150 {
                    if !patience.look(&[socket(1, unread + 1, 0)], MS * 10) {
                        slow += MS * 10;
                    }
                }
            }
            patience.look(&[socket(1, LOW, 0)], MS);
            patience.sends(100);
            if patience.neighbors()[0].left_behind {
                assert!(!last && go > 0);
                break;
            }
            slow -= 100 * EARNED;
        }
        assert!(slow.abs_diff(SLOW) < STILL, "{slow:?}");
    }

    #[test]
    fn a_machine_that_stood_still_is_not_held_against_those_who_listen() {
        let stopped = [socket(1, LOW + 1, 0)];
        let mut patience = begun(&stopped);
        for _ in 0..50 {
            assert!(!patience.look(&stopped, SLOW));
        }
        assert!(!patience.neighbors()[0].left_behind);
        assert_eq!(waits(&mut patience, &stopped), STILL - 50 * LOOK);
    }

    #[test]
    fn losses_are_counted_from_the_first_look_and_make_the_goes_smaller() {
        let mut patience = begun(&[socket(1, 0, u32::MAX)]);
        // Having lost a notification, it receives no more until it has read all.
        assert!(!patience.look(&[socket(1, 1, 4)], MS));
        assert_eq!(patience.batch(), BATCH / 2);
        assert!(patience.look(&[socket(1, 0, 4)], MS));
        assert!(patience.look(&[socket(1, 1, 4)], MS));
        assert_eq!(patience.neighbors()[0].lost, 5);
        for drops in 5..20 {
            patience.look(&[socket(1, 0, drops)], MS);
        }
        assert_eq!(patience.batch(), SMALLEST_BATCH);
    }

    #[test]
    fn who_comes_later_counts_from_then_and_who_goes_is_not_waited_for() {
        let mut patience = begun(&[]);
        assert!(patience.look(&[socket(7, LOW, 9)], MS));
        assert_eq!(patience.batch(), BATCH);
        assert!(!patience.look(&[socket(7, LOW + 1, 9)], MS));
        assert!(patience.look(&[], MS));
        assert_eq!(patience.neighbors()[0].lost, 0);
        assert!(patience.neighbors()[0].gone);
    }
}
