//! The kernel's FIB as a target.
//!
//! ```text
//!  desired ─┐
//!           ├─ reconcile (pure) ──► Difference ──► install (I/O) ──► Report
//!  dump ────┘        routes of others to a listed prefix: occupied, left alone
//! ```
//!
//! A route is ours when table, protocol and type are those of our [`Mark`]; nothing else is ever
//! touched. [`Fib`] keeps what was read, and hears what others change.

pub mod bus;
mod claimed;
mod cover;
mod ears;
mod family;
mod fib;
mod install;
mod mark;
mod meddled;
mod message;
mod read;
mod reconcile;
mod remove;
mod report;
pub mod rule;
mod seen;
pub mod sources;
mod storm;
pub mod zebra;

pub use cover::{Bare, Cover, cover};
pub use family::planned;
pub use fib::{Fib, Wanted};
pub use mark::{Kind, Mark};
pub use message::{Installed, Which};
pub use read::read;
pub use reconcile::{Difference, Occupied, reconcile};
pub use remove::remove_all;
pub use report::{Fault, Report, Restored};
pub use storm::Object;
