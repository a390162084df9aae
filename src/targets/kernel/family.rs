//! One address family of our table: as last read, and as changed since.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use super::backoff::Backoff;
use super::bus::Pace;
use super::cover::{self, Covers};
use super::install::{Done, install};
use super::interference::Interference;
use super::message::{self, DumpFilter, Installed, Key};
use super::monitor::Monitor;
use super::pending::Pending;
use super::read::{Read, read};
use super::reconcile::{Difference, RouteId, reconcile};
use super::report::Unreported;
use super::{Fault, Mark, Report};
use crate::netlink::Requests;
use crate::netlink::family::AddressFamily;
use crate::netlink::message::{Message, RTM_NEWROUTE};
use crate::plan::Side;
use crate::prefix::{Prefix, covering};
use crate::time::Timestamp;

/// The desired state of one family.
pub(super) struct WantedFamily<'a, B: AddressFamily> {
    /// What marks a route as ours.
    pub mark: Mark,
    /// The desired prefixes, ascending, none inside another.
    pub desired: &'a Arc<[Prefix<B>]>,
    /// Whether a route of ours that is not desired may be removed.
    pub may_remove: &'a dyn Fn(IpNet) -> bool,
    /// Whether foreign routes inside our prefixes are covered.
    pub cover: bool,
    /// The current time.
    pub now: Timestamp,
}

/// At most this many changes by other programs are followed one by one; after more, the table is
/// read again.
const FOLLOWED: usize = 50_000;
/// Our own change of more routes than this is made without notifications, and compared afterwards.
const LARGE: usize = 5_000;
/// Changes of at most this many routes are made in place in the known state.
const FEW: usize = 64;
/// The table is compared at most this often when answers are lost, or after a large change.
const ROUNDS: usize = 4;

/// The known state of one family.
#[derive(Default)]
pub(super) struct FamilyTable<B: AddressFamily> {
    /// Our routes, and foreign routes at or inside ours as far as they matter, in order. None: not
    /// known.
    held: Option<Vec<Installed<B>>>,
    /// Set while a change is under way, and after one that was dropped.
    underway: Option<Underway<B>>,
    /// Routes of ours that were removed since then, with the netlink port of the program that did
    /// it.
    gone: BTreeMap<Key<B>, u32>,
    /// Routes with our mark that another program added since then, with its netlink port.
    come: BTreeMap<Key<B>, (Installed<B>, u32)>,
    /// Changes of other programs that are not undone yet.
    interference: Interference<B>,
    /// Whether `held` has foreign routes.
    has_others: bool,
    /// `held` may be wrong and must be read again before it is used.
    is_stale: bool,
    /// Work of changes that were dropped, or in which the other family failed.
    unreported: Unreported,
    /// What the reports of this pass have counted.
    reported: Unreported,
    /// The prefixes for which `held` was read, where foreign routes inside of them matter.
    covered: Option<Arc<[Prefix<B>]>>,
    /// The desired prefixes, if `held` is a route of ours to each of them and nothing else. Then
    /// the next change is the difference to the prefixes that are desired next.
    in_step: Option<Arc<[Prefix<B>]>>,
}

/// A change: what was held before it, and the routes that it adds. Each of those may be in the
/// table.
struct Underway<B: AddressFamily> {
    held: Vec<Installed<B>>,
    added: Vec<RouteId<B>>,
}

impl<B: AddressFamily> FamilyTable<B> {
    /// Forget the routes: the mark has changed, or reading failed.
    pub fn forget(&mut self) {
        *self = Self {
            unreported: self.unreported,
            reported: self.reported,
            ..Self::default()
        };
    }

    /// All work that was done is in a report now.
    pub fn reported(&mut self) {
        let done = std::mem::take(&mut self.unreported);
        self.reported.added += done.added;
        self.reported.removed += done.removed;
        self.reported.told = self.reported.added + self.reported.removed;
    }

    /// Another pass begins: it does not count what was reported before.
    pub fn begins(&mut self) {
        self.reported = Unreported::default();
    }

    /// The pass continues: its next report counts everything since the pass began.
    pub fn goes_on(&mut self) {
        let Unreported {
            added,
            removed,
            told,
        } = std::mem::take(&mut self.reported);
        self.unreported.added += added;
        self.unreported.removed += removed;
        self.unreported.told += told;
    }

    /// Read everything again next time. A route that was there and is missing then was removed by
    /// another program.
    pub fn invalidate(&mut self) {
        self.is_stale = true;
    }

    /// Whether the table has to be read again.
    pub fn is_invalid(&self) -> bool {
        self.is_stale || self.underway.is_some()
    }

    /// Routes may have disappeared without a notification. Only foreign routes can, because ours
    /// have no next hop. Returns whether there are any.
    pub fn doubt_others(&mut self) -> bool {
        self.is_stale |= self.has_others;
        self.has_others
    }

    /// Whether our route to this prefix is known to be installed.
    pub fn holds(&self, prefix: &Prefix<B>) -> bool {
        let Some(held) = self.held.as_ref().filter(|_| !self.is_invalid()) else {
            return false;
        };
        let at = held.partition_point(|one| one.prefix < *prefix);
        let here = held[at..].iter().take_while(|one| one.prefix == *prefix);
        let mut ours = here.filter(|one| one.ours);
        ours.any(|one| !self.gone.contains_key(&one.key()))
    }

    /// Take in a change by another program. Returns whether something is to be done about it.
    ///
    /// Changes of our own routes are followed. Changes of foreign routes are not: a replaced route,
    /// one next hop of several, one of two routes with the same metric are each reported in a
    /// different way. Where foreign routes are at or inside ours, the table is read again.
    pub fn notified(&mut self, message: Message<'_>, mark: &Mark) -> bool {
        let Some(route) = message::read::<B>(message.payload, mark) else {
            return false;
        };
        let Some(held) = &self.held else {
            return true;
        };
        if !route.ours {
            let at = held.partition_point(|one| one.prefix < route.prefix);
            let beside = held.get(at).is_some_and(|one| one.prefix == route.prefix);
            let inside = |covered: &Arc<[_]>| covering(covered, &route.prefix).is_some();
            let concerns = beside || self.covered.as_ref().is_some_and(inside);
            self.is_stale |= concerns;
            return concerns;
        }
        let key = route.key();
        let here = held.binary_search_by_key(&key, Installed::key).is_ok();
        let was_gone = self.gone.remove(&key).is_some();
        if message.kind != RTM_NEWROUTE {
            let had_come = self.come.remove(&key).is_some();
            if here {
                self.gone.insert(key, message.port);
            }
            self.is_stale |= self.gone.len() > FOLLOWED;
            return here || had_come;
        }
        if !here {
            self.come.insert(key, (route, message.port));
            self.is_stale |= self.come.len() > FOLLOWED;
        }
        !here || was_gone
    }

    /// Make the table as desired. During a large change no notifications are received, so the table
    /// is compared once more afterwards. It is also compared once more where other programs changed
    /// routes during each dump.
    ///
    /// # Errors
    /// The kernel cannot be read, routes may not be changed, or answers are lost repeatedly.
    pub async fn sync(
        &mut self,
        (requests, pace, backoff, monitor): (
            &mut Requests,
            &mut Pace,
            &mut Backoff,
            &mut Option<Monitor>,
        ),
        order: &WantedFamily<'_, B>,
    ) -> Result<Report, Fault> {
        let mut report = Report::default();
        let before = self.unreported;
        let mut pending = Pending::default();
        let (mut lost, mut is_claim) = (false, false);
        for round in 0..ROUNDS {
            // Notifications from here on are newer than what is read.
            reopen(monitor)?;
            let whole = self.know(order, round > 0).await?;
            let (mut difference, covers) = self.difference(order);
            let is_owed = |route: &RouteId<B>| self.interference.is_owed(route, &difference.remove);
            let net = |route: &RouteId<B>| is_owed(route).then(|| route.0.to_net());
            let postponed = backoff.postpone(&mut difference.add, net, order.now);
            match is_claim {
                // Some of the routes that were refused as existing are ours.
                false => report.kept = difference.keep.saturating_sub(report.added),
                true => pending.come_true(&mut report, &difference),
            }
            pending = Pending::of(&report, &difference);
            let large = monitor.as_mut().filter(|_| difference.changes() > LARGE);
            let unmonitored = large.map(|monitor| monitor.close(B::GROUP)).is_some();
            self.underway = Some(Underway {
                held: self.held.take().unwrap_or_default(),
                added: difference.add.clone(),
            });
            let done = {
                let unreported = &mut self.unreported;
                install(requests, pace, order.mark, &difference, unreported).await
            };
            let underway = self.underway.take();
            let held = underway.map_or_else(Vec::new, |underway| underway.held);
            // Whatever the result, notifications are received again from here on.
            reopen(monitor)?;
            let mut done = done?;
            let after = (&**order.desired, order.now);
            self.interference
                .undone(after, (&difference, &done), backoff, &mut report);
            report.added += done.report.added;
            report.removed += done.report.removed;
            let changed = done.report.added + done.report.removed > 0;
            lost = done.lost;
            is_claim = lost || unmonitored;
            if lost || done.vanished || !whole || unmonitored && changed {
                continue;
            }
            let is_free = self.learn(held, &difference, &mut done, order).await?;
            if is_free && round + 1 < ROUNDS {
                continue;
            }
            self.is_stale |= unmonitored;
            report.failed = done.report.failed;
            report.first_failure = done.report.first_failure;
            report.kept += done.report.kept;
            report.occupied = difference
                .occupied
                .iter()
                .map(|one| one.by.to_string())
                .collect();
            report.occupied.extend(done.report.occupied);
            report.unexplained = difference.unexplained;
            report.postponed = postponed;
            report.covers = covers.routes.len();
            report.uncovered = covers.uncovered.iter().map(ToString::to_string).collect();
            let is_all = report.failed + report.postponed + report.unexplained == 0;
            let is_all = is_all && report.occupied.is_empty() && !order.cover && !self.has_others;
            let held = self.held.as_ref().map_or(0, Vec::len);
            self.in_step = (is_all && held == order.desired.len()).then(|| order.desired.clone());
            report.after(before);
            self.unreported = Unreported {
                added: report.added,
                removed: report.removed,
                told: report.told,
            };
            return Ok(report);
        }
        self.forget();
        Err(match lost {
            true => Fault::AnswersLost,
            false => Fault::Restless,
        })
    }

    /// Remove the routes that must go, by the last known state, before the changes of other
    /// programs are read. Reading takes seconds on a router where routes change all the time, and
    /// an address that must be reachable does not wait for it. Afterwards everything is compared as
    /// usual.
    pub async fn take_away(
        &mut self,
        (requests, pace): (&mut Requests, &mut Pace),
        order: &WantedFamily<'_, B>,
    ) -> Result<(), Fault> {
        // Routes that a dropped change may have added count as known from here on; the table is
        // read again in any case.
        if let Some(Underway { held, added }) = &mut self.underway
            && !added.is_empty()
        {
            let added = std::mem::take(added).into_iter();
            held.extend(added.map(|route| Installed::ours(route, &order.mark)));
            held.sort_by_key(Installed::key);
            held.dedup_by_key(|one| one.key());
        }
        let Some(held) = self.last() else {
            return Ok(());
        };
        let difference = wanted(order, held).0.removals();
        if difference.remove.is_empty() || difference.changes() > LARGE {
            return Ok(());
        }
        self.in_step = None;
        let Some(held) = self.last() else {
            return Ok(());
        };
        held.retain(|one| {
            let route = (one.prefix, one.metric);
            !(one.ours && difference.remove.binary_search(&route).is_ok())
        });
        // If this is dropped halfway, `held` lacks the routes that were to go, and the table is
        // read again.
        let was_stale = std::mem::replace(&mut self.is_stale, true);
        let unreported = &mut self.unreported;
        let done = install(requests, pace, order.mark, &difference, unreported).await?;
        if done.lost {
            return Ok(());
        }
        let not_done = done.not_done();
        let added = difference.add.iter();
        let added = added.filter(|route| !not_done.contains(*route));
        if let Some(held) = self.last() {
            held.extend(added.map(|route| Installed::ours(*route, &order.mark)));
            held.sort_by_key(Installed::key);
        }
        self.is_stale = was_stale || !not_done.is_empty();
        Ok(())
    }

    /// The last known state.
    fn last(&mut self) -> Option<&mut Vec<Installed<B>>> {
        let underway = self.underway.as_mut().map(|underway| &mut underway.held);
        self.held.as_mut().or(underway)
    }

    /// Read the table, or apply the notifications to the known state, and note what other programs
    /// did to our routes. Where answers were lost (`once_more`) everything is read: the answer that
    /// names a foreign route in our place may have been lost, too. Returns whether nothing is
    /// missing.
    async fn know(&mut self, order: &WantedFamily<'_, B>, once_more: bool) -> Result<bool, Fault> {
        let wanted = order.cover.then_some(order.desired);
        let is_as_read = !self.is_stale && self.covered.as_ref() == wanted;
        if !is_as_read || !self.gone.is_empty() || !self.come.is_empty() {
            self.in_step = None;
        }
        let come = std::mem::take(&mut self.come);
        let came = come
            .iter()
            .map(|((prefix, metric, _), (_, by))| ((*prefix, *metric), *by));
        self.interference.added.extend(came);
        if let Some(held) = self.held.as_mut().filter(|_| is_as_read) {
            let gone = std::mem::take(&mut self.gone);
            if !gone.is_empty() {
                held.retain(|route| !gone.contains_key(&route.key()));
            }
            if !come.is_empty() {
                held.extend(come.into_values().map(|(route, _)| route));
                held.sort_by_key(Installed::key);
            }
            let gone = gone
                .into_iter()
                .map(|((prefix, ..), by)| (prefix, Some(by)));
            self.interference.removed.extend(gone);
            return Ok(true);
        }
        let which = match order.cover || once_more {
            true => DumpFilter::All,
            false => DumpFilter::Ours,
        };
        let Read {
            routes: mut held,
            whole,
        } = read::<B>(&order.mark, which).await?;
        held.retain(|route| route.ours || covering(order.desired, &route.prefix).is_some());
        let mut now = held.iter().filter(|one| one.ours).peekable();
        for before in self.held.iter().flatten().filter(|one| one.ours) {
            while now.next_if(|one| one.key() < before.key()).is_some() {}
            if now.peek().is_none_or(|one| one.key() != before.key()) {
                let by = self.gone.get(&before.key()).copied();
                self.interference.removed.insert(before.prefix, by);
            }
        }
        self.gone.clear();
        self.underway = None;
        self.covered = wanted.cloned();
        self.in_step = None;
        // It is kept for long: without the room that was left to grow.
        held.shrink_to_fit();
        self.held = Some(held);
        self.is_stale = !whole;
        Ok(whole)
    }

    fn difference(&self, order: &WantedFamily<'_, B>) -> (Difference<B>, Covers<B>) {
        if let Some(difference) = self.step(order) {
            return (difference, Covers::default());
        }
        let held = self.held.as_deref().unwrap_or_default();
        wanted(order, held)
    }

    /// The same from the prefixes that were desired last, where the table holds exactly those.
    fn step(&self, order: &WantedFamily<'_, B>) -> Option<Difference<B>> {
        let last = self.in_step.as_ref().filter(|_| !order.cover)?;
        let metric = order.mark.metric_of::<B>();
        let Side { add, remove, keep } = match Arc::ptr_eq(last, order.desired) {
            true => Side::between(&[], &[]),
            false => Side::between_near(last, order.desired),
        };
        if !remove.iter().all(|one| (order.may_remove)(one.to_net())) {
            return None;
        }
        let routes = |these: Vec<Prefix<B>>| these.into_iter().map(|one| (one, metric)).collect();
        let keep = match Arc::ptr_eq(last, order.desired) {
            true => last.len(),
            false => keep,
        };
        Some(Difference {
            add: routes(add),
            remove: routes(remove),
            ..Difference::none(keep)
        })
    }

    /// Apply a change to the known state. The table is read to find the owner of a route to a
    /// prefix that already exists. Returns whether such a route is gone by then: its place is free,
    /// and the route that was refused can be added.
    async fn learn(
        &mut self,
        mut held: Vec<Installed<B>>,
        difference: &Difference<B>,
        done: &mut Done<B>,
        order: &WantedFamily<'_, B>,
    ) -> Result<bool, Fault> {
        let mark = order.mark;
        let not_done = done.not_done();
        let is_done = |route: &&RouteId<B>| !not_done.contains(*route);
        if self.in_step.take().is_some() && done.exists.is_empty() && difference.changes() <= FEW {
            for route in difference.remove.iter().filter(is_done) {
                if let Ok(at) =
                    held.binary_search_by_key(&(route.0, route.1, false), Installed::key)
                {
                    held.remove(at);
                }
            }
            held.reserve_exact(difference.add.len());
            for route in difference.add.iter().filter(is_done) {
                let route = Installed::ours(*route, &mark);
                let at = held.partition_point(|one| one.key() < route.key());
                held.insert(at, route);
            }
            self.held = Some(held);
            return Ok(false);
        }
        // `difference` has them in the order of `held`.
        let mut gone = difference.remove.iter().filter(is_done).peekable();
        if gone.peek().is_some() {
            held.retain(|one| {
                let route = (one.prefix, one.metric);
                while gone.next_if(|gone| **gone < route).is_some() {}
                !one.ours || gone.peek().is_none_or(|gone| **gone != route)
            });
        }
        let added = difference.add.iter().filter(is_done);
        held.extend(added.map(|route| Installed::ours(*route, &mark)));
        let mut is_free = false;
        if !done.exists.is_empty() {
            let there = read::<B>(&mark, DumpFilter::All).await?.routes;
            for route in std::mem::take(&mut done.exists) {
                let prefix = route.0;
                let at = there.partition_point(|one| (one.prefix, one.metric) < route);
                // Ours sorts before foreign routes in the same place.
                match there
                    .get(at)
                    .filter(|one| (one.prefix, one.metric) == route)
                {
                    Some(found) => {
                        match found.ours {
                            true => done.report.kept += 1,
                            false => done.report.occupied.push(found.to_string()),
                        }
                        held.push(found.clone());
                    }
                    None => {
                        let what = format!("{prefix} not added: another program changes it");
                        done.report.failure(what);
                        // No notification will say that the place is free.
                        self.is_stale = true;
                        is_free = true;
                    }
                }
            }
        }
        held.sort_by_key(Installed::key);
        // A delete for IPv4 takes the first route of ours from its metric on (`fib_table_delete`).
        // It takes a different one if another program had already removed the right one. That is
        // possible only where another route to the prefix is desired.
        let is_desired = |(prefix, _): &RouteId<B>| order.desired.binary_search(prefix).is_ok();
        self.is_stale |= difference.remove.iter().any(is_desired);
        self.has_others = held.iter().any(|one| !one.ours);
        self.held = Some(held);
        Ok(is_free)
    }
}

fn reopen(monitor: &mut Option<Monitor>) -> Result<(), Fault> {
    let reopened = monitor.as_mut().map_or(Ok(()), Monitor::reopen);
    reopened.map_err(Fault::Socket)
}

/// The desired routes, covers included, against the present ones.
pub(super) fn wanted<B: AddressFamily>(
    order: &WantedFamily<'_, B>,
    held: &[Installed<B>],
) -> (Difference<B>, Covers<B>) {
    let metric = order.mark.metric_of::<B>();
    let covers = match order.cover {
        true => cover::covers(order.desired, metric, held.iter()),
        false => Covers::default(),
    };
    let desired = order.desired.iter().map(|prefix| (*prefix, metric));
    let both = merged(desired, covers.routes.iter().copied());
    let may_remove = |prefix: &Prefix<B>| (order.may_remove)(prefix.to_net());
    (reconcile(both, held, may_remove), covers)
}

/// Two ascending sequences merged into one.
fn merged<T: Ord>(
    one: impl Iterator<Item = T>,
    other: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(a), Some(b)) if b < a => other.next(),
        (Some(_), _) => one.next(),
        (None, _) => other.next(),
    })
}

/// The changes that would make the table as desired in one family. Changes nothing.
///
/// # Errors
/// An error from the kernel.
pub async fn planned<B: AddressFamily>(
    mark: Mark,
    desired: &[Prefix<B>],
    cover: bool,
    may_remove: impl Fn(IpNet) -> bool,
) -> Result<Difference<B>, Fault> {
    let held = read::<B>(&mark, DumpFilter::All).await?.routes;
    let order = WantedFamily {
        mark,
        desired: &desired.into(),
        may_remove: &may_remove,
        cover,
        now: Timestamp::default(),
    };
    Ok(wanted(&order, &held).0)
}
