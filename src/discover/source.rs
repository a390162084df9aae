//! The sources of protected space.

use std::time::Duration;

use crate::named::named;

named! {
    /// A source of space that must not be dropped. The names are words of the configuration.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Source {
        /// Addresses of the interfaces.
        Addresses = "addresses",
        /// Networks of the interfaces.
        Connected = "connected",
        /// Gateways and next hops of the FIB.
        Gateways = "gateways",
        /// The system's resolvers.
        Resolvers = "resolvers",
        /// Neighbors of the BGP speakers on this machine.
        BgpNeighbors = "bgp-neighbors",
        /// Hosts that the feeds are fetched from, once their addresses are proven.
        FeedHosts = "feed-hosts",
        /// Addresses of users who are logged in over ssh.
        Sessions = "sessions",
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

impl Source {
    /// The sources if the configuration names none.
    pub const DEFAULT: [Self; 6] = [
        Self::Addresses,
        Self::Connected,
        Self::Gateways,
        Self::Resolvers,
        Self::BgpNeighbors,
        Self::FeedHosts,
    ];

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
