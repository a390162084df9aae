//! Feeds over HTTP (I/O): conditional, bounded in time and size, honest about who asks.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{
    ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::{Client, StatusCode, Url, redirect};
use url::Host;

use super::Refused;

/// Bounds of one download, and how we introduce ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// Longest time for name, connection and TLS.
    pub connect_timeout: Duration,
    /// Longest time for the whole download.
    pub timeout: Duration,
    /// Largest body, in bytes.
    pub max_bytes: u64,
    /// Whom a publisher can write to; goes into the User-Agent.
    pub contact: Option<String>,
}

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
pub struct Fetcher {
    client: Client,
    limits: FetchLimits,
}

impl Fetcher {
    /// Redirects followed at most.
    const MAX_REDIRECTS: usize = 5;

    /// A fetcher with these limits.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub fn new(limits: FetchLimits) -> Result<Self, String> {
        let mut agent = concat!("nullrouted/", env!("CARGO_PKG_VERSION")).to_owned();
        if let Some(contact) = &limits.contact {
            agent.push_str(&format!(" (+{contact})"));
        }
        // Fails only when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(agent)
            .connect_timeout(limits.connect_timeout)
            .timeout(limits.timeout)
            .pool_max_idle_per_host(0)
            .redirect(redirect::Policy::custom(only_to_https))
            .build()
            .map_err(|error| format!("no HTTP client: {}", chain(&error)))?;
        Ok(Self { client, limits })
    }

    /// Ask for `url`, naming the copy at hand by its validators.
    pub async fn get(&self, url: &Url, known: &Validators) -> Result<Fetched, Refused> {
        let mut request = self.client.get(url.clone());
        if let Some(etag) = &known.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(date) = &known.last_modified {
            request = request.header(IF_MODIFIED_SINCE, date);
        }
        let mut response = request.send().await.map_err(|error| self.failure(&error))?;
        let status = response.status();
        let asked = known.etag.is_some() || known.last_modified.is_some();
        if status == StatusCode::NOT_MODIFIED && asked {
            return Ok(Fetched::Unchanged);
        }
        if status != StatusCode::OK {
            return Err(Refused::Unreachable(format!("HTTP {status}")));
        }
        let validators = Validators {
            etag: header(response.headers(), ETAG),
            last_modified: header(response.headers(), LAST_MODIFIED),
        };
        let too_large = Refused::TooLarge(self.limits.max_bytes);
        if response
            .content_length()
            .is_some_and(|length| length > self.limits.max_bytes)
        {
            return Err(too_large);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.failure(&error))?
        {
            if (body.len() + chunk.len()) as u64 > self.limits.max_bytes {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched::Body(body, validators))
    }

    fn failure(&self, error: &reqwest::Error) -> Refused {
        if error.is_timeout() && !error.is_connect() {
            Refused::TooSlow(self.limits.timeout.as_secs())
        } else if error.is_body() || error.is_decode() {
            Refused::Incomplete(format!("the connection ended early ({})", root(error)))
        } else if error.is_redirect() {
            Refused::Unreachable(root(error))
        } else {
            Refused::Unreachable(chain(error))
        }
    }
}

/// A redirect may lead to another https URL and nowhere else.
fn only_to_https(attempt: redirect::Attempt) -> redirect::Action {
    if attempt.previous().len() > Fetcher::MAX_REDIRECTS {
        return attempt.error("redirected too often");
    }
    if attempt.url().scheme() != "https" {
        let why = format!("redirected to {}, which is not https", attempt.url());
        return attempt.error(why);
    }
    if attempt.url().host().is_some_and(is_home) {
        let why = format!(
            "redirected to {}, which is a private address",
            attempt.url()
        );
        return attempt.error(why);
    }
    attempt.follow()
}

/// Whether a host is written as an address of this machine or of a private network. (A name that
/// resolves to one is not noticed here.)
fn is_home(host: Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(ip) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Host::Ipv6(ip) => {
            let mapped = ip.to_ipv4_mapped().is_some();
            mapped
                || ip.is_loopback()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
        }
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// The innermost cause: what really went wrong.
fn root(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// What was attempted and the innermost cause, without the layers between.
fn chain(error: &reqwest::Error) -> String {
    let what = if error.is_connect() {
        "no connection"
    } else {
        "request failed"
    };
    format!("{what}: {}", root(error))
}
