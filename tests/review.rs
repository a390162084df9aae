//! A held change and the person who answers it: the ID names an exact content, and nothing else is applied.

mod support;

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use support::{NO_KERNEL, NOC, PROGRAM, Place, Ran};

/// `count` networks that do not join, from `first` on.
fn networks(first: u32, count: u32) -> String {
    (first..first + count)
        .map(|i| format!("72.37.{}.0/24 # SBL{i}\n", 2 * i))
        .collect()
}

/// Forty networks are in force, and a list of five waits.
fn held(more: &str) -> (Place, String) {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}{more}"));
    place.write("noc.list", &networks(0, 40));
    place.run(&["refresh"]).code(0);
    place.write("noc.list", &networks(0, 5));
    place.run(&["refresh"]).code(3);
    let id = waiting(&place).expect("a change waits");
    (place, id)
}

fn waiting(place: &Place) -> Option<String> {
    let status = place.run(&["status", "--json"]).code(0).json();
    status["held"]["id"].as_str().map(str::to_owned)
}

fn routes(place: &Place) -> usize {
    place.run(&["list"]).code(0).lines().len()
}

#[test]
fn what_is_held_says_how_it_is_answered_and_an_approval_is_in_the_story() {
    let (place, id) = held("");
    let plan = place.run(&["plan"]).code(3);
    assert!(
        plan.out
            .contains("- 72.37.78.0/24        no longer noc SBL39 line 40")
    );
    assert!(plan.out.contains(&format!(
        "nullrouted approve {id} applies exactly this, nullrouted reject {id} ends the question"
    )));
    let status = place.run(&["status"]).code(0);
    assert!(
        status
            .out
            .contains(": 0 to add, 35 to remove; what is in force stays\n")
    );
    assert_eq!(routes(&place), 40, "what is in force stays in force");

    let approved = place.run(&["approve", &id]).code(0);
    assert!(
        approved.err.contains(&format!(
            "0 added, 35 removed, 5 kept, change {id} approved by "
        )),
        "{}",
        approved.err
    );
    assert_eq!((routes(&place), waiting(&place)), (5, None));
    place.run(&["refresh"]).code(0);
    // An approval is used up.
    place
        .run(&["approve", &id])
        .code(1)
        .says(&format!("{id} was approved by "))
        .says("(applied); nothing waits; nothing was changed");

    // What an approved change brings says who approved it.
    place.write("noc.list", &networks(0, 30));
    place.run(&["refresh"]).code(3);
    let id = waiting(&place).unwrap();
    place
        .run(&["why", "72.37.50.1"])
        .code(0)
        .says("listed and not blackholed yet")
        .says(&format!("nullrouted approve {id} applies it"));
    place.run(&["approve", &id.to_uppercase()]).code(0);
    let why = place.run(&["why", "72.37.50.1", "--json"]).code(0).json();
    assert_eq!(why["verdict"], "blackholed");
    assert_eq!(why["cause"], "approve");
    assert!(why["approved_by"].as_str().is_some_and(|by| !by.is_empty()));
    place
        .run(&["why", "72.37.50.1"])
        .says(&format!("(approve), change {id} approved by "));
}

#[test]
fn an_id_is_void_when_the_feeds_move_on_and_says_so() {
    let (place, id) = held("");
    place.write("noc.list", &networks(0, 6));
    place.run(&["refresh"]).code(3);
    let now = waiting(&place).unwrap();
    assert_ne!(id, now);
    let void = place.run(&["approve", &id]).code(1);
    assert_eq!(
        void.err.trim(),
        format!(
            "{id} is void: the feeds have moved on; what waits now is {now} (nullrouted plan shows it); nothing was changed"
        )
    );
    // Also when they moved on and nobody looked since: what is approved is what was shown.
    place.write("noc.list", &networks(0, 7));
    place.run(&["approve", &now]).code(0);
    assert_eq!(
        routes(&place),
        6,
        "the content of the ID, and not of the file"
    );
    // And when the old list comes back: another change, the other way round.
    place.write("noc.list", &networks(0, 40));
    place.run(&["refresh"]).code(3);
    assert!(![&id, &now].contains(&&waiting(&place).unwrap()));
    place
        .run(&["approve", "9f3c00000000"])
        .code(1)
        .says("9f3c00000000 is no change that was ever held here; what waits now is ");
}

#[test]
fn the_operators_own_hand_protection_and_expiry_are_not_held_and_do_not_void_the_id() {
    let (place, id) =
        held("[[feed]]\nname = \"other\"\npath = \"other.list\"\nexpire_after = \"2d\"\n");
    place.write("other.list", "198.51.100.0/24\n203.0.113.0/24\n");
    place.run(&["refresh"]).code(3);
    // A feed that the operator added belongs to the change: it is held whole.
    let with_other = waiting(&place).unwrap();
    assert_ne!(with_other, id);
    place.run(&["approve", &with_other]).code(0);
    assert_eq!(routes(&place), 7);

    place.write("noc.list", &networks(50, 40));
    place.run(&["refresh"]).code(3);
    let id = waiting(&place).unwrap();
    place
        .run(&["add", "192.0.2.0/24", "--reason", "phish"])
        .code(0);
    place
        .run(&["allow", "72.37.2.0/24", "--reason", "customer 7"])
        .code(0);
    let list = place.run(&["list"]).code(0).out;
    assert!(
        list.contains("192.0.2.0/24") && !list.contains("72.37.2.0/24"),
        "{list}"
    );
    place.run(&["remove", "192.0.2.0/24"]).code(0);
    place.run(&["disallow", "72.37.2.0/24"]).code(0);
    let list = place.run(&["list"]).code(0).out;
    assert!(!list.contains("192.0.2.0/24"), "{list}");
    assert!(
        !list.contains("72.37.2.0/24"),
        "while a change is held nothing comes back that is not in force: {list}"
    );
    assert_eq!(
        waiting(&place),
        Some(id.clone()),
        "none of it is the publishers' doing"
    );

    // The other feed's file is gone, and its time is over: it goes although a change is held.
    std::fs::remove_file(place.path("other.list")).unwrap();
    let ledger = rusqlite::Connection::open(place.path("state/ledger.sqlite")).unwrap();
    ledger
        .execute(
            "UPDATE feed SET confirmed_at = confirmed_at - 200000 WHERE name = 'other'",
            [],
        )
        .unwrap();
    let ran = place.run(&["refresh"]).code(3);
    assert!(
        ran.err.contains("its 2 entries no longer count"),
        "{}",
        ran.err
    );
    let list = place.run(&["list"]).code(0).out;
    assert!(!list.contains("198.51.100.0/24"), "{list}");
    assert_eq!(waiting(&place), Some(id));
}

#[test]
fn a_rejected_change_is_not_applied_and_asks_nobody_again() {
    let (place, id) = held("");
    place
        .run(&["reject", &id])
        .code(0)
        .says(&format!("{id} rejected: what is in force stays"));
    place.run(&["refresh"]).code(0);
    assert_eq!(routes(&place), 40);
    place
        .run(&["plan"])
        .code(0)
        .says("rejected by ")
        .says("would still apply it");
    place.run(&["status"]).code(0).says("rejected by ");
    // Another content is another question.
    place.write("noc.list", &networks(0, 6));
    place.run(&["refresh"]).code(3);
    // And the first one, when it comes again, was answered.
    place.write("noc.list", &networks(0, 5));
    place.run(&["refresh"]).code(0);
    // Whoever changes his mind may.
    place.run(&["approve", &id]).code(0);
    assert_eq!(routes(&place), 5);
}

#[test]
fn with_manual_review_every_change_of_a_list_waits_for_a_second_person() {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}[review]\nmode = \"manual\"\n"));
    place.write("noc.list", "192.0.2.0/24\n");
    place
        .run(&["refresh"])
        .code(3)
        .says("held, reason: every change waits for a second person ([review] mode = \"manual\")");
    assert_eq!(routes(&place), 0);
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    assert_eq!(routes(&place), 1);
    place.run(&["refresh"]).code(0);
    place.write("noc.list", "192.0.2.0/24\n198.51.100.0/24\n");
    place.run(&["refresh"]).code(3);
    // His own hand needs no other.
    place
        .run(&["add", "203.0.113.0/24", "--reason", "phish"])
        .code(0);
    assert_eq!(
        place.run(&["list"]).lines(),
        ["192.0.2.0/24", "203.0.113.0/24"]
    );
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    assert_eq!(routes(&place), 3);
}

#[test]
fn nobody_may_approve_what_cannot_be_read_or_would_drop_everything() {
    let halves: String = (0..=255).map(|i| format!("{i}.0.0.0/8\n")).collect();
    let place = Place::new(&format!("{NOC}reserved = true\n{NO_KERNEL}"));
    place.write("noc.list", &halves);
    place
        .run(&["refresh"])
        .code(3)
        .says("together the feeds make 0.0.0.0/2");
    let everything = waiting(&place).unwrap();
    place.run(&["approve", &everything]).code(1).says(&format!(
        "{everything} cannot be approved: noc: 93.4% of all IPv4 addresses"
    ));
    assert_eq!(routes(&place), 0);
    let (place, id) = held("");
    for file in std::fs::read_dir(place.path("state/copies")).unwrap() {
        std::fs::write(file.unwrap().path(), "torn").unwrap();
    }
    place
        .run(&["approve", &id])
        .code(1)
        .says("nothing was changed");
    assert_eq!(routes(&place), 40);
}

#[test]
fn an_approval_is_used_by_whoever_comes_next_and_is_void_when_the_feeds_moved_on() {
    // As a kill between the approval and its application leaves it.
    let approve = |place: &Place, id: &str| {
        let ledger = rusqlite::Connection::open(place.path("state/ledger.sqlite")).unwrap();
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
            ran.code != Some(1) || ran.err.contains("is at work"),
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

#[test]
fn what_grows_inside_protected_space_is_judged_when_it_grows() {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}"));
    place.write("noc.list", &networks(0, 20));
    place.run(&["refresh"]).code(0);
    place
        .run(&[
            "allow",
            "72.37.0.0/16",
            "--reason",
            "maintenance",
            "--for",
            "2s",
        ])
        .code(0);
    assert_eq!(routes(&place), 0);
    place.write("noc.list", &networks(0, 60));
    let ran = place.run(&["refresh"]).code(3);
    assert!(
        ran.err
            .contains("noc: 40 of 20 prefixes would be added, 200%"),
        "{}",
        ran.err
    );
    sleep(Duration::from_millis(2_100));
    place.run(&["refresh"]).code(3);
    assert_eq!(
        routes(&place),
        20,
        "what was there comes back, and nothing more"
    );
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    assert_eq!(routes(&place), 60);
}

#[test]
fn a_number_of_prefixes_is_a_limit_also_for_a_feed_that_was_empty() {
    let place = Place::new(&format!(
        "{NOC}believe_empty = true\nmax_added_count = 10\n{NO_KERNEL}"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.write("noc.list", "# quiet\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(routes(&place), 0);
    place.write("noc.list", &networks(0, 20));
    place
        .run(&["refresh"])
        .code(3)
        .says("noc: 20 prefixes would be added (max_added_count 10)");
    assert_eq!(routes(&place), 0);
}

#[test]
fn a_protection_that_ends_while_a_change_is_held_leaves_no_hole_behind() {
    let (place, id) = held("");
    // Listed still: it comes back. Kept by the hold alone: it does not.
    for prefix in ["72.37.2.0/24", "72.37.60.0/24"] {
        place.run(&["allow", prefix, "--reason", "test"]).code(0);
        place.run(&["disallow", prefix]).code(0);
    }
    let list = place.run(&["list"]).code(0).out;
    assert!(
        list.contains("72.37.2.0/24") && !list.contains("72.37.60.0/24"),
        "{list}"
    );
    assert_eq!(waiting(&place), Some(id));
}

#[test]
fn a_lower_limit_asks_nothing_of_what_is_in_force() {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}"));
    place.write("noc.list", &networks(0, 40));
    place.run(&["refresh"]).code(0);
    place.configure(&format!("{NOC}{NO_KERNEL}[limits]\nmax_routes = 30\n"));
    place.run(&["refresh"]).code(0);
    assert_eq!((routes(&place), waiting(&place)), (40, None));
    // What comes is beyond it, and has to be approved; then it is in force, and asks no more.
    place.write("noc.list", &networks(0, 41));
    place
        .run(&["refresh"])
        .code(3)
        .says("41 routes (max_routes 30)");
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    place.run(&["refresh"]).code(0);
    place.run(&["flush"]).code(0);
    place.run(&["unpin"]).code(0);
    assert_eq!(routes(&place), 41);
}

#[test]
fn what_the_lists_change_inside_protected_space_is_shown_for_approval() {
    let place = Place::new(&format!(
        "{NOC}{NO_KERNEL}[review]\nmode = \"manual\"\n[protect]\nprefixes = [\"198.51.100.0/24\"]\n"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(3);
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    place.write("noc.list", "192.0.2.0/24\n198.51.100.7\n");
    place.run(&["refresh"]).code(3);
    let plan = place.run(&["plan"]).code(3);
    assert!(
        plan.out
            .contains("+ 198.51.100.7/32      listed now, and protected"),
        "{}",
        plan.out
    );
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    assert_eq!(place.run(&["list"]).lines(), ["192.0.2.0/24"]);
}
