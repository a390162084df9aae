//! `status --check`: one line and an exit code, as a monitoring plugin gives them
//! (<https://www.monitoring-plugins.org/doc/guidelines.html>).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::{Exit, Outcome, Stop, block_on, load, output};
use crate::clock::Clock;
use crate::config::Config;
use crate::feed::standing::Standing;
use crate::ledger::{HoldRow, Ledger};
use crate::pass::{former_marks, removable};
use crate::prefix::{Effective, PrefixSet};
use crate::shown::{self, counted, thousands};
use crate::targets::kernel::Kernel;
use crate::targets::{self, Fault, Note, Target, Wanted, What};
use crate::time::{Timestamp, short};
use crate::view::observed;

/// How bad it is. The numbers are those of the plugin interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// What is known to be wrong counts before what is not known.
    fn rank(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Unknown => 2,
            Self::Critical => 3,
        }
    }
}

/// Findings on the line; more are counted.
const FINDINGS: usize = 5;
/// Most characters of one finding: it may quote a router's command.
const LONGEST: usize = 200;

/// A pass that is under way is given some time: the number of times the kernel is read, …
const LOOKS: usize = 3;
/// … with this between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// What was found, and what is measured.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    findings: Vec<(Severity, String)>,
    /// What is said where there is nothing to find fault with.
    summary: String,
    /// Performance data: label and value with its unit.
    measured: Vec<(&'static str, String)>,
}

pub(super) fn run(path: &Path) -> Outcome {
    let report = report(path).unwrap_or_else(|stop| Report {
        findings: vec![(Severity::Unknown, stop.in_one_line())],
        ..Report::default()
    });
    // Without its line the result is not known.
    Ok(Exit::Checked(
        match output::results(|out| writeln!(out, "{}", report.line())) {
            Ok(()) => report.severity(),
            Err(_) => Severity::Unknown,
        },
    ))
}

fn report(path: &Path) -> Result<Report, Stop> {
    let config = load(path)?;
    let ledger = Ledger::read(&config.state_dir)?;
    let mut report = Report::default();
    let clock = Clock::of(ledger.clock()?.as_ref());
    if clock.seen().doubt.is_some() {
        report.add(Severity::Warning, format!("clock: {}", clock.seen()));
    }
    if Ledger::is_disk_full(&config.state_dir) {
        let folder = config.state_dir.display();
        let text = format!(
            "{folder}: the disk is full, so what is known here may not be the latest; make room (df {folder})"
        );
        report.add(Severity::Warning, text);
    }
    let set = report.kernel(&config, ledger.in_force()?.nets)?;
    // What was written down while the kernel was looked at counts.
    let ledger = Ledger::read(&config.state_dir)?;
    report.targets(&config, &ledger)?;
    report.feeds(&config, &ledger, clock.now())?;
    let generation = ledger.generation()?.map_or(0, |row| row.number);
    let (routes, feeds) = (set.len(), config.feeds.len());
    report.summary = format!(
        "{}, {}, generation {generation}",
        counted(routes, "route"),
        counted(feeds, "feed")
    );
    report.measured.insert(0, ("routes", routes.to_string()));
    Ok(report)
}

impl Report {
    fn add(&mut self, severity: Severity, text: String) {
        self.findings.push((severity, text));
    }

    fn severity(&self) -> Severity {
        let all = self.findings.iter().map(|(severity, _)| *severity);
        all.max_by_key(|severity| severity.rank())
            .unwrap_or(Severity::Ok)
    }

    /// The worst first.
    fn line(&self) -> String {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|(severity, _)| std::cmp::Reverse(severity.rank()));
        let shown = findings.iter().take(FINDINGS);
        let mut texts: Vec<String> = shown
            // A bar would begin the performance data.
            .map(|(_, text)| shown::clipped(text, LONGEST).replace('|', "/"))
            .collect();
        if let Some(more) = findings
            .len()
            .checked_sub(FINDINGS)
            .filter(|more| *more > 0)
        {
            texts.push(format!("and {more} more (nullrouted status)"));
        }
        let text = match texts.is_empty() {
            true => self.summary.clone(),
            false => texts.join("; "),
        };
        let measured: Vec<String> = self
            .measured
            .iter()
            .map(|(label, value)| format!("{label}={value};;;0"))
            .collect();
        let bar = if measured.is_empty() { "" } else { " | " };
        format!(
            "NULLROUTED {} - {text}{bar}{}",
            self.severity().word(),
            measured.join(" ")
        )
    }

    /// The kernel is asked, and not what was last written down of it. Answers the set that it was
    /// compared with.
    fn kernel(&mut self, config: &Arc<Config>, mut set: PrefixSet) -> Result<PrefixSet, Stop> {
        if !config.kernel.enabled {
            return Ok(set);
        }
        let step;
        (set, step) = Step::settled(config)?;
        match step {
            Ok(step) => self.step(&step, set.len()),
            Err(fault) => self.add(
                Severity::Unknown,
                format!("kernel: its routes cannot be read: {fault}"),
            ),
        }
        Ok(set)
    }

    fn step(&mut self, step: &Step, wanted: usize) {
        let Step {
            missing,
            surplus,
            occupied,
            rules,
        } = step;
        if *missing > 0 {
            let (missing, wanted) = (thousands(*missing), thousands(wanted));
            self.add(
                Severity::Critical,
                format!("kernel: {missing} of {wanted} routes are missing"),
            );
        }
        if *surplus > 0 {
            let surplus = thousands(*surplus);
            self.add(
                Severity::Critical,
                format!("kernel: {surplus} routes with our mark are not in force"),
            );
        }
        if let Some(would) = rules {
            self.add(
                Severity::Critical,
                format!("kernel: the policy rule is not as it should be: a pass would {would}"),
            );
        }
        if *occupied > 0 {
            let occupied = thousands(*occupied);
            self.add(Severity::Warning, format!("kernel: {occupied} prefixes have a route of another program in the place of ours"));
        }
        self.measured.push(("kernel_missing", missing.to_string()));
        self.measured.push(("kernel_surplus", surplus.to_string()));
    }

    fn targets(&mut self, config: &Config, ledger: &Ledger) -> Result<(), Stop> {
        if let Some(pin) = ledger.pinned()? {
            let (severity, word) = match pin.is_flush() {
                true => (Severity::Critical, "flushed, nothing is dropped"),
                false => (Severity::Warning, "pinned, no list is applied"),
            };
            self.add(severity, format!("{word}: {pin}, until nullrouted unpin"));
        }
        for target in ledger.targets()?.iter().filter(|target| target.failed) {
            self.add(
                Severity::Critical,
                format!("target {} failed: {}", target.name, target.report),
            );
        }
        if let Some(hold) = ledger.hold()?.filter(HoldRow::waits) {
            let HoldRow {
                id,
                at,
                added,
                removed,
                ..
            } = &hold;
            self.add(
                Severity::Warning,
                format!("change {id} is held since {at}: {added} to add, {removed} to remove; nullrouted plan shows it"),
            );
        }
        for seen in observed(config, ledger)?.iter().filter(|seen| seen.alarm) {
            self.add(
                Severity::Warning,
                format!("{}: {}", seen.topic().name(), seen.seen),
            );
        }
        Ok(())
    }

    /// A feed without a copy that counts is as bad as a failed target: nothing of it is dropped.
    fn feeds(&mut self, config: &Config, ledger: &Ledger, now: Timestamp) -> Result<(), Stop> {
        let rows = ledger.feeds()?;
        let (mut stale, mut out) = (0, 0);
        for feed in config.fetched() {
            let row = rows.get(&feed.name).cloned().unwrap_or_default();
            let standing = Standing::at(row.confirmed_at, row.generated, feed.ages, now);
            let name = &feed.name;
            if feed.protects {
                match standing {
                    Standing::Missing => self.add(
                        Severity::Critical,
                        format!("protect feed {name}: no copy yet, what it protects is not known"),
                    ),
                    _ if standing != Standing::Fresh => {
                        let text = format!(
                            "protect feed {name}: its last copy stays in effect, and is {standing}"
                        );
                        self.add(Severity::Warning, text);
                    }
                    _ => {}
                }
                continue;
            }
            let age = row
                .confirmed_at
                .map(|at| short(at.age(now)))
                .unwrap_or_default();
            match standing {
                Standing::Fresh => continue,
                Standing::Missing => self.add(Severity::Critical, format!("feed {name}: no copy yet, nothing of it is dropped")),
                Standing::Expired => self.add(
                    Severity::Critical,
                    format!("feed {name}: its copy has expired (confirmed {age} ago), nothing of it is dropped"),
                ),
                Standing::Stale => self.add(Severity::Warning, format!("feed {name}: stale, confirmed {age} ago")),
            }
            match standing {
                Standing::Stale => stale += 1,
                _ => out += 1,
            }
        }
        self.measured
            .push(("feeds", config.feeds.len().to_string()));
        self.measured.push(("feeds_stale", stale.to_string()));
        self.measured.push(("feeds_out", out.to_string()));
        Ok(())
    }
}

/// How far the kernel is from the set in force.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub missing: usize,
    pub surplus: usize,
    pub occupied: usize,
    /// What a pass would do to the policy rules.
    rules: Option<String>,
}

impl Step {
    fn is_in_step(&self) -> bool {
        self.missing == 0 && self.surplus == 0 && self.rules.is_none()
    }

    /// The set in force, and how far the kernel is from it. A pass that is under way is given some
    /// time.
    pub(super) fn settled(config: &Arc<Config>) -> Result<(PrefixSet, Result<Self, Fault>), Stop> {
        let mut looks = 1;
        loop {
            let ledger = Ledger::read(&config.state_dir)?;
            let set = ledger.in_force()?.nets;
            match block_on(Self::of(config, &ledger, &set))?? {
                Ok(step) if !step.is_in_step() && looks < LOOKS => std::thread::sleep(PAUSE),
                step => return Ok((set, step)),
            }
            looks += 1;
        }
    }

    async fn of(
        config: &Arc<Config>,
        ledger: &Ledger,
        set: &PrefixSet,
    ) -> Result<Result<Self, Fault>, Stop> {
        let everything = Arc::new(Effective::new(set.clone(), []));
        let now = Timestamp::default();
        let wanted = Wanted {
            removable: removable(ledger, &PrefixSet::default())?,
            former: former_marks(config, ledger)?,
            ..Wanted::of(everything, config, now)
        };
        let mut step = Self::default();
        for outcome in Kernel::default().plan(&wanted).await {
            match outcome.result {
                Ok(report) => step.take(&report),
                Err(fault) => return Ok(Err(fault)),
            }
        }
        Ok(Ok(step))
    }

    fn take(&mut self, report: &targets::Report) {
        match &report.what {
            What::Routes(counts, _) => {
                (self.missing, self.surplus) = (counts.added, counts.removed);
            }
            What::Rules(_) => self.rules = Some(report.would()),
            _ => {}
        }
        for note in &report.notes {
            if let Note::Occupied { count, .. } = note {
                self.occupied = *count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_is_the_state_and_stands_first() {
        let mut report = Report {
            summary: "1,598 routes, 3 feeds, generation 41".to_owned(),
            measured: vec![("routes", "1598".to_owned()), ("feeds", "3".to_owned())],
            ..Report::default()
        };
        assert_eq!(
            report.line(),
            "NULLROUTED OK - 1,598 routes, 3 feeds, generation 41 | routes=1598;;;0 feeds=3;;;0"
        );
        report.add(
            Severity::Warning,
            "feed a: stale, confirmed 2d ago".to_owned(),
        );
        report.add(Severity::Unknown, "kernel: x".to_owned());
        assert_eq!(report.severity(), Severity::Unknown);
        report.add(
            Severity::Critical,
            "target edge1 failed: a | routes=0\nOK".to_owned(),
        );
        assert_eq!(report.severity(), Severity::Critical);
        assert_eq!(
            report.line(),
            "NULLROUTED CRITICAL - target edge1 failed: a / routes=0\\nOK; kernel: x; feed a: stale, confirmed 2d \
             ago | routes=1598;;;0 feeds=3;;;0"
        );
        for _ in 0..10 {
            report.add(Severity::Warning, "w".to_owned());
        }
        assert!(
            report
                .line()
                .contains("; w; w; and 8 more (nullrouted status) | ")
        );
    }
}
