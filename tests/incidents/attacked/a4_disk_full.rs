//! Another program fills the disk under the state directory.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::daemon::Daemon;
use crate::support::namespace::{Namespace, eventually};
use crate::support::soon::{SECOND, soon};
use crate::support::{NOC, Place};

const CONFIG: &str = "[protect]\ndiscover = [\"addresses\"]\n";
const LIST: &str = "72.37.186.0/23\n198.51.100.0/24\n2001:db8:bad::/48\n";
/// How the full disk is named.
const FULL: &str = "the disk is full: a daemon protects and reinstalls from memory, and writes down what it did when \
                    there is room, so this may not be the latest; make room (df ";

/// A router with a small file system under the state directory, and a list.
fn place(router: &Namespace) -> Place {
    let place = Place::new(&format!("{NOC}{CONFIG}"));
    place.write("noc.list", LIST);
    std::fs::create_dir(place.path("state")).unwrap();
    let state = place.path("state").display().to_string();
    router.sh(&format!(
        "mount -t tmpfs -o size=8m,mode=0700 tmpfs {state}"
    ));
    place
}

fn fill(router: &Namespace, place: &Place) {
    let file = place.path("state/ballast").display().to_string();
    router.sh(&format!(
        "cat /dev/zero > {file} 2>&1 || true; cat /dev/zero >> {file} 2>&1 || true"
    ));
}

fn make_room(router: &Namespace, place: &Place) {
    let file = place.path("state/ballast").display().to_string();
    router.sh(&format!("rm {file}"));
}

fn is_listed(router: &Namespace, net: &str) -> bool {
    router.ours().iter().any(|line| line.contains(net))
}

pub fn the_daemon_protects_and_reinstalls_from_memory() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place(&router);
    let daemon = Daemon::start(&place, &router);
    eventually("all is in force", || router.ours().len() == 3);
    fill(&router, &place);

    router.ip("address add 72.37.186.9/32 dev lo");
    soon(&router, SECOND, "the address is free", || {
        !is_listed(&router, " 72.37.186.0/23")
    });
    router.ip("route del blackhole 198.51.100.0/24");
    soon(&router, SECOND, "the route is back", || {
        is_listed(&router, " 198.51.100.0/24")
    });
    router.ip("address add 2001:db8:bad::1/128 dev lo nodad");
    soon(&router, SECOND, "the IPv6 address is free", || {
        !is_listed(&router, " 2001:db8:bad::/48")
    });

    for verb in [
        &["status"][..],
        &["why", "198.51.100.7"],
        &["verify"],
        &["list"],
    ] {
        let ran = place.run_in(&router, verb);
        // The ledger still lists what is protected since, so verify has something to say of it.
        assert_eq!(ran.code, Some(i32::from(verb == ["verify"])), "{ran:?}");
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains(FULL), "{verb:?} names the full disk: {said}");
    }
    let checked = place.run_in(&router, &["status", "--check"]).out;
    let state = place.path("state").display().to_string();
    let full = format!(
        "{state}: the disk is full, so what is known here may not be the latest; make room (df {state})"
    );
    assert!(checked.contains(&full), "{checked}");
    make_room(&router, &place);
    // What was done meanwhile is written down.
    eventually("the ledger knows it", || {
        let list = place.run_in(&router, &["list"]).out;
        !list.contains("72.37.186.0/23") && list.contains("72.37.186.8/32")
    });
    daemon.stop();
}

pub fn a_daemon_starts_and_installs_what_can_be_read() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place(&router);
    let daemon = Daemon::start(&place, &router);
    eventually("all is in force", || router.ours().len() == 3);
    fill(&router, &place);
    daemon.signal(Signal::SIGKILL);
    drop(daemon);
    // As after a reboot.
    router.ip("-4 route flush proto 166");
    router.ip("-6 route flush proto 166");
    let daemon = Daemon::start(&place, &router);
    eventually("what can be read is installed", || router.ours().len() == 3);
    router.ip("address add 72.37.186.9/32 dev lo");
    soon(&router, SECOND, "the address is free", || {
        !is_listed(&router, " 72.37.186.0/23")
    });
    daemon.stop();
}

pub fn after_a_flush_nothing_is_installed_when_there_is_room() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place(&router);
    let daemon = Daemon::start(&place, &router);
    eventually("all is in force", || router.ours().len() == 3);
    fill(&router, &place);
    place.run_in(&router, &["flush"]);
    assert_eq!(router.ours(), [""; 0], "the flush withdraws all");
    make_room(&router, &place);
    // A pass of the daemon, and one of a verb: neither installs anything.
    daemon.signal(Signal::SIGHUP);
    place.run_in(&router, &["refresh"]);
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        assert_eq!(router.ours(), [""; 0], "it stays flushed");
    }
    daemon.stop();
}
