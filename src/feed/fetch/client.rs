//! The HTTP clients (I/O): one for the hosts that the operator configured, one for those they
//! redirect to.

use std::env;

use reqwest::{Certificate, Client, ClientBuilder, Identity, NoProxy, Proxy, Url, redirect};

use super::connect::OnTheWay;
use super::failure::root;
use super::resolve::Guarded;
use super::{FetchLimits, Refused};
use crate::files;

/// Largest bundle of authorities, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Builds the clients, which differ only slightly.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    limits: FetchLimits,
    authorities: Vec<Certificate>,
    /// Host names of the proxies in use.
    proxies: Vec<String>,
}

impl Clients {
    /// What all clients share.
    ///
    /// # Errors
    /// When the bundle of authorities cannot be read.
    pub(super) async fn new(limits: &FetchLimits) -> Result<Self, String> {
        let authorities = match &limits.ca_file {
            None => Vec::new(),
            Some(file) => {
                let named = |why: String| format!("ca_file: {}: {why}", file.display());
                let pem = files::within_async(file, files::PATIENCE, |f| files::read(f, MAX_BYTES));
                let pem = pem.await.map_err(|error| named(error.to_string()))?;
                let found = Certificate::from_pem_bundle(&pem);
                let found = found.map_err(|error| named(root(&error)))?;
                if found.is_empty() {
                    return Err(named("no certificate in it".to_owned()));
                }
                found
            }
        };
        // Fails only if a provider is installed already, which works as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            limits: limits.clone(),
            authorities,
            proxies: proxies(limits.proxy.as_ref(), |name| env::var(name).ok()),
        })
    }

    /// Whether a proxy may resolve the names and make the connections.
    pub(super) fn proxied(&self) -> bool {
        !self.proxies.is_empty()
    }

    /// A client for configured hosts.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub(super) fn home(&self) -> Result<Client, String> {
        finish(self.builder()?)
    }

    /// A client for services of this machine: a proxy would see the request and its secret, and
    /// connect to its own loopback.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub(super) fn straight(&self) -> Result<Client, String> {
        finish(self.builder()?.no_proxy())
    }

    /// The same for one feed that has a certificate of its own, on this machine or elsewhere.
    ///
    /// # Errors
    /// [`Refused::Unreachable`], for example if certificate and key do not belong together.
    pub(super) fn home_with(&self, identity: Identity, here: bool) -> Result<Client, Refused> {
        let builder = self.builder().map(|builder| builder.identity(identity));
        let builder = builder.map(|builder| match here {
            true => builder.no_proxy(),
            false => builder,
        });
        builder.and_then(finish).map_err(Refused::Unreachable)
    }

    /// A client for the hosts that redirects lead to.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub(super) fn away(&self) -> Result<Client, String> {
        let guarded = Guarded::new(&self.proxies);
        finish(self.builder()?.https_only(true).dns_resolver(guarded))
    }

    fn builder(&self) -> Result<ClientBuilder, String> {
        let mut agent = concat!("nullrouted/", env!("CARGO_PKG_VERSION")).to_owned();
        if let Some(contact) = &self.limits.contact {
            agent.push_str(&format!(" (+{contact})"));
        }
        let mut builder = Client::builder()
            .user_agent(agent)
            .connect_timeout(self.limits.connect_timeout)
            .pool_max_idle_per_host(0)
            .redirect(redirect::Policy::none())
            .referer(false)
            .dns_resolver(OnTheWay)
            .tls_certs_merge(self.authorities.iter().cloned());
        if let Some(url) = &self.limits.proxy {
            let proxy = Proxy::all(url.clone()).map_err(|error| root(&error))?;
            builder = builder.proxy(proxy.no_proxy(NoProxy::from_env()));
        }
        Ok(builder)
    }
}

fn finish(builder: ClientBuilder) -> Result<Client, String> {
    let client = builder.build();
    client.map_err(|error| format!("no HTTP client: {}", root(&error)))
}

/// The hosts of the proxies: of the configured one, or of those in the environment.
fn proxies(configured: Option<&Url>, environment: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let host = |url: &Url| url.host_str().map(str::to_owned);
    if let Some(url) = configured {
        return host(url).into_iter().collect();
    }
    let names = ["http_proxy", "https_proxy", "all_proxy"];
    let values = names.iter().flat_map(|name| {
        let upper = environment(&name.to_uppercase());
        [environment(name), upper].into_iter().flatten()
    });
    values
        .filter_map(|value| match value.contains("://") {
            true => host(&value.parse().ok()?),
            false => host(&format!("http://{value}").parse().ok()?),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxies_of_the_environment_count_unless_one_is_configured() {
        let environment = |name: &str| match name {
            "HTTPS_PROXY" => Some("http://Proxy.example.net:3128/".to_owned()),
            "http_proxy" => Some("other.example.net:8080".to_owned()),
            _ => None,
        };
        assert_eq!(
            proxies(None, environment),
            ["other.example.net", "proxy.example.net"]
        );
        let configured = "http://squid.example.net:3128".parse().unwrap();
        assert_eq!(
            proxies(Some(&configured), environment),
            ["squid.example.net"]
        );
        assert!(proxies(None, |_| None).is_empty());
    }
}
