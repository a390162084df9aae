//! The lists that protect: their copies from disk, and what they list as protected space (I/O).

use std::collections::BTreeMap;

use super::inputs::{Cache, View, newest};
use crate::config::Config;
use crate::feed::FeedCopy;
use crate::ledger::{CopyKind, FeedRow, Ledger, LedgerError};
use crate::pipeline::{AtHand, ProtectFeed};
use crate::policy::protect::{Protected, ProtectedAsn};
use crate::time::Timestamp;

/// What one list protects.
#[derive(Clone, Copy)]
pub struct Listed<'a> {
    pub feed: &'a str,
    pub copy: &'a FeedCopy,
}

impl Listed<'_> {
    pub fn nets(&self) -> impl Iterator<Item = Protected> {
        let v4 = self.copy.v4.iter().map(|entry| {
            let reference = self.copy.reference(entry);
            (entry.prefix().to_net(), entry.line, reference)
        });
        let v6 = self.copy.v6.iter().map(|entry| {
            let reference = self.copy.reference(entry);
            (entry.prefix().to_net(), entry.line, reference)
        });
        v4.chain(v6).map(|(net, line, reference)| Protected {
            net,
            why: self.why(line, reference),
        })
    }

    pub fn asns(&self) -> impl Iterator<Item = ProtectedAsn> {
        self.copy.origins.iter().map(|origin| ProtectedAsn {
            asn: origin.asn,
            why: self.why(origin.line, self.copy.origin_reference(origin)),
        })
    }

    fn why(&self, line: u32, reference: &str) -> String {
        let name = self.feed;
        let line = match line {
            0 => ", no longer listed by its newest copy".to_owned(),
            line => format!(" line {line}"),
        };
        match reference {
            "" => format!("protect feed {name}{line}"),
            reference => format!("protect feed {name}{line}: {reference}"),
        }
    }
}

/// Every list that protects, in order.
pub fn read(
    config: &Config,
    ledger: &Ledger,
    cache: &mut Cache,
    (rows, view): (&BTreeMap<String, FeedRow>, &View),
    now: Timestamp,
) -> Result<Vec<ProtectFeed>, LedgerError> {
    let mut found = Vec::with_capacity(config.protect_feeds.len());
    for feed in &config.protect_feeds {
        let mut row = rows.get(&feed.name).cloned().unwrap_or_default();
        let leaving = newest((config, ledger), feed, &mut row, (cache, view), now)?;
        let applied = ledger.pending_withdrawals(&feed.name, CopyKind::Applied)?;
        let mut copy = |digest: &Option<String>, leaving: &[_]| -> Option<AtHand> {
            let digest = digest.as_ref()?;
            let copy = cache.get(config, feed, digest)?;
            Some(AtHand::with(digest, copy, leaving, row.taken_at))
        };
        found.push(ProtectFeed {
            name: feed.name.as_str().into(),
            newest: copy(&row.digest, &leaving),
            in_effect: copy(&row.applied, &applied),
        });
    }
    Ok(found)
}

/// Every list that protects, for those who decide nothing.
pub(super) fn as_recorded(
    config: &Config,
    ledger: &Ledger,
    cache: &mut Cache,
    now: Timestamp,
) -> Result<Vec<ProtectFeed>, LedgerError> {
    if config.protect_feeds.is_empty() {
        return Ok(Vec::new());
    }
    let rows = ledger.feeds()?;
    read(config, ledger, cache, (&rows, &View::AsRecorded), now)
}

/// These copies, as protected space.
pub fn listed<'a>(
    feeds: &'a [ProtectFeed],
    which: impl Fn(&'a ProtectFeed) -> Option<&'a AtHand>,
) -> Vec<Listed<'a>> {
    let listed = feeds.iter().filter_map(|feed| {
        Some(Listed {
            feed: &feed.name,
            copy: &which(feed)?.copy,
        })
    });
    listed.collect()
}
