//! The settings that the result depends on.

use crate::targets::kernel::Mark;

/// The part of the configuration that the result depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What marks a route as ours.
    pub mark: Mark,
    /// The priority of our policy rule.
    pub rule: Option<u32>,
    /// Whether foreign routes inside our prefixes are covered.
    pub cover_more_specifics: bool,
}
