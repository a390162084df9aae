//! `flush`: the brake. Withdraw everything that is ours, from any state, and stay so until `unpin`.
//!
//! It needs only the mark on the routes: a broken configuration or an unreadable ledger costs it
//! the router files or the pin, never the routes.

use std::iter;
use std::path::Path;
use std::time::Duration;

use super::output::Talk;
use super::who::who;
use super::{Exit, Outcome, Stop, block_on, output};
use crate::config::{self, Config};
use crate::ledger::{Event, Ledger, LedgerError, Lock, Origin, PinRow};
use crate::pass;
use crate::pass::apply;
use crate::pass::kernel;
use crate::pass::task::{Applied, Task};
use crate::plan::{Cause, Explained};
use crate::prefix::PrefixSet;
use crate::target::kernel::{Fib, Mark};
use crate::target::router::Sheet;
use crate::time::Timestamp;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What was withdrawn, as JSON
    #[arg(long)]
    json: bool,
}

/// Longest wait for a pass that is under way; it sees the pin and withdraws as well.
const PATIENCE: Duration = Duration::from_secs(90);

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(Talk::Steps);
    let now = Timestamp::now();
    let mut complete = true;
    let (config, problems) = config::salvage(path);
    if let Some(problems) = problems {
        complete = false;
        let Mark {
            table,
            protocol,
            kind,
            ..
        } = config.kernel.mark;
        problems.lines().iter().for_each(output::say);
        let problems = problems.summary();
        output::say(format!(
            "{problems}; flushing by what could be read: table {table}, protocol {protocol}, {kind}, \
             {} router files, state_dir {}",
            config.routers.len(),
            config.state_dir.display()
        ));
    }
    // The pin first: whatever else is running must not install anything again.
    let mut ledger = pin(&config, now);
    // A pass that waits for a router's reload keeps the lock for long. The kernel does not wait for it: what it
    // still installs after this goes when it is done.
    if Lock::holder(&config.state_dir, Lock::PASS).is_some() {
        brake(&config, ledger.as_ref().ok(), now)?;
    }
    let _lock = Lock::wait(&config.state_dir, "flush", PATIENCE).unwrap_or_else(|busy| {
        complete = false;
        output::say(format!(
            "{busy}; withdrawing all the same, flush again when it is done"
        ));
        None
    });
    if ledger.is_err() {
        // It may have been busy.
        ledger = pin(&config, now);
    }
    if let Err(error) = &ledger {
        complete = false;
        output::say(format!(
            "{error}; withdrawing without it: stop the service, or it will install again"
        ));
    }
    let ledger = ledger.ok();
    let applied = withdraw(&config, ledger.as_ref(), now)?;
    if let Some(ledger) = &ledger {
        let recorded = ledger.atomically(|ledger| record(ledger, &applied, now));
        complete &= recorded.map_err(output::say).is_ok();
    }
    complete &= !applied.failed();
    if complete {
        tracing::info!("flushed; nothing is installed until `nullrouted unpin`");
    }
    if arguments.json {
        let targets: Vec<_> = applied
            .targets
            .iter()
            .map(super::status::target_json)
            .collect();
        output::json(&serde_json::json!({ "flushed": complete, "targets": targets }))?;
    }
    if complete {
        Ok(Exit::Done)
    } else {
        Err(Stop::failed("the flush is not complete; see above"))
    }
}

/// Everything off the kernel at once; what becomes of it is told by the withdrawal that follows.
fn brake(config: &Config, ledger: Option<&Ledger>, now: Timestamp) -> Result<(), Stop> {
    let former = ledger.and_then(|ledger| pass::former_marks(config, ledger).ok());
    let former = former.unwrap_or_default();
    let task = Task {
        former: &former,
        ..Task::nothing(config, now)
    };
    block_on(kernel::to_kernel(task, &mut Fib::default(), &|| false)).map(drop)
}

/// Everything off every target, by the marks that the configuration and the ledger know.
fn withdraw(config: &Config, ledger: Option<&Ledger>, now: Timestamp) -> Result<Applied, Stop> {
    let known = |ledger: &Ledger| {
        let gone = apply::would_be_gone(config, ledger, &PrefixSet::default(), &[])?;
        Ok((pass::former_marks(config, ledger)?, ledger.targets()?, gone))
    };
    let known = ledger
        .map(known)
        .transpose()
        .unwrap_or_else(|error: LedgerError| {
            output::say(error);
            None
        });
    let (former, last, gone) = known.unwrap_or_default();
    let nothing = Task::nothing(config, now);
    let task = Task {
        last: &last,
        former: &former,
        sheet: Sheet {
            gone: &gone,
            ..nothing.sheet
        },
        ..nothing
    };
    block_on(apply::all(task, || false))
}

fn pin(config: &Config, now: Timestamp) -> Result<Ledger, LedgerError> {
    let ledger = Ledger::open(&config.state_dir)?;
    let by = who();
    let pin = PinRow {
        at: now,
        generation: PinRow::NOTHING,
        by: by.clone(),
    };
    ledger.atomically(|ledger| {
        if ledger.pinned()?.is_none_or(|pin| !pin.is_flush()) {
            ledger.note_event(&Event {
                at: now,
                what: "flush".to_owned(),
                subject: String::new(),
                by,
                text: "everything is withdrawn until unpin".to_owned(),
            })?;
        }
        ledger.set_pin(Some(&pin))
    })?;
    Ok(ledger)
}

fn record(ledger: &Ledger, applied: &Applied, now: Timestamp) -> Result<(), LedgerError> {
    let (in_force, origins) = (ledger.in_force()?, ledger.origins()?);
    if !in_force.is_empty() || !origins.is_empty() {
        let gone = in_force.nets().map(|prefix| Explained {
            prefix,
            because: vec![Cause::Flushed],
        });
        let origin = Origin {
            at: now,
            cause: "flush",
            approved: None,
            pinned: true,
        };
        let generation = ledger.write_generation(origin, iter::empty(), gone)?;
        let gone = origins
            .into_iter()
            .map(|asn| (asn, Cause::Flushed.to_string()));
        ledger.note_origins(generation, '-', gone)?;
    }
    ledger.set_origins(&[])?;
    ledger.set_hold(None)?;
    pass::write_down(ledger, applied)
}
