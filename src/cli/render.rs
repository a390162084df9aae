//! `render`: print one router's file for the set in force, or how it differs from the one on disk.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use similar::TextDiff;

use super::{Exit, Outcome, Stop, load, output};
use crate::config::RouterConfig;
use crate::files;
use crate::ledger::Ledger;
use crate::pass::inputs::{Basis, Cache, Inputs};
use crate::pass::sets::Sets;
use crate::pass::wanted;
use crate::shown;
use crate::targets::file::RouterFile;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The name of a [[router]] in the configuration
    router: String,
    /// How it differs from the file on disk, as a unified diff; ends with 2 where it does
    #[arg(long)]
    diff: bool,
}

/// Longest search for the least difference; what is found then is right, and longer than it needs
/// to be.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    let config = load(path)?;
    let named = config
        .routers
        .iter()
        .find(|router| router.name == arguments.router);
    let router = named.ok_or_else(|| {
        let names: Vec<_> = config
            .routers
            .iter()
            .map(|router| router.name.as_str())
            .collect();
        let there = if names.is_empty() {
            "none is configured".to_owned()
        } else {
            shown::permitted("there are", &arguments.router, &names)
        };
        Stop::usage(format!(
            "{}: no router of this name; {there}",
            arguments.router
        ))
    })?;
    let ledger = Ledger::read(&config.state_dir)?;
    let now = ledger.now()?;
    let inputs = Inputs::read(&config, &ledger, &mut Cache::default(), now)?;
    let decision = Arc::new(inputs.decide(now));
    let basis = Basis {
        config: &config,
        ledger: &ledger,
        inputs: &inputs,
        decision: &decision,
        now,
    };
    let sets = Sets::in_force(basis)?;
    let wanted = wanted::recorded(basis, inputs.in_force.clone(), &sets)?;
    let text = RouterFile::new(router, output::progress()).text(&wanted);
    match arguments.diff {
        true => diff(router, &text),
        false => output::done(|out| out.text(&text)),
    }
}

/// Largest file that is compared, in bytes.
const LARGEST: u64 = 1 << 30;

/// What would change on disk.
fn diff(router: &RouterConfig, text: &str) -> Outcome {
    let path = shown::path(&router.path);
    let old = files::within(&router.path, files::PATIENCE, |path| {
        files::read(path, LARGEST)
    });
    let (old, name) = match old {
        Ok(old) => (old, path.as_str()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), "/dev/null"),
        Err(error) => return Err(Stop::failed(format!("{path}: {error}"))),
    };
    let old = String::from_utf8_lossy(&old);
    if old == text {
        return Ok(Exit::Done);
    }
    let diff = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(&*old, text);
    let unified = diff.unified_diff().header(name, &path).to_string();
    output::results(|out| out.text(&unified))?;
    Ok(Exit::Changes)
}
