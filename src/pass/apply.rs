//! The desired set onto the targets (I/O), each by itself: one that fails does not stop the others.

use std::collections::HashSet;

use ipnet::IpNet;

use super::kernel::{KERNEL, to_kernel};
use super::{neighbors, say};
use crate::config::{Config, RouterConfig};
use crate::feed::copies::digest;
use crate::feed::standing::Standing;
use crate::ledger::{Observed, TargetRow};
use crate::prefix::PrefixSet;
use crate::target::kernel::{Fib, Mark, Report};
use crate::target::publish::{Published, publish};
use crate::target::router::{Sheet, render};
use crate::time::Timestamp;

/// Which routes of ours may go when nothing desires them.
#[derive(Clone, Debug)]
pub enum Removable {
    /// All: the ledger explains whatever carries our mark.
    All,
    /// Only what the ledger knows, and what is protected. The rest was left by an earlier life, and a
    /// feed that has not been read yet may be its reason.
    Explained {
        /// Every prefix that was ever in force; what is inside of one is explained, too.
        ever: HashSet<IpNet>,
        /// Protected space.
        protected: PrefixSet,
    },
}

impl Removable {
    /// Whether this route may go.
    pub fn permits(&self, prefix: IpNet) -> bool {
        match self {
            Self::All => true,
            Self::Explained { ever, protected } => {
                // What covers a route of somebody else is inside of one.
                let mut around = std::iter::successors(Some(prefix), IpNet::supernet);
                around.any(|net| ever.contains(&net)) || protected.overlaps(prefix)
            }
        }
    }
}

/// What is to be brought about, and what is known of the targets.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The targets.
    pub config: &'a Config,
    /// What they should hold.
    pub desired: &'a PrefixSet,
    /// The origin ASes that routers should match on, ascending.
    pub origins: &'a [u32],
    /// Which routes of ours may go.
    pub removable: &'a Removable,
    /// Credits for the router files.
    pub credits: &'a [&'a str],
    /// What became of the targets the last time.
    pub last: &'a [TargetRow],
    /// Marks of earlier configurations: their routes are ours and go.
    pub former: &'a [Mark],
    /// The time of the decision.
    pub now: Timestamp,
}

impl<'a> Task<'a> {
    /// To hold nothing, whatever is there.
    pub fn nothing(config: &'a Config, now: Timestamp) -> Self {
        Self {
            config,
            desired: &NOTHING,
            origins: &[],
            removable: &Removable::All,
            credits: &[],
            last: &[],
            former: &[],
            now,
        }
    }
}

pub(super) static NOTHING: PrefixSet = PrefixSet {
    v4: Vec::new(),
    v6: Vec::new(),
};

/// What came of a task.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// What became of each target that was tried.
    pub targets: Vec<TargetRow>,
    /// Former marks of which no route is left.
    pub cleared: Vec<Mark>,
    /// What was seen of the kernel on the way.
    pub observed: Vec<Observed>,
    /// What was done in the kernel, where it was possible.
    pub kernel: Option<Report>,
}

impl Applied {
    /// Whether a target failed.
    pub fn failed(&self) -> bool {
        self.targets.iter().any(|target| target.failed)
    }
}

/// What became of a target that did not fail.
pub(super) struct Done {
    /// Counts, or what was written.
    pub report: String,
    /// What an operator should know beyond that.
    pub notes: String,
    /// How long it took, for the log only.
    pub took: String,
    pub changed: bool,
    pub digest: Option<String>,
}

/// The names of all configured targets.
pub fn names(config: &Config) -> Vec<&str> {
    let kernel = config.kernel.enabled.then_some(KERNEL);
    let routers = config.routers.iter().map(|router| router.name.as_str());
    kernel.into_iter().chain(routers).collect()
}

/// The credits of the publishers whose copies count and whose prefixes are in `desired`; `standings`
/// in the order of the feeds.
pub fn credits(config: &Config, standings: &[Standing], desired: &PrefixSet) -> Vec<&'static str> {
    let mut credits = Vec::new();
    for (feed, standing) in config.feeds.iter().zip(standings) {
        let counts = standing.counts() && !desired.is_empty();
        let credit = feed
            .attribution
            .filter(|credit| counts && !credits.contains(credit));
        credits.extend(credit);
    }
    credits
}

/// Bring every target in step. Before each one `stop` is asked: a flush stands above a pass under way.
pub async fn all(task: Task<'_>, stop: impl Fn() -> bool) -> Applied {
    let mut applied = to_kernel(task, &mut Fib::default(), &stop).await;
    let files = to_files(task, &stop).await;
    applied.targets.extend(files.targets);
    if let Some(report) = &applied.kernel {
        let seen = neighbors::look(task, report, false, &[], &stop).await;
        applied.observed.extend(seen);
    }
    applied
}

/// The router files, each with its reload.
pub async fn to_files(task: Task<'_>, stop: &impl Fn() -> bool) -> Applied {
    let mut applied = Applied::default();
    for router in &task.config.routers {
        if stop() {
            tracing::warn!("flushed meanwhile: the remaining targets are left to the flush");
            break;
        }
        let result = file(router, task).await;
        note(&mut applied.targets, &router.name, result, task);
    }
    applied
}

/// Say it, where it is new, and keep it.
pub(super) fn note(
    rows: &mut Vec<TargetRow>,
    name: &str,
    result: Result<Done, String>,
    task: Task<'_>,
) {
    let last = task.last.iter().find(|row| row.name == name);
    let row = |failed, report, digest| TargetRow {
        name: name.to_owned(),
        at: task.now,
        failed,
        report,
        digest,
    };
    rows.push(match result {
        Err(report) => {
            tracing::error!("target={name}  {report}");
            row(true, report, None)
        }
        Ok(done) => {
            let known = last.is_some_and(|last| !last.failed && last.report.ends_with(&done.notes));
            let report = format!("{}{}", done.report, done.notes);
            let line = format!("target={name}  {}{}{}", done.report, done.took, done.notes);
            say::news(done.changed || !known, &line);
            row(false, report, done.digest)
        }
    });
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
    young && !tried && router.path.exists()
}

async fn file(router: &RouterConfig, task: Task<'_>) -> Result<Done, String> {
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
        });
    }
    let sheet = Sheet {
        set: task.desired,
        origins: task.origins,
        attributions: task.credits,
    };
    let text = render(router.family, &sheet);
    // What was loaded is this text, from this place, by this command.
    let loaded = format!("{text}\n{}\n{:?}", router.path.display(), router.reload);
    let digest = digest(loaded.as_bytes());
    let published = publish(router, &text, written == Some(&digest)).await?;
    let word = match published {
        Published::Unchanged => "unchanged",
        Published::Loaded => "loaded again",
        Published::Replaced => "replaced",
    };
    Ok(Done {
        report: format!("{path} {word}, {} prefixes", task.desired.len()),
        notes: String::new(),
        took: String::new(),
        changed: published != Published::Unchanged,
        digest: Some(digest),
    })
}
