//! Combines networks found earlier with those found now into what is protected. Pure.

use super::{Found, Source, SourceAnswer};
use crate::time::Timestamp;

/// A found network with the times at which it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The source that showed it.
    pub source: Source,
    /// What was shown.
    pub found: Found,
    /// When it was first shown.
    pub first_seen: Timestamp,
    /// When it was last shown.
    pub last_seen: Timestamp,
}

/// Update what is remembered with new scans. Networks of a source, or of a part of it, that gives
/// no answer now are kept until it answers again. A source that is not among the scans is no longer
/// configured, and protects nothing.
pub fn remember(old: &[Remembered], answers: &[SourceAnswer], now: Timestamp) -> Vec<Remembered> {
    let mut kept = Vec::new();
    for (source, shown) in answers {
        let mut before: Vec<&Remembered> = old.iter().filter(|one| one.source == *source).collect();
        for found in &shown.found {
            let known = before.iter().position(|one| one.found == *found);
            let first_seen = known.map_or(now, |at| before.swap_remove(at).first_seen);
            kept.push(Remembered {
                source: *source,
                found: found.clone(),
                first_seen,
                last_seen: now,
            });
        }
        let stays = |one: &&Remembered| {
            shown.leaves_open(&one.found.why) || one.last_seen.age(now) < source.linger()
        };
        // A time in the future, from when the clock was wrong: it lingers from now on.
        let future = now.after(Timestamp::CLOCK_TOLERANCE);
        let from_now = |one: &Remembered| Remembered {
            last_seen: match one.last_seen > future {
                true => now,
                false => one.last_seen,
            },
            ..one.clone()
        };
        kept.extend(before.into_iter().filter(stays).map(from_now));
    }
    kept.sort_by(|a, b| (a.source, &a.found).cmp(&(b.source, &b.found)));
    kept.dedup_by(|a, b| (a.source, &a.found) == (b.source, &b.found));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Answer, Cause, Failed};

    fn found(net: &str, why: &str) -> Found {
        Found::new(net.parse().unwrap(), why)
    }

    fn said(all: &[Remembered]) -> Vec<String> {
        let said = |one: &Remembered| {
            let (first, last) = (one.first_seen.0, one.last_seen.0);
            format!("{} {} {first} {last}", one.source, one.found.item)
        };
        all.iter().map(said).collect()
    }

    #[test]
    fn what_is_shown_again_keeps_its_first_time() {
        let shown = |net: &str| {
            vec![(
                Source::Addresses,
                vec![found(net, "address of eth0")].into(),
            )]
        };
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
        let old = remember(
            &[],
            &[(Source::BgpNeighbors, vec![peer].into())],
            Timestamp(0),
        );
        let after = |seconds| {
            let none = [(Source::BgpNeighbors, Answer::default())];
            remember(&old, &none, Timestamp(seconds))
        };
        let day = 86_400;
        assert_eq!(said(&after(day - 1)), ["bgp-neighbors 192.0.2.1/32 0 0"]);
        assert!(after(day).is_empty());
        assert_eq!(after(-5).len(), 1, "a clock that was set back");
        let from_now = after(-3_650 * day);
        assert_eq!(
            said(&from_now),
            [format!("bgp-neighbors 192.0.2.1/32 0 {}", -3_650 * day)],
            "it lingers from now on, and not for ten years"
        );
    }

    #[test]
    fn a_source_that_fails_keeps_all_and_one_not_wanted_nothing() {
        let answers = [
            (
                Source::Gateways,
                vec![found("192.0.2.1/32", "gateway on eth0")].into(),
            ),
            (
                Source::Sessions,
                vec![found("198.51.100.7/32", "ssh session")].into(),
            ),
        ];
        let old = remember(&[], &answers, Timestamp(0));
        let failed = [(Source::Gateways, Answer::error("no netlink socket"))];
        let years = Timestamp(100_000_000);
        assert_eq!(
            said(&remember(&old, &failed, years)),
            ["gateways 192.0.2.1/32 0 0"]
        );
        assert!(remember(&old, &[], Timestamp(1)).is_empty());
    }

    #[test]
    fn a_part_that_fails_keeps_what_it_showed_and_the_rest_goes_on() {
        let (frr, bird) = ("BGP neighbor in FRR", "BGP neighbor in BIRD");
        let both = vec![
            found("192.0.2.1/32", frr),
            found("192.0.2.2/32", frr),
            found("192.0.2.3/32", bird),
        ];
        let old = remember(&[], &[(Source::BgpNeighbors, both.into())], Timestamp(0));
        let half = |cause| Answer {
            found: vec![found("192.0.2.2/32", frr), found("192.0.2.4/32", frr)],
            failed: vec![Failed {
                why: Some(bird.to_owned()),
                cause,
            }],
        };
        for cause in [Cause::NotAsked, Cause::Error("no daemon".to_owned())] {
            let answers = [(Source::BgpNeighbors, half(cause))];
            let years = remember(&old, &answers, Timestamp(100_000_000));
            assert_eq!(
                said(&years),
                [
                    "bgp-neighbors 192.0.2.2/32 0 100000000",
                    "bgp-neighbors 192.0.2.3/32 0 0",
                    "bgp-neighbors 192.0.2.4/32 100000000 100000000",
                ]
            );
        }
        let mut whole = half(Cause::NotAsked);
        whole.failed[0].why = None;
        let answers = [(Source::BgpNeighbors, whole)];
        let years = remember(&old, &answers, Timestamp(100_000_000));
        assert_eq!(years.len(), 4, "what was found counts, and all else stays");
        let answered = [(Source::BgpNeighbors, Answer::default())];
        assert!(remember(&years, &answered, Timestamp(200_000_000)).is_empty());
    }

    #[test]
    fn one_network_may_be_shown_for_several_reasons_but_once_for_each() {
        let twice = vec![
            found("192.0.2.1/32", "host of feed b: lists.example"),
            found("192.0.2.1/32", "host of feed a: lists.example"),
            found("192.0.2.1/32", "host of feed b: lists.example"),
        ];
        let kept = remember(&[], &[(Source::FeedHosts, twice.into())], Timestamp(7));
        assert_eq!(kept.len(), 2);
        assert!(kept[0].found.why.contains("feed a"), "in order");
    }
}
