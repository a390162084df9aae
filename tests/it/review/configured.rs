//! What only a change of the configuration takes away of what is in force.

use std::fs;

use nix::sys::signal::Signal;

use super::{networks, routes, waiting};
use crate::support::daemon::Daemon;
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NO_KERNEL, NOC, Place};

const OTHER: &str = "[[feed]]\nname = \"other\"\npath = \"other.list\"\n";

/// Two entries of one feed, forty of another.
fn both() -> Place {
    let place = Place::new(&format!("{NOC}{OTHER}{NO_KERNEL}"));
    place.write("noc.list", "192.0.2.0/24 # ticket 7\n198.51.100.0/24\n");
    place.write("other.list", &networks(0, 40));
    place.run(&["refresh"]).code(0);
    assert_eq!(routes(&place), 42);
    place
}

const REASON: &str = "configuration: 40 of 42 prefixes would go, 95.2% (max_removed 25%): feed other is no longer \
                      configured";

fn copies(place: &Place) -> usize {
    let copies = fs::read_dir(place.path("state/copies")).unwrap();
    let names = copies.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("other.")).count()
}

#[test]
fn a_feed_that_leaves_the_configuration_is_held_and_stays_explained_until_it_is_approved() {
    let place = both();
    place.configure(&format!("{NOC}{NO_KERNEL}"));
    // Each verb decides the same, before and after the pass.
    place.run(&["plan"]).code(3).says(REASON);
    for _ in 0..2 {
        place.run(&["refresh"]).code(3).says(REASON);
        assert_eq!(routes(&place), 42, "what is in force stays in force");
    }
    let id = waiting(&place).unwrap();
    let plan = place.run(&["plan"]).code(3).says(&id).says(REASON);
    plan.says("- 72.37.0.0/24         feed other is no longer configured");
    let status = place.run(&["status"]).code(0).says(REASON);
    status.says(&format!("HELD  change {id}, "));
    let why = place.run(&["why", "72.37.0.9"]).code(0);
    why.says("72.37.0.9 is blackholed by 72.37.0.0/24")
        .says(&format!("held: {REASON}"))
        .says(&format!(
            "change {id}: nullrouted plan shows it, nullrouted approve {id} applies it"
        ))
        .says("listed by other: 72.37.0.0/24 (SBL0)");
    assert!(copies(&place) > 0, "its copy is still there");
    // What the feed that is left changes is held with it, whole.
    place.write("noc.list", "192.0.2.0/24 # ticket 7\n");
    place.run(&["refresh"]).code(3);
    let with_it = waiting(&place).unwrap();
    assert_ne!(with_it, id);
    let void = place.run(&["approve", &id]).code(1);
    void.says(&format!(
        "{id} is void: the feeds or the configuration have moved on; what waits now is {with_it}"
    ));
    place
        .run(&["approve", &with_it])
        .code(0)
        .says("1 kept, change ");
    assert_eq!((routes(&place), waiting(&place)), (1, None));
    place.run(&["refresh"]).code(0);
    assert_eq!(copies(&place), 0);
    place
        .run(&["why", "72.37.0.9"])
        .code(0)
        .says("nothing lists it any more")
        .says("formerly listed by other: 72.37.0.0/24 (SBL0)");
}

#[test]
fn a_feed_that_comes_back_ends_the_question_and_another_edit_asks_it_anew() {
    let place = both();
    place.configure(&format!("{NOC}{NO_KERNEL}"));
    place.run(&["refresh"]).code(3);
    let id = waiting(&place).unwrap();
    // The same set goes, by another configuration.
    place.configure(&format!("{NOC}{NO_KERNEL}[limits]\nmax_added = \"60%\"\n"));
    place
        .run(&["plan"])
        .code(3)
        .says("[limits] max_added 50% -> 60%");
    place
        .run(&["approve", &id])
        .code(1)
        .says("nothing was changed");
    place.run(&["refresh"]).code(3);
    let other = waiting(&place).unwrap();
    assert_ne!(other, id);
    place.run(&["reject", &other]).code(0);
    place.run(&["refresh"]).code(0);
    assert_eq!(routes(&place), 42, "it was rejected");
    place.configure(&format!("{NOC}{OTHER}{NO_KERNEL}"));
    place.run(&["refresh"]).code(0);
    assert_eq!((routes(&place), waiting(&place)), (42, None));
    place
        .run(&["why", "72.37.0.9"])
        .code(0)
        .says("listed by other: 72.37.0.0/24 (SBL0), line 1, since ");
}

/// What the operator is told of an edit of this, and how many stay in force at once.
fn edited(config: &str, told: &str, stay: usize) {
    let place = both();
    place.write("more.list", "72.37.0.0/24\n");
    place.configure(config);
    let held = !told.is_empty();
    let ran = place
        .run(&["refresh"])
        .code(if held { 3 } else { 0 })
        .says(told);
    assert_eq!(routes(&place), stay, "{config}: {}", ran.err);
    assert_eq!(waiting(&place).is_some(), held);
}

#[test]
fn whatever_of_the_configuration_takes_prefixes_away_is_held_beyond_the_limit_and_nothing_else() {
    let all = format!("{NOC}{OTHER}{NO_KERNEL}");
    for (config, told, stay) in [
        (
            format!("{all}[limits]\nshortest_v4 = 25\n"),
            "42 of 42 prefixes would go, 100% (max_removed 25%): [limits] shortest_v4 8 -> 25",
            42,
        ),
        (
            format!("{NOC}{NO_KERNEL}[limits]\nsmall_change = 40\n"),
            "",
            2,
        ),
        (
            format!("{NOC}{NO_KERNEL}[limits]\nmax_removed = \"100%\"\n"),
            "",
            2,
        ),
        (
            format!("{NOC}{NO_KERNEL}[limits]\nmax_removed = \"100%\"\nmax_removed_count = 39\n"),
            "configuration: 40 prefixes would go (max_removed_count 39): feed other is no longer configured; [limits] max_removed 25% -> 100%",
            42,
        ),
        // Two of forty-two are few.
        (format!("{OTHER}{NO_KERNEL}"), "", 40),
        // What is protected is the operator's word; and it is no part of what a feed takes with it.
        (
            format!("{all}[protect]\nprefixes = [\"72.37.0.0/16\"]\n"),
            "",
            2,
        ),
        (
            format!("{NOC}{NO_KERNEL}[protect]\nprefixes = [\"72.37.0.0/16\"]\n"),
            "",
            2,
        ),
        (format!("{all}[review]\nmode = \"limits\"\n"), "", 42),
        // The same list under another name goes on.
        (
            format!(
                "{NOC}{}{NO_KERNEL}",
                OTHER.replace("\"other\"", "\"renamed\"")
            ),
            "",
            42,
        ),
        (
            format!("{all}[[feed]]\nname = \"more\"\npath = \"more.list\"\n"),
            "",
            42,
        ),
    ] {
        edited(&config, told, stay);
    }
}

/// A feed with another name, or one that takes over from another, changes nothing of what is
/// dropped.
#[test]
fn a_feed_that_gets_another_name_while_a_change_is_held_keeps_its_prefixes_in_force() {
    let renamed = OTHER.replace("\"other\"", "\"renamed\"");
    let router = |feed: &str| {
        format!(
            "[[router]]\nname = \"edge\"\nfamily = \"plain\"\npath = \"edge.list\"\nfeeds = [\"{feed}\"]\n"
        )
    };
    // Another feed loses too much, or every change waits.
    for review in ["", "[review]\nmode = \"manual\"\n"] {
        let place = Place::new(&format!("{NOC}{OTHER}{NO_KERNEL}{}", router("other")));
        place.write("noc.list", &networks(60, 40));
        place.write("other.list", &networks(0, 40));
        place.run(&["refresh"]).code(0);
        assert_eq!(routes(&place), 80);
        place.write("noc.list", &networks(60, 1));
        place.configure(&format!(
            "{NOC}{renamed}{NO_KERNEL}{}{review}",
            router("renamed")
        ));
        for _ in 0..2 {
            place.run(&["refresh"]).code(3);
            assert_eq!(routes(&place), 80, "{review}");
        }
        let file = place.read("edge.list");
        assert_eq!(file.matches("/24").count(), 40, "{file}");
        let why = place.run(&["why", "72.37.0.9"]).code(0);
        why.says("72.37.0.9 is blackholed by 72.37.0.0/24")
            .says("listed by renamed: 72.37.0.0/24 (SBL0)");
        // Nothing of it is in the question.
        let plan = place.run(&["plan"]).code(3);
        assert!(!plan.out.contains("72.37.0.0/24"), "{}", plan.out);
        let id = waiting(&place).unwrap();
        place.run(&["approve", &id]).code(0);
        assert_eq!(routes(&place), 41);
    }
}

#[test]
fn reserved_space_that_a_feed_may_no_longer_list_is_held() {
    let bogons = |reserved: bool| format!("{OTHER}reserved = {reserved}\n{NO_KERNEL}");
    let place = Place::new(&bogons(true));
    let list: String = (0..40).map(|i| format!("10.{}.0.0/16\n", 2 * i)).collect();
    place.write("other.list", &format!("{list}192.0.2.0/24\n"));
    place.run(&["refresh"]).code(0);
    place.configure(&bogons(false));
    place
        .run(&["refresh"])
        .code(3)
        .says("feed other: reserved true -> false");
    assert_eq!(routes(&place), 41);
}

#[test]
fn what_is_flushed_pinned_or_allowed_is_not_held() {
    let place = both();
    place.configure(&format!("{NOC}{NO_KERNEL}"));
    place.run(&["refresh"]).code(3);
    // What is allowed goes while the rest waits.
    place
        .run(&["allow", "72.37.0.0/24", "--reason", "ours"])
        .code(0);
    assert_eq!(routes(&place), 41);
    let id = waiting(&place).unwrap();
    place
        .run(&["allow", "72.37.2.0/24", "--reason", "ours"])
        .code(0);
    assert_eq!(
        waiting(&place),
        Some(id),
        "what is protected is no part of the question"
    );
    place.run(&["flush"]).code(0);
    assert_eq!(routes(&place), 0);
    place.run(&["unpin"]).code(0);
    assert_eq!((routes(&place), waiting(&place)), (2, None));
}

#[test]
fn a_pin_that_is_over_leaves_no_gap() {
    let place = both();
    place.write("noc.list", "192.0.2.0/24 # ticket 7\n");
    place.run(&["refresh"]).code(0);
    // It puts back what the feed lists again when the pin is over: there is no generation after it.
    place.run(&["pin", "1"]).code(0);
    assert_eq!(routes(&place), 42);
    place.write("noc.list", "192.0.2.0/24 # ticket 7\n198.51.100.0/24\n");
    place.run(&["refresh"]).code(0);
    place.run(&["unpin"]).code(0);
    assert_eq!(routes(&place), 42);
    place.configure(&format!("{NOC}{NO_KERNEL}"));
    place.run(&["refresh"]).code(3).says(REASON);
    assert_eq!(routes(&place), 42);
}

#[test]
fn the_daemon_and_the_verbs_decide_the_same() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = both();
    place.configure(&format!("{NOC}{OTHER}"));
    let daemon = Daemon::start(&place, &router);
    assert_eq!(router.ours().len(), 42);
    place.configure(NOC);
    daemon.signal(Signal::SIGHUP);
    daemon.says(REASON);
    daemon.stop();
    // Also after a start, which puts back what went meanwhile.
    router.ip("route del blackhole 72.37.0.0/24 proto 166");
    let daemon = Daemon::start(&place, &router);
    assert_eq!(router.ours().len(), 42);
    let id = waiting(&place).unwrap();
    place.run_in(&router, &["plan"]).code(3).says(&id);
    place.run_in(&router, &["approve", &id]).code(0);
    eventually("it is applied", || router.ours().len() == 2);
    daemon.stop();
    assert_eq!(router.ours().len(), 2);
}
