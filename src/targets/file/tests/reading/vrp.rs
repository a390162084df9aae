//! Huawei VRP: an address and a length are two words; a filter denies what is listed and permits
//! the rest.

use ipnet::IpNet;

use super::Entry;
use crate::targets::file::{FileOptions, Role};

pub(super) fn entries(options: &FileOptions, text: &str) -> Vec<Entry> {
    match options.role {
        Role::Filter => {
            let v4 = list(text, "ip ip-prefix NULLROUTED-FILTER-V4 index ", 32);
            let v6 = list(text, "ip ipv6-prefix NULLROUTED-FILTER-V6 index ", 128);
            let listed = |entry: Entry| Entry {
                permits: !entry.permits,
                ..entry
            };
            v4.into_iter().chain(v6).map(listed).collect()
        }
        _ => text.lines().filter_map(route).map(Entry::exact).collect(),
    }
}

fn net(address: &str, len: &str) -> IpNet {
    let net = IpNet::new(address.parse().unwrap(), len.parse().unwrap()).unwrap();
    assert_eq!(net, net.trunc());
    net
}

fn route(line: &str) -> Option<IpNet> {
    let (ip, route) = line.split_once(" route-static ")?;
    let words: Vec<_> = route.split(' ').collect();
    let [address, len, "NULL0", "tag", "666", description @ ..] = &words[..] else {
        panic!("{line}")
    };
    assert!(
        matches!(description, [] | ["description", _]),
        "one word: {line}"
    );
    let net = net(address, len);
    assert_eq!(ip, if net.addr().is_ipv4() { "ip" } else { "ipv6" });
    Some(net)
}

/// The entries in the order of their numbers, each of which is there once.
fn list(text: &str, begin: &str, width: u8) -> Vec<Entry> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(begin));
    let mut entries: Vec<(u32, Entry)> = lines.map(|line| numbered(line, width)).collect();
    entries.sort_by_key(|(number, _)| *number);
    assert!(!entries.windows(2).any(|pair| pair[0].0 == pair[1].0));
    let (last, others) = entries.last().unwrap();
    assert_eq!((*last, others.net.prefix_len()), (u32::MAX, 0));
    assert!(others.permits && others.longest == width);
    entries.into_iter().map(|(_, entry)| entry).collect()
}

fn numbered(line: &str, width: u8) -> (u32, Entry) {
    let words: Vec<_> = line.split(' ').collect();
    let [
        number,
        action @ ("permit" | "deny"),
        address,
        len,
        longest @ ..,
    ] = &words[..]
    else {
        panic!("{line}")
    };
    let net = net(address, len);
    assert_eq!(net.max_prefix_len(), width, "{line}");
    let longest = match longest {
        [] => net.prefix_len(),
        ["less-equal", longest] => longest.parse().unwrap(),
        _ => panic!("{line}"),
    };
    let permits = *action == "permit";
    let entry = Entry {
        net,
        longest,
        permits,
    };
    (number.parse().unwrap(), entry)
}

/// What is gone is taken away by the number that it was written with.
#[test]
fn what_is_gone_has_the_number_that_it_had() {
    use super::super::{Case, GONE, case, text};
    use crate::targets::file::Family;

    let options = FileOptions::usual(Family::Vrp, Role::Filter);
    let gone = case(GONE).gone;
    let v4 = gone.v4.iter().map(ToString::to_string);
    let all: Vec<_> = v4.chain(gone.v6.iter().map(ToString::to_string)).collect();
    let was = text(
        &options,
        &Case {
            list: all.join("\n") + "\n",
            origins: gone.origins.clone(),
            ..Case::default()
        },
    );
    let now = text(&options, &case(GONE));
    let undone: Vec<_> = now
        .lines()
        .filter_map(|line| line.strip_prefix("undo "))
        .collect();
    assert_eq!(undone.len(), all.len() + gone.origins.len());
    for undo in undone {
        let was_there = |line: &&str| line.starts_with(&format!("{undo} deny "));
        assert_eq!(was.lines().filter(was_there).count(), 1, "{undo}");
    }
}
