//! What choices of feeds have, after every decision of a history: written down as a pass does, and held against the
//! model of single cells.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::feeds::Known;
use super::naive::Cells;
use super::shell::Shell;
use crate::pipeline::{Decision, Former};
use crate::policy::selection::Choice;
use crate::prefix::Effective;

/// What the choices have, and had with each generation.
#[derive(Debug, Default)]
pub struct Chosen {
    now: BTreeMap<Choice, Effective>,
    past: Vec<BTreeMap<Choice, Effective>>,
}

/// The name of a feed.
pub fn name(index: usize) -> String {
    format!("feed{index}")
}

/// One feed, the others with what was added by hand, all of it by name, and every feed.
fn choices() -> [Choice; 4] {
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
    fn by(&self, shell: &Shell, decision: &Decision) -> BTreeMap<Choice, Effective> {
        let then = decision.pinned.map(|generation| generation as usize);
        let frozen = then.and_then(|generation| self.past.get(generation));
        let chosen = choices().into_iter().map(|choice| {
            let former = Former {
                in_force: self.now.get(&choice),
                frozen: frozen.and_then(|then| then.get(&choice)),
            };
            let chosen = decision.chosen(&choice, &shell.policy, former);
            (choice, chosen.effective)
        });
        chosen.collect()
    }

    /// Write down what they have by a decision, with the generation that is in force after it.
    pub fn record(&mut self, now: BTreeMap<Choice, Effective>, generation: usize) {
        self.past.resize(generation + 1, BTreeMap::default());
        self.past[generation].clone_from(&now);
        self.now = now;
    }

    /// What a flush does to it.
    pub fn flush(&mut self, generation: usize) {
        let nothing = choices().map(|choice| (choice, Effective::default()));
        self.record(nothing.into_iter().collect(), generation);
    }
}

/// Check what they have by a decision, before it is written down. Answers it.
pub fn check(
    shell: &Shell,
    decision: &Decision,
) -> Result<BTreeMap<Choice, Effective>, TestCaseError> {
    let all = shell.chosen.by(shell, decision);
    let desired = shell.space.cells(&decision.desired.nets);
    for (choice, Effective { nets, origins }) in &all {
        let cells = shell.space.cells(nets);
        let has = |index: &usize| choice.has(&name(*index));
        prop_assert!(cells.within(desired), "beside what should be in force");
        prop_assert!(origins.iter().all(|asn| decision.desired.has_origin(*asn)));
        // Whatever became of the copies since: nothing that its feeds never listed.
        let feeds = (0..shell.feeds.len()).filter(has);
        let listed = feeds.map(|index| shell.ever[index]);
        let by_hand = choice.operator.then_some(shell.ever_by_hand);
        let listed = listed.chain(by_hand).fold(Cells::default(), Cells::or);
        prop_assert!(cells.within(listed), "of other feeds: {choice:?}");
        exactly(shell, decision, choice, cells)?;
    }
    // Those with everything have everything, in the same prefixes.
    let everything = &all[&choices()[2]];
    prop_assert_eq!(everything, &decision.desired);
    Ok(all)
}

/// Where the listings tell all, it is exactly what they tell.
fn exactly(shell: &Shell, decision: &Decision, choice: &Choice, cells: Cells) -> TestCaseResult {
    if decision.pinned.is_some() || decision.holds_configuration || !decision.lost.is_empty() {
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
    let by_hand = choice
        .operator
        .then(|| Cells::of(shell.hand.iter().copied()));
    let listed = lists.chain(by_hand).fold(Cells::default(), Cells::or);
    let desired = shell.space.cells(&decision.desired.nets);
    let listed = listed.or(carried);
    prop_assert_eq!(cells, listed.and(desired), "{:?}", choice);
    Ok(())
}
