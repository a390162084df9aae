//! What comes to the file of one router and what goes, where that is not what comes and goes for all. Pure.

use crate::plan::Change;
use crate::prefix::Effective;

/// What came to the file of a router, and what went.
#[derive(Debug)]
pub struct Move {
    /// Its name.
    pub router: String,
    /// Each as it is written in the ledger.
    pub came: Vec<String>,
    /// The same.
    pub went: Vec<String>,
}

/// Items that are named in the log book.
const NAMED: usize = 3;

impl Move {
    pub(super) fn between(router: &str, old: &Effective, new: &Effective) -> Self {
        let change = Change::between(old, new);
        Self {
            router: router.to_owned(),
            came: change.came().collect(),
            went: change.went().collect(),
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.came.is_empty() && self.went.is_empty()
    }

    /// In words: `1 added (192.0.2.0/24), 0 removed`.
    pub fn told(&self) -> String {
        let told = |items: &[String], what: &str| {
            let named = items.iter().take(NAMED).map(String::as_str);
            let mut named = named.collect::<Vec<_>>().join(", ");
            if items.len() > NAMED {
                named.push_str(", …");
            }
            let named = match items {
                [] => String::new(),
                _ => format!(" ({named})"),
            };
            format!("{} {what}{named}", items.len())
        };
        format!(
            "{}, {}",
            told(&self.came, "added"),
            told(&self.went, "removed")
        )
    }
}
