//! "At once", on a clock that stands still while the machine does.

use std::io::Write;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::namespace::Namespace;

/// A look takes no longer where nobody else is running.
pub const LOOK: Duration = Duration::from_millis(60);

/// In which most things are.
pub const SECOND: Duration = Duration::from_secs(1);

/// Wait until it is so, which is within `limit`.
///
/// Each look waits for what the program waits for, too ([`breathe`]). What this takes beyond
/// [`LOOK`] is taken for the load of others, and is not counted; but five times as long is too long
/// in any case.
#[track_caller]
pub fn soon(router: &Namespace, limit: Duration, what: &str, mut so: impl FnMut() -> bool) {
    let mut counted = Duration::ZERO;
    let start = Instant::now();
    loop {
        let look = Instant::now();
        if so() {
            return;
        }
        assert!(
            counted < limit && start.elapsed() < limit * 5,
            "not within {limit:?}: {what} ({:.1?} by the clock)",
            start.elapsed()
        );
        breathe(router.command("ip"));
        counted += look.elapsed().min(LOOK);
    }
}

/// A moment, and a wait for what the program waits for: a processor, the disk, and the lock on
/// routes that all namespaces share (`rtnl_mutex`, net/core/rtnetlink.c).
#[track_caller]
pub fn breathe(mut ip: Command) {
    // It is up, so nothing changes and nobody is told; the lock is taken all the same.
    let up = ip.args(["link", "set", "lo", "up"]).status();
    assert!(up.unwrap().success());
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"whether the disk answers").unwrap();
    file.sync_all().unwrap();
    sleep(Duration::from_millis(20));
}
