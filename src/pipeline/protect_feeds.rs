//! What a new copy of a list that protects takes out of force, and whether it may. Pure.
//!
//! The publisher of such a list takes addresses out of force through it. So a copy that would take
//! more than `max_removed` of the addresses in force is held, and its former copy stays in effect.
//! A list that was never read protects nothing yet: what it would protect may be in the change.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::AtHand;
use crate::digest::hexadecimal;
use crate::feed::FeedCopy;
use crate::feed::withdrawal::{self, PendingWithdrawal};
use crate::plan::{IpVersion, Reason};
use crate::policy::Policy;
use crate::policy::limits::{Limits, Share};
use crate::prefix::PrefixSet;
use crate::time::Timestamp;

/// A list of networks that must not be dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectFeed {
    pub name: Arc<str>,
    /// The last good copy; `None` when there is none, or when it cannot be read.
    pub newest: Option<AtHand>,
    /// The copy that was in effect for the last decision.
    pub in_effect: Option<AtHand>,
}

impl ProtectFeed {
    /// The newest copy where there is one.
    pub fn newest_or_former(&self) -> Option<&AtHand> {
        self.newest.as_ref().or(self.in_effect.as_ref())
    }

    /// What may not go into effect by itself.
    pub fn waiting(feeds: &[Self], in_force: &PrefixSet, limits: &Limits) -> Option<Waiting> {
        let mut waiting = Waiting::default();
        let mut name = String::new();
        for feed in feeds {
            let Some(newest) = feed.newest_or_former() else {
                let feed = feed.name.to_string();
                name.push_str(&format!("unread {feed:?}\n"));
                waiting.reasons.push(Reason::ProtectUnread { feed });
                continue;
            };
            let is_new = |former: &AtHand| former.digest != newest.digest;
            if !feed.in_effect.as_ref().is_none_or(is_new) {
                continue;
            }
            let reasons = taken(feed, newest, in_force, limits);
            if !reasons.is_empty() {
                name.push_str(&format!("{:?} {}\n", &*feed.name, newest.digest));
                waiting.held.push(feed.name.clone());
                waiting.reasons.extend(reasons);
            }
        }
        waiting.name = name;
        (!waiting.reasons.is_empty()).then_some(waiting)
    }
}

/// The reasons to hold a copy: the share of the addresses in force that it would take.
fn taken(
    feed: &ProtectFeed,
    newest: &AtHand,
    in_force: &PrefixSet,
    limits: &Limits,
) -> Vec<Reason> {
    let listed = nets(&newest.copy).intersection(in_force);
    let families = [
        (IpVersion::V4, listed.share_v4(), in_force.share_v4()),
        (IpVersion::V6, listed.share_v6(), in_force.share_v6()),
    ];
    let families = families
        .into_iter()
        .filter(|(.., in_force)| *in_force > 0.0);
    let shares = families.map(|(version, listed, in_force)| (version, Share(listed / in_force)));
    let limit = limits.max_removed;
    let beyond = shares.filter(|(_, share)| *share > limit);
    let reasons = beyond.map(|(version, share)| Reason::Protects {
        feed: feed.name.to_string(),
        version,
        share,
        limit,
    });
    reasons.collect()
}

fn nets(copy: &FeedCopy) -> PrefixSet {
    let v4 = copy.v4.iter().map(|entry| entry.prefix().to_net());
    let v6 = copy.v6.iter().map(|entry| entry.prefix().to_net());
    PrefixSet::of_nets(v4.chain(v6))
}

/// What of the lists may not go into effect by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Waiting {
    /// The lists whose newest copy is held.
    held: Vec<Arc<str>>,
    reasons: Vec<Reason>,
    /// Names the copies.
    name: String,
}

impl Waiting {
    /// The copy of a list that stays in effect.
    pub fn in_effect<'a>(&self, feed: &'a ProtectFeed) -> Option<&'a AtHand> {
        match self.held.contains(&feed.name) {
            true => feed.in_effect.as_ref(),
            false => feed.newest_or_former(),
        }
    }

    /// The same with the policy by which everything would go.
    pub fn held(self, policy: Policy) -> HeldProtection {
        let Self {
            held,
            reasons,
            name,
        } = self;
        HeldProtection {
            policy,
            held,
            reasons,
            name,
        }
    }
}

/// What of the lists that protect waits.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldProtection {
    /// What may be dropped when every newest copy is in effect.
    pub policy: Policy,
    held: Vec<Arc<str>>,
    /// Why it waits.
    pub reasons: Vec<Reason>,
    name: String,
}

impl HeldProtection {
    /// Whether the newest copy of this list waits.
    pub fn has(&self, feed: &str) -> bool {
        self.held.iter().any(|held| **held == *feed)
    }

    /// Whether a copy waits: otherwise a list was never read.
    pub fn takes(&self) -> bool {
        !self.held.is_empty()
    }

    /// The name of the change with that of the copies that wait.
    pub fn id(&self, change: &str) -> String {
        let text = format!("protect\n{}{change}\n", self.name);
        hexadecimal(&Sha256::digest(text)[..6])
    }
}

impl AtHand {
    /// A copy with what is leaving it.
    pub fn with(
        digest: &str,
        copy: Arc<FeedCopy>,
        leaving: &[PendingWithdrawal],
        fetched: Option<Timestamp>,
    ) -> Self {
        Self {
            digest: withdrawal::named(digest, leaving),
            copy: match leaving.is_empty() {
                true => copy,
                false => Arc::new(copy.with_pending_withdrawals(leaving)),
            },
            fetched: fetched.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests;
