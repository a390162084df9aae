//! Files with named sets (`ipset save`, RouterOS address lists): which set to read.
//!
//! A file with a block list may contain an allow list as well. So a file with more than one name is
//! refused until the configuration selects one (`field = "…"`).

use std::collections::BTreeSet;

use super::Reader;
use super::reader::contains_ignoring_case;
use crate::feed::{Refused, foreign};

/// Number of names that a message shows.
const SHOWN: usize = 10;

/// The selected set, and the names in the file.
pub(super) struct NamedSets {
    wanted: Option<String>,
    seen: BTreeSet<String>,
}

impl NamedSets {
    /// By the configuration of the feed.
    pub fn of(reader: &Reader) -> Self {
        Self {
            wanted: reader.rules.field.clone(),
            seen: BTreeSet::new(),
        }
    }

    /// Whether the set of this name is read.
    pub fn takes(&mut self, name: &str) -> bool {
        if !self.seen.contains(name) {
            self.seen.insert(name.to_owned());
        }
        self.is_wanted(name)
    }

    /// Whether the set of this name would be read.
    pub fn is_wanted(&self, name: &str) -> bool {
        self.wanted.as_deref().is_none_or(|wanted| wanted == name)
    }

    /// Whether the names are unambiguous where a set is of one family: each may have one.
    pub fn judge_each(v4: Self, v6: Self) -> Result<(), Refused> {
        match v4.wanted {
            Some(wanted) => Self {
                wanted: Some(wanted),
                seen: v4.seen.into_iter().chain(v6.seen).collect(),
            }
            .judge(),
            None => v4.judge().and_then(|()| v6.judge()),
        }
    }

    /// Whether the names are unambiguous.
    pub fn judge(self) -> Result<(), Refused> {
        let names: Vec<String> = self.seen.into_iter().collect();
        let listed = names[..names.len().min(SHOWN)].join(", ");
        match self.wanted {
            Some(wanted) if !names.contains(&wanted) => foreign(format!(
                "no set of the name {wanted:?} in it; there are {listed:?}"
            )),
            None if names.len() > 1 => foreign(format!(
                "{} sets in one file ({listed}); field = \"…\" says which one is meant",
                names.len()
            )),
            None if names.iter().any(|name| lets_through(name)) => foreign(format!(
                "the name {listed:?} is one of a list of what to let through; field = \"…\" says that it is meant"
            )),
            _ => Ok(()),
        }
    }
}

/// Whether a name says that its list is the opposite of a block list.
fn lets_through(name: &str) -> bool {
    let words = ["allow", "white", "trust", "permit", "accept"];
    words.iter().any(|word| contains_ignoring_case(name, word))
}
