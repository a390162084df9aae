//! A packed body costs far more than it holds.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::support::Place;
use crate::support::http::{Answer, Server};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn gzip_members() {
    let good = gzip(b"192.0.2.0/24\n");
    let server = Server::new(Answer::Bytes(good.clone()));
    let place = Place::new(&format!(
        "[[feed]]\nname = \"far\"\nurl = \"{}\"\n[kernel]\nenabled = false\n",
        server.url()
    ));
    place.run(&["refresh"]).code(0);
    // A raw deflate stream of empty blocks, in one member.
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = [&head[..], &[0x02, 0x08, 0x20, 0x80, 0].repeat(12_000_000)].concat();
    let zip = [
        &b"PK\x03\x04"[..],
        &[&b"PK\x01\x02"[..], &[0; 42]].concat().repeat(1_000_000),
    ]
    .concat();
    for (body, why) in [
        (
            gzip(b"").repeat(3_000_000),
            "feed=far  foreign: gzip with more than 1025 members for 0 bytes, which no list has; keeping 1 ",
        ),
        (
            blocks,
            " packed bytes hold 0, so no list is in them; keeping 1 entries from ",
        ),
        (
            zip,
            "feed=far  foreign: a zip archive with more than 16 files; one is expected; keeping 1 entries from ",
        ),
    ] {
        server.answer(Answer::Bytes(body));
        let begun = Instant::now();
        place.run(&["refresh"]).code(0).says(why);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(8), "{took:?}");
        assert_eq!(place.run(&["list"]).out, "192.0.2.0/24\n");
    }
    // Two members are a list like any other.
    let two = [good, gzip(b"198.51.100.0/24\n")].concat();
    server.answer(Answer::Bytes(two));
    place.run(&["refresh"]).code(0);
    assert_eq!(place.run(&["list"]).lines().len(), 2);
}
