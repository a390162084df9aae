//! The policy rule beside the routes: added before they come, removed after they went (I/O).

use std::collections::BTreeSet;
use std::io;

use super::KERNEL;
use crate::config::KernelConfig;
use crate::pass::task::{Applied, Done, Removable, Task, note};
use crate::prefix::PrefixSet;
use crate::targets::kernel::rule::WantedRule;
use crate::targets::kernel::rule::keep::{self, RuleReport, Rules};
use crate::targets::kernel::{Fib, Mark, Restored};

/// The rule that there should be. Without a route of ours there is nothing to lead to; but while routes of an
/// earlier life are kept, so is their rule.
fn wanted(config: &KernelConfig, desired: &PrefixSet, removable: &Removable) -> Option<WantedRule> {
    let priority = config.rule.filter(|_| config.enabled)?;
    let nothing_stays = desired.is_empty() && matches!(removable, Removable::All);
    (!nothing_stays).then_some(WantedRule {
        priority,
        table: config.mark.table,
        protocol: config.mark.protocol,
        add: !desired.is_empty(),
    })
}

/// Every mark of which there may be rules.
fn marks(config: &KernelConfig, former: &[Mark]) -> Vec<Mark> {
    let current = config.enabled.then_some(config.mark);
    former.iter().copied().chain(current).collect()
}

/// What a pass would do; `None` where it would do nothing.
///
/// # Errors
/// The rules cannot be read.
pub async fn would(
    config: &KernelConfig,
    desired: &PrefixSet,
    removable: &Removable,
    former: &[Mark],
) -> io::Result<Option<String>> {
    let marks = marks(config, former);
    if marks.is_empty() {
        return Ok(None);
    }
    let wanted = wanted(config, desired, removable);
    let difference = keep::difference(wanted.as_ref(), &marks).await?;
    let mut said: Vec<String> = Vec::new();
    if let Some(wanted) = wanted.filter(|_| !difference.add.is_empty()) {
        said.push(format!("add rule {}", wanted.priority));
    }
    let gone: BTreeSet<u32> = difference.remove.iter().map(|rule| rule.priority).collect();
    said.extend(
        gone.iter()
            .map(|priority| format!("remove rule {priority}")),
    );
    Ok((!said.is_empty()).then(|| said.join(", ")))
}

/// Before the routes. Whoever flushes has the last word on rules, too. Answers what somebody had removed.
pub(super) async fn begin(
    task: Task<'_>,
    fib: &mut Fib,
    stop: &impl Fn() -> bool,
) -> (Rules, Option<Restored>) {
    if stop() {
        return (Rules::default(), None);
    }
    let kernel = &task.config.kernel;
    let mut wanted = wanted(kernel, task.input.set, task.removable);
    if let Some(wanted) = &mut wanted {
        wanted.add &= fib.may_add_rule(wanted.priority, task.now);
    }
    let rules = keep::begin(wanted, &marks(kernel, task.former)).await;
    let priority = wanted.map(|wanted| wanted.priority);
    let back = fib.rule_is(priority, rules.added(), task.now);
    (rules, back)
}

/// After the routes: say what became of both. A former mark is not forgotten while a rule of it stays.
pub(super) async fn end(
    rules: Rules,
    routes: Option<Result<Done, String>>,
    applied: &mut Applied,
    task: Task<'_>,
) {
    let told = rules.end();
    applied.cleared.retain(|mark| {
        let of = (mark.table, mark.protocol);
        !told
            .left
            .iter()
            .any(|rule| (rule.table, rule.protocol) == of)
    });
    match routes {
        Some(routes) => note(&mut applied.targets, KERNEL, both(routes, told), task),
        None => {
            if !told.done.is_empty() {
                tracing::info!("target={KERNEL}  {}", told.done);
            }
            if let Some(why) = told.failure {
                note(&mut applied.targets, "kernel-former-mark", Err(why), task);
            }
        }
    }
}

fn both(routes: Result<Done, String>, told: RuleReport) -> Result<Done, String> {
    let mut done = match (routes, &told.failure) {
        (Ok(done), None) => done,
        (Ok(done), Some(why)) => return Err(format!("{}{}; {why}", done.report, done.notes)),
        (Err(routes), None) => return Err(routes),
        (Err(routes), Some(why)) => return Err(format!("{routes}; {why}")),
    };
    if !told.done.is_empty() {
        done.report.push_str(&format!(", {}", told.done));
        done.changed = true;
    }
    done.notes.push_str(&told.notes);
    Ok(done)
}
