//! What a verb works with: its own in a process of its own, the daemon's where that does the work.

use std::path::Path;
use std::sync::Arc;

use nix::unistd::Uid;

use super::output::{self, Out};
use super::refresh::nudge;
use super::who::who;
use super::{Stop, read_ledger};
use crate::config::Config;
use crate::control::Author;
use crate::ledger::{Event, EventKind, GenerationCause, Ledger, LedgerError, Lock};
use crate::pass::gather::{FeedSelection, FetchMode};
use crate::pass::inputs::{Cache, Inputs, Reading};
use crate::pass::keeper::{Keeper, Server};
use crate::pass::{At, NoInbox, Pass, Passing, Site};
use crate::pipeline::Decision;
use crate::prefix::Effective;
use crate::targets::AnyTarget;
use crate::targets::kernel::Kernel;
use crate::time::Timestamp;

/// What a verb that only reads works with.
pub(super) struct Reader {
    pub config: Arc<Config>,
    pub ledger: Ledger,
    pub cache: Cache,
    pub out: Out,
    keeper: Option<Keeper>,
}

impl Reader {
    /// In a process of its own.
    pub fn alone(config: Arc<Config>) -> Result<Self, Stop> {
        let ledger = read_ledger(&config, &Out::Ours)?;
        Ok(Self::of(config, ledger))
    }

    /// The same of the ledger alone: what the daemon has not written down yet matters to none.
    pub fn quiet(config: Arc<Config>) -> Result<Self, Stop> {
        let ledger = Ledger::read(&config.state_dir)?;
        Ok(Self::of(config, ledger))
    }

    fn of(config: Arc<Config>, ledger: Ledger) -> Self {
        Self {
            config,
            ledger,
            cache: Cache::default(),
            out: Out::Ours,
            keeper: None,
        }
    }

    pub fn in_daemon((reading, keeper): (Reading, Keeper), out: Out) -> Result<Self, Stop> {
        let Reading { config, cache, .. } = reading;
        Ok(Self {
            ledger: read_ledger(&config, &out)?,
            config,
            cache,
            out,
            keeper: Some(keeper),
        })
    }

    /// The routes of this machine, which the daemon follows.
    pub fn kernel(&self) -> AnyTarget {
        match &self.keeper {
            Some(keeper) => Box::new(keeper.as_it_is()),
            None => Box::new(Kernel::default()),
        }
    }

    /// The decision. The daemon makes none for a reader.
    pub fn decide(&self, inputs: &Inputs, now: Timestamp) -> Result<Arc<Decision>, Stop> {
        match self.out.is_daemon() {
            false => Ok(Arc::new(inputs.decide(now))),
            true => inputs
                .decided_already(&self.cache, now)
                .ok_or_else(Stop::alone),
        }
    }

    /// The set in force.
    pub fn in_force(&mut self) -> Result<Arc<Effective>, LedgerError> {
        self.cache.in_force(&self.ledger)
    }

    /// Leave to the verb what would take too much memory in the daemon.
    pub fn is_short(&self) -> Result<(), Stop> {
        let routes = self.ledger.generation()?.map_or(0, |row| row.routes);
        match self.out.is_daemon() && routes > MOST {
            true => Err(Stop::alone()),
            false => Ok(()),
        }
    }
}

/// At most this many routes are shown with their reasons by the daemon.
const MOST: usize = 50_000;

/// What a verb that changes something works with in a process of its own.
pub(super) struct Own {
    config: Arc<Config>,
    ledger: Ledger,
    cache: Cache,
    /// Held until the verb ends, so that what it writes belongs to its pass.
    _lock: Lock,
}

impl Own {
    pub fn new(config: Arc<Config>, ledger: Ledger, lock: Lock) -> Self {
        Self {
            config,
            ledger,
            cache: Cache::default(),
            _lock: lock,
        }
    }
}

impl Site for Own {
    fn at(&mut self) -> Result<At<'_>, LedgerError> {
        Ok(At {
            config: &self.config,
            ledger: &self.ledger,
            cache: &mut self.cache,
        })
    }

    fn pass<'s>(
        &'s mut self,
        (selection, mode): (FeedSelection<'s>, FetchMode),
        cause: GenerationCause,
    ) -> Passing<'s> {
        nudge(&self.config);
        Box::pin(async move {
            // The orders of this keeper come from this pass alone, which records them.
            let (keeper, mut server, _events) = Server::of_verb(self.config.clone());
            let pass = Pass {
                config: &self.config,
                ledger: &self.ledger,
                cache: &mut self.cache,
                selection,
                mode,
                cause,
                progress: output::progress(),
                keeper: &keeper,
                in_step: &mut || {},
                inbox: &NoInbox,
            };
            tokio::select! {
                outcome = pass.run() => outcome,
                never = server.serve() => match never {},
            }
        })
    }
}

/// A change that a verb makes: where, for whom, and where it writes.
pub(super) struct Making<'a> {
    pub site: &'a mut dyn Site,
    pub author: &'a Author,
    pub out: &'a Out,
    /// Whether its result is written as JSON.
    pub json: bool,
    /// The configuration file, for what is to be typed.
    pub path: &'a Path,
}

impl Author {
    /// For the log book: what this author did.
    pub(super) fn event(
        &self,
        at: Timestamp,
        kind: EventKind,
        subject: impl ToString,
        text: impl ToString,
    ) -> Event {
        Event {
            at,
            kind,
            subject: subject.to_string(),
            by: self.name.clone(),
            uid: Some(self.uid),
            text: text.to_string(),
            generation: None,
        }
    }
}

/// Who runs this verb.
pub(super) fn author() -> Author {
    Author {
        uid: Uid::current().as_raw(),
        name: who(),
    }
}
