//! Several at once, and killed in between: each time one sound state.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::{held, networks, routes, waiting};
use crate::support::{PROGRAM, Place, Ran};

#[test]
fn an_approval_is_used_by_whoever_comes_next_and_is_void_when_the_feeds_moved_on() {
    // As a kill between the approval and its application leaves it.
    let approve = |place: &Place, id: &str| {
        let ledger = place.ledger();
        ledger
            .execute("INSERT INTO review (id, verdict, at, by) VALUES (?1, 'approved', 1790000000, 'alice')", [id])
            .unwrap();
    };
    let (place, id) = held("");
    approve(&place, &id);
    place
        .run(&["refresh"])
        .code(0)
        .says(&format!("change {id} approved by alice"));
    assert_eq!(routes(&place), 5);

    let (place, id) = held("");
    approve(&place, &id);
    place.write("noc.list", &networks(0, 6));
    let ran = place.run(&["refresh"]).code(3);
    let now = waiting(&place).unwrap();
    assert!(
        ran.err.contains(&format!(
            "the approval of {id} by alice is void: the feeds have moved on; what waits now is {now}"
        )),
        "{}",
        ran.err
    );
    assert_eq!(routes(&place), 40);
    // Void is void, also when the old content comes back.
    place.write("noc.list", &networks(0, 5));
    place.run(&["refresh"]).code(3);
    assert_eq!((routes(&place), waiting(&place)), (40, Some(id)));
}

#[test]
fn killed_at_any_moment_an_approval_is_applied_whole_or_still_asked_for() {
    let (place, id) = held("");
    let mut moments = 0;
    for delay in (0..40).map(|step| Duration::from_micros(500 * step)) {
        let mut approve = place.command(Command::new(PROGRAM), &["approve", &id]);
        let mut child = approve
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(delay);
        let _ = child.kill();
        let _ = child.wait();
        let in_force = routes(&place);
        assert!([40, 5].contains(&in_force), "{in_force}");
        if in_force == 5 {
            break;
        }
        // Not applied yet: either nobody has approved it, or the next pass applies it.
        let ran = place.run(&["refresh"]);
        match ran.code {
            Some(3) => assert_eq!((routes(&place), waiting(&place)), (40, Some(id.clone()))),
            _ => {
                assert_eq!((ran.clone().code(0), routes(&place)).1, 5);
                assert!(
                    ran.err.contains(&format!("change {id} approved by ")),
                    "{}",
                    ran.err
                );
                break;
            }
        }
        moments += 1;
    }
    assert!(moments > 0, "no kill came before the approval");
    if routes(&place) == 40 {
        place.run(&["approve", &id]).code(0);
    }
    assert_eq!((routes(&place), waiting(&place)), (5, None));
}

#[test]
fn an_approval_and_refreshes_at_the_same_time_end_in_one_sound_state() {
    let (place, id) = held("");
    let start = |verb: &[&str]| {
        let mut command = place.command(Command::new(PROGRAM), verb);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let refreshes = [start(&["refresh"]), start(&["refresh"])];
    let approvals = [start(&["approve", &id]), start(&["approve", &id])];
    for refresh in refreshes {
        let ran = Ran::of(refresh.wait_with_output().unwrap());
        // Done, still held, or the other one was at work.
        assert!([0, 3, 1].contains(&ran.code.unwrap()), "{}", ran.err);
        assert!(
            ran.code != Some(1) || ran.err.contains("is running"),
            "{}",
            ran.err
        );
    }
    let codes: Vec<_> = approvals
        .map(|approve| Ran::of(approve.wait_with_output().unwrap()))
        .map(|ran| {
            assert!(
                ran.code == Some(0) || ran.err.contains("was approved by"),
                "{}",
                ran.err
            );
            ran.code.unwrap()
        })
        .to_vec();
    assert!(
        codes.contains(&0) && codes.contains(&1),
        "one of them applied it: {codes:?}"
    );
    assert_eq!((routes(&place), waiting(&place)), (5, None));
}
