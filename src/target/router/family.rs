//! The families of routers by name, and what each can be.

use std::fmt;

/// A family of routers by its name in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// FRRouting.
    Frr,
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
    pub const NAMES: [(&'static str, Self); 6] = [
        ("frr", Self::Frr),
        ("nftables", Self::Nftables),
        ("ipset", Self::Ipset),
        ("plain", Self::Plain),
        ("csv", Self::Csv),
        ("json", Self::Json),
    ];

    /// What it can be. A list is no router, and has the first role alone.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Frr => &[Role::Trigger, Role::Edge, Role::Filter],
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
