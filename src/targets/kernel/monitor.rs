//! Notifications of routes and policy rules that other programs change (I/O).

use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket};

use crate::netlink::family::AddressFamily;
use crate::netlink::message::{Message, RTM_DELADDR, RTM_DELLINK, RTM_NEWLINK, number};
use crate::netlink::{DATAGRAM, make_room};

const GROUPS: [u32; 2] = [
    <u32 as AddressFamily>::GROUP,
    <u128 as AddressFamily>::GROUP,
];

/// `RTNLGRP_LINK` and `RTNLGRP_IPV4_IFADDR`.
const DOWN: [u32; 2] = [1, 5];
/// `RTNLGRP_IPV4_RULE` and `RTNLGRP_IPV6_RULE`.
const RULES: [u32; 2] = [8, 19];
/// `RTNLGRP_NEXTHOP`. A kernel without nexthop objects (before 5.3) leaves it silent.
const NEXTHOPS: [u32; 1] = [32];
/// A nexthop object was removed (`include/uapi/linux/rtnetlink.h`).
pub(super) const RTM_DELNEXTHOP: u16 = 105;

/// `IFF_UP` and `IFF_LOWER_UP` (`include/uapi/linux/if.h`), and their offset in `struct ifinfomsg`.
const UP: u32 = 1 | 1 << 16;
const LINK_FLAGS: usize = 8;

/// Whether an interface or one of its addresses disappears, and routes with it.
pub(super) fn takes_routes(message: Message<'_>) -> bool {
    match message.kind {
        RTM_DELLINK | RTM_DELADDR => true,
        RTM_NEWLINK => {
            let flags = message.payload.get(LINK_FLAGS..).and_then(number);
            flags.is_some_and(|flags| flags & UP != UP)
        }
        _ => false,
    }
}

/// Size of the receive buffer for notifications, in bytes; each route takes about 1 KiB.
const ROOM: usize = 16 << 20;

/// A socket that receives every change of a route or a rule.
pub(super) struct Monitor {
    socket: TokioSocket,
    buffer: Vec<u8>,
    closed: Vec<u32>,
}

impl Monitor {
    /// Receive notifications from now on.
    ///
    /// # Errors
    /// No netlink socket can be opened.
    pub fn open() -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
        make_room(socket.socket_ref(), ROOM);
        let groups = GROUPS.iter().chain(&DOWN).chain(&RULES).chain(&NEXTHOPS);
        let bits = groups.fold(0, |bits, group| bits | 1 << (group - 1));
        socket.socket_mut().bind(&SocketAddr::new(0, bits))?;
        Ok(Self {
            socket,
            buffer: Vec::with_capacity(DATAGRAM),
            closed: Vec::new(),
        })
    }

    /// Leave one group during a large change of our own: the kernel would notify us of each route,
    /// too.
    pub fn close(&mut self, group: u32) {
        let closed = self.socket.socket_ref().drop_membership(group);
        if closed.is_ok() && !self.closed.contains(&group) {
            self.closed.push(group);
        }
    }

    /// Join the groups again. The notifications in between are lost.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn reopen(&mut self) -> io::Result<()> {
        for group in std::mem::take(&mut self.closed) {
            self.socket.socket_ref().add_membership(group)?;
        }
        Ok(())
    }

    /// The next datagram. An error means an overflow, or something as bad.
    pub async fn receive(&mut self) -> io::Result<&[u8]> {
        self.buffer.clear();
        self.socket.recv(&mut self.buffer).await?;
        Ok(&self.buffer)
    }

    /// The next datagram that has already arrived.
    pub fn try_receive(&mut self) -> Option<io::Result<&[u8]>> {
        self.buffer.clear();
        match self.socket.socket_ref().recv(&mut self.buffer, 0) {
            Ok(_) => Some(Ok(&self.buffer)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => Some(Err(error)),
        }
    }
}
