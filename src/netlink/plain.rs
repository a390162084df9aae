//! One blocking socket, one request at a time (I/O): it takes one file descriptor and no runtime.
//! It serves a flush for which more cannot be had. Everything else uses
//! [`Requests`](super::Requests) and [`Dumps`](super::Dumps), which are faster and pace themselves
//! to the listeners.

use std::io;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;
use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};

use super::message::{self, Message, NLMSG_DONE, NLMSG_ERROR, Torn};
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
        let mut packet = NetlinkMessage::new(
            NetlinkHeader::default(),
            NetlinkPayload::InnerMessage(request),
        );
        self.send(&mut packet, NLM_F_DUMP)?;
        match self.answer(&mut read)? {
            Errno::UnknownErrno | Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP | Errno::ENOENT => Ok(()),
            errno => Err(errno.into()),
        }
    }

    /// Send one request and wait until it is done.
    ///
    /// # Errors
    /// An error from the kernel, or the socket fails.
    pub fn ask(&mut self, request: &mut NetlinkMessage<RouteNetlinkMessage>) -> io::Result<()> {
        self.send(request, NLM_F_ACK)?;
        match self.answer(|_| {})? {
            Errno::UnknownErrno => Ok(()),
            errno => Err(errno.into()),
        }
    }

    /// Read the answer to the last request up to its end. Returns `UnknownErrno` if it succeeded.
    fn answer(&mut self, mut read: impl FnMut(Message<'_>)) -> io::Result<Errno> {
        loop {
            self.receive()?;
            for message in message::messages(&self.buffer) {
                let message =
                    message.map_err(|Torn| io::Error::from(io::ErrorKind::InvalidData))?;
                match message.kind {
                    _ if message.sequence != self.sequence => {}
                    NLMSG_DONE | NLMSG_ERROR => {
                        let code = message::code(message.payload).min(0);
                        return Ok(Errno::from_raw(code.saturating_neg()));
                    }
                    _ => read(message),
                }
            }
        }
    }

    fn send(
        &mut self,
        packet: &mut NetlinkMessage<RouteNetlinkMessage>,
        flags: u16,
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        packet.header.sequence_number = self.sequence;
        packet.header.flags |= NLM_F_REQUEST | flags;
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        self.socket.send(&bytes, 0).map(drop)
    }

    fn receive(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.socket.recv(&mut self.buffer, 0).map(drop)
    }
}
