//! The time limit of a download (I/O: the runtime's timer).

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A time limit that can be paused.
#[derive(Debug)]
pub(super) struct TimeLimit {
    end: Cell<Instant>,
    paused: Cell<bool>,
}

/// Interval of checks while it is paused.
const GLANCE: Duration = Duration::from_millis(250);

impl TimeLimit {
    pub fn new(limit: Duration) -> Self {
        Self {
            end: Cell::new(Instant::now() + limit),
            paused: Cell::new(false),
        }
    }

    /// The result of a future within the limit; `None` after it.
    pub async fn wait_for<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        loop {
            let until = match self.paused.get() {
                true => Instant::now() + GLANCE,
                false => self.end.get(),
            };
            tokio::select! {
                biased;
                done = &mut future => return Some(done),
                () = sleep_until(until) => {
                    if !self.paused.get() && Instant::now() >= self.end.get() {
                        return None;
                    }
                }
            }
        }
    }

    /// Run a future that does not count: the limit is extended by the time it takes.
    pub async fn paused<F: Future>(&self, future: F) -> F::Output {
        let begun = Instant::now();
        self.paused.set(true);
        let done = future.await;
        self.paused.set(false);
        self.end.set(self.end.get() + begun.elapsed());
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    #[tokio::test]
    async fn what_is_waited_for_elsewhere_does_not_count() {
        let limit = Duration::from_millis(200);
        let slow = |pause: u64, work: u64| async move {
            let patience = TimeLimit::new(limit);
            let patience = &patience;
            let both = async move {
                patience.paused(sleep(Duration::from_millis(pause))).await;
                sleep(Duration::from_millis(work)).await;
            };
            patience.wait_for(both).await
        };
        assert_eq!(slow(400, 20).await, Some(()));
        assert_eq!(slow(20, 60_000).await, None);
    }
}
