//! The changes that a pass makes while it waits for downloads.

use std::pin::Pin;
use std::sync::Arc;

use super::{Queue, Verbs};
use crate::pass::{Inbox, Site};

/// The queue of the server, as a pass sees it.
#[derive(Clone)]
pub struct Changes {
    /// What waits.
    pub queue: Queue,
    /// What the verbs do.
    pub verbs: Arc<dyn Verbs>,
}

impl Inbox for Changes {
    fn arrives<'s>(&'s self) -> Pin<Box<dyn Future<Output = ()> + 's>> {
        Box::pin(self.queue.arrives())
    }

    fn serve<'s>(&'s self, site: &'s mut dyn Site) -> Pin<Box<dyn Future<Output = ()> + 's>> {
        Box::pin(async move {
            while let Some(job) = self.queue.short() {
                if job.take() {
                    self.verbs.change(&job, site).await;
                }
            }
        })
    }
}
