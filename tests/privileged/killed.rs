//! Killed between system calls: `strace` ends the program at one after the other, and each time the
//! next run converges.
//!
//! By default every fourth call that sends to the kernel, writes, renames or removes a file, and
//! every fiftieth of all others; `NULLROUTED_EACH=1 cargo test --test privileged killed` takes
//! every single one, as `tests/run` does. Each test takes every fourth of them.

use std::collections::BTreeMap;

use crate::support::namespace::Namespace;
use crate::support::{PROGRAM, Place, Ran, has_time, installed, left_out};

/// What changes something outside of the process.
const CHANGES: [&str; 10] = [
    "sendto",
    "sendmsg",
    "pwrite64",
    "write",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "unlink",
    "fcntl",
];

const KEPT: [&str; 10] = [
    "72.37.186.0/23",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "11.0.1.0/24",
    "11.0.3.0/24",
    "11.0.5.0/24",
    "11.0.7.0/24",
    "11.0.9.0/24",
    "2001:db8:bad::/48",
    "2001:db8:5::/48",
];
const TURNS: [[&str; 2]; 2] = [
    ["11.0.11.0/24", "2001:db8:7::/48"],
    ["11.0.13.0/24", "2001:db8:9::/48"],
];

struct Router {
    namespace: Namespace,
    place: Place,
    foreign: Vec<String>,
}

impl Router {
    /// Write one of the lists down, and make a pass under strace.
    fn traced(&self, turn: usize, options: &[&str]) -> (Vec<&'static str>, Ran) {
        let list = [&KEPT[..], &TURNS[turn % 2][..]].concat();
        self.place.write("noc.list", &(list.join("\n") + "\n"));
        let mut strace = self.namespace.command("strace");
        strace.args(["-f", "-qq"]).args(options).arg(PROGRAM);
        let ran = self.place.command(strace, &["refresh"]).output();
        (list, Ran::of(ran.unwrap()))
    }

    /// Which system calls a change makes, and how often.
    fn calls(&self) -> BTreeMap<String, usize> {
        let log = self.place.path("log");
        let (_, ran) = self.traced(1, &["-o", log.to_str().unwrap()]);
        ran.code(0);
        let mut calls = BTreeMap::new();
        for line in self.place.read("log").lines() {
            // `812   sendto(9, …`
            let call = line
                .split_whitespace()
                .nth(1)
                .and_then(|word| word.split_once('('));
            if let Some((name, _)) = call.filter(|(name, _)| !name.is_empty()) {
                *calls.entry(name.to_owned()).or_default() += 1;
            }
        }
        calls
    }

    /// Change from one list to the other, killed before such a call is made for the nth time;
    /// answers whether it came so far.
    fn killed_at(&self, turn: usize, calls: &str, at: usize) -> bool {
        let inject = format!("inject={calls}:signal=KILL:when={at}");
        let (list, ran) = self.traced(turn, &["-o", "/dev/null", "-e", &inject]);
        assert!(
            ran.code.is_none_or(|code| code == 0 || code == 137),
            "{ran:?}"
        );
        let killed = ran.code != Some(0);
        assert_eq!(
            self.namespace.foreign(),
            self.foreign,
            "{calls} {at}: {ran:?}"
        );
        // Whatever is there was wanted before or is wanted now.
        let both = [&KEPT[..], &TURNS[0][..], &TURNS[1][..]].concat();
        for line in self.namespace.ours() {
            assert!(both.iter().any(|net| line.contains(net)), "{line}");
        }
        let healed = self.place.run_in(&self.namespace, &["refresh"]).code(0);
        let ours = self.namespace.ours();
        assert_eq!(ours.len(), list.len(), "{calls} {at}: {healed:?} {ours:#?}");
        for net in list {
            assert!(
                ours.iter().any(|line| line.contains(net)),
                "{calls} {at}: {net}"
            );
        }
        assert_eq!(self.namespace.foreign(), self.foreign, "{calls} {at}");
        killed
    }
}

const TESTS: usize = 4;

#[test]
fn killed_at_one_system_call_after_the_other_the_next_run_converges() {
    killed(0);
}

#[test]
fn killed_at_every_fourth_call_from_the_second_on() {
    if !has_time() {
        return;
    }
    killed(1);
}

#[test]
fn killed_at_every_fourth_call_from_the_third_on() {
    if !has_time() {
        return;
    }
    killed(2);
}

#[test]
fn killed_at_every_fourth_call_from_the_fourth_on() {
    if !has_time() {
        return;
    }
    killed(3);
}

fn killed(test: usize) {
    if !installed("strace") {
        return left_out("strace is not installed");
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    // Theirs: in our places, beside them, and elsewhere.
    for route in [
        "route add blackhole 72.37.186.0/23 proto static metric 7",
        "route add 11.0.11.0/24 dev lo metric 9",
        "route add unreachable 11.0.2.0/24 proto static",
        "-6 route add blackhole 2001:db8:7::/48 proto static metric 9",
    ] {
        namespace.ip(route);
    }
    let foreign = namespace.foreign();
    let limits = "[limits]\nmax_added = \"100%\"\nmax_removed = \"100%\"\n";
    let place = Place::new(&format!(
        "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n{limits}"
    ));
    place.write("noc.list", &(KEPT.join("\n") + "\n"));
    place.run_in(&namespace, &["refresh"]).code(0);
    let router = Router {
        namespace,
        place,
        foreign,
    };
    let each = std::env::var_os("NULLROUTED_EACH").is_some();
    let (mut kills, mut turn, mut all) = (0, 0, 0);
    for (call, count) in router.calls() {
        let step = match CHANGES.iter().any(|change| *change == call) {
            _ if each => 1,
            true => 4,
            false => 50,
        };
        // Another one first in each call, so that not only the first of a few is tried.
        for at in (1 + all % step.min(count)..=count).step_by(step) {
            if all % TESTS == test {
                kills += usize::from(router.killed_at(turn, &call, at));
                turn += 1;
            }
            all += 1;
        }
    }
    println!("killed {kills} times of {turn}");
    let least = if each { 100 } else { 10 };
    assert!(kills > least, "{kills} of {turn}");
}
