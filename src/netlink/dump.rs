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
/// A dump of IPv6 routes is never marked as interrupted. After a change it begins anew, less as many nodes as it has
/// been at (`fib6_dump_table`, net/ipv6/ip6_fib.c): where some went meanwhile, as many that stayed are left out.
///
/// # Errors
/// What the kernel answers, and a socket that cannot be had.
pub async fn dump_once<M: NetlinkSerializable + Clone>(
    request: &M,
    told: Option<u32>,
    mut read: impl FnMut(Message<'_>),
) -> io::Result<bool> {
    let silence = told.map(Silence::begin).transpose()?;
    let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
    // Without it (Linux before 4.20) filters in a request are ignored, and all is sent.
    let _ = socket.socket_ref().set_netlink_get_strict_chk(true);
    socket.socket_mut().bind_auto()?;
    let request = NetlinkPayload::InnerMessage(request.clone());
    let mut packet = NetlinkMessage::new(NetlinkHeader::default(), request);
    packet.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);
    socket.send(&bytes).await?;

    let mut whole = true;
    let mut buffer = Vec::with_capacity(DATAGRAM);
    loop {
        buffer.clear();
        socket.recv(&mut buffer).await?;
        for message in message::messages(&buffer) {
            let message = message.map_err(|Torn| io::Error::from(io::ErrorKind::InvalidData))?;
            whole &= message.flags & NLM_F_DUMP_INTR == 0;
            match message.kind {
                NLMSG_DONE | NLMSG_ERROR => {
                    ended(message.payload)?;
                    return Ok(whole && silence.as_ref().is_none_or(Silence::was_kept));
                }
                _ => read(message),
            }
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
