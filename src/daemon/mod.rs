//! The daemon: the keeper in one thread, pass after pass in another, until it is stopped (I/O).
//!
//! ```text
//!  main thread                                   worker thread
//!  ───────────                                   ─────────────
//!  keeper: protect, reinstall, watchdog  ◄─Order─  pass over what is due ──► wait ──┐
//!  signals ───── reload, stop ──────────────────►      ▲                            │
//!  supervision: does the pass end in time? ─Event─►    └────────────────────────────┘
//! ```
//!
//!
//! The main thread reads no file and no ledger. So a disk, a resolver or a command that hangs
//! delays no protection, and the watchdog of the service manager observes the loop that protects.

mod notify;
mod worker;
mod worker_state;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, timeout};

use crate::config::Config;
use crate::control::{self, Changes, Control, Queue, Verbs};
use crate::ledger::{Busy, Ledger, LedgerError, Lock};
use crate::pass::inputs::Published;
use crate::pass::keeper::{Keeper, Server};
use crate::pass::{Applied, former_marks};
use crate::targets::kernel::Kernel;
use crate::targets::{Target, Wanted};
use crate::time::{Timestamp, short};
use notify::Service;
use worker::{Sources, Worker};
use worker_state::WorkerState;

/// Why the daemon ended without a request to stop.
#[derive(Debug)]
pub enum Ended {
    /// Another daemon serves this state directory.
    Busy(Busy),
    /// The ledger could not be opened at the start.
    Ledger(LedgerError),
    /// The signal handlers or the second thread could not be set up.
    System(std::io::Error),
    /// The routes could not be withdrawn when the daemon stopped.
    Routes,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(busy) => busy.fmt(f),
            Self::Ledger(error) => error.fmt(f),
            Self::System(error) => write!(f, "no signals or no thread: {error}"),
            Self::Routes => f.write_str("stopped; not all routes could be withdrawn, see above"),
        }
    }
}

impl std::error::Error for Ended {}

/// Longest wait for a running verb when the routes are withdrawn at the stop.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// Longest wait for the worker at the stop. A worker that waits for a disk is abandoned.
const WORKER_PATIENCE: Duration = Duration::from_secs(2);
/// Longest wait at the stop for a service manager that does not read its messages.
const MANAGER_PATIENCE: Duration = Duration::from_secs(1);
/// How often the main thread checks the running pass.
const SUPERVISION: Duration = Duration::from_secs(5);
/// How much more time is requested from the service manager while it waits.
const EXTENSION: Duration = Duration::from_secs(60);

/// A request of the operator.
#[derive(Clone, Copy)]
enum SignalRequest {
    Reload,
    Stop,
}

/// The requests of the operator, from the signals of this process.
fn signals() -> std::io::Result<mpsc::UnboundedReceiver<SignalRequest>> {
    let (requests, told) = mpsc::unbounded_channel();
    for (kind, request) in [
        (SignalKind::hangup(), SignalRequest::Reload),
        (SignalKind::terminate(), SignalRequest::Stop),
        (SignalKind::interrupt(), SignalRequest::Stop),
    ] {
        let (mut signal, requests) = (signal(kind)?, requests.clone());
        tokio::spawn(async move {
            while signal.recv().await.is_some() {
                let _ = requests.send(request);
            }
        });
    }
    Ok(told)
}

/// Serve until asked to stop. `path` is read again at a SIGHUP; a pass that takes longer than
/// `limit` is cancelled.
pub async fn run(
    path: &Path,
    config: Arc<Config>,
    limit: Duration,
    verbs: Arc<dyn Verbs>,
) -> Result<(), Ended> {
    let mut signals = signals().map_err(Ended::System)?;
    let taken = Lock::take(&config.state_dir, Lock::DAEMON, "run").map_err(Ended::Ledger)?;
    let _lock = taken.map_err(Ended::Busy)?;
    // An error that cannot go away is reported at the start. A full disk may have room later, and
    // the routes that the ledger shows are kept meanwhile.
    let ledger = match Ledger::open(&config.state_dir) {
        Ok(ledger) => Some(ledger),
        Err(error) if error.may_pass() => {
            tracing::error!("{error}");
            None
        }
        Err(error) => return Err(Ended::Ledger(error)),
    };
    // Opened before anything is read, so that no change is lost in between.
    let (keeper, mut server, events) = Server::of_daemon(config.clone());
    let service = Arc::new(Service::starting());
    if let Some(interval) = notify::watchdog() {
        let service = service.clone();
        server.beats(interval, Box::new(move || service.beat()));
    }
    let worker_state = WorkerState::new(&config);
    let (reload, reloads) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    let (ending, ended) = oneshot::channel();
    let control = control((&config, &keeper), &worker_state, verbs);
    let changes = Changes {
        queue: control.queue.clone(),
        verbs: control.verbs.clone(),
    };
    let worker = Worker::new(
        path,
        config,
        (ledger, keeper),
        (limit, worker_state.clone(), service.clone()),
        (control.published.clone(), changes),
    );
    let _serving = match control::serve(control) {
        Ok(serving) => Some(serving),
        Err(why) => {
            tracing::warn!("control  {why}");
            None
        }
    };
    let thread = std::thread::Builder::new().name("pass".to_owned());
    let work = move || {
        worker.work(Sources { events, reloads }, stopped);
        let _ = ending.send(());
    };
    thread.spawn(work).map_err(Ended::System)?;
    // The keeper is one task for the whole run of the daemon: an order that is being carried out is
    // not dropped for a signal. It ends with `tasks`, before anything is withdrawn.
    let tasks = LocalSet::new();
    tasks.spawn_local(async move { server.serve().await });
    tasks.spawn_local(supervise(worker_state.clone(), service.clone(), limit));
    let until_stopped = async {
        while let Some(SignalRequest::Reload) = signals.recv().await {
            let _ = reload.send(());
        }
        let _ = stop.send(());
        service.stopping();
        // The worker may be waiting for the keeper.
        if timeout(WORKER_PATIENCE, ended).await.is_err() {
            tracing::warn!("the pass under way does not answer and is left behind");
        }
    };
    tasks.run_until(until_stopped).await;
    drop(tasks);
    let config = worker_state.config();
    let ended = match config.kernel.withdraw_on_stop {
        true => withdraw(&config, worker_state.clock().now()).await,
        false => {
            tracing::info!("stopped; the routes stay (on_stop = \"keep\")");
            Ok(())
        }
    };
    service.flush(MANAGER_PATIENCE);
    ended
}

/// What the server of the control socket works with.
fn control(
    (config, keeper): (&Config, &Keeper),
    worker_state: &WorkerState,
    verbs: Arc<dyn Verbs>,
) -> Control {
    let worker_state = worker_state.clone();
    Control {
        state_dir: config.state_dir.clone(),
        config: Arc::new(move || worker_state.config()),
        published: Published::default(),
        keeper: keeper.clone(),
        queue: Queue::default(),
        verbs,
    }
}

/// Check whether the running pass ends in time, and request more time from the service manager
/// while it waits for one.
async fn supervise(worker_state: WorkerState, service: Arc<Service>, limit: Duration) {
    let mut overdue = false;
    loop {
        sleep(SUPERVISION).await;
        let Some(begun) = worker_state.begun() else {
            if std::mem::take(&mut overdue) {
                tracing::warn!("pass  the pass that did not answer has ended");
            }
            continue;
        };
        let since = Instant::now().saturating_duration_since(begun);
        if since <= limit {
            service.extend(EXTENSION);
        } else if since > limit + SUPERVISION && !overdue {
            overdue = true;
            tracing::error!(
                "pass  the pass has been at work for {} and cannot be cancelled: a disk or a file system \
                 does not answer; addresses are protected and routes put back meanwhile, and the next \
                 pass begins when it answers",
                short(since)
            );
        }
    }
}

/// Withdraw our routes. The ledger keeps what was in force: the next start installs it again.
async fn withdraw(config: &Arc<Config>, now: Timestamp) -> Result<(), Ended> {
    // A running verb gets some time to end.
    let _lock = Lock::wait(&config.state_dir, "run", STOP_PATIENCE)
        .ok()
        .flatten();
    // The routes are withdrawn whatever the ledger says; it only knows of further marks.
    let ledger = Ledger::open(&config.state_dir);
    let former = ledger
        .as_ref()
        .ok()
        .map(|ledger| former_marks(config, ledger));
    let former = former.and_then(Result::ok).unwrap_or_default();
    let wanted = Wanted {
        former,
        ..Wanted::nothing(config, now)
    };
    let mut applied = Applied::default();
    applied.take(Kernel::default().apply(&wanted).await, &wanted);
    for target in &mut applied.targets {
        target
            .report
            .push_str("; withdrawn at the stop of the daemon");
    }
    let written = ledger.and_then(|ledger| applied.write(&ledger));
    if applied.failed() {
        return Err(Ended::Routes);
    }
    tracing::info!("stopped; the routes are withdrawn (on_stop = \"withdraw\")");
    written.map_err(Ended::Ledger)
}
