//! Why a change is held: numbers and enums. Their `Display` is the sentence that an operator reads.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::config::SettingChange;
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

/// By how much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Excess {
    /// A share of the items before.
    Share {
        items: Items,
        direction: Direction,
        count: usize,
        before: usize,
        limit: Share,
    },
    Count {
        items: Items,
        direction: Direction,
        count: usize,
        limit: usize,
    },
    /// Addresses, as shares of all there are.
    Addresses {
        version: IpVersion,
        direction: Direction,
        before: Share,
        now: Share,
        limit: Share,
    },
    /// Addresses that others take the place of.
    Exchanged {
        version: IpVersion,
        direction: Direction,
        part: Share,
        before: Share,
        limit: Share,
    },
    Routes {
        count: usize,
        limit: usize,
    },
    /// The share of all addresses.
    Space {
        version: IpVersion,
        share: Share,
        limit: Share,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Items {
    Prefixes,
    Origins,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Added,
    Removed,
}

impl Direction {
    fn verb(self) -> &'static str {
        match self {
            Self::Added => "be added",
            Self::Removed => "go",
        }
    }

    /// The limit of a share; that of a count ends in `_count`.
    fn key(self) -> &'static str {
        match self {
            Self::Added => "max_added",
            Self::Removed => "max_removed",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IpVersion {
    V4,
    V6,
}

impl IpVersion {
    fn key(self) -> &'static str {
        match self {
            Self::V4 => "max_share_v4",
            Self::V6 => "max_share_v6",
        }
    }
}

/// What of a feed cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unreadable {
    /// Its last good copy.
    #[default]
    Copy,
    /// The table of its origins.
    Table,
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
                let what = match what {
                    Unreadable::Copy => "its last good copy",
                    Unreadable::Table => "the table of its origins",
                };
                write!(f, "{feed}: {what} cannot be read")
            }
            Self::Manual(by_feed) => {
                f.write_str("every change waits for a second person ([review] mode = \"manual\")")?;
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
    sentences(all).join(between)
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
            Self::Share {
                items,
                direction,
                count,
                before,
                limit,
            } => {
                let share = Share(*count as f64 / *before as f64);
                let (verb, key) = (direction.verb(), direction.key());
                write!(
                    f,
                    "{count} of {before} {items} would {verb}, {share} ({key} {limit})"
                )
            }
            Self::Count {
                items,
                direction,
                count,
                limit,
            } => {
                let (verb, key) = (direction.verb(), direction.key());
                write!(f, "{count} {items} would {verb} ({key}_count {limit})")
            }
            Self::Addresses {
                version,
                direction,
                before,
                now,
                limit,
            } => write!(
                f,
                "from {before} to {now} of all {version} addresses ({} {limit})",
                direction.key()
            ),
            Self::Exchanged {
                version,
                direction,
                part,
                before,
                limit,
            } => {
                let (verb, key) = (direction.verb(), direction.key());
                write!(
                    f,
                    "{part} of all {version} addresses would {verb}, of {before} before ({key} {limit})"
                )
            }
            Self::Routes { count, limit } => write!(f, "{count} routes (max_routes {limit})"),
            Self::Space {
                version,
                share,
                limit,
            } => write!(
                f,
                "{share} of all {version} addresses ({} {limit})",
                version.key()
            ),
        }
    }
}

impl fmt::Display for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefixes => "prefixes",
            Self::Origins => "origin ASes",
        })
    }
}

impl fmt::Display for IpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_as_it_was_written() {
        let (version, direction) = (IpVersion::V6, Direction::Removed);
        let shares = (Share(0.25), Share(0.5));
        let changes = vec![SettingChange::FeedGone("b".to_owned())];
        for (scope, excess) in [
            (
                Scope::Configuration(changes),
                Excess::Share {
                    items: Items::Origins,
                    direction,
                    count: 3,
                    before: 4,
                    limit: shares.0,
                },
            ),
            (
                Scope::Feed("a".to_owned()),
                Excess::Addresses {
                    version,
                    direction,
                    before: shares.1,
                    now: Share(0.0),
                    limit: shares.0,
                },
            ),
            (Scope::AllFeeds, Excess::Routes { count: 7, limit: 6 }),
        ] {
            let reason = Reason::Limit(scope, excess);
            let written = serde_json::to_string(&reason).unwrap();
            let read: Reason = serde_json::from_str(&written).unwrap();
            assert_eq!(read, reason, "{written}");
        }
    }
}
