//! What is held, how it is answered, and what voids the question.

use super::{held, networks, routes, waiting};
use crate::support::{NO_KERNEL, NOC, Place};

#[test]
fn what_is_held_says_how_it_is_answered_and_an_approval_is_in_the_story() {
    let (place, id) = held("");
    let plan = place.run(&["plan"]).code(3);
    // The cause first, then what waits, then the answers.
    let lines = plan.lines();
    assert_eq!(
        lines[0],
        format!(
            "HELD: change {id} waits: 0 prefixes to add, 35 to remove, 5 to keep; 40 prefixes in force (generation 1)"
        )
    );
    assert_eq!(
        lines[1],
        "held, reason: noc: 35 of 40 prefixes would go, 87.5% (max_removed 25%)"
    );
    let copies: Vec<&str> = lines
        .iter()
        .filter(|line| line.starts_with("feed noc, "))
        .copied()
        .collect();
    assert!(
        copies[0].starts_with("feed noc, in force: 40 entries, downloaded 20"),
        "{copies:?}"
    );
    assert!(
        copies[1].starts_with("feed noc, waiting:  5 entries, downloaded 20"),
        "{copies:?}"
    );
    assert!(
        plan.out.contains("\nIPv4 addresses: -87.5%, from "),
        "{}",
        plan.out
    );
    let removed = |out: &str| out.lines().filter(|line| line.starts_with("- ")).count();
    assert_eq!(removed(&plan.out), 10);
    assert!(
        plan.out
            .contains("  … 25 more to remove: these are the largest (--all shows all)\n"),
        "{}",
        plan.out
    );
    let all = place.run(&["plan", "--all"]).code(3);
    assert_eq!(removed(&all.out), 35);
    assert!(
        all.out
            .contains("- 72.37.78.0/24        no longer noc SBL39 line 40")
    );
    let summary = place.run(&["plan", "--summary"]).code(3);
    assert_eq!(removed(&summary.out), 0);
    assert!(summary.out.contains("held, reason: noc: "));
    assert_eq!(removed(&place.run(&["plan", "--limit", "3"]).out), 3);
    assert_eq!(removed(&place.run(&["plan", "--feed", "noc"]).out), 35);
    place
        .run(&["plan", "--feed", "nco"])
        .code(64)
        .says("--feed nco: no feed of this name; did you mean noc? there are noc");
    assert!(plan.out.contains(&format!(
        "nullrouted approve {id} applies exactly this, nullrouted reject {id} keeps what is in force and asks again when the lists change"
    )));
    let status = place.run(&["status"]).code(0);
    assert!(
        status
            .out
            .contains(": 0 prefixes to add, 35 to remove; what is in force stays\n")
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
        .says("(applied); no change is held; nothing was changed");

    // What an approved change brings says who approved it.
    place.write("noc.list", &networks(0, 30));
    place.run(&["refresh"]).code(3);
    let id = waiting(&place).unwrap();
    place
        .run(&["why", "72.37.50.1"])
        .code(0)
        .says("listed and not blackholed yet")
        .says(&format!("nullrouted approve {id} applies it"));
    place
        .run(&["approve", &id, "--reason", "two\nlines"])
        .code(64)
        .says("--reason: one line of 1 to 200 bytes; nothing was changed");
    let reason = "asked the publisher, ticket 4711";
    place
        .run(&["approve", &id.to_uppercase(), "--reason", reason])
        .code(0);
    let history = place.run(&["history", "--json"]).json();
    let rows = history.as_array().unwrap();
    let approved = rows.iter().find(|event| {
        let text = event["text"].as_str().unwrap_or_default();
        event["what"] == "approve" && text.starts_with(&format!("{reason}; 25 to add, "))
    });
    assert!(approved.is_some(), "{history}");
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
        .says("no held change has the ID 9f3c00000000; what waits now is ");
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

    // The other feed's file is gone, and expired: it goes although a change is held.
    std::fs::remove_file(place.path("other.list")).unwrap();
    let ledger = place.ledger();
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
    // And so is the first one, when it comes again: the lists had moved on.
    place.write("noc.list", &networks(0, 5));
    place.run(&["plan"]).code(3);
    place.run(&["refresh"]).code(3);
    place.run(&["plan"]).code(3);
    // Whoever changes his mind may.
    place.run(&["reject", &id]).code(0);
    place.run(&["approve", &id]).code(0);
    assert_eq!(routes(&place), 5);
}

#[test]
fn what_goes_while_a_change_is_held_goes_for_its_own_reason() {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}[review]\nmode = \"manual\"\n"));
    place.write("noc.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(3);
    place.run(&["approve", &waiting(&place).unwrap()]).code(0);
    place
        .run(&["add", "198.51.100.0/24", "--reason", "phish"])
        .code(0);
    // The same prefix waits on a list: it is not in force for that.
    place.write("noc.list", "192.0.2.0/24\n198.51.100.0/24\n");
    place.run(&["refresh"]).code(3);
    place.run(&["remove", "198.51.100.0/24"]).code(0);
    assert_eq!(place.run(&["list"]).lines(), ["192.0.2.0/24"]);
    let told = place.run(&["history", "198.51.100.0/24"]).code(0);
    assert!(
        told.out.contains("no longer added by hand: phish"),
        "{}",
        told.out
    );
    assert!(!told.out.contains("now part of"), "{}", told.out);
}
