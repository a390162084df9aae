//! The fuzz targets on a stable toolchain: for every target its seeds, changed at random and
//! checked with the invariants of `fuzz/src/checks.rs`, for `NULLROUTED_FUZZ_SECONDS` (0.3) a
//! target. The order of the changes is fixed, so that a failure comes again; how far it gets
//! depends on the machine.
//!
//! Seeds are the golden bodies of the format, and `fuzz/seeds/TARGET`.

#[path = "../../fuzz/src/checks.rs"]
mod checks;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use nullrouted::feed::formats::Format;

/// Longest input: what is odd shows in short ones.
const LONGEST: usize = 16_384;

/// What the parsers look at.
const TOKENS: [&[u8]; 48] = [
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\t",
    b" ",
    b",",
    b";",
    b"#",
    b"\"",
    b"'",
    b"!",
    b"-",
    b"/",
    b"/0",
    b"/1",
    b"/32",
    b"/128",
    b"::",
    b"0.0.0.0",
    b"255.255.255.255",
    b"0.0.0.0-255.255.255.255",
    b"::1-ffff::fffe",
    b"192.0.2.0/24\n",
    b"2001:db8::/32\n",
    b"; EOF\n",
    b"# END 1 entries",
    b"# Entries : 1 unique IPs\n",
    b"$SOA ",
    b":127.0.0.2:",
    b"nomatch",
    b" comment \"",
    b"timeout 1",
    b"add list=x address=192.0.2.1\n",
    b"/ip firewall address-list\n",
    b"deny ",
    b"allow 0.0.0.0/0;\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc2\x85",
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"[",
    b"]",
    b"{",
    b"}",
    b"null",
    b"999999999999999999999",
];

/// Random numbers that come the same in every run (xorshift64, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// A part of something this long.
    fn part(&mut self, len: usize) -> std::ops::Range<usize> {
        let (one, other) = (self.below(len + 1), self.below(len + 1));
        one.min(other)..one.max(other)
    }
}

fn change(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(input.len() + 1);
    match random.below(8) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = random.next() as u8,
        2 => input.truncate(at),
        3 => {
            let part = random.part(input.len());
            input.drain(part);
        }
        4 => {
            let part = random.part(other.len());
            input.splice(at..at, other[part].iter().copied());
        }
        5 => {
            let start = input[..at]
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            let end = input[at..]
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(input.len(), |n| at + n + 1);
            let line = input[start..end].repeat(1 + random.below(9));
            input.splice(start..start, line);
        }
        6 => {
            let digit = random.next() as u8 % 10 + b'0';
            input.insert(at, digit);
        }
        _ => {
            let token = TOKENS[random.below(TOKENS.len())];
            input.splice(at..at, token.iter().copied());
        }
    }
    input.truncate(LONGEST);
}

fn files(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| wanted(path.file_name().unwrap().to_str().unwrap()));
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let golden = crate::support::repository().join("tests/golden/feed");
    let any = matches!(target, "auto" | "body");
    let mut seeds = files(&golden, |name| {
        name.ends_with(".in") && (any || name.starts_with(&format!("{target}--")))
    });
    seeds.extend(files(
        &crate::support::repository().join("fuzz/seeds").join(target),
        |_| true,
    ));
    assert!(!seeds.is_empty(), "{target} has no seed");
    seeds
}

/// How many inputs were checked.
fn fuzz(target: &str, time: Duration) -> u64 {
    let seeds = seeds(target);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let check = |input: &[u8]| {
        if catch_unwind(|| checks::run(target, input)).is_err() {
            let shown = String::from_utf8_lossy(input);
            panic!("{target}: the invariants do not hold for {shown:?}\nbytes: {input:?}");
        }
    };
    seeds.iter().for_each(|seed| check(seed));
    let start = Instant::now();
    let mut checked = seeds.len() as u64;
    while start.elapsed() < time {
        let mut input = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(6) {
            let other = &seeds[random.below(seeds.len())];
            change(&mut input, other, &mut random);
        }
        check(&input);
        checked += 1;
    }
    checked
}

#[test]
fn the_invariants_of_every_target_hold_for_changed_seeds() {
    let seconds = std::env::var("NULLROUTED_FUZZ_SECONDS").ok();
    let seconds = seconds.map_or(0.3, |text| text.parse().expect("a number of seconds"));
    let formats = Format::NAMES.map(|(name, _)| name);
    for target in formats.iter().chain(&checks::OTHERS) {
        let checked = fuzz(target, Duration::from_secs_f64(seconds));
        println!("{target}: {checked} inputs");
    }
}

#[test]
fn every_target_has_its_file_for_cargo_fuzz() {
    let manifest =
        fs::read_to_string(crate::support::repository().join("fuzz/Cargo.toml")).unwrap();
    let formats = Format::NAMES.map(|(name, _)| name);
    for target in formats.iter().chain(&checks::OTHERS) {
        let file = format!("fuzz_targets/{target}.rs");
        assert!(
            manifest.contains(&format!("\"{file}\"")),
            "{target} is not in fuzz/Cargo.toml"
        );
        let source =
            fs::read_to_string(crate::support::repository().join("fuzz").join(file)).unwrap();
        assert!(
            source.contains(&format!("run(\"{target}\", data)")),
            "{target}"
        );
    }
}
