//! A verb asks the daemon first, and does its work itself where none answers.

use std::io::{self, Write};

use super::output::{self, Out};
use super::screen::Screen;
use super::who::who;
use super::{Exit, Stop, block_on};
use crate::config::Config;
use crate::control::client::{Asked, Wanted, ask};
use crate::control::{Change, OutputPiece, Question, View};
use crate::policy::objection::Objection;

/// What came of a change that the daemon was asked for.
pub(super) enum Handed {
    /// The daemon did it.
    Done(Exit),
    /// This has to be confirmed first.
    Objections(Vec<Objection>),
    /// The verb does it itself.
    Alone,
}

/// Ask the daemon; `None` where the verb answers itself.
pub(super) fn question(
    config: &Config,
    question: &Question,
    json: bool,
) -> Result<Option<Exit>, Stop> {
    match put(config, Wanted::Question(question), json)? {
        Asked::Done(code) => Ok(Some(Exit::Of(code))),
        Asked::Forbidden(why) => Err(Stop::failed(why)),
        Asked::BrokenOff => Err(Stop::failed(
            "the daemon did not end its answer; run this again",
        )),
        Asked::Objections(_) | Asked::Alone(_) => Ok(None),
    }
}

/// Hand a change to the daemon.
pub(super) fn change(config: &Config, change: &Change, json: bool) -> Result<Handed, Stop> {
    match put(config, Wanted::Change(change, &who()), json)? {
        Asked::Done(code) => Ok(Handed::Done(Exit::Of(code))),
        Asked::Objections(against) => Ok(Handed::Objections(against)),
        Asked::Alone(_) => Ok(Handed::Alone),
        Asked::Forbidden(why) => Err(Stop::failed(why)),
        Asked::BrokenOff => Err(Stop::failed(
            "the daemon ended while it worked on this: nullrouted history shows whether it was \
             written down, and the next pass brings about what was",
        )),
    }
}

/// Ask, and print what comes.
fn put(config: &Config, wanted: Wanted<'_>, json: bool) -> Result<Asked, Stop> {
    // `list` is as long as the set, and made for other programs.
    let is_list = matches!(wanted, Wanted::Question(Question::List { .. }));
    let screen = Screen::of_stdout().filter(|_| !json && !is_list);
    let view = View { json };
    let mut failed: Option<io::Error> = None;
    let mut whole = String::new();
    let mut print = |said| match said {
        OutputPiece::Out(text) if screen.is_some() => whole.push_str(&text),
        OutputPiece::Out(text) if failed.is_none() => {
            let mut out = io::stdout().lock();
            let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            failed = written.err();
        }
        OutputPiece::Err(line) => output::say(line),
        _ => {}
    };
    let asked = block_on(ask(config, wanted, view, &mut print))?;
    if let Some(screen) = screen.filter(|_| !whole.is_empty()) {
        failed = screen.show(&whole).err();
    }
    if let Asked::Alone(Some(why)) = &asked {
        Out::Ours.say(why);
    }
    match failed {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Stop::failed(format!("stdout: {error}")))
        }
        _ => Ok(asked),
    }
}
