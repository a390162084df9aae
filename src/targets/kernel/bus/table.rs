//! `/proc/net/netlink` (`netlink_native_seq_show`, net/netlink/af_netlink.c). Pure.
//!
//! ```text
//! sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
//! 00000000a33fac5b 0   8987       800405f5 1664     0        0     2        0        897905
//! ```

/// A socket that receives notifications of route changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Its netlink port; often, but not always, the ID of its process.
    pub port: u32,
    /// Unread data, in bytes of the kernel's memory (`sk_rmem_alloc`).
    pub unread: u32,
    /// Size of the receive buffer in bytes (`sk_rcvbuf`). The table does not show it.
    pub room: u32,
    /// Notifications that did not fit since the socket was opened; wraps.
    pub drops: u32,
    /// Its number in the file descriptors of its process (`socket:[…]`).
    pub inode: u64,
}

/// The default size of a receive buffer, in bytes (`net.core.rmem_default`).
pub const DEFAULT_ROOM: u32 = 212_992;

/// Column `Eth`: the protocol.
const NETLINK_ROUTE: &str = "0";
/// Column `Groups`: `RTNLGRP_IPV4_ROUTE` and `RTNLGRP_IPV6_ROUTE` (rtnetlink.h), each less one.
const ROUTES: u32 = 1 << 6 | 1 << 10;

/// The sockets that receive route changes of either family, in the order of the file.
pub fn listeners(table: &str) -> impl Iterator<Item = Socket> + '_ {
    table.lines().filter_map(listener)
}

fn listener(line: &str) -> Option<Socket> {
    let mut columns = line.split_ascii_whitespace().skip(1);
    let (protocol, port, groups) = (columns.next()?, columns.next()?, columns.next()?);
    let groups = u32::from_str_radix(groups, 16).ok()?;
    if protocol != NETLINK_ROUTE || groups & ROUTES == 0 {
        return None;
    }
    let unread = columns.next()?;
    let mut columns = columns.skip(3);
    Some(Socket {
        port: port.parse().ok()?,
        room: DEFAULT_ROOM,
        // Signed: while the kernel adds and subtracts, the value may be below zero for a moment.
        unread: unread.parse::<i32>().ok()?.max(0).cast_unsigned(),
        drops: columns.next()?.parse::<i64>().ok()? as u32,
        inode: columns.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
000000001191b180 0   0          00000000 0        0        0     2        0        4       
00000000a33fac5b 0   8987       800405f5 1664     0        0     2        24174    897905
00000000a9f2654a 0   2632389552 11800111 0        0        0     2        0        897908
0000000075756276 4   77         00000440 0        0        0     2        0        1574    
000000001e5c1f9c 0   4294954279 00000400 -832     0        0     2        0        905828
00000000ffffffff 0   12
";

    #[test]
    fn only_sockets_that_receive_route_changes_are_listed() {
        let zebra = Socket {
            port: 8_987,
            unread: 1_664,
            room: DEFAULT_ROOM,
            drops: 24_174,
            inode: 897_905,
        };
        let other = Socket {
            port: 4_294_954_279,
            unread: 0,
            room: DEFAULT_ROOM,
            drops: 0,
            inode: 905_828,
        };
        assert_eq!(listeners(TABLE).collect::<Vec<_>>(), [zebra, other]);
        assert_eq!(listeners("").count(), 0);
    }
}
