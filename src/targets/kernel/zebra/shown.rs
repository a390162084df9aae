//! What `vtysh` prints (FRR 8.4, zebra/zebra_vty.c and zebra/zebra_vrf.c). Pure.
//!
//! ```text
//! K>* 72.37.186.0/23 [0/0] unreachable (blackhole), 00:00:06
//! K * 72.37.186.0/23 [0/7] unreachable (ICMP unreachable), 00:00:01
//! K>* 192.0.2.0/24 [0/0] is directly connected, lo, 00:00:01
//! vrf red id 7 table 1000
//! ```

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::prefix::{Bits, Prefix};

/// An address family in text.
pub trait Shown: Bits {
    type Address: FromStr + Into<Self>;
}

impl Shown for u32 {
    type Address = Ipv4Addr;
}

impl Shown for u128 {
    type Address = Ipv6Addr;
}

/// The prefix of a kernel route that drops what it matches; `None` for every other line.
pub fn drops<B: Shown>(line: &str) -> Option<Prefix<B>> {
    let (_, rest) = line.strip_prefix('K')?.split_once(' ')?;
    // Routes that are not in use: `K * ` and `K   `.
    let rest = rest.trim_start_matches(['*', ' ']);
    let (prefix, rest) = rest.split_once(' ')?;
    let (address, length) = prefix.split_once('/')?;
    if !rest.contains("unreachable (") {
        return None;
    }
    let address: B = address.parse::<B::Address>().ok()?.into();
    let length = length.parse().ok().filter(|length| *length <= B::WIDTH)?;
    Some(Prefix::new(address, length))
}

/// The name of the VRF with this table.
pub fn vrf(line: &str, table: u32) -> Option<&str> {
    let mut words = line.split_whitespace();
    let (word, name, id) = (words.next()?, words.next()?, words.next()?);
    let (word_table, number) = (words.nth(1)?, words.next()?);
    let is_it = (word, id, word_table) == ("vrf", "id", "table") && number.parse() == Ok(table);
    is_it.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_of_the_kernel_that_drop_and_no_others() {
        let lines = [
            "Codes: K - kernel route, C - connected, S - static, R - RIP,",
            "",
            "VRF red:",
            "K>* 72.37.186.0/23 [0/0] unreachable (blackhole), 00:00:06",
            "K * 72.1.0.0/16 [0/7] unreachable (ICMP unreachable), 00:00:01",
            "K   72.2.0.0/16 [250/7] unreachable (ICMP admin-prohibited), 1d02h03m",
            "K>* 72.3.0.0/16 [0/0] unreachable (blackhole), weight 1, 00:00:01",
            "K>* 192.0.2.0/24 [0/0] is directly connected, lo, 00:00:01",
            "K>* 0.0.0.0/0 [0/0] via 192.0.2.1, eth0, 00:00:01",
            "S>* 198.51.100.0/24 [1/0] unreachable (blackhole), weight 1, 00:00:01",
            "K>* 72.3.0.0/33 [0/0] unreachable (blackhole), 00:00:01",
            "  *                    via 192.0.2.9, eth1, 00:00:01",
            "K",
            "K>* 72.3",
        ];
        let found = lines.iter().filter_map(|line| drops::<u32>(line));
        let found: Vec<_> = found.map(|prefix| prefix.to_string()).collect();
        assert_eq!(
            found,
            [
                "72.37.186.0/23",
                "72.1.0.0/16",
                "72.2.0.0/16",
                "72.3.0.0/16"
            ]
        );
        let v6 = "K>* 2001:db8:5::/48 [0/1024] unreachable (blackhole), 00:00:01";
        assert_eq!(drops::<u128>(v6).unwrap().to_string(), "2001:db8:5::/48");
        assert_eq!(drops::<u32>(v6), None);
    }

    #[test]
    fn the_vrf_of_a_table() {
        assert_eq!(vrf("vrf red id 7 table 1000", 1_000), Some("red"));
        assert_eq!(
            vrf("vrf red id 7 table 1000 (configured)", 1_000),
            Some("red")
        );
        assert_eq!(vrf("vrf red id 7 table 1000", 100), None);
        assert_eq!(vrf("vrf red inactive (configured)", 1_000), None);
        assert_eq!(vrf("vrf red id 7 netns /run/netns/red", 1_000), None);
        assert_eq!(vrf("", 1_000), None);
    }
}
