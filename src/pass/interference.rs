//! Routes that other programs changed: what the log and `status` show of it.

use std::fs;

use crate::config::KernelConfig;
use crate::ledger::{Actor, Audit, Covers, Monitoring, Observation, Observed};
use crate::shown;
use crate::targets::kernel::{Alarm, Report, Restored};
use crate::time::Timestamp;

/// At most this many routes are logged one by one.
const TOLD: usize = 3;

/// No process has a larger number (`PID_MAX_LIMIT`, include/linux/threads.h).
const PID_MAX: u32 = 4 << 20;

/// Say what was put back, and by whom it had been removed; answer what `status` shows of it.
pub(super) fn observed(
    config: &KernelConfig,
    report: &Report,
    alarm: Option<(Option<Alarm>, bool)>,
    now: Timestamp,
) -> Vec<Observed> {
    let watch = undone(report, alarm, now);
    let covers = config.cover_more_specifics.then(|| covers(report, now));
    let lost = report.notifications_lost.then(|| audited(report, now));
    watch.into_iter().chain(covers).chain(lost).collect()
}

/// What was found when everything was read.
pub(super) fn audited(report: &Report, now: Timestamp) -> Observed {
    let audit = Audit {
        notifications_lost: report.notifications_lost,
        missing: report.added + report.postponed,
        surplus: report.removed,
        occupied: report.occupied.len(),
        failed: report.failed,
        unexplained: report.unexplained,
        kept: report.kept,
    };
    match audit.missing + audit.surplus {
        0 => tracing::debug!("audit  {audit}"),
        _ => tracing::warn!("audit  {audit}"),
    }
    Observed {
        at: now,
        alarm: false,
        count: 1,
        seen: Observation::Audit(audit),
    }
}

/// What others did and we undid, if anything was, and whether they keep at it.
fn undone(
    report: &Report,
    alarm: Option<(Option<Alarm>, bool)>,
    now: Timestamp,
) -> Option<Observed> {
    let Report {
        restored, surplus, ..
    } = report;
    say(
        restored,
        "was removed by",
        "reinstalled",
        "were removed; reinstalled",
    );
    say(
        surplus,
        "with our mark was added by",
        "removed",
        "were added; removed",
    );
    let last = restored.last().or(surplus.last())?;
    let (alarm, is_new) = alarm.unwrap_or_default();
    if let Some(alarm) = alarm.as_ref().filter(|_| is_new) {
        tracing::error!("watch  {alarm}");
    }
    let is_alarm = alarm.is_some();
    let state = match alarm {
        Some(alarm) => Monitoring::Repeated(alarm),
        None => Monitoring::Undone {
            what: last.what,
            by: who(last.by),
        },
    };
    Some(Observed {
        count: restored.len() as u64,
        ..Observed::watch(state, is_alarm, now)
    })
}

fn say(undone: &[Restored], done: &str, and: &str, more_are: &str) {
    for one in undone.iter().take(TOLD) {
        tracing::warn!("watch  {} {done} {}; {and}", one.what, who(one.by));
    }
    if let Some(more) = undone.len().checked_sub(TOLD).filter(|more| *more > 0) {
        tracing::warn!("watch  {more} more {more_are}");
    }
}

fn covers(report: &Report, now: Timestamp) -> Observed {
    let uncovered = &report.uncovered;
    Observed {
        at: now,
        alarm: !uncovered.is_empty(),
        count: 0,
        seen: Observation::Covers(Covers {
            routes: report.covers,
            uncovered: uncovered.len(),
            first: uncovered.first().cloned(),
        }),
    }
}

/// Who has a netlink port: most programs have their process's number (netlink(7)).
fn who(port: Option<u32>) -> Actor {
    match port {
        None => Actor::Unknown,
        Some(0) => Actor::Kernel,
        // The port of a program's second socket is made up (`netlink_autobind`).
        Some(port) if port > PID_MAX => Actor::Port(port),
        Some(id) => match fs::read_to_string(format!("/proc/{id}/comm")) {
            Ok(name) => Actor::Process {
                id,
                name: shown::line(name.trim_end()).into_owned(),
            },
            Err(_) => Actor::Ended(id),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_gives_itself_a_name_of_two_lines_is_named_in_one() {
        let place = tempfile::tempdir().unwrap();
        let program = place.path().join("a\u{1b}[2J\nb");
        std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        let mut child = std::process::Command::new(&program)
            .arg("60")
            .spawn()
            .unwrap();
        let id = child.id();
        // The name comes a moment after `exec` has begun.
        let mut named = who(Some(id)).to_string();
        while !named.starts_with("a\\u") {
            assert!(child.try_wait().unwrap().is_none(), "{named}");
            std::thread::yield_now();
            named = who(Some(id)).to_string();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(named, format!("a\\u{{1b}}[2J\\nb (PID {id})"));
    }
}
