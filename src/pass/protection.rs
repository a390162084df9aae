//! Protected space from where it is typed, found, and allowed by hand.

use std::time::Duration;

use super::inputs::Cache;
use super::operator;
use super::protect_feeds::{self, Listed, listed};
use crate::config::Config;
use crate::discover::Remembered;
use crate::feed::origins::OriginTable;
use crate::ledger::{Ledger, LedgerError, OperatorRow};
use crate::policy::Policy;
use crate::policy::protect::{Protect, Protected, ProtectedAsn};
use crate::prefix::Item;
use crate::time::Timestamp;

/// What is protected besides what is typed.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// What was found.
    pub found: &'a [Remembered],
    /// What was allowed by hand.
    pub by_hand: &'a [OperatorRow],
    /// What lists protect.
    pub lists: &'a [Listed<'a>],
    /// With a table of origins also the prefixes of protected ASes are protected.
    pub table: Option<&'a OriginTable>,
}

/// The policy of the configuration with everything that is protected now. What lists and a table of
/// origins show takes only itself out of force.
pub fn policy(config: &Config, sources: Sources<'_>, now: Timestamp) -> Policy {
    let Sources {
        found,
        by_hand,
        lists,
        table,
    } = sources;
    let (allowed, asns) = operator::allowed(by_hand, now);
    let asns: Vec<_> = config
        .policy
        .protect
        .asns()
        .iter()
        .cloned()
        .chain(asns)
        .chain(lists.iter().flat_map(Listed::asns))
        .collect();
    let of_asns = asns.iter().flat_map(|one| {
        let nets = table
            .into_iter()
            .flat_map(|table| table.prefixes_of(one.asn));
        nets.map(|net| Protected {
            net,
            why: format!(
                "originated by AS{}, which is protected: {}",
                one.asn, one.why
            ),
        })
    });

    let typed = config.policy.protect.typed().iter().cloned();
    let found = found
        .iter()
        .filter(|one| config.protect.discover.contains(&one.source));
    // The AS of a neighbor stays out of filters. What it originates may be listed for a reason.
    let neighbors = found.clone().filter_map(|one| match one.found.item {
        Item::Origin(asn) => Some(ProtectedAsn {
            asn,
            why: why(one, now),
        }),
        Item::Prefix(_) => None,
    });
    let asns = asns.iter().cloned().chain(neighbors).collect();
    // What others than the operator choose takes single addresses out of force and nothing else.
    let (space, holes): (Vec<&Remembered>, Vec<&Remembered>) =
        found.partition(|one| one.source.may_drop_whole());
    let protected = |one: &Remembered| {
        let net = one.found.net()?;
        let why = why(one, now);
        Some(Protected { net, why })
    };
    let space = typed.chain(space.into_iter().filter_map(protected));
    let space = space.chain(allowed).collect();
    let listed = lists.iter().flat_map(Listed::nets);
    let holes = holes.into_iter().filter_map(protected);
    let holes = holes.chain(of_asns).chain(listed).collect();
    Policy {
        protect: Protect::with_holes(space, holes).with_asns(asns),
        ..config.policy.clone()
    }
}

/// The same by the copies in effect and without a table of origins, for those who decide nothing.
pub fn in_effect(
    (config, ledger): (&Config, &Ledger),
    cache: &mut Cache,
    (found, by_hand): (&[Remembered], &[OperatorRow]),
    now: Timestamp,
) -> Result<Policy, LedgerError> {
    let lists = protect_feeds::as_recorded(config, ledger, cache, now)?;
    let sources = Sources {
        found,
        by_hand,
        lists: &listed(&lists, |feed| feed.in_effect.as_ref()),
        table: None,
    };
    Ok(policy(config, sources, now))
}

/// In words, with the time where it is no longer seen.
fn why(one: &Remembered, now: Timestamp) -> String {
    let why = &one.found.why;
    match one.last_seen.age(now) < SEEN_NOW {
        true => why.clone(),
        false => format!("{why}, last seen {}", one.last_seen),
    }
}

/// For this long it counts as seen now.
const SEEN_NOW: Duration = Duration::from_secs(600);
