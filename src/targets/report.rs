//! What a target did, and whether a prefix is there: numbers and enums. Their `Display` is the line
//! that `status` and the log show.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::file::publish::Became;
use super::file::{Chosen, Selected};
use super::kernel::rule::RuleChange;
use super::kernel::{self, Details};
use crate::policy::selection::Selection;
use crate::time::Timestamp;

/// What was done at a target, or would be.
#[derive(Debug)]
pub struct Outcome {
    /// The key of the target, or of what it cleans up.
    pub name: String,
    pub result: Result<Report, Fault>,
}

impl Outcome {
    pub fn new(name: &str, result: Result<Report, Fault>) -> Self {
        let name = name.to_owned();
        Self { name, result }
    }
}

/// What came of [`apply`](super::Target::apply).
#[derive(Debug, Default)]
pub struct Done {
    /// Of the target, and of what it cleaned up.
    pub outcomes: Vec<Outcome>,
    /// What the kernel target saw on the way.
    pub kernel: Option<Box<Details>>,
}

impl Done {
    /// Of a target that has no more to say.
    pub fn of(name: &str, result: Result<Report, Fault>) -> Self {
        Self {
            outcomes: vec![Outcome::new(name, result)],
            kernel: None,
        }
    }
}

/// Numbers of routes or prefixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub added: usize,
    pub removed: usize,
    /// There before, and still.
    pub kept: usize,
    /// Refused.
    pub failed: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (added, removed) = (self.added, self.removed);
        let (kept, failed) = (self.kept, self.failed);
        write!(
            f,
            "added {added}, removed {removed}, kept {kept}, failed {failed}"
        )
    }
}

/// What a target consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Routes, and the policy rules that lead to them.
    Routes(Counts, Vec<RuleChange>),
    /// Policy rules alone.
    Rules(Vec<RuleChange>),
    /// The number of removed routes with a former mark.
    FormerMark(usize),
    File {
        path: PathBuf,
        became: Became,
        prefixes: usize,
        /// Which part of the set in force it has; `None` for all of it.
        selected: Option<Selected>,
    },
    /// A file that is not replaced yet.
    FileFromBefore(PathBuf),
}

/// What a target did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub what: What,
    /// What an operator should know beyond that.
    pub notes: Vec<Note>,
    /// Whether it changed anything that has no line of its own in the log.
    pub changed: bool,
    /// The state to compare the next one with, such as the digest of a file.
    pub state: Option<String>,
    /// How lists stand in its file, where that is chosen automatically.
    pub lists: Option<Chosen>,
    /// A problem at the target that its `verify` found although it has what it should.
    pub alarm: Option<String>,
    /// For the log only: how long it took.
    pub took: Option<Duration>,
    /// For the log only: where files of others are kept that stood in its place.
    pub adopted: Vec<PathBuf>,
    /// For the log only: what its commands printed, in one line.
    pub printed: String,
}

impl Report {
    /// Of this, and nothing else to say.
    pub fn new(what: What, changed: bool) -> Self {
        Self {
            what,
            notes: Vec::new(),
            changed,
            state: None,
            lists: None,
            alarm: None,
            took: None,
            adopted: Vec::new(),
            printed: String::new(),
        }
    }

    /// The line of the log: it has more than `status` shows.
    pub fn log_line(&self) -> String {
        let mut line = self.what.to_string();
        if let Some(took) = self.took {
            line.push_str(&format!(", {} ms", took.as_millis()));
        }
        for kept in &self.adopted {
            let kept = kept.display();
            line.push_str(&format!("; what stood there is kept as {kept}"));
        }
        if !self.printed.is_empty() {
            line.push_str(&format!("; it said: {}", self.printed));
        }
        line.push_str(&notes(&self.notes));
        line
    }

    /// What a plan says of it: `add 3, remove 0, keep 7`.
    pub fn would(&self) -> String {
        match &self.what {
            What::Routes(counts, _) => {
                let (added, removed, kept) = (counts.added, counts.removed, counts.kept);
                let mut text = format!("add {added}, remove {removed}, keep {kept}");
                for note in &self.notes {
                    if let Note::Occupied { count, .. } = note {
                        text.push_str(&format!(", leave {count} to routes that are not ours"));
                    }
                }
                text
            }
            What::Rules(changes) => {
                let would = changes.iter().map(|change| {
                    let verb = if change.added { "add" } else { "remove" };
                    format!("{verb} rule {}", change.priority)
                });
                would.collect::<Vec<_>>().join(", ")
            }
            What::FormerMark(count) => format!("remove {count} of a former mark"),
            What::File { path, became, .. } => match became {
                Became::Unchanged => format!("keep {}", path.display()),
                _ => format!("replace {}", path.display()),
            },
            What::FileFromBefore(path) => format!("keep {}", path.display()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.what, notes(&self.notes))?;
        match &self.alarm {
            Some(alarm) => write!(f, "; {alarm}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routes(counts, rules) => {
                counts.fmt(f)?;
                rules.iter().try_for_each(|rule| write!(f, ", {rule}"))
            }
            Self::Rules(changes) => {
                let done: Vec<_> = changes.iter().map(ToString::to_string).collect();
                f.write_str(&done.join(", "))
            }
            Self::FormerMark(count) => write!(f, "removed {count} routes of a former mark"),
            Self::File {
                path,
                became,
                prefixes,
                selected,
            } => {
                write!(f, "{} {became}, {prefixes} prefixes", path.display())?;
                match selected {
                    Some(selected) => write!(f, " ({selected})"),
                    None => Ok(()),
                }
            }
            Self::FileFromBefore(path) => write!(f, "{} kept", path.display()),
        }
    }
}

/// What an operator should know of a target beyond its counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// Places of routes that have a route of another program.
    Occupied { count: usize, first: String },
    /// Routes with our mark that this ledger does not explain, kept for now.
    RoutesFromBefore(usize),
    /// Routes that another program keeps removing; they are reinstalled later.
    BackedOff(usize),
    /// Policy rules of others with the priority or the table of ours.
    ForeignRules { count: usize, first: String },
    /// The file was there before this ledger.
    FileFromBefore,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Occupied { count, first } => {
                write!(f, "{count} left to a route that is not ours ({first})")
            }
            Self::RoutesFromBefore(count) => write!(
                f,
                "{count} of an earlier run kept until every feed has been read once"
            ),
            Self::BackedOff(count) => {
                write!(
                    f,
                    "{count} that another program keeps removing are reinstalled later"
                )
            }
            Self::ForeignRules { count: 1, first } => {
                write!(
                    f,
                    "a rule that is not ours has its priority or table ({first})"
                )
            }
            Self::ForeignRules { count, first } => write!(
                f,
                "{count} rules that are not ours have its priority or table ({first})"
            ),
            Self::FileFromBefore => f.write_str(
                "it predates this ledger, and is replaced once every feed has been fetched",
            ),
        }
    }
}

fn notes(notes: &[Note]) -> String {
    notes.iter().map(|note| format!("; {note}")).collect()
}

/// Why a target is not as wanted.
#[derive(Debug)]
pub enum Fault {
    /// The kernel cannot be used.
    Kernel(kernel::Fault),
    /// The kernel refused routes; the first refusal.
    Routes(Counts, String),
    /// A policy rule is missing or stays, whatever came of the routes.
    Rules(Box<Result<Report, Fault>>, String),
    /// A policy rule with a former mark stays.
    FormerRule(String),
    /// Routes with a former mark stay.
    FormerMark(String),
    /// A file is not in force: what failed, what its command printed, and what is in place now.
    File {
        why: String,
        /// How lists stand in it, where that is chosen automatically.
        lists: Option<Chosen>,
    },
    /// Of a target of another program.
    Other(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(fault) => fault.fmt(f),
            Self::Routes(counts, why) => write!(f, "{counts}; {why}"),
            Self::Rules(routes, why) => match &**routes {
                Ok(report) => write!(f, "{report}; {why}"),
                Err(fault) => write!(f, "{fault}; {why}"),
            },
            Self::FormerMark(why) => write!(f, "routes of a former mark stay: {why}"),
            Self::FormerRule(why) | Self::File { why, .. } | Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Fault {}

/// Whether a prefix is at a target.
#[derive(Debug)]
pub enum Presence {
    Here,
    /// These parts of it.
    Partly(Vec<IpNet>),
    /// Not, or not so that it has an effect.
    Absent(Absence),
    /// It cannot be asked.
    Unknown(Fault),
    /// It is not for this target to have.
    NotConcerned,
}

/// Why a prefix is not at a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// A route of another program to a part of it, as the kernel shows it.
    MoreSpecific(String),
    /// A route of another program in its place, with a better metric.
    BetterMetric(String),
    /// A route of another program in its place.
    Occupied(String),
    /// No route.
    Missing,
    /// No file was written yet.
    NotWritten,
    /// The file was not brought into force; the report of then.
    Failed(String),
    /// It is announced by the route of the kernel, which is a wider one.
    Joined { own: IpNet, route: IpNet },
    /// Only parts of it.
    Parts(Vec<IpNet>),
    /// The selection of the target leaves it out.
    LeftOut(Selection),
    /// Nothing in the selection of the target lists it.
    NotSelected(Selection),
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MoreSpecific(route) => {
                write!(f, "a more specific route that is not ours wins: {route}")
            }
            Self::BetterMetric(route) => write!(
                f,
                "a route that is not ours, with a better metric, wins: {route}"
            ),
            Self::Occupied(route) => {
                write!(
                    f,
                    "the kernel does NOT drop it: a route that is not ours has its place: {route}"
                )
            }
            Self::Missing => f.write_str("there is no such route; the next pass puts it back"),
            Self::NotWritten => f.write_str("not written yet"),
            Self::Failed(report) => f.write_str(report),
            Self::Joined { own, route } => write!(
                f,
                "{own} is not announced, as the kernel has it in the wider route {route}"
            ),
            Self::Parts(parts) => write!(f, "only a part of it: {}", super::first(parts)),
            Self::LeftOut(selection) => write!(f, "left out by its selection ({selection})"),
            Self::NotSelected(selection) => {
                write!(f, "nothing in its selection lists it ({selection})")
            }
        }
    }
}

/// What became of a target, as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetRow {
    /// `kernel`, or the name of a router.
    pub name: String,
    pub at: Timestamp,
    /// Whether something failed.
    pub failed: bool,
    /// What was shown of it.
    pub report: String,
    /// What was worth noting.
    #[serde(skip)]
    pub notes: Vec<Note>,
    /// Content of a router file that is in place and loaded.
    #[serde(skip)]
    pub digest: Option<String>,
    /// How lists stand in the file of a router with `lists = "auto"`, and the version that it was
    /// chosen by.
    #[serde(skip)]
    pub lists: Option<Chosen>,
}

impl TargetRow {
    /// Of this outcome, after what was `last` known of it.
    pub fn of(outcome: &Outcome, last: Option<&Self>, at: Timestamp) -> Self {
        let (name, kept) = (
            outcome.name.clone(),
            last.and_then(|last| last.lists.clone()),
        );
        let failed = Self {
            name,
            at,
            failed: true,
            report: String::new(),
            notes: Vec::new(),
            digest: None,
            lists: None,
        };
        match &outcome.result {
            Err(fault) => Self {
                report: fault.to_string(),
                lists: match fault {
                    Fault::File { lists, .. } => lists.clone(),
                    _ => kept,
                },
                ..failed
            },
            Ok(report) => Self {
                failed: report.alarm.is_some(),
                report: report.to_string(),
                notes: report.notes.clone(),
                digest: report.state.clone(),
                lists: report.lists.clone(),
                ..failed
            },
        }
    }
}
