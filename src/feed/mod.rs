//! Feeds: where listings come from, and whether what came is the whole list and the right one.
//!
//! ```text
//!  fetch / file (I/O) ──body──► formats ──► FeedCopy ──► standing (fresh, stale, expired)
//!                                 │                          ▲
//!                                 └── Refused: the last good copy stays (copies, I/O)
//! ```

pub mod copies;
pub mod fetch;
pub mod file;
pub mod formats;
mod listing;
pub mod preset;
mod refused;
pub mod schedule;
pub mod standing;

pub use listing::{Entry, FeedCopy, Rejection};
pub use refused::Refused;
