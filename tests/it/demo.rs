//! The demonstration, as a stranger runs it.

use std::process::Command;

use crate::support::{PROGRAM, Ran, is_root, left_out};

/// The parts of the story that must be there, in this order.
const STORY: [&str; 18] = [
    "http://72.37.186.1/  answers: \"Cheap pills",
    "http://72.37.188.1/  answers: \"Bakery",
    "$ nullrouted refresh",
    "target=kernel  added 6, removed 0, kept 0, failed 0",
    "$ nullrouted plan",
    "No changes: 6 prefixes in force (generation 1)",
    "blackhole 72.37.186.0/23 proto 166",
    "http://72.37.186.1/  refused by the kernel",
    "http://72.37.188.1/  answers: \"Bakery",
    "72.37.187.9 is blackholed by 72.37.186.0/23",
    "ip prefix-list NULLROUTED-V4 seq 1210432256 permit 72.37.186.0/23",
    "http://72.37.186.1/  answers: \"Cheap pills",
    "held, reason: drop-v4: 5 prefixes would be added (max_added_count 3)",
    "HELD: change ",
    "+ 72.37.160.0/24       drop-v4 SBL1005",
    " approve ",
    "flushed; nothing is installed until `nullrouted unpin`",
    "The namespace is gone now",
];

fn told_in_order(told: &str) {
    let mut rest = told;
    for part in STORY {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part:?} is not told, or too early:\n{told}"));
        rest = &rest[at + part.len()..];
    }
}

/// Whether the machine forbids it: then the program says so and names the way out.
fn forbidden(ran: &Ran) -> bool {
    let forbidden =
        ran.code == Some(1) && ran.err.contains("does not let us make a network namespace");
    if forbidden {
        assert!(ran.err.contains("sudo nullrouted demo"), "{}", ran.err);
        left_out(&ran.err);
    }
    forbidden
}

#[test]
fn the_demonstration_tells_the_whole_story_on_the_real_kernel() {
    let ran = Ran::of(Command::new(PROGRAM).arg("demo").output().unwrap());
    if !forbidden(&ran) {
        told_in_order(&ran.code(0).out);
    }
}

#[test]
fn the_demonstration_needs_no_root() {
    if !is_root() {
        return;
    }
    // As root, become somebody else; a copy that he may read is run.
    let dir = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()
        .unwrap();
    let program = dir.path().join("nullrouted");
    std::fs::copy(PROGRAM, &program).unwrap();
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
    ]);
    let ran = Ran::of(command.arg(program).arg("demo").output().unwrap());
    if !forbidden(&ran) {
        told_in_order(&ran.code(0).out);
    }
}

#[test]
fn a_machine_that_forbids_namespaces_is_told_so_with_the_way_out() {
    // Inside a user namespace whose limit of further namespaces is zero.
    let line = format!(
        "echo 0 > /proc/sys/user/max_user_namespaces; echo 0 > /proc/sys/user/max_net_namespaces; exec {PROGRAM} demo"
    );
    let ran = Ran::of(
        Command::new("unshare")
            .args(["--user", "--map-root-user", "sh", "-c", &line])
            .output()
            .unwrap(),
    );
    if ran.err.starts_with("unshare:") {
        return left_out(&ran.err);
    }
    let ran = ran.code(1);
    assert!(
        ran.err
            .contains("this machine does not let us make a network namespace"),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains("sudo sysctl -w user.max_user_namespaces=10000"),
        "{}",
        ran.err
    );
}
