//! Ask the kernel for everything of a kind (I/O).
//!
//! With a socket of its own, not through a connection of `rtnetlink`: that one queues what has come, and a
//! full routing table is a million messages of which a handful of addresses is wanted.

use std::io;
use std::time::{Duration, Instant};

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
    NetlinkSerializable,
};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{AsyncSocket, AsyncSocketExt, Socket, SocketAddr, TokioSocket};
use nix::errno::Errno;

use super::DATAGRAM;
use super::message::{self, Message, NLMSG_DONE, NLMSG_ERROR, Torn};

/// So often is a dump asked again that was interrupted by a change …
const TRIES: usize = 5;
/// … and no more after so long: a router with all routes of the Internet changes all the time.
const TRY_FOR: Duration = Duration::from_secs(2);

/// Send a request and hand over every message of the answer. A dump that a change interrupted is asked
/// again; what all of them showed together is the answer, so `read` may see a message twice. A family, a table, or a
/// kind of message, that the kernel does not have has none. For `told` see [`dump_once`].
///
/// # Errors
/// What the kernel answers, and a socket that cannot be had.
pub async fn dump<M: NetlinkSerializable + Clone>(
    request: &M,
    told: Option<u32>,
    mut read: impl FnMut(Message<'_>),
) -> io::Result<()> {
    let begun = Instant::now();
    for _ in 0..TRIES {
        let whole = dump_once(request, told, &mut read).await?;
        if whole || begun.elapsed() > TRY_FOR {
            break;
        }
    }
    Ok(())
}

/// One dump; answers whether it is whole, see [`Dumps::once`].
///
/// # Errors
/// What the kernel answers, and a socket that cannot be had.
pub async fn dump_once<M: NetlinkSerializable + Clone>(
    request: &M,
    told: Option<u32>,
    mut read: impl FnMut(Message<'_>),
) -> io::Result<bool> {
    let each = |part: Part<'_>| match part {
        Part::Message(message) => read(message),
        Part::Pause => {}
    };
    Dumps::new(DATAGRAM)?.once(request, told, each).await
}

/// What a dump consists of.
pub enum Part<'a> {
    /// A message of the kernel.
    Message(Message<'a>),
    /// Others had the lock between what came before and what comes now. Where something changed during the dump, what
    /// was there all the time may be left out here, and nowhere else.
    ///
    /// IPv6 (`fib6_dump_table`, net/ipv6/ip6_fib.c): after a change a dump begins anew, less as many nodes as it has been
    /// at, and is not marked as interrupted. Where some of those went, as many that stayed are left out, be it pauses
    /// later. IPv4 (`fn_trie_dump_leaf`, net/ipv4/fib_trie.c) goes on by address, but among the routes that begin with
    /// the same one by their number.
    Pause,
}

/// Dumps, one after the other. Not to be used again after an error, nor where one was dropped.
pub struct Dumps {
    socket: TokioSocket,
    buffer: Vec<u8>,
    /// Room for a datagram in the next dump.
    datagram: usize,
    /// Bytes with which the kernel fills the next datagram: as many as there was room for in one before.
    filled: usize,
}

/// Bytes that the first datagram of a socket has at least, and one for which the kernel finds no more memory at most;
/// and that none has more than (`netlink_dump`, net/netlink/af_netlink.c).
const FIRST: usize = 3 * 1_024;
const SCANTY: usize = 8 * 1_024;
const LONGEST: usize = 31 * 1_024;

/// So much longer are the datagrams of the next dump, in bytes.
const LONGER: usize = 700;

impl Dumps {
    /// With datagrams of so many bytes at most, 8 KiB at least. Those of each further dump are longer, up to what the
    /// kernel sends, so that they end elsewhere.
    ///
    /// # Errors
    /// A socket that cannot be had.
    pub fn new(datagram: usize) -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
        // Without it (Linux before 4.20) filters in a request are ignored, and all is sent.
        let _ = socket.socket_ref().set_netlink_get_strict_chk(true);
        socket.socket_mut().bind_auto()?;
        Ok(Self {
            socket,
            buffer: Vec::new(),
            datagram,
            filled: FIRST,
        })
    }

    /// One of them. Answers whether it is whole: no change came between (`NLM_F_DUMP_INTR`), and the group of multicast
    /// `told`, where there is one, heard of none.
    ///
    /// # Errors
    /// What the kernel answers, and a socket that cannot be had.
    pub async fn once<M: NetlinkSerializable + Clone>(
        &mut self,
        request: &M,
        told: Option<u32>,
        mut read: impl FnMut(Part<'_>),
    ) -> io::Result<bool> {
        self.buffer.clear();
        self.buffer.reserve_exact(self.datagram);
        self.datagram = (self.datagram + LONGER).min(DATAGRAM);
        let silence = told.map(Silence::begin).transpose()?;
        let request = NetlinkPayload::InnerMessage(request.clone());
        let mut packet = NetlinkMessage::new(NetlinkHeader::default(), request);
        packet.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        self.socket.send(&bytes).await?;

        let mut whole = true;
        // Bytes of the longest message, and whether the datagram before had room for more.
        let (mut longest, mut had_room) = (0, false);
        let mut is_first = true;
        loop {
            self.buffer.clear();
            self.socket.recv(&mut self.buffer).await?;
            for (at, message) in message::messages(&self.buffer).enumerate() {
                let message =
                    message.map_err(|Torn| io::Error::from(io::ErrorKind::InvalidData))?;
                whole &= message.flags & NLM_F_DUMP_INTR == 0;
                let is_end = matches!(message.kind, NLMSG_DONE | NLMSG_ERROR);
                // Where there was room for more, there was no more: only that this is the end is told later.
                if at == 0 && !is_first && !(is_end && had_room) {
                    read(Part::Pause);
                }
                if is_end {
                    ended(message.payload)?;
                    return Ok(whole && silence.as_ref().is_none_or(Silence::was_kept));
                }
                longest = longest.max(message.payload.len());
                read(Part::Message(message));
            }
            is_first = false;
            let used = self.buffer.len();
            let has_room = |filled: usize| used + longest + filled / 4 < filled;
            had_room = has_room(FIRST) || used > SCANTY && has_room(self.filled);
            self.filled = self.filled.max(self.buffer.capacity().min(LONGEST));
        }
    }
}

/// Whether a group of multicast has anything to say, or those of interfaces and nexthop objects, with which IPv4 routes
/// go without a word.
struct Silence(Socket);

/// RTNLGRP_LINK and RTNLGRP_NEXTHOP, as bits of an address.
const INTERFACES: u32 = 1;
const NEXTHOPS: u32 = 1 << 31;

impl Silence {
    fn begin(group: u32) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        let groups = 1 << (group - 1) | INTERFACES | NEXTHOPS;
        socket.bind(&SocketAddr::new(0, groups))?;
        socket.set_non_blocking(true)?;
        Ok(Self(socket))
    }

    /// Whether it has said nothing. An overflow is as much as a word.
    fn was_kept(&self) -> bool {
        let mut byte = [0; 1];
        let heard = self.0.recv(&mut &mut byte[..], 0);
        heard.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

fn ended(payload: &[u8]) -> io::Result<()> {
    match message::code(payload) {
        0.. => Ok(()),
        code => match Errno::from_raw(code.saturating_neg()) {
            Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP | Errno::ENOENT => Ok(()),
            errno => Err(errno.into()),
        },
    }
}
