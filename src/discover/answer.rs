//! The result of a scan: what a source shows, and which parts of it gave no answer. Pure.

use ipnet::IpNet;

use super::Source;
use crate::prefix::Item;

/// A network or an origin AS that a source shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The network, of which one address is a /32 or /128; or the AS.
    pub item: Item,
    /// Why it must not be dropped, in words: `address of eth0`.
    pub why: String,
    /// The name of the host whose address it is, where a feed is fetched from it: the addresses of
    /// each host have a limit of their own.
    pub host: Option<String>,
}

impl Found {
    /// A network that no feed is fetched from.
    pub fn new(net: IpNet, why: impl Into<String>) -> Self {
        Self::of(Item::Prefix(net), why)
    }

    /// A network or an AS.
    pub fn of(item: Item, why: impl Into<String>) -> Self {
        Self {
            item,
            why: why.into(),
            host: None,
        }
    }

    /// The network, if it is one.
    pub fn net(&self) -> Option<IpNet> {
        match self.item {
            Item::Prefix(net) => Some(net),
            Item::Origin(_) => None,
        }
    }
}

/// The result of a scan at one source.
pub type SourceAnswer = (Source, Answer);

/// What a source shows. If a part of it failed, the networks of the other parts still count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What was found.
    pub found: Vec<Found>,
    /// The parts that gave no answer: what they would show is unknown.
    pub failed: Vec<Failed>,
}

/// A part of a source that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The [`why`](Found::why) of the networks that the part shows; `None` if it may be any of the
    /// source.
    pub why: Option<String>,
    /// Why there is no answer.
    pub cause: Cause,
}

/// Why a part gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was not asked: nothing is wrong.
    NotAsked,
    /// An error, in words for the operator.
    Error(String),
    /// What it shows is not proven, so it protects nothing; in words for the operator.
    Unproven(String),
}

impl Answer {
    /// A source that was not asked.
    pub fn not_asked() -> Self {
        Self::nothing(Cause::NotAsked)
    }

    /// A source of which nothing could be read, with the reason in words.
    pub fn error(why: impl Into<String>) -> Self {
        Self::nothing(Cause::Error(why.into()))
    }

    fn nothing(cause: Cause) -> Self {
        let whole = Failed { why: None, cause };
        Self {
            found: Vec::new(),
            failed: vec![whole],
        }
    }

    /// Note that a part gave no answer.
    pub(super) fn fail(&mut self, why: Option<&str>, cause: String) {
        self.failed.push(Failed {
            why: why.map(str::to_owned),
            cause: Cause::Error(cause),
        });
    }

    /// Whether it is unknown if a network that was found for this reason is still there.
    pub(super) fn leaves_open(&self, why: &str) -> bool {
        let concerns = |failed: &Failed| failed.why.as_deref().is_none_or(|part| part == why);
        let open = |failed: &&Failed| !matches!(failed.cause, Cause::Unproven(_));
        self.failed.iter().filter(open).any(concerns)
    }
}

impl From<Vec<Found>> for Answer {
    fn from(found: Vec<Found>) -> Self {
        Self {
            found,
            failed: Vec::new(),
        }
    }
}
