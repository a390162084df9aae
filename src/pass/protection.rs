//! Protected space from where it is typed, found, and allowed by hand.

use std::time::Duration;

use super::operator;
use crate::config::Config;
use crate::discover::Remembered;
use crate::feed::origins::OriginTable;
use crate::ledger::OperatorRow;
use crate::policy::Policy;
use crate::policy::protect::{Protect, Protected};
use crate::time::Timestamp;

/// The policy of the configuration with everything that is protected now; with a table of origins
/// also the prefixes of protected ASes, each of which takes only itself out of force.
pub fn policy(
    config: &Config,
    found: &[Remembered],
    by_hand: &[OperatorRow],
    table: Option<&OriginTable>,
    now: Timestamp,
) -> Policy {
    let (allowed, asns) = operator::allowed(by_hand, now);
    let asns: Vec<_> = config
        .policy
        .protect
        .asns()
        .iter()
        .cloned()
        .chain(asns)
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
    // What others than the operator choose takes single addresses out of force and nothing else.
    let (space, holes): (Vec<&Remembered>, Vec<&Remembered>) =
        found.partition(|one| one.source.may_drop_whole());
    let protected = |one: &Remembered| Protected {
        net: one.found.net,
        why: why(one, now),
    };
    let space = typed.chain(space.into_iter().map(protected));
    let space = space.chain(allowed).collect();
    let holes = holes.into_iter().map(protected).chain(of_asns).collect();
    Policy {
        protect: Protect::with_holes(space, holes).with_asns(asns),
        ..config.policy.clone()
    }
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
