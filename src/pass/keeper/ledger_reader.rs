//! The state of the ledger that a verb may have changed, read on a thread of its own and waited for
//! only briefly: a disk that hangs delays nothing (I/O).

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::ledger::{Ledger, LedgerError, PinRow};

/// Longest wait for the ledger before the keeper uses its own memory.
const PATIENCE: Duration = Duration::from_secs(1);

/// The result of a read.
#[derive(Debug)]
pub(super) enum LedgerState {
    /// The number of the newest generation, 0 before the first, and the pin.
    Seen(u64, Option<PinRow>),
    /// The ledger cannot be read.
    Unreadable,
    /// No answer in time: a disk hangs, or the machine is busy.
    Silent,
}

/// The channel for an answer.
type Question = oneshot::Sender<Result<(u64, Option<PinRow>), LedgerError>>;

/// Reads the ledger for the keeper.
pub(super) struct LedgerReader {
    state_dir: PathBuf,
    questions: Option<mpsc::Sender<Question>>,
}

impl LedgerReader {
    pub fn at(state_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            questions: None,
        }
    }

    /// The current state of the ledger.
    pub async fn read(&mut self) -> LedgerState {
        let (question, answered) = oneshot::channel();
        let sent = match &self.questions {
            Some(questions) => questions.send(question).is_ok(),
            None => self
                .begin()
                .is_some_and(|questions| questions.send(question).is_ok()),
        };
        if !sent {
            self.questions = None;
            return LedgerState::Unreadable;
        }
        match timeout(PATIENCE, answered).await {
            Ok(Ok(Ok((generation, pin)))) => LedgerState::Seen(generation, pin),
            Ok(Ok(Err(error))) => {
                tracing::debug!("keeper  {error}; going by what is in memory");
                LedgerState::Unreadable
            }
            Ok(Err(_)) => LedgerState::Unreadable,
            Err(_) => LedgerState::Silent,
        }
    }

    fn begin(&mut self) -> Option<&mpsc::Sender<Question>> {
        let (questions, asked) = mpsc::channel::<Question>();
        let state_dir = self.state_dir.clone();
        let reader = move || {
            let mut open: Option<Ledger> = None;
            while let Ok(answer) = asked.recv() {
                // The keeper may have continued without the answer.
                if answer.is_closed() {
                    continue;
                }
                let seen = read(&state_dir, &mut open);
                if seen.is_err() {
                    open = None;
                }
                let _ = answer.send(seen);
            }
        };
        let thread = std::thread::Builder::new().name("ledger-glance".to_owned());
        thread.spawn(reader).ok()?;
        Some(self.questions.insert(questions))
    }
}

fn read(state_dir: &Path, open: &mut Option<Ledger>) -> Result<(u64, Option<PinRow>), LedgerError> {
    if open.as_ref().is_some_and(|ledger| !ledger.is_at(state_dir)) {
        *open = None;
    }
    let ledger = match open {
        Some(ledger) => ledger,
        None => open.insert(Ledger::read(state_dir)?),
    };
    // A verb may commit between two queries; a snapshot gives both answers for one moment.
    ledger.at_one_moment(|ledger| {
        let generation = ledger.generation()?.map_or(0, |row| row.number);
        Ok((generation, ledger.pinned()?))
    })
}
