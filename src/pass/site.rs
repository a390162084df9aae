//! Where a change of the operator is made: in a pass of its own, or in one that is under way and
//! waits for downloads.

use std::pin::Pin;
use std::sync::Arc;

use super::apply::Applying;
use super::gather::{FeedSelection, FetchMode};
use super::inputs::Cache;
use super::{Outcome, PassError};
use crate::config::Config;
use crate::ledger::{GenerationCause, Ledger, LedgerError};

/// What a change is made with.
pub struct At<'a> {
    /// The configuration.
    pub config: &'a Arc<Config>,
    /// The ledger, open for writing; the lock of a pass is held.
    pub ledger: &'a Ledger,
    /// What earlier passes of this process left in memory.
    pub cache: &'a mut Cache,
}

/// A pass that is being made.
pub type Passing<'s> = Pin<Box<dyn Future<Output = Result<Outcome, PassError>> + 's>>;

/// Where a change is made.
pub trait Site {
    /// What it is made with.
    ///
    /// # Errors
    /// The ledger is not open.
    fn at(&mut self) -> Result<At<'_>, LedgerError>;

    /// Apply what was written down. A running pass fetches no feed for it.
    fn pass<'s>(
        &'s mut self,
        fetch: (FeedSelection<'s>, FetchMode),
        cause: GenerationCause,
    ) -> Passing<'s>;
}

impl Site for Applying<'_> {
    fn at(&mut self) -> Result<At<'_>, LedgerError> {
        Ok(At {
            config: self.config,
            ledger: self.ledger,
            cache: self.cache,
        })
    }

    fn pass<'s>(
        &'s mut self,
        fetch: (FeedSelection<'s>, FetchMode),
        cause: GenerationCause,
    ) -> Passing<'s> {
        Box::pin(async move {
            self.ledger.adopt_flush()?;
            if fetch.0 != FeedSelection::Entry {
                self.scan_local().await?;
            }
            self.apply(cause).await
        })
    }
}

/// Changes that come while a pass waits for downloads.
pub trait Inbox {
    /// Wait until there is one.
    fn arrives<'s>(&'s self) -> Pin<Box<dyn Future<Output = ()> + 's>>;

    /// Make those that are there.
    fn serve<'s>(&'s self, site: &'s mut dyn Site) -> Pin<Box<dyn Future<Output = ()> + 's>>;
}

/// None comes: the pass of a verb.
pub struct NoInbox;

impl Inbox for NoInbox {
    fn arrives<'s>(&'s self) -> Pin<Box<dyn Future<Output = ()> + 's>> {
        Box::pin(std::future::pending())
    }

    fn serve<'s>(&'s self, _site: &'s mut dyn Site) -> Pin<Box<dyn Future<Output = ()> + 's>> {
        Box::pin(std::future::ready(()))
    }
}
