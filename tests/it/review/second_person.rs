//! `[review] second_person`: two different people approve a held change.

use std::fs::read_to_string;
use std::process::Command;

use super::{held, routes, waiting};
use crate::support::{PROGRAM, Place, Ran, left_out};

/// The verb of this user, who called `sudo`.
fn by(place: &Place, uid: &str, verb: &[&str]) -> Ran {
    let mut command = place.command(Command::new(PROGRAM), verb);
    command.env("SUDO_UID", uid);
    Ran::of(command.output().unwrap())
}

/// Whether the session has a login uid, which counts before that of sudo.
fn has_login() -> bool {
    let login = read_to_string("/proc/self/loginuid").unwrap_or_default();
    !matches!(login.trim(), "" | "4294967295")
}

#[test]
fn two_different_people_approve_and_one_alone_does_not() {
    if has_login() {
        return left_out("this session has a login uid");
    }
    let (place, id) = held("[review]\nsecond_person = true\n");
    let first = by(&place, "1", &["approve", &id]).code(3);
    assert!(
        first.out.contains(
            "a second person must approve it ([review] second_person = true); what is in force stays\n"
        ),
        "{}",
        first.out
    );
    assert_eq!((routes(&place), waiting(&place).as_ref()), (40, Some(&id)));
    let status = place.run(&["status", "--json"]).json();
    let one = status["held"]["first_approved_by"]
        .as_str()
        .unwrap()
        .to_owned();
    place
        .run(&["status"])
        .says(&format!("approved by {one} at 20"))
        .says(": a second person must approve it");
    // The same person again, and a pass in between.
    by(&place, "1", &["approve", &id])
        .code(1)
        .says(&format!("{id} was approved by {one} at 20"))
        .says("a different person must approve it as well ([review] second_person = true); nothing was changed");
    place.run(&["refresh"]).code(3);
    assert_eq!(routes(&place), 40);
    by(&place, "2", &["approve", &id]).code(0);
    assert_eq!((routes(&place), waiting(&place)), (5, None));
    let history = place.run(&["history", "--json"]).json();
    let entries = history.as_array().unwrap();
    let told = |what: &str| entries.iter().filter(|one| one["what"] == what).count();
    assert_eq!(told("approve"), 2);
    let generation = entries.iter().rfind(|one| one["kind"] == "generation");
    let by = generation.unwrap()["by"].as_str().unwrap().to_owned();
    assert!(by.starts_with(&format!("{one} and ")), "{by}");
}

#[test]
fn a_first_approval_is_void_when_the_lists_move_on_and_other_verbs_apply_at_once() {
    if has_login() {
        return left_out("this session has a login uid");
    }
    let (place, id) = held("[review]\nsecond_person = true\n");
    by(&place, "1", &["approve", &id]).code(3);
    place.write("noc.list", &super::networks(0, 6));
    place.run(&["refresh"]).code(3);
    let other = waiting(&place).unwrap();
    assert_ne!(other, id);
    by(&place, "2", &["approve", &id]).code(1);
    by(&place, "2", &["approve", &other]).code(3);
    // Other verbs apply at once.
    by(&place, "2", &["add", "203.0.113.7", "--reason", "t"]).code(0);
    by(&place, "2", &["reject", &other]).code(0);
    by(&place, "2", &["flush", "--reason", "ticket 4711"]).code(0);
    assert_eq!(routes(&place), 0);
    let history = place.run(&["history", "--json"]).json();
    let entries = history.as_array().unwrap();
    let flush = entries.iter().find(|one| one["what"] == "flush").unwrap();
    assert_eq!(
        flush["text"],
        "ticket 4711; everything is withdrawn until unpin"
    );
}
