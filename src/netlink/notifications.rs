//! Notifications of changes in the kernel (I/O).

use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{AsyncSocket, AsyncSocketExt, Socket, SocketAddr, TokioSocket};

use super::{DATAGRAM, make_room};

/// A socket for notifications, and the buffer for a datagram.
pub struct Notifications {
    socket: TokioSocket,
    buffer: Vec<u8>,
}

impl Notifications {
    /// Receive the notifications of these groups (`RTNLGRP_…`) from now on, with a receive buffer
    /// of `room` bytes. No group needs a capability; a kernel without a group sends nothing to it.
    ///
    /// # Errors
    /// No netlink socket can be opened.
    pub fn open(groups: &[u32], room: usize) -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
        make_room(socket.socket_ref(), room);
        let bits = groups.iter().fold(0, |bits, group| bits | 1 << (group - 1));
        socket.socket_mut().bind(&SocketAddr::new(0, bits))?;
        Ok(Self {
            socket,
            buffer: Vec::with_capacity(DATAGRAM),
        })
    }

    /// The socket, to leave groups and to join them again.
    pub fn socket(&self) -> &Socket {
        self.socket.socket_ref()
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
