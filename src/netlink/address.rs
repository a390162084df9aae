//! The message of an address (`struct ifaddrmsg`, rtnetlink(7); `include/uapi/linux/if_addr.h`).
//! Pure.

use std::net::IpAddr;

use nix::libc::{IFA_ADDRESS, IFA_LOCAL};

use super::message::{address, attributes, number};

/// Bytes of `struct ifaddrmsg`: family, prefix length, flags, scope, and four of the index.
const HEADER: usize = 8;

/// `IFA_F_PERMANENT`: an address without a lifetime, which was set on this machine.
const PERMANENT: u8 = 0x80;

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The index of the interface.
    pub interface: u32,
    /// The prefix length of its network.
    pub length: u8,
    /// Whether it was set on this machine, and not leased.
    pub permanent: bool,
    /// The address.
    pub own: IpAddr,
    /// The address of the other end if the interface has one, otherwise the address itself.
    pub other: IpAddr,
}

impl Address {
    /// Read an address. `IFA_LOCAL` is the address. `IFA_ADDRESS` is that of the peer where it
    /// differs, and the only attribute for IPv6 without a peer (`if_addr.h`).
    pub fn read(payload: &[u8]) -> Option<Self> {
        let length = *payload.get(1)?;
        let permanent = payload.get(2)? & PERMANENT != 0;
        let interface = number(payload.get(4..)?)?;
        let (mut own, mut other) = (None, None);
        attributes(payload.get(HEADER..)?, |kind, value| match kind {
            IFA_LOCAL => own = address(value),
            IFA_ADDRESS => other = address(value),
            _ => {}
        });
        Some(Self {
            interface,
            length,
            permanent,
            own: own.or(other)?,
            other: other.or(own)?,
        })
    }
}
