//! `run`: the daemon.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::output::Talk;
use super::serve::Served;
use super::{Exit, Outcome, Stop, block_on, load, output};
use crate::{allocator, daemon};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Cancel a pass that takes longer than this; protection goes on meanwhile
    #[arg(long, value_name = "SPAN", default_value = "30m", value_parser = humantime::parse_duration)]
    pass_timeout: Duration,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    allocator::begin_again();
    output::talk(Talk::Daemon);
    let config = load(path)?;
    let verbs = Arc::new(Served::of(path));
    let served = daemon::run(path, config, arguments.pass_timeout, verbs);
    block_on(served)?.map_err(Stop::failed)?;
    Ok(Exit::Done)
}
