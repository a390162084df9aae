//! One attempt to fetch a feed: over HTTP, or from a local file (I/O).

use std::sync::Arc;

use tokio::sync::OnceCell;
use url::Url;

use crate::config::{Config, FeedConfig, Origin};
use crate::digest;
use crate::feed::fetch::{AddressRequester, Asked, Fetched, Fetcher, SecretFile, Validators};
use crate::feed::file;
use crate::feed::formats::parse_body;
use crate::feed::{FeedCopy, Refused};
use crate::progress::{Line, Progress};

/// The result of an attempt, before it is accepted.
pub enum Attempt {
    /// The copy at hand is still the current one.
    Unchanged,
    /// A body that is a whole list.
    Copy(Body, Validators),
    Failed(Refused),
}

/// A body with its name and what it lists.
pub struct Body {
    pub bytes: Vec<u8>,
    pub digest: String,
    pub copy: Arc<FeedCopy>,
}

/// A copy that was read before, by the digest of its body.
pub type KnownCopy = Option<(String, Arc<FeedCopy>)>;

/// The HTTP client of a pass, made by the first attempt that needs it. Where none can be made, the
/// reason: only remote feeds fail by it.
#[derive(Clone)]
pub struct Client {
    made: Arc<OnceCell<Result<Fetcher, String>>>,
    addresses: Option<AddressRequester>,
}

impl Client {
    /// A client that has an address opened before it connects to it, if that is dropped now.
    pub fn asking(addresses: Option<AddressRequester>) -> Self {
        Self {
            made: Arc::default(),
            addresses,
        }
    }

    async fn ask(
        &self,
        config: &Config,
        asked: Asked<'_>,
        feed: &FeedConfig,
        validators: &Validators,
        line: &Line,
    ) -> Result<Fetched, Refused> {
        let make = || Fetcher::new(config.fetch.clone(), self.addresses.clone());
        match self.made.get_or_init(make).await {
            Ok(fetcher) => fetcher.get(asked, &feed.access, validators, line).await,
            Err(why) => Err(Refused::Unreachable(why.clone())),
        }
    }
}

/// Where an attempt reads.
enum FileOrUrl<'a, F> {
    /// A file that is being read.
    File(F),
    Url(&'a Url),
    UrlFile(&'a SecretFile),
}

/// Fetch a feed once. A file is read from the call on: what else a
/// pass does first goes on meanwhile.
pub fn attempt<'a>(
    config: &'a Config,
    feed: &'a FeedConfig,
    (validators, known): (Validators, KnownCopy),
    client: Client,
    progress: &'a Progress,
) -> impl Future<Output = Attempt> + 'a {
    let limits = &config.fetch;
    let way = match &feed.origin {
        Origin::Path(path) => FileOrUrl::File(file::read(path, limits.max_bytes, limits.timeout)),
        Origin::Url(url) => FileOrUrl::Url(url),
        Origin::UrlFile(file) => FileOrUrl::UrlFile(file),
    };
    async move {
        let line = progress.line(&feed.name);
        let found = match way {
            FileOrUrl::File(reading) => match reading.await {
                Ok(body) => return read(feed, body, known, Validators::default()).await,
                Err(refused) => Err(refused),
            },
            FileOrUrl::Url(url) => {
                let is_secret = false;
                let asked = Asked { url, is_secret };
                client.ask(config, asked, feed, &validators, &line).await
            }
            FileOrUrl::UrlFile(file) => match file.url().await {
                Ok(url) => {
                    let (url, is_secret) = (&url, true);
                    let asked = Asked { url, is_secret };
                    client.ask(config, asked, feed, &validators, &line).await
                }
                Err(refused) => Err(refused),
            },
        };
        match found {
            Ok(Fetched::Unchanged) => Attempt::Unchanged,
            Ok(Fetched::Body(body, validators)) => read(feed, body, known, validators).await,
            Err(refused) => Attempt::Failed(refused),
        }
    }
}

/// Read a body on a thread of its own: a long list must not let the other downloads wait. One that
/// was read before is not read again.
async fn read(
    feed: &FeedConfig,
    bytes: Vec<u8>,
    known: KnownCopy,
    validators: Validators,
) -> Attempt {
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
        Ok(Ok(body)) => Attempt::Copy(body, validators),
        Ok(Err(refused)) => Attempt::Failed(refused),
        Err(error) => Attempt::Failed(Refused::Unreachable(format!("not read: {error}"))),
    }
}
