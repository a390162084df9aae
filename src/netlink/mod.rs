//! rtnetlink(7) with sockets of our own: dumps that store nothing, requests in batches, and the
//! frame of a message.
//!
//! The connections of `rtnetlink` are not used for this: they queue every message received, and
//! send one request at a time. A full routing table is a million messages, of which a handful is
//! needed, or a million requests.

pub(crate) mod address;
mod dump;
pub mod family;
pub(crate) mod link;
pub mod message;
pub(crate) mod names;
mod notifications;
pub(crate) mod plain;
mod questions;
mod requests;
pub(crate) mod route;
pub(crate) mod rule;
pub(crate) mod selector;

pub(crate) use dump::{DumpItem, Dumps, addresses, dump, dump_once, links};
pub(crate) use notifications::Notifications;
pub use questions::{Questions, Reply};
pub use requests::{Answer, Refusal, Requests};

use netlink_sys::Socket;
use nix::sys::socket::{setsockopt, sockopt};

/// Room for a datagram: the kernel sends at most 32 KiB (`netlink_dump`, net/netlink/af_netlink.c).
pub const DATAGRAM: usize = 64 * 1_024;

/// Set the receive buffer to this many bytes: any size with `CAP_NET_ADMIN`, otherwise up to
/// `net.core.rmem_max`. With a smaller buffer overflows occur sooner; they are never hidden.
pub fn make_room(socket: &Socket, bytes: usize) {
    if setsockopt(socket, sockopt::RcvBufForce, &bytes).is_err() {
        let _ = socket.set_rx_buf_sz(i32::try_from(bytes).unwrap_or(i32::MAX));
    }
}
