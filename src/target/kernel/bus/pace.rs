//! Between the sends (I/O): wait until those who listen have read.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::neighbor::Neighbor;
use super::owner::are_of_us;
use super::patience::{Patience, SMALL};
use super::sockets::Sockets;

/// Between two looks at somebody who reads: the shortest that the runtime's clock knows.
const BREATH: Duration = Duration::from_millis(1);
/// Where nobody listens, so often is looked whether somebody began.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Whoever reads nothing for so long does not read.
const STILL: Duration = Duration::from_secs(1);
/// Longest wait for somebody who reads and is never done.
const AT_MOST: Duration = Duration::from_secs(20);
/// Between two looks meanwhile.
const GLANCE: Duration = Duration::from_millis(10);

/// Changes routes not faster than others can hear of it.
///
/// ```text
/// pace.begin();
/// for routes in all.chunks(…at most pace.routes_in_one_go()…) {
///     pace.breathe(routes.len()).await;
///     send(routes).await;
/// }
/// let paced = pace.end(false);
/// ```
#[derive(Debug, Default)]
pub struct Pace {
    sockets: Sockets,
    patience: Patience,
    looked: Option<Instant>,
    /// Whether a change has begun and not ended.
    is_open: bool,
    paced: Paced,
}

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paced {
    /// Who listened.
    pub neighbors: Vec<Neighbor>,
    /// How many requests were sent.
    pub routes: usize,
    /// How often something was sent.
    pub goes: usize,
    /// How long was waited for others in all.
    pub waited: Duration,
}

impl Pace {
    /// A change begins. Patience is kept from one change to the next: a listener that was left behind in one is not
    /// waited for in the next either, until it reads. Where the change before was dropped, this is the rest of it: what
    /// was lost then counts.
    pub fn begin(&mut self) {
        if std::mem::replace(&mut self.is_open, true) {
            if self.looked.is_some() {
                self.patience.see(&self.sockets.listeners());
            }
            return;
        }
        self.looked = None;
        self.paced = Paced::default();
    }

    /// See who listens before anything is sent, once; no wait, and well below a millisecond. Answers whether that was
    /// now.
    fn look_first(&mut self) -> bool {
        let is_first = self.looked.is_none();
        if is_first {
            self.sockets = Sockets::open();
            self.patience.begin(&self.sockets.listeners());
            self.looked = Some(Instant::now());
        }
        is_first
    }

    /// So many routes may be sent at once: as many as you like where nobody listens, else what fits the smallest
    /// buffer; 83 for one of the default size. May change from one go to the next.
    pub fn routes_in_one_go(&mut self) -> usize {
        self.look_first();
        self.patience.go()
    }

    /// To be called before so many routes are sent. Returns at once before the first go, in a small change (124 routes),
    /// and where nobody listens but others of us, who read everything again where they lose something; else when enough
    /// of what was sent has been read for this to fit. Whoever reads nothing for two seconds, or falls half a minute behind
    /// 2 000 routes a second, is left behind. May be dropped.
    pub async fn breathe(&mut self, routes: usize) {
        self.look_first();
        self.paced.goes += 1;
        self.paced.routes += routes;
        let is_recent = |looked: Instant| looked.elapsed() < LOOK_AGAIN;
        let alone = self.patience.is_alone() && self.looked.is_some_and(is_recent);
        if self.paced.goes == 1 || self.paced.routes <= SMALL || alone {
            return;
        }
        let mut waited = Duration::ZERO;
        while !self.patience.look(&self.sockets.listeners(), waited) {
            waited = Duration::ZERO;
            if self.patience.recognise(are_of_us) {
                continue;
            }
            let before = Instant::now();
            sleep(BREATH).await;
            waited = before.elapsed();
            self.paced.waited += waited;
        }
        self.looked = Some(Instant::now());
        self.patience.sends(routes);
    }

    /// The last look: who listened, and who lost what. Where nothing was sent no listener can have lost anything, and
    /// there is a look only if the caller is `curious` who listens.
    pub fn end(&mut self, curious: bool) -> Paced {
        self.is_open = false;
        if self.looked.is_none() && !curious {
            return std::mem::take(&mut self.paced);
        }
        if !self.look_first() {
            self.patience.see(&self.sockets.listeners());
        }
        Paced {
            neighbors: self.patience.neighbors().to_vec(),
            ..std::mem::take(&mut self.paced)
        }
    }
}

/// Who listens now.
pub fn listeners() -> Vec<Neighbor> {
    let mut pace = Pace::default();
    pace.end(true).neighbors
}

/// Wait until he has read what waits for him. Answers whether he reads at all: not where nothing is read for a second.
pub async fn reads(neighbor: &Neighbor) -> bool {
    let mut sockets = Sockets::open();
    let begun = Instant::now();
    let (mut last, mut before) = (begun, u32::MAX);
    while begun.elapsed() < AT_MOST {
        let seen = sockets.listeners();
        let socket = seen.iter().find(|one| one.inode == neighbor.inode);
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
        sleep(GLANCE).await;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that was dropped in the middle has sent what it has sent, and others may have lost it.
    #[tokio::test]
    async fn a_change_that_was_dropped_goes_on_in_the_next() {
        let mut pace = Pace::default();
        pace.begin();
        pace.breathe(2_000).await;
        pace.begin();
        pace.breathe(7).await;
        let paced = pace.end(false);
        assert_eq!((paced.routes, paced.goes), (2_007, 2));
        pace.begin();
        pace.breathe(5).await;
        let paced = pace.end(false);
        assert_eq!((paced.routes, paced.goes), (5, 1));
    }
}
