//! What the kernel does not tell, or tells in ways of its own.

use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::daemon::Daemon;
use crate::support::lab::beside;
use crate::support::namespace::{Namespace, eventually};
use crate::support::soon::{SECOND, soon};
use crate::support::{NOC, Place};

fn place(more: &str, list: &str) -> Place {
    let place = Place::new(&format!("{NOC}{more}"));
    place.write("noc.list", list);
    place
}

/// A route of somebody else in the place of ours, which stays in front: ours is still there, and
/// goes when it should.
#[test]
fn a_route_that_comes_behind_ours_does_not_hide_it() {
    let Some((router, _neighbor)) = beside() else {
        return;
    };
    let place = place("", "72.37.186.0/23\n198.51.100.0/24\n2001:db8:bad::/48\n");
    let _daemon = Daemon::start(&place, &router);
    router.ip("route append 72.37.186.0/23 via 192.0.2.2");
    sleep(Duration::from_millis(500));
    let allowed = ["allow", "72.37.186.0/23", "--reason", "ours"];
    place.run_in(&router, &allowed).code(0);
    eventually("only theirs is left", || {
        let there = router.ip("route show 72.37.186.0/23");
        there.contains("via") && !there.contains("blackhole")
    });
}

/// The kernel adds such a route by itself, and what is connected is protected.
#[test]
fn a_network_that_is_connected_in_the_place_of_ours_is_free_at_once() {
    let Some((router, _neighbor)) = beside() else {
        return;
    };
    let discover = "[protect]\ndiscover = [\"addresses\", \"connected\"]\n";
    let place = place(discover, "198.51.100.0/24\n203.0.113.0/24\n");
    let _daemon = Daemon::start(&place, &router);
    router.ip("address add 198.51.100.9/24 dev wan");
    soon(&router, 2 * SECOND, "ours gives way", || {
        !router
            .ip("route show 198.51.100.0/24")
            .contains("blackhole")
    });
}

#[test]
fn after_another_metric_it_still_hears() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", "72.37.186.0/23\n2001:db8:bad::/48\n");
    let daemon = Daemon::start(&place, &router);
    place.configure(&format!("{NOC}[kernel]\nmetric = 50\n"));
    daemon.signal(Signal::SIGHUP);
    eventually("the other metric", || {
        router.ours().iter().all(|line| line.contains("metric 50"))
    });
    sleep(Duration::from_secs(1));
    let before = router.ours();
    router.ip("route del blackhole 72.37.186.0/23");
    soon(&router, 2 * SECOND, "it is back", || {
        router.ours() == before
    });
    daemon.says("72.37.186.0/23 was removed by");
}

#[test]
fn a_kernel_that_is_turned_on_later_is_watched_and_off_is_off() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let off = format!("{NOC}[kernel]\nenabled = false\n");
    let place = place("", "72.37.186.0/23\n198.51.100.0/24\n");
    place.configure(&off);
    let mut run = place.command(router.command(crate::support::PROGRAM), &["run"]);
    let mut child = run.stderr(std::process::Stdio::null()).spawn().unwrap();
    let hup = || {
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(child.id() as i32),
            Signal::SIGHUP,
        )
    };
    eventually("a pass", || {
        place.run_in(&router, &["list"]).out.lines().count() == 2
    });
    place.configure(NOC);
    hup().unwrap();
    eventually("installed", || router.ours().len() == 2);
    sleep(Duration::from_millis(500));
    router.ip("route del blackhole 72.37.186.0/23");
    soon(&router, 2 * SECOND, "it is back", || {
        router.ours().len() == 2
    });
    place.configure(&off);
    hup().unwrap();
    eventually("withdrawn", || router.ours().is_empty());
    sleep(Duration::from_secs(1));
    assert_eq!(router.ours(), [""; 0]);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Routes through an interface go with it, and for IPv4 nobody tells.
#[test]
fn a_place_that_becomes_free_with_an_interface_is_taken() {
    let Some((router, _neighbor)) = beside() else {
        return;
    };
    router.ip("route add 72.37.186.0/23 via 192.0.2.2");
    let place = place("", "72.37.186.0/23\n198.51.100.0/24\n");
    let daemon = Daemon::start(&place, &router);
    assert_eq!(router.ours().len(), 1);
    router.ip("link set wan down");
    soon(&router, 2 * SECOND, "ours is there", || {
        router.ours().len() == 2
    });
    assert!(
        !daemon
            .said()
            .iter()
            .any(|line| line.contains("was removed"))
    );
}

const COVER: &str = "[kernel]\ncover_more_specifics = true\n";

#[test]
fn covers_follow_whatever_becomes_of_the_route_inside_and_are_no_quarrel() {
    let Some((router, _neighbor)) = beside() else {
        return;
    };
    let place = place(COVER, "72.37.186.0/23\n198.51.100.0/24\n");
    let daemon = Daemon::start(&place, &router);
    let passes = || {
        router
            .run("ip", &["route", "get", "72.37.186.9"])
            .out
            .contains("dev wan")
    };
    let inside = "72.37.186.0/25 via 192.0.2.2 proto static";
    // A flapping neighbor.
    for _ in 0..5 {
        router.ip(&format!("route add {inside}"));
        soon(&router, 2 * SECOND, "it is covered", || {
            router.ours().len() == 4
        });
        router.ip(&format!("route del {inside}"));
        soon(&router, 2 * SECOND, "the covers are gone", || {
            router.ours().len() == 2
        });
    }
    // Dropping first, then not.
    router.ip("route add blackhole 72.37.186.0/25 proto static");
    router.ip(&format!("route replace {inside}"));
    soon(&router, 2 * SECOND, "covered after the replacement", || {
        !passes()
    });
    // Twice, and one goes.
    router.ip("route append 72.37.186.0/25 via 192.0.2.7 proto static");
    router.ip("route del 72.37.186.0/25 via 192.0.2.7 proto static");
    sleep(Duration::from_secs(1));
    assert!(
        !passes() && router.ours().len() == 4,
        "{:#?}",
        router.ours()
    );
    let status = place
        .run_in(&router, &["status"])
        .says("0 routes put back so far");
    assert!(!status.out.contains("ALARM"), "{}", status.out);
    let said = daemon.stop();
    assert!(
        !said.iter().any(|line| line.contains("was removed")),
        "{said:#?}"
    );
}

#[test]
fn what_is_local_is_never_covered() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.ip("route add local 72.37.186.0/25 dev lo table main");
    let place = place(COVER, "72.37.186.0/23\n");
    place.run_in(&router, &["refresh"]).code(0);
    let asked = router.ip("route get 72.37.186.9");
    assert!(asked.contains("dev lo"), "{asked}");
    assert_eq!(router.ours().len(), 1);
}

/// A feed that was never read keeps the ledger from settling; what covers is explained all the
/// same.
#[test]
fn covers_go_before_everything_is_settled() {
    let Some((router, _neighbor)) = beside() else {
        return;
    };
    let other = "[[feed]]\nname = \"other\"\npath = \"missing.list\"\n";
    let place = place(
        &format!("{other}{COVER}"),
        "72.37.186.0/23\n198.51.100.0/24\n",
    );
    router.ip("route add 72.37.186.0/25 via 192.0.2.2");
    place.run_in(&router, &["refresh"]);
    assert_eq!(router.ours().len(), 4);
    router.ip("route del 72.37.186.0/25");
    place.run_in(&router, &["refresh"]);
    assert_eq!(router.ours().len(), 2, "{:#?}", router.ours());
}
