//! Looks for a column beside the address that holds the rest of the entry, where the configuration
//! reads the address alone: then a /24 would be read as one host.

use std::borrow::Cow;

use crate::feed::{EntryPart, UnreadColumn};
use crate::prefix::{HostBits, Written, parse};

/// Words in the name of a column that holds lengths.
const OF_LENGTHS: [&str; 5] = ["prefix", "length", "mask", "cidr", "bits"];
/// Words in the name of a column that holds last addresses.
const OF_LASTS: [&str; 3] = ["last", "end", "to"];
/// Rows that are looked at.
const ROWS: usize = 1_000;
/// A shorter length is more likely a count or a category.
const SHORTEST: u8 = 8;

/// The columns that may be it, until a row shows that they are not.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    left: Vec<Candidate>,
    rows: usize,
}

#[derive(Debug)]
struct Candidate {
    at: usize,
    column: String,
    key: EntryPart,
    /// Whether a row stands for more than one address by it.
    widens: bool,
}

impl Candidates {
    /// Among columns by place and name; `next` is the place behind the address.
    pub fn among<'a>(names: impl Iterator<Item = (usize, &'a str)>, next: Option<usize>) -> Self {
        let has = |name: &str, words: &[&str]| {
            let name = name.to_ascii_lowercase();
            words.iter().any(|word| name.contains(word))
        };
        let mut left = Vec::new();
        for (at, name) in names {
            for (key, words) in [
                (EntryPart::Length, &OF_LENGTHS[..]),
                (EntryPart::Last, &OF_LASTS),
            ] {
                if has(name, words) || next == Some(at) {
                    let (column, widens) = (name.to_owned(), false);
                    left.push(Candidate {
                        at,
                        column,
                        key,
                        widens,
                    });
                }
            }
        }
        Self { left, rows: 0 }
    }

    /// The next row: its address, and what its columns hold, by place and name.
    pub fn see<'a>(&mut self, address: &str, cell: impl Fn(usize, &str) -> Option<Cow<'a, str>>) {
        if self.left.is_empty() || self.rows == ROWS {
            return;
        }
        self.rows += 1;
        self.left.retain_mut(|one| {
            let wide = cell(one.at, &one.column).and_then(|cell| one.key.widens(address, &cell));
            one.widens |= wide == Some(true);
            wide.is_some()
        });
    }

    /// The column that is it, if there is one.
    pub fn found(self) -> Option<UnreadColumn> {
        let found = self.left.into_iter().find(|one| one.widens)?;
        let Candidate { column, key, .. } = found;
        Some(UnreadColumn { column, key })
    }
}

impl EntryPart {
    /// Whether the cell makes the address more than one; `None` where it cannot belong to it.
    fn widens(self, address: &str, cell: &str) -> Option<bool> {
        let entry = joined(self, address, cell).ok()?;
        match (self, parse(&entry, HostBits::Refuse).ok()?) {
            (Self::Length, Written::V4(prefix)) => {
                (prefix.len() >= SHORTEST).then_some(prefix.len() < 32)
            }
            (Self::Length, Written::V6(prefix)) => {
                (prefix.len() >= SHORTEST).then_some(prefix.len() < 128)
            }
            (Self::Last, Written::Range4(first, last)) => Some(first < last),
            (Self::Last, Written::Range6(first, last)) => Some(first < last),
            _ => None,
        }
    }
}

/// The entry of an address and what stands beside it.
///
/// # Errors
/// What is wrong with the row.
pub(super) fn joined(key: EntryPart, address: &str, cell: &str) -> Result<String, &'static str> {
    let (between, missing) = match key {
        EntryPart::Length => ('/', "no length beside the address"),
        EntryPart::Last => ('-', "no last address beside the first"),
    };
    if cell.is_empty() {
        return Err(missing);
    }
    if address.contains(['/', '-']) {
        return Err("the address has a length or a last address of its own");
    }
    Ok(format!("{address}{between}{cell}"))
}
