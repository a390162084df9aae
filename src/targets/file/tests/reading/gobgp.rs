//! GoBGP: a script of commands; a filter is of sets of prefixes with the lengths that they match.

use ipnet::IpNet;

use super::Entry;
use crate::targets::file::{FileOptions, Role};

pub(super) fn entries(options: &FileOptions, text: &str) -> Vec<Entry> {
    match options.role {
        Role::Trigger => {
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let (set, commands): (Vec<_>, Vec<_>) = lines.partition(|line| *line == "set -e");
            assert_eq!(set.len(), 1);
            commands.into_iter().map(route).collect()
        }
        _ => {
            let file: toml::Table = toml::from_str(text).unwrap();
            refuses(&file);
            let sets = file["defined-sets"]["prefix-sets"].as_array().unwrap();
            let of = |name: &'static str| {
                let name = format!("NULLROUTED-FILTER-{name}");
                let named =
                    move |set: &&toml::Value| set["prefix-set-name"].as_str() == Some(&name);
                let set = sets.iter().find(named).unwrap();
                set["prefix-list"].as_array().unwrap().iter().map(element)
            };
            of("V4").chain(of("V6")).collect()
        }
    }
}

fn route(line: &str) -> Entry {
    let words: Vec<_> = line.split(" #").next().unwrap().split(' ').collect();
    let [
        "gobgp",
        "global",
        "rib",
        "add",
        "-a",
        family,
        prefix,
        "community",
        "65535:666",
    ] = words[..]
    else {
        panic!("{line}");
    };
    let net: IpNet = prefix.parse().unwrap();
    assert_eq!(family == "ipv4", net.addr().is_ipv4(), "{line}");
    Entry::exact(net)
}

fn element(element: &toml::Value) -> Entry {
    let net: IpNet = element["ip-prefix"].as_str().unwrap().parse().unwrap();
    let range = element["masklength-range"].as_str().unwrap();
    let (shortest, longest) = range.split_once("..").unwrap();
    assert_eq!(shortest, net.prefix_len().to_string(), "{net}");
    Entry {
        longest: longest.parse().unwrap(),
        ..Entry::exact(net)
    }
}

/// Each set is that of a statement which refuses.
fn refuses(file: &toml::Table) {
    let policies = file["policy-definitions"].as_array().unwrap();
    let [policy] = &policies[..] else {
        panic!("{policies:?}");
    };
    let statements = policy["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 3);
    for (statement, set) in statements.iter().zip(["V4", "V6"]) {
        let condition = &statement["conditions"]["match-prefix-set"];
        let name = format!("NULLROUTED-FILTER-{set}");
        assert_eq!(condition["prefix-set"].as_str(), Some(&*name));
        assert_eq!(condition["match-set-options"].as_str(), Some("any"));
    }
    for statement in statements {
        let disposition = &statement["actions"]["route-disposition"];
        assert_eq!(disposition.as_str(), Some("reject-route"));
    }
}
