//! Why a body is not taken as a copy of its feed. What was in force stays in force.

use std::fmt;

/// The reason, in the words an operator reads after `feed=NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It could not be had at all: no connection, an HTTP status, no such file.
    Unreachable(String),
    /// Nothing, or only blanks, where a list was expected.
    Empty,
    /// A well-formed list without an entry: the publisher's tombstone, or an outage. The
    /// text is the comment that says which, if there is one.
    NoEntries(Option<String>),
    /// Not a list of this kind: an HTML page, an error text, another publisher's file.
    Foreign(String),
    /// The format's own proof of completeness is missing or does not match.
    Incomplete(String),
    /// More bad lines than a list with a few typing errors has.
    TooManyBadLines {
        /// Lines rejected.
        bad: usize,
        /// Lines that hold, or should hold, an entry.
        lines: usize,
        /// The first of them, with its reason.
        first: String,
    },
    /// Larger than the configured limit, in bytes.
    TooLarge(u64),
    /// Slower than the configured limit, in seconds.
    TooSlow(u64),
}

impl Refused {
    /// The name of the state, one word, as `status` shows it.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::TooSlow(_) => "failed",
            Self::Empty | Self::Foreign(_) | Self::TooManyBadLines { .. } | Self::TooLarge(_) => {
                "foreign"
            }
            Self::NoEntries(_) => "retired",
            Self::Incomplete(_) => "incomplete",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => f.write_str(why),
            Self::Empty => f.write_str("empty"),
            Self::NoEntries(None) => f.write_str("a list without an entry"),
            Self::NoEntries(Some(note)) => write!(f, "a list without an entry: {note:?}"),
            Self::Foreign(what) => f.write_str(what),
            Self::Incomplete(what) => write!(f, "cut short: {what}"),
            Self::TooManyBadLines { bad, lines, first } => {
                write!(f, "{bad} of {lines} lines are no entries ({first})")
            }
            Self::TooLarge(limit) => write!(f, "larger than {limit} bytes"),
            Self::TooSlow(limit) => write!(f, "not complete after {limit} s"),
        }
    }
}

impl std::error::Error for Refused {}
