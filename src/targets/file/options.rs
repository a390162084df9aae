//! What kind of file a router gets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::named::named;
use crate::targets::file::family::Family;
use crate::targets::file::parts::auto::Version;

named! {
    /// How the listed prefixes stand in the file of a router that takes long lists badly.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Lists {
        /// In one for each of IPv4 and IPv6.
        #[default]
        One = "one",
        /// In one for each first octet, IPv6 by a hash: 512 lists, most of them short.
        Octets = "octets",
        /// Not at all: what the kernel drops is announced.
        None = "none",
    }
}

impl Lists {
    /// What the configuration calls a choice between the first two.
    pub const AUTO: &str = "auto";
}

named! {
    /// Which sessions a trigger's blackholes are originated for.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum AnnounceTo {
        /// iBGP sessions alone: the routes are originated with no-export where the router has it,
        /// so no eBGP neighbor can receive them.
        #[default]
        Ibgp = "ibgp",
        /// The eBGP neighbors in [`FileOptions::neighbors`]: the routes are originated without
        /// no-export, which is added on the way out.
        Ebgp = "ebgp",
    }
}

named! {
    /// Which packets a packet filter drops, by how their addresses stand to the listed prefixes.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Direction {
        /// Those to a listed prefix.
        To = "to",
        /// Those from a listed prefix.
        From = "from",
        #[default]
        Both = "both",
    }
}

named! {
    /// What a router that speaks BGP is there for.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Role {
        /// It originates the blackholes.
        #[default]
        Trigger = "trigger",
        /// It drops what the trigger announces.
        Edge = "edge",
        /// It refuses listed prefixes, and what is inside of them, from others.
        Filter = "filter",
    }
}

/// The settings that decide the text of one router's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// The family of the router.
    pub family: Family,
    /// What it is there for.
    pub role: Role,
    /// The next hop that a trigger announces and an edge drops, IPv4; `None` for the default.
    pub next_hop_v4: Option<Ipv4Addr>,
    /// The same, IPv6.
    pub next_hop_v6: Option<Ipv6Addr>,
    /// How the listed prefixes stand in it.
    pub lists: Lists,
    /// The version of a router with FRR, where it is known.
    pub frr_version: Option<Version>,
    /// Which sessions a trigger announces to.
    pub announce_to: AnnounceTo,
    /// The neighbors that a trigger announces to, each once, ascending; with [`AnnounceTo::Ibgp`]
    /// it may be empty.
    pub neighbors: Vec<IpAddr>,
    /// Which packets a packet filter drops.
    pub direction: Direction,
}

impl FileOptions {
    /// The usual discard next hop of an edge: of TEST-NET-1 (RFC 5737), as most guides have it.
    pub const DISCARD_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    /// The same, of the discard-only block (RFC 6666).
    pub const DISCARD_V6: Ipv6Addr = Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 1);

    /// The defaults: a trigger announces the next hop of its session, an edge drops by the discard
    /// next hop.
    pub fn usual(family: Family, role: Role) -> Self {
        Self {
            family,
            role,
            next_hop_v4: None,
            next_hop_v6: None,
            lists: Lists::default(),
            frr_version: None,
            announce_to: AnnounceTo::default(),
            neighbors: Vec::new(),
            direction: Direction::default(),
        }
    }

    /// The configured next hops, IPv4 first.
    pub fn next_hops(&self) -> [Option<IpAddr>; 2] {
        [
            self.next_hop_v4.map(IpAddr::from),
            self.next_hop_v6.map(IpAddr::from),
        ]
    }

    /// Those that are configured, each with the words of its address family; IPv4 first.
    pub fn with_next_hops<'a>(
        &self,
        words: [&'a str; 2],
    ) -> impl Iterator<Item = (&'a str, IpAddr)> + use<'a> {
        let both = words.into_iter().zip(self.next_hops());
        both.filter_map(|(words, next_hop)| Some((words, next_hop?)))
    }

    /// The address whose route drops at an edge, IPv4.
    pub fn discard_v4(&self) -> Ipv4Addr {
        self.next_hop_v4.unwrap_or(Self::DISCARD_V4)
    }

    /// The same, IPv6.
    pub fn discard_v6(&self) -> Ipv6Addr {
        self.next_hop_v6.unwrap_or(Self::DISCARD_V6)
    }
}
