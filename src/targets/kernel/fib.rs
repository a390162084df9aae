//! Our routes in the kernel, kept as desired (I/O).
//!
//! ```text
//!  desired ─┐                                   ┌──► batches ──► kernel
//!           ├─ reconcile (pure) ──► Difference ─┤
//!  held ────┘                                   └──► held
//!   ▲ ▲
//!   │ └── dump: at first, at an audit, when a notification was lost
//!   └──── what others change, from the kernel's notifications
//! ```
//!
//! The daemon, which receives notifications, reads everything once and then follows the changes of
//! other programs: a pass that changes ten routes among a million costs ten, and one that changes
//! nothing costs nothing. A verb, which receives none, reads everything each time.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::time::sleep;

use super::backoff::{Alarm, Backoff, Object};
use super::bus::Pace;
use super::family::{FamilyTable, WantedFamily};
use super::monitor::{self, Monitor, RTM_DELNEXTHOP};
use super::rule;
use super::{Fault, Mark, Report, Restored};
use crate::netlink::Requests;
use crate::netlink::family::AddressFamily;
use crate::netlink::message::{Message, RTM_DELROUTE, RTM_NEWROUTE, messages};
use crate::netlink::rule::RTM_DELRULE;
use crate::prefix::{Prefix, PrefixSet};
use crate::time::Timestamp;

/// Notifications that arrive within this time after a change belong to it.
const GATHER: Duration = Duration::from_millis(50);
/// At most this many datagrams are read at once, however fast they arrive.
const DRAIN: usize = 65_536;
/// At most this many are read first, which takes a moment.
const FEW: usize = 256;

/// The desired state of the table.
#[derive(Clone, Copy)]
pub struct Desired<'a> {
    /// What marks a route as ours.
    pub mark: Mark,
    pub desired: &'a PrefixSet,
    /// Whether a route of ours that is not desired may be removed.
    pub may_remove: &'a dyn Fn(IpNet) -> bool,
    /// Whether foreign routes inside our prefixes are covered.
    pub cover: bool,
    /// The current time.
    pub now: Timestamp,
}

impl<'a> Desired<'a> {
    fn order<B: AddressFamily>(&self, desired: &'a Arc<[Prefix<B>]>) -> WantedFamily<'a, B> {
        WantedFamily {
            mark: self.mark,
            desired,
            may_remove: self.may_remove,
            cover: self.cover,
            now: self.now,
        }
    }
}

/// Both families, the socket that changes them, and the notifications.
#[derive(Default)]
pub struct Fib {
    requests: Option<Requests>,
    monitor: Option<Monitor>,
    known: KnownTable,
    backoff: Backoff,
    /// Paces changes to the other listeners.
    pace: Pace,
    /// The policy rule that was present after the last change, by its priority.
    rule: Option<u32>,
    /// Whether an alarm is raised.
    alarmed: bool,
}

/// The known state of the table.
#[derive(Default)]
struct KnownTable {
    mark: Option<Mark>,
    v4: FamilyTable<u32>,
    v6: FamilyTable<u128>,
    /// The netlink port of the program that removed a policy rule of ours since the last change.
    rule_by: Option<u32>,
    /// Something is not as desired, and [`Fib::changed`] has not reported it.
    changed: bool,
    /// Notifications were lost.
    overflow: bool,
}

impl Fib {
    /// One that receives notifications.
    ///
    /// # Errors
    /// No netlink socket can be opened.
    pub fn listening() -> io::Result<Self> {
        Ok(Self {
            monitor: Some(Monitor::open()?),
            ..Self::default()
        })
    }

    /// The same with a receive buffer of this many bytes for the kernel's answers, instead of the
    /// default one.
    ///
    /// # Errors
    /// No netlink socket can be opened.
    pub fn with_room(mut self, bytes: usize) -> io::Result<Self> {
        self.requests = Some(Requests::with_room(bytes)?);
        Ok(self)
    }

    /// Read everything again the next time. A route that was there and is missing then was removed
    /// by another program.
    pub fn invalidate(&mut self) {
        self.known.invalidate();
    }

    /// Forget the known state: a route that is missing next was not removed by another program.
    pub fn forget(&mut self) {
        self.known.forget();
        self.known.rule_by = None;
        self.rule = None;
    }

    /// There is something to be done that no notification reports.
    pub fn expect_change(&mut self) {
        self.known.changed = true;
    }

    /// A new comparison begins: no object counts as waiting until it is looked at again.
    pub fn rest(&mut self) {
        self.backoff.begin();
    }

    /// The next change is the first of a pass, or it continues one and everything is counted
    /// together.
    pub fn begins(&mut self, goes_on: bool) {
        let KnownTable { v4, v6, .. } = &mut self.known;
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

    /// When a waiting route may be put back.
    pub fn next(&self) -> Option<Timestamp> {
        self.backoff.next()
    }

    /// The alarm while another program keeps removing routes, and whether that has changed since
    /// the last call.
    pub fn alarm(&mut self, now: Timestamp) -> (Option<Alarm>, bool) {
        let alarm = self.backoff.alarm(now);
        let is_new = alarm.is_some() != self.alarmed;
        self.alarmed = alarm.is_some();
        (alarm, is_new)
    }

    /// Before a change: whether the policy rule may be put back. It waits if another program keeps
    /// removing it.
    pub fn may_add_rule(&mut self, priority: u32, now: Timestamp) -> bool {
        self.rule != Some(priority) || !self.backoff.waits(Object::Rule(priority), now)
    }

    /// After a change: which policy rule is present now, and whether it was missing. Returns what
    /// was put back.
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

    /// Whether our route to this prefix is known to be installed with this mark.
    pub fn holds(&self, route: IpNet, mark: &Mark) -> bool {
        let KnownTable { v4, v6, .. } = &self.known;
        let holds = match route {
            IpNet::V4(route) => v4.holds(&route.into()),
            IpNet::V6(route) => v6.holds(&route.into()),
        };
        holds && self.listens() && self.known.mark == Some(*mark)
    }

    /// Whether it receives notifications.
    pub fn listens(&self) -> bool {
        self.monitor.is_some()
    }

    /// Make the table as desired.
    ///
    /// # Errors
    /// The kernel cannot be read, routes may not be changed, or answers are lost repeatedly.
    pub async fn sync(&mut self, wanted: Desired<'_>) -> Result<Report, Fault> {
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
        // A rule that was removed after the rules were checked is still to be put back.
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
        // A failure in one family does not stop the other.
        let v6 = known.v6.sync(tools, &v6).await;
        known.changed |= known.v4.is_invalid() || known.v6.is_invalid();
        let both = v4?.and(v6?);
        known.v4.reported();
        known.v6.reported();
        Ok(Report {
            // Only audits report the listeners, and only the daemon, which receives notifications,
            // makes audits.
            paced: pace.end(is_listening),
            notifications_lost: lost,
            ..both
        })
    }

    /// Return when another program has changed the desired state, or when notifications were lost.
    /// May be dropped at any point: nothing is lost.
    pub async fn changed(&mut self) {
        let port = self.port();
        while !self.known.changed {
            match &mut self.monitor {
                Some(monitor) => self.known.process(monitor.receive().await, port),
                None => return pending().await,
            }
        }
        sleep(GATHER).await;
        self.drain(DRAIN);
        self.known.changed = false;
    }

    /// Whether [`changed`](Self::changed) would return at once, or a waiting object may be put
    /// back. Does not wait.
    pub fn poll_disturbed(&mut self, now: Timestamp) -> bool {
        self.drain(DRAIN);
        let is_due = self.backoff.next().is_some_and(|next| next <= now);
        std::mem::take(&mut self.known.changed) || is_due
    }

    /// Remove the routes that must go, by the known state. See [`FamilyTable::take_away`].
    async fn take_away(&mut self, wanted: Desired<'_>) -> Result<(), Fault> {
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

    /// Read the waiting notifications, at most this many datagrams. Returns whether that is all of
    /// them.
    fn drain(&mut self, most: usize) -> bool {
        let port = self.port();
        for _ in 0..most {
            match self.monitor.as_mut().and_then(Monitor::try_receive) {
                Some(received) => self.known.process(received, port),
                None => return true,
            }
        }
        false
    }

    /// The netlink port of our own changes.
    fn port(&self) -> Option<u32> {
        self.requests.as_ref().map(Requests::port)
    }
}

impl KnownTable {
    fn forget(&mut self) {
        self.v4.forget();
        self.v6.forget();
    }

    fn invalidate(&mut self) {
        self.v4.invalidate();
        self.v6.invalidate();
    }

    /// Take in a datagram of notifications; `own` is the port of our own changes.
    fn process(&mut self, received: io::Result<&[u8]>, own: Option<u32>) {
        match received {
            Ok(datagram) => {
                for message in messages(datagram) {
                    self.changed |= message.map_or(true, |message| self.change(message, own));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // ENOBUFS: notifications were lost (netlink(7)). After any other error, too, the table
            // is read again.
            Err(_) => {
                self.overflow = true;
                self.invalidate();
                self.changed = true;
            }
        }
    }

    /// Whether something is to be done about it.
    fn change(&mut self, message: Message<'_>, own: Option<u32>) -> bool {
        // With an interface or an address, routes disappear without a notification of their own
        // (`fib_sync_down_dev`).
        if monitor::takes_routes(message) {
            self.invalidate();
            return true;
        }
        // With a nexthop object, the routes that use it disappear (`nexthop_flush_dev`,
        // `__remove_nexthop_fib`).
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
        self.v4.notified(message, &mark) || self.v6.notified(message, &mark)
    }
}
