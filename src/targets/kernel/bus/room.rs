//! The receive buffers of netlink sockets, as the kernel reports them
//! (`include/uapi/linux/netlink_diag.h`, `include/uapi/linux/sock_diag.h`) (I/O).
//!
//! ```text
//!  struct netlink_diag_req                         struct netlink_diag_msg
//! ┌────────┬────────┬─────────┐                   ┌──────┬──────┬────────┬───────┐
//! │ family │protocol│    0    │                   │family│ type │protocol│ state │
//! ├────────┴────────┴─────────┤                   ├──────┴──────┴────────┴───────┤
//! │           inode           │                   │ port, to port, to group      │
//! ├───────────────────────────┤                   ├──────────────────────────────┤
//! │       what to show        │                   │ inode                        │
//! ├───────────────────────────┤                   ├──────────────────────────────┤
//! │      cookie (8 bytes)     │                   │ cookie (8 bytes)             │
//! └───────────────────────────┘                   └──────────────────────────────┘ attributes
//! ```

use std::collections::BTreeMap;
use std::io;

use netlink_sys::protocols::{NETLINK_ROUTE, NETLINK_SOCK_DIAG};
use netlink_sys::{Socket, SocketAddr};

use crate::netlink::DATAGRAM;
use crate::netlink::message::{NLMSG_DONE, NLMSG_ERROR, attributes, messages, number};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
const AF_NETLINK: u8 = 16;
const NDIAG_SHOW_MEMINFO: u32 = 1;
const NETLINK_DIAG_MEMINFO: u16 = 0;
/// Bytes before the attributes, and the offset of the inode.
const FIXED: usize = 28;
const INODE: usize = 16;
/// Bytes of the numbers before `SK_MEMINFO_RCVBUF`.
const BEFORE_ROOM: usize = 4;

/// The size of the receive buffer of each rtnetlink socket in our network namespace, in bytes, by
/// inode. The kernel answers inside of each call, so no call waits.
///
/// # Errors
/// A kernel without `netlink_diag`.
pub fn all() -> io::Result<BTreeMap<u64, u32>> {
    let socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.set_non_blocking(true)?;
    socket.send(&request(), 0)?;
    let mut rooms = BTreeMap::new();
    let mut buffer = Vec::with_capacity(DATAGRAM);
    loop {
        buffer.clear();
        socket.recv(&mut buffer, 0)?;
        for message in messages(&buffer) {
            let message = message?;
            match message.kind {
                NLMSG_DONE | NLMSG_ERROR => return Ok(rooms),
                _ => rooms.extend(read(message.payload)),
            }
        }
    }
}

fn request() -> Vec<u8> {
    let mut request = Vec::with_capacity(36);
    request.extend(36_u32.to_ne_bytes());
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend(DUMP.to_ne_bytes());
    // Sequence and port are 0: there is one request on one socket.
    request.extend([0; 8]);
    request.extend([AF_NETLINK, NETLINK_ROUTE as u8, 0, 0]);
    request.extend(0_u32.to_ne_bytes());
    request.extend(NDIAG_SHOW_MEMINFO.to_ne_bytes());
    request.extend([0; 8]);
    request
}

/// The inode of a socket and the size of its buffer in bytes.
fn read(payload: &[u8]) -> Option<(u64, u32)> {
    let (fixed, rest) = payload.split_at_checked(FIXED)?;
    let inode = number(&fixed[INODE..])?;
    let mut room = None;
    attributes(rest, |kind, value| {
        if kind == NETLINK_DIAG_MEMINFO {
            room = value.get(BEFORE_ROOM..).and_then(number);
        }
    });
    Some((inode.into(), room?))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn our_own_socket_has_the_room_that_it_was_given() {
        let mut ours = Socket::new(NETLINK_ROUTE).unwrap();
        ours.bind_auto().unwrap();
        ours.set_rx_buf_sz(50_000).unwrap();
        let link = format!("/proc/self/fd/{}", ours.as_raw_fd());
        let link = std::fs::read_link(link).unwrap();
        let inode = link.to_str().unwrap();
        let inode = inode.trim_matches(|c: char| !c.is_ascii_digit());
        match all() {
            // The kernel doubles the requested size (socket(7)).
            Ok(rooms) => assert_eq!(rooms[&inode.parse::<u64>().unwrap()], 100_000),
            Err(error) => eprintln!("left out: no netlink_diag here: {error}"),
        }
    }

    #[test]
    fn a_torn_answer_tells_nothing() {
        let mut answer = vec![0_u8; FIXED];
        answer[INODE..INODE + 4].copy_from_slice(&7_u32.to_ne_bytes());
        assert_eq!(read(&answer), None);
        answer.extend(12_u16.to_ne_bytes());
        answer.extend(NETLINK_DIAG_MEMINFO.to_ne_bytes());
        answer.extend(1_u32.to_ne_bytes());
        answer.extend(212_992_u32.to_ne_bytes());
        assert_eq!(read(&answer), Some((7, 212_992)));
        for cut in 0..answer.len() {
            assert_eq!(read(&answer[..cut]), None);
        }
    }
}
