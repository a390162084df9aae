//! Nokia SR OS, either form: a black hole a prefix; a filter's policy refuses what is in its lists.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::{Case, Entry, net, text};
use crate::targets::file::{Family, FileOptions, Role};

pub(super) fn entries(options: &FileOptions, text: &str) -> Vec<Entry> {
    let lines = text.lines().skip_while(|line| line.starts_with('#'));
    let lines: Vec<&str> = lines.map(str::trim).collect();
    let md = options.family == Family::SrOs;
    match options.role {
        Role::Filter => filter(&lines, md),
        _ if md => lines.iter().filter_map(|line| route(line)).collect(),
        _ => black_holes(&lines),
    }
}

fn route(line: &str) -> Option<Entry> {
    let (prefix, rest) = line.strip_prefix("route ")?.split_once(' ').unwrap();
    let begin = "route-type unicast blackhole tag 666 admin-state enable ";
    let described = rest.strip_prefix(begin).unwrap();
    let words: Vec<&str> = described.split(' ').collect();
    assert!(matches!(words[..], ["description", _]), "{line}");
    Some(Entry::exact(prefix.parse().unwrap()))
}

/// Two lines each, the tag first; what is there later than what takes it away.
fn black_holes(lines: &[&str]) -> Vec<Entry> {
    let begin = lines.iter().position(|line| *line == "configure router");
    let mut routes: BTreeMap<IpNet, Vec<&str>> = BTreeMap::new();
    for line in lines[begin.unwrap() + 1..].iter() {
        let Some(route) = line.strip_prefix("static-route-entry ") else {
            assert_eq!(*line, "exit all");
            continue;
        };
        let (prefix, command) = route.split_once(' ').unwrap();
        let net = prefix.parse().unwrap();
        routes.entry(net).or_default().push(command);
    }
    let whole = |(net, commands): (IpNet, Vec<&str>)| {
        let expected = ["black-hole tag 666", "black-hole no shutdown"];
        assert_eq!(commands, expected, "{net}");
        Entry::exact(net)
    };
    routes.into_iter().map(whole).collect()
}

fn filter(lines: &[&str], md: bool) -> Vec<Entry> {
    // The policy, as it is.
    let policy = match md {
        true => {
            "policy-statement \"NULLROUTED-FILTER\" { entry 10 { from { \
             prefix-list [\"NULLROUTED-FILTER-V4\" \"NULLROUTED-FILTER-V6\"] } \
             action { action-type reject } } entry 20 { from { as-path { \
             group \"NULLROUTED-ORIGINS\" } } action { action-type reject } } \
             default-action { action-type next-policy } } } } exit all"
        }
        false => {
            "P entry 10 from prefix-list \"NULLROUTED-FILTER-V4\" \"NULLROUTED-FILTER-V6\" \
             P entry 10 action drop \
             P entry 20 from as-path-group \"NULLROUTED-ORIGINS\" \
             P entry 20 action drop \
             P default-action next-policy \
             exit all"
        }
    };
    let name = "/configure router policy-options policy-statement \"NULLROUTED-FILTER\"";
    let first = lines
        .iter()
        .position(|line| line.contains("policy-statement"));
    let found = lines[first.unwrap()..].join(" ").replace(name, "P");
    assert_eq!(found, policy);
    let (open, close) = if md { (" {", "}") } else { ("", "exit") };
    let lists = [("V4", "192.0.2.255/32"), ("V6", "100::ffff:ffff/128")];
    let of_list = |(version, no_route): (&str, &str)| {
        let begin = format!("prefix-list \"NULLROUTED-FILTER-{version}\"{open}");
        let begin = lines.iter().rposition(|line| *line == begin).unwrap();
        let entries = lines[begin + 1..].iter().take_while(|line| **line != close);
        let entries: Vec<Entry> = entries.map(|line| listed(line, md)).collect();
        let (none, listed) = entries.split_first().unwrap();
        assert_eq!(*none, Entry::exact(net(no_route)), "never empty");
        listed.to_vec()
    };
    lists.into_iter().flat_map(of_list).collect()
}

fn listed(line: &str, md: bool) -> Entry {
    let words: Vec<_> = line.split(' ').collect();
    let (prefix, kind) = match words[..] {
        ["prefix", prefix, "type", kind, "{", "}"] if md => (net(prefix), kind),
        ["prefix", prefix, kind] if !md => (net(prefix), kind),
        _ => panic!("{line}"),
    };
    match kind {
        "exact" => Entry::exact(prefix),
        "longer" => {
            assert!(prefix.prefix_len() < prefix.max_prefix_len(), "{line}");
            Entry::and_inside(prefix)
        }
        _ => panic!("{line}"),
    }
}

#[test]
fn each_origin_is_in_an_expression_that_is_not_too_long() {
    // Not all in one group, and room for those that are gone.
    let origins: Vec<u32> = (0..3_000).map(|n| 4_200_000_000 + n).collect();
    for family in [Family::SrOs, Family::SrOsClassic] {
        let case = Case {
            origins: origins.clone(),
            ..Case::default()
        };
        let text = text(&FileOptions::usual(family, Role::Filter), &case);
        let expressions = text.lines().filter(|line| line.contains("expression"));
        let (mut found, mut entry, mut groups) = (Vec::new(), 0, 0);
        for line in expressions {
            let words: Vec<&str> = line.trim().splitn(4, ' ').collect();
            let number: u32 = words[1].parse().unwrap();
            entry = if number == 1 { 1 } else { entry + 1 };
            assert!(number == entry && number <= 128, "{line}");
            let expression = line.split('"').nth(1).unwrap();
            assert!(expression.len() <= 255, "{line}");
            let path = expression.strip_prefix(".* ").unwrap();
            if number == 1 {
                assert_eq!(path, "4294967295", "never empty");
                groups += 1;
                let name = match groups {
                    1 => "\"NULLROUTED-ORIGINS\"".to_owned(),
                    _ => format!("\"NULLROUTED-ORIGINS-{groups}\""),
                };
                assert!(text.matches(&name).count() > 1, "{name} is refused");
                continue;
            }
            let asns = path.strip_prefix('(').unwrap().strip_suffix(')').unwrap();
            found.extend(asns.split('|').map(|asn| asn.parse::<u32>().unwrap()));
        }
        assert_eq!((found, groups), (origins.clone(), 2), "{family}");
    }
}
