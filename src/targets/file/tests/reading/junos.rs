//! Juniper Junos, either form: a static route a prefix; a filter's policy refuses what is in its
//! lists.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::{CASES, Case, Entry, case, net, text};
use crate::targets::file::{Family, FileOptions, Role};

pub(super) fn entries(options: &FileOptions, text: &str) -> Vec<Entry> {
    let statements = statements(options, text);
    match options.role {
        Role::Filter => filter(&statements),
        _ => trigger(&statements),
    }
}

fn trigger(statements: &[String]) -> Vec<Entry> {
    let mut routes: BTreeMap<IpNet, Vec<&str>> = BTreeMap::new();
    for statement in statements {
        let Some(statement) = statement.strip_prefix("routing-options ") else {
            continue;
        };
        let v6 = statement.strip_prefix("rib inet6.0 ");
        let route = v6.unwrap_or(statement).strip_prefix("static route ");
        let (prefix, attribute) = route.unwrap().split_once(' ').unwrap();
        let net: IpNet = prefix.parse().unwrap();
        assert_eq!(v6.is_none(), net.addr().is_ipv4(), "{statement}");
        routes.entry(net).or_default().push(attribute);
    }
    let whole = |(net, attributes): (IpNet, Vec<&str>)| {
        assert_eq!(attributes, ["discard", "tag 666"], "{net}");
        Entry::exact(net)
    };
    routes.into_iter().map(whole).collect()
}

fn filter(statements: &[String]) -> Vec<Entry> {
    let policy = "policy-options policy-statement NULLROUTED-FILTER term ";
    let terms: Vec<Vec<&str>> = statements
        .iter()
        .filter_map(|statement| statement.strip_prefix(policy))
        .map(|statement| statement.split(' ').collect())
        .collect();
    let mut entries = Vec::new();
    for term in terms.chunks(2) {
        let [from, then] = term else {
            panic!("{term:?}")
        };
        assert_eq!(then[..], [from[0], "then", "reject"]);
        let list = match from[1..] {
            ["from", "prefix-list-filter", list, "orlonger"] => list,
            ["from", "as-path-group", "NULLROUTED-ORIGINS"] => continue,
            _ => panic!("{from:?}"),
        };
        let begin = format!("policy-options prefix-list {list} ");
        let mut listed = statements.iter().filter_map(|s| s.strip_prefix(&begin));
        let no_route = match list.contains("-V4") {
            true => "192.0.2.255/32",
            false => "100::ffff:ffff/128",
        };
        assert_eq!(listed.next(), Some(no_route), "never empty");
        entries.extend(listed.map(|prefix| Entry::and_inside(net(prefix))));
    }
    entries
}

/// Every statement of the group with what it is within, one attribute each.
pub(in crate::targets::file::tests) fn statements(
    options: &FileOptions,
    text: &str,
) -> Vec<String> {
    let group = match options.role {
        Role::Trigger => "NULLROUTED",
        Role::Edge => "NULLROUTED-EDGE",
        Role::Filter => "NULLROUTED-FILTER",
    };
    let all = match options.family {
        Family::Junos => braces(text),
        _ => set(text, group),
    };
    let within = format!("groups {group} ");
    let strip = |statement: String| statement.strip_prefix(&within).unwrap().to_owned();
    all.into_iter().map(strip).collect()
}

fn set(text: &str, group: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| line.starts_with('#'));
    // The first statement makes the group, so that there is one to delete.
    let made = lines.next();
    assert_eq!(lines.next(), Some(&*format!("delete groups {group}")));
    let mut lines = lines.peekable();
    assert_eq!(made, lines.peek().copied());
    let lines = lines.map(|line| line.strip_prefix("set ").unwrap());
    let attributes = |line: &str| match line.strip_suffix(" discard tag 666") {
        Some(route) => vec![format!("{route} discard"), format!("{route} tag 666")],
        None => vec![line.to_owned()],
    };
    lines.flat_map(attributes).collect()
}

fn braces(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut within: Vec<String> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (token, after) = if rest.starts_with("##") {
            rest.split_once('\n').unwrap()
        } else if rest.starts_with("/*") {
            rest.split_once("*/").unwrap()
        } else if next == '"' {
            let end = rest[1..].find('"').unwrap() + 2;
            rest.split_at(end)
        } else if next.is_whitespace() || "{};".contains(next) {
            rest.split_at(1)
        } else {
            let ends = |c: char| c.is_whitespace() || "{};".contains(c);
            rest.split_at(rest.find(ends).unwrap())
        };
        rest = after;
        match token {
            "{" => within.push(std::mem::take(&mut words).join(" ")),
            "}" => {
                assert!(words.is_empty(), "{words:?}");
                within.pop().unwrap();
            }
            ";" => {
                let statement = std::mem::take(&mut words);
                assert!(!statement.is_empty());
                statements.push([&within[..], &statement[..]].concat().join(" "));
            }
            "replace:" => assert_eq!(within, ["groups"]),
            _ if token.starts_with("##") || token.starts_with("/*") => assert!(words.is_empty()),
            _ if token.trim().is_empty() => {}
            _ => words.push(token.to_owned()),
        }
    }
    assert!(within.is_empty() && words.is_empty());
    statements
}

#[test]
fn both_forms_say_the_same() {
    for role in Family::Junos.roles() {
        for name in CASES {
            let of = |family| {
                let options = FileOptions {
                    next_hop_v4: Some(FileOptions::DISCARD_V4),
                    ..FileOptions::usual(family, *role)
                };
                statements(&options, &text(&options, &case(name)))
            };
            assert_eq!(of(Family::Junos), of(Family::JunosSet), "{role}, {name}");
        }
    }
}

#[test]
fn a_long_set_is_in_several_lists_all_of_which_are_refused() {
    let net = |n: u32| format!("{}.{}.{}.0/25\n", 60 + (n >> 16), n >> 8 & 255, n & 255);
    let list: String = (0..90_000).map(net).collect();
    let case = Case {
        list: list.clone(),
        ..Case::default()
    };
    for family in [Family::Junos, Family::JunosSet] {
        let options = FileOptions::usual(family, Role::Filter);
        let text = text(&options, &case);
        assert!(text.contains("NULLROUTED-FILTER-V4-4 orlonger"));
        let found = entries(&options, &text).into_iter();
        let mut found: Vec<String> = found.map(|entry| format!("{}\n", entry.net)).collect();
        found.sort_unstable();
        let mut listed: Vec<&str> = list.split_inclusive('\n').collect();
        listed.sort_unstable();
        assert!(found == listed, "{family}");
    }
}
