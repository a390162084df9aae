//! The kernel's FIB as a target.
//!
//! ```text
//!  desired ─┐
//!           ├─ reconcile (pure) ──► Difference ──► netlink (I/O) ──► Report
//!  dump ────┘        routes of others to a listed prefix: occupied, left alone
//! ```
//!
//! A route is ours when table, protocol and type are those of our [`Mark`]; nothing else is ever
//! touched. Facts about the kernel's answers stand in `message` and `netlink`.

mod mark;
mod message;
mod netlink;
mod reconcile;

pub use mark::{Kind, Mark};
pub use message::{Installed, Kin};
pub use netlink::{Fault, Kernel, Report};
pub use reconcile::{Difference, Occupied, reconcile};
