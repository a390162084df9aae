//! Protected space: subtracted from everything, always.

use ipnet::IpNet;

use super::reserved;
use crate::prefix::{PrefixSet, overlap};

/// One protected network and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The network.
    pub net: IpNet,
    /// `[protect] prefixes`, a file with its line, or the registry's reason.
    pub why: String,
}

/// All protected networks, and their union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protect {
    entries: Vec<Protected>,
    /// How many of them are not in the registry.
    typed: usize,
    set: PrefixSet,
}

impl Protect {
    /// What was typed, found, or allowed by hand; space that is never dropped is added to it.
    pub fn new(typed: Vec<Protected>) -> Self {
        let mut entries = typed;
        let typed = entries.len();
        entries.extend(
            reserved::nets(&reserved::NEVER).map(|(net, why)| Protected {
                net,
                why: why.to_owned(),
            }),
        );
        let set = PrefixSet::of_nets(entries.iter().map(|entry| entry.net));
        Self {
            entries,
            typed,
            set,
        }
    }

    /// All but the space that is never dropped.
    pub fn typed(&self) -> &[Protected] {
        &self.entries[..self.typed]
    }

    /// The union of all protected networks.
    pub fn set(&self) -> &PrefixSet {
        &self.set
    }

    /// Every entry that shares an address with `net`: all causes, not the first one found.
    pub fn touching(&self, net: IpNet) -> impl Iterator<Item = &Protected> {
        self.entries
            .iter()
            .filter(move |entry| overlap(&entry.net, &net))
    }
}
