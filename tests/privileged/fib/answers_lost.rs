//! Who listens and does not read keeps nobody waiting: not who must be protected, not what is put
//! back, and, where it is another of us, no verb either.

use std::fmt::Write;
use std::fs::File;
use std::net::Ipv4Addr;
use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::support::daemon::Daemon;
use crate::support::frr::Running;
use crate::support::namespace::{Namespace, eventually};
use crate::support::soon::{SECOND, soon};
use crate::support::{NOC, Place, has_time};

const ADDRESSES: &str = "[protect]\ndiscover = [\"addresses\"]\n";
const BIG: &str = "[[feed]]\nname = \"big\"\npath = \"big.list\"\n";
/// How `status` and the log tell of a listener that is not waited for any more.
const LEFT: &str = "does not read, and was not waited for any longer";

/// `ip monitor route` with the buffer that a socket has by default, which reads nothing any more.
fn stopped_listener(router: &Namespace) -> Running {
    let mut command = router.command("ip");
    let command = command.args(["-rcvbuf", "106496", "monitor", "route"]);
    let monitor = Running(command.stdout(Stdio::null()).spawn().unwrap());
    eventually("it listens", || unread(router, &monitor).is_some());
    monitor.signal("-STOP");
    monitor
}

/// Bytes that wait for it.
fn unread(router: &Namespace, listener: &Running) -> Option<u32> {
    let (table, id) = (
        router.sh("cat /proc/self/net/netlink"),
        listener.0.id().to_string(),
    );
    let mut rows = table.lines().map(|line| line.split_whitespace());
    let mut row = rows.find_map(|mut row| (row.nth(2)? == id).then_some(row))?;
    row.nth(1)?.parse().ok()
}

/// A list of so many prefixes that cannot be joined.
fn big(place: &Place, count: u32) {
    let list = (0..count).fold(String::new(), |mut list, at| {
        writeln!(list, "{}", Ipv4Addr::from(0x0b00_0000 + at * 7)).unwrap();
        list
    });
    place.write("big.list", &list);
}

#[test]
fn who_must_be_protected_and_what_is_put_back_wait_for_no_listener() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!("{NOC}{ADDRESSES}"));
    // One address in the last of them takes 97 changes: more than one go.
    let list = "72.37.186.0/23\n198.51.100.0/24\n2001:db8:bad::/48\n2a0d::/32\n";
    place.write("noc.list", list);
    let _daemon = Daemon::start(&place, &router);
    let before = router.ours();
    let monitor = stopped_listener(&router);
    router.sh(
        "for i in $(seq 250); do echo route add blackhole 10.1.1.$i proto 77; done | ip -batch -",
    );
    assert!(unread(&router, &monitor).unwrap() > 200_000);

    let covers = |net: &str| router.ours().iter().any(|line| line.contains(net));
    router.ip("address add 72.37.186.9/32 dev lo");
    soon(&router, SECOND, "the address is free", || {
        !covers(" 72.37.186.0/23")
    });
    router.ip("address del 72.37.186.9/32 dev lo");
    eventually("as before", || router.ours() == before);
    router.ip("address add 2a0d::1/128 dev lo nodad");
    soon(&router, SECOND, "the IPv6 address is free", || {
        !covers(" 2a0d::/32")
    });
    router.ip("address del 2a0d::1/128 dev lo");
    eventually("as before", || router.ours() == before);

    router.ip("route del blackhole 198.51.100.0/24");
    router.ip("-6 route del blackhole 2001:db8:bad::/48");
    soon(&router, SECOND, "both are back", || router.ours() == before);
}

#[test]
fn a_large_change_waits_once_for_a_listener_until_he_reads() {
    if !has_time() {
        return;
    }
    const COUNT: u32 = 2_000;
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(NOC);
    place.write("noc.list", "72.37.186.0/23\n");
    big(&place, COUNT);
    let daemon = Daemon::start(&place, &router);
    let monitor = stopped_listener(&router);
    // Add all of them, or remove them; answers what is said of the bus.
    let change = |add: bool| {
        let told = |daemon: &Daemon| {
            let said = daemon.said().into_iter();
            let lines = said.filter(|line| line.contains("bus  "));
            lines.collect::<Vec<_>>()
        };
        let before = told(&daemon).len();
        let (more, count) = if add { (BIG, COUNT) } else { ("", 0) };
        // The list that is taken out takes most of the set away.
        let any = "[limits]\nmax_removed = \"100%\"\n";
        place.configure(&format!("{NOC}{more}{any}"));
        daemon.signal(Signal::SIGHUP);
        eventually("the routes are changed", || {
            router.ours().len() == count as usize + 1 && told(&daemon).len() > before
        });
        told(&daemon).pop().unwrap()
    };
    // Two seconds, and more where the machine is busy: what a look took longer is not held against
    // him.
    let waited = |line: &str| {
        let (_, waited) = line
            .split_once("2000 changes were paced for them, ")
            .unwrap();
        let (seconds, _) = waited.split_once(" s of waiting").unwrap();
        seconds.parse::<f64>().unwrap() >= 2.0
    };
    let line = change(true);
    assert!(line.contains(LEFT) && waited(&line), "{line}");
    for add in [false, true] {
        let line = change(add);
        assert!(line.contains("listening: ip (") && line.contains(LEFT));
        assert!(line.contains("lost ") && !line.contains("paced"), "{line}");
    }
    monitor.signal("-CONT");
    eventually("he has read", || unread(&router, &monitor) == Some(0));
    monitor.signal("-STOP");
    let line = change(false);
    assert!(line.contains(LEFT) && waited(&line), "{line}");
}

#[test]
fn a_verb_waits_for_no_daemon_of_ours_and_accuses_it_of_nothing() {
    if !has_time() {
        return;
    }
    const COUNT: u32 = 60_000;
    let Some(router) = Namespace::new() else {
        return;
    };
    // It hears of routes twice: to look after ours, and for gateways.
    let discover = "[protect]\ndiscover = [\"gateways\"]\n";
    let place = Place::new(&format!("{NOC}{discover}"));
    place.write("noc.list", "72.37.186.0/23\n");
    big(&place, COUNT);
    let daemon = Daemon::start(&place, &router);
    // Not in the middle of a pass.
    eventually("it is stopped while idle", || {
        daemon.signal(Signal::SIGSTOP);
        let lock = File::open(place.path("state/pass.lock")).unwrap();
        let is_free = lock.try_lock_shared().is_ok();
        if !is_free {
            daemon.signal(Signal::SIGCONT);
        }
        is_free
    });
    place.configure(&format!("{NOC}{BIG}{discover}"));
    let refreshed = place.run_in(&router, &["refresh"]).code(0);
    let status = place.run_in(&router, &["status"]).code(0).out;
    let bus = status.lines().find(|line| line.starts_with("bus"));
    let bus = bus.unwrap_or_else(|| panic!("{status}{}", refreshed.err));
    assert!(bus.contains("listening: nullrouted"), "{bus}");
    for accusation in ["does not read", "lost", "waiting", "ALARM"] {
        assert!(!bus.contains(accusation), "{accusation:?} in: {bus}");
    }
    daemon.signal(Signal::SIGCONT);
    daemon.says("policy  60001 routes");
    router.ip("route del blackhole 11.0.0.7");
    eventually("it is back", || {
        !router.ip("route show 11.0.0.7").is_empty()
    });
    assert_eq!(router.ours().len(), COUNT as usize + 1);
}
