//! The terminal that a verb writes on: its width, colour by meaning, and the pager. Elsewhere a
//! text stays as it is.
//!
//! A view knows nothing of it: a line is wrapped at a blank, under its own indent, and coloured by
//! the word that it begins with. So what the daemon answers looks the same.

use std::env::{var, var_os};
use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSplitter};

use crate::progress::wants_plain;

/// How a text is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
    /// Whether colours are shown.
    pub colored: bool,
    /// The command that shows a text of more lines.
    pub pager: Option<String>,
}

/// Narrower terminals wrap by themselves.
const NARROWEST: usize = 40;
/// How much further than its line what is wrapped is indented.
const HANGING: &str = "    ";

/// What a line begins with, and the colour that says so.
const MEANINGS: [(&str, AnsiColor); 9] = [
    ("NOT ", AnsiColor::Red),
    ("HELD", AnsiColor::Yellow),
    ("PINNED", AnsiColor::Yellow),
    ("CLOCK", AnsiColor::Yellow),
    ("held: ", AnsiColor::Yellow),
    ("protected: ", AnsiColor::Green),
    ("+ ", AnsiColor::Green),
    ("- ", AnsiColor::Red),
    ("No changes", AnsiColor::Green),
];
/// The same, wherever in the line.
const ANYWHERE: [(&str, AnsiColor); 4] = [
    ("  FAILED  ", AnsiColor::Red),
    (" are installed: ", AnsiColor::Red),
    ("; NOT at ", AnsiColor::Red),
    ("  expired ", AnsiColor::Red),
];

impl Screen {
    /// That of stdout; `None` where it is no terminal.
    pub fn of_stdout() -> Option<Self> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return None;
        }
        let size = terminal_size::terminal_size_of(stdout);
        let (width, height) = size.map_or((80, 24), |(width, height)| (width.0, height.0));
        Some(Self {
            width: width.into(),
            height: height.into(),
            colored: !wants_plain(),
            pager: var("PAGER").ok().filter(|pager| !pager.trim().is_empty()),
        })
    }

    /// The text as it is shown.
    pub fn laid_out(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for line in text.lines() {
            let style = self.colored.then(|| style(line)).flatten();
            for part in self.wrapped(line) {
                match style {
                    Some(style) => shown.push_str(&format!("{style}{part}{style:#}")),
                    None => shown.push_str(&part),
                }
                shown.push('\n');
            }
        }
        shown
    }

    fn wrapped(&self, line: &str) -> Vec<String> {
        let text = line.trim_start_matches(' ');
        let indent = &line[..line.len() - text.len()];
        let hanging = format!("{indent}{HANGING}");
        let width = self.width.max(NARROWEST);
        let options = Options::new(width)
            .initial_indent(indent)
            .subsequent_indent(&hanging)
            .word_splitter(WordSplitter::NoHyphenation)
            .break_words(false);
        let parts = textwrap::wrap(text, options).into_iter();
        parts.map(|part| part.into_owned()).collect()
    }

    /// Show a text, in the pager where it is longer than the screen.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn show(&self, text: &str) -> io::Result<()> {
        let shown = self.laid_out(text);
        if shown.lines().count() >= self.height
            && let Some(pager) = &self.pager
            && page(pager, &shown).is_ok()
        {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(shown.as_bytes()).and_then(|()| out.flush())
    }
}

fn style(line: &str) -> Option<Style> {
    let text = line.trim_start();
    let begins = MEANINGS.iter().find(|(word, _)| text.starts_with(word));
    let has = || ANYWHERE.iter().find(|(word, _)| text.contains(word));
    let (_, color) = begins.or_else(has)?;
    Some(Style::new().fg_color(Some((*color).into())))
}

/// Let the pager show it. It is ended by its reader.
fn page(pager: &str, text: &str) -> io::Result<()> {
    let mut command = Command::new("sh");
    command.arg("-c").arg(pager).stdin(Stdio::piped());
    if var_os("LESS").is_none() {
        // Quit where it fits, keep the colours, and leave the text on the screen.
        command.env("LESS", "FRX");
    }
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        match input.write_all(text.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    let status = child.wait()?;
    match status.code() {
        // The shell did not find it.
        Some(126 | 127) => Err(io::ErrorKind::NotFound.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(width: usize, colored: bool) -> Screen {
        Screen {
            width,
            height: 24,
            colored,
            pager: None,
        }
    }

    #[test]
    fn a_long_line_is_wrapped_under_its_indent_and_no_word_is_cut() {
        let text = "short\n  a line of some words that is longer than forty columns\n\
                    /a/path/without/a/single/blank/that/is/longer/than/forty/columns\n\n";
        assert_eq!(
            screen(40, false).laid_out(text),
            "short\n  a line of some words that is longer\n      than forty columns\n\
             /a/path/without/a/single/blank/that/is/longer/than/forty/columns\n\n"
        );
        assert_eq!(screen(120, false).laid_out(text), text);
    }

    #[test]
    fn columns_stay_where_they_are() {
        let text = "feed noc     fresh          2 entries\n";
        assert_eq!(screen(80, false).laid_out(text), text);
    }

    #[test]
    fn colour_says_what_the_line_means() {
        let shown = |line: &str| screen(80, true).laid_out(line);
        assert_eq!(shown("HELD: x\n"), "\u{1b}[33mHELD: x\u{1b}[0m\n");
        assert_eq!(
            shown("  NOT at edge: gone\n"),
            "\u{1b}[31m  NOT at edge: gone\u{1b}[0m\n"
        );
        assert_eq!(
            shown("+ 192.0.2.0/24\n"),
            "\u{1b}[32m+ 192.0.2.0/24\u{1b}[0m\n"
        );
        assert_eq!(shown("all is well\n"), "all is well\n");
        assert_eq!(screen(80, false).laid_out("HELD: x\n"), "HELD: x\n");
    }
}
