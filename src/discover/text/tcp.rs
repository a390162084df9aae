//! Connections in `/proc/net/tcp` and `tcp6` (proc_net_tcp(5); `get_tcp4_sock`,
//! net/ipv4/tcp_ipv4.c, and `get_tcp6_sock`, net/ipv6/tcp_ipv6.c).

use std::net::IpAddr;

use ipnet::IpNet;

use crate::discover::network;

/// `TCP_ESTABLISHED`, as the kernel prints it.
const ESTABLISHED: &str = "01";

/// An established connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The local port.
    pub port: u16,
    /// The remote address.
    pub peer: IpNet,
    /// The inode of its socket, which identifies it in the file descriptors of a process; 0 if it
    /// is not shown.
    pub inode: u64,
}

/// The established connection of a line; `None` for other lines, and for remote addresses that are
/// never dropped, including loopback.
pub fn established(line: &str) -> Option<Connection> {
    let mut words = line.split_whitespace().skip(1);
    let (local, remote) = (words.next()?, words.next()?);
    (words.next()? == ESTABLISHED).then_some(())?;
    let (_, port) = local.split_once(':')?;
    let (peer, _) = remote.split_once(':')?;
    // The fields after the state: queues, timer, retransmits, owner, timeout.
    let inode = words.nth(5).and_then(|inode| inode.parse().ok());
    Some(Connection {
        port: u16::from_str_radix(port, 16).ok()?,
        peer: network::host(address(peer)?)?,
        inode: inode.unwrap_or_default(),
    })
}

/// One 32-bit word, or four. Each was printed as a number in host byte order, so its bytes in
/// memory are those of the address in network byte order.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let digits = hex.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    match hex.len() {
        8 => Some(IpAddr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            Some(IpAddr::from(bytes))
        }
        _ => None,
    }
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let shown = |one: Connection| format!("{} {} {}", one.port, one.peer, one.inode);
        text.lines().filter_map(established).map(shown).collect()
    }

    #[test]
    fn the_other_end_of_an_established_connection_is_read() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 010200C0:0016 076433C6:D431 01 00000000:00000000 02:000A9C4C 00000000     0        0 2 4 0 20 4 29 10 -1
   2: 0100007F:0016 0100007F:D432 01 00000000:00000000 02:000A9C4C 00000000     0        0 3 4 0 20 4 29 10 -1
   3: 010200C0:08AE 0A71CB00:D433 06 00000000:00000000 03:00000D9C 00000000     0        0 0 3 0
   4: 010200C0:D434 0A7100CB:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 4 1 0 21 4 30 10 -1
";
        assert_eq!(
            read(text),
            ["22 198.51.100.7/32 2", "54324 203.0.113.10/32 4"]
        );
    }

    #[test]
    fn ipv6_is_four_words_and_may_hold_ipv4() {
        let text = "  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: B80D0120000000000000000001000000:0016 B80D0120000000000000000007000000:C350 01 00000000:00000000
   1: 0000000000000000FFFF0000010200C0:08AE 0000000000000000FFFF0000076433C6:C351 01 00000000:00000000
   2: 00000000000000000000000001000000:0016 00000000000000000000000001000000:C352 01 00000000:00000000
   3: 000080FE0000000000000000010000FF:0016 000080FE0000000000000000010000FE:C353 01 00000000:00000000
   4: short:0016 00:C353 01
";
        assert_eq!(
            read(text),
            ["22 2001:db8::7/128 0", "2222 198.51.100.7/32 0"]
        );
    }
}
