//! The two families of addresses, as rtnetlink(7) tells them apart. Pure.

use std::cmp::Reverse;

use netlink_packet_route::AddressFamily as Family;
use netlink_packet_route::route::RouteAddress;

use crate::prefix::{Bits, Prefix};

/// What differs between the families in a message.
pub trait AddressFamily: Bits {
    /// `AF_INET` or `AF_INET6`.
    const FAMILY: Family;
    /// The multicast group of changes of routes (`RTNLGRP_IPV4_ROUTE`, `RTNLGRP_IPV6_ROUTE`).
    const GROUP: u32;
    /// Where the kernel stands when it lists a table, which it does ascending.
    fn place(prefix: &Prefix<Self>) -> (Self, Reverse<u8>);
    /// As an attribute.
    fn to_address(self) -> RouteAddress;
    /// From the bytes of an attribute; `None` for another family.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl AddressFamily for u32 {
    const FAMILY: Family = Family::Inet;
    const GROUP: u32 = 7;
    /// By the first address; of those the longest first (`fn_trie_dump_leaf`, net/ipv4/fib_trie.c).
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
    /// What is inside of a prefix before it (`fib6_walk_continue`, net/ipv6/ip6_fib.c): so by the last address; of those
    /// the longest first.
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

/// The prefix of this address and length; `None` for a length that the family does not have.
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
