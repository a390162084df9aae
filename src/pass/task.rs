//! What is to be brought about at the targets, and what came of it.

use std::collections::{BTreeMap, HashSet};

use ipnet::IpNet;

use super::say;
use super::sets::Sets;
use crate::config::Config;
use crate::ledger::{Observed, TargetRow};
use crate::prefix::{NOTHING, PrefixSet};
use crate::targets::file::{FileInput, Gone, Reasons};
use crate::targets::kernel::{Mark, Report};
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
    /// What the kernel should hold, and all that is to be told of it, for the router files.
    pub input: FileInput<'a>,
    /// What routers have that do not get everything.
    pub sets: &'a Sets,
    /// What single routers may still hold, where it is not what `input` says.
    pub gone: &'a BTreeMap<String, Gone>,
    /// Which routes of ours may go.
    pub removable: &'a Removable,
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
        Self::of(&NOTHING.nets, config, now)
    }

    /// To hold these, of which nothing else is known.
    pub fn of(set: &'a PrefixSet, config: &'a Config, now: Timestamp) -> Self {
        Self {
            config,
            input: FileInput {
                set,
                origins: &[],
                gone: Gone::nothing(),
                attributions: &[],
                reasons: Reasons::default(),
                own: config.policy.protect.typed(),
                limits: &config.policy.limits,
                metric: config.kernel.mark.metric,
                selected: None,
            },
            sets: Sets::none(),
            gone: &NO_MORE,
            removable: &Removable::All,
            last: &[],
            former: &[],
            now,
        }
    }
}

static NO_MORE: BTreeMap<String, Gone> = BTreeMap::new();

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
    /// How long it took, or what a command said; for the log only.
    pub took: String,
    pub changed: bool,
    pub digest: Option<String>,
    /// What it does although it may not, where it was seen: the target failed, and holds what it should.
    pub alarm: Option<String>,
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
        lists: last.and_then(|last| last.lists.clone()),
    };
    rows.push(match result {
        Err(report) => {
            tracing::error!("target={name}  {report}");
            row(true, report, None)
        }
        Ok(Done {
            alarm: Some(alarm),
            report,
            digest,
            took,
            ..
        }) => {
            tracing::error!("target={name}  {report}{took}; {alarm}");
            row(true, format!("{report}; {alarm}"), digest)
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
