//! `run`: the daemon.

use std::path::Path;

use super::output::Talk;
use super::{Exit, Outcome, Stop, block_on, load, output};
use crate::daemon;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(path: &Path, _arguments: &Arguments) -> Outcome {
    output::talk(Talk::Daemon);
    let config = load(path)?;
    block_on(daemon::run(path, config))?.map_err(Stop::failed)?;
    Ok(Exit::Done)
}
