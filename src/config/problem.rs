//! What is wrong with a configuration, as an operator reads it.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One problem at one place of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the text that are wrong; `None` for the file as a whole.
    pub span: Option<Range<usize>>,
    /// What is wrong, beginning with the key.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Where a problem stands and what it is, as data.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// Line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 for the file as a whole.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Every problem of one file, shown as `file:line:col` with the line itself.
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
            hint: (error.kind() == io::ErrorKind::NotFound)
                .then(|| "name another file with --config FILE".to_owned()),
        };
        Self::new(path, "", vec![problem])
    }

    /// Number of problems.
    pub fn count(&self) -> usize {
        self.problems.len()
    }

    /// Every problem with its place.
    pub fn places(&self) -> Vec<Place> {
        let place = |problem: &Problem| {
            let (line, column) = problem
                .span
                .as_ref()
                .map_or((0, 0), |span| self.position(span.start));
            Place {
                line,
                column,
                message: problem.message.clone(),
                hint: problem.hint.clone(),
            }
        };
        self.problems.iter().map(place).collect()
    }

    /// Line and column of a byte of the text, both from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at.min(self.text.len())];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[line_start..].chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }

    fn show(&self, f: &mut fmt::Formatter<'_>, problem: &Problem) -> fmt::Result {
        let path = self.path.display();
        let Some(span) = &problem.span else {
            writeln!(f, "{path}: {}", problem.message)?;
            return self.show_hint(f, problem);
        };
        let start = span.start.min(self.text.len());
        let (line, column) = self.position(start);
        let shown = self.text.lines().nth(line - 1).unwrap_or_default();
        let line_end = self.text[start..]
            .find('\n')
            .map_or(self.text.len(), |at| start + at);
        let width = self.text[start..span.end.clamp(start, line_end)]
            .chars()
            .count()
            .max(1);
        writeln!(f, "{path}:{line}:{column}: {}", problem.message)?;
        writeln!(f, "{line:5} | {shown}")?;
        writeln!(
            f,
            "      | {:indent$}{}",
            "",
            "^".repeat(width),
            indent = column - 1
        )?;
        self.show_hint(f, problem)
    }

    fn show_hint(&self, f: &mut fmt::Formatter<'_>, problem: &Problem) -> fmt::Result {
        match &problem.hint {
            Some(hint) => writeln!(f, "      hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            self.show(f, problem)?;
        }
        match self.problems.len() {
            1 => f.write_str("1 problem"),
            n => write!(f, "{n} problems"),
        }
    }
}

impl std::error::Error for Problems {}
