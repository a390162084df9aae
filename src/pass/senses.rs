//! What is noticed between and during passes (I/O).

use super::around;
use crate::config::Config;
use crate::discover::Watch;
use crate::target::kernel::Fib;
use crate::time::Timestamp;

/// What is heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// An address or a gateway may have appeared, or gone.
    Around,
    /// Somebody changed routes, and ours are not as they should be.
    Routes,
}

/// Who notices that an address or a gateway appears, and who keeps our routes.
pub struct Senses {
    /// For what must not be dropped.
    pub around: Watch,
    /// For our routes, and the way to change them.
    pub fib: Fib,
}

impl Senses {
    /// Those of a daemon.
    pub fn open(config: &Config) -> Self {
        let mut senses = Self::of_verb(config);
        if config.kernel.enabled {
            senses.fib = Fib::listening().unwrap_or_else(|error| {
                tracing::warn!(
                    "watch  a route that somebody removes is noticed at the next audit only: no netlink socket: {error}"
                );
                Fib::default()
            });
        }
        senses
    }

    /// Those of a verb: it makes one pass, and reads the routes anew.
    pub fn of_verb(config: &Config) -> Self {
        Self {
            around: around::watch(config),
            fib: Fib::default(),
        }
    }

    /// Return when there is something to look at. May be dropped at any point: nothing is lost.
    pub async fn changed(&mut self) -> News {
        tokio::select! {
            () = self.around.changed() => News::Around,
            () = self.fib.disturbed() => News::Routes,
        }
    }

    /// Whether [`changed`](Self::changed) has something to say, without waiting. A change is told once, here or there.
    pub fn poll_changed(&mut self, now: Timestamp) -> bool {
        self.around.poll_changed() | self.fib.poll_disturbed(now)
    }
}
