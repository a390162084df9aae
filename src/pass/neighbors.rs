//! Those who hear of our routes: who they are, what they lost, and what FRR's zebra holds (I/O).

use super::PassError;
use super::inputs::Cache;
use crate::config::Config;
use crate::discover::Root;
use crate::ledger::{Bus, Ledger, LedgerError, Listener, Observation, Observed, Topic, Zebra};
use crate::targets::kernel::Report;
use crate::targets::kernel::bus::{Neighbor, Owner, listeners, owners, reads};
use crate::targets::kernel::zebra::{self, ZEBRA};
use crate::time::Timestamp;

/// From this many changes on, listeners are reported and zebra is compared.
const LARGE: usize = 1_000;

/// Who listened to a change, for `status`. `None` where it was a small one and no listener lost
/// anything but another of us.
pub(super) fn bus(report: &Report, now: Timestamp) -> Option<Observed> {
    if !may_differ(report) {
        return None;
    }
    let neighbors = &report.paced.neighbors;
    let owners = owners(neighbors);
    let mut each = owners.iter().zip(neighbors);
    let is_news = each.any(|(owner, one)| !owner.is_us() && one.may_have_missed());
    if !is_news && changes(report) < LARGE {
        return None;
    }
    let seen = listening(report, owners, now);
    match is_news {
        true => tracing::warn!("bus  {}", seen.seen),
        false => tracing::debug!("bus  {}", seen.seen),
    }
    Some(seen)
}

/// Who listens, and how it was paced for them.
fn listening(report: &Report, owners: Vec<Owner>, now: Timestamp) -> Observed {
    let listener = |(owner, one): (Owner, &Neighbor)| Listener {
        owner,
        left_behind: one.left_behind,
        lost: one.lost,
        gone: one.gone,
    };
    let each = owners.into_iter().zip(&report.paced.neighbors);
    let bus = Bus {
        listeners: each.map(listener).collect(),
        changes: changes(report),
        waited: report.paced.waited,
    };
    Observed {
        at: now,
        // What zebra lost is compared, and is reported separately.
        alarm: bus.is_harmful(),
        count: bus.lost(),
        seen: Observation::Bus(bus),
    }
}

/// In this change, and where it is the rest of one that was dropped, in all of it.
fn changes(report: &Report) -> usize {
    report.paced.routes.max(report.added + report.removed)
}

/// Whether a listener may hold something else after this.
pub fn may_differ(report: &Report) -> bool {
    let neighbors = &report.paced.neighbors;
    changes(report) >= LARGE || neighbors.iter().any(Neighbor::may_have_missed)
}

/// After a large change, at an audit, and while there is an alarm: what FRR's zebra holds is
/// compared with what is installed. `report` tells what was just done, `last` what was observed
/// before. May take some seconds, and may be dropped; ends early where `stop` says so.
pub async fn observe(
    (config, now): (&Config, Timestamp),
    report: &Report,
    audit: bool,
    last: &[Observed],
    stop: &impl Fn() -> bool,
) -> Vec<Observed> {
    let mut seen = Vec::new();
    if audit {
        let owners = owners(&report.paced.neighbors);
        seen.push(listening(report, owners, now));
    }
    let before = last.iter().find(|one| one.topic() == Topic::Zebra);
    let was_alarm = before.is_some_and(|one| one.alarm);
    let present;
    let neighbors = match report.paced.goes {
        // Nothing was sent, so this report has no listeners.
        0 if was_alarm && !audit => {
            present = listeners();
            &present
        }
        _ => &report.paced.neighbors,
    };
    let may_differ = |one: &Neighbor| one.lost > 0 || audit && one.ever_lost();
    if !was_alarm && changes(report) < LARGE && !neighbors.iter().any(may_differ) {
        return seen;
    }
    let owners = owners(neighbors);
    let zebra = owners.iter().position(|owner| owner.is(ZEBRA));
    let hidden = owners.iter().any(|owner| matches!(owner, Owner::Port(_)));
    if zebra.is_none() && !hidden && before.is_none() {
        return seen;
    }
    let reads = match zebra {
        Some(at) => reads(&neighbors[at]).await,
        None => true,
    };
    let mark = &config.kernel.mark;
    let found = match zebra {
        None if !hidden => Ok(None),
        _ if !reads => {
            seen.push(holds(Zebra::Stuck, (true, 0), was_alarm, now));
            return seen;
        }
        _ => zebra::compare(&Root::default(), mark, stop).await,
    };
    let (alarm, count, held) = match found {
        // A listener whose process is unknown.
        Err(_) if zebra.is_none() && before.is_none() => return seen,
        Err(why) => (was_alarm, 0, Zebra::NotCompared(why)),
        Ok(None) if before.is_none() => return seen,
        Ok(None) => (false, 0, Zebra::NotListening),
        Ok(Some(held)) => {
            let wrong = held.missing.count + held.ghosts.count;
            (wrong > 0, wrong, Zebra::Holds(held, *mark))
        }
    };
    seen.push(holds(held, (alarm, count), was_alarm, now));
    seen
}

/// What zebra holds, whether that is an alarm, and how many routes differ; one that is known is
/// logged at a lower level.
fn holds(held: Zebra, (alarm, count): (bool, usize), was_alarm: bool, now: Timestamp) -> Observed {
    match (alarm, was_alarm) {
        (true, true) => tracing::warn!("{ZEBRA}  {held}"),
        (true, false) => tracing::error!("{ZEBRA}  {held}"),
        (false, true) => tracing::info!("{ZEBRA}  {held}"),
        (false, false) => tracing::debug!("{ZEBRA}  {held}"),
    }
    Observed {
        at: now,
        alarm,
        count: if was_alarm { 0 } else { count as u64 },
        seen: Observation::Zebra(held),
    }
}

/// The same after an audit or a large change between passes, written down. May be dropped.
///
/// # Errors
/// The ledger cannot be read or written.
pub async fn audited(
    config: &Config,
    ledger: &Ledger,
    cache: &Cache,
    report: &Report,
) -> Result<(), PassError> {
    let (last, now) = (ledger.observed()?, cache.clock.now());
    let seen = observe((config, now), report, true, &last, &|| false).await;
    write_down(ledger, &seen).map_err(PassError::Unrecorded)
}

/// Keep what was seen.
pub(super) fn write_down(ledger: &Ledger, seen: &[Observed]) -> Result<(), LedgerError> {
    seen.iter().try_for_each(|seen| ledger.observe(seen))
}
