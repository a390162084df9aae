//! One look at one feed: over HTTP, or into a local file (I/O).

use std::sync::Arc;

use crate::config::{Config, FeedConfig, Origin};
use crate::digest;
use crate::feed::fetch::{Desk, Fetched, Fetcher, Line, Validators};
use crate::feed::formats::parse_body;
use crate::feed::{FeedCopy, Refused, file};

/// What a look gave, before it is judged.
pub enum Look {
    /// The copy at hand is still the current one.
    Unchanged,
    /// A body that is a whole list.
    Copy(Body, Validators),
    /// Nothing to judge.
    Failed(Refused),
}

/// A body with its name and what it lists.
pub struct Body {
    pub bytes: Vec<u8>,
    pub digest: String,
    pub copy: Arc<FeedCopy>,
}

/// A copy that was read before, by the digest of its body.
pub type Known = Option<(String, Arc<FeedCopy>)>;

/// An HTTP client where one is needed; where there is none, why: that is the remote feeds' failure
/// and nobody else's.
pub fn fetcher_for(
    config: &Config,
    wanted: &[&FeedConfig],
    desk: Option<Desk>,
) -> Result<Fetcher, String> {
    let remote = wanted
        .iter()
        .any(|feed| matches!(feed.origin, Origin::Url(_)));
    if !remote {
        return Err("no HTTP client".to_owned());
    }
    Fetcher::asking(config.fetch.clone(), desk)
}

/// One look: what is there, as far as it can be had.
pub async fn look(
    config: &Config,
    feed: &FeedConfig,
    (validators, known): (&Validators, Known),
    fetcher: Result<Fetcher, String>,
    line: &Line,
) -> Look {
    let found = match (&feed.origin, fetcher) {
        (Origin::Path(path), _) => {
            let body = file::read(path, config.fetch.max_bytes);
            body.map(|body| Fetched::Body(body, Validators::default()))
        }
        (Origin::Url(url), Ok(fetcher)) => fetcher.get(url, &feed.access, validators, line).await,
        (Origin::Url(_), Err(why)) => Err(Refused::Unreachable(why)),
    };
    match found {
        Ok(Fetched::Unchanged) => Look::Unchanged,
        Ok(Fetched::Body(body, validators)) => read(feed, body, known, validators).await,
        Err(refused) => Look::Failed(refused),
    }
}

/// Read a body on a thread of its own: a long list must not let the other downloads wait. One that was read
/// before is not read again.
async fn read(feed: &FeedConfig, bytes: Vec<u8>, known: Known, validators: Validators) -> Look {
    let rules = feed.rules.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let digest = digest::of(&bytes);
        let copy = match known {
            Some((name, copy)) if name == digest => copy,
            _ => {
                let mut copy = parse_body(&bytes, &rules)?;
                copy.ascend();
                Arc::new(copy)
            }
        };
        Ok(Body {
            bytes,
            digest,
            copy,
        })
    });
    match reading.await {
        Ok(Ok(body)) => Look::Copy(body, validators),
        Ok(Err(refused)) => Look::Failed(refused),
        Err(error) => Look::Failed(Refused::Unreachable(format!("not read: {error}"))),
    }
}
