//! The least that a program can do: one message, copied with another destination each time, packed
//! and sent. Nothing is compared, nothing is heard but the answer to the last message.

use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;

const BATCH: usize = 16 * 1_024;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const HEADER: usize = 16;

/// What to do with a route.
#[derive(Clone, Copy)]
pub enum What {
    Add,
    Delete,
}

/// One message (`struct nlmsghdr`, `struct rtmsg`, `RTA_DST`, `RTA_TABLE`, for IPv6
/// `RTA_PRIORITY`).
fn message(what: What, family: u8, length: u8, address: &[u8]) -> Vec<u8> {
    let (kind, flags) = match what {
        What::Add => (RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL),
        What::Delete => (RTM_DELROUTE, 0),
    };
    let mut bytes = vec![0; HEADER];
    bytes.extend([family, length, 0, 0, 254, 166, 0, 6, 0, 0, 0, 0]);
    let mut attribute = |kind: u16, value: &[u8]| {
        bytes.extend((4 + value.len() as u16).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
    };
    attribute(1, address);
    attribute(15, &254_u32.to_ne_bytes());
    if address.len() == 16 {
        attribute(6, &1_024_u32.to_ne_bytes());
    }
    let total = bytes.len() as u32;
    bytes[0..4].copy_from_slice(&total.to_ne_bytes());
    bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
    bytes[6..8].copy_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
    bytes
}

/// Add or delete all of these.
pub fn routes<const N: usize, A>(what: What, length: u8, addresses: impl Fn() -> A)
where
    A: Iterator<Item = [u8; N]>,
{
    let mut socket = Socket::new(NETLINK_ROUTE).unwrap();
    socket.bind_auto().unwrap();
    let family = if N == 4 { 2 } else { 10 };
    let mut template = message(what, family, length, &[0; N]);
    let at = HEADER + 12 + 4;
    let mut packed = Vec::with_capacity(BATCH);
    for address in addresses() {
        template[at..at + N].copy_from_slice(&address);
        packed.extend(&template);
        if packed.len() + template.len() + HEADER > BATCH {
            socket.send(&packed, 0).unwrap();
            packed.clear();
        }
    }
    // NLMSG_NOOP, to be acknowledged.
    packed.extend(16_u32.to_ne_bytes());
    packed.extend(1_u16.to_ne_bytes());
    packed.extend((NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
    packed.extend([0; 8]);
    socket.send(&packed, 0).unwrap();
    let mut answer = Vec::with_capacity(4_096);
    socket.recv(&mut answer, 0).unwrap();
    assert_eq!(answer[16..20], [0; 4], "something was refused");
}
