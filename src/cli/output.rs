//! What verbs share in how they speak.

pub mod heard;
mod journal;

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::Serialize;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};

use super::screen::Screen;
use super::{Exit, Outcome, Stop};
use crate::control::{Outlet, OutputPiece};
use crate::progress::Progress;
use crate::shown::{self, Lines};
use crate::view::View;

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Talk {
    /// Only what is wrong.
    Warnings,
    /// Each step, in one line, also when nothing changed.
    Steps,
    /// What changed or is wrong, once, with its time unless the journal adds it.
    Daemon,
}

/// How much the operator wants to be said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Volume {
    Quiet,
    #[default]
    Usual,
    Verbose,
}

static VOLUME: OnceLock<Volume> = OnceLock::new();

/// Say as much as this, from now on.
pub fn set_volume(volume: Volume) {
    let _ = VOLUME.set(volume);
}

fn volume() -> Volume {
    VOLUME.get().copied().unwrap_or_default()
}

/// What is under way is shown here, by a verb that talks; a daemon shows nothing.
static PROGRESS: OnceLock<Progress> = OnceLock::new();

/// Where the verb shows what is under way.
pub fn progress() -> &'static Progress {
    PROGRESS.get_or_init(Progress::default)
}

/// Send the lines of the library to stderr, above those of what is under way; other crates have
/// nothing to say to an operator.
pub fn talk(talk: Talk) {
    let _ = PROGRESS.set(match (talk, volume()) {
        (Talk::Daemon, _) | (_, Volume::Quiet) => Progress::default(),
        (Talk::Warnings | Talk::Steps, _) => Progress::on_stderr(),
    });
    let level = match (talk, volume()) {
        (_, Volume::Verbose) => LevelFilter::DEBUG,
        (_, Volume::Quiet) | (Talk::Warnings, _) => LevelFilter::WARN,
        (Talk::Steps, _) => LevelFilter::DEBUG,
        (Talk::Daemon, _) => LevelFilter::INFO,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Beside)
        .with_target(false)
        .with_level(false)
        // Its own errors are said by a macro that panics where stderr cannot be written.
        .log_internal_errors(false)
        .with_ansi(false);
    let lines = match (talk, journal::is_journal()) {
        // The journal adds the time.
        (Talk::Daemon, true) => lines.event_format(journal::Journal).boxed(),
        (Talk::Daemon, false) => lines.with_timer(Clock).boxed(),
        _ => lines.without_time().boxed(),
    };
    let ours = Targets::new().with_target(env!("CARGO_PKG_NAME"), level);
    let subscriber = tracing_subscriber::registry()
        .with(lines.with_filter(ours))
        .with((talk == Talk::Daemon).then(heard::layer));
    // Fails only when one is installed already: that one goes on.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Stderr, above what is shown there. A line of the subscriber is one write, and becomes one line.
/// It never fails: what cannot be said must not stop what is done.
struct Beside;

impl Write for Beside {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        say(text.trim_end_matches('\n'));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn to_stderr(bytes: &[u8]) {
    let _ = io::stderr().write_all(bytes);
}

/// What is kept until it may be said; `None` where it may be said at once.
static KEPT: Mutex<Option<Vec<u8>>> = Mutex::new(None);

/// From now on nothing is printed: a terminal that does not read must not keep the routes. At most
/// [`KEPT_MOST`] bytes are kept.
pub fn keep_talk() {
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
}

/// Print what was kept, and the rest at once, unless the operator wants it quiet.
pub fn release_talk() {
    if volume() != Volume::Quiet {
        print_kept();
    }
}

/// Print what was kept, and the rest at once.
pub fn print_kept() {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).take();
    to_stderr(&kept.unwrap_or_default());
}

/// Bytes of talk that are kept.
const KEPT_MOST: usize = 1 << 20;

/// Whether it was kept.
fn keep(line: &[u8]) -> bool {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(kept) = kept.as_mut() else {
        return false;
    };
    if kept.len() + line.len() <= KEPT_MOST {
        kept.extend_from_slice(line);
    }
    true
}

struct Clock;

impl tracing_subscriber::fmt::time::FormatTime for Clock {
    fn format_time(&self, w: &mut tracing_subscriber::fmt::format::Writer<'_>) -> std::fmt::Result {
        write!(w, "{}", crate::time::Timestamp::now())
    }
}

/// One line on stderr that says why a daemon ends.
pub fn say_error(line: impl fmt::Display) {
    match journal::is_journal() {
        true => say(format_args!("{}{line}", journal::ERROR)),
        false => say(line),
    }
}

/// One line on stderr. Where that cannot be written, the work goes on.
pub fn say(line: impl fmt::Display) {
    let mut whole = Vec::new();
    // A line is one write, so that those of two processes do not mix.
    let _ = writeln!(Lines::new(&mut whole), "{line}");
    let shown = String::from_utf8_lossy(&whole);
    if !keep(&whole) && !progress().print_above(shown.trim_end_matches('\n')) {
        to_stderr(&whole);
    }
}

/// Where a verb writes.
#[derive(Clone, Debug)]
pub enum Out {
    /// Stdout and stderr of this process.
    Ours,
    /// A client of the control socket.
    Client(Outlet),
}

impl Out {
    /// Write results, line by line. A reader that has seen enough (`| head`) is no failure.
    pub fn results(
        &self,
        write: impl FnOnce(&mut Lines<'_>) -> io::Result<()>,
    ) -> Result<(), Stop> {
        let written = match self {
            Self::Ours => {
                let mut out = BufWriter::new(io::stdout().lock());
                write(&mut Lines::new(&mut out)).and_then(|()| out.flush())
            }
            Self::Client(outlet) => {
                let mut out = Pieces::to(outlet);
                write(&mut Lines::new(&mut out)).and_then(|()| out.flush())
            }
        };
        shown_on_stdout(written)
    }

    /// Write one JSON value and a newline.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Stop> {
        self.results(|out| {
            shown::json(out.encoded(), value)?;
            writeln!(out)
        })
    }

    /// Write what a verb shows. Keys of JSON are in the order of the alphabet.
    pub fn show(&self, view: &impl View, json: bool) -> Result<(), Stop> {
        match json {
            true => self.json(&serde_json::json!(view)),
            false => self.screen(|out| view.print(out)),
        }
    }

    /// Write results as a text, which a terminal lays out.
    pub fn screen(&self, write: impl FnOnce(&mut Lines<'_>) -> io::Result<()>) -> Result<(), Stop> {
        let screen = match self {
            Self::Ours => Screen::of_stdout(),
            // It lays out what it receives.
            Self::Client(_) => None,
        };
        let Some(screen) = screen else {
            return self.results(write);
        };
        let mut text = Vec::new();
        let written = write(&mut Lines::new(&mut text));
        shown_on_stdout(written.and_then(|()| screen.show(&String::from_utf8_lossy(&text))))
    }

    /// Write results, and be done.
    pub fn done(&self, write: impl FnOnce(&mut Lines<'_>) -> io::Result<()>) -> Outcome {
        self.results(write).map(|()| Exit::Done)
    }

    /// One line on stderr. Where that cannot be written, the work goes on.
    pub fn say(&self, line: impl fmt::Display) {
        match self {
            Self::Ours => say(line),
            Self::Client(outlet) => {
                let _ = outlet.send(OutputPiece::Err(line.to_string()));
            }
        }
    }

    /// Whether this is the daemon, which answers for a verb.
    pub fn is_daemon(&self) -> bool {
        matches!(self, Self::Client(_))
    }
}

/// A reader that has seen enough is no failure.
fn shown_on_stdout(written: io::Result<()>) -> Result<(), Stop> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Stop::failed(format!("stdout: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Results in pieces of whole lines.
struct Pieces<'a> {
    outlet: &'a Outlet,
    text: Vec<u8>,
}

/// Bytes from which on a piece goes out.
const PIECE: usize = 64 << 10;

impl<'a> Pieces<'a> {
    fn to(outlet: &'a Outlet) -> Self {
        let text = Vec::new();
        Self { outlet, text }
    }

    /// Send this many bytes, which end with a line.
    fn send(&mut self, length: usize) -> io::Result<()> {
        let rest = self.text.split_off(length);
        let text = std::mem::replace(&mut self.text, rest);
        if text.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let sent = self.outlet.send(OutputPiece::Out(text));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        if self.text.len() >= PIECE
            && let Some(end) = memchr::memrchr(b'\n', &self.text)
        {
            self.send(end + 1)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send(self.text.len())
    }
}

/// Write results to stdout, line by line.
pub fn results(write: impl FnOnce(&mut Lines<'_>) -> io::Result<()>) -> Result<(), Stop> {
    Out::Ours.results(write)
}

/// Write results to stdout, as a text which a terminal lays out.
pub fn screen(write: impl FnOnce(&mut Lines<'_>) -> io::Result<()>) -> Result<(), Stop> {
    Out::Ours.screen(write)
}

/// Write one JSON value and a newline.
pub fn json(value: &impl Serialize) -> Result<(), Stop> {
    Out::Ours.json(value)
}

/// Write results, and be done.
pub fn done(write: impl FnOnce(&mut Lines<'_>) -> io::Result<()>) -> Outcome {
    Out::Ours.done(write)
}
