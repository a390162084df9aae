//! The policy rule that leads to a table of our own.

use crate::support::daemon::Daemon;
use crate::support::lab::{LIST, LISTED, Lab, NEIGHBOURS};
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NOC, PROGRAM, Place, Ran};

/// A table of our own, and the rule that leads to it.
const TABLE: &str = "[kernel]\ntable = 1166\nrule = 5000\n";

fn place(kernel: &str) -> Place {
    let place = Place::new(&format!("{NOC}{kernel}"));
    place.write("noc.list", LIST);
    place
}

fn ours(router: &Namespace) -> Vec<String> {
    router.rules("166", true)
}

fn foreign(router: &Namespace) -> Vec<String> {
    router.rules("166", false)
}

/// Without the right to change anything.
fn unprivileged(place: &Place, router: &Namespace, verb: &str) -> Ran {
    let mut command = router.command("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", PROGRAM]);
    Ran::of(place.command(command, &[verb]).output().unwrap())
}

#[test]
fn packets_die_by_a_table_of_our_own_and_live_after_the_flush() {
    let Some(lab) = Lab::new() else {
        return;
    };
    let router = &lab.router;
    let place = place(TABLE);
    for address in LISTED.into_iter().chain(NEIGHBOURS) {
        eventually("it answers before", || lab.answers(address));
    }
    for rule in [
        "rule add from 10.0.0.0/8 lookup 99 pref 5000",
        "-6 rule add iif lo lookup 1166 pref 77 protocol static",
        "rule add from all lookup 1000 pref 5000 protocol 166",
    ] {
        router.ip(rule);
    }
    let before = foreign(router);
    place
        .run_in(router, &["plan"])
        .code(2)
        .says("target=kernel  would add 2, remove 0, keep 0\ntarget=kernel  would add rule 5000\n");
    place
        .run_in(router, &["refresh"])
        .code(0)
        .says("added 2, removed 0, kept 0, failed 0, rule 5000 added, ")
        .says("; 3 rules that are not ours have its priority or table (5000: from 10.0.0.0/8 lookup 99)");
    let rule = "5000: from all lookup 1166 proto 166";
    let other = "5000: from all lookup 1000 proto 166";
    assert_eq!(ours(router), [other, rule, rule], "one in each family");
    for address in LISTED {
        assert!(!lab.answers(address), "{address} is dropped");
    }
    for address in NEIGHBOURS {
        assert!(lab.answers(address), "{address} is not touched");
    }
    place.run_in(router, &["plan"]).code(0);
    let again = place.run_in(router, &["refresh"]).code(0);
    assert!(!again.err.contains("rule 5000 added"), "{}", again.err);
    place
        .run_in(router, &["status"])
        .says("added 0, removed 0, kept 2, failed 0; 3 rules that are not ours");

    // Somebody removes it.
    router.ip("-6 rule del from all lookup 1166 pref 5000 protocol 166");
    router.ip("-4 rule del from all lookup 1166 pref 5000 protocol 166");
    assert!(lab.answers(LISTED[0]) && lab.answers(LISTED[1]));
    place
        .run_in(router, &["plan"])
        .code(2)
        .says("would add rule 5000\n");
    place
        .run_in(router, &["refresh"])
        .code(0)
        .says("rule 5000 added, ");
    assert!(!lab.answers(LISTED[0]) && !lab.answers(LISTED[1]));
    router.ip("-6 rule del from all lookup 1166 pref 5000 protocol 166");
    place
        .run_in(router, &["refresh"])
        .code(0)
        .says("kept 2, failed 0, rule 5000 added (IPv6), ");
    assert!(!lab.answers(LISTED[1]));

    place
        .run_in(router, &["flush"])
        .code(0)
        .says("added 0, removed 2, kept 0, failed 0, rule 5000 removed, ");
    assert_eq!(ours(router), [other], "its table was never ours");
    assert_eq!(foreign(router), before);
    for address in LISTED {
        assert!(lab.answers(address), "{address} lives");
    }
    let flushed = place.run_in(router, &["refresh"]).code(0);
    assert!(!flushed.err.contains("rule 5000"), "{}", flushed.err);
    place.run_in(router, &["unpin"]).code(0);
    assert!(!lab.answers(LISTED[0]) && !lab.answers(LISTED[1]));
}

#[test]
fn a_rule_that_is_no_longer_configured_goes() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.ip("rule add from all lookup 1166 pref 6000 protocol static");
    let before = foreign(&router);
    let place = place(TABLE);
    place.run_in(&router, &["refresh"]).code(0);
    let kernel = |keys: &str| place.configure(&format!("{NOC}[kernel]\n{keys}\n"));
    let in_both = |rule: &str| vec![rule.to_owned(), rule.to_owned()];
    for (keys, says, rule) in [
        (
            "table = 1166\nrule = 5001",
            "rule 5001 added, rule 5000 removed",
            "5001: from all lookup 1166 proto 166",
        ),
        (
            "table = 1167\nrule = 5001",
            "rule 5001 added, rule 5001 removed",
            "5001: from all lookup 1167 proto 166",
        ),
        (
            "table = 1167\nrule = 5001\ntype = \"prohibit\"",
            "of a former mark",
            "5001: from all lookup 1167 proto 166",
        ),
    ] {
        kernel(keys);
        place.run_in(&router, &["refresh"]).code(0).says(says);
        assert_eq!(ours(&router), in_both(rule), "{keys}");
        place.run_in(&router, &["plan"]).code(0);
    }
    kernel("table = 1167\nrule = 5001\nprotocol = 200");
    place.run_in(&router, &["refresh"]).code(0);
    assert!(ours(&router).is_empty());
    assert_eq!(router.rules("200", true).len(), 2);

    kernel("table = 1167\nprotocol = 200");
    place
        .run_in(&router, &["plan"])
        .code(2)
        .says("would remove rule 5001\n");
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("kept 2, failed 0, rule 5001 removed");
    assert_eq!(router.rules("200", true).len(), 0);
    assert_ne!(router.ip("route show table 1167"), "", "the routes stay");

    kernel("table = 1167\nrule = 5001\nprotocol = 200");
    place.run_in(&router, &["refresh"]).code(0);
    kernel("enabled = false");
    unprivileged(&place, &router, "refresh")
        .code(1)
        .says("rule 5001 not removed (IPv4): CAP_NET_ADMIN is missing");
    assert_eq!(router.rules("200", true).len(), 2);
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("target=kernel  rule 5001 removed");
    assert_eq!(router.rules("200", true).len(), 0);
    assert_eq!(foreign(&router), before);
}

#[test]
fn without_a_rule_to_keep_nothing_is_said_of_rules() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.ip("rule add from all lookup 1166 pref 5000 protocol 166 iif lo");
    router.ip("rule add from all lookup main pref 5001 protocol 166");
    let before = ours(&router);
    for kernel in ["", "[kernel]\ntable = 1166\n"] {
        let place = place(kernel);
        for verb in ["plan", "refresh", "refresh", "flush"] {
            let ran = place.run_in(&router, &[verb]);
            let said = [ran.out, ran.err].concat();
            assert!(!said.contains("rule"), "{verb}: {said}");
        }
    }
    assert_eq!(ours(&router), before);
}

#[test]
fn a_rule_of_somebody_else_with_our_protocol_number_is_left_alone() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place(TABLE);
    // The kernel would take a request for ours for this one.
    router.ip("rule add from 10.0.0.0/8 lookup 1166 pref 5000 protocol 166");
    place.run_in(&router, &["refresh"]).code(1).says(
        "rule 5000 not added (IPv4): its place has a rule with our protocol number \
         (5000: from 10.0.0.0/8 lookup 1166 proto 166); it is left alone",
    );
    let [theirs, six] = [
        "5000: from 10.0.0.0/8 lookup 1166 proto 166",
        "5000: from all lookup 1166 proto 166",
    ];
    assert_eq!(ours(&router), [theirs, six]);
    place.run_in(&router, &["flush"]).code(0);
    assert_eq!(ours(&router), [theirs]);
    router.ip("rule del from 10.0.0.0/8 lookup 1166 pref 5000 protocol 166");

    // This one may stand before ours, and a request to delete ours would hit it.
    router.ip("rule add iif lo lookup 1166 pref 5000 protocol 166");
    place.run_in(&router, &["unpin"]).code(0);
    let both = [
        "5000: from all iif lo lookup 1166 proto 166",
        "5000: from all lookup 1166 proto 166",
    ];
    assert_eq!(ours(&router)[..2], both);
    place
        .run_in(&router, &["flush"])
        .code(1)
        .says("rule 5000 not removed: the request would hit one that is not ours (5000: from all iif lo lookup 1166 proto 166)");
    assert_eq!(ours(&router), both, "the one of IPv6 is gone");
}

#[test]
fn while_routes_of_an_earlier_life_are_kept_so_is_their_rule() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place(TABLE);
    place.run_in(&router, &["refresh"]).code(0);
    std::fs::remove_dir_all(place.path("state")).unwrap();
    std::fs::remove_file(place.path("noc.list")).unwrap();
    place
        .run_in(&router, &["refresh"])
        .code(1)
        .says("2 of an earlier run kept");
    assert_eq!(ours(&router).len(), 2);
    place.run_in(&router, &["flush"]).code(0);
    assert_eq!(ours(&router).len(), 0);
}

#[test]
fn a_missing_right_is_named_for_the_rule_as_well() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place(TABLE);
    unprivileged(&place, &router, "refresh")
        .code(1)
        .says("routes may not be changed: CAP_NET_ADMIN is missing")
        .says("rule 5000 not added (IPv6): CAP_NET_ADMIN is missing");
    place.run_in(&router, &["refresh"]).code(0);
    unprivileged(&place, &router, "flush")
        .code(1)
        .says("rule 5000 not removed (IPv4): CAP_NET_ADMIN is missing");
    assert_eq!(ours(&router).len(), 2);
}

#[test]
fn a_stop_of_the_daemon_leaves_the_rule_or_takes_it_along() {
    let Some(router) = Namespace::new() else {
        return;
    };
    for (on_stop, left) in [("keep", 2), ("withdraw", 0)] {
        let place = place(&format!("{TABLE}on_stop = \"{on_stop}\"\n"));
        // Its own pass, not what the daemon before it left: until then a signal just ends it.
        let daemon = Daemon::start(&place, &router);
        let there = || {
            router
                .ip("-6 route show table all")
                .contains("2001:db8:bad::/48")
        };
        assert!(there() && ours(&router).len() == 2, "{on_stop}");
        daemon.stop();
        assert_eq!(ours(&router).len(), left, "{on_stop}");
        assert_eq!(there(), left > 0, "{on_stop}");
    }
}

#[test]
fn the_rule_is_there_before_the_routes_and_until_they_are_gone() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place(TABLE);
    let seen = router.watched(&place.path("monitor"), &["route", "rule"], || {
        place.run_in(&router, &["refresh"]).code(0);
        place.run_in(&router, &["flush"]).code(0);
    });
    let told = seen.lines().filter(|line| line.contains("proto 166"));
    let what = told.map(|line| {
        let rule = if line.contains("lookup") {
            "rule"
        } else {
            "route"
        };
        let verb = if line.starts_with("Deleted") {
            '-'
        } else {
            '+'
        };
        format!("{verb}{rule}")
    });
    assert_eq!(
        what.collect::<Vec<_>>(),
        [
            "+rule", "+rule", "+route", "+route", "-route", "-route", "-rule", "-rule"
        ],
        "{seen}"
    );
}
