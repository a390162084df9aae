//! What the histories found, told short.

use super::bounds::{Bounds, OwnBounds};
use super::checks::{Ids, Tally};
use super::history::History;
use super::naive::{Cells, Net};
use super::shell::{List, Shell, Step};

const ONE: Net = Net {
    family: 0,
    cell: 0,
    len: 8,
};
const OTHER: Net = Net {
    family: 0,
    cell: 4,
    len: 8,
};

/// Limits that hold nothing but a number of routes.
fn routes(routes: usize) -> Bounds {
    Bounds {
        shortest: [0, 0],
        routes,
        cells: [256, 256],
        change: OwnBounds::default(),
        small: 500,
    }
}

/// Two feeds, and every decision is checked.
fn told<const N: usize>(steps: [&[Step]; N]) -> Shell {
    let history = History {
        space: 0,
        bogons: vec![false, false],
        bounds: routes(500),
        steps: steps.map(<[Step]>::to_vec).to_vec(),
    };
    history
        .drive(&mut Ids::default(), &mut Tally::default())
        .unwrap()
}

fn publish(feed: usize, nets: &[Net], origins: &[u32]) -> Step {
    let list = List {
        nets: nets.iter().map(|net| (*net, None)).collect(),
        origins: origins.iter().copied().collect(),
    };
    Step::Publish(feed, list)
}

fn in_force(shell: &Shell) -> Cells {
    shell.space.cells(&shell.in_force.nets)
}

#[test]
fn what_waits_for_a_limit_and_for_no_publisher_can_be_approved() {
    let limit = Step::Limits(routes(1));
    let waits: [&[Step]; 3] = [
        &[Step::Protect(ONE), publish(0, &[ONE, OTHER], &[])],
        &[limit],
        &[Step::Unprotect(0)],
    ];
    let held = told(waits);
    assert_eq!(in_force(&held), Cells::of([OTHER]));
    assert!(held.waits.is_some());
    let approved = told([waits[0], waits[1], waits[2], &[Step::Approve]]);
    assert_eq!(in_force(&approved), Cells::of([ONE, OTHER]));
}

#[test]
fn who_approves_that_nothing_changes_approves_nothing_else() {
    let shell = told([
        &[Step::Protect(ONE), publish(0, &[ONE, OTHER], &[])],
        &[Step::Limits(routes(0))],
        &[Step::Approve, Step::Unprotect(0)],
    ]);
    assert_eq!(in_force(&shell), Cells::of([OTHER]));
    assert!(shell.waits.is_some());
}

#[test]
fn an_approval_is_not_used_up_by_a_pin() {
    let shell = told([
        &[publish(0, &[ONE], &[]), Step::Manual(true)],
        &[Step::Approve, Step::Flush],
    ]);
    assert!(shell.approval.is_some());
    assert!(in_force(&shell).is_empty());
}

#[test]
fn the_origin_ases_of_a_feed_that_left_go_while_something_else_is_held() {
    let shell = told([
        &[publish(0, &[], &[64_496]), publish(1, &[], &[64_497])],
        &[Step::Manual(true), publish(1, &[ONE], &[64_498])],
        &[Step::Leave(0)],
    ]);
    assert!(shell.waits.is_some());
    assert_eq!(shell.in_force.origins, [64_497]);
}

#[test]
fn the_operator_is_not_held_where_a_former_copy_cannot_be_read() {
    let bounds = Bounds {
        change: OwnBounds {
            percent: [None, None],
            count: [None, Some(0)],
        },
        ..routes(500)
    };
    let own = Net { cell: 8, ..ONE };
    let shell = told([
        &[Step::Limits(bounds), publish(0, &[ONE, OTHER], &[])],
        &[Step::Add(own)],
        &[
            publish(0, &[ONE, OTHER], &[64_496]),
            Step::Unreadable(0, false, true),
            Step::Protect(ONE),
        ],
    ]);
    assert_eq!(shell.waits, None);
    assert_eq!(in_force(&shell), Cells::of([OTHER, own]));
}

/// A router begins with another feed and one that is not configured, while a new limit takes away
/// what it had.
#[test]
fn what_a_router_had_stays_while_an_edit_that_takes_it_away_waits() {
    let wide = Net { len: 4, ..ONE };
    let bounds = Bounds {
        shortest: [5, 0],
        change: OwnBounds {
            percent: [None, Some(0)],
            count: [None, None],
        },
        small: 0,
        ..routes(500)
    };
    let shell = told([
        &[Step::Choose(1, 0), publish(0, &[wide], &[])],
        &[Step::Limits(bounds), Step::Choose(0, 1)],
        &[],
    ]);
    assert!(shell.waits.is_some());
    assert_eq!(in_force(&shell), Cells::of([wide]));
}
