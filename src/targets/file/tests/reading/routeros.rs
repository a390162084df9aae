//! RouterOS: what a script adds between what it marks as old and what it removes.

use ipnet::IpNet;

use super::{Entry, net};
use crate::targets::file::{FileOptions, Role};

const MARK: &str = "set [find comment~\"^nullrouted(:| old)\"] comment=\"nullrouted old\"";

pub(super) fn entries(options: &FileOptions, text: &str) -> Vec<Entry> {
    if options.role == Role::Filter {
        return rules(text).into_iter().map(rule).collect();
    }
    let menus = ["/ip/route", "/ipv6/route"].map(|menu| {
        let lines = text.lines().skip_while(|line| *line != menu).skip(1);
        let mut lines = lines.take_while(|line| !line.starts_with('/'));
        assert_eq!(lines.next(), Some(MARK));
        let mut lines: Vec<_> = lines.collect();
        assert_eq!(
            lines.pop(),
            Some("remove [find comment=\"nullrouted old\"]")
        );
        let routes: Vec<_> = lines.into_iter().map(route).collect();
        let is_v4 = menu == "/ip/route";
        assert!(routes.iter().all(|net| net.addr().is_ipv4() == is_v4));
        routes
    });
    menus.into_iter().flatten().map(Entry::exact).collect()
}

/// Between quotes, of which there are no others.
fn commented(line: &str) -> &str {
    let (added, comment) = line.split_once(" comment=\"nullrouted:").expect(line);
    let comment = comment.strip_suffix('"').expect(line);
    assert!(!comment.contains(['"', '$', '\\']), "{line}");
    added
}

fn route(line: &str) -> IpNet {
    let added = commented(line).strip_prefix("add dst-address=");
    let prefix = added.and_then(|added| added.strip_suffix(" blackhole distance=16"));
    net(prefix.expect(line))
}

/// The rules of the chain, which come behind what marks the others, and before their end, and what
/// removes those.
fn rules(text: &str) -> Vec<&str> {
    let all: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let [
        "/routing/filter/rule",
        "set [find chain=NULLROUTED-FILTER comment=\"nullrouted end\"] comment=\"nullrouted old end\"",
        "set [find chain=NULLROUTED-FILTER comment!=\"nullrouted old end\"] comment=\"nullrouted old\"",
        rules @ ..,
        "add chain=NULLROUTED-FILTER rule=\"return\" comment=\"nullrouted end\"",
        "remove [find chain=NULLROUTED-FILTER comment=\"nullrouted old end\"]",
        "remove [find chain=NULLROUTED-FILTER comment=\"nullrouted old\"]",
    ] = &all[..]
    else {
        panic!("{text}")
    };
    rules.to_vec()
}

fn rule(line: &str) -> Entry {
    let added = commented(line).strip_prefix("add chain=NULLROUTED-FILTER rule=\"if (dst ");
    let matcher = added.and_then(|added| added.strip_suffix(") { reject }\""));
    match matcher.expect(line).split_once(' ') {
        Some(("in", prefix)) => Entry::and_inside(net(prefix)),
        Some(("==", prefix)) => Entry::exact(net(prefix)),
        _ => panic!("{line}"),
    }
}
