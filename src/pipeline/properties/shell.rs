//! What stands around the decision, in memory: what people and publishers do, and what a pass
//! writes down.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::super::testing::{NOW, protect_and_show};
use super::super::{
    Configuration, Decided, Decision, Feed, Input, OperatorEntries, Pinned, decide,
};
use super::bounds::{Bounds, OwnBounds};
use super::choices::{self, Chosen};
use super::feeds::{Copy, Known, written};
use super::naive::{Cells, Net, Space};
use crate::config::SettingChange;
use crate::feed::FeedCopy;
use crate::policy::Policy;
use crate::policy::limits::Review;
use crate::prefix::Effective;
use crate::time::Timestamp;

const HOUR: Duration = Duration::from_secs(3_600);

/// What a publisher lists: prefixes, some of which expire after a number of hours, and origin ASes.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub nets: Vec<(Net, Option<u16>)>,
    pub origins: BTreeSet<u32>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// A feed lists something else; one that was not configured is added.
    Publish(usize, List),
    /// It lists one prefix more.
    More(usize, Net),
    /// It lists one prefix less.
    Less(usize, usize),
    /// Nothing was heard of it for too long.
    Expire(usize),
    /// The same copy is confirmed.
    Confirm(usize),
    /// Its copy, or the one behind what is in force, can no longer be read, or can be again.
    Unreadable(usize, bool, bool),
    /// It is taken out of the configuration, or comes back with the copy that is still there.
    Leave(usize),
    Return(usize),
    /// Whether it may list reserved space.
    Bogons(usize, bool),
    Add(Net),
    Remove(usize),
    Protect(Net),
    Unprotect(usize),
    /// A name or a session shows a single cell.
    Show(Net),
    Hide(usize),
    Limits(Bounds),
    FeedLimits(usize, OwnBounds),
    Manual(bool),
    /// Whether some router names feeds.
    ByFeed(bool),
    /// A router gets another choice of feeds.
    Choose(usize, usize),
    /// What waits is approved.
    Approve,
    /// An ID that was seen some time is approved.
    ApproveOld(usize),
    ApproveForeign,
    Flush,
    Pin(usize),
    Unpin,
    Hours(u16),
}

/// Everything that lasts from one pass to the next.
#[derive(Debug)]
pub struct Shell {
    pub space: &'static Space,
    pub feeds: Vec<Known>,
    /// What each of them ever listed, and what was ever added by hand.
    pub ever: Vec<Cells>,
    pub ever_by_hand: Cells,
    /// The choices that are configured for routers.
    pub routers: [usize; choices::ROUTERS.len()],
    /// What choices of feeds have.
    pub chosen: Chosen,
    /// What the last decision was made by.
    pub policy: Policy,
    pub bounds: Bounds,
    pub manual: bool,
    pub by_feed: bool,
    pub hand: Vec<Net>,
    /// The same when the last decision was written down.
    pub hand_before: Vec<Net>,
    /// What of the configuration decided what is in force.
    pub decisive: String,
    pub protected: Vec<Net>,
    pub shown: Vec<Net>,
    pub in_force: Effective,
    /// The sets of all generations; the first is nothing.
    past: Vec<Pinned>,
    /// Whether what is in force was made by a pin.
    pub made_by_pin: bool,
    pub pinned: Option<Pinned>,
    pub approval: Option<String>,
    /// The ID of the change that waits.
    pub waits: Option<String>,
    seen: Vec<String>,
    pub now: Timestamp,
    decided: Option<Decided>,
    /// How often a decision was remembered that was made for an earlier pass.
    pub remembered: usize,
    /// How often one followed from the last one without all listings, and what was another in it.
    pub followed: usize,
    pub followed_with_change: usize,
}

impl Shell {
    pub fn new(space: &'static Space, bogons: &[bool], bounds: Bounds) -> Self {
        let feed = |(index, bogons): (usize, &bool)| Known {
            name: choices::name(index),
            configured: true,
            bogons: *bogons,
            ..Known::default()
        };
        let policy = Policy {
            protect: protect_and_show(std::iter::empty(), std::iter::empty()),
            limits: bounds.limits(space),
            review: Review::Limits,
        };
        Self {
            space,
            feeds: bogons.iter().enumerate().map(feed).collect(),
            ever: vec![Cells::default(); bogons.len()],
            ever_by_hand: Cells::default(),
            routers: choices::ROUTERS,
            chosen: Chosen::default(),
            policy,
            bounds,
            manual: false,
            by_feed: true,
            hand: Vec::new(),
            hand_before: Vec::new(),
            decisive: String::new(),
            protected: Vec::new(),
            shown: Vec::new(),
            in_force: Effective::default(),
            past: vec![Pinned::default()],
            made_by_pin: false,
            pinned: None,
            approval: None,
            waits: None,
            seen: Vec::new(),
            now: NOW,
            decided: None,
            remembered: 0,
            followed: 0,
            followed_with_change: 0,
        }
    }

    /// Something happens.
    pub fn happen(&mut self, step: &Step) {
        let count = self.feeds.len();
        let now = self.now;
        match step {
            Step::Publish(feed, list) => {
                let until = |hours: u16| now.after(HOUR * u32::from(hours));
                let nets = list.nets.iter().map(|(net, end)| (*net, end.map(until)));
                self.publish(feed % count, nets.collect(), list.origins.clone());
            }
            Step::More(feed, net) => self.republish(feed % count, |nets| nets.push((*net, None))),
            Step::Less(feed, which) => self.republish(feed % count, |nets| {
                let which = which % nets.len().max(1);
                nets.drain(which..nets.len().min(which + 1));
            }),
            Step::Expire(feed) => {
                let feed = &mut self.feeds[feed % count];
                let long_ago = Timestamp(now.0 - 30 * 86_400);
                feed.confirmed = feed.confirmed.and(Some(long_ago));
            }
            Step::Confirm(feed) => {
                let feed = &mut self.feeds[feed % count];
                feed.confirmed = feed.confirmed.and(Some(now));
            }
            Step::Unreadable(feed, current, applied) => {
                self.feeds[feed % count].lost = [*current, *applied];
            }
            Step::Leave(feed) => self.feeds[feed % count].configured = false,
            Step::Return(feed) => self.feeds[feed % count].configured = true,
            Step::Bogons(feed, bogons) => self.feeds[feed % count].bogons = *bogons,
            Step::Add(net) if !self.hand.contains(net) => {
                self.ever_by_hand = self.ever_by_hand.or(Cells::of([*net]));
                self.hand.push(*net);
            }
            Step::Remove(which) => {
                let which = which % self.hand.len().max(1);
                self.hand.drain(which..self.hand.len().min(which + 1));
            }
            Step::Protect(net) => self.protected.push(*net),
            Step::Unprotect(which) => {
                let which = which % self.protected.len().max(1);
                let end = self.protected.len().min(which + 1);
                self.protected.drain(which..end);
            }
            Step::Show(net) => self.shown.push(Net { len: 8, ..*net }),
            Step::Hide(which) => {
                let which = which % self.shown.len().max(1);
                self.shown.drain(which..self.shown.len().min(which + 1));
            }
            Step::Limits(bounds) => self.bounds = *bounds,
            Step::FeedLimits(feed, own) => self.feeds[feed % count].own = *own,
            Step::Manual(manual) => self.manual = *manual,
            Step::ByFeed(by_feed) => self.by_feed = *by_feed,
            Step::Approve => self.approval = self.waits.clone().or(self.approval.take()),
            Step::ApproveOld(which) => {
                let seen = self.seen.get(which % self.seen.len().max(1));
                self.approval = seen.cloned();
            }
            Step::ApproveForeign => self.approval = Some("0123456789ab".to_owned()),
            Step::Flush => {
                self.pinned = Some(Pinned::default());
                self.waits = None;
                self.generation(Effective::default(), true);
                self.chosen.flush(self.past.len() - 1);
            }
            Step::Pin(which) if self.past.len() > 1 => {
                let which = 1 + which % (self.past.len() - 1);
                self.pinned = Some(self.past[which].clone());
            }
            Step::Unpin => self.pinned = None,
            Step::Choose(router, choice) => {
                let all = choices::choices().len();
                self.routers[router % (self.routers.len() - 1)] = choice % all;
            }
            Step::Hours(hours) => self.now = now.after(HOUR * u32::from(*hours)),
            Step::Add(_) | Step::Pin(_) => {}
        }
    }

    fn publish(
        &mut self,
        feed: usize,
        nets: Vec<(Net, Option<Timestamp>)>,
        origins: BTreeSet<u32>,
    ) {
        let listed = Cells::of(nets.iter().map(|(net, _)| *net));
        self.ever[feed] = self.ever[feed].or(listed);
        let copy = Copy::new(self.space, nets, origins, self.now);
        let feed = &mut self.feeds[feed];
        feed.configured = true;
        feed.confirmed = Some(self.now);
        feed.lost[0] = false;
        feed.current = Some(copy);
    }

    fn republish(&mut self, feed: usize, edit: impl Fn(&mut Vec<(Net, Option<Timestamp>)>)) {
        if let Some(Copy { nets, origins, .. }) = self.feeds[feed].current.clone() {
            let mut nets = nets;
            edit(&mut nets);
            self.publish(feed, nets, origins);
        }
    }

    /// Decide by what is known. What is remembered for it is what would be decided from nothing.
    pub fn decide(&mut self) -> Decision {
        let typed = self.protected.iter().map(|net| self.space.net(*net));
        let shown = self.shown.iter().map(|net| self.space.net(*net));
        let policy = Policy {
            protect: protect_and_show(typed, shown),
            limits: self.bounds.limits(self.space),
            review: match self.manual {
                true => Review::Manual,
                false => Review::Limits,
            },
        };
        self.policy = policy.clone();
        let listed = |nets: &[Net]| {
            let mut copy = FeedCopy::default();
            for (line, net) in (1..).zip(nets) {
                copy.add(written(self.space, *net), line, "");
            }
            Arc::new(copy)
        };
        let hand = OperatorEntries {
            now: listed(&self.hand),
            before: listed(&self.hand_before),
        };
        let configuration = Configuration {
            name: self.configuration(),
            changes: self
                .edited()
                .then(|| SettingChange::Gone("edited".to_owned()))
                .into_iter()
                .collect(),
        };
        let feeds: Vec<Feed> = self.configured().map(Known::feed).collect();
        let input = Input {
            feeds: &feeds,
            operator: &hand,
            policy: &policy,
            in_force: &self.in_force,
            restores: self.made_by_pin,
            by_feed: self.by_feed,
            pinned: self.pinned.as_ref(),
            protection: None,
            approved: self.approval.as_deref(),
            configuration: &configuration,
            now: self.now,
        };
        let anew = decide(&input);
        let last = self.decided.take();
        let next = last.as_ref().and_then(|last| last.next(&input));
        if let Some(next) = &next {
            next.assert_is_by(&input);
            self.followed += 1;
            self.followed_with_change += usize::from(!anew.change.is_empty());
        }
        let last = last.filter(|last| last.holds_for(&input));
        self.remembered += usize::from(last.is_some());
        // Others follow from one that has followed itself.
        let decided = next.or(last).unwrap_or_else(|| Decided::by(&input));
        assert_eq!(**decided.decision(), anew);
        assert!(decided.holds_for(&input));
        self.decided = Some(decided);
        anew
    }

    /// Write a decision down, as a pass does.
    pub fn record(&mut self, decision: &Decision, chosen: choices::Made) {
        if decision.approved || decision.pinned.is_none() {
            self.approval = None;
        }
        self.generation(decision.desired.clone(), decision.pinned.is_some());
        self.chosen.record(chosen, self.past.len() - 1);
        self.waits = decision.held().then(|| decision.id.clone());
        self.seen.extend(self.waits.clone());
        self.hand_before.clone_from(&self.hand);
        if !decision.held() && decision.pinned.is_none() {
            self.decisive = self.configuration();
            self.made_by_pin = false;
            if let Some(next) = self.decided.as_ref().and_then(Decided::applied) {
                self.decided = Some(next);
            }
        }
        let now = self.now;
        for feed in &mut self.feeds {
            if !decision.held() && decision.pinned.is_none() && feed.counts(now) {
                feed.applied = feed.current.clone();
                feed.lost[1] = feed.lost[0];
            }
            if !feed.configured && !decision.holds_configuration {
                let (name, bogons, own) = (feed.name.clone(), feed.bogons, feed.own);
                *feed = Known {
                    name,
                    bogons,
                    own,
                    ..Known::default()
                };
            }
        }
    }

    fn generation(&mut self, effective: Effective, made_by_pin: bool) {
        if effective != self.in_force {
            self.past.push(Pinned {
                generation: self.past.len() as u64,
                effective: effective.clone(),
            });
            self.made_by_pin = made_by_pin;
            self.in_force = effective;
        }
    }

    /// What of the configuration decides.
    pub fn configuration(&self) -> String {
        let feeds = self
            .feeds
            .iter()
            .enumerate()
            .filter(|(_, feed)| feed.configured);
        let feeds = feeds.map(|(index, feed)| format!("{index} {} {:?}", feed.bogons, feed.own));
        let feeds: Vec<String> = feeds.collect();
        format!("{:?} {} {feeds:?}", self.bounds, self.manual)
    }

    /// Whether it was otherwise for what is in force.
    pub fn edited(&self) -> bool {
        self.decisive != self.configuration()
    }

    /// The feeds in the configuration.
    pub fn configured(&self) -> impl Iterator<Item = &Known> {
        self.feeds.iter().filter(|feed| feed.configured)
    }

    /// The same with the entries that have ended.
    pub fn listed(&self, feed: &Known, copy: &Copy) -> Cells {
        let nets = copy.nets.iter().map(|(net, _)| *net);
        let cells = Cells::of(nets.filter(|net| !self.bounds.refuses(*net)));
        match feed.bogons {
            true => cells,
            false => cells.minus(self.space.reserved()),
        }
    }

    pub fn lists(&self, feed: &Known, copy: &Copy) -> Cells {
        let nets = copy.nets.iter();
        let nets = nets.filter(|(_, until)| until.is_none_or(|until| until > self.now));
        let nets = nets.map(|(net, _)| *net);
        let cells = Cells::of(nets.filter(|net| !self.bounds.refuses(*net)));
        match feed.bogons {
            true => cells,
            false => cells.minus(self.space.reserved()),
        }
    }
}
