//! Why a change is held: numbers and enums. Their `Display` is the sentence that an operator reads.

use std::fmt::{self, Write};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::config::SettingChange;
use crate::named::named;
use crate::policy::limits::Share;

/// Why a change is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A limit is exceeded.
    Limit(Scope, Excess),
    /// All feeds together make a prefix shorter than the limit.
    TooShort { prefix: IpNet, limit: u8 },
    /// What a feed lists cannot be read.
    Unreadable { feed: String, what: Unreadable },
    /// A new copy of a list that protects would take this share of the addresses in force.
    Protects {
        feed: String,
        version: IpVersion,
        share: Share,
        limit: Share,
    },
    /// A list that protects was never read.
    ProtectUnread { feed: String },
    /// Every change is held. Where all feeds together list the same, what single ones list
    /// otherwise.
    Manual(Vec<FeedCounts>),
    /// Of another version of this program, in its words.
    Former(String),
}

/// What exceeds a limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    Feed(String),
    AllFeeds,
    Configuration(Vec<SettingChange>),
}

/// By how much. The last value is the limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Excess {
    /// Number of items that change, and of those before: the share is too large.
    Share(Items, Direction, [usize; 2], Share),
    /// Number of items that change.
    Count(Items, Direction, usize, usize),
    /// From this share of all addresses to that one.
    Addresses(IpVersion, Direction, [Share; 2], Share),
    /// This share of all addresses, of that share before: others take their place.
    Exchanged(IpVersion, Direction, [Share; 2], Share),
    /// Number of routes.
    Routes(usize, usize),
    /// This share of all addresses.
    Space(IpVersion, Share, Share),
}

named! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Items {
        Prefixes = "prefixes",
        Origins = "origin ASes",
    }
}

named! {
    /// The name is that of the limit of a share; that of a count ends in `_count`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Direction {
        Added = "max_added",
        Removed = "max_removed",
    }
}

impl Direction {
    fn verb(self) -> &'static str {
        match self {
            Self::Added => "be added",
            Self::Removed => "go",
        }
    }
}

named! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum IpVersion {
        V4 = "IPv4",
        V6 = "IPv6",
    }
}

named! {
    /// What of a feed cannot be read.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Unreadable {
        Copy = "its last good copy",
        Table = "the table of its origins",
    }
}

/// How many items a feed lists that it did not list before, and the other way round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedCounts {
    pub feed: String,
    pub added: usize,
    pub removed: usize,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(scope, excess) => match scope {
                Scope::Feed(name) => write!(f, "{name}: {excess}"),
                Scope::AllFeeds => write!(f, "all feeds: {excess}"),
                Scope::Configuration(changes) => {
                    write!(f, "configuration: {excess}: {}", joined(changes, "; "))
                }
            },
            Self::TooShort { prefix, limit } => {
                let version = if prefix.addr().is_ipv4() { 4 } else { 6 };
                write!(
                    f,
                    "together the feeds make {prefix} (shortest_v{version} {limit})"
                )
            }
            Self::Unreadable { feed, what } => {
                write!(f, "{feed}: {what} cannot be read")
            }
            Self::Protects {
                feed,
                version,
                share,
                limit,
            } => write!(
                f,
                "protect feed {feed}: its newest copy would take {share} of the {version} addresses in force out of it (max_removed {limit})"
            ),
            Self::ProtectUnread { feed } => write!(
                f,
                "protect feed {feed}: no copy yet, so what it protects is not known"
            ),
            Self::Manual(by_feed) => {
                f.write_str("every change waits for approve ([review] mode = \"manual\")")?;
                match by_feed.is_empty() {
                    true => Ok(()),
                    false => write!(
                        f,
                        ": all feeds together list the same, and by feed {}",
                        joined(by_feed, ", ")
                    ),
                }
            }
            Self::Former(words) => f.write_str(words),
        }
    }
}

/// Their sentences.
pub fn sentences(all: &[impl fmt::Display]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// The same as one, with this between them.
pub fn joined(all: &[impl fmt::Display], between: &str) -> String {
    let mut text = String::new();
    for (at, one) in all.iter().enumerate() {
        let between = if at == 0 { "" } else { between };
        // Writing to a string does not fail.
        let _ = write!(text, "{between}{one}");
    }
    text
}

impl fmt::Display for FeedCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            feed,
            added,
            removed,
        } = self;
        write!(f, "{feed} +{added} -{removed}")
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(items, direction, [count, before], limit) => {
                let (share, verb) = (Share(*count as f64 / *before as f64), direction.verb());
                write!(
                    f,
                    "{count} of {before} {items} would {verb}, {share} ({direction} {limit})"
                )
            }
            Self::Count(items, direction, count, limit) => {
                let verb = direction.verb();
                write!(
                    f,
                    "{count} {items} would {verb} ({direction}_count {limit})"
                )
            }
            Self::Addresses(version, direction, [before, now], limit) => write!(
                f,
                "from {before} to {now} of all {version} addresses ({direction} {limit})"
            ),
            Self::Exchanged(version, direction, [part, before], limit) => {
                let verb = direction.verb();
                write!(
                    f,
                    "{part} of all {version} addresses would {verb}, of {before} before ({direction} {limit})"
                )
            }
            Self::Routes(count, limit) => write!(f, "{count} routes (max_routes {limit})"),
            Self::Space(version, share, limit) => {
                let key = match version {
                    IpVersion::V4 => "max_share_v4",
                    IpVersion::V6 => "max_share_v6",
                };
                write!(f, "{share} of all {version} addresses ({key} {limit})")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_as_it_was_written() {
        let (version, removed) = (IpVersion::V6, Direction::Removed);
        let changes = vec![SettingChange::FeedGone("b".to_owned())];
        for (scope, excess) in [
            (
                Scope::Configuration(changes),
                Excess::Share(Items::Origins, removed, [3, 4], Share(0.25)),
            ),
            (
                Scope::Feed("a".to_owned()),
                Excess::Addresses(version, removed, [Share(0.5), Share(0.0)], Share(0.25)),
            ),
            (Scope::AllFeeds, Excess::Routes(7, 6)),
        ] {
            let reason = Reason::Limit(scope, excess);
            let written = serde_json::to_string(&reason).unwrap();
            let read: Reason = serde_json::from_str(&written).unwrap();
            assert_eq!(read, reason, "{written}");
        }
    }
}
