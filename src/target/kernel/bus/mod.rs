//! Who else listens to changes of routes, and not faster than they read (I/O).
//!
//! ```text
//!  our requests ──► kernel ──notifications──► receive buffer of each listener ──► it reads
//!                                             full: the kernel drops them, and whoever does not
//!                                             read the routes anew ends with others than the kernel
//! ```
//!
//! The kernel delivers inside of our send (`do_one_broadcast`, net/netlink/af_netlink.c), so what
//! `/proc/net/netlink` shows after it is all that this send caused: [`Pace`] sends little enough for the
//! smallest buffer, waits until a part of it is free, and sends on. It waits for nobody who does not read, for nobody at all
//! with a small change, and not for another of us.
//!
//! Listeners of other network namespaces that hear all of them (`NETLINK_LISTEN_ALL_NSID`) are not seen.

mod neighbor;
mod owner;
mod pace;
mod patience;
mod room;
mod sockets;
mod table;

pub use neighbor::Neighbor;
pub use owner::{US, names};
pub use pace::{Pace, Paced, listeners, reads};
