//! Why a body is not accepted as a copy of its feed. The prefixes in force stay in force.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::FeedState;
use crate::policy::limits::Limits;
use crate::shown;
use crate::time::{Timestamp, short};

/// The reason. `Display` has the text that an operator reads after `feed=NAME`; the ledger has the
/// value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// It could not be fetched: no connection, an HTTP status, no such file.
    Unreachable(String),
    /// Nothing, or only blanks, where a list was expected.
    Empty,
    /// Comments and no entry, and nothing that proves that this is the whole list. The text is the
    /// first comment, if there is one.
    NoEntries(Option<String>),
    /// The complete list, as this proof shows, is empty and was not before: an outage, or its end.
    /// The operator decides.
    ValidEmpty(String),
    /// The publisher's tombstone: no entry, and a comment that says why.
    Retired(String),
    /// Older than the copy at hand: when it was generated, and when the copy was.
    Older(Timestamp, Timestamp),
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
    /// More entries than `[limits] max_routes` lets a list have.
    TooManyEntries(usize),
    /// Ranges that stand for far more prefixes than there are lines.
    TooManyOfRanges {
        /// Largest number of prefixes that this number of lines may stand for.
        most: usize,
        /// Lines that were read.
        lines: usize,
    },
    /// Exceptions that cut the entries into more pieces than the list may have.
    TooManyPieces(usize),
    /// Not complete within the configured time, in seconds.
    TooSlow(u64),
    /// Slower than the configured least speed, in bytes a second.
    BelowSpeed(u64),
    /// Downloaded but not saved, for this reason.
    NotKept(String),
    /// The server asks for a delay: its answer, and the delay.
    Throttled(String, Duration),
}

impl Refused {
    /// Longest delay that one answer of a server can cause.
    pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);

    /// Longest text of a reason, in characters: it may quote the body, which may be one long line.
    const MAX_TEXT: usize = 400;

    /// The delay that the server asked for.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Throttled(_, wait) => Some(*wait),
            _ => None,
        }
    }

    /// The state in one word, as `status` shows it.
    pub fn state(&self) -> FeedState {
        match self {
            Self::NotKept(_)
            | Self::Unreachable(_)
            | Self::TooSlow(_)
            | Self::BelowSpeed(_)
            | Self::Throttled(..) => FeedState::Failed,
            Self::Empty
            | Self::Foreign(_)
            | Self::TooManyBadLines { .. }
            | Self::TooLarge(_)
            | Self::TooManyEntries(_)
            | Self::TooManyOfRanges { .. }
            | Self::TooManyPieces(_) => FeedState::Foreign,
            Self::NoEntries(_) | Self::ValidEmpty(_) => FeedState::Empty,
            Self::Retired(_) => FeedState::Retired,
            Self::Older(..) => FeedState::Stale,
            Self::Incomplete(_) => FeedState::Incomplete,
        }
    }

    /// The same with at most 400 characters of what it quotes: what the ledger keeps.
    pub fn bounded(mut self) -> Self {
        let quoted = match &mut self {
            Self::Unreachable(text)
            | Self::NoEntries(Some(text))
            | Self::Retired(text)
            | Self::Foreign(text)
            | Self::Incomplete(text)
            | Self::TooManyBadLines { first: text, .. }
            | Self::NotKept(text)
            | Self::Throttled(text, _) => text,
            _ => return self,
        };
        quoted.truncate(shown::first(quoted, Self::MAX_TEXT).len());
        self
    }

    /// The reason, of any length.
    fn words(&self) -> String {
        match self {
            Self::Unreachable(why) => why.clone(),
            Self::NotKept(why) => format!("downloaded but could not be saved: {why}"),
            Self::Empty => "empty".to_owned(),
            Self::NoEntries(None) => "a list without an entry".to_owned(),
            Self::NoEntries(Some(note)) => format!("a list without an entry: {note:?}"),
            Self::ValidEmpty(proof) => {
                format!(
                    "valid but empty ({proof}); waits for approval: believe_empty = true on the feed gives it"
                )
            }
            Self::Retired(note) => format!("retired by its publisher: {note:?}"),
            Self::Older(this, at_hand) => {
                format!("the server sent an older list, of {this}; the one at hand is of {at_hand}")
            }
            Self::Foreign(what) => what.clone(),
            Self::Incomplete(what) => format!("cut short: {what}"),
            Self::TooManyBadLines { bad, lines, first } => {
                format!("{bad} of {lines} lines are invalid ({first})")
            }
            Self::TooLarge(limit) => format!("larger than {limit} bytes"),
            Self::TooManyEntries(most) => {
                let (each, least) = (Limits::ENTRIES_PER_ROUTE, Limits::ENTRIES_ALWAYS);
                format!(
                    "more than {most} entries, which is all that [limits] max_routes lets a list have \
                     ({each} for each route, at least {least})"
                )
            }
            Self::TooManyOfRanges { most, lines } => format!(
                "the ranges in its first {lines} lines stand for more than {most} prefixes, which those \
                 of no list do"
            ),
            Self::TooManyPieces(most) => format!(
                "its exceptions cut its entries into more than {most} pieces, which those of no list do"
            ),
            Self::TooSlow(limit) => format!("not complete after {limit} s"),
            Self::BelowSpeed(limit) => format!("slower than {limit} bytes a second"),
            Self::Throttled(said, wait) => {
                format!("{said}; the server asks to wait {}", short(*wait))
            }
        }
    }
}

/// The answer of a reader: [`Refused::Foreign`].
pub(crate) fn foreign<T>(what: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Foreign(what.into()))
}

/// The same for [`Refused::Incomplete`].
pub(crate) fn incomplete<T>(what: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Incomplete(what.into()))
}

impl fmt::Display for Refused {
    /// One line, however long the quoted body is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown::clipped(&self.words(), Self::MAX_TEXT))
    }
}

impl std::error::Error for Refused {}
