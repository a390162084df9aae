//! Routes that other programs changed: what the log and `status` show of it.

use std::fs;

use crate::config::KernelConfig;
use crate::ledger::{Observed, Topic};
use crate::shown;
use crate::targets::kernel::{Report, Restored};
use crate::time::Timestamp;

/// So many routes are told one by one.
const TOLD: usize = 3;

/// No process has a larger number (`PID_MAX_LIMIT`, include/linux/threads.h).
const PID_MAX: u32 = 4 << 20;

/// Say what was put back, and by whom it had been removed; answer what `status` shows of it.
pub(super) fn observed(
    config: &KernelConfig,
    report: &Report,
    alarm: Option<(Option<String>, bool)>,
    now: Timestamp,
) -> Vec<Observed> {
    let watch = undone(report, alarm, now);
    let covers = config.cover_more_specifics.then(|| covers(report, now));
    let lost = report.notifications_lost.then(|| {
        let why = "notifications were lost, so everything was compared: ";
        audited(report, why, now)
    });
    watch.into_iter().chain(covers).chain(lost).collect()
}

/// What was found when everything was read, and why it was.
pub(super) fn audited(report: &Report, why: &str, now: Timestamp) -> Observed {
    let missing = report.added + report.postponed;
    let taken = report.occupied.len();
    let found: Vec<String> = [
        (missing, "missing"),
        (report.removed, "too many"),
        (taken, "in a place that others have"),
        (report.failed, "refused by the kernel"),
        (report.unexplained, "of an earlier life"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    let text = match found.is_empty() {
        true => format!("{why}all {} routes are as they should be", report.kept),
        false => format!(
            "{why}{}, beside {} as they should be",
            found.join(", "),
            report.kept
        ),
    };
    match missing + report.removed {
        0 => tracing::debug!("audit  {text}"),
        _ => tracing::warn!("audit  {text}"),
    }
    Observed {
        what: Topic::Audit,
        at: now,
        alarm: false,
        count: 1,
        text,
    }
}

/// What others did and we undid, if anything was, and whether they keep at it.
fn undone(
    report: &Report,
    alarm: Option<(Option<String>, bool)>,
    now: Timestamp,
) -> Option<Observed> {
    let Report {
        restored, surplus, ..
    } = report;
    say(
        restored,
        "was removed by",
        "is back",
        "were removed and are back",
    );
    say(
        surplus,
        "with our mark was added by",
        "is gone again",
        "were added and are gone again",
    );
    let last = match (restored.last(), surplus.last()) {
        (Some(last), _) => format!("the last: {}, removed by {}", last.what, who(last.by)),
        (None, Some(last)) => format!("the last: {}, added by {}", last.what, who(last.by)),
        (None, None) => return None,
    };
    let (alarm, is_new) = alarm.unwrap_or_default();
    if let Some(alarm) = alarm.as_ref().filter(|_| is_new) {
        tracing::error!("watch  {alarm}");
    }
    Some(Observed {
        what: Topic::Watch,
        at: now,
        alarm: alarm.is_some(),
        count: restored.len() as u64,
        text: alarm.unwrap_or(last),
    })
}

fn say(undone: &[Restored], done: &str, and: &str, more_are: &str) {
    for one in undone.iter().take(TOLD) {
        tracing::warn!("watch  {} {done} {} and {and}", one.what, who(one.by));
    }
    if let Some(more) = undone.len().checked_sub(TOLD).filter(|more| *more > 0) {
        tracing::warn!("watch  {more} more {more_are}");
    }
}

fn covers(report: &Report, now: Timestamp) -> Observed {
    let mut text = format!(
        "{} routes cover more specific ones of others",
        report.covers
    );
    if let Some(first) = report.uncovered.first() {
        let count = report.uncovered.len();
        text.push_str(&format!(
            "; {count} cannot be covered, for nothing is longer or better: {first}"
        ));
    }
    Observed {
        what: Topic::Covers,
        at: now,
        alarm: !report.uncovered.is_empty(),
        count: 0,
        text,
    }
}

/// What a state of the watch is called where nothing has happened.
pub fn state(text: &str, alarm: bool, now: Timestamp) -> Observed {
    Observed {
        what: Topic::Watch,
        at: now,
        alarm,
        count: 0,
        text: text.to_owned(),
    }
}

/// Who has a netlink port: most programs have their process's number (netlink(7)).
fn who(port: Option<u32>) -> String {
    match port {
        None => "somebody".to_owned(),
        Some(0) => "the kernel".to_owned(),
        // The port of a program's second socket is made up (`netlink_autobind`).
        Some(port) if port > PID_MAX => format!("somebody (port {port})"),
        Some(port) => match fs::read_to_string(format!("/proc/{port}/comm")) {
            Ok(name) => format!("{} (process {port})", shown::line(name.trim_end())),
            Err(_) => format!("process {port}, which has ended"),
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
        let mut named = who(Some(id));
        while !named.starts_with("a\\u") {
            assert!(child.try_wait().unwrap().is_none(), "{named}");
            std::thread::yield_now();
            named = who(Some(id));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(named, format!("a\\u{{1b}}[2J\\nb (process {id})"));
    }
}
