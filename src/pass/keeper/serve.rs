//! The loop of the keeper: orders, addresses that appear, routes that were removed, audits (I/O).

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::glance::{Glance, Glanced};
use super::{Event, Keeper, Order, PassLock, Request};
use crate::clock::Clock;
use crate::config::Config;
use crate::discover::{Look, Watch};
use crate::ledger::{Lock, PinRow};
use crate::pass::around::{self, Where};
use crate::pass::{Applied, interference, neighbors};
use crate::prefix::PrefixSet;
use crate::run_dir;
use crate::targets::kernel::{Fib, KERNEL, Kernel};
use crate::targets::{Done, Removable, Target, TargetRow, Wanted};
use crate::time::Timestamp;

/// Shortest time between two looks, and between two comparisons. An address that appears is
/// protected within a second, and frequent changes do not keep the keeper busy.
const PAUSE: Duration = Duration::from_millis(300);
/// Delay before a postponed comparison is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// The longest time for which a running verb keeps the keeper from reinstalling a route.
const PATIENCE: Duration = Duration::from_secs(5);
/// Delay before the next check for an order that a verb has made necessary.
const CHANGED: Duration = Duration::from_secs(1);
/// How often an order is interrupted for addresses that appear; after this it is completed first.
const INTERRUPTIONS: u32 = 3;
/// How often the alarm about repeatedly removed routes is checked.
const CALM: Duration = Duration::from_secs(60);

/// The running keeper. [`Server::serve`] runs as long as the process.
pub struct Server {
    config: Arc<Config>,
    watch: Watch,
    kernel: Kernel,
    /// Whether routes that other programs remove are noticed and reinstalled.
    listens: bool,
    /// The state to keep: the last order, with the space excluded that has appeared since.
    kept: Option<Order>,
    /// The space that appeared since the last look of a pass.
    appeared: PrefixSet,
    /// The clock until there is an order.
    clock: Clock,
    glance: Glance,
    lock: PassLock,
    requests: mpsc::UnboundedReceiver<Request>,
    events: mpsc::UnboundedSender<Event>,
    news: Arc<AtomicBool>,
    /// When everything was last read.
    audited: Instant,
    /// No look for new addresses before this.
    next_look: Instant,
    /// No comparison before this.
    next_mend: Instant,
    /// Since when a verb has kept the keeper from a comparison.
    busy_since: Option<Instant>,
    /// Since when the ledger has not answered.
    silent_since: Option<Instant>,
    /// How often the loop must show that it is running, and the function that does so.
    beat: Option<(Duration, Beat)>,
}

/// Shows that the loop is running. Must not wait.
pub type Beat = Box<dyn Fn() + Send>;

/// Why the kernel's routes are compared with the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The kernel reported a change, or lost notifications, or a postponed route is due.
    Change,
    /// It is time to read everything.
    Audit,
}

/// The process that holds the lock of a pass.
enum Held {
    /// This process, alone or shared with its own pass. `None` if there is nothing to lock.
    ByUs(#[allow(dead_code)] Option<Arc<Lock>>),
    /// A running verb.
    ByVerb,
}

/// The state of the ledger compared with the order.
enum Current {
    /// The order is what should be installed, as far as is known.
    Kept,
    /// A verb has written another state; an order follows.
    Changed,
    /// The ledger does not answer.
    Silent,
    /// Nothing is to be installed.
    Withdrawn,
}

/// The first event that the loop waits for.
enum Next {
    Around,
    Request(Request),
    Mend(Why),
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
            watch: around::watch(&config),
            kernel: Kernel::default(),
            listens,
            kept: None,
            appeared: PrefixSet::default(),
            clock: Clock::default(),
            glance: Glance::at(&config.state_dir),
            lock: lock.clone(),
            requests: asked,
            events,
            news: Arc::clone(&news),
            audited: now,
            next_look: now,
            next_mend: now,
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
            true => Event::State(interference::state("listening", false, now)),
            false => {
                let text = "cannot listen: what is removed is noticed at the next audit";
                Event::State(interference::state(text, true, now))
            }
        });
    }

    /// Keep the routes. Ends only with the process; may be dropped at any point.
    pub async fn serve(&mut self) -> std::convert::Infallible {
        let mut beat = Instant::now();
        let mut calm = Instant::now() + CALM;
        loop {
            match self.next(beat, calm).await {
                Next::Around => self.protect().await,
                Next::Request(request) => self.answer(request).await,
                Next::Mend(why) => self.mend(why).await,
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
    fn now(&self) -> Timestamp {
        match &self.kept {
            Some(kept) => kept.clock.now(),
            None => self.clock.now(),
        }
    }

    async fn next(&mut self, beat: Instant, calm: Instant) -> Next {
        let now = self.now();
        let Self {
            watch,
            kernel: Kernel { fib },
            requests,
            kept,
            next_look,
            next_mend,
            ..
        } = self;
        let (next_look, next_mend) = (*next_look, *next_mend);
        let postponed = fib.next().map(|next| now.age(next));
        let keeps = kept.is_some() && self.listens;
        let audit = self.audited + self.config.kernel.audit;
        tokio::select! {
            biased;
            () = async {
                // A network that the kernel reported by name does not wait for the next look.
                if timeout_at(next_look, watch.named()).await.is_err() {
                    watch.changed().await;
                }
            } => Next::Around,
            Some(request) = requests.recv() => Next::Request(request),
            () = sleep_until(beat), if self.beat.is_some() => Next::Beat,
            () = async { sleep_until(next_mend).await; fib.changed().await }, if keeps => {
                Next::Mend(Why::Change)
            }
            () = sleep(postponed.unwrap_or(CALM)), if keeps && postponed.is_some() => {
                Next::Mend(Why::Change)
            }
            () = sleep_until(audit.max(next_mend)), if keeps => Next::Mend(Why::Audit),
            () = sleep_until(calm) => Next::Calm,
        }
    }

    async fn answer(&mut self, request: Request) {
        match request {
            Request::Apply(order, done) => self.apply(*order, done).await,
            Request::Look(done) => {
                // What appears from here on is not in these looks.
                self.news.store(false, Ordering::Relaxed);
                self.appeared = PrefixSet::default();
                let _ = done.send(self.look_around().await);
            }
            Request::Configure(config) => {
                let enabled = config.kernel.enabled;
                let again =
                    enabled != self.config.kernel.enabled || enabled && !self.kernel.fib.listens();
                self.config = config;
                self.watch = around::watch(&self.config);
                if again {
                    self.listen();
                }
            }
        }
    }

    /// Carry out an order.
    async fn apply(&mut self, mut order: Order, done: oneshot::Sender<Done>) {
        // What appeared since the look of the pass is not in its order yet.
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

    /// Make the kernel's routes as ordered, and return what came of it by which order. An address
    /// that appears meanwhile is excluded first: a large change may take seconds.
    async fn sync(&mut self) -> (Done, Option<Arc<Wanted>>) {
        let mut interruptions = 0;
        loop {
            let now = self.now();
            let Some(kept) = &mut self.kept else {
                return (Done::default(), None);
            };
            let wanted = Arc::make_mut(&mut kept.wanted);
            wanted.now = now;
            wanted.is_flush = withdrawn(&kept.pin);
            let wanted = kept.wanted.clone();
            let Self { watch, kernel, .. } = self;
            // Without `biased`: each branch may be ready all the time.
            let done = tokio::select! {
                done = kernel.apply(&wanted) => Some(done),
                () = watch.named(), if interruptions < INTERRUPTIONS => None,
            };
            let Some(done) = done else {
                interruptions += 1;
                // A look follows: the reported networks are still news.
                self.take_named();
                continue;
            };
            if let Some(kept) = &mut self.kept {
                keep_result(Arc::make_mut(&mut kept.wanted), &done);
            }
            return (done, Some(wanted));
        }
    }

    /// The same without a pass that logs what came of it.
    async fn restore(&mut self) -> Applied {
        let mut applied = Applied::default();
        if let (done, Some(wanted)) = self.sync().await {
            applied.take(done, &wanted);
        }
        applied
    }

    /// Something appeared or disappeared: look, and exclude new space from the routes, at once and
    /// from memory.
    async fn protect(&mut self) {
        // A look reads all routes, which takes seconds if another program changes them all the
        // time. Networks that the kernel reported by name do not wait for it.
        if self.take_named() {
            self.cut_out().await;
        }
        if Instant::now() >= self.next_look {
            self.next_look = Instant::now() + PAUSE;
            if self.look().await {
                self.cut_out().await;
            }
        }
        self.tell(Event::Around);
    }

    /// Make the kernel's routes as ordered after space was excluded from the order.
    async fn cut_out(&mut self) {
        let _lock = self.lock();
        match self.current().await {
            Current::Kept => {
                let applied = self.restore().await;
                self.tell(Event::Kept(Box::new(applied)));
            }
            Current::Changed | Current::Silent => self.remove_protected().await,
            Current::Withdrawn => {}
        }
    }

    /// Remove only the routes that cover protected space, if it is not known what else should be
    /// installed. The order that follows reinstalls the rest of their space.
    async fn remove_protected(&mut self) {
        let Some(kept) = &self.kept else { return };
        let removable = Removable::OnlyRecorded {
            ever: Arc::default(),
            protected: kept.wanted.protected.clone(),
        };
        let wanted = Wanted {
            removable,
            ..Wanted::nothing(&kept.wanted.config, self.now())
        };
        self.kernel.apply(&wanted).await;
        self.kernel.fib.expect_change();
    }

    /// Read what the kernel shows. Returns whether something in it was not protected.
    async fn look(&mut self) -> bool {
        let looks = self.look_around().await;
        self.news.store(true, Ordering::Relaxed);
        self.appears(nets(&looks))
    }

    /// Take in the networks that the kernel reported by name. Returns whether something in them was
    /// not protected.
    fn take_named(&mut self) -> bool {
        let named = PrefixSet::of_nets(self.watch.appeared());
        self.appears(named)
    }

    /// Exclude this space from the order. Returns whether something in it was not protected.
    fn appears(&mut self, shown: PrefixSet) -> bool {
        let mut new = shown;
        if let Some(kept) = &self.kept {
            new = kept.wanted.unprotected(&new);
        }
        if new.is_empty() {
            return false;
        }
        self.news.store(true, Ordering::Relaxed);
        self.appeared = self.appeared.union(&new);
        if let Some(kept) = &mut self.kept {
            Arc::make_mut(&mut kept.wanted).protect(&new);
        }
        true
    }

    /// What the kernel shows now of the sources that protect. A network that it reports by name
    /// meanwhile is protected meanwhile.
    async fn look_around(&mut self) -> Vec<Look> {
        let config = self.config.clone();
        let mut looking = pin!(around::looks(&config, Where::Kernel));
        let looks = loop {
            // Without `biased`: each branch may be ready all the time.
            tokio::select! {
                () = self.watch.named() => {}
                looks = &mut looking => break looks,
            }
            if self.take_named() {
                self.cut_out().await;
            }
        };
        self.watch.know(&looks);
        looks
    }

    /// Compare the kernel's routes with the order, and correct them.
    async fn mend(&mut self, why: Why) {
        self.next_mend = Instant::now() + PAUSE;
        let lock = self.lock();
        if matches!(lock, Held::ByVerb) {
            // The routes are compared when the verb has ended, but a lock that is never released is
            // not waited for.
            let since = *self.busy_since.get_or_insert_with(Instant::now);
            if since.elapsed() < PATIENCE {
                self.kernel.fib.invalidate();
                self.kernel.fib.expect_change();
                self.next_mend = Instant::now() + RETRY;
                return;
            }
        }
        self.busy_since = None;
        if why == Why::Audit {
            self.audited = Instant::now();
        }
        match self.current().await {
            Current::Kept => {}
            Current::Withdrawn => return,
            // The order that follows corrects everything.
            Current::Changed => {
                self.kernel.fib.expect_change();
                self.next_mend = Instant::now() + CHANGED;
                return;
            }
            // Memory may be older than the change of a verb: a busy machine gets some time.
            Current::Silent => {
                let since = *self.silent_since.get_or_insert_with(Instant::now);
                if since.elapsed() < PATIENCE {
                    self.kernel.fib.expect_change();
                    return;
                }
            }
        }
        self.silent_since = None;
        if why == Why::Audit {
            self.kernel.fib.invalidate();
        }
        let mut applied = self.restore().await;
        drop(lock);
        if let Some(report) = &applied.kernel {
            if why == Why::Audit && !report.notifications_lost {
                let audit = interference::audited(report, "", self.now());
                applied.observed.push(audit);
            }
            if why == Why::Audit || neighbors::may_differ(report) {
                self.tell(Event::Compare(Box::new(report.clone())));
            }
        } else if applied.failed() {
            self.kernel.fib.expect_change();
            self.next_mend = Instant::now() + PATIENCE;
        }
        self.tell(Event::Kept(Box::new(applied)));
    }

    /// Whether the order is what should be installed: a verb may have written a generation or a
    /// pin.
    async fn current(&mut self) -> Current {
        let Some(kept) = &mut self.kept else {
            return Current::Withdrawn;
        };
        if !kept.wanted.config.kernel.enabled || run_dir::flushed(&kept.wanted.config.state_dir) {
            return Current::Withdrawn;
        }
        match self.glance.look().await {
            Glanced::Silent => return Current::Silent,
            Glanced::Unreadable => {}
            // A lost ledger says nothing about what should be in force.
            Glanced::Seen(generation, _) if generation < kept.generation => {}
            Glanced::Seen(generation, pin) => {
                // Written by a verb, or by the running pass, whose order follows.
                if generation != kept.generation || pin != kept.pin {
                    let _ = self.events.send(Event::Elsewhere);
                    return match withdrawn(&pin) {
                        // The flush withdraws the routes itself.
                        true => Current::Withdrawn,
                        false => Current::Changed,
                    };
                }
            }
        }
        match withdrawn(&kept.pin) && !kept.wanted.everything.is_empty() {
            true => Current::Withdrawn,
            false => Current::Kept,
        }
    }

    /// Take the lock of a pass; it is held as long as the result exists.
    fn lock(&self) -> Held {
        if let Some(shared) = self.lock.shared() {
            return Held::ByUs(Some(shared));
        }
        // The keeper of a verb runs inside its pass, which holds the lock.
        if !self.listens {
            return Held::ByUs(None);
        }
        match Lock::take(&self.config.state_dir, Lock::PASS, "run") {
            Ok(Ok(lock)) => Held::ByUs(Some(Arc::new(lock))),
            Ok(Err(_)) => Held::ByVerb,
            // No folder or no disk: no verb can take the lock either.
            Err(_) => Held::ByUs(None),
        }
    }

    /// Report that routes are no longer removed repeatedly.
    fn calm(&mut self) {
        let now = self.now();
        let (alarm, is_new) = self.kernel.fib.alarm(now);
        if is_new && alarm.is_none() && self.kernel.fib.listens() {
            let text = "no program removes routes any more";
            self.tell(Event::State(interference::state(text, false, now)));
        }
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

/// The next comparison is told from this one.
fn keep_result(wanted: &mut Wanted, done: &Done) {
    if let Some(seen) = &done.kernel {
        wanted.former.retain(|mark| !seen.cleared.contains(mark));
    }
    let kernel = done.outcomes.iter().find(|outcome| outcome.name == KERNEL);
    if let Some(outcome) = kernel {
        let row = TargetRow::of(outcome, wanted.last(KERNEL), wanted.now);
        wanted.last.retain(|row| row.name != KERNEL);
        wanted.last.push(row);
    }
}

/// Whether this pin withdraws everything.
fn withdrawn(pin: &Option<PinRow>) -> bool {
    pin.as_ref().is_some_and(PinRow::is_flush)
}

fn nets(looks: &[Look]) -> PrefixSet {
    let found = looks.iter().flat_map(|(_, shown)| &shown.found);
    PrefixSet::of_nets(found.map(|found| found.net))
}
