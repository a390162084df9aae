//! Limits of a download.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

/// `[fetch]`: the limits of each download, the proxy, and the User-Agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// Timeout for name resolution, connection and TLS.
    pub connect_timeout: Duration,
    /// Timeout from the request to the head of the answer, including the connection; it starts
    /// again for each redirect.
    pub first_byte_timeout: Duration,
    /// Timeout for the whole download, including redirects.
    pub timeout: Duration,
    /// Minimum speed of a body, in bytes per second; 0 for any.
    pub min_speed: u64,
    /// The time over which the minimum speed is averaged.
    pub min_speed_time: Duration,
    /// Largest body, in bytes, as received and as unpacked.
    pub max_bytes: u64,
    /// Contact for the publisher, in the User-Agent.
    pub contact: Option<String>,
    /// The proxy, over http or https; without one the environment decides.
    pub proxy: Option<Url>,
    /// PEM bundle of authorities that are trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(30),
            timeout: Duration::from_secs(60),
            min_speed: 500,
            min_speed_time: Duration::from_secs(10),
            max_bytes: 64_000_000,
            contact: None,
            proxy: None,
            ca_file: None,
        }
    }
}
