//! Cisco IOS-XR: static routes in two blocks; a filter's sets, of which the last element is no
//! listed one.

use super::{Entry, block, net};
use crate::targets::file::{FileOptions, Role};

pub(super) fn entries(options: &FileOptions, text: &str) -> Vec<Entry> {
    let families = [
        ("V4", "ipv4", "FILTER", "0.0.0.0/32", 32),
        ("V6", "ipv6", "FILTER6", "::/128", 128),
    ];
    let mut entries = Vec::new();
    for (name, family, policy, last, width) in families {
        if options.role == Role::Filter {
            let refused = format!(
                "route-policy NULLROUTED-{policy}\n  if destination in NULLROUTED-FILTER-{name} then\n    drop\n"
            );
            assert_eq!(text.matches(&refused).count(), 1, "{refused}");
            let begin = format!("prefix-set NULLROUTED-FILTER-{name}");
            let mut lines: Vec<_> = block(text, &begin, "end-set").collect();
            assert_eq!(lines.pop(), Some(last));
            entries.extend(lines.into_iter().map(|line| element(line, width)));
        } else {
            let begin = format!(" address-family {family} unicast");
            let routes = block(text, &begin, " !").map(route);
            entries.extend(routes.map(|net| {
                assert_eq!(net.max_prefix_len(), width, "{net}");
                Entry::exact(net)
            }));
        }
    }
    entries
}

fn element(line: &str, width: u8) -> Entry {
    let element = line.strip_suffix(',').expect(line);
    let words: Vec<_> = element.split(' ').collect();
    assert_eq!(net(words[0]).max_prefix_len(), width, "{line}");
    match words[..] {
        // Only an address is all that is inside of it.
        [prefix] => {
            assert_eq!(net(prefix).prefix_len(), width, "{line}");
            Entry::exact(net(prefix))
        }
        [prefix, "le", longest] => {
            assert!(net(prefix).prefix_len() < width, "{line}");
            let longest = longest.parse().unwrap();
            Entry {
                longest,
                ..Entry::exact(net(prefix))
            }
        }
        _ => panic!("{line}"),
    }
}

fn route(line: &str) -> ipnet::IpNet {
    match line.split(' ').collect::<Vec<_>>()[..] {
        [prefix, "Null0", "tag", "666"] | [prefix, "Null0", "tag", "666", "description", _] => {
            net(prefix)
        }
        _ => panic!("{line}"),
    }
}
