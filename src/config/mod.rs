//! The configuration: written (the TOML shapes) → check (every problem at once) → model.
//!
//! Nothing here touches a route. A file with one problem gives no configuration at all, and the
//! caller stays with the one it has.

mod check;
mod decisive;
mod decode;
mod model;
mod print;
mod problem;
mod written;

pub use decisive::{Decisive, decisive, differences};
pub use model::{
    Config, FeedConfig, KernelConfig, Origin, OriginsConfig, RouterConfig, TypedProtect,
};
pub use print::print;
pub use problem::{Place, Problem, Problems};

use std::path::Path;

use crate::files;
use crate::target::kernel::Mark;

/// Largest configuration that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Read and check a configuration file.
///
/// # Errors
/// Every problem of the file, or the one that it cannot be read.
pub fn load(path: &Path) -> Result<Config, Problems> {
    let text =
        files::read_text(path, MAX_BYTES).map_err(|error| Problems::unreadable(path, &error))?;
    parse(path, &text, &|file| std::fs::read(file))
}

/// Reads the files that the configuration names; a parameter, so that checking needs no disk.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>;

/// What can be understood of a file, however broken: for `flush`, which must work from any state.
/// The problems, if there are any, are as [`load`] reports them.
pub fn salvage(path: &Path) -> (Config, Option<Problems>) {
    let problems = match load(path) {
        Ok(config) => return (config, None),
        Err(problems) => problems,
    };
    let text = files::read_text(path, MAX_BYTES).unwrap_or_default();
    let (written, mut ignored) = decode::decode(&text);
    let base = path.parent().unwrap_or(Path::new(""));
    let read: ReadFile = &|file| std::fs::read(file);
    let mut config = check::check(&written, base, read, &mut ignored);
    if decode::is_broken(&text) {
        // A mark is not guessed: the routes of others would be taken for ours.
        config.kernel.mark = Mark::default();
    }
    (config, Some(problems))
}

/// Check a configuration text. `path` is for the messages and for relative paths in it; `read`
/// reads the protect files.
pub fn parse(path: &Path, text: &str, read: ReadFile) -> Result<Config, Problems> {
    let (written, mut problems) = decode::decode(text);
    let base = path.parent().unwrap_or(Path::new(""));
    let config = check::check(&written, base, read, &mut problems);
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(Problems::new(path, text, problems))
    }
}

#[cfg(test)]
mod tests;
