//! Others hear of our routes, too: a real zebra, `ip monitor`, nobody.
//!
//! zebra runs with its usual sockets, in a `/run` of its own.

use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::daemon::Daemon;
use crate::support::frr::{Running, can_run};
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NOC, Place, Ran};

/// As in Debian's `/etc/frr/daemons`.
const DEBIAN: &str = "90000000";
/// The kernel doubles it: what a socket has by default, `net.core.rmem_default`.
const SMALLEST: &str = "106496";

/// A list that is taken out of the configuration takes most of the set away.
const ANY: &str = "[limits]\nmax_removed = \"100%\"\n";
const BIG: &str = "[[feed]]\nname = \"big\"\npath = \"big.list\"\n";

/// Start zebra with a buffer of so many bytes.
fn zebra(namespace: &Namespace, place: &Place, buffer: &str) -> Running {
    place.write("zebra.conf", "");
    namespace.sh(
        "mountpoint -q /run/frr || { mount -t tmpfs tmpfs /run; mkdir /run/frr; mount --bind /run/frr /run/frr; }; \
         rm -f /run/frr/*; chown frr:frr /run/frr",
    );
    let at = |name: &str| place.path(name).display().to_string();
    std::fs::set_permissions(
        place.path(""),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let mut command = namespace.command("/usr/lib/frr/zebra");
    command.args(["-P", "0", "-A", "127.0.0.1", "-s", buffer]);
    command.args(["-f", &at("zebra.conf"), "--log", "stdout"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let zebra = Running(child.unwrap());
    eventually("zebra is up", || {
        vtysh(namespace, "show version").code == Some(0)
    });
    zebra
}

fn vtysh(namespace: &Namespace, question: &str) -> Ran {
    namespace.run("vtysh", &["-d", "zebra", "-c", question])
}

/// How many routes of the kernel zebra holds, and how many blackholes the kernel has, of both
/// families.
fn held(namespace: &Namespace) -> (usize, usize) {
    let shown = |question: &str| {
        let listing = vtysh(namespace, question).code(0).out;
        listing.lines().filter(|line| line.starts_with('K')).count()
    };
    let held = shown("show ip route kernel") + shown("show ipv6 route kernel");
    (held, there(namespace))
}

fn there(namespace: &Namespace) -> usize {
    let count = |listing: String| listing.lines().count();
    let v4 = count(namespace.ip("-4 route show type blackhole"));
    v4 + count(namespace.ip("-6 route show type blackhole"))
}

/// A place with one route, and a list of so many more that cannot be joined; one in ten is IPv6.
fn place(count: u32) -> Place {
    let place = Place::new(NOC);
    place.write("noc.list", "72.37.186.0/23\n");
    let mut list = String::new();
    for at in 0..count {
        match at % 10 {
            0 => writeln!(list, "2001:db8:{:x}:{:x}::/64", at / 5_000, at % 5_000 * 2),
            _ => writeln!(list, "{}", Ipv4Addr::from(0x0b00_0000 + at * 7)),
        }
        .unwrap();
    }
    place.write("big.list", &list);
    place
}

/// Install all of them, or withdraw all but the one.
fn refresh(place: &Place, namespace: &Namespace, big: bool) -> Duration {
    let more = if big { BIG } else { "" };
    place.configure(&format!("{NOC}{more}{ANY}"));
    let begun = Instant::now();
    place.run_in(namespace, &["refresh"]).code(0);
    begun.elapsed()
}

/// One line of `status`.
fn status(place: &Place, namespace: &Namespace, what: &str) -> String {
    let status = place.run_in(namespace, &["status"]).code(0);
    let line = status.out.lines().find(|line| line.starts_with(what));
    line.unwrap_or_else(|| panic!("no {what:?} in {}", status.out))
        .to_owned()
}

#[track_caller]
fn says(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "expected {part:?} in: {line}");
    }
}

/// zebra listens, and was waited for as long as it took. On a busy machine it may never be behind.
#[track_caller]
fn reads(bus: &str) {
    says(bus, &["listening: zebra"]);
    assert!(!bus.contains("does not read"), "{bus}");
}

#[test]
fn zebra_ends_with_exactly_the_routes_of_the_kernel() {
    if !can_run("zebra") {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    for (buffer, count) in [(DEBIAN, 300_000), (SMALLEST, 30_000)] {
        let place = place(count);
        let zebra = zebra(&namespace, &place, buffer);
        let all = count as usize + 1;
        refresh(&place, &namespace, true);
        reads(&status(&place, &namespace, "bus"));
        let whole = format!("FRR holds all {all} routes that are installed");
        says(&status(&place, &namespace, "zebra"), &[&whole]);
        assert_eq!(held(&namespace), (all, all), "with a buffer of {buffer}");

        refresh(&place, &namespace, false);
        reads(&status(&place, &namespace, "bus"));
        says(&status(&place, &namespace, "zebra"), &["FRR holds all 1 "]);
        assert_eq!(held(&namespace), (1, 1), "with a buffer of {buffer}");
        place.run_in(&namespace, &["flush"]).code(0);
        drop(zebra);
    }
}

#[test]
fn a_stopped_zebra_holds_nobody_up_and_what_it_lacks_is_an_alarm_with_a_cure() {
    const COUNT: usize = 20_000;
    if !can_run("zebra") {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = place(COUNT as u32);
    let first = zebra(&namespace, &place, SMALLEST);
    refresh(&place, &namespace, false);

    first.signal("-STOP");
    let took = refresh(&place, &namespace, true);
    assert!(took < Duration::from_secs(10), "took {took:?}");
    assert_eq!(there(&namespace), COUNT + 1);
    says(
        &status(&place, &namespace, "bus"),
        &["zebra (does not read, and was not waited for any longer; lost "],
    );
    says(
        &status(&place, &namespace, "zebra"),
        &["ALARM", "not compared: zebra does not read"],
    );
    // A small change waits for nobody, but to see whether zebra is back.
    place.write("noc.list", "72.37.186.0/23\n72.37.190.0/23\n");
    let took = refresh(&place, &namespace, true);
    assert!(took < Duration::from_secs(5), "took {took:?}");
    place.write("noc.list", "72.37.186.0/23\n");
    place.run_in(&namespace, &["refresh"]).code(0);
    place.run_in(&namespace, &["refresh"]).code(0);

    first.signal("-CONT");
    refresh(&place, &namespace, true);
    let missing = COUNT + 1 - held(&namespace).0;
    assert!(missing > COUNT / 2, "lacks {missing}");
    let alarm = status(&place, &namespace, "zebra");
    let lacks = format!("FRR lacks {missing} (");
    says(&alarm, &["ALARM", &lacks, "of 20001 routes", "cure: "]);
    // The cure, word by word.
    let cure = alarm.split('`').nth(1).unwrap();
    assert!(cure.starts_with("ip route del blackhole 11."), "{cure}");
    namespace.sh(cure);
    refresh(&place, &namespace, true);
    assert_eq!(held(&namespace), (COUNT + 2 - missing, COUNT + 1));
    says(
        &status(&place, &namespace, "zebra"),
        &["ALARM", &format!("FRR lacks {} (", missing - 1)],
    );
    // The other: restart it.
    drop(first);
    let second = zebra(&namespace, &place, SMALLEST);
    refresh(&place, &namespace, true);
    let line = status(&place, &namespace, "zebra");
    says(&line, &["FRR holds all 20001 routes that are installed"]);
    assert!(!line.contains("ALARM"), "{line}");

    // Withdrawn, and zebra does not hear of it.
    second.signal("-STOP");
    refresh(&place, &namespace, false);
    second.signal("-CONT");
    refresh(&place, &namespace, false);
    let ghosts = held(&namespace).0 - 1;
    assert!(ghosts > COUNT / 2, "holds {ghosts}");
    let alarm = status(&place, &namespace, "zebra");
    let holds = format!("FRR holds {ghosts} (");
    says(&alarm, &["ALARM", &holds, "that are gone"]);
    let cure = alarm.split('`').nth(1).unwrap();
    if cure.starts_with("ip route add blackhole 11.") {
        namespace.sh(cure);
        namespace.sh(&cure.replace("add", "del"));
        eventually("one ghost less", || held(&namespace) == (ghosts, 1));
        return;
    }
    // This version gives them up with a restart alone.
    says(
        &alarm,
        &["cure: restart zebra, which reads all routes; FRR "],
    );
    says(&alarm, &[" keeps what is gone until then"]);
    drop(second);
    let _third = self::zebra(&namespace, &place, SMALLEST);
    refresh(&place, &namespace, false);
    eventually("no ghost is left", || held(&namespace) == (1, 1));
}

#[test]
fn what_zebra_lost_while_many_were_put_back_is_told() {
    const COUNT: u32 = 20_000;
    if !can_run("zebra") {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = place(COUNT);
    place.configure(&format!("{NOC}{BIG}"));
    let zebra = zebra(&namespace, &place, SMALLEST);
    let daemon = Daemon::start(&place, &namespace);
    let all = COUNT as usize + 1;
    let holds = || status(&place, &namespace, "zebra");
    eventually("it is compared", || {
        let status = place.run_in(&namespace, &["status"]);
        status.out.contains("FRR holds all 20001 routes")
    });
    zebra.signal("-STOP");
    namespace.ip("route flush proto 166");
    eventually("all are back", || there(&namespace) == all);
    eventually("it is an alarm", || holds().contains("ALARM"));
    zebra.signal("-CONT");
    drop(daemon);
    place.run_in(&namespace, &["refresh"]).code(0);
    // Of most it heard neither that they went nor that they came.
    let missing = all - held(&namespace).0;
    assert!(missing > 0);
    says(&holds(), &["ALARM", &format!("FRR lacks {missing} (")]);
}

#[test]
fn ip_monitor_hears_of_every_route() {
    const COUNT: u32 = 30_000;
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = place(COUNT);
    let heard = File::create(place.path("heard")).unwrap();
    let mut command = namespace.command("ip");
    let command = command.args(["-rcvbuf", "106496", "monitor", "route"]);
    let monitor = Running(command.stdout(heard).spawn().unwrap());
    eventually("it listens", || {
        namespace
            .sh("cat /proc/self/net/netlink")
            .contains(" 04000440 ")
    });
    refresh(&place, &namespace, true);
    says(&status(&place, &namespace, "bus"), &["listening: ip; "]);
    let lines = || {
        let file = BufReader::new(File::open(place.path("heard")).unwrap());
        file.lines()
            .filter(|line| line.as_ref().unwrap().starts_with("blackhole "))
            .count()
    };
    eventually("all are heard", || lines() == COUNT as usize + 1);
    drop(monitor);
    // Give the kernel a moment to close its socket.
    sleep(Duration::from_millis(50));
    refresh(&place, &namespace, false);
    says(
        &status(&place, &namespace, "bus"),
        &["no routing daemon reads the kernel"],
    );
}

#[test]
fn where_nobody_listens_nobody_is_waited_for() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = place(5_000);
    refresh(&place, &namespace, true);
    let bus = status(&place, &namespace, "bus");
    says(
        &bus,
        &["no routing daemon reads the kernel's route changes"],
    );
    assert!(!bus.contains("paced"), "{bus}");
    let status = place.run_in(&namespace, &["status"]).code(0);
    assert!(!status.out.contains("\nzebra"), "{}", status.out);
}
