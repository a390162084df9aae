//! The desired set onto the targets (I/O), each by itself: one that fails does not stop the others.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::kernel::KERNEL;
use super::lists;
use super::neighbors;
use super::sets::Sets;
use super::task::{Applied, Done, Removable, Task, note};
use crate::config::{Config, RouterConfig};
use crate::digest;
use crate::feed::standing::Standing;
use crate::files;
use crate::ledger::{Ledger, LedgerError, Left, TargetRow};
use crate::pipeline::Decision;
use crate::prefix::{Effective, PrefixSet};
use crate::progress::Progress;
use crate::targets::file::publish::{Became, publish, refused};
use crate::targets::file::{Chosen, FileInput, Gone, Reasons, render};

/// The names of all configured targets.
pub fn names(config: &Config) -> Vec<&str> {
    let kernel = config.kernel.enabled.then_some(KERNEL);
    let routers = config.routers.iter().map(|router| router.name.as_str());
    kernel.into_iter().chain(routers).collect()
}

/// The credits of the publishers whose copies count and whose prefixes are in `desired`; `standings`
/// in the order of the feeds.
pub fn credits(config: &Config, standings: &[Standing], desired: &PrefixSet) -> Vec<&'static str> {
    credits_of(config, standings, desired, |_| true)
}

/// The credits of the feeds that `has` names.
pub(super) fn credits_of(
    config: &Config,
    standings: &[Standing],
    desired: &PrefixSet,
    has: impl Fn(&str) -> bool,
) -> Vec<&'static str> {
    let mut credits = Vec::new();
    for (feed, standing) in config.feeds.iter().zip(standings) {
        let counts = standing.counts() && !desired.is_empty() && has(&feed.name);
        let credit = feed
            .attribution
            .filter(|credit| counts && !credits.contains(credit));
        credits.extend(credit);
    }
    credits
}

/// So long a router file takes away what is no longer in force: whoever loads it less often than that has to clear his
/// router first.
pub(super) const LATELY: Duration = Duration::from_secs(30 * 24 * 3_600);

/// What routers may still hold.
#[derive(Debug, Default)]
pub struct AllGone {
    /// One that gets everything, and always did.
    pub everything: Gone,
    /// The others, by name.
    pub routers: BTreeMap<String, Gone>,
}

/// What routers may still hold when this is in force, which the ledger knows already.
pub fn gone(
    config: &Config,
    ledger: &Ledger,
    effective: &Effective,
    sets: &Sets,
) -> Result<AllGone, LedgerError> {
    match left_lately(config, ledger)? {
        Some(left) => gone_of(config, ledger, effective, sets, left),
        None => Ok(AllGone::default()),
    }
}

/// The same before the ledger knows of it: with what would leave by them.
pub fn would_be_gone(
    config: &Config,
    ledger: &Ledger,
    effective: &Effective,
    sets: &Sets,
) -> Result<AllGone, LedgerError> {
    let Some(mut left) = left_lately(config, ledger)? else {
        return Ok(AllGone::default());
    };
    let Effective { nets, origins } = ledger.in_force()?;
    left.nets.extend(nets.nets());
    left.asns.extend(origins);
    gone_of(config, ledger, effective, sets, left)
}

/// Of what left lately: what is not in force again.
fn gone_of(
    config: &Config,
    ledger: &Ledger,
    effective: &Effective,
    sets: &Sets,
    left: Left,
) -> Result<AllGone, LedgerError> {
    Ok(AllGone {
        routers: sets.gone(config, ledger, effective, &left)?,
        everything: Gone::of(left.nets, left.asns, effective),
    })
}

/// What the ledger knows to have left, where a router wants to hear of it.
fn left_lately(config: &Config, ledger: &Ledger) -> Result<Option<Left>, LedgerError> {
    let mut routers = config.routers.iter();
    let takes_away = routers.any(|router| router.options.family.takes_away());
    takes_away.then(|| ledger.left(LATELY)).transpose()
}

/// What the router files say of what should be in force, or of what is.
pub fn input<'a>(
    config: &'a Config,
    decision: &'a Decision,
    effective: &'a Effective,
    gone: &'a Gone,
    credits: &'a [&'a str],
) -> FileInput<'a> {
    let policy = &config.policy;
    FileInput {
        set: &effective.nets,
        origins: &effective.origins,
        gone,
        attributions: credits,
        reasons: Reasons::of(decision.behind(), &policy.limits),
        own: policy.protect.typed(),
        limits: &policy.limits,
        metric: config.kernel.mark.metric,
        selected: None,
    }
}

/// The targets after the kernel, of which `applied` tells: the router files, and what FRR made of it. Before
/// each one `stop` is asked: a flush stands above a pass under way.
pub async fn after_kernel(
    task: Task<'_>,
    progress: &Progress,
    applied: &mut Applied,
    stop: &impl Fn() -> bool,
) {
    let files = to_files(task, progress, stop).await;
    applied.targets.extend(files.targets);
    if let Some(report) = &applied.kernel {
        let seen = neighbors::look(task, report, false, &[], stop).await;
        applied.observed.extend(seen);
    }
}

/// The router files, each with its reload.
pub async fn to_files(task: Task<'_>, progress: &Progress, stop: &impl Fn() -> bool) -> Applied {
    let mut applied = Applied::default();
    for router in &task.config.routers {
        if stop() {
            tracing::warn!("flushed meanwhile: the remaining targets are left to the flush");
            break;
        }
        let input = task.sets.input(router, task.input, task.gone);
        let chosen = lists::asked(router, task.last, input.set.counts()).await;
        let result = file(router, chosen.as_ref(), &input, task, progress).await;
        note(&mut applied.targets, &router.name, result, task);
        if let Some(row) = applied.targets.last_mut() {
            row.lists = chosen;
        }
    }
    applied
}

/// Whether the file was there before this ledger, and is not to be replaced yet. One that we tried to
/// write, with whatever result, is ours.
pub fn is_of_an_earlier_life(
    router: &RouterConfig,
    removable: &Removable,
    last: &[TargetRow],
) -> bool {
    let young = matches!(removable, Removable::Explained { .. });
    let tried = last
        .iter()
        .any(|row| row.name == router.name && (row.failed || row.digest.is_some()));
    // One that does not answer is reported when it is read.
    let exists = |path: &Path| path.try_exists();
    young && !tried && files::within(&router.path, files::PATIENCE, exists).unwrap_or(false)
}

/// The name of a text that was loaded: from this place, by this command.
fn loaded(router: &RouterConfig, text: &str) -> String {
    let loaded = format!("{text}\n{}\n{:?}", router.path.display(), router.reload);
    digest::of(loaded.as_bytes())
}

/// Why the file of a router would not be replaced, if it would not.
pub fn would_refuse(router: &RouterConfig, last: &[TargetRow]) -> Option<String> {
    let last = last.iter().find(|row| row.name == router.name);
    let written = last.and_then(|row| row.digest.as_ref());
    refused(router, |other| written == Some(&loaded(router, other)))
}

/// What a router gets that does not get everything.
fn told(input: &FileInput) -> String {
    let selected = input.selected.as_ref();
    selected.map_or_else(String::new, |selected| format!(" ({selected})"))
}

async fn file(
    router: &RouterConfig,
    chosen: Option<&Chosen>,
    input: &FileInput<'_>,
    task: Task<'_>,
    progress: &Progress,
) -> Result<Done, String> {
    let last = task.last.iter().find(|row| row.name == router.name);
    let written = last.and_then(|row| row.digest.as_ref());
    let path = router.path.display();
    if is_of_an_earlier_life(router, task.removable, task.last) {
        return Ok(Done {
            report: format!("{path} kept"),
            notes: "; it is of an earlier life, and stays until every feed has been read once"
                .to_owned(),
            took: String::new(),
            changed: false,
            digest: None,
            alarm: None,
        });
    }
    let text = render(&lists::options(router, chosen), input);
    let new = loaded(router, &text);
    let is_loaded = |other: &str| match other == text {
        true => written == Some(&new),
        false => written == Some(&loaded(router, other)),
    };
    let published = publish(router, &text, is_loaded, progress).await?;
    let adopted = published.adopted.iter();
    let adopted = adopted.map(|kept| format!("; what stood there is kept as {}", kept.display()));
    let adopted: String = adopted.collect();
    let word = match published.became {
        Became::Unchanged => "unchanged",
        Became::Loaded => "loaded again",
        Became::Replaced => "replaced",
        Became::Changed => "replaced, its difference loaded",
    };
    let said = match published.said.as_str() {
        "" => String::new(),
        said => format!("; it said: {said}"),
    };
    Ok(Done {
        report: format!("{path} {word}, {} prefixes{}", input.set.len(), told(input)),
        notes: String::new(),
        took: adopted + &said,
        changed: published.became != Became::Unchanged,
        digest: Some(new),
        alarm: published.alarm,
    })
}
