//! `run`: the daemon.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::output::Talk;
use super::serve::Served;
use super::{Exit, Outcome, Stop, block_on, load, output};
use crate::daemon;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Cancel a pass that takes longer than this; protection goes on meanwhile
    #[arg(long, value_name = "SPAN", default_value = "30m", value_parser = humantime::parse_duration)]
    pass_timeout: Duration,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    with_allocator();
    output::talk(Talk::Daemon);
    let config = load(path)?;
    let verbs = Arc::new(Served::of(path));
    let served = daemon::run(path, config, arguments.pass_timeout, verbs);
    block_on(served)?.map_err(Stop::failed)?;
    Ok(Exit::Done)
}

/// Settings of the allocator of the C library (mallopt(3)), which takes them from the environment
/// at the start of a program: a set of megabytes is returned to the system when it is freed.
/// Otherwise a daemon keeps most of what each of its threads has ever used at once.
const ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "1048576"),
    ("MALLOC_TRIM_THRESHOLD_", "1048576"),
];

/// Set where this was begun with them. The C library removes them for a program with capabilities
/// of its own.
const SETTLED: &str = "NULLROUTED_ALLOCATOR";

/// Begin again with these settings, in the same process. Settings of the operator stand, and where
/// it fails the daemon only needs more memory.
fn with_allocator() {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    if is_set(SETTLED) || ALLOCATOR.iter().any(|(name, _)| is_set(name)) {
        return;
    }
    let mut words = std::env::args_os();
    if let (Ok(program), Some(name)) = (std::env::current_exe(), words.next()) {
        let mut again = Command::new(program);
        again
            .arg0(name)
            .args(words)
            .envs(ALLOCATOR)
            .env(SETTLED, "1");
        // It returns only where it fails.
        let _ = again.exec();
    }
}
