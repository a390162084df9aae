//! What a look gives: what a source shows, and which parts of it gave no answer. Pure.

use ipnet::IpNet;

use super::Source;

/// A network that a source shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The network; one address is a /32 or /128.
    pub net: IpNet,
    /// Why it must not be dropped, in words: `address of eth0`.
    pub why: String,
}

/// What a look at one source gave.
pub type Look = (Source, Shown);

/// What a source shows. Where some of it failed, what was found of the rest counts all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// What was found.
    pub found: Vec<Found>,
    /// What gave no answer: nobody knows what it would show.
    pub failed: Vec<Failed>,
}

/// A part of a source that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The [`why`](Found::why) of the networks that the part shows; `None` where it may be any of the source.
    pub why: Option<String>,
    /// What kept it from answering.
    pub cause: Cause,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nobody asked: nothing is wrong.
    NotAsked,
    /// What went wrong, in words for the operator.
    Error(String),
    /// What it shows is not proven, so it protects nothing; in words for the operator.
    Unproven(String),
}

impl Shown {
    /// A source that was left alone.
    pub fn not_asked() -> Self {
        Self::nothing(Cause::NotAsked)
    }

    /// A source of which nothing could be looked at; why, in words.
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

    /// Write down that a part gave no answer.
    pub(super) fn fail(&mut self, why: Option<&str>, cause: String) {
        self.failed.push(Failed {
            why: why.map(str::to_owned),
            cause: Cause::Error(cause),
        });
    }

    /// Whether nobody knows if a network that was found for this reason is still there.
    pub(super) fn leaves_open(&self, why: &str) -> bool {
        let concerns = |failed: &Failed| failed.why.as_deref().is_none_or(|part| part == why);
        let open = |failed: &&Failed| !matches!(failed.cause, Cause::Unproven(_));
        self.failed.iter().filter(open).any(concerns)
    }
}

impl From<Vec<Found>> for Shown {
    fn from(found: Vec<Found>) -> Self {
        Self {
            found,
            failed: Vec::new(),
        }
    }
}
