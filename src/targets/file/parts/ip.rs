//! What files say differently of IPv4 and of IPv6.

use std::net::IpAddr;

use crate::targets::file::parts::sequence::Numbered;
use crate::targets::file::{FileInput, FileOptions};

/// One of them, as the type of its addresses.
pub trait Ip: Numbered {
    /// `4`
    const N: u8;
    /// `ip`
    const IP: &'static str;
    /// Every address.
    const ALL: &'static str;
    /// No route is to this one: the last of TEST-NET-1 (RFC 5737), or one of the discard-only block
    /// (RFC 6666).
    const NO_ROUTE: Self;
}

impl Ip for u32 {
    const N: u8 = 4;
    const IP: &'static str = "ip";
    const ALL: &'static str = "0.0.0.0/0";
    const NO_ROUTE: Self = 0xc000_02ff;
}

impl Ip for u128 {
    const N: u8 = 6;
    const IP: &'static str = "ipv6";
    const ALL: &'static str = "::/0";
    const NO_ROUTE: Self = 0x0100 << 112 | 0xffff_ffff;
}

/// One of them, as values for the text of policies.
#[derive(Clone, Copy)]
pub struct Side {
    /// `4`
    pub n: u8,
    /// Behind names: nothing for IPv4, `6` for IPv6.
    pub six: &'static str,
    /// `ip`
    pub ip: &'static str,
    /// Every address.
    pub all: &'static str,
    /// Length of an address.
    pub longest: u8,
    /// The shortest prefix that is taken, at least 1.
    pub shortest: u8,
    /// The next hop that is written, where one is configured.
    pub next_hop: Option<IpAddr>,
    /// The address whose route drops at an edge.
    pub discard: IpAddr,
}

/// IPv4, then IPv6.
pub fn sides(options: &FileOptions, input: &FileInput) -> [Side; 2] {
    let [v4, v6] = options.next_hops();
    let limits = input.limits;
    [
        side::<u32>("", limits.shortest_v4, v4, options.discard_v4().into()),
        side::<u128>("6", limits.shortest_v6, v6, options.discard_v6().into()),
    ]
}

fn side<B: Ip>(six: &'static str, shortest: u8, next_hop: Option<IpAddr>, discard: IpAddr) -> Side {
    Side {
        n: B::N,
        six,
        ip: B::IP,
        all: B::ALL,
        longest: B::WIDTH,
        shortest: shortest.max(1),
        next_hop,
        discard,
    }
}

impl Side {
    /// The line that sets the next hop, with what stands before and after it; nothing where none is
    /// written.
    pub fn next_hop_line(&self, before: &str, after: &str) -> String {
        let line = |next_hop| format!("{before}{next_hop}{after}");
        self.next_hop.map(line).unwrap_or_default()
    }
}
