//! The kernel's FIB as a target.
//!
//! ```text
//!  desired ─┐
//!           ├─ reconcile (pure) ──► Difference ──► install (I/O) ──► Report
//!  dump ────┘        routes of others to a listed prefix: occupied, left alone
//! ```
//!
//! A route is ours when table, protocol and type are those of our [`Mark`]; no other route is ever
//! changed. [`Fib`] keeps what was read, and follows what other programs change.

mod backoff;
pub mod bus;
mod cover;
mod coverage;
mod family;
mod fib;
mod install;
mod interference;
mod mark;
mod message;
mod monitor;
mod pending;
mod read;
mod reconcile;
mod remove;
mod report;
pub mod rule;
pub mod sources;
mod target;
pub mod zebra;

pub use backoff::{Alarm, Object};
pub use cover::{Cover, NotCovered, cover};
pub use family::planned;
pub use fib::{Desired, Fib};
pub use mark::{Kind, Mark};
pub use message::{DumpFilter, Installed};
pub use read::read;
pub use reconcile::{Difference, Occupied, reconcile};
pub use remove::remove_all;
pub use report::{Fault, Report, Restored};
pub use target::{Details, KERNEL, Kernel, count};
