//! From a list of prefixes to the lines of a prefix-list, compared with other printers:
//! `cargo bench --bench printers`, or with a number of prefixes and of rounds: `cargo bench --bench
//! printers -- 100000 5`.
//!
//! Ours reads the list from a file, merges it, takes away what is protected or reserved, and writes
//! FRR's lists, all in one thread. `iprange` reads, merges and prints the same file. `bgpq4` asks a
//! registry of ours on the loopback, which answers with the same prefixes at once, and prints them.
//! Each once in a round, medians over the rounds.

mod sample;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nullrouted::feed::formats::{Format, Rules, parse_body};
use nullrouted::policy::Policy;
use nullrouted::policy::limits::{Limits, Review};
use nullrouted::policy::protect::Protect;
use nullrouted::prefix::Effective;
use nullrouted::rib::{Rib, Source};
use nullrouted::targets::file::{
    Family, FileInput, FileOptions, Reasons, Role, ToUnconfigure, render,
};

/// What `iprange` and `bgpq4` write before a prefix.
const BEFORE: &str = "ip prefix-list NULLROUTED-V4 permit ";

fn main() {
    let words = std::env::args().skip(1);
    let numbers: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
    let prefixes = numbers.first().copied().unwrap_or(1_000_000);
    let rounds = numbers.get(1).copied().unwrap_or(3);
    let dir = tempfile::tempdir().unwrap();
    let (list, out) = (dir.path().join("list"), dir.path().join("out"));
    let text = sample::plain(prefixes);
    std::fs::write(&list, &text).unwrap();
    let prefixes_of_all: String = text.lines().collect::<Vec<_>>().join(" ");
    let registry = registry(prefixes_of_all);

    type Way<'a> = (&'a str, Box<dyn Fn() + 'a>);
    let mut ways: Vec<Way<'_>> = vec![("nullrouted", Box::new(|| ours(&list, &out)))];
    if there("iprange") {
        let mut words = vec!["--print-prefix", BEFORE];
        let file = list.display().to_string();
        words.push(Box::leak(file.into_boxed_str()));
        ways.push((
            "iprange --print-prefix",
            Box::new({
                let out = &out;
                move || process("iprange", &words, out)
            }),
        ));
    }
    if there("bgpq4") {
        let words = [
            "-h",
            Box::leak(registry.into_boxed_str()),
            "-l",
            "NULLROUTED-V4",
            "AS3333",
        ];
        ways.push((
            "bgpq4",
            Box::new({
                let out = &out;
                move || process("bgpq4", &words, out)
            }),
        ));
    }
    let mut took: Vec<Vec<Duration>> = vec![Vec::new(); ways.len()];
    let mut sizes = vec![0; ways.len()];
    for round in 0..rounds {
        for turn in 0..ways.len() {
            let way = (round + turn) % ways.len();
            let begun = Instant::now();
            ways[way].1();
            took[way].push(begun.elapsed());
            sizes[way] = std::fs::metadata(&out).unwrap().len();
        }
    }
    println!("{prefixes} prefixes, {rounds} rounds: median, least, greatest in ms; bytes written");
    for ((name, _), (mut took, size)) in ways.iter().zip(took.into_iter().zip(sizes)) {
        took.sort();
        let ms = |at: usize| took[at].as_secs_f64() * 1e3;
        println!(
            "{name:<24}{:>9.0}{:>9.0}{:>9.0}{size:>12}",
            ms(took.len() / 2),
            ms(0),
            ms(took.len() - 1)
        );
    }
}

fn ours(list: &Path, out: &Path) {
    let list = std::fs::read(list).unwrap();
    let rib = Rib::merge(vec![Source {
        any_length: false,
        name: "bench".into(),
        reserved: false,
        copy: Arc::new(parse_body(&list, &Rules::of(Format::Cidr)).unwrap()),
    }]);
    let policy = Policy {
        protect: Protect::new(Vec::new()),
        limits: Limits::default(),
        review: Review::default(),
    };
    let effective = Effective::new(policy.apply(&rib).set, []);
    let input = FileInput {
        effective: &effective,
        to_unconfigure: ToUnconfigure::nothing(),
        attributions: &[],
        reasons: Reasons::default(),
        own: &[],
        limits: &policy.limits,
        metric: 0,
        selected: None,
    };
    let text = render(&FileOptions::usual(Family::Frr, Role::Trigger), &input);
    std::fs::write(out, text).unwrap();
}

fn there(program: &str) -> bool {
    let asked = Command::new("sh")
        .args(["-c", "command -v \"$1\"", "sh", program])
        .output();
    let there = asked.unwrap().status.success();
    if !there {
        println!("left out: {program} is not installed");
    }
    there
}

fn process(program: &str, words: &[&str], out: &Path) {
    let out = std::fs::File::create(out).unwrap();
    let mut command = Command::new(program);
    let status = command
        .args(words)
        .stdin(Stdio::null())
        .stdout(out)
        .status();
    assert!(status.unwrap().success(), "{program}");
}

/// A registry that knows these prefixes as those of every AS, as `!g` of IRRd answers. Its address.
fn registry(prefixes: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut answers = stream.try_clone().unwrap();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let answer = match line.as_str() {
                    "!!" => continue,
                    "!q" => break,
                    "!s-lc" => "A4\nOURS\nC\n".to_owned(),
                    line if line.starts_with("!gas") => {
                        format!("A{}\n{prefixes}\nC\n", prefixes.len() + 1)
                    }
                    _ => "C\n".to_owned(),
                };
                if answers.write_all(answer.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    address
}
