//! The daemon: pass after pass, until it is told to stop (I/O).
//!
//! ```text
//!            ┌───────────────◄── SIGHUP: read the configuration again
//!            ▼
//!   pass over what is due ──► READY=1, STATUS=… ──► wait for the next feed or age ──┐
//!            ▲                                                                      │
//!            └──────────────────────────────────────────────────────────────────────┘
//!   SIGTERM, SIGINT: stop; the routes stay, or go with `on_stop = "withdraw"`
//! ```

mod guard;
mod notify;

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::feed::fetch::Progress;
use crate::ledger::{Busy, Ledger, LedgerError, Lock};
use crate::pass::gather::{Manner, Scope, next_event};
use crate::pass::known::Memory;
use crate::pass::senses::Senses;
use crate::pass::task::Task;
use crate::pass::{Outcome, Pass, PassError, around, former_marks, kernel, write_down};
use crate::target::kernel::Fib;
use crate::time::Timestamp;
use guard::Guard;

/// Why the daemon ended without being told to.
#[derive(Debug)]
pub enum Ended {
    /// Another daemon serves this state directory.
    Busy(Busy),
    /// The ledger could not be opened at the start.
    Ledger(LedgerError),
    /// The signals could not be had.
    Signals(std::io::Error),
    /// The routes could not be withdrawn at the stop.
    Routes,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(busy) => busy.fmt(f),
            Self::Ledger(error) => error.fmt(f),
            Self::Signals(error) => write!(f, "no signals: {error}"),
            Self::Routes => f.write_str("stopped; not all routes could be withdrawn, see above"),
        }
    }
}

impl std::error::Error for Ended {}

/// Wait after a pass that could not be made, or while another program has the lock.
const RETRY: Duration = Duration::from_secs(5);
/// Longest wait for a verb at work when the routes are withdrawn at the stop.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How often the lock of a verb at work is tried.
const POLL: Duration = Duration::from_millis(100);
/// Shortest wait: an address that appears is protected within a second, pass and all.
const PAUSE: Duration = Duration::from_millis(300);
/// Longest wait: a clock that was set, or a change by a verb, is noticed after it.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

struct Signals {
    reload: Signal,
    terminate: Signal,
    interrupt: Signal,
}

enum Told {
    Reload,
    Stop,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            reload: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.reload.recv() => Told::Reload,
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
        }
    }
}

/// Serve until told to stop. `path` is read again at a SIGHUP.
pub async fn run(path: &Path, config: Config) -> Result<(), Ended> {
    let mut signals = Signals::new().map_err(Ended::Signals)?;
    let taken = Lock::take(&config.state_dir, Lock::DAEMON, "run").map_err(Ended::Ledger)?;
    let _lock = taken.map_err(Ended::Busy)?;
    // What cannot work now will not work later: say so at the start.
    let ledger = Ledger::open(&config.state_dir).map_err(Ended::Ledger)?;
    notify::watchdog();
    let mut config = config;
    let last = ledger.clock().map_err(Ended::Ledger)?;
    let mut memory = Memory::default();
    memory.clock = Clock::of(last.as_ref());
    drop(ledger);
    let mut read_at = memory.clock.now();
    // Open before anything is read, so that nothing falls between.
    let mut senses = Senses::open(&config);
    let mut guard = Guard::new();
    guard::tell(&config, &memory, &mut senses, true).map_err(Ended::Ledger)?;
    loop {
        // A pass may be dropped at any point: the next one, in whatever process, finishes it.
        let told = tokio::select! {
            told = signals.next() => told,
            () = serve(&config, &mut memory, &mut senses, &mut guard) => continue,
        };
        match told {
            Told::Stop => break,
            Told::Reload => {
                reload(path, &mut config, &mut memory, &mut read_at);
                match (config.kernel.enabled, senses.fib.listens()) {
                    // Another life: nothing of what was known holds.
                    (true, false) | (false, true) => {
                        senses = Senses::open(&config);
                        let told = guard::tell(&config, &memory, &mut senses, true);
                        told.unwrap_or_else(|error| tracing::error!("{error}"));
                    }
                    _ => senses.around = around::watch(&config),
                }
            }
        }
    }
    notify::stopping();
    if config.kernel.withdraw_on_stop {
        return withdraw(&config, memory.clock.now()).await;
    }
    tracing::info!("stopped; the routes stay (on_stop = \"keep\")");
    Ok(())
}

/// One pass over what is due, and the wait until something is due again.
async fn serve(config: &Config, memory: &mut Memory, senses: &mut Senses, guard: &mut Guard) {
    let wait = match pass(config, memory, senses).await {
        Ok(Ok((outcome, wait))) => {
            notify::ready(&summary(&outcome));
            wait
        }
        Ok(Err(busy)) => {
            tracing::info!("waiting: {busy}");
            Duration::ZERO
        }
        Err(error) => {
            tracing::error!("{error}");
            RETRY
        }
    };
    if let Err(error) = guard::tell(config, memory, senses, false) {
        tracing::error!("{error}");
    }
    guard.wait(config, memory, senses, wait).await;
}

/// The lock of a pass. A verb is usually done within a moment: nobody is told of that wait.
async fn lock(config: &Config) -> Result<Result<Lock, Busy>, LedgerError> {
    let begun = Instant::now();
    loop {
        match Lock::take(&config.state_dir, Lock::PASS, "run")? {
            Err(_) if begun.elapsed() < RETRY => tokio::time::sleep(POLL).await,
            taken => return Ok(taken),
        }
    }
}

async fn pass(
    config: &Config,
    memory: &mut Memory,
    senses: &mut Senses,
) -> Result<Result<(Outcome, Duration), Busy>, PassError> {
    let _lock = match lock(config).await? {
        Ok(lock) => lock,
        Err(busy) => return Ok(Err(busy)),
    };
    let mut ledger = Ledger::open(&config.state_dir)?;
    let pass = Pass {
        config,
        ledger: &mut ledger,
        memory,
        scope: Scope::Due,
        manner: Manner::default(),
        cause: "refresh",
        progress: &Progress::default(),
        senses,
    };
    let outcome = pass.run().await?;
    let now = memory.clock.now();
    let next = next_event(config, &ledger.feeds()?, now)
        .into_iter()
        .chain(outcome.next_end)
        .min();
    let wait = next.map_or(LONGEST_WAIT, |next| now.age(next));
    // Never faster than once a second, whatever the feeds say.
    Ok(Ok((
        outcome,
        wait.clamp(Duration::from_secs(1), LONGEST_WAIT),
    )))
}

fn summary(outcome: &Outcome) -> String {
    let mut text = format!(
        "generation {}, {} routes",
        outcome.generation, outcome.routes
    );
    if let Some(hold) = &outcome.held {
        text.push_str(&format!(", change {} held", hold.id));
    }
    if let Some(pin) = &outcome.pinned {
        text.push_str(&format!(", pinned {pin}"));
    }
    if outcome.failed() {
        text.push_str(", a target failed");
    }
    text
}

/// Read the configuration again. A bad one changes nothing.
fn reload(path: &Path, config: &mut Config, memory: &mut Memory, read_at: &mut Timestamp) {
    notify::reloading();
    match config::load(path) {
        Ok(new) if new.state_dir != config.state_dir => {
            tracing::error!(
                "state_dir cannot change while running; restart the service. Still running with the configuration read at {read_at}"
            );
        }
        Ok(new) => {
            let same = config::print(&new) == config::print(config)
                && new.policy.protect.typed() == config.policy.protect.typed();
            *config = new;
            *read_at = memory.clock.now();
            // A verb asks for it each time: only what reads otherwise is news.
            if same {
                tracing::debug!("{} read again", path.display());
            } else {
                memory.clear();
                tracing::info!("{} read again", path.display());
            }
        }
        Err(problems) => {
            // Each of its lines is a line of the log.
            problems
                .lines()
                .iter()
                .for_each(|line| tracing::error!("{line}"));
            let count = problems.summary();
            tracing::error!(
                "{count}; nothing was changed, still running with the configuration read at {read_at}"
            );
        }
    }
}

/// Take our routes with us. The ledger keeps what was in force: the next start puts it back.
async fn withdraw(config: &Config, now: Timestamp) -> Result<(), Ended> {
    // A verb that is at work is given some time to end.
    let _lock = Lock::wait(&config.state_dir, "run", STOP_PATIENCE)
        .ok()
        .flatten();
    // The routes go whatever the ledger says; it only knows of more marks.
    let ledger = Ledger::open(&config.state_dir);
    let former = ledger
        .as_ref()
        .ok()
        .map(|ledger| former_marks(config, ledger));
    let former = former.and_then(Result::ok).unwrap_or_default();
    let task = Task {
        former: &former,
        ..Task::nothing(config, now)
    };
    let mut applied = kernel::to_kernel(task, &mut Fib::default(), &|| false).await;
    for target in &mut applied.targets {
        target
            .report
            .push_str("; withdrawn at the stop of the daemon");
    }
    let written = ledger.and_then(|ledger| write_down(&ledger, &applied));
    if applied.failed() {
        return Err(Ended::Routes);
    }
    tracing::info!("stopped; the routes are withdrawn (on_stop = \"withdraw\")");
    written.map_err(Ended::Ledger)
}
