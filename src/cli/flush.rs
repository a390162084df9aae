//! `flush`: the brake. Withdraw everything that is ours, from any state, and stay so until `unpin`.
//!
//! ```text
//!  1  pin to the ledger, marker to the run directory    each tried for 200 ms; no failure stops it
//!  2  all routes and rules off the kernel               by every mark that is known
//!  3  wait for a pass under way, remove what it brought
//!  4  router files, record, messages
//! ```
//!
//! Nothing is printed before step 3, and nothing is read that step 2 does not need: a terminal, a
//! file or a name service that does not answer must not keep the routes.

mod noted;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::operator::reason;
use super::output::{Talk, say};
use super::{Exit, Outcome, Stop, block_on, output, survive};
use crate::config::{self, Config, PartialConfig};
use crate::ledger::{GenerationCause, Ledger, LedgerError, Lock, Origin, TargetRow};
use crate::pass::sets::Sets;
use crate::pass::wanted::proposed_to_unconfigure;
use crate::pass::{Applied, neighbors};
use crate::plan::{Cause, Change};
use crate::prefix::NOTHING;
use crate::run_dir::{Instance, RunDir};
use crate::targets::kernel::{KERNEL, Kernel, Kind, Mark, remove_all};
use crate::targets::{
    self, Counts, Fault, Outcome as Told, Report, RoutersToUnconfigure, Runner, Target, Wanted,
    What,
};
use crate::time::Timestamp;
use crate::view::Flushed;
use noted::{Noted, within};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Withdraw routes with this protocol number as well, where their mark is known nowhere any
    /// more
    #[arg(long, value_name = "N")]
    protocol: Option<u8>,
    /// The table of these routes
    #[arg(long, value_name = "N", requires = "protocol", default_value_t = Mark::default().table)]
    table: u32,
    /// The type of these routes: blackhole, unreachable or prohibit
    #[arg(long = "type", value_name = "TYPE", requires = "protocol", default_value_t = Kind::default(), value_parser = kind)]
    kind: Kind,
    /// Why, for the log book
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// What was withdrawn, as JSON
    #[arg(long)]
    json: bool,
}

fn kind(word: &str) -> Result<Kind, &'static str> {
    let unknown = |()| "permitted are blackhole, unreachable, prohibit";
    word.parse().map_err(unknown)
}

/// Longest wait for a pass that is under way; it sees the pin and withdraws as well.
const PATIENCE: Duration = Duration::from_secs(90);
/// Longest wait of a statement for another process that has the ledger, once the routes are gone.
const RECORD_PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    let named = named(arguments)?;
    let reason = arguments.reason.as_deref().map(reason).transpose()?;
    // The terminal may go away while this runs.
    survive(Signal::SIGHUP);
    output::talk(Talk::Steps);
    output::keep_talk();
    let now = Timestamp::now();
    let glance = config::read_partially(path);
    let (config, state_dir, others) = located(&glance);
    let mut noted = Noted::note(&state_dir, &others, (now, reason.unwrap_or_default()));
    let known = Known::new(&glance, &config, &noted, &others, named);

    let mut applied = withdraw(&config, &known.former, now);
    output::release_talk();

    let mut complete = true;
    let mut incomplete = |why: &dyn std::fmt::Display| {
        say(why);
        complete = false;
    };
    // What a pass still installs after this goes when it is done.
    let lock = match noted.lock.take() {
        Some(lock) => Some(lock),
        None => {
            let lock = Lock::wait_for_pass(&state_dir, "flush", PATIENCE).unwrap_or_else(|busy| {
                incomplete(&format_args!(
                    "{busy}; withdrawing all the same, flush again when it is done"
                ));
                None
            });
            let again = withdraw(&config, &known.former, now);
            let removed = again.kernel.as_ref().map_or(0, |report| report.removed);
            if removed > 0 || again.failed() {
                applied = again;
            }
            lock
        }
    };
    let (routers, problems) = config::salvage(path);
    if let Some(problems) = problems {
        problems.lines().iter().for_each(say);
        let problems = problems.summary();
        incomplete(&format_args!(
            "{problems}; flushing by what could be read: {}, {} router files, state_dir {}",
            known.shown(&config),
            routers.routers.len(),
            state_dir.display()
        ));
    }
    if let Some(why) = known.why_unknown(path, &config) {
        incomplete(&why);
    }
    // It may have been busy, and `unpin` may have come between.
    let ledger = Ledger::open_for_pin(&state_dir, RECORD_PATIENCE);
    let written = ledger
        .as_ref()
        .map_err(ToString::to_string)
        .and_then(|ledger| {
            let pinned = ledger.in_any_case(|ledger| ledger.flush(&noted.flush));
            pinned.map_err(|error| error.to_string())
        });
    let is_written = written.is_ok();
    if let Err(error) = written {
        incomplete(&format_args!("{error}; {}", noted.instead()));
    }
    let config = Arc::new(Config {
        state_dir: config.state_dir.clone(),
        kernel: config.kernel.clone(),
        ..routers
    });
    // One that cannot be written may be damaged.
    let ledger = ledger.ok().filter(|_| is_written);
    if let Err(error) = rest(&config, ledger.as_ref(), &mut applied, now) {
        incomplete(&error);
    }
    if let Some(ledger) = &ledger {
        let recorded = ledger.atomically(|ledger| record(&config, ledger, &mut applied, now));
        if let Err(error) = recorded {
            incomplete(&error);
        }
    }
    drop(lock);
    complete &= !applied.failed();
    if complete {
        tracing::info!("flushed; nothing is installed until `nullrouted unpin`");
    }
    if arguments.json {
        let (flushed, targets) = (complete, &applied.targets[..]);
        output::json(&serde_json::json!(Flushed { flushed, targets }))?;
    }
    if complete {
        Ok(Exit::Done)
    } else {
        Err(Stop::failed("the flush is not complete; see above"))
    }
}

/// The mark that the operator named.
fn named(arguments: &Arguments) -> Result<Option<Mark>, Stop> {
    let Some(protocol) = arguments.protocol else {
        return Ok(None);
    };
    if let Some(owner) = Mark::owner_of_protocol(protocol) {
        return Err(Stop::usage(format!(
            "--protocol {protocol} belongs to {owner}: its routes are not ours; nothing was changed"
        )));
    }
    if [0, 255].contains(&arguments.table) {
        let table = arguments.table;
        return Err(Stop::usage(format!(
            "--table {table}: no route of ours is in it; nothing was changed"
        )));
    }
    Ok(Some(Mark {
        table: arguments.table,
        protocol,
        kind: arguments.kind,
        metric: 0,
    }))
}

/// The configuration as far as it could be read, its state directory, and the instances that the
/// run directory knows where the configuration does not name one.
fn located(glance: &PartialConfig) -> (Arc<Config>, std::path::PathBuf, Vec<Instance>) {
    let mut config = glance.config.clone();
    let mut instances = Vec::new();
    if !glance.knows_state_dir {
        let guess = config.state_dir.clone();
        instances =
            within(noted::LIMIT, move || RunDir::here().instances(&guess)).unwrap_or_default();
    }
    let is_guess = |one: &Instance| one.state_dir == config.state_dir;
    if let Some(first) = instances.first()
        && !instances.iter().any(is_guess)
    {
        config.state_dir = first.state_dir.clone();
    }
    let state_dir = config.state_dir.clone();
    (Arc::new(config), state_dir, instances)
}

/// Which marks are looked for.
struct Known {
    /// In addition to that of the configuration.
    former: Vec<Mark>,
    /// Whether any of them is known to be ours, and not only the default.
    is_sure: bool,
}

impl Known {
    fn new(
        glance: &PartialConfig,
        config: &Config,
        noted: &Noted,
        instances: &[Instance],
        named: Option<Mark>,
    ) -> Self {
        let remembered = instances.iter().flat_map(|instance| &instance.marks);
        let all = noted.marks.iter().chain(remembered).chain(&named);
        let is_sure = glance.knows_mark || all.clone().next().is_some();
        let current = config.kernel.enabled.then_some(config.kernel.mark);
        let mut former: Vec<Mark> = Vec::new();
        for mark in all {
            if !former.iter().chain(&current).any(|one| one.same_as(mark)) {
                former.push(*mark);
            }
        }
        Self { former, is_sure }
    }

    fn shown(&self, config: &Config) -> String {
        let current = config.kernel.enabled.then_some(&config.kernel.mark);
        let all: Vec<_> = current.into_iter().chain(&self.former).collect();
        let shown: Vec<_> = all.iter().map(ToString::to_string).collect();
        match shown.is_empty() {
            true => "no mark".to_owned(),
            false => shown.join("; "),
        }
    }

    /// The mark of our routes may be another one that is known nowhere any more.
    fn why_unknown(&self, path: &Path, config: &Config) -> Option<String> {
        if self.is_sure {
            return None;
        }
        Some(format!(
            "the mark of our routes is not known: {} does not say it, and neither do the ledger in {} and the run \
             directory {}. Looked for: {}. If routes with another mark are left, type `nullrouted flush --protocol N` \
             (with --table and --type where they are not {} and {})",
            path.display(),
            config.state_dir.display(),
            RunDir::here().path().display(),
            self.shown(config),
            Mark::default().table,
            Kind::default(),
        ))
    }
}

/// Everything off the kernel. Where the usual way fails, for want of descriptors perhaps, each
/// route is removed by one plain socket.
fn withdraw(config: &Arc<Config>, former: &[Mark], now: Timestamp) -> Applied {
    let wanted = Wanted {
        former: former.to_vec(),
        ..Wanted::nothing(config, now)
    };
    let mut tried = None;
    match block_on(Kernel::default().apply(&wanted)) {
        Ok(done) => {
            let mut applied = Applied::default();
            applied.take(done, &wanted);
            if !applied.failed() {
                return applied;
            }
            tried = Some(applied);
        }
        Err(stop) => tracing::warn!("target={KERNEL}  {}", stop.text),
    }
    let current = config.kernel.enabled.then_some(config.kernel.mark);
    let marks: Vec<Mark> = former.iter().copied().chain(current).collect();
    match remove_all(&marks) {
        Ok(removed) => {
            let counts = Counts {
                removed,
                ..Counts::default()
            };
            tracing::info!("target={KERNEL}  {counts}, one by one");
            let report = Report::new(What::Routes(counts, Vec::new()), removed > 0);
            Applied {
                targets: vec![row(now, Ok(report))],
                cleared: former.to_vec(),
                ..Applied::default()
            }
        }
        // What was tried first has said why.
        Err(fault) => tried.unwrap_or_else(|| {
            tracing::error!("target={KERNEL}  {fault}");
            Applied {
                targets: vec![row(now, Err(Fault::Kernel(fault)))],
                ..Applied::default()
            }
        }),
    }
}

fn row(at: Timestamp, result: Result<Report, Fault>) -> TargetRow {
    let name = KERNEL.to_owned();
    TargetRow::of(&Told { name, result }, None, at)
}

/// The targets after the kernel, and what FRR holds after this.
fn rest(
    config: &Arc<Config>,
    ledger: Option<&Ledger>,
    applied: &mut Applied,
    now: Timestamp,
) -> Result<(), Stop> {
    let known = |ledger: &Ledger| {
        let sets = Sets::nothing(config, Some(ledger))?;
        let gone = proposed_to_unconfigure(config, ledger, &NOTHING, &sets)?;
        Ok((ledger.targets()?, sets, gone))
    };
    let known = ledger
        .map(known)
        .transpose()
        .unwrap_or_else(|error: LedgerError| {
            say(error);
            None
        });
    let (last, sets, gone) = match known {
        Some(known) => known,
        None => {
            let sets = Sets::nothing(config, None);
            (
                Vec::new(),
                sets.unwrap_or_default(),
                RoutersToUnconfigure::default(),
            )
        }
    };
    let wanted = Wanted {
        last,
        routers: sets.routers().clone(),
        to_unconfigure: Arc::new(gone),
        ..Wanted::nothing(config, now)
    };
    let mut targets = targets::each(config, output::progress());
    targets.retain(|target| target.name() != KERNEL);
    // A runtime takes descriptors, which may be what is missing.
    if targets.is_empty() && applied.kernel.is_none() {
        return Ok(());
    }
    let work = async {
        let mut runner = Runner::new(targets);
        runner
            .apply(&wanted, || true, |done| applied.take(done, &wanted))
            .await;
        if let Some(report) = &applied.kernel {
            let seen = neighbors::observe((config, now), report, false, &[], &|| false).await;
            applied.observed.extend(seen);
        }
    };
    block_on(work).map_err(|stop| Stop::failed(format!("router files: {}", stop.text)))
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// What was done, dated by the time that the passes go by; the clock of the machine may be ahead of
/// it.
fn record(
    config: &Config,
    ledger: &Ledger,
    applied: &mut Applied,
    wall: Timestamp,
) -> Result<(), LedgerError> {
    let now = wall.min(ledger.now()?);
    for target in &mut applied.targets {
        target.at = target.at.min(now);
    }
    let sets = Sets::nothing(config, Some(ledger))?;
    let in_force = ledger.in_force()?;
    if !in_force.is_empty() {
        let origin = Origin {
            at: now,
            cause: GenerationCause::Flush,
            approved: None,
            pinned: true,
        };
        let change = Change::between(&in_force, &NOTHING);
        let why = |_| Cause::Flushed.to_string();
        let generation = ledger.write_generation(origin, &change, (why, why))?;
        let gone = in_force
            .origins
            .into_iter()
            .map(|asn| (asn, Cause::Flushed.to_string()));
        ledger.note_origins(generation, '-', gone)?;
        sets.write_flush(ledger, generation)?;
    }
    ledger.set_origins(&[])?;
    ledger.set_hold(None)?;
    applied.write(ledger)
}
