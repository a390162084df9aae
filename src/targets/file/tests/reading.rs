//! Our own files read back: which routes they are about, against the effective set.

mod eos;
mod exabgp;
mod gobgp;
mod ios;
mod ios_xr;
mod junos;
mod nx_os;
mod prefix_list;
mod routeros;
mod sros;
mod vrp;
mod vyos;

pub(super) use junos::statements as junos_statements;

use ipnet::IpNet;
use proptest::prelude::*;

use super::{CASES, Case, all_options, case, text};
use crate::prefix::PrefixSet;
use crate::targets::file::{Family, FileOptions, Lists, Role};

/// What an entry is about: a prefix, and how long a route inside of it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    net: IpNet,
    longest: u8,
    permits: bool,
}

impl Entry {
    fn exact(net: IpNet) -> Self {
        let longest = net.prefix_len();
        Self {
            net,
            longest,
            permits: true,
        }
    }

    fn and_inside(net: IpNet) -> Self {
        let longest = net.max_prefix_len();
        Self {
            longest,
            ..Self::exact(net)
        }
    }

    fn matches(&self, route: IpNet) -> bool {
        self.net.contains(&route) && route.prefix_len() <= self.longest
    }
}

/// A prefix, whatever stands around it.
fn net(word: &str) -> IpNet {
    word.trim_matches([',', ';', '"', '\t', '+'])
        .parse()
        .unwrap()
}

/// The lines of a block that begins with one line and ends with another, without comments.
fn block<'a>(text: &'a str, begin: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = text.lines().skip_while(move |line| *line != begin).skip(1);
    let lines = lines.take_while(move |line| *line != end);
    lines.map(|line| line.split(" #").next().unwrap().trim())
}

/// The entries of a family's list of listed prefixes, in the order in which they are tried.
fn entries(options: &FileOptions, text: &str) -> Vec<Entry> {
    let is_filter = options.role == Role::Filter;
    let of = |net: IpNet| match is_filter {
        true => Entry::and_inside(net),
        false => Entry::exact(net),
    };
    match options.family {
        Family::Frr => {
            let name = if is_filter { "FILTER-V" } else { "V" };
            let asked = text
                .matches(&format!("prefix-list NULLROUTED-{name}4-"))
                .count();
            // Each list is asked: once made, once with its first entry, once in a route-map.
            let lists = if options.lists == Lists::Octets {
                256
            } else {
                0
            };
            assert!(asked >= 3 * lists && text.matches("exit").count() < 30);
            prefix_list::entries(text, name)
        }
        Family::Bird if is_filter => {
            let of_block = |name: &'static str, sentinel: &'static str| {
                let lines = block(text, name, "];").filter(move |line| *line != sentinel);
                lines.map(|line| {
                    assert!(line.ends_with("+,"), "{line}");
                    of(net(line))
                })
            };
            let v4 = of_block("define NULLROUTED_LISTED4 = [", "0.0.0.0/32");
            v4.chain(of_block("define NULLROUTED_LISTED6 = [", "::/128"))
                .collect()
        }
        Family::Bird => ["4", "6"]
            .into_iter()
            .flat_map(|family| {
                let begin = format!("protocol static nullrouted{family} {{");
                let lines: Vec<_> = block(text, &begin, "}").map(str::to_owned).collect();
                lines.into_iter().skip(1)
            })
            .map(|line| {
                let words: Vec<_> = line.split(' ').collect();
                assert!(matches!(words[..], ["route", _, "blackhole;"]), "{line}");
                of(net(words[1]))
            })
            .collect(),
        Family::OpenBgpd => {
            let name = if is_filter {
                "nullrouted-listed"
            } else {
                "nullrouted"
            };
            let sets = ["4", "6"].map(|family| format!("prefix-set \"{name}{family}\" {{"));
            if is_filter {
                let rules = text.matches("\" or-longer\n").count();
                assert_eq!(rules, 2, "what is inside is denied, too");
            }
            let lines = sets.iter().flat_map(|begin| block(text, begin, "}"));
            lines.map(|line| of(net(line))).collect()
        }
        Family::Ios => ios::entries(options, text),
        Family::IosXr => ios_xr::entries(options, text),
        Family::NxOs => nx_os::entries(options, text),
        Family::Eos => eos::entries(options, text),
        Family::Junos | Family::JunosSet => junos::entries(options, text),
        Family::SrOs | Family::SrOsClassic => sros::entries(options, text),
        Family::Vrp => vrp::entries(options, text),
        Family::RouterOs => routeros::entries(options, text),
        Family::VyOs => vyos::entries(options, text),
        Family::GoBgp => gobgp::entries(options, text),
        Family::ExaBgp => exabgp::entries(text),
        Family::Nftables => {
            let sets = ["v4", "v6"].map(|set| format!("add element inet nullrouted {set} {{"));
            let lines = sets.iter().flat_map(|begin| block(text, begin, "}"));
            lines.map(|line| of(net(line))).collect()
        }
        Family::Ipset => {
            let adds = text.lines().filter_map(|line| line.strip_prefix("add "));
            adds.map(|line| of(net(line.split(' ').nth(1).unwrap())))
                .collect()
        }
        Family::Plain => {
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            lines
                .map(|line| of(net(line.split(' ').next().unwrap())))
                .collect()
        }
        Family::Csv => {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let records = reader.records().map(Result::unwrap);
            records.map(|record| of(net(&record[0]))).collect()
        }
        Family::Json => {
            let json: serde_json::Value = serde_json::from_str(text).unwrap();
            let prefixes = json["prefixes"].as_array().unwrap();
            let prefix = |listed: &serde_json::Value| net(listed["prefix"].as_str().unwrap());
            prefixes.iter().map(|listed| of(prefix(listed))).collect()
        }
    }
}

/// The prefix itself, the networks around it, and those inside.
fn around(net: IpNet) -> Vec<IpNet> {
    let mut all = vec![net];
    all.extend(net.supernet());
    all.extend(net.supernet().and_then(|net| net.supernet()));
    all.extend(
        net.supernet()
            .into_iter()
            .flat_map(|net| net.subnets(net.prefix_len() + 1).into_iter().flatten()),
    );
    all.extend(net.subnets(net.prefix_len() + 1).into_iter().flatten());
    let first = IpNet::new(net.addr(), net.max_prefix_len()).unwrap();
    all.push(first);
    all
}

fn listed() -> impl Strategy<Value = IpNet> {
    // Not the ends of the space, whose neighbours the sentinels stand for.
    let v4 = (0x0100_0000_u32..0xdfff_ffff, 8_u8..=32)
        .prop_map(|(addr, len)| IpNet::new(std::net::Ipv4Addr::from(addr).into(), len).unwrap());
    let v6 = (any::<u64>(), any::<u64>(), 19_u8..=128).prop_map(|(high, low, len)| {
        // Inside 2a00::/8: lists refuse the 6to4 forms in 2002::/16.
        let addr = 0x2a << 120 | u128::from(high >> 8) << 64 | u128::from(low);
        IpNet::new(std::net::Ipv6Addr::from(addr).into(), len).unwrap()
    });
    prop_oneof![v4, v6].prop_map(|net| net.trunc())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A route is matched where it is listed, or inside of what is in a filter, and nowhere else.
    #[test]
    fn what_is_written_says_exactly_the_effective_set(nets in prop::collection::vec(listed(), 0..12)) {
        let set = PrefixSet::of_nets(nets.iter().copied());
        let list: String = nets.iter().map(|net| format!("{net}\n")).collect();
        let with_prefixes = |options: &FileOptions| options.role != Role::Edge && options.lists != Lists::None;
        for options in all_options().filter(with_prefixes) {
            let case = Case { list: list.clone(), ..Case::default() };
            let entries = entries(&options, &text(&options, &case));
            let permits = |route: IpNet| {
                let first = entries.iter().find(|entry| entry.matches(route));
                first.is_some_and(|entry| entry.permits)
            };
            let elsewhere = ["0.0.0.0/0", "::/0", "1.2.3.4/32"].map(|net| net.parse().unwrap());
            for route in set.nets().flat_map(around).chain(elsewhere) {
                let expected = set.nets().any(|net| match options.role {
                    Role::Filter => net.contains(&route),
                    _ => net == route,
                });
                prop_assert_eq!(permits(route), expected, "{:?}: {}", &options, route);
            }
        }
    }
}

/// Numbers end at 65535 with some families, and half of them are used.
#[test]
fn more_prefixes_than_a_list_holds_are_all_written() {
    let nets: Vec<String> = (0..40_000_u32)
        .map(|n| format!("{}/32\n", std::net::Ipv4Addr::from(0x4800_0000 + 2 * n)))
        .collect();
    let case = Case {
        list: nets.concat(),
        ..Case::default()
    };
    for family in [Family::Eos, Family::VyOs] {
        let options = FileOptions::usual(family, Role::Filter);
        let text = text(&options, &case);
        assert!(text.contains("NULLROUTED-FILTER-V4-2"));
        let mut found: Vec<_> = entries(&options, &text);
        found.sort_by_key(|entry| entry.net);
        assert!(found.iter().all(|entry| entry.permits));
        let listed: Vec<_> = found
            .iter()
            .map(|entry| format!("{}\n", entry.net))
            .collect();
        assert_eq!(listed, nets);
    }
}
