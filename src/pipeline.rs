//! The whole decision on one page: what is known → what should be in force, and whether it may.
//!
//! ```text
//!  feeds ──standing──► RIB ──policy──► effective set ──gate──► go   ──► desired = effective set
//!                       ▲                                └──► held ──► desired = what is in force
//!  operator's own ──────┘  (never held)                  └──► pinned ─► desired = what was frozen
//! ```
//!
//! No clock, no file, no socket: [`decide`] is a pure function of its argument, so every decision
//! can be repeated and tested. After the merge nothing can add an address: `policy` only removes,
//! subtraction splits, aggregation joins exactly.
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! # use nullrouted::feed::{formats::{Format, Rules, parse_body}, standing::Ages};
//! # use nullrouted::plan::Unreadable;
//! # use nullrouted::pipeline::{Applied, AtHand, Configuration, Feed, OperatorEntries, Input, decide};
//! # use nullrouted::policy::{Policy, limits::{FeedLimits, Limits, Review}};
//! # use nullrouted::policy::protect::{Protect, Protected};
//! # use nullrouted::{digest, prefix::Effective, time::Timestamp};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = Timestamp(1_790_000_000);
//! let at_hand = |list: &str| Ok::<_, nullrouted::feed::Refused>(AtHand {
//!     digest: digest::of(list.as_bytes()),
//!     copy: Arc::new(parse_body(list.as_bytes(), &Rules::of(Format::Cidr))?),
//!     fetched: now,
//! });
//! let protected = Protected { net: "198.51.100.0/25".parse()?, why: "ours".to_owned() };
//! let policy = Policy {
//!     protect: Protect::new(vec![protected]),
//!     limits: Limits { small_change: 1, ..Limits::default() },
//!     review: Review::default(),
//! };
//! let decided = |feed: &Feed, in_force: &Effective| decide(&Input {
//!     feeds: std::slice::from_ref(feed),
//!     policy: &policy,
//!     in_force,
//!     now,
//!     // ... nothing by hand, no pin, no approval, the configuration as it was
//! #   operator: &OperatorEntries::default(), restores: false, by_feed: false, pinned: None,
//! #   approved: None, protection: None, configuration: &Configuration::default(),
//! });
//! let mut feed = Feed {
//!     name: "noc".into(),
//!     current: Some(at_hand("192.0.2.0/24 # SBL1\n198.51.100.0/24 # SBL2\n203.0.113.0/24\n")?),
//!     confirmed: Some(now),
//!     applied: None,
//!     // ...
//! #   reserved: false, limits: FeedLimits::default(), generated: None, unreadable: Unreadable::Copy,
//! #   ages: Ages {
//! #       stale_after: Duration::from_secs(86_400),
//! #       expire_after: Duration::from_secs(604_800),
//! #       max_age: None,
//! #   },
//! };
//!
//! // The first fill goes, without what is protected, and each prefix has its causes.
//! let first = decided(&feed, &Effective::default());
//! let causes: Vec<String> = first
//!     .explain_additions(&first.change)
//!     .map(|explained| format!("{}: {}", explained.prefix, explained.because[0]))
//!     .collect();
//! assert_eq!(causes, [
//!     "192.0.2.0/24: noc SBL1 line 1",
//!     "198.51.100.128/25: noc SBL2 line 2",
//!     "203.0.113.0/24: noc line 3",
//! ]);
//!
//! // A list that loses too much at once is held, and what is in force stays.
//! feed.applied = feed.current.take().map(Applied::Copy);
//! feed.current = Some(at_hand("192.0.2.0/24 # SBL1\n")?);
//! let next = decided(&feed, &first.desired);
//! assert_eq!(next.desired, first.desired);
//! assert_eq!(
//!     next.verdict.reasons[0].to_string(),
//!     "noc: 2 of 3 prefixes would go, 66.7% (max_removed 25%)",
//! );
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;
use std::cell::LazyCell;
use std::sync::Arc;

use ipnet::IpNet;

pub(crate) use chosen::{Chosen, Former, each_once};
pub use configured::Configuration;
pub(crate) use decided::Decided;
pub use protect_feeds::{HeldProtection, ProtectFeed};

use crate::config::SettingChange;
use crate::feed::FeedCopy;
use crate::feed::standing::{Ages, Standing};
use crate::plan::{
    Cause, Change, Explained, Unreadable, Verdict, cause_of_addition, cause_of_removal, fits,
};
use crate::policy::limits::FeedLimits;
use crate::policy::{Permitted, Policy};
use crate::prefix::{Effective, PrefixSet};
use crate::rib::{OPERATOR, Rib, Source};
use crate::time::Timestamp;

/// A copy of a feed: its content, the name of that content, and when it was downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtHand {
    /// Digest of everything it is made of: the body, what is leaving it, the table of origins.
    pub digest: String,
    /// What it lists.
    pub copy: Arc<FeedCopy>,
    /// When it was downloaded: the end of an entry may be relative to it.
    pub fetched: Timestamp,
}

/// A configured feed, as far as the decision needs it.
#[derive(Clone, Debug)]
pub struct Feed {
    pub name: Arc<str>,
    /// Whether reserved space is left in.
    pub reserved: bool,
    /// Its own limits.
    pub limits: FeedLimits,
    /// When its copy grows stale and when it expires.
    pub ages: Ages,
    /// When the last good copy was last confirmed.
    pub confirmed: Option<Timestamp>,
    /// When it was generated, by the publisher.
    pub generated: Option<Timestamp>,
    /// The last good copy; `None` when there is none, or when it cannot be read.
    pub current: Option<AtHand>,
    /// What of it cannot be read.
    pub unreadable: Unreadable,
    /// The copy that the generation in force was made from.
    pub applied: Option<Applied>,
}

/// The copy behind the generation in force, for one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    Copy(AtHand),
    /// There was one, and it can no longer be read.
    Lost,
}

impl Feed {
    fn applied_copy(&self) -> Option<&AtHand> {
        match &self.applied {
            Some(Applied::Copy(copy)) => Some(copy),
            _ => None,
        }
    }

    /// Whether a copy that is needed cannot be read.
    fn is_lost(&self) -> bool {
        self.current.is_none() || matches!(self.applied, Some(Applied::Lost))
    }
}

/// What the operator listed by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorEntries {
    /// What counts now.
    pub now: Arc<FeedCopy>,
    /// What counted for the generation in force: the cause of what goes.
    pub before: Arc<FeedCopy>,
}

/// A set that is frozen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pinned {
    /// The generation whose set it is; 0 for nothing.
    pub generation: u64,
    /// What it had; what is protected is cut out of it all the same.
    pub effective: Effective,
}

/// Everything a decision depends on.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The configured feeds, in order.
    pub feeds: &'a [Feed],
    /// What the operator listed by hand: no limit of the feeds holds it.
    pub operator: &'a OperatorEntries,
    /// What may be dropped; of lists that protect and wait, by their former copies.
    pub policy: &'a Policy,
    /// What of the lists that protect waits.
    pub protection: Option<&'a HeldProtection>,
    pub in_force: &'a Effective,
    /// Whether a pin that has ended made what is in force: a held change then leaves what was so
    /// before it.
    pub restores: bool,
    /// Whether some router names feeds: what each feed lists is then a change by itself, although
    /// all of them together may list the same.
    pub by_feed: bool,
    /// What is frozen, until the operator says `unpin`.
    pub pinned: Option<&'a Pinned>,
    /// The ID of the held change that was approved.
    pub approved: Option<&'a str>,
    /// The configuration, and what of it was otherwise for the set in force.
    pub configuration: &'a Configuration,
    /// The time of the decision.
    pub now: Timestamp,
}

/// What should be in force, and the whole story of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The name of the exact change: of what the publishers changed, where they did, and otherwise
    /// of what is proposed. An approval names this.
    pub id: String,
    /// Standing of each feed, in order.
    pub standings: Vec<Standing>,
    /// Every listing that counts now, the operator's among them.
    pub rib: Rib,
    /// Every listing behind the generation in force.
    pub rib_before: Rib,
    /// What is left of the listings after the policy, and what it took.
    pub permitted: Permitted,
    /// To all that is permitted, from what stays in force as long as it may not go.
    pub proposed: Arc<Change>,
    /// What the publishers changed, with what of it is protected.
    pub published: Change,
    /// Go, or the reasons to hold [`Decision::proposed`].
    pub verdict: Verdict,
    /// Whether it proceeds because exactly this change was approved.
    pub approved: bool,
    /// The generation that is frozen by the operator's order; 0 for nothing.
    pub pinned: Option<u64>,
    /// What should be in force after this decision.
    pub desired: Effective,
    /// From what is in force to [`Decision::desired`]; shared with [`Decision::proposed`] where it
    /// is the same.
    pub change: Arc<Change>,
    /// Whether what is in force was made by a pin that has ended.
    pub after_pin: bool,
    /// When the next entry ends by itself.
    pub next_end: Option<Timestamp>,
    /// What of the set in force nothing but a change of the configuration takes away.
    pub taken: PrefixSet,
    /// What of the set in force stays while a change is held, because a feed lists it now that had
    /// no part in it.
    pub carried: Effective,
    /// What that change is, in words.
    pub configuration: Vec<SettingChange>,
    /// Whether it waits.
    pub holds_configuration: bool,
    /// The feeds that count and have a copy that cannot be read.
    pub lost: Vec<Arc<str>>,
}

/// Decide what should be in force.
pub fn decide(input: &Input) -> Decision {
    whole(input).0
}

/// The decision, and what the policy leaves of the feeds alone.
fn whole(input: &Input) -> (Decision, Permitted) {
    let Some(held) = input.protection else {
        return by_policy(input);
    };
    let (released, published) = by_policy(&Input {
        policy: &held.policy,
        ..input.clone()
    });
    if released.approved {
        return (released, published);
    }
    let (mut decision, published) = by_policy(input);
    if decision.held() {
        // What waits is what the policy leaves when every copy is in effect.
        let origins = publishers::origins(&held.policy, &released.rib);
        decision.permitted = released.permitted;
        let listed = Effective::new(decision.permitted.set.clone(), origins);
        decision.proposed = Arc::new(Change::between(&decision.desired, &listed));
    }
    (decision, published)
}

/// The same by this policy.
fn by_policy(input: &Input) -> (Decision, Permitted) {
    let policy = input.policy;
    // Which copies count: an expired or missing one does not.
    let standings = input.standings();
    let counting: Vec<&Feed> = input
        .feeds
        .iter()
        .zip(&standings)
        .filter_map(|(feed, standing)| standing.counts().then_some(feed))
        .collect();

    // What the feeds list, what of it may be dropped, and whether that may replace what they
    // listed.
    let fed = merge(&counting, input.now, |feed| feed.current.as_ref());
    let fed_before = match counting.iter().copied().all(publishers::list_as_applied) {
        true => fed.clone(),
        false => merge(&counting, input.now, Feed::applied_copy),
    };
    let published = policy.apply(&fed);
    let mut judged = publishers::judged(input, &counting, (&fed_before, &fed), &published);

    // Entries of the operator are added and are not held.
    let rib = with_operator(fed, &input.operator.now);
    let permitted = match input.operator.now.is_empty() {
        true => published.clone(),
        false => policy.apply(&rib),
    };
    let listed = Effective::new(permitted.set.clone(), publishers::origins(policy, &rib));
    // What only the configuration takes away is judged together with what the publishers changed.
    // Made once, where something asks for it.
    let kept = LazyCell::new(|| held(input, &counting, &fed_before, &listed));
    let taken = configured::taken(input, &permitted.listed, &listed.origins, || {
        kept.effective.clone()
    });
    judged.verdict.reasons.extend(taken.reasons.iter().cloned());
    let waiting = input.protection.iter().flat_map(|held| &held.reasons);
    judged.verdict.reasons.extend(waiting.cloned());
    // What stays in force as long as it may not go.
    let (stays, carried) = match judged.verdict.reasons.is_empty() || input.pinned.is_some() {
        true => (Cow::Borrowed(input.in_force), Effective::default()),
        false => (
            Cow::Owned(taken.with_kept(kept.effective.clone())),
            kept.carried.clone(),
        ),
    };
    drop(kept);
    let proposed = Arc::new(Change::between(&stays, &listed));
    let from_in_force = matches!(stays, Cow::Borrowed(_));
    let takes = input.protection.is_some_and(HeldProtection::takes);
    let idle = !judged.changed && proposed.is_empty() && !takes;
    let id = match judged.changed || taken.is_held() {
        true => taken.id(judged.id, input.configuration),
        false if takes => String::new(),
        false => proposed.id(),
    };
    let id = input.protection.map_or(id.clone(), |held| held.id(&id));

    // A pin is the operator's order and stands above; so does an approval of exactly this.
    let named = input.approved == Some(id.as_str());
    let approved = named && judged.verdict.approvable && input.pinned.is_none();
    // And nothing waits where nothing would change: what is in force beyond a limit was approved
    // once.
    let nothing_waits = idle && judged.verdict.approvable;
    let verdict = match input.pinned.is_some() || approved || nothing_waits {
        true => Verdict::default(),
        false => judged.verdict,
    };
    let go = verdict.reasons.is_empty();
    let desired = match input.pinned {
        Some(pin) => policy.protect.cut_out_of(&pin.effective),
        None if go => listed,
        None => stays.into_owned(),
    };
    let change = match go && input.pinned.is_none() && from_in_force {
        true => proposed.clone(),
        false => Arc::new(Change::between(input.in_force, &desired)),
    };

    let decision = Decision {
        after_pin: input.restores,
        next_end: next_end(&counting, input.now),
        id,
        standings,
        rib,
        rib_before: with_operator(fed_before, &input.operator.before),
        proposed,
        published: judged.change,
        verdict,
        approved,
        pinned: input.pinned.map(|pin| pin.generation),
        change,
        desired,
        permitted,
        holds_configuration: taken.is_held() && !go,
        taken: taken.effective.nets,
        carried,
        configuration: input.configuration.changes.clone(),
        lost: counting
            .iter()
            .filter(|feed| feed.is_lost())
            .map(|feed| feed.name.clone())
            .collect(),
    };
    (decision, published)
}

/// When the next entry ends by itself.
fn next_end(counting: &[&Feed], now: Timestamp) -> Option<Timestamp> {
    let current = counting.iter().filter_map(|feed| feed.current.as_ref());
    let ends = current.filter_map(|at| at.copy.next_end(at.fetched, now));
    ends.min()
}

/// What stays in force while a change is held.
#[derive(Default)]
struct Kept {
    effective: Effective,
    /// What of it no copy behind it lists: a feed lists it now that had no part in it.
    carried: Effective,
}

/// What stays in force while a change is held: what was applied, as far as there still is a reason;
/// `listed` is what would be in force if everything went. Nothing that a publisher added comes with
/// it, nothing that it took away goes; what expired, what the operator took back and what is
/// protected does, unless a feed lists it now: a feed that has another name, or that takes over
/// from another one, changes nothing of what is dropped.
fn held(input: &Input, counting: &[&Feed], fed_before: &Rib, listed: &Effective) -> Kept {
    let (policy, in_force) = (input.policy, input.in_force);
    let by_hand = |hand: &Arc<FeedCopy>| {
        let rib = with_operator(Rib::default(), hand);
        Effective::new(policy.apply(&rib).set, publishers::origins(policy, &rib))
    };
    let mut carried = Effective::default();
    let kept = if counting.iter().any(|feed| feed.is_lost()) {
        // The reasons cannot be read, so nothing goes but what is protected.
        policy.protect.cut_out_of(in_force)
    } else {
        let applied = Effective::new(
            policy.apply(fed_before).set,
            publishers::origins(policy, fed_before),
        );
        // What is still listed comes back where it is no longer protected, or counts again: it is
        // no news.
        let known = in_force.union(listed);
        if input.restores {
            applied
        } else {
            let of_hand = by_hand(&input.operator.before);
            let still_listed = in_force.intersection(listed).without(&of_hand);
            carried = still_listed.without(&applied);
            let kept = match fits(&applied.nets, &policy.limits) {
                true => applied.intersection(&known),
                false => Effective {
                    nets: applied.nets.intersection(&in_force.nets),
                    ..applied.intersection(&known)
                },
            };
            kept.union(&carried)
        }
    };
    Kept {
        effective: kept.union(&by_hand(&input.operator.now)),
        carried,
    }
}

impl Decision {
    /// Whether the proposed change waits for approval.
    pub fn held(&self) -> bool {
        !self.verdict.reasons.is_empty()
    }

    /// Whether what the feeds list goes through: it is neither held nor frozen.
    pub fn goes(&self) -> bool {
        !self.held() && self.pinned.is_none()
    }

    /// The listings behind what should be in force: while a change is held, those before it.
    pub fn behind(&self) -> &Rib {
        match self.held() {
            true => &self.rib_before,
            false => &self.rib,
        }
    }

    /// What has changed since an ID was shown that names nothing any more.
    pub fn movers(&self) -> &'static str {
        match self.configuration.is_empty() {
            true => "the feeds have",
            false => "the feeds or the configuration have",
        }
    }

    /// Whether the held change may be approved.
    pub fn approvable(&self) -> bool {
        self.verdict.approvable
    }

    /// Whether it goes through with every feed read: whatever carries our mark is explained then.
    pub fn adopts(&self) -> bool {
        self.goes() && !self.standings.contains(&Standing::Missing)
    }

    /// The prefixes that come by a change, with every cause.
    pub fn explain_additions<'a>(
        &'a self,
        change: &'a Change,
    ) -> impl Iterator<Item = Explained> + 'a {
        change.additions().map(|net| self.explain_addition(net))
    }

    /// A prefix that comes, with every cause.
    pub fn explain_addition(&self, net: IpNet) -> Explained {
        // What was refused is no cause.
        let counts = |feed, line| !self.permitted.refused_lines.contains(&(feed, line));
        let mut explained = cause_of_addition(net, &self.rib, counts);
        if let Some(generation) = self.pinned {
            explained.because.insert(0, Cause::Pinned { generation });
        }
        explained
    }

    /// The prefixes that go by a change which leads to `after`, with every cause.
    pub fn explain_removals<'a>(
        &'a self,
        change: &'a Change,
        after: &'a PrefixSet,
        policy: &'a Policy,
    ) -> impl Iterator<Item = Explained> + 'a {
        change
            .removals()
            .map(move |net| self.explain_removal(net, after, policy))
    }

    /// A prefix that goes by a change which leads to `after`, with every cause.
    pub fn explain_removal(&self, prefix: IpNet, after: &PrefixSet, policy: &Policy) -> Explained {
        match self.pinned {
            Some(0) => {
                let because = vec![Cause::Flushed];
                return Explained { prefix, because };
            }
            Some(generation) if policy.protect.touching(prefix).next().is_none() => {
                let because = vec![Cause::Pinned { generation }];
                return Explained { prefix, because };
            }
            _ => {}
        }
        let (before, now) = (&self.rib_before, &self.rib);
        let policy = (&policy.protect, &self.permitted.dropped[..]);
        let mut explained = cause_of_removal(prefix, before, now, after, policy);
        if explained.because == [Cause::NoLongerCounted] && self.taken.overlaps(prefix) {
            let changes = self.configuration.clone();
            explained.because = vec![Cause::Configuration { changes }];
        }
        if self.after_pin && explained.because == [Cause::NoLongerCounted] {
            explained.because = vec![Cause::Unpinned];
        }
        explained
    }
}

fn merge<'a>(
    feeds: &[&'a Feed],
    now: Timestamp,
    which: impl Fn(&'a Feed) -> Option<&'a AtHand>,
) -> Rib {
    let source = |feed: &&'a Feed| {
        let AtHand { copy, fetched, .. } = which(feed)?;
        Some(Source {
            name: feed.name.clone(),
            reserved: feed.reserved,
            any_length: false,
            copy: match copy.has_ends() {
                true => Arc::new(copy.without_ended(*fetched, now)),
                false => copy.clone(),
            },
        })
    };
    Rib::merge(feeds.iter().filter_map(source).collect())
}

/// The listings with the operator's own among them.
fn with_operator(fed: Rib, hand: &Arc<FeedCopy>) -> Rib {
    if hand.is_empty() {
        return fed;
    }
    let hand = Source {
        name: OPERATOR.into(),
        reserved: true,
        any_length: true,
        copy: hand.clone(),
    };
    fed.with(hand)
}

mod chosen;
mod configured;
mod decided;
mod next;
#[cfg(test)]
mod properties;
mod protect_feeds;
mod publishers;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
