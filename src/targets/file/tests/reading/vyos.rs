//! VyOS: the lines of the script, and what its function makes of them.

use std::collections::BTreeMap;

use super::{Entry, net};
use crate::targets::file::{FileOptions, Role};

pub(super) fn entries(options: &FileOptions, text: &str) -> Vec<Entry> {
    for made in [
        "        put protocols static \"$kind\" \"$name\" blackhole tag 666\n",
        "action=permit longest=32\n  [ \"$3\" != 65535 ] || action=deny\n",
        "  [ \"$kind\" != prefix-list6 ] || longest=128\n  put $rule action $action\n",
        "  put $rule prefix \"$value\"\n  case \"$2 $action ${value#*/}\" in\n    \
         NULLROUTED-COVER-*' permit '* | *\" $longest\") ;;\n    *) put $rule le $longest ;;\n",
    ] {
        assert!(text.contains(made), "{made}");
    }
    let (_, lines) = text.split_once("' <<'END'\n").unwrap();
    let (lines, _) = lines.split_once("\nEND\n").unwrap();
    match options.role {
        Role::Filter => denied(text, lines),
        _ => lines.lines().filter_map(route).collect(),
    }
}

fn route(line: &str) -> Option<Entry> {
    let words: Vec<_> = line.split(' ').collect();
    match words[..] {
        [route, prefix, "nullrouted"] | [route, prefix, "nullrouted", _] => {
            let net = net(prefix);
            let kind = if net.addr().is_ipv4() {
                "route"
            } else {
                "route6"
            };
            assert_eq!(route, kind, "{line}");
            Some(Entry::exact(net))
        }
        ["prefix-list" | "prefix-list6", list, "rule", _, _] => {
            assert!(list.starts_with("NULLROUTED-OWN-V"), "{line}");
            None
        }
        _ => panic!("{line}"),
    }
}

/// The entries of every list that the route-map denies, by their numbers.
fn denied(text: &str, lines: &str) -> Vec<Entry> {
    let mut lists: BTreeMap<(&str, &str), BTreeMap<u32, Entry>> = BTreeMap::new();
    for line in lines.lines() {
        let told = line.split(" # ").next().unwrap();
        let words: Vec<_> = told.split(' ').collect();
        let [
            "prefix-list" | "prefix-list6" | "as-path-list",
            list,
            "rule",
            rule,
            value,
        ] = words[..]
        else {
            panic!("{line}");
        };
        if words[0] == "as-path-list" {
            continue;
        }
        let net = net(value);
        let ip = if net.addr().is_ipv4() { "ip" } else { "ipv6" };
        assert_eq!(words[0] == "prefix-list", ip == "ip", "{line}");
        let rule = rule.parse().unwrap();
        let entry = Entry {
            permits: rule != 65_535,
            ..Entry::and_inside(net)
        };
        let entries = lists.entry((ip, list)).or_default();
        assert_eq!(entries.insert(rule, entry), None, "{line}");
    }
    assert!(text.contains("put policy route-map NULLROUTED-FILTER rule 65535 action permit\n"));
    let of_list = |((ip, list), mut entries): ((&str, &str), BTreeMap<u32, Entry>)| {
        let matched = format!(" match {ip} address prefix-list {list}\n");
        let (before, _) = text.split_once(&matched).unwrap();
        let (before, rule) = before.rsplit_once('\n').unwrap();
        assert!(before.ends_with(&format!("{rule} action deny")), "{list}");
        let (last, others) = entries.pop_last().unwrap();
        assert_eq!((last, others.net.prefix_len()), (65_535, 0));
        entries.into_values()
    };
    lists.into_iter().flat_map(of_list).collect()
}
