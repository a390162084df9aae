//! Which other programs receive notifications of route changes, and pacing to the rate at which
//! they read (I/O).
//!
//! ```text
//!  our requests ──► kernel ──notifications──► receive buffer of each listener ──► it reads
//!                                             full: the kernel drops them; a listener that does
//!                                             not read all routes again differs from the kernel
//! ```
//!
//! The kernel delivers inside of our send (`do_one_broadcast`, net/netlink/af_netlink.c), so
//! `/proc/net/netlink` read after a send shows all that this send caused. [`Pace`] sends no more
//! than fits the smallest buffer, waits until a part of that buffer is free, and sends on. It does
//! not wait for a listener that has stopped reading, for any listener in a small change, or for
//! another nullrouted process.
//!
//! Listeners of other network namespaces that receive notifications of all namespaces
//! (`NETLINK_LISTEN_ALL_NSID`) are not seen.

mod listeners;
mod owner;
mod pace;
mod room;
mod sockets;
mod table;

pub use listeners::Neighbor;
pub use owner::{Owner, owners};
pub use pace::{Pace, Paced, listeners, reads};
