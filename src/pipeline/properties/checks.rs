//! What must be true of every decision.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::feeds::{Copy, Known};
use super::naive::Cells;
use super::shell::Shell;
use crate::pipeline::Decision;

/// How often it came to what.
#[derive(Debug, Default)]
pub struct Tally {
    /// Something changed, within the limits.
    pub gone: usize,
    pub held: usize,
    /// Held for more than its review.
    pub beyond: usize,
    /// It waited, and went because it was approved.
    pub approved: usize,
    pub pinned: usize,
    pub restored: usize,
    /// Held for what the configuration takes away.
    pub configured: usize,
    /// The decision of the pass before.
    pub remembered: usize,
    /// Decided without all listings, with a change, and all decisions.
    pub followed: usize,
    pub decisions: usize,
}

/// What comes and what goes.
type Content = [BTreeSet<String>; 2];

/// The content of every ID, and the ID of every content.
#[derive(Debug, Default)]
pub struct Ids {
    contents: HashMap<String, Content>,
    ids: HashMap<Content, String>,
}

impl Ids {
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// No ID names two contents, and no content has two IDs.
    fn note(&mut self, id: &str, content: Content) -> TestCaseResult {
        let known = self.contents.entry(id.to_owned());
        prop_assert_eq!(known.or_insert_with(|| content.clone()), &content);
        let known = self.ids.entry(content);
        prop_assert_eq!(known.or_insert_with(|| id.to_owned()), id);
        Ok(())
    }
}

/// What the model makes of it.
struct Told<'a> {
    shell: &'a Shell,
    counting: Vec<&'a Known>,
    /// What is never dropped.
    out: Cells,
    /// What the operator lists.
    hand: Cells,
    in_force: Cells,
    /// What the feeds that count listed for what is in force, and list now.
    before: Cells,
    now: Cells,
    origins_before: BTreeSet<u32>,
    /// What only a change of the configuration takes away.
    taken: Cells,
    taken_origins: BTreeSet<u32>,
    origins_now: BTreeSet<u32>,
    /// Whether a copy that counts cannot be read, and one behind what is in force.
    unreadable: bool,
    lost: bool,
}

fn applied(feed: &Known) -> Option<&Copy> {
    feed.applied()?.ok()
}

impl<'a> Told<'a> {
    fn of(shell: &'a Shell) -> Self {
        let counts = |feed: &&Known| feed.counts(shell.now);
        let counting: Vec<&Known> = shell.configured().filter(counts).collect();
        let cells = |which: fn(&Known) -> Option<&Copy>| {
            let each = counting.iter();
            let each = each.filter_map(|feed| Some(shell.lists(feed, which(feed)?)));
            each.fold(Cells::default(), Cells::or)
        };
        let origins = |which: fn(&Known) -> Option<&Copy>| {
            let each = counting.iter().filter_map(|feed| which(feed));
            each.flat_map(|copy| copy.origins.clone()).collect()
        };
        let out =
            Cells::of(shell.protected.iter().chain(&shell.shown).copied()).or(shell.space.never());
        let hand = Cells::of(shell.hand.iter().copied());
        let in_force = shell.space.cells(&shell.in_force.nets);
        let mut taken = Cells::default();
        let mut taken_origins = BTreeSet::new();
        let all_readable = !shell
            .configured()
            .any(|feed| feed.applied().is_some_and(|copy| copy.is_err()));
        if shell.edited() && shell.pinned.is_none() && !shell.made_by_pin && all_readable {
            // Whatever else takes it away: the copy expired, the entry ended, it was removed by
            // hand, is protected.
            let behind = shell.configured().filter_map(applied);
            taken_origins = shell.in_force.origins.iter().copied().collect();
            for asn in behind.flat_map(|copy| &copy.origins) {
                taken_origins.remove(asn);
            }
            for asn in &origins(Known::current) {
                taken_origins.remove(asn);
            }
            let behind = shell
                .configured()
                .filter_map(|feed| Some(shell.listed(feed, applied(feed)?)));
            let others = Cells::of(shell.hand_before.iter().copied());
            let others = behind.fold(others.or(hand).or(cells(Known::current)), Cells::or);
            taken = in_force.minus(out).minus(others);
        }
        let is_lost = |feed: &&Known| feed.applied().is_some_and(|copy| copy.is_err());
        Self {
            out,
            hand,
            in_force,
            taken,
            taken_origins,
            before: cells(applied),
            now: cells(Known::current),
            origins_before: origins(applied),
            origins_now: origins(Known::current),
            unreadable: counting.iter().any(|feed| feed.current().is_none()),
            lost: counting.iter().any(is_lost),
            counting,
            shell,
        }
    }

    /// Whether the publishers changed anything.
    fn changed(&self) -> bool {
        self.before != self.now
            || self.origins_before != self.origins_now
            || !self.by_feed().concat().is_empty()
    }

    /// What comes to single feeds and what goes from them, where routers name feeds.
    fn by_feed(&self) -> [Vec<String>; 2] {
        let mut changes = [Vec::new(), Vec::new()];
        let counting = self.counting.iter().filter(|_| self.shell.by_feed);
        for feed in counting {
            let Some(now) = feed.current() else {
                continue;
            };
            let was = applied(feed);
            if was.is_some_and(|was| was.same(now)) {
                continue;
            }
            let lists = |copy| self.strings(self.shell.lists(feed, copy), &copy.origins);
            let was = was.map(lists).unwrap_or_default();
            let now = lists(now);
            let of = |item: &String| format!("{}: {item}", feed.name);
            changes[0].extend(now.difference(&was).map(of));
            changes[1].extend(was.difference(&now).map(of));
        }
        changes
    }

    /// As they are written.
    fn strings(&self, cells: Cells, origins: &BTreeSet<u32>) -> BTreeSet<String> {
        let nets = cells.nets().into_iter();
        let nets = nets.map(|net| self.shell.space.net(net).to_string());
        nets.chain(origins.iter().map(|asn| format!("AS{asn}")))
            .collect()
    }

    /// Whether the configuration takes too much away.
    fn takes_too_much(&self) -> bool {
        let Shell { bounds, space, .. } = self.shell;
        let mut bounds = *bounds;
        (bounds.change.percent[0], bounds.change.count[0]) = (Some(usize::MAX >> 32), None);
        if self.taken.is_empty() && self.taken_origins.is_empty() {
            return false;
        }
        // Of all that stays in force while it is held.
        let (stays, origins) = self.stays_beside();
        let origins = &origins | &self.taken_origins;
        bounds.too_much(space, stays.or(self.taken), stays.minus(self.taken))
            || bounds.too_many(&origins, &(&origins - &self.taken_origins))
    }

    /// Whether what the publishers changed is beyond any limit.
    fn beyond(&self) -> bool {
        let Shell { bounds, space, .. } = self.shell;
        let total = self.now.minus(self.out);
        let feeds = self.counting.iter();
        let whole = if self.lost {
            // Neither the operator's entries nor what is protected are a reason.
            let beside = |set: Cells| set.or(self.hand).minus(self.out);
            bounds.too_much(space, beside(self.in_force), beside(total))
        } else {
            let shared = self.counting.iter().filter(|feed| feed.applied.is_some());
            let shared = shared.filter_map(|feed| Some(self.shell.lists(feed, feed.current()?)));
            let now = shared.fold(Cells::default(), Cells::or);
            bounds.too_much(space, self.before, now)
        };
        whole
            || bounds.too_large(total)
            || bounds.too_short(total)
            || feeds
                .filter_map(|feed| self.beyond_of(feed))
                .any(|beyond| beyond)
    }

    /// The same for one feed, where it changed.
    fn beyond_of(&self, feed: &Known) -> Option<bool> {
        let Shell { bounds, space, .. } = self.shell;
        let lists = |copy| self.shell.lists(feed, copy);
        let large = |copy| bounds.too_large(lists(copy).minus(self.out));
        let now = feed.current()?;
        let before = match feed.applied() {
            None => return Some(large(now)),
            Some(before) => before.ok().filter(|before| !before.same(now))?,
        };
        let large = large(now);
        let bounds = bounds.of_feed(&feed.own);
        Some(
            large
                || bounds.too_much(space, lists(before), lists(now))
                || bounds.too_many(&before.origins, &now.origins),
        )
    }

    fn origins_in_force(&self) -> BTreeSet<u32> {
        self.shell.in_force.origins.iter().copied().collect()
    }

    /// What would be in force if everything went.
    fn proposed(&self) -> Cells {
        self.now.or(self.hand).minus(self.out)
    }

    /// What stays in force while a change is held: what was in force and still has its reason.
    fn stays(&self) -> (Cells, BTreeSet<u32>) {
        let (kept, mut origins) = self.stays_beside();
        match self.takes_too_much() {
            true => {
                origins.extend(&self.taken_origins);
                (kept.or(self.taken), origins)
            }
            false => (kept, origins),
        }
    }

    /// The same without what the configuration takes away.
    fn stays_beside(&self) -> (Cells, BTreeSet<u32>) {
        let in_force = self.origins_in_force();
        let (kept, origins) = if self.unreadable || self.lost {
            // Nothing goes, for the reasons of it cannot be told; and nothing comes.
            (self.in_force, in_force)
        } else {
            // What is beyond the limits as a whole does not grow.
            let bounds = &self.shell.bounds;
            let applied = self.before.minus(self.out);
            let fits = !bounds.too_large(applied) && !bounds.too_short(applied);
            let listed = match fits {
                true => self.in_force.or(self.proposed()),
                false => self.in_force,
            };
            let mut origins = self.origins_before.clone();
            match self.shell.made_by_pin {
                true => (applied, origins),
                false => {
                    origins.retain(|asn| in_force.contains(asn) || self.origins_now.contains(asn));
                    let (carried, more) = self.carried();
                    origins.extend(more);
                    (applied.and(listed).or(carried), origins)
                }
            }
        };
        (kept.or(self.hand).minus(self.out), origins)
    }

    /// What a feed lists now and is in force, but for what was added by hand.
    fn carried(&self) -> (Cells, BTreeSet<u32>) {
        let by_hand = Cells::of(self.shell.hand_before.iter().copied());
        let in_force = self.origins_in_force();
        (
            self.in_force.and(self.now).minus(by_hand),
            &in_force & &self.origins_now,
        )
    }

    /// Whether nothing would change: then nothing waits, whatever limit what is in force is beyond.
    fn idle(&self) -> bool {
        let nothing = (self.proposed(), self.origins_now.clone());
        !self.unreadable && !self.changed() && self.stays() == nothing
    }

    /// What an approval would let go.
    fn content(&self) -> Content {
        let strings = |cells, origins| self.strings(cells, origins);
        let configured = self.takes_too_much();
        let (before, now) = match self.changed() || configured {
            true => (
                strings(self.before, &self.origins_before),
                strings(self.now, &self.origins_now),
            ),
            false => {
                let (stays, origins) = match self.unreadable || self.beyond() || configured {
                    true if self.shell.pinned.is_none() => self.stays(),
                    _ => (self.in_force, self.origins_in_force()),
                };
                (
                    strings(stays, &origins),
                    strings(self.proposed(), &self.origins_now),
                )
            }
        };
        let mut content = [&now - &before, &before - &now];
        for (content, by_feed) in content.iter_mut().zip(self.by_feed()) {
            content.extend(by_feed);
        }
        if configured {
            content[0].insert(self.shell.configuration());
        }
        content
    }
}

/// Check a decision against what is known when it is made.
pub fn before(
    shell: &Shell,
    decision: &Decision,
    ids: &mut Ids,
    tally: &mut Tally,
) -> TestCaseResult {
    let told = Told::of(shell);
    let desired = shell.space.cells(&decision.desired.nets);
    let hand = told.hand.minus(told.out);
    let fed = told.now.or(told.before);

    prop_assert!(desired.and(told.out).is_empty(), "protected");
    ids.note(&decision.id, told.content())?;

    if let Some(pin) = &shell.pinned {
        tally.pinned += 1;
        prop_assert!(!decision.approved && !decision.held());
        prop_assert_eq!(
            desired,
            shell.space.cells(&pin.effective.nets).minus(told.out)
        );
        prop_assert_eq!(&decision.desired.origins, &pin.effective.origins);
        return Ok(());
    }
    // An approval lets go what has its name, and nothing else.
    let approved = !told.unreadable && shell.approval.as_ref() == Some(&decision.id);
    prop_assert_eq!(decision.approved, approved);
    let configured = told.takes_too_much();
    let beyond = told.unreadable || told.beyond() || configured;
    let waits = (beyond || shell.manual && told.changed()) && !told.idle();
    prop_assert_eq!(
        decision.held(),
        waits && !approved,
        "{:?}",
        decision.verdict
    );
    prop_assert!(hand.within(desired), "the operator's own");

    let origins: BTreeSet<u32> = decision.desired.origins.iter().copied().collect();
    if !decision.held() {
        tally.approved += usize::from(waits);
        tally.gone += usize::from(!waits && !decision.change.is_empty());
        prop_assert_eq!(desired, told.now.or(told.hand).minus(told.out));
        prop_assert_eq!(origins, told.origins_now);
        return Ok(());
    }
    tally.held += 1;
    tally.beyond += usize::from(beyond);
    tally.configured += usize::from(configured);
    prop_assert_eq!(decision.holds_configuration, configured);
    let (stays, origins_stay) = told.stays();
    prop_assert_eq!(desired, stays);
    prop_assert_eq!(origins, origins_stay);
    if told.unreadable || told.lost {
        return Ok(());
    }
    let in_force = match configured {
        true => told.taken,
        false => Cells::default(),
    };
    prop_assert!(desired.within(fed.or(told.hand).or(in_force)), "invented");
    tally.restored += usize::from(shell.made_by_pin);
    let (carried, _) = told.carried();
    let news = desired.minus(told.before).minus(told.hand).minus(in_force);
    let news = news.minus(carried);
    prop_assert!(news.is_empty(), "came while held");
    Ok(())
}

/// When nothing happens, the next decision changes nothing.
pub fn after(shell: &mut Shell) -> TestCaseResult {
    let next = shell.decide();
    prop_assert!(next.change.is_empty(), "{:?}", next.change);
    prop_assert_eq!(&next.desired, &shell.in_force);
    Ok(())
}
