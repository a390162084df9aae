//! Whole processes, as an operator runs them: `cargo bench --bench process`.
//!
//! Prints the median of several runs and the peak memory; asserts nothing. Kernel and network are
//! left out, so it needs no rights.

mod sample;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_nullrouted");
const RUNS: usize = 21;

fn main() {
    let dir = tempfile::tempdir().unwrap();
    drop_sized(dir.path());
    million(dir.path());
}

/// A DROP-sized list: the verbs, and the daemon's memory.
fn drop_sized(dir: &Path) {
    fs::write(dir.join("drop.json"), sample::drop_json()).unwrap();
    let config = dir.join("drop.toml");
    let text = "state_dir = \"drop\"\n[[feed]]\nname = \"drop\"\npath = \"drop.json\"\nformat = \"spamhaus-json\"\n\
                [limits]\nmax_share_v4 = \"100%\"\n[kernel]\nenabled = false\n";
    fs::write(&config, text).unwrap();
    let first = timed(&config, &["refresh"]);
    println!("DROP-sized (1 700 networks)");
    println!(
        "  first refresh          {:>8.1} ms",
        first.as_secs_f64() * 1e3
    );
    for verb in [&["refresh"][..], &["plan"], &["why", "12.0.0.1"], &["list"]] {
        let mut times: Vec<_> = (0..RUNS).map(|_| timed(&config, verb)).collect();
        times.sort();
        println!(
            "  {:<22} {:>8.1} ms (median of {RUNS})",
            verb.join(" "),
            times[RUNS / 2].as_secs_f64() * 1e3
        );
    }
    daemon(dir);
}

/// The daemon after its first pass over a list that it fetched over HTTP.
fn daemon(dir: &Path) {
    let config = dir.join("daemon.toml");
    let text = format!(
        "state_dir = \"daemon\"\n[[feed]]\nname = \"drop\"\nurl = \"http://{}/\"\nformat = \"spamhaus-json\"\n\
         [limits]\nmax_share_v4 = \"100%\"\n[kernel]\nenabled = false\n",
        serve(sample::drop_json())
    );
    fs::write(&config, text).unwrap();
    let mut daemon = start(&config, &["run"]);
    sleep(Duration::from_secs(3));
    println!(
        "  daemon, resident       {:>8.1} MiB, peak {:.1} MiB",
        memory(&daemon, "VmRSS"),
        memory(&daemon, "VmHWM")
    );
    let _ = daemon.kill();
    let _ = daemon.wait();
}

/// One list on loopback, for as long as the benchmark runs.
fn serve(list: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                list.len()
            );
            let _ = stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(list.as_bytes()));
        }
    });
    address
}

/// A million lines: a first refresh, one that changes nothing, one that changes ten.
fn million(dir: &Path) {
    let list = sample::plain(1_000_000);
    fs::write(dir.join("million.list"), &list).unwrap();
    let config = dir.join("million.toml");
    let text = "state_dir = \"million\"\n[[feed]]\nname = \"million\"\npath = \"million.list\"\n\
                [limits]\nmax_routes = 4_000_000\nmax_share_v4 = \"100%\"\n[kernel]\nenabled = false\n";
    fs::write(&config, text).unwrap();
    println!("a million lines");
    println!(
        "  first refresh          {:>8.0} ms",
        timed(&config, &["refresh"]).as_secs_f64() * 1e3
    );
    println!(
        "  unchanged refresh      {:>8.0} ms",
        timed(&config, &["refresh"]).as_secs_f64() * 1e3
    );
    println!(
        "  plan                   {:>8.0} ms",
        timed(&config, &["plan"]).as_secs_f64() * 1e3
    );
    let fewer: String = list
        .lines()
        .skip(10)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(dir.join("million.list"), fewer).unwrap();
    println!(
        "  ten lines gone         {:>8.0} ms",
        timed(&config, &["refresh"]).as_secs_f64() * 1e3
    );
}

fn start(config: &Path, words: &[&str]) -> Child {
    let mut command = Command::new(PROGRAM);
    command.arg("--config").arg(config).args(words);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn timed(config: &Path, words: &[&str]) -> Duration {
    let start_time = Instant::now();
    let status = start(config, words).wait().unwrap();
    assert!(status.success(), "{words:?} ended with {status}");
    start_time.elapsed()
}

/// A line of /proc/PID/status, in MiB.
fn memory(child: &Child, key: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1024.0
}
