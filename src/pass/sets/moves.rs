//! What comes to the file of one router and what goes, where that is not what comes and goes for
//! all. Pure.

use crate::pipeline::{Decision, OperatorEntries};
use crate::plan::Cause;
use crate::policy::selection::Choice;
use crate::prefix::{Effective, PrefixSet};
use crate::rib::{OPERATOR, Rib};

/// What came to the file of a router, and what went.
#[derive(Debug)]
pub struct Move {
    /// Its name.
    pub router: String,
    /// Each as it is written in the ledger.
    pub came: Vec<String>,
    /// The same.
    pub went: Vec<String>,
    /// Whether the router loses what stays in force, or gets what was in force already.
    pub apart: bool,
    /// Why, in words.
    pub why: String,
}

/// Items that are named in the log book.
const NAMED: usize = 3;

/// Whether a router that had `old` and has `new` loses what stays in force, or gets what was in
/// force already; `before` and `after` are what is in force for all.
pub(super) fn is_apart(
    (old, new): (&Effective, &Effective),
    (before, after): (&Effective, &Effective),
) -> bool {
    let loses = || old.without(new).intersection(after);
    let gets = || new.without(old).intersection(before);
    !loses().is_empty() || !gets().is_empty()
}

impl Move {
    /// In words: `1 added (192.0.2.0/24), 0 removed`.
    pub fn describe(&self) -> String {
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

/// The configuration of the router is another one.
pub(super) const SELECTS: &str = "[[router]] selects otherwise";

/// Why a router with this choice, as it had before, gets something else by a decision; `came` is
/// what comes to it.
pub(super) fn why(
    choice: &Choice,
    came: &PrefixSet,
    decision: &Decision,
    hand: &OperatorEntries,
) -> String {
    match decision.pinned {
        Some(0) => return Cause::Flushed.to_string(),
        Some(generation) => return Cause::Pinned { generation }.to_string(),
        None if decision.after_pin => return Cause::Unpinned.to_string(),
        None => {}
    }
    let lists = |rib: &Rib| {
        let sources = rib.sources().iter();
        let fed = sources.filter(|source| *source.name != *OPERATOR && choice.has(&source.name));
        let lists = fed.map(|source| (source.name.clone(), source.copy.clone()));
        lists.collect::<Vec<_>>()
    };
    let is_by_hand = |net| {
        let listings = decision.rib.listings(net);
        listings.iter().any(|listing| listing.feed == OPERATOR)
    };
    let is_added = || !hand.now.is_empty() && came.nets().any(is_by_hand);
    // An entry of the second in which the last generation was written counts as one of that
    // generation.
    let by_hand = choice.operator && (hand.now != hand.before || is_added());
    let fed = lists(decision.behind()) != lists(&decision.rib_before);
    match (by_hand, fed) {
        (true, false) => "what was added by hand is otherwise".to_owned(),
        (true, true) => {
            "its feeds list otherwise, and what was added by hand is otherwise".to_owned()
        }
        (false, _) => "its feeds list otherwise".to_owned(),
    }
}
