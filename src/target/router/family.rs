//! The families of routers by name, and what each can be.

use std::fmt;

use super::{bird, frr, ipset, nftables, openbgpd};

/// Commands of a family, `{file}` in them; empty where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// Whether the router's own parser takes a new file.
    pub check: &'static [&'static str],
    /// Loads it.
    pub reload: &'static [&'static str],
    /// Whether it is in force.
    pub verify: &'static [&'static str],
}

/// A family of routers by its name in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// FRRouting.
    Frr,
    /// BIRD 2.
    Bird,
    /// OpenBGPD.
    OpenBgpd,
    /// nftables: sets, and rules that drop from and to them.
    Nftables,
    /// `ipset restore`: sets for iptables.
    Ipset,
    /// One prefix a line.
    Plain,
    /// RFC 4180, one listing a record.
    Csv,
    /// One object with the prefixes and their listings.
    Json,
}

impl Family {
    /// Every family with its name in the configuration.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("frr", Self::Frr),
        ("bird", Self::Bird),
        ("openbgpd", Self::OpenBgpd),
        ("nftables", Self::Nftables),
        ("ipset", Self::Ipset),
        ("plain", Self::Plain),
        ("csv", Self::Csv),
        ("json", Self::Json),
    ];

    /// How its files are usually checked, loaded and verified on the machine where they are written.
    pub fn commands(self) -> Commands {
        match self {
            Self::Frr => frr::COMMANDS,
            Self::Bird => bird::COMMANDS,
            Self::OpenBgpd => openbgpd::COMMANDS,
            Self::Nftables => nftables::COMMANDS,
            Self::Ipset => ipset::COMMANDS,
            Self::Plain | Self::Csv | Self::Json => Commands::default(),
        }
    }

    /// Whether a next hop stands in its file.
    pub fn has_next_hops(self, role: Role) -> bool {
        match (self, role) {
            (Self::Frr, Role::Trigger | Role::Edge) => true,
            // As an edge they drop by a kind of route, whatever the next hop.
            (Self::Bird | Self::OpenBgpd, Role::Trigger) => true,
            _ => false,
        }
    }

    /// What it can be. A list is no router, and has the first role alone.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Frr | Self::Bird | Self::OpenBgpd => &[Role::Trigger, Role::Edge, Role::Filter],
            Self::Nftables | Self::Ipset | Self::Plain | Self::Csv | Self::Json => &[Role::Trigger],
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, family)| family == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// What a router that speaks BGP is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It originates the blackholes.
    #[default]
    Trigger,
    /// It drops what the trigger announces.
    Edge,
    /// It refuses listed prefixes, and what is inside of them, from others.
    Filter,
}

impl Role {
    /// Every role with its name in the configuration.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("trigger", Self::Trigger),
        ("edge", Self::Edge),
        ("filter", Self::Filter),
    ];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, role)| role == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}
