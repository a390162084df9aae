//! `verify`: ask the kernel, prefix by prefix, whether packets would really be dropped.

use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Exit, Outcome, Stop, block_on, load, output, read_ledger};
use crate::ledger::Ledger;
use crate::progress::wants_plain;
use crate::targets::kernel::sources;
use crate::verify::verify;

const EXITS: &str = "Ends with 0 when everything in force is dropped, with 1 when something gets through \
                     or the kernel cannot be asked. Nothing is changed: cures are advice.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXITS)]
pub(super) struct Arguments {
    /// Everything as JSON
    #[arg(long)]
    json: bool,
    /// Ask about the same random addresses again: the number that an earlier report named
    #[arg(long, value_name = "N")]
    random_seed: Option<u64>,
}

pub(super) fn run(path: &Path, arguments: &Arguments) -> Outcome {
    output::talk(output::Talk::Warnings);
    let config = load(path)?;
    if !config.kernel.enabled {
        let why = "the kernel target is disabled ([kernel] enabled = false)";
        return nothing(arguments, "off", why);
    }
    let ledger = read_ledger(&config, &output::Out::Ours)?;
    let generation = |ledger: &Ledger| Ok::<_, Stop>(ledger.generation()?.map(|row| row.number));
    let number = generation(&ledger)?;
    let set = ledger.in_force()?.nets;
    if set.is_empty() {
        return nothing(
            arguments,
            "empty",
            "nothing is in force: there is nothing to ask",
        );
    }
    let seed = arguments.random_seed.unwrap_or_else(any_seed);
    let bar = bar(set.len() as u64);
    let asked = block_on(verify(&set, &config.kernel, seed, |done| {
        bar.set_position(done)
    }))?;
    bar.finish_and_clear();
    let mut report = asked.map_err(Stop::failed)?;
    let sources = block_on(sources::read(&config.kernel))?;
    report.sources.push(format!("sources: {sources}"));
    if generation(&ledger)? != number {
        let note = "another generation came into force meanwhile: ask again";
        report.notes.push(note.to_owned());
    }
    if arguments.json {
        output::json(&report.json(number))?;
    } else {
        output::screen(|out| report.print(out))?;
    }
    Ok(match report.all_dropped() {
        true => Exit::Done,
        false => Exit::Failed,
    })
}

fn nothing(arguments: &Arguments, verdict: &str, why: &str) -> Outcome {
    if arguments.json {
        output::json(&json!({"verdict": verdict, "leaks": [], "notes": [why]}))?;
        return Ok(Exit::Done);
    }
    output::done(|out| writeln!(out, "{why}"))
}

/// Short enough to be typed.
fn any_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.subsec_micros().into())
}

/// A line on stderr, where that is a terminal that can move its cursor.
fn bar(prefixes: u64) -> ProgressBar {
    if wants_plain() || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("[{bar:20}] {pos} of {len} prefixes")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(prefixes).with_style(style)
}
