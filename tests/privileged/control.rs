//! What a daemon tells of the routes of this machine over its control socket.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use serde_json::Value;

use crate::support::daemon::Daemon;
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NOC, PROGRAM, Place};

const QUERIES: [&str; 7] = [
    "192.0.2.1",
    "192.0.2.7",
    "2001:db8:bad::7",
    "2001:db8:bad::1",
    "192.0.2.0/24",
    "192.0.2.0/25",
    "203.0.113.1",
];

#[test]
fn a_daemon_tells_where_a_route_is_as_the_verb_does_alone() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!("{NOC}every = \"1h\"\n"));
    place.write("noc.list", "192.0.2.0/24\n2001:db8:bad::/48\n");
    router.ip("route add 192.0.2.7/32 dev lo");
    router.ip("-6 route add 2001:db8:bad::7/128 dev lo");
    place.run_in(&router, &["refresh"]).code(0);
    let alone = QUERIES.map(|query| {
        let ran = place.run_in(&router, &["why", query, "--json"]).code(0);
        ran.json()
    });
    for told in &alone[1..3] {
        let told = told.to_string();
        assert!(
            told.contains("a more specific route that is not ours wins"),
            "{told}"
        );
    }
    let daemon = Daemon::begin(&place, router.command(PROGRAM), &["run"]);
    daemon.says("policy");
    let lock = File::open(place.path("state/pass.lock")).unwrap();
    eventually("its first pass has ended", || lock.try_lock().is_ok());
    drop(lock);
    for (query, alone) in QUERIES.into_iter().zip(alone) {
        assert_eq!(told(&place, query), alone, "{query}");
    }
    // A better route of another program at the same place.
    router.ip("-6 route add 2001:db8:bad::/48 dev lo metric 1");
    let better = told(&place, "2001:db8:bad::1").to_string();
    assert!(better.contains("with a better metric, wins"), "{better}");
}

/// What the daemon says over its socket.
fn told(place: &Place, query: &str) -> Value {
    let folder = std::fs::read_dir(place.path("run")).unwrap();
    let mut paths = folder.map(|entry| entry.unwrap().path());
    let path = paths.find(|path| path.to_string_lossy().ends_with(".control"));
    let mut stream = UnixStream::connect(path.unwrap()).unwrap();
    write!(stream, "GET /why?query={query} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}
