//! Shows running downloads and router commands on a terminal (I/O): a line for each, removed
//! afterwards.

use std::env::var_os;
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// The display. The default shows nothing.
#[derive(Clone, Debug, Default)]
pub struct Progress(Option<Bars>);

#[derive(Clone, Debug, Default)]
struct Bars {
    all: MultiProgress,
    /// The number of lines.
    count: Arc<AtomicUsize>,
}

/// The line of one download or command; it is removed when this is dropped.
#[derive(Debug)]
pub struct Line(Option<Shown>);

#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    count: Arc<AtomicUsize>,
}

/// Whether a terminal is to get plain lines: it cannot move its cursor, or `NO_COLOR` asks for that
/// (<https://no-color.org>).
pub fn wants_plain() -> bool {
    let is_set = |name: &str| var_os(name).is_some_and(|value| !value.is_empty());
    is_set("NO_COLOR") || var_os("TERM").is_some_and(|term| term == "dumb")
}

impl Progress {
    /// On stderr, if it is a terminal that can move its cursor and `NO_COLOR` does not ask for
    /// plain lines (<https://no-color.org>).
    pub fn on_stderr() -> Self {
        Self((stderr().is_terminal() && !wants_plain()).then(Bars::default))
    }

    /// A line for a feed.
    pub fn line(&self, name: &str) -> Line {
        self.add(name, "{prefix}  waiting")
    }

    /// A line for a command of a router, with the elapsed time.
    pub fn command(&self, name: &str, command: &str) -> Line {
        self.add(&format!("{name}  {command}"), "{prefix}  {elapsed}")
    }

    fn add(&self, prefix: &str, template: &str) -> Line {
        Line(self.0.as_ref().map(|Bars { all, count }| {
            count.fetch_add(1, Ordering::Relaxed);
            let bar = all.add(ProgressBar::no_length());
            bar.set_style(style(template));
            bar.set_prefix(prefix.to_owned());
            bar.tick();
            let count = count.clone();
            Shown { bar, count }
        }))
    }

    /// Print lines above these. Returns whether there are any; errors of the terminal are ignored.
    pub fn print_above(&self, lines: &str) -> bool {
        let Some(Bars { all, count }) = &self.0 else {
            return false;
        };
        if count.load(Ordering::Relaxed) == 0 {
            return false;
        }
        // Not `suspend`, which panics if the terminal cannot be written.
        let _ = all.println(lines);
        true
    }
}

impl Line {
    /// The body begins; `bytes` is its length, if it is known.
    pub fn begin(&self, bytes: Option<u64>) {
        let Some(Shown { bar: line, .. }) = &self.0 else {
            return;
        };
        match bytes {
            Some(bytes) => {
                line.set_length(bytes);
                line.set_style(style(
                    "{prefix}  [{bar:20}] {decimal_bytes} of {decimal_total_bytes}",
                ));
            }
            None => line.set_style(style("{prefix}  {decimal_bytes}")),
        }
    }

    /// Update the elapsed time.
    pub fn tick(&self) {
        if let Some(Shown { bar: line, .. }) = &self.0 {
            line.tick();
        }
    }

    /// The number of bytes received so far.
    pub fn at(&self, bytes: usize) {
        if let Some(Shown { bar: line, .. }) = &self.0 {
            line.set_position(bytes as u64);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(Shown { bar, count }) = &self.0 {
            bar.finish_and_clear();
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
