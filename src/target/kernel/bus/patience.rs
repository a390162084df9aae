//! For whom to wait, and for how long. Pure: looks and the time between them in, answers out.

use std::time::Duration;

use super::table::Socket;

/// What one notification takes of the kernel's memory at most, in bytes: 832 for IPv4, 1 280 for IPv6 (column `Rmem`,
/// Linux 6.18).
const NOTIFICATION: u32 = 1_280;

/// Routes in one go are never less, however small somebody's buffer is.
const SMALLEST_GO: usize = 12;

/// Longest wait for somebody who does not read at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a route is worth to whoever has kept up: he may read as slowly as 2 000 a second.
const EARNED: Duration = Duration::from_micros(500);

/// One who listens, as he was seen from the first look to the last.
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
    patience: Duration,
    unread: u32,
    room: u32,
    /// How often he lost something that was sent while he kept up.
    overrun: u32,
    /// He lost something, and gets nothing more until he has read all that waits (`NETLINK_S_CONGESTED`).
    congested: bool,
}

impl Neighbor {
    fn new(socket: &Socket) -> Self {
        Self {
            port: socket.port,
            inode: socket.inode,
            left_behind: false,
            lost: 0,
            lost_ever: socket.drops,
            gone: false,
            patience: PATIENCE,
            unread: socket.unread,
            room: socket.room,
            overrun: 0,
            congested: false,
        }
    }

    /// Whether more waits for him than a quarter of his buffer: the next go might not fit.
    fn lags(&self) -> bool {
        self.unread > if self.congested { 0 } else { self.room / 4 }
    }

    /// Whether it is to be waited for him.
    fn holds_up(&self) -> bool {
        self.lags() && !self.patience.is_zero()
    }

    /// So many routes fit half of his buffer.
    fn go(&self) -> usize {
        let whole = (self.room / 2 / NOTIFICATION) as usize;
        (whole >> self.overrun.min(16)).max(SMALLEST_GO)
    }

    /// Take in what was seen of him.
    fn look(&mut self, socket: &Socket) {
        let kept_up = !self.lags();
        self.gone = false;
        let lost = socket.drops.wrapping_sub(self.lost_ever);
        self.lost += u64::from(lost);
        self.lost_ever = socket.drops;
        self.unread = socket.unread;
        self.congested = self.unread > 0 && (self.congested || lost > 0);
        self.overrun += u32::from(kept_up && lost > 0);
        self.left_behind |= self.lags() && self.patience.is_zero();
    }
}

/// All who listen.
#[derive(Clone, Debug, Default)]
pub struct Patience(Vec<Neighbor>);

impl Patience {
    pub fn new(seen: &[Socket]) -> Self {
        Self(seen.iter().map(Neighbor::new).collect())
    }

    pub fn neighbors(&self) -> &[Neighbor] {
        &self.0
    }

    pub fn into_neighbors(self) -> Vec<Neighbor> {
        self.0
    }

    /// So many routes fit the buffer of everybody who is not left behind.
    pub fn go(&self) -> usize {
        let heeded = self
            .0
            .iter()
            .filter(|one| !one.gone && (!one.lags() || one.holds_up()));
        heeded.map(Neighbor::go).min().unwrap_or(usize::MAX)
    }

    /// Take in what was seen after a wait of `waited`. Answers whether to go on: everybody has kept up, or is not
    /// waited for any more.
    pub fn look(&mut self, seen: &[Socket], waited: Duration) -> bool {
        for neighbor in &mut self.0 {
            if neighbor.lags() {
                neighbor.patience = neighbor.patience.saturating_sub(waited);
            }
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
        !self.0.iter().any(Neighbor::holds_up)
    }

    /// So many routes are sent now: whoever has kept up may take longer again.
    pub fn sends(&mut self, routes: usize) {
        let earned = EARNED.saturating_mul(u32::try_from(routes).unwrap_or(u32::MAX));
        for neighbor in self.0.iter_mut().filter(|one| !one.lags()) {
            neighbor.patience = PATIENCE.min(neighbor.patience + earned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::DEFAULT_ROOM;
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const LOW: u32 = DEFAULT_ROOM / 4;
    const GO: usize = 83;

    fn socket(inode: u64, unread: u32, drops: u32) -> Socket {
        Socket {
            port: inode as u32,
            unread,
            room: DEFAULT_ROOM,
            drops,
            inode,
        }
    }

    /// How long a go of 100 routes waits for this look, which does not change.
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

    #[test]
    fn a_go_after_one_that_kept_up_fits_every_buffer() {
        for room in [DEFAULT_ROOM, 2 << 20, 180_000_000] {
            let socket = Socket {
                room,
                ..socket(1, room / 4, 0)
            };
            let mut patience = Patience::new(&[socket]);
            assert!(patience.look(&[socket], MS));
            let go = patience.go() as u32;
            assert!(
                go >= 83 && socket.unread + go * NOTIFICATION <= room,
                "{go}"
            );
        }
    }

    #[test]
    fn nobody_listens_nobody_waits() {
        let mut patience = Patience::new(&[]);
        assert_eq!(patience.go(), usize::MAX);
        assert!(patience.look(&[], MS));
    }

    #[test]
    fn who_reads_is_waited_for_and_who_does_not_is_left_behind_once_and_for_all_goes() {
        let mut patience = Patience::new(&[socket(1, 0, 0), socket(2, 0, 0)]);
        assert_eq!(patience.go(), GO);
        assert!(!patience.look(&[socket(1, LOW + 1, 0), socket(2, 0, 0)], Duration::ZERO));
        assert!(patience.look(&[socket(1, LOW, 0), socket(2, 0, 0)], MS));
        patience.sends(100);
        let stopped = [socket(1, 0, 0), socket(2, LOW + 1, 0)];
        assert_eq!(waits(&mut patience, &stopped), PATIENCE);
        for _ in 0..1_000 {
            assert_eq!(waits(&mut patience, &stopped), Duration::ZERO);
        }
        assert_eq!(patience.go(), GO, "for the other");
        let behind: Vec<_> = patience.neighbors().iter().map(|n| n.left_behind).collect();
        assert_eq!(behind, [false, true]);
        patience.look(&stopped[1..], MS);
        let alone = Patience(vec![patience.neighbors()[1].clone()]);
        assert_eq!(alone.go(), usize::MAX);
    }

    #[test]
    fn whoever_reads_again_is_waited_for_again_as_long_as_he_has_earned() {
        let stopped = [socket(1, LOW + 1, 0)];
        let mut patience = Patience::new(&stopped);
        assert_eq!(waits(&mut patience, &stopped), PATIENCE);
        for _ in 0..3 {
            assert_eq!(waits(&mut patience, &[socket(1, LOW, 0)]), Duration::ZERO);
        }
        assert_eq!(waits(&mut patience, &stopped), 300 * EARNED);
        for _ in 0..1_000 {
            waits(&mut patience, &[socket(1, 0, 0)]);
        }
        assert_eq!(waits(&mut patience, &stopped), PATIENCE, "never longer");
    }

    #[test]
    fn losses_are_counted_from_the_first_look_and_make_the_goes_smaller() {
        let mut patience = Patience::new(&[socket(1, 0, u32::MAX)]);
        // Having lost something, it gets nothing more until it has read all.
        assert!(!patience.look(&[socket(1, 1, 4)], MS));
        assert_eq!(patience.go(), GO / 2);
        assert!(patience.look(&[socket(1, 0, 4)], MS));
        assert!(patience.look(&[socket(1, 1, 4)], MS));
        assert_eq!(patience.neighbors()[0].lost, 5);
        for drops in 5..20 {
            patience.look(&[socket(1, 0, drops)], MS);
        }
        assert_eq!(patience.go(), SMALLEST_GO);
    }

    #[test]
    fn who_comes_later_counts_from_then_and_who_goes_is_not_waited_for() {
        let mut patience = Patience::new(&[]);
        assert!(patience.look(&[socket(7, LOW, 9)], MS));
        assert_eq!(patience.go(), GO);
        assert!(!patience.look(&[socket(7, LOW + 1, 9)], MS));
        assert!(patience.look(&[], MS));
        assert_eq!(patience.neighbors()[0].lost, 0);
        assert!(patience.neighbors()[0].gone);
    }
}
