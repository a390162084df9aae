//! Feeds over HTTP (I/O): conditional, bounded in time and size, honest about who asks.
//!
//! Two clients: one for the host that the operator configured, wherever that is, and one for the hosts
//! it redirects to, which must be https and not ours, and never see a secret.

mod access;
mod client;
mod failure;
mod limits;
mod private;
mod progress;
mod redirect;
mod resolve;
mod speed;
mod wait;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use reqwest::header::{
    ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::time::{Instant, timeout, timeout_at};

use super::Refused;
pub use access::{Access, Secret};
use client::Clients;
pub use limits::FetchLimits;
pub use private::is_private;
pub use progress::{Line, Progress};
use speed::Speed;

/// What the server said to recognise its copy by. Kept with the copy, sent with the next request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`, as it was sent.
    pub etag: Option<String>,
    /// `Last-Modified`, as it was sent.
    pub last_modified: Option<String>,
}

/// A successful answer.
#[derive(Debug)]
pub enum Fetched {
    /// 304: the copy we named is still the current one.
    Unchanged,
    /// A body, not yet judged.
    Body(Vec<u8>, Validators),
}

/// Downloads feeds; one for a pass, shared by all of them.
#[derive(Clone, Debug)]
pub struct Fetcher(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clients: Clients,
    home: Client,
    /// For this very machine, which no proxy has to do with.
    straight: Client,
    away: Client,
    limits: FetchLimits,
    /// Files of secrets whose permissions were judged in this pass.
    judged: Mutex<HashSet<PathBuf>>,
}

impl Fetcher {
    /// Redirects followed at most.
    const MAX_REDIRECTS: usize = 5;

    /// A fetcher with these limits.
    ///
    /// # Errors
    /// When the system's certificates or `ca_file` cannot be read.
    pub fn new(limits: FetchLimits) -> Result<Self, String> {
        let clients = Clients::new(&limits)?;
        let home = clients.home()?;
        Ok(Self(Arc::new(Shared {
            straight: match clients.proxied() {
                true => clients.straight()?,
                false => home.clone(),
            },
            home,
            away: clients.away()?,
            clients,
            limits,
            judged: Mutex::default(),
        })))
    }

    /// Ask for `url` with what `access` gives, naming the copy at hand by its validators.
    ///
    /// # Errors
    /// [`Refused`] with what was seen; no secret is in it.
    pub async fn get(
        &self,
        url: &Url,
        access: &Access,
        known: &Validators,
        line: &Line,
    ) -> Result<Fetched, Refused> {
        let limit = self.0.limits.timeout;
        timeout(limit, self.download(url, access, known, line))
            .await
            .unwrap_or(Err(Refused::TooSlow(limit.as_secs())))
    }

    async fn download(
        &self,
        url: &Url,
        access: &Access,
        known: &Validators,
        line: &Line,
    ) -> Result<Fetched, Refused> {
        let response = self.follow(url, access, known).await?;
        let status = response.status();
        let asked = known.etag.is_some() || known.last_modified.is_some();
        if status == StatusCode::NOT_MODIFIED && asked {
            return Ok(Fetched::Unchanged);
        }
        if status != StatusCode::OK {
            let said = format!("HTTP {status}");
            let wait = wait::retry_after(status, response.headers(), SystemTime::now());
            return Err(match wait {
                Some(wait) => Refused::Throttled(said, wait),
                None => Refused::Unreachable(said),
            });
        }
        let validators = Validators {
            etag: header(response.headers(), ETAG),
            last_modified: header(response.headers(), LAST_MODIFIED),
        };
        let body = self.body(response, line).await?;
        Ok(Fetched::Body(body, validators))
    }

    /// The answer that is no redirect. Secrets stay with the place that was configured; once a redirect
    /// has led away from it, none leads back.
    async fn follow(
        &self,
        url: &Url,
        access: &Access,
        known: &Validators,
    ) -> Result<Response, Refused> {
        let Shared {
            clients, limits, ..
        } = &*self.0;
        self.judge_permissions(access);
        let secret = access.open()?;
        let here = private::is_this_machine(url);
        let own = access.identity()?.map(|own| clients.home_with(own, here));
        let own = own.transpose()?;
        let home = own.as_ref().unwrap_or(match here {
            true => &self.0.straight,
            false => &self.0.home,
        });
        let (mut at, mut at_home) = (url.clone(), true);
        for _ in 0..=Self::MAX_REDIRECTS {
            let mut request = match at_home {
                true => secret.put(home.get(at.clone())),
                false => self.0.away.get(at.clone()),
            };
            if let Some(etag) = &known.etag {
                request = request.header(IF_NONE_MATCH, etag);
            }
            if let Some(date) = &known.last_modified {
                request = request.header(IF_MODIFIED_SINCE, date);
            }
            let limit = limits.first_byte_timeout;
            let response = timeout(limit, request.send())
                .await
                .map_err(|_| {
                    Refused::Unreachable(format!("no answer after {} s", limit.as_secs()))
                })?
                .map_err(|error| failure::refused(&error, limits))?;
            let Some(next) = redirect::target(&at, response.status(), response.headers())? else {
                return Ok(response);
            };
            at_home = at_home && redirect::same_place(url, &next);
            if !at_home {
                redirect::permitted(&next)?;
                self.judge_for_proxy(&next).await?;
            }
            at = next;
        }
        Err(Refused::Unreachable(format!(
            "redirected more than {} times",
            Self::MAX_REDIRECTS
        )))
    }

    /// A proxy resolves names by itself, past our resolver.
    async fn judge_for_proxy(&self, next: &Url) -> Result<(), Refused> {
        match next.domain() {
            Some(name) if self.0.clients.proxied() => resolve::check(name)
                .await
                .map_err(|private| Refused::Unreachable(private.to_string())),
            _ => Ok(()),
        }
    }

    async fn body(&self, mut response: Response, line: &Line) -> Result<Vec<u8>, Refused> {
        let limits = &self.0.limits;
        let length = response.content_length();
        if length.is_some_and(|length| length > limits.max_bytes) {
            return Err(Refused::TooLarge(limits.max_bytes));
        }
        line.begin(length);
        let mut speed = Speed::new(limits.min_speed, limits.min_speed_time, Instant::now());
        let mut body = Vec::new();
        loop {
            let Ok(chunk) = timeout_at(speed.until(), response.chunk()).await else {
                if !speed.suffices(Instant::now()) {
                    return Err(Refused::BelowSpeed(limits.min_speed));
                }
                continue;
            };
            let Some(chunk) = chunk.map_err(|error| failure::refused(&error, limits))? else {
                return Ok(body);
            };
            if (body.len() + chunk.len()) as u64 > limits.max_bytes {
                return Err(Refused::TooLarge(limits.max_bytes));
            }
            body.extend_from_slice(&chunk);
            speed.got(chunk.len());
            line.at(body.len());
        }
    }

    /// Say once a pass which secrets are open to everybody.
    fn judge_permissions(&self, access: &Access) {
        let mut judged = self.0.judged.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, file) in access.files() {
            if judged.insert(file.to_owned())
                && let Some(problem) = access::open_to_all(key, file)
            {
                tracing::warn!("{problem}");
            }
        }
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
