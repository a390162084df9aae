//! The desired set into the kernel (I/O).

mod rules;

use std::time::Instant;

use super::task::{Applied, Done, Task, note};
use super::{neighbors, watched};
use crate::config::KernelConfig;
use crate::prefix::NOTHING;
use crate::targets::kernel::{DumpFilter, Fault, Fib, Mark, Report, Wanted, read};
use crate::time::Timestamp;

pub use rules::would as rules_would;

/// The name of the kernel among the targets.
pub const KERNEL: &str = "kernel";

/// The kernel: routes of former marks go, ours are brought in step.
pub async fn to_kernel(task: Task<'_>, fib: &mut Fib, stop: &impl Fn() -> bool) -> Applied {
    let Task { config, former, .. } = task;
    let mut applied = Applied::default();
    fib.rest();
    let (rules, rule_back) = rules::begin(task, fib, stop).await;
    // In another table they stay until ours are there: no moment without either. In ours they are in the way.
    let (after, before): (Vec<Mark>, Vec<Mark>) = former
        .iter()
        .partition(|mark| mark.table != config.kernel.mark.table && config.kernel.enabled);
    withdraw(&before, task, &mut applied).await;
    let mut routes = None;
    if config.kernel.enabled && !stop() {
        let (result, mut report) = sync(&config.kernel, task, fib).await;
        if let Some(report) = &mut report {
            report.restored.extend(rule_back);
            applied.observed = watched::observed(&config.kernel, report, fib, task.now);
            applied.observed.extend(neighbors::bus(report, task.now));
        }
        (routes, applied.kernel) = (Some(result), report);
    }
    withdraw(&after, task, &mut applied).await;
    rules::end(rules, routes, &mut applied, task).await;
    applied
}

/// Routes of former marks go.
async fn withdraw(former: &[Mark], task: Task<'_>, applied: &mut Applied) {
    for mark in former {
        match clear(*mark, task.now).await {
            Ok(removed) => {
                let Mark {
                    table,
                    protocol,
                    kind,
                    ..
                } = mark;
                tracing::info!(
                    "target=kernel  removed {removed} routes of a former mark (table {table}, protocol {protocol}, {kind})"
                );
                applied.cleared.push(*mark);
            }
            Err(why) => {
                let failed = Err(format!("routes of a former mark stay: {why}"));
                note(&mut applied.targets, "kernel-former-mark", failed, task);
            }
        }
    }
}

/// Our routes: what an operator is told, and what was done.
async fn sync(
    config: &KernelConfig,
    task: Task<'_>,
    fib: &mut Fib,
) -> (Result<Done, String>, Option<Report>) {
    let start = Instant::now();
    let wanted = Wanted {
        mark: config.mark,
        desired: task.input.set,
        may_remove: &|net| task.removable.permits(net),
        cover: config.cover_more_specifics,
        now: task.now,
    };
    // Whoever hears nothing reads each time.
    if !fib.listens() {
        fib.invalidate();
    }
    match fib.sync(wanted).await {
        Err(fault) => {
            // Nobody else will say that something is to be done.
            fib.expect_change();
            (Err(fault.to_string()), None)
        }
        Ok(report) => {
            let took = format!(", {} ms", start.elapsed().as_millis());
            (told(&report, took), Some(report))
        }
    }
}

fn told(report: &Report, took: String) -> Result<Done, String> {
    let Report {
        added,
        removed,
        kept,
        failed,
        ..
    } = *report;
    let text = format!("added {added}, removed {removed}, kept {kept}, failed {failed}");
    if let Some(why) = &report.first_failure {
        return Err(format!("{text}; {why}"));
    }
    let mut notes = String::new();
    if let Some(first) = report.occupied.first() {
        let count = report.occupied.len();
        notes.push_str(&format!(
            "; {count} left to a route that is not ours ({first})"
        ));
    }
    if report.unexplained > 0 {
        let count = report.unexplained;
        notes.push_str(&format!(
            "; {count} of an earlier life kept until every feed has been read once"
        ));
    }
    if report.postponed > 0 {
        let count = report.postponed;
        notes.push_str(&format!(
            "; {count} that somebody keeps removing are put back later"
        ));
    }
    // What is put back has a line of its own.
    let changed = added + removed > report.told + report.restored.len();
    Ok(Done {
        report: text,
        notes,
        took,
        changed,
        digest: None,
        alarm: None,
    })
}

/// How many routes carry a mark.
pub async fn count(mark: Mark) -> Result<usize, Fault> {
    let v4 = read::<u32>(&mark, DumpFilter::Ours).await?.routes;
    let v6 = read::<u128>(&mark, DumpFilter::Ours).await?.routes;
    Ok(v4.len() + v6.len())
}

/// Remove every route with a former mark. Answers how many there were.
async fn clear(mark: Mark, now: Timestamp) -> Result<usize, String> {
    let nothing = Wanted {
        mark,
        desired: &NOTHING.nets,
        may_remove: &|_| true,
        cover: false,
        now,
    };
    let report = Fib::default().sync(nothing).await;
    let report = report.map_err(|fault| fault.to_string())?;
    match report.first_failure {
        Some(why) => Err(why),
        None => Ok(report.removed),
    }
}
