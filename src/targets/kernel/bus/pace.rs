//! Pacing between the sends (I/O): wait until the listeners have read.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::listeners::{Listeners, Neighbor, SMALL};
use super::owner::owners;
use super::sockets::Sockets;

/// Time between two looks at a listener that reads: the shortest that the runtime's clock can
/// measure.
const STEP: Duration = Duration::from_millis(1);
/// Where there is no listener, new ones are looked for this often.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A listener that reads nothing for this long has stopped reading.
const STILL: Duration = Duration::from_secs(1);
/// Longest wait for a listener that reads and never empties its buffer.
const AT_MOST: Duration = Duration::from_secs(20);
/// Time between two looks during this wait.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Changes routes no faster than the listeners can read the notifications.
///
/// ```text
/// pace.begin();
/// for routes in all.chunks(…at most pace.batch_size()…) {
///     pace.wait_for_room(routes.len()).await;
///     send(routes).await;
/// }
/// let paced = pace.end(false);
/// ```
#[derive(Debug, Default)]
pub struct Pace {
    sockets: Sockets,
    listeners: Listeners,
    looked: Option<Instant>,
    /// Whether a change has begun and not ended.
    is_open: bool,
    paced: Paced,
}

/// How a change was paced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paced {
    /// The listeners.
    pub neighbors: Vec<Neighbor>,
    /// How many requests were sent.
    pub routes: usize,
    /// In how many batches they were sent.
    pub goes: usize,
    /// How long the change waited for listeners in total.
    pub waited: Duration,
}

impl Pace {
    /// A change begins. If the previous change was dropped, this one continues it, and
    /// notifications lost in it count.
    pub fn begin(&mut self) {
        if std::mem::replace(&mut self.is_open, true) {
            if self.looked.is_some() {
                self.listeners.see(&self.sockets.listeners());
            }
            return;
        }
        self.looked = None;
        self.paced = Paced::default();
    }

    /// Find the listeners once before anything is sent. This does not wait and takes well below a
    /// millisecond. Returns whether this was the first look.
    fn look_first(&mut self) -> bool {
        let is_first = self.looked.is_none();
        if is_first {
            self.sockets = Sockets::open();
            self.listeners.begin(&self.sockets.listeners());
            self.looked = Some(Instant::now());
        }
        is_first
    }

    /// How many routes may be sent at once: any number where there is no listener, otherwise as
    /// many as fit the smallest buffer (83 for one of the default size). May change from one batch
    /// to the next.
    pub fn batch_size(&mut self) -> usize {
        self.look_first();
        self.listeners.batch()
    }

    /// Call this before this many routes are sent. Returns at once before the first batch, in a
    /// small change (124 routes), and where the only listeners are other nullrouted processes,
    /// which read everything again where they lose a notification. Otherwise returns when enough of
    /// what was sent has been read for this batch to fit. A listener that reads nothing for two
    /// seconds, or falls half a minute behind 2 000 routes a second, is given up until it has read.
    /// May be dropped.
    pub async fn wait_for_room(&mut self, routes: usize) {
        self.look_first();
        self.paced.goes += 1;
        self.paced.routes += routes;
        let is_recent = |looked: Instant| looked.elapsed() < LOOK_AGAIN;
        let alone = self.listeners.is_alone() && self.looked.is_some_and(is_recent);
        if self.paced.goes == 1 || self.paced.routes <= SMALL || alone {
            return;
        }
        let mut waited = Duration::ZERO;
        while !self
            .listeners
            .observe_after(&self.sockets.listeners(), waited)
        {
            waited = Duration::ZERO;
            if self
                .listeners
                .identify(|one| owners(std::slice::from_ref(one))[0].is_us())
            {
                continue;
            }
            let before = Instant::now();
            sleep(STEP).await;
            waited = before.elapsed();
            self.paced.waited += waited;
        }
        self.looked = Some(Instant::now());
        self.listeners.sends(routes);
    }

    /// The last look: which listeners there were, and how many notifications each lost. Where
    /// nothing was sent no listener can have lost anything, and the listeners are read only if the
    /// caller is `curious`.
    pub fn end(&mut self, curious: bool) -> Paced {
        self.is_open = false;
        if self.looked.is_none() && !curious {
            return std::mem::take(&mut self.paced);
        }
        if !self.look_first() {
            self.listeners.see(&self.sockets.listeners());
        }
        Paced {
            neighbors: self.listeners.all().to_vec(),
            ..std::mem::take(&mut self.paced)
        }
    }
}

/// The listeners at this time.
pub fn listeners() -> Vec<Neighbor> {
    let mut pace = Pace::default();
    pace.end(true).neighbors
}

/// Wait until the listener has read what waits for it. Returns `false` if it has stopped reading:
/// it read nothing for a second.
pub async fn reads(neighbor: &Neighbor) -> bool {
    let mut sockets = Sockets::open();
    let begun = Instant::now();
    let (mut last, mut before) = (begun, u32::MAX);
    while begun.elapsed() < AT_MOST {
        let seen = sockets.listeners();
        let socket = seen.iter().find(|one| one.inode == neighbor.socket.inode);
        let unread = socket.map_or(0, |socket| socket.unread);
        if unread == 0 {
            return true;
        }
        if unread < before {
            last = Instant::now();
        } else if last.elapsed() > STILL {
            return false;
        }
        before = unread;
        sleep(LOOK_EVERY).await;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dropped change has sent some of its requests, and listeners may have lost those.
    #[tokio::test]
    async fn a_change_that_was_dropped_goes_on_in_the_next() {
        let mut pace = Pace::default();
        pace.begin();
        pace.wait_for_room(2_000).await;
        pace.begin();
        pace.wait_for_room(7).await;
        let paced = pace.end(false);
        assert_eq!((paced.routes, paced.goes), (2_007, 2));
        pace.begin();
        pace.wait_for_room(5).await;
        let paced = pace.end(false);
        assert_eq!((paced.routes, paced.goes), (5, 1));
    }
}
