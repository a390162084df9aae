//! The loop of the keeper: orders, addresses that appear, routes that were removed, audits (I/O).
//! `protect` has what is done for an address, `restore` what is done for a route.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::ledger_reader::LedgerReader;
use super::restore::Why;
use super::{Event, Keeper, Order, PassLock, Request};
use crate::clock::Clock;
use crate::config::Config;
use crate::discover::Watch;
use crate::ledger::{Monitoring, Observed};
use crate::pass::discovery;
use crate::prefix::PrefixSet;
use crate::targets::kernel::{Fib, Kernel};
use crate::targets::{Done, Target};
use crate::time::Timestamp;

/// Shortest time between two scans, and between two comparisons. An address that appears is
/// protected within a second, and frequent changes do not keep the keeper busy.
pub(super) const PAUSE: Duration = Duration::from_millis(300);
/// How often the alarm about repeatedly removed routes is checked.
const CALM: Duration = Duration::from_secs(60);

/// The running keeper. [`Server::serve`] runs as long as the process.
pub struct Server {
    pub(super) config: Arc<Config>,
    pub(super) watch: Watch,
    pub(super) kernel: Kernel,
    /// Whether routes that other programs remove are noticed and reinstalled.
    pub(super) listens: bool,
    /// The state to keep: the last order, with the space excluded that has appeared since.
    pub(super) kept: Option<Order>,
    /// The space that appeared since the last scan of a pass.
    pub(super) appeared: PrefixSet,
    /// The clock until there is an order.
    pub(super) clock: Clock,
    pub(super) glance: LedgerReader,
    pub(super) lock: PassLock,
    pub(super) requests: mpsc::UnboundedReceiver<Request>,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) news: Arc<AtomicBool>,
    /// When everything was last read.
    pub(super) audited: Instant,
    /// No scan for new addresses before this.
    pub(super) next_look: Instant,
    /// No comparison before this.
    pub(super) next_comparison: Instant,
    /// Since when a verb has kept the keeper from a comparison.
    pub(super) busy_since: Option<Instant>,
    /// Since when the ledger has not answered.
    pub(super) silent_since: Option<Instant>,
    /// How often the loop must show that it is running, and the function that does so.
    pub(super) beat: Option<(Duration, Beat)>,
}

/// Shows that the loop is running. Must not wait.
pub type Beat = Box<dyn Fn() + Send>;

/// The first event that the loop waits for.
enum Next {
    /// An address, a network or a gateway appeared or disappeared.
    Appeared,
    Request(Request),
    /// The routes are compared.
    Compare(Why),
    Beat,
    Calm,
}

impl Server {
    /// The keeper of a daemon: it follows the routes that other programs remove. Opened before
    /// anything is read, so that no change is lost in between.
    pub fn of_daemon(config: Arc<Config>) -> (Keeper, Self, mpsc::UnboundedReceiver<Event>) {
        Self::new(config, true)
    }

    /// The keeper of a verb: it exists for one pass and reads the routes for each order.
    pub fn of_verb(config: Arc<Config>) -> (Keeper, Self, mpsc::UnboundedReceiver<Event>) {
        Self::new(config, false)
    }

    fn new(config: Arc<Config>, listens: bool) -> (Keeper, Self, mpsc::UnboundedReceiver<Event>) {
        let (requests, asked) = mpsc::unbounded_channel();
        let (events, happened) = mpsc::unbounded_channel();
        let (news, lock) = (Arc::default(), PassLock::default());
        let now = Instant::now();
        let mut server = Self {
            watch: discovery::watch(&config),
            kernel: Kernel::default(),
            listens,
            kept: None,
            appeared: PrefixSet::default(),
            clock: Clock::default(),
            glance: LedgerReader::at(&config.state_dir),
            lock: lock.clone(),
            requests: asked,
            events,
            news: Arc::clone(&news),
            audited: now,
            next_look: now,
            next_comparison: now,
            busy_since: None,
            silent_since: None,
            beat: None,
            config,
        };
        server.listen();
        let keeper = Keeper {
            requests,
            news,
            lock,
        };
        (keeper, server, happened)
    }

    /// Show from this loop that it is running, twice in the interval of a watchdog.
    pub fn beats(&mut self, interval: Duration, beat: Beat) {
        self.beat = Some((interval / 2, beat));
    }

    /// Follow the routes that other programs change, if the kernel is a target.
    fn listen(&mut self) {
        self.kernel = Kernel::default();
        if !self.listens || !self.config.kernel.enabled {
            return;
        }
        match Fib::listening() {
            Ok(fib) => self.kernel.fib = fib,
            Err(error) => tracing::warn!(
                "watch  a route that another program removes is noticed at the next audit only: no netlink socket: {error}"
            ),
        }
        let now = self.now();
        self.tell(match self.kernel.fib.listens() {
            true => Event::State(Observed::watch(Monitoring::Listening, false, now)),
            false => Event::State(Observed::watch(Monitoring::CannotListen, true, now)),
        });
    }

    /// Keep the routes. Ends only with the process; may be dropped at any point.
    pub async fn serve(&mut self) -> std::convert::Infallible {
        let mut beat = Instant::now();
        let mut calm = Instant::now() + CALM;
        loop {
            match self.next(beat, calm).await {
                Next::Appeared => self.protect().await,
                Next::Request(request) => self.answer(request).await,
                Next::Compare(why) => self.compare(why).await,
                Next::Beat => {
                    if let Some((every, show)) = &self.beat {
                        show();
                        beat = Instant::now() + *every;
                    }
                }
                Next::Calm => {
                    self.calm();
                    calm = Instant::now() + CALM;
                }
            }
        }
    }

    /// The time by the clock of the last order.
    pub(super) fn now(&self) -> Timestamp {
        match &self.kept {
            Some(kept) => kept.clock.now(),
            None => self.clock.now(),
        }
    }

    async fn next(&mut self, beat: Instant, calm: Instant) -> Next {
        let now = self.now();
        let Self {
            watch,
            kernel,
            requests,
            kept,
            next_look,
            next_comparison,
            ..
        } = self;
        let (next_look, next_comparison) = (*next_look, *next_comparison);
        let postponed = kernel.fib.next().map(|next| now.age(next));
        let keeps = kept.is_some() && self.listens;
        let audit = self.audited + self.config.kernel.audit;
        tokio::select! {
            biased;
            () = async {
                // A network that the kernel reported by name does not wait for the next scan.
                if timeout_at(next_look, watch.named()).await.is_err() {
                    watch.changed().await;
                }
            } => Next::Appeared,
            Some(request) = requests.recv() => Next::Request(request),
            () = sleep_until(beat), if self.beat.is_some() => Next::Beat,
            () = async { sleep_until(next_comparison).await; kernel.changed().await }, if keeps => {
                Next::Compare(Why::Change)
            }
            () = sleep(postponed.unwrap_or(CALM)), if keeps && postponed.is_some() => {
                Next::Compare(Why::Change)
            }
            () = sleep_until(audit.max(next_comparison)), if keeps => Next::Compare(Why::Audit),
            () = sleep_until(calm) => Next::Calm,
        }
    }

    async fn answer(&mut self, request: Request) {
        match request {
            Request::Apply(order, done) => self.apply(*order, done).await,
            Request::Holds(route, done) => {
                let mark = &self.config.kernel.mark;
                let _ = done.send(self.kernel.fib.holds(route, mark));
            }
            Request::Scan(done) => {
                // What appears from here on is not in these scans.
                self.news.store(false, Ordering::Relaxed);
                self.appeared = PrefixSet::default();
                let _ = done.send(self.scan().await);
            }
            Request::Configure(config) => {
                let enabled = config.kernel.enabled;
                let again =
                    enabled != self.config.kernel.enabled || enabled && !self.kernel.fib.listens();
                self.config = config;
                self.watch = discovery::watch(&self.config);
                if again {
                    self.listen();
                }
            }
        }
    }

    /// Carry out an order.
    async fn apply(&mut self, mut order: Order, done: oneshot::Sender<Done>) {
        // What appeared since the scan of the pass is not in its order yet.
        let appeared = order.wanted.unprotected(&self.appeared);
        if !appeared.is_empty() {
            Arc::make_mut(&mut order.wanted).protect(&appeared);
        }
        self.kernel.fib.begins(order.goes_on);
        self.kept = Some(order);
        let (made, _) = self.sync().await;
        self.calm();
        let _ = done.send(made);
    }

    /// Report that routes are no longer removed repeatedly.
    pub(super) fn calm(&mut self) {
        let now = self.now();
        let (alarm, is_new) = self.kernel.fib.alarm(now);
        if is_new && alarm.is_none() && self.kernel.fib.listens() {
            self.tell(Event::State(Observed::watch(Monitoring::Calm, false, now)));
        }
    }

    pub(super) fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}
