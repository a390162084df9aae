//! A3: an output that cannot be written stops no verb. What could not be printed is exit code 1.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use nix::pty::openpty;

use crate::support::{NO_KERNEL, NOC, PROGRAM, Place};

/// Every verb that ends by itself, with what makes it talk.
const VERBS: [&[&str]; 26] = [
    &["refresh"],
    &["refresh", "--json"],
    &["plan"],
    &["check"],
    &["check", "--print"],
    &["list"],
    &["list", "--format", "csv"],
    &["why", "192.0.2.1"],
    &["feeds"],
    &["status"],
    &["status", "--json"],
    &["verify"],
    &["history"],
    &["render", "edge1"],
    &["add", "198.51.100.0/24", "--reason", "x"],
    &["remove", "198.51.100.0/24"],
    &["allow", "192.0.2.7", "--reason", "x"],
    &["disallow", "192.0.2.7"],
    &["approve", "abc"],
    &["reject", "abc"],
    &["pin"],
    &["flush"],
    &["unpin"],
    &["--help"],
    &["no-such-verb"],
    &["--config", "/no/such/file", "run"],
];

fn place() -> Place {
    let place = Place::new(&format!(
        "{NOC}{NO_KERNEL}[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place
}

/// None ends by a signal.
#[track_caller]
fn none_is_killed(place: &Place, what: &str, output: impl Fn() -> (Stdio, Stdio)) {
    for verb in VERBS {
        let (out, err) = output();
        let mut command = place.command(Command::new(PROGRAM), verb);
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let status = command.status().unwrap();
        assert_eq!(status.signal(), None, "{what}: {verb:?}");
    }
}

fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

pub fn every_verb() {
    let place = place();
    none_is_killed(&place, "both full", || (full(), full()));
    none_is_killed(&place, "stderr full", || (Stdio::null(), full()));
    none_is_killed(&place, "both pipes closed", || (closed(), closed()));
    // What could not be printed is told, where it can be.
    for verb in [&["status"][..], &["list"], &["status", "--json"]] {
        let mut command = place.command(Command::new(PROGRAM), verb);
        let ran = command.stdout(full()).output().unwrap();
        let err = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{verb:?}: {err}");
        assert_eq!(err, "stdout: No space left on device (os error 28)\n");
    }
}

pub fn a_terminal_that_has_gone() {
    let place = place();
    let pty = openpty(None, None).unwrap();
    drop(pty.master);
    let slave = || Stdio::from(pty.slave.try_clone().unwrap());
    none_is_killed(&place, "a terminal that has gone", || (slave(), slave()));
}
