//! A list stands for far more prefixes than may ever come into force.

use std::time::{Duration, Instant};

use crate::support::Place;
use crate::support::http::{Answer, Server};

/// So many IPv6 ranges of 182 prefixes each: 57 bytes a line, of documentation space (RFC 9637).
pub fn bomb(ranges: u32) -> String {
    let line = |i: u32| {
        let (high, low) = (i >> 4, i & 15);
        format!("3fff:{high:x}:{low:x}000::1-3fff:{high:x}:{low:x}fff:ffff:ffff:ffff:ffff:fffe\n")
    };
    (0..ranges).map(line).collect()
}

const GOOD: &str = "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n";

fn place(server: &Server, more: &str) -> Place {
    let place = Place::new(&format!(
        "[[feed]]\nname = \"far\"\nurl = \"{}\"\n{more}[kernel]\nenabled = false\n",
        server.url()
    ));
    place.run(&["refresh"]).code(0);
    place
}

pub fn range_bomb() {
    let server = Server::new(Answer::Body(GOOD.to_owned()));
    let place = place(&server, "");
    let before = place.run(&["list"]).out;
    server.answer(Answer::Body(bomb(39_000)));
    let begun = Instant::now();
    let ran = place.run(&["refresh"]).code(0);
    let took = begun.elapsed();
    ran.says(
        "feed=far  foreign: the ranges in its first 398 lines stand for more than 71904 prefixes, which \
         those of no list do; keeping 3 entries from ",
    );
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(place.run(&["list"]).out, before);
    let ledger = std::fs::metadata(place.path("state/ledger.sqlite")).unwrap();
    assert!(ledger.len() < 5 << 20, "{} bytes", ledger.len());
    let copies = std::fs::read_dir(place.path("state/copies")).unwrap();
    let largest = copies.map(|copy| copy.unwrap().metadata().unwrap().len());
    assert!(largest.max().unwrap() < 1_000, "it is not stored");
    single_entries(&server);
}

/// The same with single entries: the limit follows `max_routes`, and a list that is joined to fewer
/// may pass.
fn single_entries(server: &Server) {
    let hosts = |count: u32| -> String {
        let host = |i: u32| format!("11.{}.{}.{}\n", i >> 16, i >> 8 & 255, i & 255);
        (0..count).map(host).collect()
    };
    server.answer(Answer::Body(GOOD.to_owned()));
    let place = place(
        server,
        "[limits]\nmax_routes = 1_000\nmax_added = \"1000000%\"\n",
    );
    server.answer(Answer::Body(hosts(100_001)));
    place.run(&["refresh"]).code(0).says(
        "feed=far  foreign: more than 100000 entries, which is all that [limits] max_routes lets a list have \
         (4 for each route, at least 100000); keeping 3 entries from ",
    );
    server.answer(Answer::Body(format!("{GOOD}{}", hosts(90_000))));
    place.run(&["refresh"]).code(0).says("90003 entries");
    let listed = place.run(&["list"]).out;
    assert!(listed.lines().count() < 20 && listed.contains("11.0.0.0/16"));
}
