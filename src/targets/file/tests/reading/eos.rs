//! Arista EOS: static routes; lists in blocks, which a route-map denies.

use super::{Entry, net};
use crate::targets::file::{FileOptions, Role};

pub(super) fn entries(options: &FileOptions, text: &str) -> Vec<Entry> {
    match options.role {
        Role::Filter => [("ip", "FILTER", "V4", 32), ("ipv6", "FILTER6", "V6", 128)]
            .into_iter()
            .flat_map(|(ip, map, family, width)| denied(text, ip, map, family, width))
            .collect(),
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
            ["Null0", "tag", "666"] | ["Null0", "tag", "666", "name", _]
        ),
        "{line}"
    );
    let net = net(prefix);
    assert_eq!(*ip == "ip", net.addr().is_ipv4(), "{line}");
    Some(Entry::exact(net))
}

/// The entries of every list that the route-map denies, clause by clause, by their numbers.
fn denied(text: &str, ip: &str, map: &str, family: &str, width: u8) -> Vec<Entry> {
    let matched = format!("   match {ip} address prefix-list ");
    let lines: Vec<_> = text.lines().collect();
    let clauses = lines.windows(2).filter_map(|pair| {
        let list = pair[1].strip_prefix(&matched)?;
        let clause = pair[0].strip_prefix(&format!("route-map NULLROUTED-{map} deny "))?;
        Some((clause.parse::<u32>().unwrap(), list))
    });
    let clauses: Vec<_> = clauses.collect();
    assert!(clauses.is_sorted_by_key(|(clause, _)| *clause));
    assert_eq!(clauses[0].1, format!("NULLROUTED-FILTER-{family}"));
    let others = format!("route-map NULLROUTED-{map} permit 65535");
    assert!(lines.contains(&others.as_str()));
    let lists = clauses.iter();
    lists
        .flat_map(|(_, list)| listed(&lines, ip, list, width))
        .collect()
}

fn listed(lines: &[&str], ip: &str, list: &str, width: u8) -> Vec<Entry> {
    let begin = format!("{ip} prefix-list {list}");
    let mut begins = lines.iter().enumerate().filter(|(_, line)| **line == begin);
    let (at, _) = begins.next().unwrap();
    assert_eq!(begins.next(), None);
    assert_eq!(lines[at - 1], format!("no {begin}"), "it is written anew");
    let mut entries: Vec<(u32, Entry)> = Vec::new();
    for line in lines[at + 1..].iter().take_while(|line| **line != "exit") {
        let words: Vec<_> = line.trim_start().split(' ').collect();
        let ["seq", seq, action @ ("permit" | "deny"), prefix, rest @ ..] = &words[..] else {
            panic!("{line}");
        };
        let net = net(prefix);
        assert_eq!(net.max_prefix_len(), width, "{line}");
        let longest = match rest {
            [] => net.prefix_len(),
            ["le", longest] => longest.parse().unwrap(),
            _ => panic!("{line}"),
        };
        assert!(rest.is_empty() || longest > net.prefix_len(), "{line}");
        let permits = *action == "permit";
        let seq = seq.parse().unwrap();
        entries.push((
            seq,
            Entry {
                net,
                longest,
                permits,
            },
        ));
    }
    entries.sort_by_key(|(seq, _)| *seq);
    assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0));
    let (last, others) = entries.pop().unwrap();
    assert_eq!(
        (last, others.net.prefix_len(), others.longest),
        (65_535, 0, width)
    );
    assert!(!others.permits);
    entries.into_iter().map(|(_, entry)| entry).collect()
}
