//! A7: nobody else can hold the lock or read the ledger, and no innocent process is named.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crate::support::{PROGRAM, Place, Ran, is_root, left_out};

const LIST: &str = "192.0.2.0/24\n";

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

/// Everything under the state directory, with its mode.
#[track_caller]
fn is_private(dir: &Path) {
    assert_eq!(mode(dir), 0o700, "{}", dir.display());
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => is_private(&path),
            false => assert_eq!(mode(&path), 0o600, "{}", path.display()),
        }
    }
}

/// A verb behind these words.
fn behind(place: &Place, words: &[&str], verb: &[&str]) -> Ran {
    let [first, rest @ ..] = words else {
        return place.run(verb);
    };
    let mut program = Command::new(first);
    program.args(rest).arg(PROGRAM);
    Ran::of(place.command(program, verb).output().unwrap())
}

pub fn whatever_the_umask() {
    for umask in ["000", "022", "077", "777"] {
        let place = Place::of_list(LIST);
        let line = format!("umask {umask}; exec \"$0\" \"$@\"");
        behind(&place, &["sh", "-c", &line], &["refresh"]).code(0);
        // While it is open SQLite's files are there, too.
        let open = place.ledger();
        open.execute_batch("BEGIN IMMEDIATE; ROLLBACK").unwrap();
        assert!(place.path("state/copies").is_dir());
        is_private(&place.path("state"));
        is_private(&place.path("run"));
    }
}

pub fn wider_before() {
    let place = Place::of_list(LIST);
    place.run(&["refresh"]).code(0);
    let open = place.ledger();
    open.execute_batch("BEGIN IMMEDIATE; ROLLBACK").unwrap();
    for (name, mode) in [
        ("state", 0o777),
        ("state/pass.lock", 0o666),
        ("state/ledger.sqlite", 0o644),
        ("state/ledger.sqlite-wal", 0o644),
        ("state/ledger.sqlite-shm", 0o644),
    ] {
        fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
    }
    place.run(&["refresh"]).code(0);
    for name in [
        "pass.lock",
        "ledger.sqlite",
        "ledger.sqlite-wal",
        "ledger.sqlite-shm",
    ] {
        let name = format!("state/{name}");
        assert_eq!(mode(&place.path(&name)), 0o600, "{name}");
    }
    assert_eq!(mode(&place.path("state")), 0o700);
    // A directory in which others have files stays open to them.
    place.write("state/theirs", "");
    fs::set_permissions(place.path("state"), Permissions::from_mode(0o1777)).unwrap();
    place.run(&["refresh"]).code(0);
    assert_eq!(mode(&place.path("state")), 0o1777);
}

pub fn another_user() {
    if !is_root() {
        return left_out("another user is had by root only");
    }
    let place = Place::of_list(LIST);
    fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
    let line = "umask 000; exec \"$0\" \"$@\"";
    behind(&place, &["sh", "-c", line], &["refresh"]).code(0);
    let lock = place.path("state/pass.lock");
    let theirs = Command::new("setpriv")
        .args(["--reuid=nobody", "--clear-groups", "flock", "-s", "-n"])
        .arg(&lock)
        .arg("true")
        .output();
    let theirs = Ran::of(theirs.unwrap());
    assert_ne!(theirs.code, Some(0));
    assert!(theirs.err.contains("Permission denied"), "{}", theirs.err);
    place.run(&["refresh"]).code(0);
}

pub fn an_innocent_process() {
    let place = Place::of_list(LIST);
    place.run(&["refresh"]).code(0);
    let lock = place.path("state/pass.lock");
    let theirs = File::open(&lock).unwrap();
    theirs.lock_shared().unwrap();
    let busy = format!(
        "another program is running (it holds {}); nothing was changed; try again when it has ended\n",
        lock.display()
    );
    // A process that has ended, one that is another program, and none.
    let ended = {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    };
    let ended = format!("nullrouted refresh, pid {ended}\n");
    for named in [
        &ended[..],
        "nullrouted refresh, pid 1\n",
        "",
        "pid -1",
        "pid 0",
    ] {
        fs::write(&lock, named).unwrap();
        let ran = place.run(&["refresh"]).code(1);
        assert_eq!(ran.err, busy, "{named:?}");
    }
    // It is not told to read its configuration again either.
    drop(theirs);
    let daemon = place.path("state/daemon.lock");
    fs::write(&daemon, "nullrouted run, pid 1\n").unwrap();
    let theirs = File::open(&daemon).unwrap();
    theirs.lock_shared().unwrap();
    place.run(&["refresh"]).code(0);
    let status = place.run(&["status"]).code(0);
    assert!(!status.out.contains("listening"), "{}", status.out);
}

pub fn made_by_root_before() {
    if !is_root() {
        return left_out("another user is had by root only");
    }
    let place = Place::of_list(LIST);
    place.run(&["refresh"]).code(0);
    fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
    let state = place.path("state").display().to_string();
    let by_service = ["setpriv", "--reuid=nobody", "--clear-groups"];
    let denied = |path: &str| {
        format!(
            "state_dir {state}: Permission denied: {path} belongs to root, and this runs as nobody: type `sudo chown -R \
             nobody: {state}` if nobody is the user of the service, else run this as root"
        )
    };
    for verb in ["refresh", "status"] {
        let ran = behind(&place, &by_service, &[verb]).code(1);
        assert!(ran.err.contains(&denied(&state)), "{verb}: {}", ran.err);
    }
    // Half of it was handed over.
    Command::new("chown")
        .args(["nobody", &state])
        .status()
        .unwrap();
    let ran = behind(&place, &by_service, &["refresh"]).code(1);
    let lock = format!("{state}/pass.lock");
    assert!(ran.err.contains(&denied(&lock)), "{}", ran.err);
    fs::remove_file(&lock).unwrap();
    let ran = behind(&place, &by_service, &["refresh"]).code(1);
    let ledger = format!("{state}/ledger.sqlite");
    assert!(ran.err.contains(&denied(&ledger)), "{}", ran.err);
    // What is to be typed is right.
    let chown = Command::new("chown")
        .args(["-R", "nobody:", &state])
        .status();
    assert!(chown.unwrap().success());
    behind(&place, &by_service, &["refresh"]).code(0);
}
