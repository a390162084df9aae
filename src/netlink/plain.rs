//! One blocking socket, one request at a time (I/O): it takes one file descriptor and no runtime.
//! It serves a flush for which more cannot be had, and changes of policy rules. Routes use
//! [`Requests`](super::Requests) and [`Dumps`](super::Dumps), which are faster and pace themselves
//! to the listeners.

use std::io;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};

use super::message::{self, Message, NLMSG_DONE, NLMSG_ERROR};
use super::{DATAGRAM, make_room};

/// The kernel answers inside of the send, so no answer takes longer than this.
const PATIENCE_SECONDS: i64 = 5;
/// Size of the receive buffer, in bytes.
const ROOM: usize = 1 << 20;

/// A blocking socket.
pub struct Plain {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Plain {
    /// Open the socket.
    ///
    /// # Errors
    /// No netlink socket can be opened.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        make_room(&socket, ROOM);
        let patience = TimeVal::seconds(PATIENCE_SECONDS);
        setsockopt(&socket, sockopt::ReceiveTimeout, &patience)?;
        socket.bind_auto()?;
        Ok(Self {
            socket,
            sequence: 0,
            buffer: Vec::with_capacity(DATAGRAM),
        })
    }

    /// Pass on every message of a dump. The dump is empty for a family or a table that the kernel
    /// does not have.
    ///
    /// # Errors
    /// An error from the kernel, or the socket fails.
    pub fn dump(
        &mut self,
        request: RouteNetlinkMessage,
        mut read: impl FnMut(Message<'_>),
    ) -> io::Result<()> {
        self.send(request, NLM_F_DUMP)?;
        self.answer(&mut read, message::outcome_of_dump)
    }

    /// Send one request with these flags and wait until it is done.
    ///
    /// # Errors
    /// An error from the kernel, or the socket fails.
    pub fn ask(&mut self, request: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.send(request, NLM_F_ACK | flags)?;
        self.answer(|_| {}, |payload| Ok(message::outcome(payload)?))
    }

    /// Read the answer to the last request up to its end.
    fn answer(
        &mut self,
        mut read: impl FnMut(Message<'_>),
        outcome: impl Fn(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            self.receive()?;
            for message in message::messages(&self.buffer) {
                let message = message?;
                match message.kind {
                    _ if message.sequence != self.sequence => {}
                    NLMSG_DONE | NLMSG_ERROR => return outcome(message.payload),
                    _ => read(message),
                }
            }
        }
    }

    fn send(&mut self, request: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = message::packed(request, flags, self.sequence);
        self.socket.send(&bytes, 0).map(drop)
    }

    fn receive(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.socket.recv(&mut self.buffer, 0).map(drop)
    }
}
