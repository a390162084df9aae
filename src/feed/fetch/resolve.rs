//! Names of redirects (I/O): resolved, and refused if they lead to a private address.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use super::private::is_private;

/// Resolves names for the client that follows redirects. It connects to the addresses that were
/// checked, so a name that changes in between makes no difference.
#[derive(Clone, Debug)]
pub struct Guarded {
    /// Names that may be private: those of the proxies.
    exempt: Arc<[String]>,
}

/// The name of a redirect has a private address.
#[derive(Debug)]
pub struct PrivateAddress {
    name: String,
    ip: IpAddr,
}

impl Guarded {
    /// A resolver that permits these names with any address.
    pub fn new(exempt: &[String]) -> Self {
        Self {
            exempt: exempt.into(),
        }
    }
}

impl fmt::Display for PrivateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, ip } = self;
        write!(f, "redirected to {name}, which is the private address {ip}")
    }
}

impl Error for PrivateAddress {}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let exempt = self.exempt.iter().any(|own| own == name.as_str());
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            if !exempt {
                judge(name.as_str(), &found)?;
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// Check a name that a proxy will resolve. A name that cannot be resolved here is left to the
/// proxy.
///
/// # Errors
/// [`PrivateAddress`] if it has one.
pub async fn check(name: &str) -> Result<(), PrivateAddress> {
    match lookup_host((name, 0)).await {
        Ok(found) => judge(name, &found.collect::<Vec<_>>()),
        Err(_) => Ok(()),
    }
}

/// One private address is enough: either of two addresses may be used.
fn judge(name: &str, found: &[SocketAddr]) -> Result<(), PrivateAddress> {
    let private = found.iter().map(SocketAddr::ip).find(|ip| is_private(*ip));
    private.map_or(Ok(()), |ip| {
        let name = name.to_owned();
        Err(PrivateAddress { name, ip })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_private_address_among_many_is_enough() {
        let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 0);
        let public = [at("8.8.8.8"), at("2606:4700::1")];
        assert!(judge("lists.example", &public).is_ok());
        let mixed = [at("8.8.8.8"), at("192.168.0.7")];
        assert_eq!(
            judge("lists.example", &mixed).unwrap_err().to_string(),
            "redirected to lists.example, which is the private address 192.168.0.7"
        );
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_unless_it_is_a_proxy() {
        let resolve = |exempt: &[String]| {
            let guarded = Guarded::new(exempt);
            async move { guarded.resolve("localhost".parse().unwrap()).await }
        };
        let refused = resolve(&[]).await.err().unwrap().to_string();
        assert!(
            refused.starts_with("redirected to localhost, which is the private address "),
            "{refused}"
        );
        assert!(resolve(&["localhost".to_owned()]).await.is_ok());
        assert!(check("localhost").await.is_err());
        assert!(check("no-such-name.invalid").await.is_ok());
    }
}
