//! An unchanged pass with FRR that is installed and stopped: `cargo bench --bench stopped`.
//!
//! `NULLROUTED_BEFORE=PROGRAM` is another build, which is run in turn with this one: medians of
//! both and their ratio. The place is a network and mounts of its own (root, or a user who may make
//! such), so that neither an FRR nor a ssh server of this machine is seen.

mod sample;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_nullrouted");
const RUNS: usize = 31;

/// Set in the process that is in the namespaces.
const INSIDE: &str = "NULLROUTED_BENCH_INSIDE";

fn main() {
    if env::var_os(INSIDE).is_none() {
        let this = env::current_exe().unwrap();
        let mut unshare = Command::new("unshare");
        unshare.args(["--net", "--mount"]);
        // In a user namespace vtysh cannot read its own configuration, and ends at once.
        if !is_root() {
            println!(
                "not root: vtysh ends at once in a user namespace, so the build before looks too good"
            );
            unshare.arg("--map-root-user");
        }
        unshare.arg(this);
        let status = unshare.env(INSIDE, "1").status().unwrap();
        std::process::exit(status.code().unwrap_or(1));
    }
    if !Path::new("/usr/bin/vtysh").exists() {
        println!("FRR is not installed: the difference is not in what follows");
    }
    shell("ip link set lo up; if [ -d /run/frr ]; then mount -t tmpfs tmpfs /run/frr; fi");
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("drop.json"), sample::drop_json()).unwrap();
    let before = env::var_os("NULLROUTED_BEFORE").map(PathBuf::from);
    let builds = before
        .map(|program| ("before", program))
        .into_iter()
        .chain([("now", PathBuf::from(PROGRAM))]);
    // Copies of both: how a linker writes a file makes a difference of a millisecond to who starts
    // it.
    let builds: Vec<(&str, PathBuf)> = builds
        .map(|(name, program)| {
            let copy = dir.path().join(format!("nullrouted-{name}"));
            fs::copy(program, &copy).unwrap();
            (name, copy)
        })
        .collect();
    println!("an unchanged refresh of a DROP-sized list (1 700 networks), FRR stopped");
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); builds.len()];
    let configs: Vec<PathBuf> = builds
        .iter()
        .map(|(name, _)| place(dir.path(), name))
        .collect();
    for ((_, program), config) in builds.iter().zip(&configs) {
        // A route of one build is not for the other to keep: each has a mark of its own.
        timed(program, config);
        timed(program, config);
    }
    for _ in 0..RUNS {
        for (at, ((_, program), config)) in builds.iter().zip(&configs).enumerate() {
            times[at].push(timed(program, config));
        }
    }
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort();
            times[RUNS / 2].as_secs_f64() * 1e3
        })
        .collect();
    for ((name, _), median) in builds.iter().zip(&medians) {
        println!("  {name:<8} {median:>8.1} ms (median of {RUNS}, in turn)");
    }
    if let [before, now] = medians[..] {
        println!("  ratio    {:>8.2}", now / before);
    }
}

/// A configuration with a state directory and a mark of its own.
fn place(dir: &Path, name: &str) -> PathBuf {
    let config = dir.join(format!("{name}.toml"));
    let table = if name == "now" { 1_001 } else { 1_002 };
    let text = format!(
        "state_dir = \"{name}\"\n[[feed]]\nname = \"drop\"\npath = \"drop.json\"\nformat = \"spamhaus-json\"\n\
         [limits]\nmax_share_v4 = \"100%\"\n[kernel]\ntable = {table}\n"
    );
    fs::write(&config, text).unwrap();
    config
}

fn timed(program: &Path, config: &Path) -> Duration {
    let mut command = Command::new(program);
    command.arg("--config").arg(config).arg("refresh");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().unwrap();
    let took = begun.elapsed();
    assert!(status.success(), "{}: {status}", program.display());
    took
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|folder| std::os::unix::fs::MetadataExt::uid(&folder) == 0)
}

fn shell(line: &str) {
    assert!(
        Command::new("sh")
            .args(["-ec", line])
            .status()
            .unwrap()
            .success()
    );
}
