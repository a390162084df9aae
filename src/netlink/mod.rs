//! Speaking rtnetlink(7) with sockets of our own: dumps that keep nothing, and the frame of a message.
//!
//! Not through a connection of `rtnetlink`: that one queues what has come, and asks one thing at a time. A
//! full routing table is a million messages, of which a handful is wanted, or a million requests.

mod dump;
pub mod message;

pub use dump::dump;

/// Room for a datagram: the kernel sends at most 32 KiB (`netlink_dump`, net/netlink/af_netlink.c).
pub const DATAGRAM: usize = 64 * 1_024;
