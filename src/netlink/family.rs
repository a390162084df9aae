//! The two address families, as rtnetlink(7) distinguishes them. Pure.

use std::cmp::Reverse;

use netlink_packet_route::AddressFamily as Family;
use netlink_packet_route::route::RouteAddress;

use crate::prefix::{Bits, Prefix};

/// The differences between the families in a message.
pub trait AddressFamily: Bits {
    /// `AF_INET` or `AF_INET6`.
    const FAMILY: Family;
    /// The multicast group for route changes (`RTNLGRP_IPV4_ROUTE`, `RTNLGRP_IPV6_ROUTE`).
    const GROUP: u32;
    /// The position of a prefix in the order in which the kernel lists a table, which is ascending.
    fn place(prefix: &Prefix<Self>) -> (Self, Reverse<u8>);
    /// The address as an attribute.
    fn to_address(self) -> RouteAddress;
    /// The address in the bytes of an attribute; `None` for another family.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl AddressFamily for u32 {
    const FAMILY: Family = Family::Inet;
    const GROUP: u32 = 7;
    /// By the first address; the longest prefix first for equal ones (`fn_trie_dump_leaf`,
    /// net/ipv4/fib_trie.c).
    fn place(prefix: &Prefix<Self>) -> (Self, Reverse<u8>) {
        (prefix.first(), Reverse(prefix.len()))
    }
    fn to_address(self) -> RouteAddress {
        RouteAddress::Inet(self.into())
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl AddressFamily for u128 {
    const FAMILY: Family = Family::Inet6;
    const GROUP: u32 = 11;
    /// A prefix comes after those inside it (`fib6_walk_continue`, net/ipv6/ip6_fib.c), so by the
    /// last address; the longest prefix first for equal ones.
    fn place(prefix: &Prefix<Self>) -> (Self, Reverse<u8>) {
        (prefix.last(), Reverse(prefix.len()))
    }
    fn to_address(self) -> RouteAddress {
        RouteAddress::Inet6(self.into())
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

/// The prefix of this address and length; `None` for a length above the width of the family.
pub fn prefix<B: AddressFamily>(address: B, length: u8) -> Option<Prefix<B>> {
    (length <= B::WIDTH).then(|| Prefix::new(address, length))
}

/// A prefix as iproute2 writes it: `default`, and a single address without its length.
pub fn written<B: AddressFamily>(prefix: &Prefix<B>) -> String {
    match prefix.len() {
        0 => "default".to_owned(),
        length if length == B::WIDTH => prefix.first().to_ip().to_string(),
        _ => prefix.to_string(),
    }
}
