//! The frame of every message (netlink(7)): headers, attributes, errors. Pure.
//!
//! Only the needed attributes are read, in place: a full routing table passes through here, and an
//! unknown attribute must not hide a route.

use std::io;
use std::net::IpAddr;

use netlink_packet_core::{
    NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload,
    NetlinkSerializable, NlasIterator,
};
use nix::errno::Errno;
pub use nix::libc::{
    RTM_DELADDR, RTM_DELLINK, RTM_DELROUTE, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWROUTE,
};

/// An error or an acknowledgement. Message types: `include/uapi/linux/netlink.h`, `rtnetlink.h`.
pub const NLMSG_ERROR: u16 = 2;
/// The end of a dump.
pub const NLMSG_DONE: u16 = 3;

/// One message of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its type, `RTM_…` or `NLMSG_…`.
    pub kind: u16,
    /// Its flags, `NLM_F_…`.
    pub flags: u16,
    /// The sequence number of the request that it answers.
    pub sequence: u32,
    /// The netlink port of the program whose change a notification reports; 0 for the kernel
    /// itself.
    pub port: u32,
    /// The bytes after the header.
    pub payload: &'a [u8],
}

/// The datagram ends inside a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn;

/// The messages of a datagram (netlink(7)).
pub fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Result<Message<'_>, Torn>> {
    std::iter::from_fn(move || {
        if datagram.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut datagram);
        let Ok(message) = NetlinkBuffer::new_checked(rest) else {
            return Some(Err(Torn));
        };
        let length = message.length() as usize;
        datagram = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some(Ok(Message {
            kind: message.message_type(),
            flags: message.flags(),
            sequence: message.sequence_number(),
            port: message.port_number(),
            payload: message.payload(),
        }))
    })
}

impl From<Torn> for io::Error {
    fn from(_: Torn) -> Self {
        io::ErrorKind::InvalidData.into()
    }
}

/// A request as it is sent.
pub fn packed<M: NetlinkSerializable>(request: M, flags: u16, sequence: u32) -> Vec<u8> {
    let payload = NetlinkPayload::InnerMessage(request);
    let mut packet = NetlinkMessage::new(NetlinkHeader::default(), payload);
    packet.header.flags = NLM_F_REQUEST | flags;
    packet.header.sequence_number = sequence;
    packet.finalize();
    // Messages begin at multiples of four bytes.
    let mut bytes = vec![0; packet.buffer_len().next_multiple_of(4)];
    packet.serialize(&mut bytes);
    bytes
}

/// What an error, an acknowledgement or the end of a dump says of the request: the error of the
/// kernel, if there is one.
pub fn outcome(payload: &[u8]) -> Result<(), Errno> {
    match number(payload).map_or(0, u32::cast_signed) {
        0.. => Ok(()),
        code => Err(Errno::from_raw(code.saturating_neg())),
    }
}

/// The same for a dump: one of a family or a table that the kernel does not have is empty.
pub fn outcome_of_dump(payload: &[u8]) -> io::Result<()> {
    match outcome(payload) {
        Err(Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP | Errno::ENOENT) => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// Visit the attributes of a message, up to a torn one.
pub fn attributes(bytes: &[u8], mut visit: impl FnMut(u16, &[u8])) {
    for attribute in NlasIterator::new(bytes).map_while(Result::ok) {
        visit(attribute.kind(), attribute.value());
    }
}

/// An address of either family.
pub fn address(value: &[u8]) -> Option<IpAddr> {
    let v4 = || Some(IpAddr::from(<[u8; 4]>::try_from(value).ok()?));
    let v6 = || Some(IpAddr::from(<[u8; 16]>::try_from(value).ok()?));
    v4().or_else(v6)
}

/// The first four bytes as a number in host byte order.
pub fn number(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::{Emitable, NetlinkMessage};
    use netlink_packet_route::RouteNetlinkMessage;
    use netlink_packet_route::link::{LinkAttribute, LinkMessage};

    use super::*;

    #[test]
    fn a_datagram_holds_messages_and_a_torn_one_is_told() {
        let mut link = LinkMessage::default();
        link.header.index = 9;
        link.attributes = vec![
            LinkAttribute::Mtu(1_500),
            LinkAttribute::IfName("wan0".into()),
        ];
        let mut packet = NetlinkMessage::from(RouteNetlinkMessage::NewLink(link));
        packet.finalize();
        let mut one = vec![0; packet.buffer_len()];
        packet.emit(&mut one);
        let two = [one.clone(), one.clone()].concat();
        let read: Vec<_> = messages(&two).map(Result::unwrap).collect();
        assert_eq!(read.len(), 2);
        assert!(read.iter().all(|message| message.kind == RTM_NEWLINK));
        let torn: Vec<_> = messages(&two[..two.len() - 4]).collect();
        assert_eq!(torn.len(), 2);
        assert_eq!(torn[1], Err(Torn));
    }
}
