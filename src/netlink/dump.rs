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
use netlink_sys::{AsyncSocket, AsyncSocketExt, TokioSocket};
use nix::errno::Errno;

use super::DATAGRAM;
use super::message::{self, Message, NLMSG_DONE, NLMSG_ERROR, Torn};

/// So often is a dump asked again that was interrupted by a change …
const TRIES: usize = 5;
/// … and no more after so long: a router with all routes of the Internet changes all the time.
const TRY_FOR: Duration = Duration::from_secs(2);

/// Send a request and hand over every message of the answer. A dump that a change interrupted is asked
/// again; what all of them showed together is the answer, so `read` may see a message twice. A family, a table, or a
/// kind of message, that the kernel does not have has none.
///
/// # Errors
/// What the kernel answers, and a socket that cannot be had.
pub async fn dump<M: NetlinkSerializable + Clone>(
    request: &M,
    mut read: impl FnMut(Message<'_>),
) -> io::Result<()> {
    let begun = Instant::now();
    for _ in 0..TRIES {
        let whole = dump_once(request, &mut read).await?;
        if whole || begun.elapsed() > TRY_FOR {
            break;
        }
    }
    Ok(())
}

/// One dump; answers whether it is whole: no change came between (`NLM_F_DUMP_INTR`).
///
/// # Errors
/// What the kernel answers, and a socket that cannot be had.
pub async fn dump_once<M: NetlinkSerializable + Clone>(
    request: &M,
    mut read: impl FnMut(Message<'_>),
) -> io::Result<bool> {
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
                NLMSG_DONE | NLMSG_ERROR => return ended(message.payload).map(|()| whole),
                _ => read(message),
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
