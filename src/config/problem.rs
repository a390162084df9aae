//! The errors of a configuration, as an operator reads them.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::shown;

/// One error and its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The bytes that are wrong; `None` for the file as a whole.
    pub span: Option<Range<usize>>,
    /// What is wrong, beginning with the key.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// The place of an error and the error, as data.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Location {
    /// Line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 for the file as a whole.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Every error of one file, shown as `file:line:col` with the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    path: PathBuf,
    text: String,
    problems: Vec<Problem>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span: Some(span),
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

const NO_FILE: &str = "start from config/nullrouted.toml (README, \"Configure\"), or name \
                       another file with --config FILE";

impl Problems {
    pub(super) fn new(path: &Path, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.span.as_ref().map(|span| span.start));
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            problems,
        }
    }

    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let problem = Problem {
            span: None,
            message: error.to_string(),
            hint: (error.kind() == io::ErrorKind::NotFound).then(|| NO_FILE.to_owned()),
        };
        Self::new(path, "", vec![problem])
    }

    /// Number of problems.
    pub fn count(&self) -> usize {
        self.problems.len()
    }

    /// Every problem with its place.
    pub fn places(&self) -> Vec<Location> {
        let place = |problem: &Problem| {
            let (line, column) = problem
                .span
                .as_ref()
                .map_or((0, 0), |span| position(&self.text, span.start));
            Location {
                line,
                column,
                message: problem.message.clone(),
                hint: problem.hint.clone(),
            }
        };
        self.problems.iter().map(place).collect()
    }

    /// All lines except the summary. The file may contain any character: see [`crate::shown`].
    pub fn lines(&self) -> Vec<String> {
        let each = self.problems.iter();
        each.flat_map(|problem| self.shown(problem)).collect()
    }

    /// How many there are.
    pub fn summary(&self) -> String {
        match self.problems.len() {
            1 => "1 problem".to_owned(),
            n => format!("{n} problems"),
        }
    }

    fn shown(&self, problem: &Problem) -> Vec<String> {
        let path = shown::path(&self.path);
        let message = shown::line(&problem.message);
        let mut lines = match &problem.span {
            None => vec![format!("{path}: {message}")],
            Some(span) => {
                let start = span.start.min(self.text.len());
                let (line, column) = position(&self.text, start);
                let [before, wrong, after] = self.around(start, span.end);
                vec![
                    format!("{path}:{line}:{column}: {message}"),
                    format!("{line:5} | {before}{wrong}{after}"),
                    format!(
                        "      | {:indent$}{}",
                        "",
                        "^".repeat(wrong.chars().count().max(1)),
                        indent = before.chars().count()
                    ),
                ]
            }
        };
        if let Some(hint) = &problem.hint {
            lines.push(format!("      hint: {}", shown::line(hint)));
        }
        lines
    }

    /// The line of an error, as it is shown: before it, the error itself as far as it is on that
    /// line, after it.
    fn around(&self, start: usize, end: usize) -> [Cow<'_, str>; 3] {
        let text = &self.text;
        let first = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let last = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = end.clamp(start, last);
        let after = text[end..last].trim_end_matches('\r');
        [&text[first..start], &text[start..end], after].map(shown::line)
    }
}

/// Line and column of a byte of a text, both from 1.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before[line_start..].chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.lines().into_iter();
        lines.try_for_each(|line| writeln!(f, "{line}"))?;
        f.write_str(&self.summary())
    }
}

impl std::error::Error for Problems {}
