//! One look at one feed: over HTTP, or into a local file (I/O).

use crate::config::{Config, FeedConfig, Origin};
use crate::feed::fetch::{Fetched, Fetcher, Line, Validators};
use crate::feed::formats::parse_body;
use crate::feed::{FeedCopy, Refused, file};

/// What a look gave, before it is judged.
pub enum Look {
    /// The copy at hand is still the current one.
    Unchanged,
    /// A body that is a whole list, and what it lists.
    Copy(Vec<u8>, Box<FeedCopy>, Validators),
    /// Nothing to judge.
    Failed(Refused),
}

/// An HTTP client where one is needed; where there is none, why: that is the remote feeds' failure
/// and nobody else's.
pub fn fetcher_for(config: &Config, wanted: &[&FeedConfig]) -> Result<Fetcher, String> {
    let remote = wanted
        .iter()
        .any(|feed| matches!(feed.origin, Origin::Url(_)));
    if !remote {
        return Err("no HTTP client".to_owned());
    }
    Fetcher::new(config.fetch.clone())
}

/// One look: what is there, as far as it can be had.
pub async fn look(
    config: &Config,
    feed: &FeedConfig,
    known: &Validators,
    fetcher: Result<Fetcher, String>,
    line: &Line,
) -> Look {
    let found = match (&feed.origin, fetcher) {
        (Origin::Path(path), _) => {
            let body = file::read(path, config.fetch.max_bytes);
            body.map(|body| Fetched::Body(body, Validators::default()))
        }
        (Origin::Url(url), Ok(fetcher)) => fetcher.get(url, &feed.access, known, line).await,
        (Origin::Url(_), Err(why)) => Err(Refused::Unreachable(why)),
    };
    match found {
        Ok(Fetched::Unchanged) => Look::Unchanged,
        Ok(Fetched::Body(body, validators)) => read(feed, body, validators).await,
        Err(refused) => Look::Failed(refused),
    }
}

/// Read a body on a thread of its own: a long list must not let the other downloads wait.
async fn read(feed: &FeedConfig, body: Vec<u8>, validators: Validators) -> Look {
    let rules = feed.rules.clone();
    let reading = tokio::task::spawn_blocking(move || (parse_body(&body, &rules), body));
    match reading.await {
        Ok((Ok(copy), body)) => Look::Copy(body, Box::new(copy), validators),
        Ok((Err(refused), _)) => Look::Failed(refused),
        Err(error) => Look::Failed(Refused::Unreachable(format!("not read: {error}"))),
    }
}
