//! Dump all kernel objects of one kind (I/O).
//!
//! Each dump uses a socket of its own, not a connection of `rtnetlink`: that one queues every
//! message received, and a full routing table is a million messages of which a handful of addresses
//! is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_DUMP_INTR, NetlinkSerializable};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{AsyncSocket, AsyncSocketExt, Socket, SocketAddr, TokioSocket};

use super::DATAGRAM;
use super::address::Address;
use super::link::Link;
use super::message::{
    self, Message, NLMSG_DONE, NLMSG_ERROR, RTM_NEWADDR, RTM_NEWLINK, outcome_of_dump, packed,
};

/// A dump that a change interrupted is repeated this often at most …
const TRIES: usize = 5;
/// … and no more after this time: a router with all routes of the Internet changes all the time.
const TRY_FOR: Duration = Duration::from_secs(2);

/// Send a request and pass on every message of the answer. A dump that a change interrupted is
/// repeated. The answer is the union of all dumps, so `read` may receive a message twice. It is
/// empty for a family, a table or a kind of message that the kernel does not have. For `group` see
/// [`dump_once`].
///
/// # Errors
/// An error from the kernel, or no socket can be opened.
pub async fn dump<M: NetlinkSerializable + Clone>(
    request: &M,
    group: Option<u32>,
    mut read: impl FnMut(Message<'_>),
) -> io::Result<()> {
    let begun = Instant::now();
    for _ in 0..TRIES {
        let whole = dump_once(request, group, &mut read).await?;
        if whole || begun.elapsed() > TRY_FOR {
            break;
        }
    }
    Ok(())
}

/// One dump. Returns whether it is whole, see [`Dumps::once`].
///
/// # Errors
/// An error from the kernel, or no socket can be opened.
pub async fn dump_once<M: NetlinkSerializable + Clone>(
    request: &M,
    group: Option<u32>,
    mut read: impl FnMut(Message<'_>),
) -> io::Result<bool> {
    let each = |part: DumpItem<'_>| match part {
        DumpItem::Message(message) => read(message),
        DumpItem::Pause => {}
    };
    Dumps::new(DATAGRAM)?.once(request, group, each).await
}

/// The interfaces, by index.
///
/// # Errors
/// An error from the kernel, or no socket can be opened.
pub async fn links() -> io::Result<BTreeMap<u32, Link>> {
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    let mut links = BTreeMap::new();
    dump(&request, None, |answer| {
        if answer.kind == RTM_NEWLINK {
            links.extend(Link::read(answer.payload).map(|link| (link.index, link)));
        }
    })
    .await?;
    Ok(links)
}

/// The addresses of the interfaces.
///
/// # Errors
/// An error from the kernel, or no socket can be opened.
pub async fn addresses() -> io::Result<BTreeSet<Address>> {
    let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    let mut addresses = BTreeSet::new();
    dump(&request, None, |answer| {
        if answer.kind == RTM_NEWADDR {
            addresses.extend(Address::read(answer.payload));
        }
    })
    .await?;
    Ok(addresses)
}

pub enum DumpItem<'a> {
    /// A message of the kernel.
    Message(Message<'a>),
    /// The boundary between two datagrams. If something changed during the dump, an object that
    /// existed during the whole time may be missing here, and nowhere else: within a datagram the
    /// kernel walks the table without interruption.
    ///
    /// IPv6 (`fib6_dump_table`, net/ipv6/ip6_fib.c): after a change the dump starts again, skips as
    /// many nodes as it had visited, and is not marked as interrupted. If some of those were
    /// removed, as many that still exist are left out, possibly some boundaries later. IPv4
    /// (`fn_trie_dump_leaf`, net/ipv4/fib_trie.c) continues by address, but among the routes that
    /// begin with the same address by their number.
    Pause,
}

/// Makes dumps, one after the other. Must not be used again after an error, nor after a dump was
/// dropped.
pub struct Dumps {
    socket: TokioSocket,
    buffer: Vec<u8>,
    /// Maximum datagram size of the next dump, in bytes.
    datagram: usize,
    /// Bytes to which the kernel fills the next datagram at least: the largest room that an earlier
    /// one had.
    filled: usize,
}

/// Bytes to which the kernel fills the first datagram of a socket at least, and one that had room
/// for all that the kernel sends (`netlink_dump`, net/netlink/af_netlink.c).
const FIRST: usize = 3 * 1_024;
const LONGEST: usize = 31 * 1_024;

/// How much longer the datagrams of the next dump are, in bytes.
const LONGER: usize = 700;

impl Dumps {
    /// With datagrams of at most this many bytes, and at least 8 KiB. The datagrams of each further
    /// dump are longer, up to what the kernel sends, so that their boundaries move.
    ///
    /// # Errors
    /// No socket can be opened.
    pub fn new(datagram: usize) -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
        // Without it (Linux before 4.20) the filter of a request is ignored, and everything is
        // sent.
        let _ = socket.socket_ref().set_netlink_get_strict_chk(true);
        socket.socket_mut().bind_auto()?;
        Ok(Self {
            socket,
            buffer: Vec::new(),
            datagram,
            filled: FIRST,
        })
    }

    /// Make one dump. Returns whether it is whole: no change occurred during it
    /// (`NLM_F_DUMP_INTR`), and the multicast group, if one is given, received no
    /// notification.
    ///
    /// # Errors
    /// An error from the kernel, or no socket can be opened.
    pub async fn once<M: NetlinkSerializable + Clone>(
        &mut self,
        request: &M,
        group: Option<u32>,
        mut read: impl FnMut(DumpItem<'_>),
    ) -> io::Result<bool> {
        self.buffer.clear();
        self.buffer.reserve_exact(self.datagram);
        self.datagram = (self.datagram + LONGER).min(DATAGRAM);
        let silence = group.map(Silence::begin).transpose()?;
        if silence.is_some() {
            self.until_notified_changes_are_complete().await?;
        }
        self.send(request.clone(), NLM_F_DUMP).await?;

        let mut whole = true;
        // Bytes of the longest message, and whether the previous datagram had room for more.
        let (mut longest, mut had_room) = (0, false);
        let mut is_first = true;
        'all: loop {
            let filled = self.filled;
            self.receive().await?;
            for (at, message) in message::messages(&self.buffer).enumerate() {
                let message = message?;
                whole &= message.flags & NLM_F_DUMP_INTR == 0;
                let is_end = matches!(message.kind, NLMSG_DONE | NLMSG_ERROR);
                // If the previous datagram had room for more, there was nothing more, and this
                // datagram only reports the end. This assumes that no message is many times as long
                // as those before it, such as a route with a hundred next hops, and that there was
                // memory for a datagram of this length.
                if at == 0 && !is_first && !(is_end && had_room) {
                    read(DumpItem::Pause);
                }
                if is_end {
                    outcome_of_dump(message.payload)?;
                    break 'all;
                }
                longest = longest.max(message.payload.len());
                read(DumpItem::Message(message));
            }
            is_first = false;
            had_room = self.buffer.len() + longest + filled / 4 < filled;
        }
        let Some(silence) = silence else {
            return Ok(whole);
        };
        self.until_notified_changes_are_complete().await?;
        Ok(whole && silence.was_kept())
    }

    /// Wait until the changes that were notified are complete. The kernel sends some notifications
    /// before the change and others after it, and holds its lock throughout (`rtnl_mutex`). This
    /// request takes that lock. A dump of IPv4 routes does not.
    async fn until_notified_changes_are_complete(&mut self) -> io::Result<()> {
        let mut loopback = LinkMessage::default();
        loopback.header.index = 1;
        self.send(RouteNetlinkMessage::GetLink(loopback), 0).await?;
        self.receive().await
    }

    async fn send<M: NetlinkSerializable>(&mut self, request: M, flags: u16) -> io::Result<()> {
        let sent = self.socket.send(&packed(request, flags, 0)).await;
        sent.map(drop)
    }

    /// Receive a datagram.
    async fn receive(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.socket.recv(&mut self.buffer).await?;
        self.filled = self.filled.max(self.buffer.capacity().min(LONGEST));
        Ok(())
    }
}

/// Detects notifications of a multicast group, or of changes that move routes without a
/// notification: interfaces and nexthop objects remove routes, and policy rules make the kernel
/// rearrange them.
struct Silence(Socket);

/// RTNLGRP_LINK, RTNLGRP_NEXTHOP, RTNLGRP_IPV4_RULE and RTNLGRP_IPV6_RULE, as bits of an address.
const INTERFACES: u32 = 1;
const NEXTHOPS: u32 = 1 << 31;
const RULES: u32 = 1 << 7 | 1 << 18;

impl Silence {
    fn begin(group: u32) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        let groups = 1 << (group - 1) | INTERFACES | NEXTHOPS | RULES;
        socket.bind(&SocketAddr::new(0, groups))?;
        socket.set_non_blocking(true)?;
        Ok(Self(socket))
    }

    /// Whether there was no notification. An overflow counts as one.
    fn was_kept(&self) -> bool {
        let mut byte = [0; 1];
        let received = self.0.recv(&mut &mut byte[..], 0);
        received.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}
