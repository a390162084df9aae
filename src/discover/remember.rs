//! What was found before and what is found now → what is protected. Pure.

use ipnet::IpNet;

use super::Source;
use crate::time::Timestamp;

/// A network that a source shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The network; one address is a /32 or /128.
    pub net: IpNet,
    /// Why it must not be dropped, in words: `address of eth0`.
    pub why: String,
}

/// What a look at one source gave; in words why it could not be looked at.
pub type Look = (Source, Result<Vec<Found>, String>);

/// A found network with its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Who showed it.
    pub source: Source,
    /// What was shown.
    pub found: Found,
    /// When it was shown first.
    pub first_seen: Timestamp,
    /// When it was shown last.
    pub last_seen: Timestamp,
}

/// Bring what is remembered in step with new looks. A source that could not be looked at keeps what it last
/// showed, for as long as it takes; one that is not among the looks is no longer wanted, and protects nothing.
pub fn remember(old: &[Remembered], looks: &[Look], now: Timestamp) -> Vec<Remembered> {
    let mut kept = Vec::new();
    for (source, look) in looks {
        let mut before: Vec<&Remembered> = old.iter().filter(|one| one.source == *source).collect();
        let Ok(shown) = look else {
            kept.extend(before.into_iter().cloned());
            continue;
        };
        for found in shown {
            let known = before.iter().position(|one| one.found == *found);
            let first_seen = known.map_or(now, |at| before.swap_remove(at).first_seen);
            kept.push(Remembered {
                source: *source,
                found: found.clone(),
                first_seen,
                last_seen: now,
            });
        }
        let lingers = |one: &&Remembered| one.last_seen.age(now) < source.linger();
        kept.extend(before.into_iter().filter(lingers).cloned());
    }
    kept.sort_by(|a, b| (a.source, &a.found).cmp(&(b.source, &b.found)));
    kept.dedup_by(|a, b| (a.source, &a.found) == (b.source, &b.found));
    kept
}
