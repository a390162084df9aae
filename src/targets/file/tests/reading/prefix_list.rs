//! `ip prefix-list`, and families that have taken it over.

use super::{Entry, net};

/// The entries of both lists of this name, and of all that are it for an octet, sorted by sequence
/// number, each of which a list has once.
pub(super) fn entries(text: &str, name: &str) -> Vec<Entry> {
    let mut entries: Vec<(&str, u32, Entry)> = Vec::new();
    for line in text.lines().filter(|line| line.contains(" seq ")) {
        let words: Vec<_> = line.split(' ').collect();
        let [
            ip @ ("ip" | "ipv6"),
            "prefix-list",
            list,
            "seq",
            seq,
            action,
            prefix,
            rest @ ..,
        ] = &words[..]
        else {
            continue;
        };
        let list = list.strip_prefix("NULLROUTED-").unwrap();
        let Some(rest_of_name) = list.strip_prefix(name) else {
            continue;
        };
        if !rest_of_name.starts_with(['4', '6']) {
            continue;
        }
        let net = net(prefix);
        assert_eq!(*ip == "ip", net.addr().is_ipv4(), "{line}");
        let longest = match rest {
            [] => net.prefix_len(),
            ["le", longest] => longest.parse().unwrap(),
            _ => panic!("{line}"),
        };
        // Some parsers refuse it.
        assert!(rest.is_empty() || longest > net.prefix_len(), "{line}");
        let permits = *action == "permit";
        let entry = Entry {
            net,
            longest,
            permits,
        };
        entries.push((rest_of_name, seq.parse().unwrap(), entry));
    }
    entries.sort_by_key(|(list, seq, _)| (*list, *seq));
    let twice = |pair: &[(&str, u32, Entry)]| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1);
    assert!(!entries.windows(2).any(twice));
    entries.into_iter().map(|(_, _, entry)| entry).collect()
}
