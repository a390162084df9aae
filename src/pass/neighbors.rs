//! Those who hear of our routes: who they are, what they lost, and what FRR's zebra holds (I/O).

use super::PassError;
use super::inputs::Cache;
use crate::config::Config;
use crate::discover::Root;
use crate::ledger::{Ledger, LedgerError, Observed, Topic};
use crate::targets::kernel::bus::{Neighbor, US, listeners, names, reads};
use crate::targets::kernel::zebra::{self, Held, ZEBRA};
use crate::targets::kernel::{Mark, Report};
use crate::time::Timestamp;

/// From so many changes on, those who listen are told of, and compared with.
const LARGE: usize = 1_000;

/// They read all routes anew by themselves: BIRD at its next scan, another of us at once.
const HEALS: [&str; 2] = ["bird", US];

/// Who listened to a change, for `status`. `None` where it was a small one and nobody lost anything
/// but another of us.
pub(super) fn bus(report: &Report, now: Timestamp) -> Option<Observed> {
    let neighbors = &report.paced.neighbors;
    let is_large = changes(report) >= LARGE;
    if !may_differ(report) {
        return None;
    }
    let names = names(neighbors);
    let mut each = names.iter().zip(neighbors);
    let is_news = each.any(|(name, one)| name != US && one.may_have_missed());
    if !is_large && !is_news {
        return None;
    }
    let seen = listening(report, &names, now);
    match is_news {
        true => tracing::warn!("bus  {}", seen.text),
        false => tracing::debug!("bus  {}", seen.text),
    }
    Some(seen)
}

/// Who listens, by these names, and how it was paced for them.
fn listening(report: &Report, names: &[String], now: Timestamp) -> Observed {
    let paced = &report.paced;
    let each: Vec<_> = names
        .iter()
        .zip(&paced.neighbors)
        .map(|(name, one)| neighbor(name, one))
        .collect();
    let mut text = match each.is_empty() {
        true => "nobody else listens to changes of routes".to_owned(),
        false => format!("listening: {}", each.join(", ")),
    };
    if !paced.waited.is_zero() {
        let (changes, seconds) = (changes(report), paced.waited.as_secs_f64());
        text.push_str(&format!(
            "; {changes} changes were paced for them, {seconds:.1} s of waiting"
        ));
    }
    let harmed = |(name, one): (&String, &Neighbor)| {
        one.lost > 0 && name != ZEBRA && !HEALS.contains(&name.as_str())
    };
    let others = names.iter().zip(&paced.neighbors);
    let others = others.filter(|(name, _)| *name != US);
    Observed {
        what: Topic::Bus,
        at: now,
        // What zebra lost is compared, and stands in a line of its own.
        alarm: names.iter().zip(&paced.neighbors).any(harmed),
        count: others.map(|(_, one)| one.lost).sum(),
        text,
    }
}

fn neighbor(name: &str, one: &Neighbor) -> String {
    if name == US {
        return match one.may_have_missed() {
            true => format!("{name} (not waited for: it reads everything afterwards)"),
            false => name.to_owned(),
        };
    }
    let mut notes = Vec::new();
    if one.left_behind {
        notes.push("does not read, and was not waited for any longer".to_owned());
    }
    if one.lost > 0 {
        notes.push(match HEALS.contains(&name) {
            true => format!("lost {}, and reads everything again", one.lost),
            false => format!("lost {}", one.lost),
        });
    }
    if one.gone {
        notes.push("has stopped listening".to_owned());
    }
    match notes.is_empty() {
        true => name.to_owned(),
        false => format!("{name} ({})", notes.join("; ")),
    }
}

/// In this change, and where it is the rest of one that was dropped, in all of it.
fn changes(report: &Report) -> usize {
    report.paced.routes.max(report.added + report.removed)
}

/// Whether those who listen may hold something else after this.
pub fn may_differ(report: &Report) -> bool {
    let neighbors = &report.paced.neighbors;
    changes(report) >= LARGE || neighbors.iter().any(Neighbor::may_have_missed)
}

/// After a large change, at an audit, and while there is an alarm: what FRR's zebra holds is
/// compared with what is installed. `report` tells what was just done, `last` what was observed
/// before. May take some seconds, and may be dropped; ends early where `stop` says so.
pub async fn look(
    (config, now): (&Config, Timestamp),
    report: &Report,
    audit: bool,
    last: &[Observed],
    stop: &impl Fn() -> bool,
) -> Vec<Observed> {
    let mut seen = Vec::new();
    if audit {
        let names = names(&report.paced.neighbors);
        seen.push(listening(report, &names, now));
    }
    let before = last.iter().find(|one| one.what == Topic::Zebra);
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
    let names = names(neighbors);
    let zebra = names.iter().position(|name| name == ZEBRA);
    let hidden = names.iter().any(|name| name.starts_with("port "));
    if zebra.is_none() && !hidden && before.is_none() {
        return seen;
    }
    let reads = match zebra {
        Some(at) => reads(&neighbors[at]).await,
        None => true,
    };
    let found = match zebra {
        None if !hidden => Ok(None),
        _ if !reads => Err(STUCK.to_owned()),
        _ => zebra::compare(&Root::default(), &config.kernel.mark, stop).await,
    };
    let (alarm, count, text) = match found {
        // Somebody else who cannot be named.
        Err(_) if zebra.is_none() && before.is_none() => return seen,
        Err(why) => {
            let text = format!("what FRR holds is not compared: {why}");
            (was_alarm || !reads, 0, text)
        }
        Ok(None) if before.is_none() => return seen,
        Ok(None) => (false, 0, "FRR does not listen to these routes".to_owned()),
        Ok(Some(held)) => {
            let wrong = held.missing.count + held.ghosts.count;
            (wrong > 0, wrong, told(&held, &config.kernel.mark))
        }
    };
    match alarm {
        true if was_alarm => tracing::warn!("{ZEBRA}  {text}"),
        true => tracing::error!("{ZEBRA}  {text}"),
        false if was_alarm => tracing::info!("{ZEBRA}  {text}"),
        false => tracing::debug!("{ZEBRA}  {text}"),
    }
    seen.push(Observed {
        what: Topic::Zebra,
        at: now,
        alarm,
        count: if was_alarm { 0 } else { count as u64 },
        text,
    });
    seen
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
    let seen = look((config, now), report, true, &last, &|| false).await;
    write_down(ledger, &seen).map_err(PassError::Unrecorded)
}

/// Keep what was seen.
pub(super) fn write_down(ledger: &Ledger, seen: &[Observed]) -> Result<(), LedgerError> {
    seen.iter().try_for_each(|seen| ledger.observe(seen))
}

const STUCK: &str = "zebra does not read what the kernel tells it; the next pass looks again";

/// What zebra holds, and how it is healed.
fn told(held: &Held, mark: &Mark) -> String {
    let Held {
        wanted,
        missing,
        ghosts,
        version,
    } = held;
    let mut wrong = Vec::new();
    let mut cures = vec!["restart zebra, which reads all routes".to_owned()];
    let mut note = String::new();
    let Mark {
        table,
        protocol,
        kind,
        ..
    } = mark;
    let table = match table {
        254 => String::new(),
        table => format!(" table {table}"),
    };
    if let Some(first) = missing.first.first() {
        wrong.push(format!("lacks {missing} of {wanted} routes"));
        cures.push(format!(
            "`ip route del {kind} {first}{table} proto {protocol}` for each that it lacks, then `nullrouted refresh` (the \
             daemon puts them back by itself)"
        ));
    }
    if let Some(first) = ghosts.first.first() {
        wrong.push(format!("holds {ghosts} that are gone"));
        match (held.forgets(), version) {
            (true, _) => cures.push(format!(
                "`ip route add blackhole {first}{table}` and `ip route del` of the same for each that is gone"
            )),
            (false, Some(version)) => {
                note = format!(
                    "; FRR {version} keeps what is gone until then, also where the route is added and deleted again"
                );
            }
            (false, None) => {}
        }
    }
    if wrong.is_empty() {
        return format!("FRR holds all {wanted} routes that are installed");
    }
    format!(
        "FRR {}: it lost what the kernel told it; cure: {}{note}; more room: `-s 90000000` in zebra_options of \
         /etc/frr/daemons",
        wrong.join(" and "),
        cures.join("; or "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::file::Version;
    use crate::targets::kernel::zebra::Mismatch;

    fn difference(count: usize) -> Mismatch {
        Mismatch {
            count,
            first: vec!["192.0.2.0/24".to_owned(); count],
        }
    }

    fn told_by(version: Option<&str>, missing: usize, ghosts: usize) -> String {
        let held = Held {
            wanted: 5,
            missing: difference(missing),
            ghosts: difference(ghosts),
            version: version.map(|version| Version::parse(version).unwrap()),
        };
        told(&held, &Mark::default())
    }

    const ROOM: &str = "; more room: `-s 90000000` in zebra_options of /etc/frr/daemons";

    #[test]
    fn what_is_gone_is_added_and_deleted_where_zebra_then_gives_it_up() {
        for version in ["8.4.4", "9.1.3", "10.3"] {
            assert_eq!(
                told_by(Some(version), 0, 1),
                format!(
                    "FRR holds 1 (192.0.2.0/24) that are gone: it lost what the kernel told it; cure: restart zebra, which \
                     reads all routes; or `ip route add blackhole 192.0.2.0/24` and `ip route del` of the same for each \
                     that is gone{ROOM}"
                )
            );
        }
    }

    #[test]
    fn a_zebra_that_keeps_what_is_gone_is_restarted() {
        assert_eq!(
            told_by(Some("10.7.1"), 0, 1),
            format!(
                "FRR holds 1 (192.0.2.0/24) that are gone: it lost what the kernel told it; cure: restart zebra, which \
                 reads all routes; FRR 10.7.1 keeps what is gone until then, also where the route is added and deleted \
                 again{ROOM}"
            )
        );
        let unknown = told_by(None, 0, 1);
        assert!(!unknown.contains("ip route add"), "{unknown}");
        // What it lacks is mended in every version.
        let both = told_by(Some("10.7.1"), 1, 1);
        let del = "; or `ip route del blackhole 192.0.2.0/24 proto 166` for each that it lacks, then `nullrouted refresh`";
        assert!(
            both.contains(del) && !both.contains("ip route add"),
            "{both}"
        );
    }
}
