//! The configuration: written (the TOML shapes) → check (every problem at once) → model.
//!
//! Nothing here changes a route. A file with one error gives no configuration at all, and the
//! caller keeps the previous one.

mod advice;
mod check;
mod decisive;
mod decode;
mod model;
mod modes;
mod places;
mod print;
mod problem;
pub(crate) mod writes;
mod written;

pub(crate) use advice::Advice;
pub(crate) use decisive::{Decisive, SettingChange, decisive, differences};
pub use model::Config;
pub(crate) use model::{FeedConfig, KernelConfig, Origin, OriginsConfig, RouterConfig};
pub(crate) use print::fingerprint;
pub use print::print;
pub use problem::{Location, Problem, Problems};

use std::path::Path;

use crate::files;
use crate::targets::kernel::Mark;
use places::Real;

/// Largest configuration that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Largest file that a configuration names and that is read with it, in bytes.
const MAX_NAMED_BYTES: u64 = 256 << 20;

/// Read and check a configuration file. One that another user may have written is an error: it
/// names commands that run as the user of the program.
///
/// # Errors
/// Every error of the file, or why it cannot be read.
pub fn load(path: &Path) -> Result<Config, Problems> {
    judged(path).map(|(_, config)| config)
}

/// The text and the configuration, if no other user may have written it.
fn judged(path: &Path) -> Result<(String, Config), Problems> {
    let file = files::open(path).map_err(|error| Problems::unreadable(path, &error))?;
    let about = file.metadata();
    drop(file);
    let (text, config) = unjudged(path)?;
    let about = about.map_err(|error| Problems::unreadable(path, &error))?;
    match modes::problem(path, &about, &config.state_dir) {
        Some(problem) => Err(Problems::new(path, "", vec![problem])),
        None => Ok((text, config)),
    }
}

fn unjudged(path: &Path) -> Result<(String, Config), Problems> {
    let text =
        files::read_text(path, MAX_BYTES).map_err(|error| Problems::unreadable(path, &error))?;
    let config = parse_on(path, &text, &read_named, &places::real)?;
    Ok((text, config))
}

fn read_named(file: &Path) -> std::io::Result<Vec<u8>> {
    files::within(file, files::PATIENCE, |f| files::read(f, MAX_NAMED_BYTES))
}

/// The same, with advice on what the configuration refers to.
///
/// # Errors
/// As [`load`].
pub(crate) fn examine(path: &Path) -> Result<(Config, Vec<Advice>), Problems> {
    let (text, config) = judged(path)?;
    let (written, _) = decode::decode(&text);
    let advice = advice::collect(path, &text, &written, &config);
    Ok((config, advice))
}

/// Reads the files that the configuration names; a parameter, so that checking needs no disk.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>;

/// What can be read of a file that may be broken, whatever its owner: for `flush`, which must work
/// in any state. The errors, if any, are those of [`load`].
pub(crate) fn salvage(path: &Path) -> (Config, Option<Problems>) {
    match unjudged(path) {
        Ok((_, config)) => (config, None),
        Err(problems) => {
            let text = files::read_text(path, MAX_BYTES).unwrap_or_default();
            (understood(path, &text, &read_named).0, Some(problems))
        }
    }
}

/// What a flush needs first.
pub(crate) struct PartialConfig {
    /// As much as could be read; none of the files that it names was read, so nothing is protected.
    pub config: Config,
    /// Whether the mark is that of the file, and not the default.
    pub knows_mark: bool,
    /// Whether the state directory is that of the file, and not the default.
    pub knows_state_dir: bool,
}

/// The mark and the state directory, from this file alone.
pub(crate) fn read_partially(path: &Path) -> PartialConfig {
    let text = files::read_text(path, MAX_BYTES).unwrap_or_default();
    let nothing: ReadFile = &|_| Ok(Vec::new());
    let (config, names_state_dir, is_sound) = understood(path, &text, nothing);
    // A file without a line, as a full disk leaves it, does not even say that the defaults apply.
    let says_something = text.lines().any(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    let knows_mark = is_sound && says_something;
    PartialConfig {
        config,
        knows_mark,
        knows_state_dir: names_state_dir || knows_mark,
    }
}

/// Whatever can be read of a text, whether it names a state directory, and whether it has no error.
fn understood(path: &Path, text: &str, read: ReadFile) -> (Config, bool, bool) {
    let (written, mut problems) = decode::decode(text);
    let base = path.parent().unwrap_or(Path::new(""));
    let mut config = check::check(&written, base, read, &mut problems);
    if decode::is_broken(text) {
        // A mark is not guessed: routes of other programs would be taken for ours.
        config.kernel.mark = Mark::default();
    }
    (config, written.state_dir.is_some(), problems.is_empty())
}

/// Check a configuration text. `path` is for the messages and for relative paths in it; `read`
/// reads the protect files.
pub fn parse(path: &Path, text: &str, read: ReadFile) -> Result<Config, Problems> {
    parse_on(path, text, read, &places::as_written)
}

/// The same; `real` resolves paths.
fn parse_on(path: &Path, text: &str, read: ReadFile, real: Real) -> Result<Config, Problems> {
    let (written, mut problems) = decode::decode(text);
    let base = path.parent().unwrap_or(Path::new(""));
    let config = check::check(&written, base, read, &mut problems);
    check::places(&written, (path, &config), real, &mut problems);
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(Problems::new(path, text, problems))
    }
}

#[cfg(test)]
mod tests;
