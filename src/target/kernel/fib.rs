//! Our routes in the kernel, kept as they should be (I/O).
//!
//! ```text
//!  desired ─┐                                   ┌──► batches ──► kernel
//!           ├─ reconcile (pure) ──► Difference ─┤
//!  held ────┘                                   └──► held
//!   ▲ ▲
//!   │ └── dump: at first, at an audit, when something was not heard
//!   └──── what others change, as the kernel tells it
//! ```
//!
//! Whoever listens (the daemon) reads everything once and follows what others change: a pass that changes ten routes
//! among a million costs ten, and one that changes nothing costs nothing. Whoever does not (a verb) reads each time.

use std::future::pending;
use std::io;
use std::time::Duration;

use ipnet::IpNet;
use tokio::time::sleep;

use super::backoff::{Backoff, Object};
use super::bus::Pace;
use super::family::{Family, Order};
use super::monitor::{self, Monitor, RTM_DELNEXTHOP};
use super::rule;
use super::{Fault, Mark, Report, Restored};
use crate::netlink::Requests;
use crate::netlink::family::AddressFamily;
use crate::netlink::message::{Message, RTM_DELROUTE, RTM_NEWROUTE, messages};
use crate::netlink::rule::RTM_DELRULE;
use crate::prefix::PrefixSet;
use crate::time::Timestamp;

/// What comes so soon after a change belongs to it.
const GATHER: Duration = Duration::from_millis(50);
/// So many datagrams are read in one go at most, however fast they come.
const DRAIN: usize = 65_536;
/// So many are read at first, which takes a moment.
const FEW: usize = 256;

/// What is to be brought about.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// What marks a route as ours.
    pub mark: Mark,
    /// What should be there.
    pub desired: &'a PrefixSet,
    /// Whether a route of ours that is not desired may go.
    pub may_remove: &'a dyn Fn(IpNet) -> bool,
    /// Whether routes of others inside our prefixes are covered.
    pub cover: bool,
    /// The time.
    pub now: Timestamp,
}

impl<'a> Wanted<'a> {
    fn order<B: AddressFamily>(&self, desired: &'a [crate::prefix::Prefix<B>]) -> Order<'a, B> {
        Order {
            mark: self.mark,
            desired,
            may_remove: self.may_remove,
            cover: self.cover,
            now: self.now,
        }
    }
}

/// Both families, the socket they are changed with, and whom we hear.
#[derive(Default)]
pub struct Fib {
    requests: Option<Requests>,
    monitor: Option<Monitor>,
    known: Known,
    backoff: Backoff,
    /// For those who listen beside us.
    pace: Pace,
    /// The policy rule that was there after the last change, by its priority.
    rule: Option<u32>,
    /// Whether an alarm was given.
    alarmed: bool,
}

/// What is known of the table.
#[derive(Default)]
struct Known {
    mark: Option<Mark>,
    v4: Family<u32>,
    v6: Family<u128>,
    /// Who removed a policy rule of ours since the last change.
    rule_by: Option<u32>,
    /// Something is not as it should be, and nobody was told.
    changed: bool,
    /// Notifications were lost.
    overflow: bool,
}

impl Fib {
    /// One that listens.
    ///
    /// # Errors
    /// No netlink socket can be had.
    pub fn listening() -> io::Result<Self> {
        Ok(Self {
            monitor: Some(Monitor::open()?),
            ..Self::default()
        })
    }

    /// The same with so many bytes of room for the kernel's answers, instead of plenty.
    ///
    /// # Errors
    /// No netlink socket can be had.
    pub fn with_room(mut self, bytes: usize) -> io::Result<Self> {
        self.requests = Some(Requests::with_room(bytes)?);
        Ok(self)
    }

    /// Read everything again the next time; what was there and is not was removed by somebody.
    pub fn invalidate(&mut self) {
        self.known.invalidate();
    }

    /// There is something to be done, though nobody says so.
    pub fn expect_change(&mut self) {
        self.known.changed = true;
    }

    /// Nothing waits to be put back: everything is looked at anew.
    pub fn rest(&mut self) {
        self.backoff.begin();
    }

    /// The next change is the first of a pass; or it goes on with one, and all of it is counted together.
    pub fn begins(&mut self, goes_on: bool) {
        let Known { v4, v6, .. } = &mut self.known;
        match goes_on {
            true => {
                v4.goes_on();
                v6.goes_on();
            }
            false => {
                v4.begins();
                v6.begins();
            }
        }
    }

    /// When a route that waits may be put back.
    pub fn next(&self) -> Option<Timestamp> {
        self.backoff.next()
    }

    /// What an operator is told while somebody keeps removing routes, and whether that is news.
    pub fn alarm(&mut self, now: Timestamp) -> (Option<String>, bool) {
        let alarm = self.backoff.alarm(now);
        let is_new = alarm.is_some() != self.alarmed;
        self.alarmed = alarm.is_some();
        (alarm, is_new)
    }

    /// Before a change: whether the policy rule may be put back. Somebody may keep removing it.
    pub fn may_add_rule(&mut self, priority: u32, now: Timestamp) -> bool {
        self.rule != Some(priority) || !self.backoff.waits(Object::Rule(priority), now)
    }

    /// After a change: which policy rule there is now, and whether it was missing. Answers what was put back.
    pub fn rule_is(
        &mut self,
        priority: Option<u32>,
        was_missing: bool,
        now: Timestamp,
    ) -> Option<Restored> {
        let before = std::mem::replace(&mut self.rule, priority);
        let by = self.known.rule_by.take();
        let what = Object::Rule(priority.filter(|_| was_missing && priority == before)?);
        self.backoff.undone([what], now);
        Some(Restored { what, by })
    }

    /// Whether it hears what others change.
    pub fn listens(&self) -> bool {
        self.monitor.is_some()
    }

    /// Bring it about.
    ///
    /// # Errors
    /// The kernel cannot be read, routes may not be changed, or answers are lost again and again.
    pub async fn sync(&mut self, wanted: Wanted<'_>) -> Result<Report, Fault> {
        let is_quiet =
            self.drain(FEW) && !self.known.v4.is_invalid() && !self.known.v6.is_invalid();
        if !is_quiet && self.known.mark == Some(wanted.mark) {
            self.take_away(wanted).await?;
        }
        self.drain(DRAIN);
        let Self {
            requests,
            monitor,
            known,
            backoff,
            pace,
            ..
        } = self;
        if known.mark != Some(wanted.mark) {
            known.forget();
            known.mark = Some(wanted.mark);
        }
        // A rule that went after the rules were looked at is still to be put back.
        known.changed = known.rule_by.is_some();
        let is_listening = monitor.is_some();
        let lost = std::mem::take(&mut known.overflow);
        let requests = match requests {
            Some(requests) => requests,
            None => requests.insert(Requests::open().map_err(Fault::Socket)?),
        };
        pace.begin();
        let v4 = wanted.order(&wanted.desired.v4);
        let tools = (&mut *requests, &mut *pace, &mut *backoff, &mut *monitor);
        let v4 = known.v4.sync(tools, &v4).await;
        let v6 = wanted.order(&wanted.desired.v6);
        let tools = (requests, &mut *pace, backoff, monitor);
        // One that fails takes nothing from the other.
        let v6 = known.v6.sync(tools, &v6).await;
        known.changed |= known.v4.is_invalid() || known.v6.is_invalid();
        let both = v4?.and(v6?);
        known.v4.reported();
        known.v6.reported();
        Ok(Report {
            // Audits tell who listens, and only who hears makes them.
            paced: pace.end(is_listening),
            notifications_lost: lost,
            ..both
        })
    }

    /// Return when something is not as it was brought about, by somebody else's hand, or when notifications were lost.
    /// May be dropped at any point: nothing is lost.
    pub async fn changed(&mut self) {
        let port = self.port();
        while !self.known.changed {
            match &mut self.monitor {
                Some(monitor) => self.known.hear(monitor.hear().await, port),
                None => return pending().await,
            }
        }
        sleep(GATHER).await;
        self.drain(DRAIN);
        self.known.changed = false;
    }

    /// Whether [`changed`](Self::changed) has something to say, or what waited may be put back, without waiting.
    pub fn poll_disturbed(&mut self, now: Timestamp) -> bool {
        self.drain(DRAIN);
        let is_due = self.backoff.next().is_some_and(|next| next <= now);
        std::mem::take(&mut self.known.changed) || is_due
    }

    /// What must go, by what is known. See [`Family::take_away`].
    async fn take_away(&mut self, wanted: Wanted<'_>) -> Result<(), Fault> {
        let Self {
            requests,
            known,
            pace,
            ..
        } = self;
        let Some(requests) = requests else {
            return Ok(());
        };
        pace.begin();
        let v4 = wanted.order(&wanted.desired.v4);
        known
            .v4
            .take_away((&mut *requests, &mut *pace), &v4)
            .await?;
        let v6 = wanted.order(&wanted.desired.v6);
        known.v6.take_away((requests, pace), &v6).await
    }

    /// Read what has been said, so many datagrams at most. Answers whether that is all.
    fn drain(&mut self, most: usize) -> bool {
        let port = self.port();
        for _ in 0..most {
            match self.monitor.as_mut().and_then(Monitor::heard) {
                Some(heard) => self.known.hear(heard, port),
                None => return true,
            }
        }
        false
    }

    /// The port by which our own changes are known.
    fn port(&self) -> Option<u32> {
        self.requests.as_ref().map(Requests::port)
    }
}

impl Known {
    fn forget(&mut self) {
        self.v4.forget();
        self.v6.forget();
    }

    fn invalidate(&mut self) {
        self.v4.invalidate();
        self.v6.invalidate();
    }

    /// What somebody said; `own` is the port of our own changes.
    fn hear(&mut self, heard: io::Result<&[u8]>, own: Option<u32>) {
        match heard {
            Ok(datagram) => {
                for message in messages(datagram) {
                    self.changed |= message.map_or(true, |message| self.change(message, own));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // ENOBUFS: notifications were lost (netlink(7)). Whatever else it is, reading will tell.
            Err(_) => {
                self.overflow = true;
                self.invalidate();
                self.changed = true;
            }
        }
    }

    /// Whether something is to be done about it.
    fn change(&mut self, message: Message<'_>, own: Option<u32>) -> bool {
        // With an interface or an address routes go that nobody tells of (`fib_sync_down_dev`).
        if monitor::takes_routes(message) {
            self.invalidate();
            return true;
        }
        // With a nexthop object those that lead by it (`nexthop_flush_dev`, `__remove_nexthop_fib`).
        if message.kind == RTM_DELNEXTHOP {
            return self.v4.doubt_others() | self.v6.doubt_others();
        }
        let Some(mark) = self.mark else {
            return false;
        };
        if message.kind == RTM_DELRULE && rule::is_ours(message.payload, &mark) {
            self.rule_by = Some(message.port);
            return true;
        }
        let is_route = [RTM_NEWROUTE, RTM_DELROUTE].contains(&message.kind);
        if !is_route || Some(message.port) == own {
            return false;
        }
        self.v4.hear(message, &mark) || self.v6.hear(message, &mark)
    }
}
