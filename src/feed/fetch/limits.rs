//! Bounds of a download.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

/// `[fetch]`: bounds of each download, the way out, and how we introduce ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// Longest time for name, connection and TLS.
    pub connect_timeout: Duration,
    /// Longest time from asking to the head of the answer, the connection included; anew for each
    /// redirect.
    pub first_byte_timeout: Duration,
    /// Longest time for the whole download, redirects included.
    pub timeout: Duration,
    /// Least speed of a body, in bytes a second; 0 for any.
    pub min_speed: u64,
    /// What the least speed is averaged over.
    pub min_speed_time: Duration,
    /// Largest body, in bytes, as it comes and once more as it is unpacked.
    pub max_bytes: u64,
    /// Whom a publisher can write to; goes into the User-Agent.
    pub contact: Option<String>,
    /// The proxy that is asked instead, over http or https; without one, what the environment says.
    pub proxy: Option<Url>,
    /// PEM bundle of authorities that are trusted besides the system's.
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
