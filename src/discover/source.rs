//! The sources of protected space.

use std::fmt;
use std::time::Duration;

/// A source of space that must not be dropped. The names are words of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Addresses of the interfaces.
    Addresses,
    /// Networks of the interfaces.
    Connected,
    /// Gateways and next hops of the FIB.
    Gateways,
    /// The system's resolvers.
    Resolvers,
    /// Neighbors of the BGP speakers on this machine.
    BgpNeighbors,
    /// Hosts that the feeds are fetched from, once their addresses are proven.
    FeedHosts,
    /// Addresses of users who are logged in over ssh.
    Sessions,
}

const HOUR: Duration = Duration::from_secs(3_600);

impl Source {
    /// Every source with its name.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("addresses", Self::Addresses),
        ("connected", Self::Connected),
        ("gateways", Self::Gateways),
        ("resolvers", Self::Resolvers),
        ("bgp-neighbors", Self::BgpNeighbors),
        ("feed-hosts", Self::FeedHosts),
        ("sessions", Self::Sessions),
    ];

    /// The sources if the configuration names none.
    pub const DEFAULT: [Self; 6] = [
        Self::Addresses,
        Self::Connected,
        Self::Gateways,
        Self::Resolvers,
        Self::BgpNeighbors,
        Self::FeedHosts,
    ];

    /// Its name in the configuration and in the ledger.
    pub fn name(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        names
            .find(|(_, source)| *source == self)
            .map_or("", |(name, _)| name)
    }

    /// How long a network stays protected after the source no longer shows it. The kernel and the
    /// files are always current. A name may have other addresses tomorrow and the old ones the day
    /// after, and an address that is not proven within this time is opened at the next download. An
    /// operator who has just logged out may log in again.
    pub fn linger(self) -> Duration {
        match self {
            Self::Addresses | Self::Connected | Self::Gateways | Self::Resolvers => Duration::ZERO,
            Self::Sessions => HOUR,
            Self::BgpNeighbors => 24 * HOUR,
            Self::FeedHosts => 7 * 24 * HOUR,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
