//! Router files: one family, one file, one pure function from the effective set to text.
//!
//! ```text
//!  effective set ──┐
//!  origin ASes ────┼──► FileInput ────┬──► head (`texts/`), then the lines of the family
//!  listings ───────┘                  │                    └──► published by `targets::file::publish`
//!  family, role ──────► FileOptions ──┘
//! ```
//!
//! What all share: the bytes depend on the input alone. No clock, so equal inputs give equal bytes;
//! one changed prefix changes one line; and an empty set still renders a list that matches nothing.
//! A publisher's own words stand where they mean nothing to a router, and only as `reasons::Reason`
//! writes them; JSON has them whole, as JSON strings.

mod command;
mod families;
pub(super) mod family;
mod head;
pub(super) mod input;
pub mod lists;
pub(super) mod options;
pub(super) mod parts;
pub mod publish;
mod target;

use super::list::{csv, json};
use family::TooMany;
use parts::text::Text;

pub use family::{Commands, Family};
pub use input::{FileInput, Selected};
pub use options::{AnnounceTo, Direction, FileOptions, Lists, Role};
pub use parts::auto::{Chosen, Version, choose};
pub use parts::reasons::Reasons;
pub use parts::to_unconfigure::ToUnconfigure;
pub use target::RouterFile;

/// The text of a router file.
pub fn render(options: &FileOptions, input: &FileInput) -> String {
    let kind = options.family.kind();
    let (_, write) = kind.file(options.role);
    let mut out = Text::with_room(HEAD_BYTES * 4 + input.set().len() * kind.room);
    out.push(kind.first);
    out.push(&head::head(options, input));
    write(&mut out, options, input);
    (kind.end)(&mut out, options.role);
    out.done()
}

/// Whether a file begins as those do that we write, of whatever family.
pub fn is_ours(content: &[u8]) -> bool {
    let first = content.split(|byte| *byte == b'\n').take(HEAD_LINES);
    let head = content.get(..HEAD_BYTES).unwrap_or(content);
    let says = |line: &[u8]| contains(line, head::WRITTEN.as_bytes());
    // Two formats have no comments; each begins in its own way.
    let listed = [csv::BEGINS, json::BEGINS];
    first.take_while(|line| line.len() <= HEAD_BYTES).any(says)
        || listed
            .iter()
            .any(|begins| head.starts_with(begins.as_bytes()))
}

/// The head of a file is searched in this part of it: an edit may have put a line above it.
const HEAD_LINES: usize = 3;
const HEAD_BYTES: usize = 1_024;

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The commands that lead from the loaded file to the next one, if the family has them and they are
/// shorter.
pub fn delta(options: &FileOptions, loaded: &str, text: &str) -> Option<String> {
    options.family.kind().delta?(loaded, text)
}

/// The commands that remove what a former file of ours leaves behind when the next one is loaded.
pub fn former(options: &FileOptions, former: &str, text: &str) -> Option<String> {
    options.family.kind().former?(former, text)
}

/// The warning and the alternative if the router copes badly with this number of prefixes.
pub fn too_many(options: &FileOptions, v4: usize, v6: usize) -> Option<String> {
    let TooMany {
        most,
        each,
        says,
        instead,
    } = (options.family.kind().too_many)(options)?;
    let (count, counted) = match each {
        true => (v4.max(v6), "entries of a kind"),
        false => (v4 + v6, "prefixes"),
    };
    (count > most).then(|| format!("{count} {counted}: above {most} {says}. Instead: {instead}"))
}

#[cfg(test)]
mod tests;
