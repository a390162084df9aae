//! Space that must not be dropped, found by looking around: the machine's own addresses and networks, its
//! way out, its resolvers, its BGP neighbors, the hosts of its feeds, and those who are logged in.
//!
//! ```text
//!  kernel, files, routers, names ──look──► what each source shows ──remember──► protected space
//!                      ▲                                             (pure)
//!  netlink ──watch─────┘
//! ```

mod remember;
mod source;

pub use remember::{Found, Look, Remembered, remember};
pub use source::Source;
