//! Feeds: fetching lists, and deciding whether a body is the complete list and the right one.
//!
//! ```text
//!  fetch / file (I/O) ──► body ──text──► formats ──► FeedCopy ──► standing (fresh, stale, expired)
//!                          │               │
//!                          └───────────────┴── Refused: the last good copy stays (copies, I/O)
//! ```

pub mod body;
pub(crate) mod copies;
mod difference;
mod expiry;
pub(crate) mod fetch;
pub(crate) mod file;
pub mod formats;
mod listing;
pub(crate) mod origins;
pub mod preset;
pub(crate) mod record;
mod refused;
mod remarks;
pub(crate) mod schedule;
pub mod standing;
mod state;
pub mod withdrawal;

pub use difference::CopyDifference;
pub use expiry::End;
pub use listing::{Entry, FeedCopy, Rejection};
pub(crate) use listing::{Listed, OriginEntry};
pub use refused::Refused;
pub(crate) use refused::{foreign, incomplete};
pub use remarks::{EntryPart, Remarks, UnreadColumn};
pub use state::FeedState;
