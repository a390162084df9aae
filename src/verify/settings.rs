//! What an answer depends on.

use crate::target::kernel::Mark;

/// What of the configuration it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What marks a route as ours.
    pub mark: Mark,
    /// Priority of the rule that we keep.
    pub rule: Option<u32>,
    /// Whether routes inside our prefixes are covered.
    pub cover_more_specifics: bool,
}
