//! What a verb may have changed in the ledger meanwhile, read on a thread of its own and waited for
//! only briefly: a disk that hangs delays nothing (I/O).

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::ledger::{Ledger, LedgerError, PinRow};
use crate::prefix::PrefixSet;

/// Longest wait for the ledger before the keeper goes by what it remembers.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pin and the generation that the ledger holds.
#[derive(Debug)]
pub(super) struct Seen {
    pub pin: Option<PinRow>,
    pub generation: u64,
    /// The set of that generation, where it is another than the one asked about.
    pub set: Option<Arc<PrefixSet>>,
}

/// A question: which generation is known, and where the answer goes.
type Question = (u64, oneshot::Sender<Result<Seen, LedgerError>>);

/// Reads the ledger for the keeper.
pub(super) struct Glance {
    state_dir: PathBuf,
    questions: Option<mpsc::Sender<Question>>,
}

impl Glance {
    pub fn at(state_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            questions: None,
        }
    }

    /// What the ledger holds, as against generation `known`. `None` where it cannot be read or does
    /// not answer in time.
    pub async fn look(&mut self, known: u64) -> Option<Seen> {
        let (answer, answered) = oneshot::channel();
        let question = (known, answer);
        let sent = match &self.questions {
            Some(questions) => questions.send(question).is_ok(),
            None => self.begin()?.send(question).is_ok(),
        };
        if !sent {
            self.questions = None;
            return None;
        }
        match timeout(PATIENCE, answered).await {
            Ok(Ok(Ok(seen))) => Some(seen),
            Ok(Ok(Err(error))) => {
                tracing::debug!("keeper  {error}; going by what is in memory");
                None
            }
            Ok(Err(_)) | Err(_) => None,
        }
    }

    fn begin(&mut self) -> Option<&mpsc::Sender<Question>> {
        let (questions, asked) = mpsc::channel::<Question>();
        let state_dir = self.state_dir.clone();
        let reader = move || {
            let mut open: Option<Ledger> = None;
            while let Ok((known, answer)) = asked.recv() {
                let seen = read(&state_dir, &mut open, known);
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

fn read(state_dir: &Path, open: &mut Option<Ledger>, known: u64) -> Result<Seen, LedgerError> {
    if open.as_ref().is_some_and(|ledger| !ledger.is_at(state_dir)) {
        *open = None;
    }
    let ledger = match open {
        Some(ledger) => ledger,
        None => open.insert(Ledger::read(state_dir)?),
    };
    // A verb may commit between two questions: both answers are of one moment.
    ledger.snapshot(|ledger| {
        let generation = ledger.generation()?.map_or(0, |row| row.number);
        let set = (generation != known)
            .then(|| ledger.in_force())
            .transpose()?
            .map(Arc::new);
        Ok(Seen {
            pin: ledger.pinned()?,
            generation,
            set,
        })
    })
}
