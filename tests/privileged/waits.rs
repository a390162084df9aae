//! Whatever the program waits for, neither what must be protected nor the brake waits with it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::daemon::Daemon;
use crate::support::namespace::{Namespace, eventually};
use crate::support::soon::soon;
use crate::support::{AROUND, NOC, PROGRAM, Place, has_time};

/// An address that appears is at once no longer inside a blackhole.
#[track_caller]
fn protected(router: &Namespace, address: &str) {
    router.address("lo", address);
    soon(router, SOON, &format!("{address} is cut out"), || {
        let held = router.sh(&format!(
            "ip route get {} fibmatch || true",
            address.trim_end_matches("/32")
        ));
        let covering = router.ip(&format!("route show match {address}"));
        !held.contains("blackhole") && !covering.contains("blackhole")
    });
}

const SOON: Duration = Duration::from_millis(1_500);

#[test]
fn an_address_that_appears_waits_for_no_reload() {
    if !has_time() {
        return;
    }
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!(
        "{AROUND}{NOC}[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\nreload = [\"sleep\", \"5\"]\n"
    ));
    place.write("noc.list", "5.5.0.0/16\n");
    let _daemon = Daemon::begin(&place, router.command(PROGRAM), &["run"]);
    eventually("it is in force", || !router.ours().is_empty());
    for host in ["5.5.1.1/32", "5.5.2.1/32", "5.5.3.1/32"] {
        protected(&router, host);
    }
    // And in the end the file has all of them.
    eventually("the file follows", || {
        let file = std::fs::read_to_string(place.path("edge1.conf")).unwrap_or_default();
        !file.contains("permit 5.5.0.0/16") && file.contains("permit 5.5.3.0/32")
    });
}

#[test]
fn an_address_that_appears_waits_for_no_name() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!(
        "{AROUND}{NOC}[[feed]]\nname = \"remote\"\nurl = \"https://lists.example/drop.txt\"\nformat = \"cidr\"\n\
         [fetch]\nconnect_timeout = \"5s\"\n"
    ));
    place.write("noc.list", "5.5.0.0/16\n");
    // A resolver that never answers, in this namespace only.
    place.write("resolv.conf", "nameserver 203.0.113.53\n");
    router.ip("route add 203.0.113.53/32 dev lo");
    let file = place.path("resolv.conf");
    router.sh(&format!("mount --bind {} /etc/resolv.conf", file.display()));
    let _daemon = Daemon::begin(&place, router.command(PROGRAM), &["run"]);
    eventually("it is in force", || !router.ours().is_empty());
    for host in ["5.5.1.1/32", "5.5.2.1/32", "5.5.3.1/32"] {
        protected(&router, host);
    }
}

#[test]
fn the_brake_waits_for_no_reload() {
    if !has_time() {
        return;
    }
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!(
        "{NOC}[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\nreload = [\"sleep\", \"4\"]\n"
    ));
    place.write("noc.list", "5.5.0.0/16\n");
    let _daemon = Daemon::begin(&place, router.command(PROGRAM), &["run"]);
    eventually("it is in force, and the router is reloaded", || {
        !router.ours().is_empty() && place.path("edge1.conf").exists()
    });
    let mut flush = place.command(router.command(PROGRAM), &["flush"]);
    let flush = flush.stderr(Stdio::piped()).spawn().unwrap();
    soon(&router, SOON, "the routes are gone", || {
        router.ours().is_empty()
    });
    let flush = crate::support::Ran::of(flush.wait_with_output().unwrap()).code(0);
    assert!(
        flush.err.contains("flushed; nothing is installed"),
        "{}",
        flush.err
    );
    assert!(router.ours().is_empty());
    assert!(!place.read("edge1.conf").contains("permit 5.5.0.0/16"));
}

#[test]
fn what_a_verb_brings_is_told_as_its_own_also_where_an_address_appeared() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!("{AROUND}{NOC}"));
    place.write("noc.list", "5.5.0.0/16\n");
    place.run_in(&router, &["refresh"]).code(0);
    router.address("lo", "5.5.1.1/32");
    place
        .run_in(&router, &["add", "5.6.0.0/24", "--reason", "phish"])
        .code(0);
    let status = place.run_in(&router, &["status", "--json"]).code(0).json();
    assert_eq!(status["generation"]["cause"], "add");
    assert_eq!(status["generation"]["number"], 2);
}

#[test]
fn a_route_that_somebody_keeps_removing_waits_for_no_download() {
    if !has_time() {
        return;
    }
    const HANGS: Duration = Duration::from_secs(25);
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!(
        "{NOC}[[feed]]\nname = \"remote\"\nurl = \"https://203.0.113.53/drop.txt\"\nformat = \"cidr\"\n\
         [fetch]\nconnect_timeout = \"{}s\"\n",
        HANGS.as_secs()
    ));
    place.write("noc.list", "5.5.0.0/16\n");
    // What is sent there never arrives.
    router.ip("route add 203.0.113.53/32 dev lo");
    let begun = Instant::now();
    let _daemon = Daemon::begin(&place, router.command(PROGRAM), &["run"]);
    // At once three times, then after one second and after two.
    for _ in 0..5 {
        eventually("it is in force", || !router.ours().is_empty());
        router.ip("route del blackhole 5.5.0.0/16");
    }
    eventually("it is back once more", || !router.ours().is_empty());
    let took = begun.elapsed();
    assert!(took < HANGS, "{took:?}: the download was waited for");
}
