//! Protected space from where it is typed, found, and allowed by hand.

use std::time::Duration;

use super::operator;
use crate::config::Config;
use crate::discover::Remembered;
use crate::ledger::OperatorRow;
use crate::policy::Policy;
use crate::policy::protect::{Protect, Protected};
use crate::time::Timestamp;

/// The policy of the configuration with everything that is protected now.
pub fn policy(
    config: &Config,
    found: &[Remembered],
    by_hand: &[OperatorRow],
    now: Timestamp,
) -> Policy {
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
    let space = space.chain(operator::allowed(by_hand, now)).collect();
    let holes = holes.into_iter().map(protected).collect();
    Policy {
        protect: Protect::with_holes(space, holes),
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
