//! A14: a configuration that another user may have written is not followed: it names commands to
//! run.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use nix::sys::signal::Signal;

use crate::support::daemon::Daemon;
use crate::support::namespace::Namespace;
use crate::support::{NOC, PROGRAM, Place, is_root, left_out};

fn permit(place: &Place, mode: u32) {
    fs::set_permissions(place.config(), Permissions::from_mode(mode)).unwrap();
}

/// Nobody's number on Debian.
const NOBODY: u32 = 65_534;

#[track_caller]
fn is_refused(place: &Place, why: &str, hint: &str) {
    let path = place.config().display().to_string();
    for verb in ["check", "refresh", "run", "status"] {
        let ran = place.run(&[verb]).code(64);
        assert!(ran.err.contains(&format!("{path}: {why}\n")), "{}", ran.err);
        assert!(
            ran.err.contains(&format!("hint: {hint} {path}`\n")),
            "{}",
            ran.err
        );
    }
    let json = place.run(&["check", "--json"]).code(64).json();
    assert_eq!(json["problems"][0]["message"], why);
}

pub fn world_writable() {
    for mode in [0o666, 0o646, 0o602] {
        let place = Place::of_list("192.0.2.0/24\n");
        permit(&place, mode);
        let why =
            format!("every user may write it (mode {mode:04o}), and it names commands to run");
        is_refused(&place, &why, "type `sudo chmod o-w");
        // It stops no flush.
        place.run(&["flush"]).code(0);
        permit(&place, 0o644);
        place.run(&["check"]).code(0);
    }
}

pub fn another_owner() {
    if !is_root() {
        return left_out("another user is had by root only");
    }
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    chown(place.config(), Some(NOBODY), None).unwrap();
    is_refused(
        &place,
        "it belongs to nobody, which is neither root nor the user of this program or of its service, and it names \
         commands to run",
        "type `sudo chown root",
    );
    place.run(&["flush"]).code(0);
    // The user of the service is the one that owns the state directory.
    chown(place.path("state"), Some(NOBODY), None).unwrap();
    place.run(&["check"]).code(0);
    // And whoever runs it may own it.
    let place = Place::of_list("192.0.2.0/24\n");
    let all = Command::new("chown")
        .args(["-R", "nobody"])
        .arg(place.path(""))
        .status();
    assert!(all.unwrap().success());
    let mut program = Command::new("setpriv");
    program.args(["--reuid=nobody", "--clear-groups", PROGRAM]);
    let status = place.command(program, &["check"]).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

pub fn at_a_reload() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(NOC);
    place.write("noc.list", "72.37.186.0/23\n");
    let daemon = Daemon::start(&place, &router);
    place.configure("");
    permit(&place, 0o666);
    daemon.signal(Signal::SIGHUP);
    daemon.says("every user may write it (mode 0666)");
    daemon.says("still running with the configuration read at ");
    assert_eq!(router.ours().len(), 1);
    daemon.stop();
}

pub fn group_writable() {
    let place = Place::of_list("192.0.2.0/24\n");
    permit(&place, 0o664);
    let path = place.config().display().to_string();
    let advice = "its group may write it (mode 0664), and it names commands to run; if only root should, type `sudo chmod g-w";
    let ran = place.run(&["check"]).code(0);
    assert!(
        ran.err
            .contains(&format!("{path}: advice: {advice} {path}`\n")),
        "{}",
        ran.err
    );
    assert_eq!(ran.err.matches("may write it").count(), 1, "{}", ran.err);
    let json = place.run(&["check", "--json"]).code(0).json();
    let found = json["advice"].as_array().unwrap();
    let modes: Vec<_> = found.iter().filter(|one| one["kind"] == "mode").collect();
    assert_eq!(modes.len(), 1, "{json}");
    assert_eq!(modes[0]["text"], format!("{advice} {path}`"));
    place.run(&["check", "--strict"]).code(1);
    place.run(&["refresh"]).code(0);
}
