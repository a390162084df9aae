//! The command line: one file a verb. Results go to stdout, talk goes to stderr.

mod ask;
mod change;
mod check;
mod demo;
mod feeds;
mod flush;
mod history;
mod init;
mod list;
mod net;
mod operator;
mod output;
mod pin;
mod plan;
mod refresh;
mod render;
mod review;
mod run;
mod screen;
mod serve;
mod site;
mod status;
mod unpin;
mod verify;
mod who;
mod why;

use std::ffi::OsString;
use std::future::Future;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Parser, Subcommand};
use nix::sys::signal::Signal;

use crate::config::{self, Config, Problems};
use crate::control::{Change, End, Pin, Refresh, Review, Unpin};
use crate::ledger::{Busy, Ledger, LedgerError, OperatorEntry};
use crate::pass::PassError;
use crate::shown;
use output::{Out, Volume};

/// The configuration that is read where no other one is named.
const CONFIG: &str = "/etc/nullrouted/nullrouted.toml";

/// The version, and what it was built from.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("NULLROUTED_BUILT_FROM"));

/// Null-route daemon: published lists of hostile networks in, blackhole routes and router files
/// out.
#[derive(Debug, Parser)]
#[command(name = "nullrouted", version = VERSION, max_term_width = 100)]
struct Arguments {
    /// The configuration
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "NULLROUTED_CONFIG",
        default_value = CONFIG
    )]
    config: PathBuf,
    /// Errors only on stderr, and only where the verb fails; a daemon logs warnings and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Each step on stderr; a daemon logs more of what it does
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a commented configuration to start from; never overwrites one
    Init,
    /// The daemon: refresh on schedule, keep kernel and files in step
    Run(run::Arguments),
    /// One pass over the feeds, then exit
    #[command(after_help = refresh::EXITS)]
    Refresh(change::Arguments<Refresh>),
    /// What a pass over the copies at hand would change, and why; changes nothing
    Plan(plan::Arguments),
    /// Read the configuration and report every problem
    Check(check::Arguments),
    /// The set in force
    List(list::Arguments),
    /// What happens to an address and because of which listings, or why it is not blackholed
    Why(why::Arguments),
    /// Feeds: what is configured and how it is doing, and the presets that can be turned on
    Feeds(feeds::Arguments),
    /// Feeds, set, holds, targets
    Status(status::Arguments),
    /// Ask the kernel, prefix by prefix, whether packets would really be dropped, and why not
    Verify(verify::Arguments),
    /// The log book, what ever touched a prefix, and the sets of earlier generations
    History(history::Arguments),
    /// Print one router's file
    Render(render::Arguments),
    /// Drop a prefix that no feed lists
    Add(operator::EnterArguments),
    /// End an add
    Remove(change::Arguments<End>),
    /// Never drop a prefix, whatever lists it
    Allow(operator::EnterArguments),
    /// End an allow
    Disallow(change::Arguments<End>),
    /// Apply a held change: exactly the one with this ID
    Approve(change::Arguments<Review>),
    /// Do not apply a held change
    Reject(change::Arguments<Review>),
    /// Freeze what is in force, or go back to an earlier generation
    Pin(change::Arguments<Pin>),
    /// Withdraw all our routes from every target and stay withdrawn until unpin
    Flush(flush::Arguments),
    /// End a pin or a flush: put the set of the copies at hand in force again
    Unpin(change::Arguments<Unpin>),
    /// See it all in a throw-away network namespace; needs neither root nor network
    Demo(demo::Arguments),
}

/// How a verb ends. The numbers are a stable interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Done; for `plan`: no change.
    Done,
    /// Something failed, or a configured feed has never had a copy; `check --strict` has advice.
    Failed,
    /// `plan` or `render --diff` found changes.
    Changes,
    /// A change is held.
    Held,
    /// The command line or the configuration is wrong.
    Usage,
    /// What `status --check` found.
    Checked(status::Severity),
    /// As the daemon says.
    Of(u8),
    /// The daemon cannot answer this from memory: the verb does it itself.
    Alone,
}

impl Exit {
    /// Whether the verb could not do its work.
    fn is_failure(self) -> bool {
        matches!(self.code(), 1 | 64)
    }

    /// The exit code.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed | Self::Alone => 1,
            Self::Changes => 2,
            Self::Held => 3,
            Self::Usage => 64,
            Self::Checked(severity) => severity as u8,
            Self::Of(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a verb could not do its work: what the operator reads, and how it ends.
#[derive(Debug)]
struct Stop {
    exit: Exit,
    /// Lines above the text: every problem of a configuration.
    above: Vec<String>,
    /// One line.
    text: String,
}

type Outcome = Result<Exit, Stop>;

impl Stop {
    fn failed(text: impl ToString) -> Self {
        Self {
            exit: Exit::Failed,
            above: Vec::new(),
            text: text.to_string(),
        }
    }

    /// The daemon leaves it to the verb.
    fn alone() -> Self {
        Self {
            exit: Exit::Alone,
            above: Vec::new(),
            text: String::new(),
        }
    }

    fn usage(text: impl ToString) -> Self {
        Self {
            exit: Exit::Usage,
            above: Vec::new(),
            text: text.to_string(),
        }
    }

    /// Every problem of a configuration, and how many there are; `rest` is said behind that.
    fn problems(problems: &Problems, rest: &str) -> Self {
        Self {
            exit: Exit::Usage,
            above: problems.lines(),
            text: format!("{}{rest}", problems.summary()),
        }
    }

    /// For a line that has room for one problem.
    fn in_one_line(&self) -> String {
        match self.above.first() {
            Some(first) => format!("{first} ({})", self.text),
            None => self.text.clone(),
        }
    }

    /// Say it on stderr.
    fn say(&self, out: &Out) {
        self.above.iter().for_each(|line| out.say(line));
        out.say(&self.text);
    }
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::failed(format!("{error}; nothing was changed"))
    }
}

impl From<PassError> for Stop {
    fn from(error: PassError) -> Self {
        Self::failed(error)
    }
}

impl From<Busy> for Stop {
    fn from(busy: Busy) -> Self {
        Self::failed(busy)
    }
}

/// A write beyond the largest size of a file (`RLIMIT_FSIZE`) is an error (`EFBIG`) and not the
/// end: the signal that comes with it is handled by doing nothing. A command that is run gets the
/// default again.
fn survive(signal: Signal) {
    // Without it the program is as it would be: nothing to be said.
    let _ = signal_hook::flag::register(signal as i32, Arc::<AtomicBool>::default());
}

/// The program.
pub fn main() -> ExitCode {
    run_with(std::env::args_os().collect())
}

/// The same with this command line, its first word the name of the program.
pub fn run_with(words: Vec<OsString>) -> ExitCode {
    survive(Signal::SIGXFSZ);
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => return said_instead(&words, error).into(),
    };
    let config = &arguments.config;
    output::set_volume(match (arguments.quiet, arguments.verbose) {
        (true, _) => Volume::Quiet,
        (_, true) => Volume::Verbose,
        _ => Volume::Usual,
    });
    let is_daemon = matches!(arguments.verb, Verb::Run(_));
    if arguments.quiet && !is_daemon {
        output::keep_talk();
    }
    let changed = |change, json| change::run(config, &change, json);
    let outcome = match arguments.verb {
        Verb::Init => init::run(config),
        Verb::Run(arguments) => run::run(config, &arguments),
        Verb::Refresh(arguments) => changed(Change::Refresh(arguments.request), arguments.json),
        Verb::Plan(arguments) => plan::run(config, &arguments),
        Verb::Check(arguments) => check::run(config, &arguments),
        Verb::List(arguments) => list::run(config, &arguments),
        Verb::Why(arguments) => why::run(config, &arguments),
        Verb::Feeds(arguments) => feeds::run(config, &arguments),
        Verb::Status(arguments) => status::run(config, &arguments),
        Verb::Verify(arguments) => verify::run(config, &arguments),
        Verb::History(arguments) => history::run(config, arguments),
        Verb::Render(arguments) => render::run(config, &arguments),
        Verb::Add(arguments) => operator::enter(OperatorEntry::Add, config, arguments),
        Verb::Remove(arguments) => changed(Change::Remove(arguments.request), arguments.json),
        Verb::Allow(arguments) => operator::enter(OperatorEntry::Allow, config, arguments),
        Verb::Disallow(arguments) => changed(Change::Disallow(arguments.request), arguments.json),
        Verb::Approve(arguments) => changed(Change::Approve(arguments.request), arguments.json),
        Verb::Reject(arguments) => changed(Change::Reject(arguments.request), arguments.json),
        Verb::Pin(arguments) => changed(Change::Pin(arguments.request), arguments.json),
        Verb::Flush(arguments) => flush::run(config, &arguments),
        Verb::Unpin(arguments) => changed(Change::Unpin(arguments.request), arguments.json),
        Verb::Demo(arguments) => demo::run(&arguments),
    };
    let exit = outcome.unwrap_or_else(|stop| {
        match is_daemon {
            true => stop
                .above
                .iter()
                .chain([&stop.text])
                .for_each(output::say_error),
            false => stop.say(&Out::Ours),
        }
        stop.exit
    });
    if exit.is_failure() {
        output::print_kept();
    }
    exit.into()
}

/// What clap says instead of a verb's results: help, version, or what is wrong with the command
/// line.
fn said_instead(words: &[OsString], error: clap::Error) -> Exit {
    // Help and version are what was asked for; everything else is a wrong command line.
    let exit = match error.use_stderr() {
        true => Exit::Usage,
        false => Exit::Done,
    };
    // The message repeats words of the command line. They are wrong in the same way when nothing of
    // them is hidden.
    let shown = words
        .iter()
        .map(|word| shown::line(&word.to_string_lossy()).into_owned());
    let error = Arguments::try_parse_from(shown).err().unwrap_or(error);
    let _ = error.print();
    exit
}

/// The ledger for a verb that only reads. A full disk is named: what is shown may lack the latest.
fn read_ledger(config: &Config, out: &Out) -> Result<Ledger, LedgerError> {
    if Ledger::is_disk_full(&config.state_dir) {
        let folder = config.state_dir.display();
        out.say(format_args!(
            "{folder}: the disk is full: a daemon protects and reinstalls from memory, and writes \
             down what it did when there is room, so this may not be the latest; make room (df {folder})"
        ));
    }
    Ledger::read(&config.state_dir)
}

/// Read the configuration, or stop with every problem of it.
fn load(path: &Path) -> Result<Arc<Config>, Stop> {
    let config = config::load(path).map(Arc::new);
    config.map_err(|problems| Stop::problems(&problems, "; nothing was changed"))
}

/// What the runtime takes, and sockets and pipes on top of it.
const DESCRIPTORS: usize = 20;

/// The runtime panics where it gets no descriptor for its signals.
fn has_descriptors() -> bool {
    let stderr = std::io::stderr();
    let taken: Vec<_> = (0..DESCRIPTORS)
        .map_while(|_| stderr.as_fd().try_clone_to_owned().ok())
        .collect();
    taken.len() == DESCRIPTORS
}

/// A runtime for one verb: one thread is enough, and starts at once.
fn block_on<F: Future>(future: F) -> Result<F::Output, Stop> {
    if !has_descriptors() {
        return Err(Stop::failed(format!(
            "not enough file descriptors: {DESCRIPTORS} are needed (raise the limit: ulimit -n, LimitNOFILE=)"
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::failed(format!("no runtime: {error}")))?;
    let done = runtime.block_on(future);
    // A resolver that does not answer is asked on a thread of its own, which is not waited for.
    runtime.shutdown_background();
    Ok(done)
}
