//! Cisco NX-OS: static routes; a filter denies what is listed and permits the rest.

use super::{Entry, net, prefix_list};
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
        _ => text.lines().filter_map(route).collect(),
    }
}

fn route(line: &str) -> Option<Entry> {
    let words: Vec<_> = line.split(' ').collect();
    let [ip @ ("ip" | "ipv6"), "route", prefix, rest @ ..] = &words[..] else {
        return None;
    };
    assert!(
        matches!(
            rest,
            ["Null0", "tag", "666"] | ["Null0", "name", _, "tag", "666"]
        ),
        "{line}"
    );
    let net = net(prefix);
    assert_eq!(*ip == "ip", net.addr().is_ipv4(), "{line}");
    Some(Entry::exact(net))
}
