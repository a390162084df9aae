//! The second confirmation: on a terminal, by the very prefix.

use std::io::{self, IsTerminal, Write};

use super::super::{Stop, output};
use crate::plan::joined;
use crate::policy::objection::Objection;

/// Ask on the terminal to type `word` again.
pub(super) fn confirm(what: &[Objection], word: &str) -> Result<(), Stop> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Stop::usage(format!(
            "{}; --force has to be confirmed on a terminal, and this is none; nothing was changed",
            joined(what, "; ")
        )));
    }
    what.iter().for_each(output::say);
    let mut err = io::stderr().lock();
    let mut answer = String::new();
    let asked = write!(err, "To do it all the same, type {word} again: ")
        .and_then(|()| err.flush())
        .and_then(|()| io::stdin().read_line(&mut answer));
    match asked {
        Ok(_) if answer.trim() == word => Ok(()),
        Ok(_) => Err(Stop::failed("not confirmed; nothing was changed")),
        Err(error) => Err(Stop::failed(format!(
            "terminal: {error}; nothing was changed"
        ))),
    }
}
