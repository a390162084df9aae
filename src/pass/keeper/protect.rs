//! What must be protected is excluded from the kernel's routes, from memory (I/O).

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::Event;
use super::restore::{Current, unless};
use super::serve::{PAUSE, Server};
use crate::discover::SourceAnswer;
use crate::pass::discovery::{self, Where};
use crate::prefix::PrefixSet;
use crate::targets::{Removable, Target, Wanted};

impl Server {
    /// Something appeared or disappeared: look, and exclude new space from the routes, at once and
    /// from memory.
    pub(super) async fn protect(&mut self) {
        // A scan reads all routes, which takes seconds if another program changes them all the
        // time. Networks that the kernel reported by name do not wait for it.
        if self.take_named() {
            self.cut_out().await;
        }
        if Instant::now() >= self.next_look {
            self.next_look = Instant::now() + PAUSE;
            if self.protect_current().await {
                self.cut_out().await;
            }
        }
        self.tell(Event::Around);
    }

    /// Make the kernel's routes as ordered after space was excluded from the order.
    pub(super) async fn cut_out(&mut self) {
        let _lock = self.lock();
        match self.current().await {
            Current::Kept => {
                let applied = self.restore().await;
                self.tell(Event::Kept(Box::new(applied)));
            }
            Current::Changed | Current::Silent => self.remove_protected().await,
            Current::Withdrawn => {}
        }
    }

    /// Remove only the routes that cover protected space, if it is not known what else should be
    /// installed. The order that follows reinstalls the rest of their space.
    pub(super) async fn remove_protected(&mut self) {
        let Some(kept) = &self.kept else { return };
        let removable = Removable::OnlyRecorded {
            ever: Arc::default(),
            protected: kept.wanted.protected.clone(),
        };
        let wanted = Wanted {
            removable,
            ..Wanted::nothing(&kept.wanted.config, self.now())
        };
        self.kernel.apply(&wanted).await;
        self.kernel.fib.expect_change();
    }

    /// Read what the kernel shows. Returns whether something in it was not protected.
    pub(super) async fn protect_current(&mut self) -> bool {
        let answers = self.scan().await;
        self.news.store(true, Ordering::Relaxed);
        self.appears(nets(&answers))
    }

    /// Take in the networks that the kernel reported by name. Returns whether something in them was
    /// not protected.
    pub(super) fn take_named(&mut self) -> bool {
        let named = PrefixSet::of_nets(self.watch.appeared());
        self.appears(named)
    }

    /// Exclude this space from the order. Returns whether something in it was not protected.
    pub(super) fn appears(&mut self, shown: PrefixSet) -> bool {
        let mut new = shown;
        if let Some(kept) = &self.kept {
            new = kept.wanted.unprotected(&new);
        }
        if new.is_empty() {
            return false;
        }
        self.news.store(true, Ordering::Relaxed);
        self.appeared = self.appeared.union(&new);
        if let Some(kept) = &mut self.kept {
            Arc::make_mut(&mut kept.wanted).protect(&new);
        }
        true
    }

    /// What the kernel shows now of the sources that protect. A network that it reports by name
    /// meanwhile is protected meanwhile.
    pub(super) async fn scan(&mut self) -> Vec<SourceAnswer> {
        let config = self.config.clone();
        let mut looking = pin!(discovery::scan_sources(&config, Where::Kernel));
        let answers = loop {
            if let Some(answers) = unless(&mut looking, self.watch.named()).await {
                break answers;
            }
            if self.take_named() {
                self.cut_out().await;
            }
        };
        self.watch.know(&answers);
        answers
    }
}

fn nets(answers: &[SourceAnswer]) -> PrefixSet {
    let found = answers.iter().flat_map(|(_, shown)| &shown.found);
    PrefixSet::of_nets(found.filter_map(|found| found.net()))
}
