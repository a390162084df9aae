//! Between the sends (I/O): wait until those who listen have read.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::patience::{Neighbor, Patience};
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
/// let mut pace = Pace::look();
/// for routes in all.chunks(…at most pace.routes_in_one_go()…) {
///     pace.breathe(routes.len()).await;
///     send(routes).await;
/// }
/// let paced = pace.end();
/// ```
#[derive(Debug)]
pub struct Pace {
    sockets: Sockets,
    patience: Patience,
    looked: Instant,
    paced: Paced,
}

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paced {
    /// Who listened.
    pub neighbors: Vec<Neighbor>,
    /// How often something was sent.
    pub goes: usize,
    /// How long was waited for others in all.
    pub waited: Duration,
}

impl Pace {
    /// See who listens; no wait, and well below a millisecond.
    pub fn look() -> Self {
        let mut sockets = Sockets::open();
        let patience = Patience::new(&sockets.listeners());
        Self {
            sockets,
            patience,
            looked: Instant::now(),
            paced: Paced::default(),
        }
    }

    /// So many routes may be sent at once: as many as you like where nobody listens, else what fits the smallest
    /// buffer; 83 for one of the default size. May change from one go to the next.
    pub fn routes_in_one_go(&self) -> usize {
        self.patience.go()
    }

    /// To be called before so many routes are sent. Returns at once before the first go and where nobody listens, else
    /// when enough of what was sent has been read for this to fit; whoever reads nothing for two seconds, or less than 2 000 routes a second for long, is left
    /// behind. May be dropped.
    pub async fn breathe(&mut self, routes: usize) {
        self.paced.goes += 1;
        let nobody = self.patience.neighbors().is_empty();
        if self.paced.goes == 1 || nobody && self.looked.elapsed() < LOOK_AGAIN {
            return;
        }
        let mut waited = Duration::ZERO;
        while !self.patience.look(&self.sockets.listeners(), waited) {
            let before = Instant::now();
            sleep(BREATH).await;
            waited = before.elapsed();
            self.paced.waited += waited;
        }
        self.looked = Instant::now();
        self.patience.sends(routes);
    }

    /// The last look: who listened, and who lost what.
    pub fn end(mut self) -> Paced {
        self.patience
            .look(&self.sockets.listeners(), Duration::ZERO);
        self.paced.neighbors = self.patience.into_neighbors();
        self.paced
    }
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
