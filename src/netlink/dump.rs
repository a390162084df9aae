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

/// One dump; answers whether it is whole: no change came between (`NLM_F_DUMP_INTR`), and the group of multicast
/// `told` heard of none.
///
/// # Errors
/// What the kernel answers, and a socket that cannot be had.
pub async fn dump_once<M: NetlinkSerializable + Clone>(
    request: &M,
    told: Option<u32>,
    mut read: impl FnMut(Message<'_>),
) -> io::Result<bool> {
    let mut whole = true;
    let each = |part: Part<'_>| match part {
        Part::Message(message) => read(message),
        Part::Tear => whole = false,
    };
    Dumps::new(DATAGRAM)?.once(request, told, each).await?;
    Ok(whole)
}

/// What a dump consists of.
pub enum Part<'a> {
    /// A message of the kernel.
    Message(Message<'a>),
    /// Something changed between what came before and what comes now: what was there all the time may be left out
    /// here.
    ///
    /// A dump of IPv6 routes is never marked as interrupted. After a change it begins anew, less as many nodes as it
    /// has been at (`fib6_dump_table`, net/ipv6/ip6_fib.c): where some went meanwhile, as many that stayed are left
    /// out. A datagram is filled under the lock that a change takes, too; so nothing is left out within one, nor
    /// between two of them while the kernel told of no change.
    Tear,
}

/// Dumps, one after the other.
pub struct Dumps {
    socket: TokioSocket,
    buffer: Vec<u8>,
    /// Room for a datagram in the next dump.
    datagram: usize,
    /// Bytes with which the kernel fills the next datagram: as many as there was room for in one before.
    filled: usize,
}

/// Bytes that the first datagram of a socket has at least, and that none has more than (`netlink_dump`,
/// net/netlink/af_netlink.c).
const FIRST: usize = 3 * 1_024;
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

    /// One of them. Changes are those that the group of multicast `told` hears of.
    ///
    /// # Errors
    /// What the kernel answers, and a socket that cannot be had.
    pub async fn once<M: NetlinkSerializable + Clone>(
        &mut self,
        request: &M,
        told: Option<u32>,
        mut read: impl FnMut(Part<'_>),
    ) -> io::Result<()> {
        self.buffer.clear();
        self.buffer.reserve_exact(self.datagram);
        self.datagram = (self.datagram + LONGER).min(DATAGRAM);
        let mut silence = told.map(Silence::begin).transpose()?;
        let request = NetlinkPayload::InnerMessage(request.clone());
        let mut packet = NetlinkMessage::new(NetlinkHeader::default(), request);
        packet.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        self.socket.send(&bytes).await?;

        // Whether something changed before this datagram was filled, and whether the one before it was filled up.
        let (mut is_torn, mut was_full) = (false, true);
        loop {
            self.buffer.clear();
            self.socket.recv(&mut self.buffer).await?;
            // The kernel has filled the next one while it gave us this (`netlink_recvmsg`).
            let is_silent = silence.as_mut().is_none_or(Silence::is_kept);
            for message in message::messages(&self.buffer) {
                let message =
                    message.map_err(|Torn| io::Error::from(io::ErrorKind::InvalidData))?;
                let is_end = matches!(message.kind, NLMSG_DONE | NLMSG_ERROR);
                // Where there was room for more, there was no more: the end by itself is only told later.
                is_torn &= was_full || !is_end;
                if is_torn || message.flags & NLM_F_DUMP_INTR != 0 {
                    read(Part::Tear);
                }
                if is_end {
                    return ended(message.payload);
                }
                read(Part::Message(message));
                (is_torn, was_full) = (false, true);
            }
            is_torn = !is_silent;
            was_full = self.buffer.len() > self.filled / 4 * 3;
            self.filled = self.filled.max(self.buffer.capacity().min(LONGEST));
        }
    }
}

/// Whether a group of multicast has anything to say.
struct Silence(Socket);

impl Silence {
    fn begin(group: u32) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind(&SocketAddr::new(0, 1 << (group - 1)))?;
        socket.set_non_blocking(true)?;
        Ok(Self(socket))
    }

    /// Whether it has said nothing since it was asked last. An overflow is as much as a word.
    fn is_kept(&mut self) -> bool {
        let mut is_kept = true;
        let mut byte = [0; 1];
        loop {
            match self.0.recv(&mut &mut byte[..], 0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return is_kept,
                Err(error) if error.raw_os_error() != Some(Errno::ENOBUFS as i32) => return false,
                _ => is_kept = false,
            }
        }
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
