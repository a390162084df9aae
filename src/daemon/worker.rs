//! The worker: passes, the configuration, and the ledger, in a thread of its own (I/O).

use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::notify::Service;
use super::worker_state::WorkerState;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::control::{Changes, Job, OutputPiece};
use crate::ledger::{Busy, GenerationCause, Ledger, LedgerError, Lock};
use crate::pass::gather::{FeedSelection, FetchMode, next_event};
use crate::pass::inputs::{Cache, Published};
use crate::pass::keeper::{Event, Keeper};
use crate::pass::{Applied, At, Outcome, Pass, PassError, Passing, Site, kept, neighbors};
use crate::progress::Progress;
use crate::shown::counted;
use crate::targets;
use crate::targets::kernel::Report;
use crate::time::{Timestamp, short};

/// Delay after a pass that could not be made, or while another program has the lock.
const RETRY: Duration = Duration::from_secs(5);
/// How often the lock of a running verb is tried.
const POLL: Duration = Duration::from_millis(100);
/// Shortest time between two passes.
const PAUSE: Duration = Duration::from_millis(300);
/// Longest wait between two passes: a clock that was set, or a change by a verb, is noticed after
/// at most this time.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// At most this many results wait for a ledger that cannot be written.
const UNRECORDED: usize = 1_000;

/// What the worker hears of.
pub(super) struct Sources {
    /// The keeper.
    pub events: UnboundedReceiver<Event>,
    /// The operator, who wants the configuration to be read again.
    pub reloads: UnboundedReceiver<()>,
}

/// Makes passes.
pub(super) struct Worker {
    path: PathBuf,
    config: Arc<Config>,
    read_at: Timestamp,
    /// One connection for the whole run of the daemon: an open ledger can be read on a full disk.
    ledger: Option<Ledger>,
    cache: Cache,
    keeper: Keeper,
    /// Whether the keeper has received an order.
    keeps: bool,
    /// Whether a verb has written another generation or pin since.
    elsewhere: bool,
    limit: Duration,
    worker_state: WorkerState,
    service: Arc<Service>,
    /// Changes of the keeper that are not in the ledger yet.
    unrecorded: Vec<Applied>,
    /// The last failure, which is not logged repeatedly.
    failure: String,
    /// The changes that come over the control socket.
    changes: Changes,
}

/// What the worker waits for.
enum Next {
    /// The time of the next pass has come.
    Due,
    /// A request of the operator to read the configuration again.
    Reload,
    /// A change that a verb wants.
    Asked(Box<Job>),
    /// What the keeper did or saw.
    Kept(Event),
}

impl Worker {
    pub fn new(
        path: &Path,
        config: Arc<Config>,
        (ledger, keeper): (Option<Ledger>, Keeper),
        (limit, worker_state, service): (Duration, WorkerState, Arc<Service>),
        (published, changes): (Published, Changes),
    ) -> Self {
        // If there is no ledger yet, or none that can be read, only the clock of the machine is
        // known.
        let last = ledger.as_ref().and_then(|ledger| ledger.clock().ok()?);
        let mut cache = Cache::default();
        cache.clock = Clock::of(last.as_ref());
        cache.published = published;
        Self {
            path: path.to_owned(),
            config,
            read_at: cache.clock.now(),
            ledger,
            cache,
            keeper,
            keeps: false,
            elsewhere: false,
            limit,
            worker_state,
            service,
            unrecorded: Vec::new(),
            failure: String::new(),
            changes,
        }
    }

    /// Make passes until asked to stop. A pass may be dropped at any point: the next one, in any
    /// process, finishes it.
    pub fn work(mut self, sources: Sources, stop: oneshot::Receiver<()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => {
                runtime.block_on(select(pin!(self.passes(sources)), stop));
                // A resolver or a file that does not answer has a thread of its own, which is not
                // waited for.
                runtime.shutdown_background();
            }
            Err(error) => tracing::error!("no passes are made: no runtime: {error}"),
        }
    }

    async fn passes(&mut self, mut sources: Sources) {
        let mut asked = None;
        self.log_start();
        loop {
            let wait = self.pass(asked.take()).await;
            let begun = Instant::now();
            let soon = begun + PAUSE.min(wait);
            let (mut until, mut reload) = (begun + wait, false);
            loop {
                match self.next(&mut sources, until).await {
                    Next::Due => break,
                    // Several within a moment become one.
                    Next::Reload => {
                        reload = true;
                        until = until.min(begun + PAUSE);
                    }
                    Next::Asked(job) => {
                        // A change by another configuration: it is read again, and may be the same
                        // then.
                        reload |= job.config.is_some();
                        asked = Some(job);
                        break;
                    }
                    Next::Kept(Event::Around) => until = until.min(soon),
                    Next::Kept(Event::Elsewhere) => {
                        self.elsewhere = true;
                        until = until.min(soon);
                    }
                    Next::Kept(Event::Kept(applied)) => self.note(*applied),
                    Next::Kept(Event::State(observed)) => self.note(Applied {
                        observed: vec![observed],
                        ..Applied::default()
                    }),
                    Next::Kept(Event::Compare(report)) => self.compare(&report).await,
                }
            }
            if reload {
                self.reload();
            }
        }
    }

    /// One line: which program begins to work, by what, and from where.
    fn log_start(&self) {
        let config = &self.config;
        let targets = match targets::names(config) {
            names if names.is_empty() => "none".to_owned(),
            names => names.join(", "),
        };
        let ledger = self.ledger.as_ref();
        let newest = ledger.and_then(|ledger| ledger.generation().ok()?);
        let from = match newest {
            Some(row) => format!(
                "generation {}, {}",
                row.number,
                counted(row.routes, "route")
            ),
            None => "no generation yet".to_owned(),
        };
        tracing::info!(
            "nullrouted {}{}: configuration {}; {}; targets {targets}; {from}",
            env!("CARGO_PKG_VERSION"),
            env!("NULLROUTED_BUILT_FROM"),
            self.path.display(),
            counted(config.fetched().count(), "feed"),
        );
    }

    /// The one place where the worker waits.
    async fn next(&self, sources: &mut Sources, until: Instant) -> Next {
        tokio::select! {
            Some(()) = sources.reloads.recv() => Next::Reload,
            Some(event) = sources.events.recv() => Next::Kept(event),
            job = self.changes.queue.next() => Next::Asked(Box::new(job)),
            () = sleep_until(until) => Next::Due,
        }
    }

    /// One pass over what is due, or a change by the operator. Returns how long to wait for the
    /// next.
    async fn pass(&mut self, asked: Option<Box<Job>>) -> Duration {
        self.worker_state.begin();
        let made = match timeout(self.limit, self.try_pass(asked)).await {
            Ok(made) => made,
            Err(_) => {
                self.failed(&format!(
                    "the pass did not end within {} and was cancelled; what is in force stays, the \
                     next pass begins in {}",
                    short(self.limit),
                    short(RETRY)
                ));
                Ok(Ok(RETRY))
            }
        };
        if let Some(ledger) = &self.ledger {
            ledger.release();
        }
        self.worker_state.end();
        self.worker_state.set_clock(&self.cache.clock);
        match made {
            Ok(Ok(wait)) => wait,
            Ok(Err(busy)) => {
                tracing::info!("waiting: {busy}");
                Duration::ZERO
            }
            Err(error) => {
                self.failed(&error.to_string());
                self.keep_what_is_known().await;
                RETRY
            }
        }
    }

    async fn try_pass(
        &mut self,
        asked: Option<Box<Job>>,
    ) -> Result<Result<Duration, Busy>, PassError> {
        let lock = match lock(&self.config).await? {
            Ok(lock) => Arc::new(lock),
            Err(busy) => return Ok(Err(busy)),
        };
        self.keeper.lock().hold(&lock);
        self.open()?;
        if let Some(job) = asked {
            return self.change(*job).await.map(Ok);
        }
        let fetch = (FeedSelection::Due, FetchMode::default());
        let outcome = self.make(fetch, GenerationCause::Refresh).await?;
        if !std::mem::take(&mut self.failure).is_empty() {
            tracing::info!("passes are made again");
        }
        self.until_next(outcome.next_end).map(Ok)
    }

    /// Make a change. The verb makes the pass that it needs, and hears what came of it.
    async fn change(&mut self, job: Job) -> Result<Duration, PassError> {
        let config = job.config.as_ref();
        let is_other = config.is_some_and(|config| *config != config::fingerprint(&self.config));
        if is_other {
            let _ = job.turn.take() && job.outlet.send(OutputPiece::Alone).is_ok();
        } else if job.take() {
            let verbs = self.changes.verbs.clone();
            let mut alone = Alone {
                worker: self,
                next_end: None,
            };
            verbs.change(&job, &mut alone).await;
            let next_end = alone.next_end;
            return self.until_next(next_end);
        }
        self.until_next(None)
    }

    /// How long to wait for the next pass.
    fn until_next(&self, next_end: Option<Timestamp>) -> Result<Duration, PassError> {
        let ledger = opened(&self.ledger, &self.config)?;
        let now = self.cache.clock.now();
        let next = next_event(&self.config, &ledger.feeds()?, now);
        let next = next.into_iter().chain(next_end).min();
        let wait = next.map_or(LONGEST_WAIT, |next| now.age(next));
        // Never more often than once a second, whatever the feeds ask for.
        Ok(wait.clamp(Duration::from_secs(1), LONGEST_WAIT))
    }

    /// A pass, with the ledger open and the lock held.
    async fn make(
        &mut self,
        (selection, mode): (FeedSelection<'_>, FetchMode),
        cause: GenerationCause,
    ) -> Result<Outcome, PassError> {
        let ledger = opened(&self.ledger, &self.config)?;
        record(ledger, &mut self.unrecorded)?;
        let (keeps, elsewhere) = (&mut self.keeps, &mut self.elsewhere);
        let service = &self.service;
        let pass = Pass {
            config: &self.config,
            ledger,
            cache: &mut self.cache,
            selection,
            mode,
            cause,
            progress: &Progress::default(),
            keeper: &self.keeper,
            in_step: &mut || {
                (*keeps, *elsewhere) = (true, false);
                service.ready();
            },
            inbox: &self.changes,
        };
        let outcome = pass.run().await?;
        self.service.status(&summary(&outcome));
        Ok(outcome)
    }

    /// Open the ledger if it is not open or was replaced by another file.
    fn open(&mut self) -> Result<(), LedgerError> {
        let state_dir = &self.config.state_dir;
        if self
            .ledger
            .as_ref()
            .is_none_or(|ledger| !ledger.is_at(state_dir))
        {
            self.ledger = None;
            self.ledger = Some(Ledger::open(state_dir)?);
        }
        Ok(())
    }

    /// Log once that no pass can be made.
    fn failed(&mut self, why: &str) {
        if self.failure != why {
            tracing::error!("{why}");
            self.failure = why.to_owned();
        }
        self.service.status(why);
    }

    /// After a pass that failed: give the keeper the routes that the ledger shows, if it has no
    /// order yet (as after a reboot with a full disk) or an outdated one. This needs no writing.
    async fn keep_what_is_known(&mut self) {
        if !self.keeps || self.elsewhere {
            let order = match &self.ledger {
                Some(ledger) => kept::order(&self.config, ledger, &mut self.cache),
                None => Ledger::read(&self.config.state_dir)
                    .and_then(|ledger| kept::order(&self.config, &ledger, &mut self.cache)),
            };
            match order {
                Ok(Some(order)) => {
                    let routes = order.wanted.everything.nets.len();
                    let wanted = order.wanted.clone();
                    let mut applied = Applied::default();
                    applied.take(self.keeper.apply(order).await, &wanted);
                    (self.keeps, self.elsewhere) = (true, false);
                    tracing::info!("the {routes} routes that the ledger shows are kept meanwhile");
                }
                Ok(None) => {}
                Err(error) => tracing::debug!("{error}"),
            }
        }
        if self.keeps {
            self.service.ready();
        }
    }

    /// Record what the keeper did, now or as soon as the ledger can be written.
    fn note(&mut self, applied: Applied) {
        if self.unrecorded.len() < UNRECORDED {
            self.unrecorded.push(applied);
        }
        // A disk may hang here as well as in a pass.
        self.worker_state.begin();
        let recorded = match &self.ledger {
            Some(ledger) if ledger.is_at(&self.config.state_dir) => {
                record(ledger, &mut self.unrecorded)
            }
            _ => Ok(()),
        };
        self.worker_state.end();
        if let Err(error) = recorded {
            self.failed(&error.to_string());
        }
    }

    /// Compare what FRR holds with what is installed.
    async fn compare(&mut self, report: &Report) {
        let Some(ledger) = &self.ledger else { return };
        let compared = neighbors::audited(&self.config, ledger, &self.cache, report).await;
        if let Err(error) = compared {
            tracing::error!("zebra  {error}");
        }
    }

    /// Read the configuration again. One with errors changes nothing.
    fn reload(&mut self) {
        self.service.reloading();
        let (path, read_at) = (self.path.display(), self.read_at);
        match config::load(&self.path) {
            Ok(new) if new.state_dir != self.config.state_dir => {
                tracing::error!(
                    "state_dir cannot change while running; restart the service. Still running with the configuration read at {read_at}"
                );
            }
            Ok(new) => {
                let same = config::print(&new) == config::print(&self.config)
                    && new.policy.protect.typed() == self.config.policy.protect.typed();
                // A verb requests this each time; only a changed configuration is news.
                if same {
                    tracing::debug!("{path} read again");
                } else {
                    self.cache.clear();
                    tracing::info!("{path} read again");
                }
                self.config = Arc::new(new);
                self.worker_state.set_config(&self.config);
                self.keeper.configure(self.config.clone());
                self.read_at = self.cache.clock.now();
                return;
            }
            Err(problems) => {
                // Each of its lines is a line of the log.
                let lines = problems.lines();
                lines.iter().for_each(|line| tracing::error!("{line}"));
                tracing::error!(
                    "{}; nothing was changed, still running with the configuration read at {read_at}",
                    problems.summary()
                );
            }
        }
        if self.keeps {
            self.service.ready();
        }
    }
}

/// The ledger, which is open while a pass is made.
fn opened<'l>(ledger: &'l Option<Ledger>, config: &Config) -> Result<&'l Ledger, LedgerError> {
    let missing = || {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        LedgerError::Folder(config.state_dir.clone(), missing)
    };
    ledger.as_ref().ok_or_else(missing)
}

/// The site of a change while no pass is under way.
struct Alone<'w> {
    worker: &'w mut Worker,
    /// When the next entry ends by itself, after the last pass.
    next_end: Option<Timestamp>,
}

impl Site for Alone<'_> {
    fn at(&mut self) -> Result<At<'_>, LedgerError> {
        let Worker {
            config,
            ledger,
            cache,
            ..
        } = &mut *self.worker;
        Ok(At {
            config,
            ledger: opened(ledger, config)?,
            cache,
        })
    }

    fn pass<'s>(
        &'s mut self,
        fetch: (FeedSelection<'s>, FetchMode),
        cause: GenerationCause,
    ) -> Passing<'s> {
        Box::pin(async move {
            let outcome = self.worker.make(fetch, cause).await?;
            self.next_end = outcome.next_end;
            Ok(outcome)
        })
    }
}

/// Record the waiting results, in order.
fn record(ledger: &Ledger, unrecorded: &mut Vec<Applied>) -> Result<(), LedgerError> {
    while let Some(applied) = unrecorded.first() {
        ledger.lightly(|ledger| applied.write(ledger))?;
        unrecorded.remove(0);
    }
    Ok(())
}

/// Take the lock of a pass. A verb usually ends within a moment, so a short wait is not reported.
async fn lock(config: &Config) -> Result<Result<Lock, Busy>, LedgerError> {
    let begun = Instant::now();
    loop {
        match Lock::take(&config.state_dir, Lock::PASS, "run")? {
            Err(_) if begun.elapsed() < RETRY => sleep(POLL).await,
            taken => return Ok(taken),
        }
    }
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
