//! What the program asks of the kernel and sends to it, call by call, as `strace` sees it.

use std::fmt::Write;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::support::daemon::Daemon;
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NOC, PROGRAM, Place, has_time, installed, left_out};

/// A `struct sk_buff` of 32 KiB is the longest that the kernel takes in one piece
/// (`netlink_sendmsg`); half of it is what `ip -batch` and others use.
const SEND: usize = 16 << 10;

/// A namespace and a place, where strace is there.
fn ground(kernel: &str) -> Option<(Namespace, Place)> {
    if !installed("strace") {
        left_out("strace is not installed");
        return None;
    }
    let place = Place::new(&format!("{NOC}{kernel}"));
    Some((Namespace::new()?, place))
}

/// The program, with its calls in `calls`; its process is the one that is started, and `strace`
/// stands beside it.
fn traced(router: &Namespace, place: &Place) -> Command {
    let mut strace = router.command("strace");
    strace.args([
        "-D",
        "-f",
        "-qq",
        "-s",
        "256",
        "-e",
        "trace=bind,sendto,openat",
        "-o",
    ]);
    strace.arg(place.path("calls")).arg(PROGRAM);
    strace
}

/// The calls so far with all of these words.
fn calls(place: &Place, words: &[&str]) -> Vec<String> {
    let all = place.read("calls");
    let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
    all.lines().filter(has_all).map(str::to_owned).collect()
}

const DUMP: [&str; 2] = ["RTM_GETROUTE", "NLM_F_DUMP"];

#[test]
fn the_daemon_listens_before_it_reads_and_reads_again_only_to_audit() {
    if !has_time() {
        return;
    }
    const KERNEL: &str = "[kernel]\naudit = \"20s\"\n";
    let Some((router, place)) = ground(KERNEL) else {
        return;
    };
    place.write("noc.list", "72.37.186.0/23\n2001:db8:bad::/48\n");
    let daemon = Daemon::start_by(&place, traced(&router, &place));
    eventually("both are there", || router.ours().len() == 2);

    let all = place.read("calls");
    let first = |words: &[&str]| {
        let of = |line: &str| words.iter().all(|word| line.contains(word));
        all.lines().position(of)
    };
    let listens = first(&["bind(", "nl_groups=0x"]);
    let (listens, reads) = (listens.unwrap(), first(&DUMP).unwrap());
    assert!(listens < reads, "{listens} {reads}: {all}");

    let (dumps, sends) = (&DUMP[..], &["RTM_NEWROUTE"][..]);
    let count = |words: &[&str]| calls(&place, words).len();
    let begun = (count(dumps), count(sends));
    place.write("more.list", "198.51.100.0/24\n");
    let more = format!("{KERNEL}[[feed]]\nname = \"more\"\npath = \"more.list\"\n");
    for (config, there) in [
        (&*more, 3),
        (&more, 3),
        (KERNEL, 2),
        (KERNEL, 2),
        (&more, 3),
    ] {
        let passes = count(&["openat", "nullrouted.toml"]);
        place.configure(&format!("{NOC}{config}"));
        daemon.signal(Signal::SIGHUP);
        eventually("a pass", || {
            let made = count(&["openat", "nullrouted.toml"]) > passes;
            made && router.ours().len() == there
        });
    }
    // What changed was sent, and nothing was read for it.
    assert_eq!((count(dumps), count(sends)), (begun.0, begun.1 + 2));
    assert_eq!(count(&["RTM_DELROUTE"]), 1);

    // Twenty seconds after the first.
    eventually("it reads everything", || count(dumps) > begun.0);
    daemon.stop();
}

#[test]
fn what_is_sent_at_once_is_bounded_however_much_there_is_to_send() {
    const COUNT: usize = 20_000;
    let Some((router, place)) = ground("") else {
        return;
    };
    let mut list = String::new();
    for at in 0..COUNT {
        writeln!(list, "72.{}.{}.0/25", at / 256, at % 256).unwrap();
    }
    place.write("noc.list", &list);
    let ran = place
        .command(traced(&router, &place), &["refresh"])
        .status();
    assert!(ran.unwrap().success());
    assert_eq!(router.ours().len(), COUNT);

    let length = |call: &String| -> usize {
        let (_, length) = call.rsplit_once(" = ").unwrap();
        length.trim().parse().unwrap()
    };
    let sent: Vec<_> = calls(&place, &["sendto"]).iter().map(length).collect();
    let routes = calls(&place, &["RTM_NEWROUTE"]);
    let together: usize = routes.iter().map(length).sum();
    assert!(sent.iter().all(|&length| length <= SEND), "{sent:?}");
    // And not route by route.
    assert!(together > COUNT * 40, "{together}");
    assert!(routes.len() < together / SEND * 2, "{}", routes.len());
}
