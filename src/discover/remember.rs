//! What was found before and what is found now → what is protected. Pure.

use ipnet::IpNet;

use super::Source;
use crate::time::Timestamp;

/// A network that a source shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The network; one address is a /32 or /128.
    pub net: IpNet,
    /// Why it must not be dropped, in words: `address of eth0`.
    pub why: String,
}

/// What a look at one source gave; in words why it could not be looked at.
pub type Look = (Source, Result<Vec<Found>, String>);

/// A found network with its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Who showed it.
    pub source: Source,
    /// What was shown.
    pub found: Found,
    /// When it was shown first.
    pub first_seen: Timestamp,
    /// When it was shown last.
    pub last_seen: Timestamp,
}

/// Bring what is remembered in step with new looks. A source that could not be looked at keeps what it last
/// showed, for as long as it takes; one that is not among the looks is no longer wanted, and protects nothing.
pub fn remember(old: &[Remembered], looks: &[Look], now: Timestamp) -> Vec<Remembered> {
    let mut kept = Vec::new();
    for (source, look) in looks {
        let mut before: Vec<&Remembered> = old.iter().filter(|one| one.source == *source).collect();
        let Ok(shown) = look else {
            kept.extend(before.into_iter().cloned());
            continue;
        };
        for found in shown {
            let known = before.iter().position(|one| one.found == *found);
            let first_seen = known.map_or(now, |at| before.swap_remove(at).first_seen);
            kept.push(Remembered {
                source: *source,
                found: found.clone(),
                first_seen,
                last_seen: now,
            });
        }
        let lingers = |one: &&Remembered| one.last_seen.age(now) < source.linger();
        kept.extend(before.into_iter().filter(lingers).cloned());
    }
    kept.sort_by(|a, b| (a.source, &a.found).cmp(&(b.source, &b.found)));
    kept.dedup_by(|a, b| (a.source, &a.found) == (b.source, &b.found));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(net: &str, why: &str) -> Found {
        Found {
            net: net.parse().unwrap(),
            why: why.to_owned(),
        }
    }

    fn said(all: &[Remembered]) -> Vec<String> {
        let said = |one: &Remembered| {
            let (first, last) = (one.first_seen.0, one.last_seen.0);
            format!("{} {} {first} {last}", one.source, one.found.net)
        };
        all.iter().map(said).collect()
    }

    #[test]
    fn what_is_shown_again_keeps_its_first_time() {
        let shown = |net: &str| vec![(Source::Addresses, Ok(vec![found(net, "address of eth0")]))];
        let first = remember(&[], &shown("192.0.2.1/32"), Timestamp(100));
        assert_eq!(said(&first), ["addresses 192.0.2.1/32 100 100"]);
        let again = remember(&first, &shown("192.0.2.1/32"), Timestamp(200));
        assert_eq!(said(&again), ["addresses 192.0.2.1/32 100 200"]);
        let other = remember(&again, &shown("192.0.2.2/32"), Timestamp(300));
        assert_eq!(said(&other), ["addresses 192.0.2.2/32 300 300"]);
    }

    #[test]
    fn what_is_shown_no_more_lingers_as_long_as_its_source_says() {
        let peer = found("192.0.2.1/32", "BGP neighbor in FRR");
        let old = remember(&[], &[(Source::BgpNeighbors, Ok(vec![peer]))], Timestamp(0));
        let after = |seconds| {
            let none = [(Source::BgpNeighbors, Ok(vec![]))];
            remember(&old, &none, Timestamp(seconds))
        };
        let day = 86_400;
        assert_eq!(said(&after(day - 1)), ["bgp-neighbors 192.0.2.1/32 0 0"]);
        assert!(after(day).is_empty());
        assert_eq!(after(-5).len(), 1, "a clock that was set back");
    }

    #[test]
    fn a_source_that_fails_keeps_all_and_one_not_wanted_nothing() {
        let looks = [
            (
                Source::Gateways,
                Ok(vec![found("192.0.2.1/32", "gateway on eth0")]),
            ),
            (
                Source::Sessions,
                Ok(vec![found("198.51.100.7/32", "ssh session")]),
            ),
        ];
        let old = remember(&[], &looks, Timestamp(0));
        let failed = [(Source::Gateways, Err("no netlink socket".to_owned()))];
        let years = Timestamp(100_000_000);
        assert_eq!(
            said(&remember(&old, &failed, years)),
            ["gateways 192.0.2.1/32 0 0"]
        );
        assert!(remember(&old, &[], Timestamp(1)).is_empty());
    }

    #[test]
    fn one_network_may_be_shown_for_several_reasons_but_once_for_each() {
        let twice = vec![
            found("192.0.2.1/32", "host of feed b: lists.example"),
            found("192.0.2.1/32", "host of feed a: lists.example"),
            found("192.0.2.1/32", "host of feed b: lists.example"),
        ];
        let kept = remember(&[], &[(Source::FeedHosts, Ok(twice))], Timestamp(7));
        assert_eq!(kept.len(), 2);
        assert!(kept[0].found.why.contains("feed a"), "in order");
    }
}
