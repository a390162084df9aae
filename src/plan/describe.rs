//! Why a prefix is added or removed: every cause, in words and as data.

use std::fmt;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::reason::joined;
use crate::config::SettingChange;
use crate::policy::protect::Protect;
use crate::prefix::{MAX_PIECES, PrefixSet, overlap};
use crate::rib::{Listing, OPERATOR, Rib};
use crate::shown;

/// A reason for adding or removing a prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "cause")]
pub enum Cause {
    /// A feed lists it.
    Listed(Listing),
    /// A feed listed it and no longer does.
    Delisted(Listing),
    /// Its addresses are still dropped, by this prefix: adjacent prefixes were joined.
    Joined {
        /// The prefix that covers it now.
        into: IpNet,
    },
    /// Its addresses are now dropped by smaller prefixes.
    Split,
    /// Protected space excludes addresses of it.
    Protected {
        /// The protected network.
        net: IpNet,
        /// Why it is protected.
        why: String,
    },
    /// Excluding the protected space from the listed prefix would leave too many pieces.
    TooManyPieces {
        /// The listed prefix, dropped whole.
        net: IpNet,
    },
    /// The operator flushed everything.
    Flushed,
    /// The operator went back to an earlier generation, or stays with one.
    Pinned {
        /// Its number.
        generation: u64,
    },
    /// The pin that kept it has ended.
    Unpinned,
    /// The operator changed the configuration.
    Configuration {
        /// The changed settings; one sentence in JSON.
        #[serde(serialize_with = "sentence")]
        changes: Vec<SettingChange>,
    },
    /// No known feed lists it any more: its feed was removed or its copy expired.
    NoLongerCounted,
}

/// A prefix with its causes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The prefix that is added or removed.
    pub prefix: IpNet,
    /// Every cause.
    pub because: Vec<Cause>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(listing) => write!(f, "{listing}"),
            Self::Delisted(listing) => write!(f, "no longer {listing}"),
            Self::Joined { into } => write!(f, "now part of {into}"),
            Self::Split => f.write_str("now in smaller pieces"),
            Self::Protected { net, why } => write!(f, "{net} is protected: {why}"),
            Self::TooManyPieces { net } => write!(
                f,
                "{net} is dropped whole: what is protected in it would leave more than {MAX_PIECES} pieces"
            ),
            Self::Flushed => f.write_str("flushed by the operator"),
            Self::Pinned { generation } => write!(f, "pinned to generation {generation}"),
            Self::Unpinned => f.write_str("the pin that kept it has ended"),
            Self::Configuration { changes } => f.write_str(&joined(changes, "; ")),
            Self::NoLongerCounted => {
                f.write_str("its feed no longer counts: it expired or is no longer configured")
            }
        }
    }
}

fn sentence<S: Serializer>(changes: &[SettingChange], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&joined(changes, "; "))
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.feed == OPERATOR {
            return write!(f, "added by hand: {}", shown::line(&self.reference));
        }
        write!(f, "{}", self.feed)?;
        if !self.reference.is_empty() {
            write!(f, " {}", shown::line(&self.reference))?;
        }
        match self.line {
            0 => f.write_str(" no longer listed, its withdrawal waits"),
            line => write!(f, " line {line}"),
        }
    }
}

/// Why `prefix` is added: every listing behind it that `counts`, by index of its feed and line.
pub fn cause_of_addition(prefix: IpNet, now: &Rib, counts: impl Fn(u16, u32) -> bool) -> Explained {
    let because = now
        .listings_that(prefix, counts)
        .into_iter()
        .map(Cause::Listed);
    Explained {
        prefix,
        because: because.collect(),
    }
}

/// Why `prefix` is removed, with the listings `before` and `now`, the set that will be in force,
/// the protected space, and the listed prefixes that were dropped whole because of it.
pub fn cause_of_removal(
    prefix: IpNet,
    before: &Rib,
    now: &Rib,
    desired: &PrefixSet,
    (protect, dropped): (&Protect, &[IpNet]),
) -> Explained {
    let mut because = Vec::new();
    if let Some(into) = desired.covering(prefix) {
        because.push(Cause::Joined { into });
    } else {
        let still = now.listings(prefix);
        let gone = before.listings(prefix).into_iter().filter(|old| {
            let same = |l: &Listing| l.feed == old.feed && l.prefix == old.prefix;
            !still.iter().any(same)
        });
        because.extend(gone.map(Cause::Delisted));
        because.extend(protect.touching(prefix).map(|protected| Cause::Protected {
            net: protected.net,
            why: protected.why.clone(),
        }));
        let whole = dropped.iter().filter(|net| overlap(net, &prefix));
        because.extend(whole.map(|net| Cause::TooManyPieces { net: *net }));
        if desired.overlaps(prefix) {
            because.push(Cause::Split);
        }
        if because.is_empty() {
            because.push(Cause::NoLongerCounted);
        }
    }
    Explained { prefix, because }
}
