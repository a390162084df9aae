//! Whatever names, files of DHCP and sessions show, and however often: what is out of force because
//! of them is bounded, and no listing goes whole.

use std::collections::BTreeSet;
use std::time::Duration;

use ipnet::IpNet;
use proptest::prelude::*;

use super::super::testing::{NOW, at_hand, feed, protect_and_show};
use super::super::{Configuration, Feed, Input, OperatorEntries, decide};
use crate::discover::{Answer, Found, Source, SourceAnswer, bounded, remember};
use crate::policy::Policy;
use crate::policy::limits::{Limits, Review};
use crate::prefix::{Effective, PrefixSet};
use crate::time::Timestamp;

const LIST: &str = "203.0.112.0/22\n2001:db8:1::/64\n";

/// What others than the operator control, with names of the parts: three of each.
const PARTS: [(Source, &str); 3] = [
    (Source::FeedHosts, "host of feed f: "),
    (Source::Resolvers, "resolver in "),
    (Source::Sessions, "ssh session"),
];

/// One address that is shown: by which source and part, of which family, which one.
type One = (usize, u8, bool, u16);

fn found((source, part, v6, host): One) -> (Source, Found) {
    let (source, why) = PARTS[source];
    let part = match source {
        Source::Sessions => String::new(),
        _ => format!("part{part}"),
    };
    let net = match v6 {
        true => format!("2001:db8:1::{host:x}/128"),
        false => format!("203.0.{}.{}/32", 112 + host / 256 % 4, host % 256),
    };
    let net: IpNet = net.parse().unwrap();
    let why = format!("{why}{part}");
    (source, Found::new(net, why))
}

fn looks(shown: &[One]) -> Vec<SourceAnswer> {
    let each = PARTS.map(|(source, _)| {
        let all = shown.iter().copied().map(found);
        let of: Vec<Found> = all
            .filter(|(from, _)| *from == source)
            .map(|(_, found)| found)
            .collect();
        (source, Answer::from(of))
    });
    each.into()
}

/// The most addresses of either family that all parts together may take out of force.
fn bound() -> usize {
    let most = |source: Source| source.most().unwrap();
    3 * most(Source::FeedHosts) + 3 * most(Source::Resolvers) + most(Source::Sessions)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn what_is_shown_takes_a_bounded_number_of_addresses_and_no_listing(
        rounds in prop::collection::vec(
            (prop::collection::vec((0..3_usize, 0..3_u8, any::<bool>(), 0..1_024_u16), 0..200), 0..200_u64),
            1..6,
        )
    ) {
        let listed = feed("noc", None, Some(at_hand(LIST)));
        let (mut known, mut now) = (Vec::new(), NOW);
        for (shown, hours) in rounds {
            now = now.after(Duration::from_secs(hours * 3_600));
            known = bounded(remember(&known, &looks(&shown), now)).0;
            let holes: BTreeSet<IpNet> = known.iter().map(|one| one.found.net().unwrap()).collect();
            let policy = Policy {
                protect: protect_and_show(std::iter::empty(), holes.iter().copied()),
                limits: Limits::default(),
                review: Review::default(),
            };
            let feed = Feed { confirmed: Some(now), ..listed.clone() };
            let decision = decide(&Input {
                feeds: &[feed],
                operator: &OperatorEntries::default(),
                policy: &policy,
                in_force: &Effective::default(),
                restores: false,
                by_feed: false,
                pinned: None,
                protection: None,
                approved: None,
                configuration: &Configuration::default(),
                now,
            });
            prop_assert!(decision.permitted.dropped.is_empty());
            let size = |set: &PrefixSet| -> u64 {
                set.v4.iter().map(|prefix| u64::from(prefix.last() - prefix.first()) + 1).sum()
            };
            let lost = 1_024 - size(&decision.desired.nets);
            let v4 = holes.iter().filter(|net| net.addr().is_ipv4()).count();
            prop_assert_eq!(lost, v4 as u64, "exactly the holes");
            prop_assert!(holes.len() <= bound(), "{} of {}", holes.len(), bound());
            let size = |set: &PrefixSet| -> u128 {
                set.v6.iter().map(|prefix| prefix.last() - prefix.first() + 1).sum()
            };
            let lost = (1_u128 << 64) - size(&decision.desired.nets);
            prop_assert_eq!(lost, (holes.len() - v4) as u128);
        }
        prop_assert!(now >= Timestamp(NOW.0));
    }
}
