//! What a verb says to a client, piece by piece.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::request::View;
use crate::policy::objection::Objection;

/// One piece: a JSON line for the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputPiece {
    /// The daemon does it, from here on: the verb must not do it as well.
    Taken,
    /// A part of stdout.
    Out(String),
    /// A line of stderr.
    Err(String),
    /// What speaks against an entry and has to be confirmed on a terminal.
    Objections(Vec<Objection>),
    /// The daemon does not do it; nothing was changed.
    Alone,
    /// The exit code. The last piece.
    Exit(u8),
}

/// Bytes that wait for a client; a thread that answers a question waits until it reads.
const WAITING: usize = 1 << 20;
/// How long that is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(2);

/// Where a verb in the daemon writes.
#[derive(Clone, Debug)]
pub struct Outlet {
    pieces: mpsc::UnboundedSender<OutputPiece>,
    waiting: Arc<AtomicUsize>,
    patience: Duration,
    /// What the client wants to see.
    pub view: View,
}

/// What comes out of an [`Outlet`].
#[derive(Debug)]
pub struct Pieces {
    pieces: mpsc::UnboundedReceiver<OutputPiece>,
    waiting: Arc<AtomicUsize>,
}

/// The client does not read what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unheard;

impl Outlet {
    /// One for a thread of its own, which may wait for the client.
    pub fn patient(view: View) -> (Self, Pieces) {
        Self::new(view, PATIENCE)
    }

    /// One for the thread that makes passes, which waits for no client.
    pub fn impatient(view: View) -> (Self, Pieces) {
        Self::new(view, Duration::ZERO)
    }

    fn new(view: View, patience: Duration) -> (Self, Pieces) {
        let (sender, pieces) = mpsc::unbounded_channel();
        let waiting = Arc::<AtomicUsize>::default();
        let outlet = Self {
            pieces: sender,
            waiting: waiting.clone(),
            patience,
            view,
        };
        (outlet, Pieces { pieces, waiting })
    }

    /// Say this.
    ///
    /// # Errors
    /// The client has gone, or reads too slowly.
    pub fn send(&self, said: OutputPiece) -> Result<(), Unheard> {
        let begun = Instant::now();
        let bytes = size(&said);
        while bytes > 0 && self.waiting.load(Ordering::Relaxed) > WAITING {
            if begun.elapsed() >= self.patience || self.pieces.is_closed() {
                return Err(Unheard);
            }
            std::thread::sleep(POLL);
        }
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        self.pieces.send(said).map_err(|_| Unheard)
    }
}

impl Pieces {
    /// The next piece; `None` after the last.
    pub async fn next(&mut self) -> Option<OutputPiece> {
        let said = self.pieces.recv().await?;
        self.waiting.fetch_sub(size(&said), Ordering::Relaxed);
        Some(said)
    }
}

/// Bytes of output in it.
fn size(said: &OutputPiece) -> usize {
    match said {
        OutputPiece::Out(text) | OutputPiece::Err(text) => text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_is_one_json_value() {
        let short = Objection::Short {
            prefix: "192.0.0.0/7".parse().unwrap(),
            limit: 8,
        };
        let objections = r#"{"objections":[{"short":{"prefix":"192.0.0.0/7","limit":8}}]}"#;
        let pieces = [
            (OutputPiece::Taken, "\"taken\""),
            (OutputPiece::Out("a\n".to_owned()), "{\"out\":\"a\\n\"}"),
            (OutputPiece::Err("b".to_owned()), "{\"err\":\"b\"}"),
            (OutputPiece::Objections(vec![short]), objections),
            (OutputPiece::Alone, "\"alone\""),
            (OutputPiece::Exit(3), "{\"exit\":3}"),
        ];
        for (said, text) in pieces {
            assert_eq!(serde_json::to_string(&said).unwrap(), text);
            assert_eq!(serde_json::from_str::<OutputPiece>(text).unwrap(), said);
        }
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_not_waited_for_and_takes_no_memory() {
        let (outlet, mut pieces) = Outlet::impatient(View::default());
        let much = "x".repeat(WAITING);
        outlet.send(OutputPiece::Out(much.clone())).unwrap();
        outlet.send(OutputPiece::Out("y".to_owned())).unwrap();
        assert_eq!(outlet.send(OutputPiece::Out(much.clone())), Err(Unheard));
        // What is no output is always said.
        outlet.send(OutputPiece::Exit(0)).unwrap();
        assert_eq!(pieces.next().await, Some(OutputPiece::Out(much.clone())));
        outlet.send(OutputPiece::Out("z".to_owned())).unwrap();
        drop(pieces);
        assert_eq!(outlet.send(OutputPiece::Exit(0)), Err(Unheard));
    }
}
