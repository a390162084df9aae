//! Outputs that cannot be written, together with what makes a flush talk.

use std::fs;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use nix::pty::openpty;

use super::ground::Ground;
use crate::support::cases::{Case, case};

pub const TABLE: &str = "Broken outputs";

pub const IDS: &[&str] = &[
    "stderr full, broken config",
    "stderr full, no config",
    "stderr full, garbage ledger",
    "terminal gone, broken config",
    "stdout full, broken config",
    "closed pipe, garbage ledger",
];

pub fn cases() -> Vec<Case> {
    let runs: [fn(); 6] = [
        || stderr_full(broken_config),
        || stderr_full(no_config),
        || stderr_full(garbage_ledger),
        terminal_gone,
        stdout_full,
        closed_pipe,
    ];
    let whats = [
        "/dev/full",
        "/dev/full",
        "/dev/full",
        "a pty whose master is closed",
        "/dev/full",
        "nobody reads",
    ];
    let rows = IDS.iter().zip(whats).zip(runs);
    rows.map(|((id, what), run)| case(TABLE, id, what, run))
        .collect()
}

fn broken_config(ground: &Ground) {
    ground.wrap_config("this is = not [ toml\n", "");
}

fn no_config(ground: &Ground) {
    fs::remove_file(ground.place.config()).unwrap();
}

fn garbage_ledger(ground: &Ground) {
    let text = "no database ".repeat(900);
    ground.place.write("state/ledger.sqlite", &text);
}

fn full() -> Stdio {
    fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

fn stderr_full(by: fn(&Ground)) {
    let Some(ground) = Ground::new("") else {
        return;
    };
    by(&ground);
    let ran = ground.flush_by(&[], |mut command| {
        command.stderr(full());
        command
    });
    ground.is_flushed(&ran, 1, &[]);
}

fn stdout_full() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    broken_config(&ground);
    let ran = ground.flush_by(&[], |mut command| {
        command.arg("--json").stdout(full());
        command
    });
    assert!(ground.left().is_empty(), "{}", ran.err);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
}

fn terminal_gone() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    broken_config(&ground);
    let pty = openpty(None, None).unwrap();
    drop(pty.master);
    let slave = |pty: &OwnedFd| Stdio::from(pty.try_clone().unwrap());
    let ran = ground.flush_by(&[], |mut command| {
        command
            .stdin(slave(&pty.slave))
            .stdout(slave(&pty.slave))
            .stderr(slave(&pty.slave));
        command
    });
    ground.is_flushed(&ran, 1, &[]);
}

fn closed_pipe() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    garbage_ledger(&ground);
    let ran = ground.flush_by(&[], |mut command| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let other = writer.try_clone().unwrap();
        command.stdout(Stdio::from(writer)).stderr(other);
        command
    });
    ground.is_flushed(&ran, 1, &[]);
}
