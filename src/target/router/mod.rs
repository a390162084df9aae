//! Router files: one family, one file, one pure function from the effective set to text.
//!
//! What all share: the bytes depend on the set, the names and the credits alone. No clock, so equal
//! sets give equal bytes; and an empty set still renders a list that matches nothing.

mod frr;

use std::fmt;

use crate::prefix::PrefixSet;

/// A family of routers by its name in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// FRRouting.
    Frr,
}

impl Family {
    /// Every family with its name in the configuration.
    pub const NAMES: [(&'static str, Self); 1] = [("frr", Self::Frr)];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, family)| family == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// Everything a router file is made of.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The effective set.
    pub set: &'a PrefixSet,
    /// The origin ASes in force, ascending.
    pub origins: &'a [u32],
    /// Credits of the publishers whose lists are in it, in the order of the feeds.
    pub attributions: &'a [&'a str],
}

/// The text of a family.
pub fn render(family: Family, sheet: &Sheet) -> String {
    match family {
        Family::Frr => frr::render(sheet),
    }
}

#[cfg(test)]
mod tests;
