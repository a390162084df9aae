//! How much each source may protect. Pure.
//!
//! The party that controls a source can take addresses out of force through it. So sources that
//! neither the operator nor the kernel of this machine controls are limited by count: the answers
//! of a name server, a file that DHCP writes, and logins. The table is in doc/decisions.md.

use std::collections::BTreeMap;

use super::{Remembered, Source};

/// The excess of one part of a source, which is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    pub source: Source,
    /// The part: the name of a host, or the reason of the networks.
    pub part: String,
    /// How many addresses the part shows.
    pub shown: usize,
    /// How many of them are protected.
    pub most: usize,
}

impl Source {
    /// The most addresses that one part of it protects: one host name, one file, all logins. `None`
    /// for sources that the operator and the kernel control: leaving out an address of this machine
    /// would be worse than the hole.
    pub fn most(self) -> Option<usize> {
        match self {
            Self::Addresses | Self::Connected | Self::Gateways => None,
            Self::BgpNeighbors => Some(4_096),
            Self::FeedHosts | Self::Resolvers => Some(8),
            Self::Sessions => Some(64),
        }
    }

    /// Whether a network that it shows may cause a listed prefix to be dropped whole, if the prefix
    /// would be split into too many pieces. Sources that the operator does not control only take
    /// single addresses out of force.
    pub fn may_drop_whole(self) -> bool {
        match self {
            Self::Addresses | Self::Connected | Self::Gateways | Self::BgpNeighbors => true,
            Self::FeedHosts | Self::Resolvers | Self::Sessions => false,
        }
    }
}

/// Leave out what exceeds the limit of each part: the most recently seen addresses stay, and among
/// these the ones known longest.
pub fn bounded(found: Vec<Remembered>) -> (Vec<Remembered>, Vec<Excess>) {
    // By address: two feeds of one host show the same.
    let mut parts: BTreeMap<(Source, &str), BTreeMap<_, _>> = BTreeMap::new();
    for one in &found {
        let order = (std::cmp::Reverse(one.last_seen), one.first_seen);
        let nets = parts.entry((one.source, part(one))).or_default();
        let known = nets.entry(one.found.item).or_insert(order);
        *known = order.min(*known);
    }
    let mut kept = BTreeMap::new();
    let mut excess = Vec::new();
    for ((source, part), nets) in parts {
        let mut nets: Vec<_> = nets.into_iter().collect();
        let shown = nets.len();
        if let Some(most) = source.most().filter(|most| shown > *most) {
            nets.sort_by_key(|(net, order)| (*order, *net));
            nets.truncate(most);
            excess.push(Excess {
                source,
                part: part.to_owned(),
                shown,
                most,
            });
        }
        let nets = nets.into_iter().map(|(net, _)| net);
        kept.insert((source, part.to_owned()), nets.collect::<Vec<_>>());
    }
    let mut found = found;
    found.retain(|one| {
        let part = (one.source, part(one).to_owned());
        let is_single = |net: ipnet::IpNet| net.prefix_len() == net.max_prefix_len();
        let single = one.source.may_drop_whole() || one.found.net().is_none_or(is_single);
        single
            && kept
                .get(&part)
                .is_some_and(|nets| nets.contains(&one.found.item))
    });
    (found, excess)
}

/// The part that a network belongs to; each part has one limit.
fn part(one: &Remembered) -> &str {
    one.found.host.as_deref().unwrap_or(&one.found.why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Found, Host, address_of};
    use crate::time::Timestamp;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn seen(source: Source, why: &str, net: &str, first: i64, last: i64) -> Remembered {
        Remembered {
            source,
            found: Found::new(net.parse().unwrap(), why),
            first_seen: Timestamp(first),
            last_seen: Timestamp(last),
        }
    }

    fn nets(found: &[Remembered]) -> Vec<String> {
        found.iter().map(|one| one.found.item.to_string()).collect()
    }

    #[test]
    fn a_host_keeps_the_eight_that_were_seen_last_whatever_feed_has_it() {
        let host = |feed: &str, i: i64| {
            let host = Host {
                name: "lists.example".to_owned(),
                feed: format!("feed {feed}"),
            };
            let net = format!("192.0.2.{i}/32");
            Remembered {
                found: address_of(&host, net.parse().unwrap()),
                ..seen(Source::FeedHosts, "", &net, i, i)
            }
        };
        let all: Vec<_> = (1..=12)
            .flat_map(|i| [host("a", i), host("b", i)])
            .collect();
        let (kept, excess) = bounded(all);
        let wanted: BTreeSet<String> = (5..=12).map(|i| format!("192.0.2.{i}/32")).collect();
        assert_eq!(nets(&kept).into_iter().collect::<BTreeSet<_>>(), wanted);
        assert_eq!(kept.len(), 16, "for both feeds");
        assert_eq!(
            excess,
            [Excess {
                source: Source::FeedHosts,
                part: "lists.example".to_owned(),
                shown: 12,
                most: 8
            }]
        );
        // Another host has its own limit of eight.
        let other = seen(
            Source::FeedHosts,
            "host of feed a: b.example",
            "192.0.2.99/32",
            0,
            0,
        );
        let (kept, excess) = bounded(kept.into_iter().chain([other]).collect());
        assert_eq!((kept.len(), excess.len()), (17, 0));
    }

    #[test]
    fn of_those_seen_at_the_same_time_the_oldest_stay() {
        let session = |i: i64| {
            let net = format!("192.0.2.{i}/32");
            seen(Source::Sessions, "ssh session", &net, 1_000 - i, 2_000)
        };
        let (kept, excess) = bounded((0..70).map(session).collect());
        assert_eq!((kept.len(), excess[0].shown, excess[0].most), (64, 70, 64));
        assert!(
            !nets(&kept).contains(&"192.0.2.0/32".to_owned()),
            "the newest"
        );
    }

    #[test]
    fn what_only_cuts_shows_single_addresses() {
        let wide = |source| seen(source, "x", "192.0.2.0/24", 0, 0);
        let shown = Source::NAMES.map(|(_, source)| (source, bounded(vec![wide(source)]).0.len()));
        for (source, kept) in shown {
            assert_eq!(kept == 1, source.may_drop_whole(), "{source}");
        }
    }

    #[test]
    fn the_kernels_own_are_all_kept() {
        let gateway = |i: u32| {
            let net = format!("10.{}.{}.{}/32", i >> 16, i >> 8 & 255, i & 255);
            seen(Source::Gateways, "next hop on eth0", &net, 0, 0)
        };
        let (kept, excess) = bounded((0..10_000).map(gateway).collect());
        assert_eq!((kept.len(), excess.len()), (10_000, 0));
    }

    proptest! {
        #[test]
        fn no_part_of_any_source_protects_more_than_its_bound(
            shown in prop::collection::vec((0..7_usize, 0..3_u8, 0..200_u8, 0..9_i64, 0..9_i64), 0..400)
        ) {
            let found = shown.into_iter().map(|(source, part, host, first, last)| {
                let source = Source::NAMES[source].1;
                let why = format!("host of feed f: {part}");
                seen(source, &why, &format!("192.0.2.{host}/32"), first, last)
            });
            let found: Vec<Remembered> = found.collect();
            let (kept, excess) = bounded(found.clone());
            let of = |all: &[Remembered]| {
                let mut parts: BTreeMap<(Source, String), BTreeSet<_>> = BTreeMap::new();
                for one in all {
                    let key = (one.source, part(one).to_owned());
                    parts.entry(key).or_default().insert(one.found.item);
                }
                parts
            };
            let (shown, kept) = (of(&found), of(&kept));
            for (key, nets) in shown {
                let most = key.0.most().unwrap_or(usize::MAX);
                prop_assert_eq!(kept.get(&key).map_or(0, BTreeSet::len), nets.len().min(most));
                let told = excess.iter().any(|one| (one.source, &one.part) == (key.0, &key.1));
                prop_assert_eq!(told, nets.len() > most);
            }
        }
    }
}
