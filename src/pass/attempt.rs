//! One look at one feed: over HTTP, or into a local file (I/O).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use url::Url;

use crate::config::{Config, FeedConfig, Origin};
use crate::digest;
use crate::feed::fetch::{Desk, Fetched, Fetcher, Validators};
use crate::feed::file::{self, Local};
use crate::feed::formats::parse_body;
use crate::feed::{FeedCopy, Refused};
use crate::progress::Progress;

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

/// The HTTP client of a pass, made by the first look that needs it; where none can be made, why:
/// that is the remote feeds' failure and nobody else's.
#[derive(Clone)]
pub struct Client {
    made: Arc<OnceCell<Result<Fetcher, String>>>,
    desk: Option<Desk>,
}

impl Client {
    /// One that asks there before it connects to an address that is dropped now.
    pub fn asking(desk: Option<Desk>) -> Self {
        Self {
            made: Arc::default(),
            desk,
        }
    }

    async fn get(&self, config: &Config) -> &Result<Fetcher, String> {
        let make = || Fetcher::asking(config.fetch.clone(), self.desk.clone());
        self.made.get_or_init(make).await
    }
}

/// Where a look comes from.
enum Way<'a, F> {
    /// A file that is being read.
    Local(F),
    Far(&'a Url),
}

/// One look: what is there, as far as it can be had. A file is read from the call on: what else a
/// pass does first goes on meanwhile.
pub fn look<'a>(
    config: &'a Config,
    feed: &'a FeedConfig,
    (validators, known): (Validators, Known),
    client: Client,
    progress: &'a Progress,
) -> impl Future<Output = Look> + 'a {
    let limits = &config.fetch;
    let way = match &feed.origin {
        Origin::Path(path) => Way::Local(file::read(path, limits.max_bytes, limits.timeout)),
        Origin::Url(url) => Way::Far(url),
    };
    async move {
        let line = progress.line(&feed.name);
        let found = match way {
            Way::Local(reading) => match reading.await {
                Ok(local) => {
                    let body = read(feed, local.body, known, Validators::default()).await;
                    return written(body, local.age);
                }
                Err(refused) => Err(refused),
            },
            Way::Far(url) => match client.get(config).await {
                Ok(fetcher) => fetcher.get(url, &feed.access, &validators, &line).await,
                Err(why) => Err(Refused::Unreachable(why.clone())),
            },
        };
        match found {
            Ok(Fetched::Unchanged) => Look::Unchanged,
            Ok(Fetched::Body(body, validators)) => read(feed, body, known, validators).await,
            Err(refused) => Look::Failed(refused),
        }
    }
}

/// What was read of a local file, unless it may still be being written.
fn written(look: Look, age: Duration) -> Look {
    let unended = matches!(&look, Look::Copy(body, _) if body.copy.unended);
    match Local::is_written(age, unended) {
        Ok(()) => look,
        Err(refused) => Look::Failed(refused),
    }
}

/// Read a body on a thread of its own: a long list must not let the other downloads wait. One that
/// was read before is not read again.
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
