//! Space that must not be dropped, detected automatically: the machine's own addresses and
//! networks, its gateways, its resolvers, its BGP neighbors, the hosts of its feeds, and the
//! addresses of logged-in users.
//!
//! ```text
//!  kernel, files, routers, names ──scan──► what each source shows ──remember──► protected space
//!                      ▲                                             (pure)
//!  netlink ──watch─────┘
//! ```
//!
//! Everything that interprets input is pure and in `text` (files and the output of programs) and
//! `kernel::message` (rtnetlink); the code that reads it is thin.

mod answer;
mod bounds;
mod files;
mod hosts;
mod kernel;
mod network;
pub(crate) mod program;
mod remember;
mod root;
mod scan;
mod sessions;
mod source;
mod speakers;
mod text;

pub use answer::Cause;
pub(crate) use answer::{Answer, Failed, Found, SourceAnswer};
pub(crate) use bounds::{Excess, bounded};
pub(crate) use hosts::address_of;
pub use kernel::Watch;
pub(crate) use network::host as host_network;
pub(crate) use remember::{Remembered, remember};
pub use root::Root;
pub use scan::{Host, ScanRequest, scan};
pub use source::Source;
