//! What somebody removes is back within a second, and the operator is told.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::daemon::Daemon;
use crate::support::namespace::{Namespace, eventually};
use crate::support::soon::{SECOND, soon};
use crate::support::{NOC, Place, has_time};

const LIST: &str = "72.37.186.0/23\n198.51.100.0/24\n203.0.113.0/24\n2001:db8:bad::/48\n";

fn place(kernel: &str, list: &str) -> Place {
    let place = Place::new(&format!("{NOC}[kernel]\n{kernel}"));
    place.write("noc.list", list);
    place
}

/// Ours are as they were, within a second.
#[track_caller]
fn back(router: &Namespace, before: &[String]) {
    soon(router, SECOND, "ours are back", || router.ours() == before);
}

#[test]
fn a_route_of_ours_that_somebody_removes_is_back_within_a_second() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let daemon = Daemon::start(&place, &router);
    let before = router.ours();
    assert_eq!(before.len(), 4);
    place
        .run_in(&router, &["status"])
        .code(0)
        .says("watch  listening, 0 routes put back so far");

    router.ip("route del blackhole 72.37.186.0/23");
    back(&router, &before);
    daemon.says("watch  72.37.186.0/23 was removed by PID ");
    router.ip("-6 route del blackhole 2001:db8:bad::/48");
    back(&router, &before);
    // All at once.
    router.ip("route flush proto 166");
    back(&router, &before);
    daemon.says("; reinstalled");

    let status = place.run_in(&router, &["status"]).code(0);
    let status = status.says("5 routes put back so far; the last: ");
    assert!(!status.out.contains("ALARM"), "{}", status.out);
    let json = place.run_in(&router, &["status", "--json"]).json();
    let watch = json["observed"].as_array().unwrap();
    let watch = watch.iter().find(|row| row["what"] == "watch").unwrap();
    assert_eq!(watch["count"], 5);

    let said = daemon.stop();
    let passes = said
        .iter()
        .filter(|line| line.contains("Z generation "))
        .count();
    assert_eq!(passes, 1, "nothing was decided anew: {said:#?}");
    place
        .run_in(&router, &["status"])
        .says("5 routes put back so far; no daemon runs: ");
    assert_eq!(router.ours(), before);
}

#[test]
fn who_takes_the_place_of_a_route_of_ours_keeps_it_until_he_goes() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let daemon = Daemon::start(&place, &router);
    let before = router.ours();
    // The kernel tells of it as of a new route, not of one that went.
    router.ip("route replace prohibit 72.37.186.0/23 proto static");
    daemon.says("left to a route that is not ours (prohibit 72.37.186.0/23 proto static)");
    router.ip("route del prohibit 72.37.186.0/23 proto static");
    back(&router, &before);
}

#[test]
fn routes_that_carry_our_mark_and_nobody_ordered_go() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let _daemon = Daemon::start(&place, &router);
    let before = router.ours();
    router.ip("route add blackhole 192.0.2.0/24 proto 166");
    back(&router, &before);
}

#[test]
fn whoever_keeps_removing_a_route_makes_an_alarm_and_others_do_not_wait() {
    if !has_time() {
        return;
    }
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let daemon = Daemon::start(&place, &router);
    let before = router.ours();
    let there = |net: &str| router.ours().iter().any(|line| line.contains(net));
    let mut removed = 0;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(8) {
        if there("72.37.186.0/23") {
            router.ip("route del blackhole 72.37.186.0/23");
            removed += 1;
        }
        sleep(Duration::from_millis(20));
    }
    // Three times at once, then after 1, 2 and 4 seconds; not hundreds of times.
    assert!((5..=7).contains(&removed), "{removed}");
    daemon.says("watch  another program keeps removing 72.37.186.0/23: put back ");
    let alarms = daemon.said();
    let alarms = alarms
        .iter()
        .filter(|line| line.contains("keeps removing 72"));
    assert_eq!(alarms.count(), 1, "once: {:#?}", daemon.said());
    place
        .run_in(&router, &["status"])
        .says("ALARM")
        .says("another program keeps removing 72.37.186.0/23: put back ")
        .says("find it with: ip monitor route");
    router.ip("route del blackhole 198.51.100.0/24");
    eventually("the other is back", || there("198.51.100.0/24"));
    eventually("in the end it is back", || router.ours() == before);
}

#[test]
fn a_verb_that_withdraws_is_not_taken_for_somebody_who_removes() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let daemon = Daemon::start(&place, &router);
    place.run_in(&router, &["flush"]).code(0);
    sleep(Duration::from_secs(2));
    assert_eq!(router.ours(), [""; 0]);
    place.run_in(&router, &["unpin"]).code(0);
    eventually("all four again", || router.ours().len() == 4);
    place.write("noc.list", "72.37.186.0/23\n");
    place.run_in(&router, &["refresh"]);
    place.run_in(&router, &["remove", "72.37.186.0/23"]);
    sleep(Duration::from_secs(1));
    let said = daemon.stop();
    assert!(
        !said.iter().any(|line| line.contains("was removed by")),
        "{said:#?}"
    );
}

/// The daemon cannot read (it is stopped) while more changes than its socket holds.
#[test]
fn what_could_not_be_told_is_found_by_reading() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let daemon = Daemon::start(&place, &router);
    let before = router.ours();
    daemon.signal(Signal::SIGSTOP);
    let many: String = (0..60_000_u32)
        .map(|n| format!("route add blackhole 10.{}.{}.0/24\n", n >> 8, n & 255))
        .collect();
    place.write("batch", &many);
    let batch = place.path("batch");
    router.ip(&format!("-batch {}", batch.display()));
    router.ip("route flush proto 166");
    daemon.signal(Signal::SIGCONT);
    soon(&router, 2 * SECOND, "ours are back", || {
        router.ours() == before
    });
    daemon
        .says("audit  notifications were lost, so everything was compared: 3 missing, beside 1 as they should be");
    place
        .run_in(&router, &["status"])
        .says("audit  notifications were lost");
}

#[test]
fn everything_is_read_on_a_schedule() {
    if !has_time() {
        return;
    }
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("audit = \"10s\"\n", LIST);
    let _daemon = Daemon::start(&place, &router);
    eventually("the audit on schedule", || {
        let status = place.run_in(&router, &["status"]);
        status
            .out
            .contains("audit  all 4 routes are as they should be; 1 audits so far")
    });
}

#[test]
fn our_policy_rule_is_back_within_a_second_and_who_keeps_removing_it_makes_an_alarm() {
    if !has_time() {
        return;
    }
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("table = 1166\nrule = 5000\n", LIST);
    let daemon = Daemon::start(&place, &router);
    let ours = || router.rules("166", true);
    let before = ours();
    assert_eq!(before.len(), 2, "one in each family: {before:?}");
    for family in ["-4", "-6"] {
        router.ip(&format!(
            "{family} rule del from all lookup 1166 pref 5000 protocol 166"
        ));
        soon(&router, SECOND, "the rule is back", || ours() == before);
    }
    daemon.says("watch  rule 5000 was removed by PID ");
    place
        .run_in(&router, &["status"])
        .says("2 routes put back so far; the last: rule 5000, removed by PID ");

    let mut removed = 2;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(8) {
        if ours().len() == 2 {
            router.ip("rule del from all lookup 1166 pref 5000 protocol 166");
            removed += 1;
        }
        sleep(Duration::from_millis(20));
    }
    assert!((5..=8).contains(&removed), "{removed}");
    place
        .run_in(&router, &["status"])
        .says("ALARM")
        .says("another program keeps removing rule 5000: put back ")
        .says("find it with: ip monitor rule");
    eventually("in the end it is back", || ours() == before);
    // Its own removal is nobody else's.
    place.run_in(&router, &["flush"]).code(0);
    sleep(Duration::from_secs(1));
    assert_eq!(ours(), [""; 0]);
    place.run_in(&router, &["unpin"]).code(0);
    eventually("it leads there again", || ours() == before);
    let told = |line: &&String| line.contains("rule 5000 was removed by");
    let said = daemon.stop();
    assert_eq!(said.iter().filter(told).count(), removed, "{said:#?}");
}

#[test]
fn whoever_keeps_adding_routes_with_our_mark_makes_an_alarm_and_none_stays() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let daemon = Daemon::start(&place, &router);
    let before = router.ours();
    for _ in 0..5 {
        router.ip("route add blackhole 192.0.2.0/24 proto 166");
        back(&router, &before);
    }
    daemon.says("watch  192.0.2.0/24 with our mark was added by PID ");
    daemon.says("watch  another program keeps adding 192.0.2.0/24 with our table, protocol and type: removed 4 times");
    place
        .run_in(&router, &["status"])
        .says("ALARM")
        .says("another nullrouted needs a [kernel] protocol of its own");
}

/// What went with a former mark was removed by ourselves.
#[test]
fn a_new_mark_is_not_taken_for_somebody_who_removes() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let daemon = Daemon::start(&place, &router);
    place.configure(&format!("{NOC}[kernel]\nprotocol = 200\n"));
    daemon.signal(Signal::SIGHUP);
    daemon.says("removed 4 routes of a former mark");
    eventually("under the new mark", || {
        router.ip("route show proto 200").lines().count() == 3
    });
    assert_eq!(router.ours(), [""; 0]);
    sleep(Duration::from_secs(1));
    let said = daemon.stop();
    let blamed = |line: &String| line.contains("was removed by") || line.contains("was added by");
    assert!(!said.iter().any(blamed), "{said:#?}");
}
