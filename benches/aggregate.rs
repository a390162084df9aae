//! One list from bytes to the fewest prefixes, compared with `iprange`, each as a whole process
//! reading the same file and printing the result: `cargo bench --bench aggregate [-- FILE]`.
//!
//! Without a file it is 1.6 million lines made here, shaped like a real union of lists. Ours keeps
//! every listing with its feed, line and reference on the way; `iprange` keeps addresses alone.

mod sample;

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nullrouted::feed::formats::{Format, Rules, parse_body};
use nullrouted::policy::Policy;
use nullrouted::policy::limits::{Limits, Review};
use nullrouted::policy::protect::Protect;
use nullrouted::rib::{Rib, Source};

const ROUNDS: usize = 11;
const LINES: usize = 1_600_000;
/// Set for the process that is measured.
const CHILD: &str = "NULLROUTED_BENCH_LIST";

fn main() {
    if let Some(list) = std::env::var_os(CHILD) {
        return aggregate(Path::new(&list));
    }
    let dir = tempfile::tempdir().unwrap();
    let list = match std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
    {
        Some(file) => PathBuf::from(file),
        None => {
            let made = dir.path().join("list");
            fs::write(&made, sample::plain(LINES)).unwrap();
            made
        }
    };
    let entries = fs::read(&list)
        .unwrap()
        .iter()
        .filter(|byte| **byte == b'\n')
        .count();
    println!(
        "{}: {entries} lines, {ROUNDS} rounds in turn",
        list.display()
    );
    let (mut ours, mut theirs, mut peak) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let (time, bytes) = run_ours(&list);
        ours.push(time);
        peak = peak.max(bytes);
        theirs.extend(run_iprange(&list));
    }
    let ours = median(&mut ours);
    let per_entry = peak as f64 / entries as f64;
    println!(
        "nullrouted  {ours:>8.1?}  peak {} KiB, {per_entry:.1} bytes an entry",
        peak / 1024
    );
    if theirs.is_empty() {
        println!("iprange     not installed");
        return;
    }
    let theirs = median(&mut theirs);
    println!("iprange     {theirs:>8.1?}");
    println!(
        "ratio       {:.2} of iprange's time",
        ours.as_secs_f64() / theirs.as_secs_f64()
    );
}

/// What is measured: parsed, merged with provenance, reserved space cut, aggregated, printed.
fn aggregate(list: &Path) {
    let body = fs::read(list).unwrap();
    let copy = parse_body(&body, &Rules::of(Format::Cidr)).unwrap();
    drop(body);
    let source = Source {
        any_length: false,
        name: "bench".into(),
        // As `iprange` does: everything that is listed.
        reserved: true,
        copy: Arc::new(copy),
    };
    let policy = Policy {
        protect: Protect::new(Vec::new()),
        limits: Limits::default(),
        review: Review::default(),
    };
    let set = policy.apply(&Rib::merge(vec![source])).set;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for prefix in &*set.v4 {
        writeln!(out, "{prefix}").unwrap();
    }
    for prefix in &*set.v6 {
        writeln!(out, "{prefix}").unwrap();
    }
    out.flush().unwrap();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    eprintln!("{}", peak.trim().trim_end_matches(" kB"));
}

/// Time, and the most memory that was in use, in bytes.
fn run_ours(list: &Path) -> (Duration, u64) {
    let start = Instant::now();
    let done = Command::new(std::env::current_exe().unwrap())
        .env(CHILD, list)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let time = start.elapsed();
    assert!(done.status.success());
    let kib: u64 = String::from_utf8(done.stderr)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    (time, kib * 1024)
}

fn run_iprange(list: &Path) -> Option<Duration> {
    let start = Instant::now();
    let done = Command::new("iprange")
        .arg(list)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let time = start.elapsed();
    done.ok()?.success().then_some(time)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
