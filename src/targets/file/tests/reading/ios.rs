//! Cisco IOS: static routes with masks; a filter denies what is listed and permits the rest.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

use super::{Entry, prefix_list};
use crate::targets::file::{FileOptions, Role};

pub(super) fn entries(options: &FileOptions, text: &str) -> Vec<Entry> {
    match options.role {
        Role::Filter => {
            let entries = prefix_list::entries(text, "FILTER-V").into_iter();
            let listed = |entry: Entry| Entry {
                permits: !entry.permits,
                ..entry
            };
            entries.map(listed).collect()
        }
        _ => text.lines().filter_map(route).map(Entry::exact).collect(),
    }
}

fn route(line: &str) -> Option<IpNet> {
    let words: Vec<_> = line.split(' ').collect();
    match words[..] {
        ["ip", "route", address, mask, "Null0", "tag", "666", ..] => {
            let (address, mask): (Ipv4Addr, Ipv4Addr) =
                (address.parse().unwrap(), mask.parse().unwrap());
            Some(Ipv4Net::with_netmask(address, mask).unwrap().into())
        }
        ["ipv6", "route", prefix, "Null0", "tag", "666"] => Some(prefix.parse().unwrap()),
        _ => None,
    }
}
