//! One scan of every source (I/O).

use std::io;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::{Answer, Found, Root, Source, SourceAnswer, files, hosts, kernel, sessions, speakers};

/// What a scan covers.
#[derive(Clone, Debug)]
pub struct ScanRequest<'a> {
    pub sources: &'a [Source],
    /// Hosts that must be reachable, for [`Source::FeedHosts`]: those that are written as
    /// addresses.
    pub hosts: &'a [Host],
    /// The folder below which files and programs are.
    pub root: Root,
}

/// A host that must be reachable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host {
    /// A DNS name, or an address without brackets.
    pub name: String,
    /// Its purpose, in words: `feed spamhaus-drop-v4`, `proxy`.
    pub feed: String,
}

/// A source that has not answered within this time is skipped.
const PATIENCE: Duration = Duration::from_secs(5);

/// Look at each source once, at all of them concurrently, for at most five seconds. An error of one
/// source, or of a part of it, is its own answer, in words for the operator, and does not affect
/// the others. The answers are in the order of [`Source`].
pub async fn scan(wanted: &ScanRequest<'_>) -> Vec<SourceAnswer> {
    let mut sources = wanted.sources.to_vec();
    sources.sort();
    sources.dedup();
    let answers = sources.into_iter().map(|source| async move {
        let late = |_| Answer::error(format!("no answer within {PATIENCE:?}"));
        let shown = timeout(PATIENCE, one(source, wanted)).await;
        (source, in_order(shown.unwrap_or_else(late)))
    });
    join_all(answers).await
}

async fn one(source: Source, wanted: &ScanRequest<'_>) -> Answer {
    let root = &wanted.root;
    match source {
        Source::Addresses => of_the_kernel(kernel::addresses().await),
        Source::Connected => of_the_kernel(kernel::connected().await),
        Source::Gateways => kernel::gateways().await,
        Source::Resolvers => files::resolvers(root).await,
        Source::BgpNeighbors => speakers::neighbors(root).await,
        Source::FeedHosts => hosts::literals(wanted.hosts),
        Source::Sessions => sessions::sessions(root).await,
    }
}

fn of_the_kernel(addresses: io::Result<Vec<Found>>) -> Answer {
    let unread = |error| Answer::error(format!("the addresses cannot be read: {error}"));
    addresses.map_or_else(unread, Answer::from)
}

fn in_order(mut shown: Answer) -> Answer {
    shown.found.sort();
    shown.found.dedup();
    shown
}
