//! ExaBGP: commands in a script.

use ipnet::IpNet;

use super::{Entry, block};

pub(super) fn entries(text: &str) -> Vec<Entry> {
    let lines = block(text, "sed 's/ *#.*//' <<'END'", "END");
    lines
        .map(|line| {
            let words: Vec<_> = line.splitn(5, ' ').collect();
            let ["announce", "route", prefix, "next-hop", rest] = words[..] else {
                panic!("{line}");
            };
            let net: IpNet = prefix.parse().unwrap();
            let next_hop = if net.addr().is_ipv4() {
                "self"
            } else {
                "100::1"
            };
            let expected = format!("{next_hop} community [65535:666 65535:65281]");
            assert_eq!(rest, expected, "{line}");
            Entry::exact(net)
        })
        .collect()
}
