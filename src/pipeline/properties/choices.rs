//! What choices of feeds have, after every decision of a history: written down as a pass does, and
//! held against the model of single cells.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::feeds::Known;
use super::naive::Cells;
use super::shell::Shell;
use crate::pipeline::{Decision, Former, each_once};
use crate::policy::selection::Choice;
use crate::prefix::Effective;

/// Routers, each with a choice. The last one always has everything by name.
pub const ROUTERS: [usize; 4] = [0, 1, 3, 2];

/// What the choices of the routers have, and had with each generation.
#[derive(Debug, Default)]
pub struct Chosen {
    /// The choice of each router, when it was written down last.
    routers: Vec<Choice>,
    now: BTreeMap<Choice, Effective>,
    past: Vec<BTreeMap<Choice, Effective>>,
    /// What a choice began with although its feed was not known: a copy could not be read, or an
    /// edit of the configuration that takes it away waited.
    unknown: BTreeMap<Choice, Cells>,
}

/// What the choices have by a decision.
pub struct Made {
    routers: Vec<Choice>,
    all: BTreeMap<Choice, Effective>,
    /// What their routers had.
    had: BTreeMap<Choice, Cells>,
    unknown: BTreeMap<Choice, Cells>,
}

/// The name of a feed.
pub fn name(index: usize) -> String {
    format!("feed{index}")
}

/// One feed, the others with what was added by hand, all of it by name, and every feed.
pub fn choices() -> [Choice; 4] {
    let of = |feeds: &[usize], operator| Choice {
        feeds: Some(feeds.iter().copied().map(name).collect()),
        operator,
    };
    let every_feed = Choice {
        feeds: None,
        operator: false,
    };
    [
        of(&[0], false),
        of(&[1, 2], true),
        of(&[0, 1, 2], true),
        every_feed,
    ]
}

impl Chosen {
    /// What they have by a decision.
    fn by(&self, shell: &Shell, decision: &Decision) -> Made {
        let then = decision.pinned.map(|generation| generation as usize);
        let frozen = then.and_then(|generation| self.past.get(generation));
        let keeps = decision.held() || decision.pinned.is_some();
        let is_configured = |name: &str| shell.configured().any(|feed| feed.name == name);
        let routers = shell.routers.iter().enumerate().map(|(router, which)| {
            let choice = choices()[*which].clone();
            match self.routers.get(router).filter(|_| keeps) {
                Some(before) => choice.keeping(before, is_configured),
                None => choice,
            }
        });
        let routers: Vec<Choice> = routers.collect();
        let (mut had, mut unknown) = (BTreeMap::new(), BTreeMap::new());
        let all = each_once(routers.iter().cloned(), |choice| {
            let is_lost = decision.lost.iter().any(|feed| choice.has(feed));
            let begins = keeps && (is_lost || choice.may_have_removed(is_configured));
            let others = match begins && !self.now.contains_key(choice) {
                true => self.by_others(choice, &routers),
                false => None,
            };
            if let Some(others) = others.as_ref().filter(|_| decision.held()) {
                // What no copy at hand explains may have been listed by any of the feeds that it
                // had.
                let explained = match is_lost {
                    true => Cells::default(),
                    false => explained(shell),
                };
                let cells = shell.space.cells(&others.nets).minus(explained);
                unknown.insert(choice.clone(), cells);
            }
            let former = Former {
                in_force: self.now.get(choice),
                others: others.as_ref(),
                frozen: frozen.and_then(|then| then.get(choice)),
            };
            if let Some(before) = former.in_force.or(former.others) {
                had.insert(choice.clone(), shell.space.cells(&before.nets));
            }
            decision.chosen(choice, &shell.policy, former).effective
        });
        Made {
            routers,
            all,
            had,
            unknown,
        }
    }

    /// What all those routers had that have this choice now.
    fn by_others(&self, choice: &Choice, routers: &[Choice]) -> Option<Effective> {
        let routers = routers.iter().zip(&self.routers);
        let before = routers.filter_map(|(now, before)| (now == choice).then_some(before));
        let had = before.filter_map(|before| self.now.get(before));
        had.cloned().reduce(|all, one| all.intersection(&one))
    }

    /// Write down what they have by a decision, with the generation that is in force after it.
    pub fn record(&mut self, made: Made, generation: usize) {
        self.past.resize(generation + 1, BTreeMap::default());
        self.past[generation].clone_from(&made.all);
        self.now = made.all;
        self.routers = made.routers;
        for (choice, cells) in made.unknown {
            let known = self.unknown.entry(choice).or_default();
            *known = known.or(cells);
        }
    }

    /// What a flush does to it.
    pub fn flush(&mut self, generation: usize) {
        let nothing = self.now.keys().cloned();
        let nothing = nothing.map(|choice| (choice, Effective::default()));
        let made = Made {
            routers: self.routers.clone(),
            all: nothing.collect(),
            had: BTreeMap::new(),
            unknown: BTreeMap::new(),
        };
        self.record(made, generation);
    }
}

/// Check what they have by a decision, before it is written down. Answers it.
pub fn check(shell: &Shell, decision: &Decision) -> Result<Made, TestCaseError> {
    let made = shell.chosen.by(shell, decision);
    let desired = shell.space.cells(&decision.desired.nets);
    for (choice, Effective { nets, origins }) in &made.all {
        let cells = shell.space.cells(nets);
        let has = |index: &usize| choice.has(&name(*index));
        prop_assert!(cells.within(desired), "beside what should be in force");
        prop_assert!(origins.iter().all(|asn| decision.desired.has_origin(*asn)));
        // Whatever became of the copies since: nothing that its feeds never listed.
        let feeds = (0..shell.feeds.len()).filter(has);
        let listed = feeds.map(|index| shell.ever[index]);
        let by_hand = choice.operator.then_some(shell.ever_by_hand);
        let unknown = [&shell.chosen.unknown, &made.unknown].map(|unknown| unknown.get(choice));
        let listed = listed
            .chain(by_hand)
            .chain(unknown.into_iter().flatten().copied());
        let listed = listed.fold(Cells::default(), Cells::or);
        prop_assert!(cells.within(listed), "of other feeds: {choice:?}");
        let had = made.had.get(choice).copied().unwrap_or_default();
        exactly(shell, decision, choice, (had, cells))?;
    }
    for (router, choice) in made.routers.iter().enumerate() {
        keeps(shell, decision, &made, (router, choice))?;
    }
    // Those with everything have everything, in the same prefixes.
    let everything = &made.all[&choices()[2]];
    prop_assert_eq!(everything, &decision.desired);
    Ok(made)
}

/// What the feeds that count listed for what is in force.
fn explained(shell: &Shell) -> Cells {
    let counting = shell.configured().filter(|feed| feed.counts(shell.now));
    let lists = counting.filter_map(|feed| Some(shell.lists(feed, feed.applied()?.ok()?)));
    lists.fold(Cells::default(), Cells::or)
}

/// While something waits, a router keeps what it had of the feeds that it still has and of those
/// that left: a copy that cannot be read and a feed that is no longer configured are no empty ones.
fn keeps(
    shell: &Shell,
    decision: &Decision,
    made: &Made,
    (router, choice): (usize, &Choice),
) -> TestCaseResult {
    let Some(before) = shell.chosen.routers.get(router).filter(|_| decision.held()) else {
        return Ok(());
    };
    // Of several that begin with a choice none gets anything by it.
    let begin = made.routers.iter().filter(|other| *other == choice);
    if before != choice && begin.count() > 1 {
        return Ok(());
    }
    let cells = |set: Option<&Effective>| shell.space.cells(&set.cloned().unwrap_or_default().nets);
    let had = cells(shell.chosen.now.get(before)).and(shell.space.cells(&decision.desired.nets));
    let stays = |feed: &&Known| !feed.configured || feed.counts(shell.now);
    let has = |feed: &&Known| choice.has(&feed.name) && before.has(&feed.name) && stays(feed);
    // The model knows what is in a copy that cannot be read.
    let lists = |feed: &Known| {
        let copy = feed.applied.as_ref();
        copy.map_or_else(Cells::default, |copy| shell.lists(feed, copy))
    };
    let all = |feeds: &mut dyn Iterator<Item = &Known>| {
        feeds.map(lists).fold(Cells::default(), Cells::or)
    };
    let own = all(&mut shell.feeds.iter().filter(has));
    let others = all(&mut shell.feeds.iter().filter(|feed| !has(feed)));
    let by_hand = [&shell.hand, &shell.hand_before].map(|hand| Cells::of(hand.iter().copied()));
    let others = by_hand.into_iter().fold(others, Cells::or);
    // What another feed carries on is checked by itself.
    let carried = shell.space.cells(&decision.carried.nets);
    let kept = had.and(own).minus(others).minus(carried);
    let has = cells(made.all.get(choice));
    prop_assert!(kept.within(has), "taken from {choice:?}, before {before:?}");
    Ok(())
}

/// Where the listings tell all, it is exactly what they tell.
fn exactly(
    shell: &Shell,
    decision: &Decision,
    choice: &Choice,
    (had, cells): (Cells, Cells),
) -> TestCaseResult {
    // What goes through is made of copies that can be read.
    let is_told = !decision.held() || !decision.holds_configuration && decision.lost.is_empty();
    if decision.pinned.is_some() || !is_told {
        return Ok(());
    }
    let feeds = shell.feeds.iter().enumerate();
    let counts = |(index, feed): &(usize, &Known)| {
        feed.configured && feed.counts(shell.now) && choice.has(&name(*index))
    };
    let feeds: Vec<&Known> = feeds.filter(counts).map(|(_, feed)| feed).collect();
    // In manual mode a router gets nothing new without an approval.
    let unseen = shell.manual && shell.by_feed && !decision.approved;
    let lists = feeds.iter().filter_map(|feed| {
        let copy = match decision.held() || unseen {
            true => feed.applied()?.ok()?,
            false => feed.current()?,
        };
        Some(shell.lists(feed, copy))
    });
    let now = feeds
        .iter()
        .filter_map(|feed| Some(shell.lists(feed, feed.current()?)));
    let carried = now.fold(Cells::default(), Cells::or);
    let carried = carried.and(shell.space.cells(&decision.carried.nets));
    // A feed that carries a prefix on carries it to no other router.
    let carried = carried.and(had);
    let by_hand = choice
        .operator
        .then(|| Cells::of(shell.hand.iter().copied()));
    let listed = lists.chain(by_hand).fold(Cells::default(), Cells::or);
    let desired = shell.space.cells(&decision.desired.nets);
    let listed = listed.or(carried);
    prop_assert_eq!(cells, listed.and(desired), "{:?}", choice);
    Ok(())
}
