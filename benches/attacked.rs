//! Speed under attack, the build before compared with this one: `cargo bench --bench attacked`.
//!
//! ```text
//! git worktree add /tmp/before COMMIT && cd /tmp/before && cargo build --release
//! NULLROUTED_BEFORE=/tmp/before/target/release/nullrouted cargo bench --bench attacked
//! ```
//!
//! Prints the median time and the peak memory of a `refresh` that reads a range bomb: 2 MB that
//! stand for seven million prefixes. Without `NULLROUTED_BEFORE` there is nothing to compare with.
//! The build before takes a minute and 2 GB for each run. Kernel and network are left out, so it
//! needs no rights.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

const NOW: &str = env!("CARGO_BIN_EXE_nullrouted");
const BEFORE: &str = "NULLROUTED_BEFORE";
const ROUNDS: usize = 3;
/// What is asked for: at most this part of the time and of the memory of the build before.
const PART: f64 = 50.0;

/// Run by itself for each measurement, so that the peak memory of its only child is that of the
/// program.
const ONE: &str = "--one";

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    if let [one, program, config] = &words[..]
        && one == ONE
    {
        return measure(program, config);
    }
    let before = env::var(BEFORE).ok();
    if before.is_none() {
        println!("{BEFORE} names no program: this build alone, nothing to compare with");
    }
    let (mut then, mut now) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        if let Some(program) = &before {
            then.push(refresh(program));
            print(&format!("round {round}, before"), then[round - 1]);
        }
        now.push(refresh(NOW));
        print(&format!("round {round}, now"), now[round - 1]);
    }
    let now = medians(&mut now);
    print("median, now", now);
    if before.is_some() {
        let then = medians(&mut then);
        print("median, before", then);
        let time = then.0.as_secs_f64() / now.0.as_secs_f64();
        let memory = then.1 as f64 / now.1 as f64;
        let good = if time >= PART && memory >= PART {
            "yes"
        } else {
            "NO"
        };
        println!(
            "1/{time:.0} of the time, 1/{memory:.0} of the memory; at most 1/{PART:.0} of each: {good}"
        );
    }
}

/// Ranges of documentation space (RFC 9637), each of 182 prefixes.
fn bomb() -> String {
    let line = |i: u32| {
        let (high, low) = (i >> 4, i & 15);
        format!("3fff:{high:x}:{low:x}000::1-3fff:{high:x}:{low:x}fff:ffff:ffff:ffff:ffff:fffe\n")
    };
    (0..39_000).map(line).collect()
}

/// One refresh that reads it: how long it took, and its peak memory in bytes.
fn refresh(program: &str) -> (Duration, u64) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bomb.list"), bomb()).unwrap();
    let config = dir.path().join("nullrouted.toml");
    let text = "state_dir = \"state\"\n[[feed]]\nname = \"bomb\"\npath = \"bomb.list\"\n\
                [protect]\ndiscover = []\n[kernel]\nenabled = false\n";
    fs::write(&config, text).unwrap();
    // A local file that was just written is read twice; this one was not.
    let list = fs::File::options()
        .write(true)
        .open(dir.path().join("bomb.list"))
        .unwrap();
    let hour = Duration::from_secs(3_600);
    list.set_modified(std::time::SystemTime::now() - hour)
        .unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .arg(ONE)
        .arg(program)
        .arg(&config)
        .env("NULLROUTED_RUN_DIR", dir.path().join("run"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut words = said
        .split_whitespace()
        .map(|word| word.parse::<u64>().unwrap());
    let (micros, peak) = (words.next().unwrap(), words.next().unwrap());
    assert!(Path::new(&config).exists());
    (Duration::from_micros(micros), peak)
}

/// Run it, and print microseconds and bytes.
fn measure(program: &str, config: &str) {
    let begun = Instant::now();
    let mut command = Command::new(program);
    let command = command.args(["--config", config, "refresh"]);
    let ended = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let took = begun.elapsed();
    assert!(ended.code().is_some(), "{ended}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    println!("{} {}", took.as_micros(), usage.max_rss() * 1_024);
}

fn medians(runs: &mut [(Duration, u64)]) -> (Duration, u64) {
    let middle = runs.len() / 2;
    runs.sort_by_key(|run| run.0);
    let time = runs[middle].0;
    runs.sort_by_key(|run| run.1);
    (time, runs[middle].1)
}

fn print(what: &str, (time, peak): (Duration, u64)) {
    let (time, peak) = (time.as_secs_f64() * 1e3, peak as f64 / f64::from(1 << 20));
    println!("{what:<16} {time:>10.1} ms {peak:>9.1} MB peak");
}
