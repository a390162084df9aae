//! Many requests in one send; only refusals are answered (I/O).
//!
//! ```text
//!  request, request, … request, barrier ──send──► kernel
//!                                                   │
//!  refusals, by the numbers of their requests ◄─────┤
//!  the barrier's answer: the batch is done    ◄─────┘
//! ```
//!
//! The kernel processes a datagram inside of the send, message by message (`netlink_rcv_skb`,
//! net/netlink/af_netlink.c). A request without `NLM_F_ACK` is answered only if it fails; the
//! barrier is an empty message with that flag. So a batch has at most one answer more than it has
//! refusals. If even these do not fit the socket (`ENOBUFS`) the result is [`Answer::Lost`]: then
//! only a dump shows what was done.

use std::io;
use std::time::Duration;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{AsyncSocket, AsyncSocketExt, TokioSocket};
use nix::errno::Errno;
use tokio::time::timeout;

use super::message::{self, Message, NLMSG_ERROR, messages};
use super::{DATAGRAM, make_room};

/// Bytes of a batch; larger ones are no faster.
const BATCH: usize = 16 * 1_024;

/// Size of the receive buffer for the refusals of a whole batch: each takes about 1 KiB of the
/// kernel's memory, for 70 bytes sent.
const ROOM: usize = 1 << 20;

/// The answers are there when the send returns; whatever else happens, this is the longest wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of `struct nlmsghdr`.
const HEADER: usize = 16;

/// A request that the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which request of the batch, from 0.
    pub index: usize,
    /// The error.
    pub errno: Errno,
    /// The reason in the kernel's own words, if it gives one (`NETLINK_EXT_ACK`).
    pub words: Option<String>,
}

/// The result of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Every request was done except these.
    Done(Vec<Refusal>),
    /// Answers were lost: each request may have been done or refused.
    Lost,
}

/// A socket for requests, and the batch that is being packed.
pub struct Requests {
    socket: TokioSocket,
    port: u32,
    sequence: u32,
    packed: Vec<u8>,
    count: usize,
    buffer: Vec<u8>,
}

impl Requests {
    /// Open a socket.
    ///
    /// # Errors
    /// No netlink socket can be opened.
    pub fn open() -> io::Result<Self> {
        Self::with_room(ROOM)
    }

    /// The same with a receive buffer of this many bytes.
    ///
    /// # Errors
    /// No netlink socket can be opened.
    pub fn with_room(room: usize) -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
        let _ = socket.socket_ref().set_ext_ack(true);
        let _ = socket.socket_ref().set_cap_ack(true);
        make_room(socket.socket_ref(), room);
        let port = socket.socket_mut().bind_auto()?.port_number();
        Ok(Self {
            socket,
            port,
            sequence: 0,
            packed: Vec::with_capacity(BATCH),
            count: 0,
            buffer: Vec::with_capacity(DATAGRAM),
        })
    }

    /// The netlink port of the socket; the notifications of changes made through it carry it.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// Discard the packed requests: the task that packed them was stopped before it sent them.
    pub fn clear(&mut self) {
        self.packed.clear();
        self.count = 0;
    }

    /// How many requests are packed.
    pub fn packed(&self) -> usize {
        self.count
    }

    /// Pack a request; its flags other than `NLM_F_REQUEST` are set in its header. Returns whether
    /// there is room for another of its size.
    pub fn push(&mut self, request: &mut NetlinkMessage<RouteNetlinkMessage>) -> bool {
        request.header.flags |= NLM_F_REQUEST;
        self.pack(request);
        self.count += 1;
        self.packed.len() + request.header.length as usize + HEADER <= BATCH
    }

    fn pack(&mut self, request: &mut NetlinkMessage<RouteNetlinkMessage>) {
        self.sequence = self.sequence.wrapping_add(1);
        request.header.sequence_number = self.sequence;
        request.finalize();
        // `finalize` has computed the length; computing it again takes as long as writing the
        // message.
        let begin = self.packed.len();
        let end = begin + request.header.length as usize;
        // Messages begin at multiples of four bytes.
        self.packed.resize(end.next_multiple_of(4), 0);
        request.serialize(&mut self.packed[begin..end]);
    }

    /// Send what is packed and read the answers. The batch is empty afterwards.
    ///
    /// # Errors
    /// The socket fails. What was sent may have been done.
    pub async fn send(&mut self) -> io::Result<Answer> {
        if self.count == 0 {
            return Ok(Answer::Done(Vec::new()));
        }
        let first = self.sequence.wrapping_sub(self.count as u32 - 1);
        let count = std::mem::take(&mut self.count);
        let barrier = self.barrier();
        let sent = self.socket.send(&self.packed).await;
        self.packed.clear();
        sent?;
        let mut refusals = Vec::new();
        let whole = self
            .receive(barrier, |message| {
                let index = message.sequence.wrapping_sub(first) as usize;
                if index < count {
                    refusals.extend(refusal(index, message));
                }
            })
            .await?;
        Ok(match whole {
            true => Answer::Done(refusals),
            false => Answer::Lost,
        })
    }

    /// Pack a barrier. Returns its sequence number.
    fn barrier(&mut self) -> u32 {
        let nothing = NetlinkPayload::<RouteNetlinkMessage>::Noop;
        let mut barrier = NetlinkMessage::new(NetlinkHeader::default(), nothing);
        barrier.header.flags = NLM_F_REQUEST | NLM_F_ACK;
        self.pack(&mut barrier);
        self.sequence
    }

    /// Read until the barrier is answered. Returns whether nothing was lost.
    async fn receive(
        &mut self,
        mut barrier: u32,
        mut answer: impl FnMut(Message<'_>),
    ) -> io::Result<bool> {
        let mut whole = true;
        loop {
            self.buffer.clear();
            match timeout(PATIENCE, self.socket.recv(&mut self.buffer)).await {
                Err(_) => return Ok(false),
                // Some answers did not fit, perhaps the barrier's too: another barrier, sent after
                // the rest is read, ends the batch.
                Ok(Err(error)) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => {
                    whole = false;
                    self.drain();
                    barrier = self.barrier();
                    let sent = self.socket.send(&self.packed).await;
                    self.packed.clear();
                    sent?;
                }
                Ok(received) => received?,
            }
            for message in messages(&self.buffer) {
                match message {
                    Ok(message) if message.kind != NLMSG_ERROR => {}
                    Ok(message) if message.sequence == barrier => return Ok(whole),
                    Ok(message) => answer(message),
                    Err(message::Torn) => whole = false,
                }
            }
        }
    }

    /// Read and discard what is waiting.
    fn drain(&mut self) {
        loop {
            self.buffer.clear();
            if self.socket.socket_ref().recv(&mut self.buffer, 0).is_err() {
                return;
            }
        }
    }
}

/// `struct nlmsgerr`: the error number, the header of the request, and attributes.
fn refusal(index: usize, message: Message<'_>) -> Option<Refusal> {
    let errno = message::outcome(message.payload).err()?;
    let words = words(message);
    Some(Refusal {
        index,
        errno,
        words,
    })
}

const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;

fn words(message: Message<'_>) -> Option<String> {
    // If the request is not repeated after its header, the attributes begin there.
    if message.flags & (NLM_F_CAPPED | NLM_F_ACK_TLVS) != NLM_F_CAPPED | NLM_F_ACK_TLVS {
        return None;
    }
    let mut words = None;
    message::attributes(message.payload.get(4 + HEADER..)?, |kind, value| {
        if kind == NLMSGERR_ATTR_MSG {
            let text = value.strip_suffix(b"\0").unwrap_or(value);
            words = Some(String::from_utf8_lossy(text).into_owned());
        }
    });
    words
}
