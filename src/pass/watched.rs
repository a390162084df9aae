//! What is told of routes that somebody else changed.

use std::fs;

use crate::config::KernelConfig;
use crate::ledger::Observed;
use crate::target::kernel::{Fib, Report, Restored};
use crate::time::Timestamp;

/// So many routes are told one by one.
const TOLD: usize = 3;

/// No process has a larger number (`PID_MAX_LIMIT`, include/linux/threads.h).
const PID_MAX: u32 = 4 << 20;

/// Say what was put back, and by whom it had been removed; answer what `status` shows of it.
pub(super) fn observed(
    config: &KernelConfig,
    report: &Report,
    fib: &mut Fib,
    now: Timestamp,
) -> Vec<Observed> {
    let watch = restored(&report.restored, fib, now);
    let covers = config.cover_more_specifics.then(|| covers(report, now));
    watch.into_iter().chain(covers).collect()
}

/// What was put back, if anything was, and whether somebody keeps removing it.
fn restored(restored: &[Restored], fib: &mut Fib, now: Timestamp) -> Option<Observed> {
    for one in restored.iter().take(TOLD) {
        let who = who(one.by);
        tracing::warn!("watch  {} was removed by {who} and is back", one.prefix);
    }
    if let Some(more) = restored.len().checked_sub(TOLD).filter(|more| *more > 0) {
        tracing::warn!("watch  {more} more were removed and are back");
    }
    let last = restored.last()?;
    let (alarm, is_new) = fib.alarm(now);
    if let Some(alarm) = alarm.as_ref().filter(|_| is_new) {
        tracing::error!("watch  {alarm}");
    }
    Some(Observed {
        what: "watch".to_owned(),
        at: now,
        alarm: alarm.is_some(),
        count: restored.len() as u64,
        text: alarm.unwrap_or_else(|| {
            let who = who(last.by);
            format!("the last: {}, removed by {who}", last.prefix)
        }),
    })
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
        what: "covers".to_owned(),
        at: now,
        alarm: !report.uncovered.is_empty(),
        count: 0,
        text,
    }
}

/// What a state of the watch is called where nothing has happened.
pub fn state(text: &str, alarm: bool, now: Timestamp) -> Observed {
    Observed {
        what: "watch".to_owned(),
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
            Ok(name) => format!("{} (process {port})", name.trim_end()),
            Err(_) => format!("process {port}, which has ended"),
        },
    }
}
