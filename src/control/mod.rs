//! The control socket: verbs hand their work to a running daemon, and ask it (HTTP/1.1 over a Unix
//! socket).
//!
//! ```text
//!  verb ── client ──► /run/nullrouted/control ──► server ─┬─ GET:  a thread, from what the daemon
//!    ▲                                              │     │        has in memory
//!    │                                              │     └─ POST: Queue ──► the thread that makes
//!    └────────── what the verb prints, piece by piece ◄── Outlet ──────────── passes
//! ```
//!
//! `rights` and `request` are pure: who may do what, and what a path means. The server has a thread
//! of its own, so no client delays the keeper. It answers from memory or not at all: what needs a
//! new decision is left to the verb, which does the work itself as without a daemon.
//!
//! A change is taken at most once. The worker takes it out of the [`Queue`] before the deadline of
//! the client, or the server withdraws it and says so; only then the verb does it itself.

mod answer;
pub(crate) mod client;
mod inbox;
mod output;
mod queue;
mod request;
mod rights;
mod server;
mod socket;

pub use inbox::Changes;
pub use output::{Outlet, OutputPiece};
pub use queue::{Job, Queue, Turn};
pub use request::{Change, End, Entry, History, Pin, Question, Refresh, Review, Unpin, View};
pub use rights::{Access, Author, Rights};
pub use server::{Control, Verbs, serve};

/// Names the state directory, the network namespace and so the daemon that a verb means.
const INSTANCE: &str = "nullrouted-instance";
/// The configuration of the verb, by its fingerprint.
const CONFIG: &str = "nullrouted-config";
/// The name that the verb found for the log book.
const WHO: &str = "nullrouted-who";
/// Until when a change may be taken, by the monotonic clock in milliseconds.
const UNTIL: &str = "nullrouted-until";
/// How the verb ends, in addition to an answer in JSON.
const EXIT: &str = "nullrouted-exit";
