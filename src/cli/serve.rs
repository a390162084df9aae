//! The verbs as the daemon makes and answers them for others: the same functions, another place to
//! write to.

use std::path::{Path, PathBuf};
use std::pin::Pin;

use super::list::List;
use super::output::Out;
use super::output::heard::listen;
use super::site::{Making, Reader};
use super::{Exit, Outcome, change, history, list, status, why};
use crate::control::{Job, Outlet, OutputPiece, Question, Verbs};
use crate::pass::Site;
use crate::pass::inputs::Reading;
use crate::pass::keeper::Keeper;

/// The verbs of a daemon with this configuration file.
pub(super) struct Served {
    path: PathBuf,
}

impl Served {
    pub fn of(path: &Path) -> Self {
        let path = path.to_owned();
        Self { path }
    }
}

impl Verbs for Served {
    fn answer(&self, question: &Question, from: (Reading, Keeper), outlet: &Outlet) {
        let out = Out::Client(outlet.clone());
        let reader = Reader::in_daemon(from, out.clone());
        end(reader.and_then(|reader| answer(question, reader)), outlet);
    }

    fn change<'a>(
        &'a self,
        job: &'a Job,
        site: &'a mut dyn Site,
    ) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(async move {
            let out = Out::Client(job.outlet.clone());
            let making = Making {
                site,
                author: &job.author,
                out: &out,
                json: job.outlet.view.json,
                path: &self.path,
            };
            // The verb knows what it asked for.
            tracing::info!(
                "{} (uid {}): {}",
                job.author.name,
                job.author.uid,
                change::command(&job.change)
            );
            let outcome = {
                let _listening = listen(change::talk(&job.change), &out);
                change::make(&job.change, making).await
            };
            end(outcome, &job.outlet);
        })
    }
}

fn answer(question: &Question, reader: Reader) -> Outcome {
    let json = match &reader.out {
        Out::Client(outlet) => outlet.view.json,
        Out::Ours => false,
    };
    match question {
        Question::Why { query } => why::answer(reader, query, json),
        Question::Status => status::answer(reader, json),
        Question::List { format, count } => {
            list::answer(reader, List::read(format.as_deref(), *count)?)
        }
        Question::History(wanted) => history::answer(reader, wanted, json),
    }
}

/// Say how the verb ends.
fn end(outcome: Outcome, outlet: &Outlet) {
    let exit = outcome.unwrap_or_else(|stop| {
        if stop.exit != Exit::Alone {
            stop.say(&Out::Client(outlet.clone()));
        }
        stop.exit
    });
    let _ = outlet.send(match exit {
        Exit::Alone => OutputPiece::Alone,
        exit => OutputPiece::Exit(exit.code()),
    });
}
