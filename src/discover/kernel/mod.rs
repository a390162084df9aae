//! Sources in the kernel: addresses of interfaces and next hops of routes, over rtnetlink(7).

mod message;
mod object;
mod shown;
mod watch;

pub use shown::{addresses, connected, gateways};
pub use watch::Watch;
