//! Feeds over HTTP (I/O): conditional requests, limits of time and size, and a User-Agent that
//! names us.
//!
//! Two clients: one for the host that the operator configured, wherever it is, and one for the
//! hosts it redirects to, which must use https, must not be local, and never receive a secret.

mod access;
mod client;
mod connect;
mod failure;
mod limits;
mod private;
mod redirect;
mod resolve;
mod secret_file;
mod speed;
mod time_limit;
mod wait;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use reqwest::header::{
    CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, TRANSFER_ENCODING,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use tokio::time::{Instant, timeout, timeout_at};

use super::Refused;
use super::body::end_last_line;
use crate::files;
use crate::progress::Line;
pub use access::{Access, Secret};
use client::Clients;
use connect::ConnectAttempts;
pub use connect::{AddressRequest, AddressRequester, HostAddress};
pub use limits::FetchLimits;
pub use private::is_this_machine;
pub use secret_file::SecretFile;
use speed::Speed;
use time_limit::TimeLimit;

/// The validators of a copy. They are kept with the copy and sent with the next request.
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
    /// 304: the named copy is still current.
    Unchanged,
    /// A body, not yet checked.
    Body(Vec<u8>, Validators),
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub url: &'a Url,
    /// Whether the URL is a secret itself: it stands in no message.
    pub is_secret: bool,
}

/// Downloads feeds; one for a pass, shared by all feeds.
#[derive(Clone, Debug)]
pub struct Fetcher(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clients: Clients,
    home: Client,
    /// For this machine, without a proxy.
    straight: Client,
    away: Client,
    limits: FetchLimits,
    /// Asked before a connection to an address that is dropped now; without it no such connection
    /// is made.
    addresses: Option<AddressRequester>,
    /// Files of secrets whose permissions were checked in this pass.
    judged: Mutex<HashSet<PathBuf>>,
}

impl Fetcher {
    /// Largest number of redirects.
    const MAX_REDIRECTS: usize = 5;

    /// A fetcher that has `addresses` opened before it connects to one that is dropped now.
    ///
    /// # Errors
    /// The system's certificates or `ca_file` cannot be read.
    pub async fn new(
        limits: FetchLimits,
        addresses: Option<AddressRequester>,
    ) -> Result<Self, String> {
        let clients = Clients::new(&limits).await?;
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
            addresses,
            judged: Mutex::default(),
        })))
    }

    /// Request a URL with this authentication; `known` names the copy at hand.
    ///
    /// # Errors
    /// [`Refused`] with the reason, which contains no secret.
    pub async fn get(
        &self,
        asked: Asked<'_>,
        access: &Access,
        known: &Validators,
        line: &Line,
    ) -> Result<Fetched, Refused> {
        let limit = self.0.limits.timeout;
        let patience = TimeLimit::new(limit);
        let download = self.download(asked, access, known, line, &patience);
        let done = patience.wait_for(download).await;
        done.unwrap_or(Err(Refused::TooSlow(limit.as_secs())))
    }

    async fn download(
        &self,
        asked: Asked<'_>,
        access: &Access,
        known: &Validators,
        line: &Line,
        patience: &TimeLimit,
    ) -> Result<Fetched, Refused> {
        let (response, way) = self.follow(asked, access, known, patience).await?;
        let status = response.status();
        let is_conditional = known.etag.is_some() || known.last_modified.is_some();
        if status == StatusCode::NOT_MODIFIED && is_conditional {
            prove(way.as_ref());
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
        // Without a length or chunks a body ends where the connection does (RFC 9112, section 6.3).
        let headers = response.headers();
        let coding = headers.get(TRANSFER_ENCODING).map(HeaderValue::as_bytes);
        let is_chunked =
            coding.is_some_and(|coding| coding.to_ascii_lowercase().ends_with(b"chunked"));
        let has_end = headers.contains_key(CONTENT_LENGTH) || is_chunked;
        let mut body = self.body(response, line).await?;
        if has_end {
            end_last_line(&mut body);
        }
        prove(way.as_ref());
        Ok(Fetched::Body(body, validators))
    }

    /// The final answer, and the way on which a complete one proves the host. Secrets are sent only
    /// to the configured host; after a redirect to another one, none is sent again.
    async fn follow(
        &self,
        asked: Asked<'_>,
        access: &Access,
        known: &Validators,
        patience: &TimeLimit,
    ) -> Result<(Response, Option<ConnectAttempts>), Refused> {
        let Asked { url, is_secret } = asked;
        let clients = &self.0.clients;
        self.judge_permissions(access).await;
        let secret = access.open().await?;
        let here = is_this_machine(url);
        let own = access
            .identity()
            .await?
            .map(|own| clients.home_with(own, here));
        let own = own.transpose()?;
        let home = own.as_ref().unwrap_or(match here {
            true => &self.0.straight,
            false => &self.0.home,
        });
        let (mut at, mut at_home) = (url.clone(), true);
        for _ in 0..=Self::MAX_REDIRECTS {
            let request = || {
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
                request
            };
            // Only for a configured host is a listed address opened: a redirect could name any.
            let way = self
                .0
                .addresses
                .clone()
                .filter(|_| at_home)
                .map(ConnectAttempts::new);
            let response = match &way {
                Some(way) => self.send_on(way, request, patience).await?,
                None => self.send(request()).await.map_err(|failed| failed.0)?,
            };
            if at.scheme() == "https" {
                // The certificate proves the host, whatever it answers.
                prove(way.as_ref());
            }
            let Some(next) = redirect::target(&at, response.status(), response.headers())? else {
                return Ok((response, way));
            };
            at_home = at_home && redirect::same_place(url, &next);
            if !at_home {
                redirect::permitted(&next, is_secret)?;
                self.judge_for_proxy(&next).await?;
            }
            at = next;
        }
        Err(Refused::Unreachable(format!(
            "redirected more than {} times",
            Self::MAX_REDIRECTS
        )))
    }

    /// Send a request to a name: first to the addresses that are not dropped, then, one after the
    /// other, to those that are.
    async fn send_on(
        &self,
        way: &ConnectAttempts,
        request: impl Fn() -> RequestBuilder,
        patience: &TimeLimit,
    ) -> Result<Response, Refused> {
        loop {
            match way.send(self.send(request())).await {
                Ok(response) => {
                    way.answered(response.remote_addr());
                    return Ok(response);
                }
                // The time for changing routes does not count as download time.
                Err(NoAnswer(_, true)) if patience.paused(way.next()).await => {}
                Err(NoAnswer(refused, _)) => return Err(refused),
            }
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, NoAnswer> {
        let limits = &self.0.limits;
        let limit = limits.first_byte_timeout;
        let late = |_| {
            let why = format!("no answer after {} s", limit.as_secs());
            NoAnswer(Refused::Unreachable(why), false)
        };
        let sent = timeout(limit, request.send()).await.map_err(late)?;
        sent.map_err(|error| NoAnswer(failure::refused(&error, limits), error.is_connect()))
    }

    /// A proxy resolves names itself, without our resolver.
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

    /// Warn once per pass about secrets that every user can read.
    async fn judge_permissions(&self, access: &Access) {
        for (key, file) in access.files() {
            // A credential is for the service alone.
            let Some(file) = file.path() else {
                continue;
            };
            let judged = self.0.judged.lock();
            let new = judged
                .unwrap_or_else(PoisonError::into_inner)
                .insert(file.to_owned());
            if !new {
                continue;
            }
            let look = move |file: &Path| Ok(access::open_to_all(key, file));
            // A file that cannot be read is reported when it is read.
            let problem = files::within_async(file, files::PATIENCE, look).await;
            if let Ok(Some(problem)) = problem {
                tracing::warn!("{problem}");
            }
        }
    }
}

/// Why a request failed, and whether there was no connection at all: then another address of the
/// host may work.
struct NoAnswer(Refused, bool);

fn prove(way: Option<&ConnectAttempts>) {
    if let Some(way) = way {
        way.proven();
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
