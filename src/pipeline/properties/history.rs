//! Random histories.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::bounds::{Bounds, OwnBounds};
use super::checks::{Ids, Tally, after, before};
use super::choices;
use super::naive::{Net, SPACES};
use super::shell::{List, Shell, Step};

/// Where it begins, and what happens before each decision.
#[derive(Clone, Debug)]
pub struct History {
    pub space: usize,
    /// The feeds, and which of them may list reserved space.
    pub bogons: Vec<bool>,
    pub bounds: Bounds,
    pub steps: Vec<Vec<Step>>,
}

impl History {
    /// Drive it, and check every decision. Answers what is there in the end.
    pub fn drive(&self, ids: &mut Ids, tally: &mut Tally) -> Result<Shell, TestCaseError> {
        let mut shell = Shell::new(&SPACES[self.space], &self.bogons, self.bounds);
        for steps in &self.steps {
            for step in steps {
                shell.happen(step);
            }
            let decision = shell.decide();
            before(&shell, &decision, ids, tally)?;
            let chosen = choices::check(&shell, &decision)?;
            shell.record(&decision, chosen);
            after(&mut shell)?;
        }
        tally.remembered += shell.remembered;
        tally.followed += shell.followed_with_change;
        tally.decisions += self.steps.len();
        Ok(shell)
    }
}

pub fn any() -> impl Strategy<Value = History> {
    let steps = prop::collection::vec(steps(), 5..=15);
    let feeds = prop::collection::vec(prop::bool::weighted(0.3), 1..=3);
    (0..SPACES.len(), feeds, bounds(), steps).prop_map(|(space, bogons, bounds, steps)| History {
        space,
        bogons,
        bounds,
        steps,
    })
}

/// A few lists, and then one entry or protected prefix after the other.
pub fn of_entries() -> impl Strategy<Value = History> {
    let publish = (0..3_usize, list()).prop_map(|(feed, list)| vec![Step::Publish(feed, list)]);
    let publish = prop::collection::vec(publish, 1..=3);
    let feeds = prop::collection::vec(prop::bool::weighted(0.3), 1..=3);
    let shortest = || prop_oneof![4 => Just(0), 1 => 1..5_u8];
    let routes = prop_oneof![9 => Just(500), 1 => 5..40_usize];
    let bounds = ([shortest(), shortest()], routes).prop_map(|(shortest, routes)| Bounds {
        shortest,
        routes,
        cells: [256, 256],
        change: OwnBounds::default(),
        small: 500,
    });
    let entries = prop::collection::vec(prop::collection::vec(entry(), 1..=2), 10..=25);
    (0..SPACES.len(), feeds, bounds, publish, entries).prop_map(
        |(space, bogons, bounds, publish, entries)| History {
            space,
            bogons,
            bounds,
            // Again: what was approved or settled by the first decisions has no part in the next
            // ones.
            steps: [publish, vec![vec![]], entries].concat(),
        },
    )
}

/// What an operator does, and what appears.
fn entry() -> impl Strategy<Value = Step> {
    let which = || 0..40_usize;
    prop_oneof![
        4 => net().prop_map(Step::Add),
        2 => which().prop_map(Step::Remove),
        3 => net().prop_map(Step::Protect),
        2 => which().prop_map(Step::Unprotect),
        2 => net().prop_map(Step::Show),
        1 => which().prop_map(Step::Hide),
        1 => (1..5_u16).prop_map(Step::Hours),
    ]
}

/// What happens between two decisions: mostly one thing.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![
        4 => step().prop_map(|step| vec![step]),
        1 => prop::collection::vec(step(), 2..=3),
        // The end of a pin is worth most where something waits.
        1 => step().prop_map(|step| vec![Step::Unpin, Step::Manual(true), step]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let feed = || 0..3_usize;
    let which = || 0..40_usize;
    let people = prop_oneof![
        3 => net().prop_map(Step::Add),
        1 => which().prop_map(Step::Remove),
        3 => net().prop_map(Step::Protect),
        1 => which().prop_map(Step::Unprotect),
        2 => net().prop_map(Step::Show),
        1 => which().prop_map(Step::Hide),
        2 => bounds().prop_map(Step::Limits),
        1 => (feed(), own(3)).prop_map(|(feed, own)| Step::FeedLimits(feed, own)),
        1 => Just(Step::Manual(true)),
        3 => Just(Step::Manual(false)),
        1 => any_bool().prop_map(Step::ByFeed),
        2 => (which(), which()).prop_map(|(router, choice)| Step::Choose(router, choice)),
        2 => feed().prop_map(Step::Leave),
        1 => feed().prop_map(Step::Return),
        1 => (feed(), any_bool()).prop_map(|(feed, bogons)| Step::Bogons(feed, bogons)),
        1 => Just(Step::Flush),
        1 => which().prop_map(Step::Pin),
        4 => Just(Step::Unpin),
    ];
    let approvals = prop_oneof![
        5 => Just(Step::Approve),
        1 => which().prop_map(Step::ApproveOld),
        1 => Just(Step::ApproveForeign),
    ];
    let publishers = prop_oneof![
        5 => (feed(), list()).prop_map(|(feed, list)| Step::Publish(feed, list)),
        3 => (feed(), net()).prop_map(|(feed, net)| Step::More(feed, net)),
        2 => (feed(), which()).prop_map(|(feed, which)| Step::Less(feed, which)),
        1 => feed().prop_map(Step::Expire),
        1 => feed().prop_map(Step::Confirm),
        1 => (1..100_u16).prop_map(Step::Hours),
        1 => (feed(), any_bool(), any_bool())
            .prop_map(|(feed, current, applied)| Step::Unreadable(feed, current, applied)),
    ];
    prop_oneof![5 => publishers, 3 => people, 2 => approvals]
}

fn any_bool() -> impl Strategy<Value = bool> {
    prop::bool::ANY
}

/// A prefix: small ones more often, so that few of them do not cover all.
fn net() -> impl Strategy<Value = Net> {
    let len = prop_oneof![1 => 0..4_u8, 8 => 4..=8_u8];
    let family = prop_oneof![2 => Just(0), 1 => Just(1)];
    (family, 0..=255_u8, len).prop_map(|(family, cell, len)| Net::new(family, cell, len))
}

fn list() -> impl Strategy<Value = List> {
    let entry = (net(), prop::option::weighted(0.1, 1..200_u16));
    let origins = prop::collection::btree_set(1..12_u32, 0..5);
    let origins = prop_oneof![2 => Just(BTreeSet::new()), 1 => origins];
    (prop::collection::vec(entry, 0..16), origins)
        .prop_map(|(nets, origins)| List { nets, origins })
}

/// Limits: each of them mostly too wide to matter.
fn bounds() -> impl Strategy<Value = Bounds> {
    let shortest = || prop_oneof![4 => Just(0), 1 => 1..5_u8];
    let cells = || prop_oneof![4 => Just(256), 1 => 0..256_usize];
    let routes = prop_oneof![4 => Just(500), 1 => 0..30_usize];
    let small = prop_oneof![1 => Just(0), 1 => 0..8_usize];
    (
        [shortest(), shortest()],
        routes,
        [cells(), cells()],
        own(2),
        small,
    )
        .prop_map(|(shortest, routes, cells, change, small)| Bounds {
            shortest,
            routes,
            cells,
            change,
            small,
        })
}

/// `unset`: how often in four a limit is not set.
fn own(unset: u32) -> impl Strategy<Value = OwnBounds> {
    let percent =
        move || prop_oneof![unset => Just(None), 4 - unset => (0..=120_usize).prop_map(Some)];
    let count = move || prop_oneof![9 => Just(None), 1 => (0..10_usize).prop_map(Some)];
    ([percent(), percent()], [count(), count()])
        .prop_map(|(percent, count)| OwnBounds { percent, count })
}
