//! How long `nullrouted add` takes until the route is in the kernel, and the memory of the daemon
//! that holds all other routes: `cargo bench --bench add`, or with a number of lines and of samples
//! of one's own: `cargo bench --bench add -- 1000000 21`.
//!
//! The time runs from the start of the verb until a netlink listener sees the route, and until the
//! verb has ended. The ledger is on the disk of the current folder. `NULLROUTED_BEFORE=FILE` names
//! another build; the samples of both are interleaved. Each build has a network namespace of its
//! own, which this makes, as root.

mod daemon;

#[path = "../sample/mod.rs"]
mod sample;

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const INSIDE: &str = "NULLROUTED_BENCH_OUTSIDE";
const LINES: usize = 1_000_000;
const SAMPLES: usize = 21;

fn main() {
    let words = std::env::args().skip(1);
    let words: Vec<String> = words.filter(|word| !word.starts_with('-')).collect();
    if let Some(outside) = std::env::var_os(INSIDE) {
        let here = std::fs::read_link("/proc/self/ns/net").unwrap();
        assert_ne!(
            here.as_os_str(),
            outside,
            "refusing: not a namespace of its own"
        );
        return daemon::measure(&words[0], words[1].parse().unwrap());
    }
    let number = |at: usize| words.get(at).and_then(|word| word.parse().ok());
    let (lines, samples) = (number(0).unwrap_or(LINES), number(1).unwrap_or(SAMPLES));
    let before = std::env::var("NULLROUTED_BEFORE").ok();
    let builds = before.map(|file| ("before", file));
    let this = env!("CARGO_BIN_EXE_nullrouted").to_owned();
    let builds = builds.into_iter().chain([("this build", this)]);
    let mut builds: Vec<Build> = builds
        .map(|(name, program)| Build::start(name, &program, lines))
        .collect();
    for _ in 0..samples {
        builds.iter_mut().for_each(Build::sample);
    }
    println!(
        "one address among those of {lines} lines, ms (median of {samples}; fastest to slowest)"
    );
    for build in builds {
        build.show();
    }
}

/// A build in a namespace of its own, and what was measured of it.
struct Build {
    name: &'static str,
    child: Child,
    ask: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    settled: String,
    samples: Vec<[f64; 2]>,
}

impl Build {
    fn start(name: &'static str, program: &str, lines: usize) -> Self {
        let outside = std::fs::read_link("/proc/self/ns/net").unwrap();
        let mut unshare = Command::new("unshare");
        unshare.arg("--net").arg(std::env::current_exe().unwrap());
        unshare
            .args([program, &lines.to_string()])
            .env(INSIDE, outside);
        let mut child = unshare
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let ask = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let settled = answers.next().unwrap().unwrap();
        Self {
            name,
            child,
            ask,
            answers,
            settled,
            samples: Vec::new(),
        }
    }

    fn sample(&mut self) {
        self.answer("add");
        let line = self.answers.next().unwrap().unwrap();
        let mut times = line.split(' ').map(|time| time.parse().unwrap());
        self.samples
            .push([times.next().unwrap(), times.next().unwrap()]);
    }

    fn answer(&mut self, word: &str) {
        writeln!(self.ask, "{word}").unwrap();
    }

    fn show(mut self) {
        self.answer("end");
        let ended = self.answers.next().unwrap().unwrap();
        self.child.wait().unwrap();
        println!("{}: {}", self.name, self.settled);
        for (at, what) in ["until the kernel has it", "until the verb has ended"]
            .iter()
            .enumerate()
        {
            let mut times: Vec<f64> = self.samples.iter().map(|one| one[at]).collect();
            times.sort_by(f64::total_cmp);
            let (first, last) = (times[0], times[times.len() - 1]);
            println!(
                "  {what:<26}{:>9.1}  ({first:.1} to {last:.1})",
                times[times.len() / 2]
            );
        }
        println!("  after that: {ended}");
    }
}
