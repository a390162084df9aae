//! A router's reload takes longer than the service manager waits for the start.

use std::process::Stdio;
use std::time::Duration;

use crate::support::frr::Running;
use crate::support::namespace::{Namespace, eventually};
use crate::support::notified::Notified;
use crate::support::{NOC, PROGRAM, Place};

/// The reload lasts as long as the file is there, at most as long as the test.
const RELOAD: &str = "while test -e FILE; do sleep 0.1; done";

pub fn ready_does_not_wait_for_it() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new("");
    let reload = RELOAD.replace("FILE", &place.path("loading").display().to_string());
    place.configure(&format!(
        "{NOC}[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\nreload = [\"sh\", \"-c\", \"{reload}\"]\n"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    place.write("loading", "");
    let notified = Notified::at(&place.path("notify"));
    let mut command = place.command(router.command(PROGRAM), &["run"]);
    command.stderr(Stdio::null()).stdout(Stdio::null());
    let mut daemon = Running(notified.by(&mut command).spawn().unwrap());

    let ready = notified.tells("READY=1", Duration::from_secs(10));
    assert!(ready.is_some(), "ready while the reload goes on");
    assert_eq!(router.ours(), ["blackhole 192.0.2.0/24"]);
    eventually("the file is being loaded", || {
        place.path("edge1.conf").exists()
    });
    // It stops while the reload goes on, too, well within TimeoutStopSec.
    daemon.signal("-TERM");
    let stopping = notified.tells("STOPPING=1", Duration::from_secs(10));
    assert!(stopping.is_some(), "a stop does not wait for it either");
    eventually("it has ended", || daemon.0.try_wait().unwrap().is_some());
    assert_eq!(daemon.0.wait().unwrap().code(), Some(0));
}
