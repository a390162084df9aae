//! Policy: what may be dropped. It only removes addresses and never adds one. Pure.
//!
//! ```text
//!  RIB ──refuse what is too short──► cut reserved space, feed by feed ──► aggregate ──► cut protected space
//!                                                                              space, then holes ──┘
//! ```

pub mod limits;
pub mod protect;
pub mod reserved;
pub mod selection;

use std::collections::HashSet;
use std::sync::Arc;

use ipnet::IpNet;

use crate::feed::Entry;
use crate::prefix::{Aggregate, Bits, Prefix, PrefixSet, aggregate, cut, subtract};
use crate::rib::{Listing, Rib};
use limits::{Limits, Review};
use protect::Protect;

/// Everything that decides what may be dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What is never dropped.
    pub protect: Protect,
    /// How much may be dropped, and how fast that may change.
    pub limits: Limits,
    /// What lets a change proceed.
    pub review: Review,
}

/// The part of the RIB that may be dropped, and what the policy removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permitted {
    /// The effective set.
    pub set: PrefixSet,
    /// The same before protected space was excluded.
    pub listed: PrefixSet,
    /// Listings refused because they are shorter than the limit, at most
    /// [`Permitted::MAX_REFUSED`].
    pub refused: Vec<Listing>,
    /// Number of all such listings.
    pub refused_entries: usize,
    /// Their place: index of the feed, and line.
    pub refused_lines: HashSet<(u16, u32)>,
    /// Listed prefixes from which reserved space was cut.
    pub reserved: Vec<IpNet>,
    /// Aggregated prefixes from which protected space was cut.
    pub cut: Vec<IpNet>,
    /// Listed prefixes dropped whole, because excluding would have made too many pieces.
    pub dropped: Vec<IpNet>,
}

impl Permitted {
    /// Refused listings kept with their names; more are only counted.
    pub const MAX_REFUSED: usize = 10_000;
}

impl Policy {
    /// Apply the policy to the RIB.
    pub fn apply(&self, rib: &Rib) -> Permitted {
        let mut permitted = Permitted::default();
        let reserved = reserved::space();
        let limits = &self.limits;
        let (space, holes) = (self.protect.space(), self.protect.holes());
        [permitted.listed.v4, permitted.set.v4] = one_family(
            rib,
            rib.v4(),
            limits.shortest_v4,
            &reserved.v4,
            (&space.v4, &holes.v4),
            &mut permitted,
        );
        [permitted.listed.v6, permitted.set.v6] = one_family(
            rib,
            rib.v6(),
            limits.shortest_v6,
            &reserved.v6,
            (&space.v6, &holes.v6),
            &mut permitted,
        );
        permitted
    }
}

fn one_family<B: Bits>(
    rib: &Rib,
    entries: &[Entry<B>],
    shortest: u8,
    reserved: &[Prefix<B>],
    (space, holes): (&[Prefix<B>], &[Prefix<B>]),
    permitted: &mut Permitted,
) -> [Arc<[Prefix<B>]>; 2] {
    let any_length: Vec<bool> = rib
        .sources()
        .iter()
        .map(|source| source.any_length)
        .collect();
    let least = |feed: u16| match any_length[usize::from(feed)] {
        true => 1,
        false => shortest,
    };
    let refused = RefusedLines::of(entries, least);
    permitted.refused_lines.extend(&refused.lines);
    let bogons: Vec<bool> = rib.sources().iter().map(|source| source.reserved).collect();
    let mut listed = Aggregate::default();
    let mut pieces = Vec::new();
    let mut last_cut = None;
    let mut passed = 0;
    for entry in entries {
        let prefix = entry.prefix();
        if refused.has(entry) {
            permitted.refused_entries += 1;
            if permitted.refused.len() < Permitted::MAX_REFUSED {
                permitted.refused.push(rib.listing(entry));
            }
            continue;
        }
        // Entries ascend, so reserved space that ends before this entry is never needed again.
        while reserved
            .get(passed)
            .is_some_and(|r| r.last() < prefix.first())
        {
            passed += 1;
        }
        let touched = reserved.get(passed).is_some_and(|r| r.overlaps(&prefix));
        if touched && !bogons[usize::from(entry.feed)] {
            // Many lines may list one prefix: it is split once.
            if last_cut.replace(prefix) != Some(prefix) {
                pieces.extend(subtract(&[prefix], reserved).left);
                permitted.reserved.push(prefix.to_net());
            }
        } else {
            listed.push(prefix);
        }
    }
    let mut listed = listed.finish();
    if !pieces.is_empty() {
        listed.extend(pieces);
        listed.sort_unstable_by_key(Prefix::key);
        listed = aggregate(listed);
    }
    let result = subtract(&listed, space);
    let mut is_whole = result.is_whole();
    permitted.cut.extend(result.cut.iter().map(Prefix::to_net));
    let mut left = result.left;
    if !result.dropped.is_empty() {
        // Adjacent prefixes were joined, and the joined one would be split into too many pieces.
        // Each is treated by itself then, so that a prefix is dropped only for protected space
        // inside it.
        let counts = entries.iter().filter(|entry| !refused.has(entry));
        let within = |entry: &&Entry<B>| result.dropped.iter().any(|d| d.overlaps(&entry.prefix()));
        let mut alone: Vec<Prefix<B>> = Vec::new();
        for entry in counts.filter(within) {
            match bogons[usize::from(entry.feed)] {
                true => alone.push(entry.prefix()),
                false => alone.extend(subtract(&[entry.prefix()], reserved).left),
            }
        }
        alone.sort_unstable_by_key(Prefix::key);
        alone.dedup();
        for prefix in alone {
            let one = subtract(&[prefix], space);
            left.extend(one.left);
            permitted
                .dropped
                .extend(one.dropped.iter().map(Prefix::to_net));
        }
        left.sort_unstable_by_key(Prefix::key);
        left = aggregate(left);
    }
    if !holes.is_empty() {
        // A prefix that lost addresses to both is listed once.
        let known = result.cut.iter().chain(&result.dropped).copied();
        let known: HashSet<Prefix<B>> = known.collect();
        let cut_too = cut(&listed, holes).cut.into_iter();
        let cut_too = cut_too.filter(|prefix| !known.contains(prefix));
        permitted.cut.extend(cut_too.map(|prefix| prefix.to_net()));
        let result = cut(&left, holes);
        is_whole &= result.is_whole();
        left = result.left;
    }
    let listed: Arc<[Prefix<B>]> = listed.into();
    let left = match is_whole {
        true => listed.clone(),
        false => left.into(),
    };
    [listed, left]
}

/// Lines with a prefix that is too short. A range is many entries of one line: a range that is too
/// wide as a whole is not accepted in parts.
struct RefusedLines {
    /// Feed and line, ascending.
    lines: Vec<(u16, u32)>,
    /// The last eight bits of those lines: for nearly every entry one look is enough.
    hint: [bool; 256],
}

impl RefusedLines {
    fn of<B: Bits>(entries: &[Entry<B>], least: impl Fn(u16) -> u8) -> Self {
        let too_short = entries
            .iter()
            .filter(|entry| entry.prefix().len() < least(entry.feed));
        let mut lines: Vec<(u16, u32)> = too_short.map(|entry| (entry.feed, entry.line)).collect();
        lines.sort_unstable();
        lines.dedup();
        let mut hint = [false; 256];
        for (_, line) in &lines {
            hint[usize::from(*line as u8)] = true;
        }
        Self { lines, hint }
    }

    #[inline]
    fn has<B>(&self, entry: &Entry<B>) -> bool {
        self.hint[usize::from(entry.line as u8)]
            && self.lines.binary_search(&(entry.feed, entry.line)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::formats::{Format, Rules, parse_body};
    use crate::policy::protect::Protected;
    use crate::prefix::Effective;
    use crate::rib::Source;
    use std::sync::Arc;

    fn rib(list: &str, reserved: bool) -> Rib {
        Rib::merge(vec![Source {
            name: "noc".into(),
            reserved,
            any_length: false,
            copy: Arc::new(parse_body(list.as_bytes(), &Rules::of(Format::Cidr)).unwrap()),
        }])
    }

    fn policy(protect: &[&str]) -> Policy {
        let typed = protect.iter().map(|net| Protected {
            net: net.parse().unwrap(),
            why: "typed".to_owned(),
        });
        Policy {
            protect: Protect::new(typed.collect()),
            limits: Limits::default(),
            review: Review::default(),
        }
    }

    fn shown(permitted: &Permitted) -> Vec<String> {
        permitted.set.nets().map(|net| net.to_string()).collect()
    }

    #[test]
    fn protected_space_is_cut_out_exactly() {
        let permitted = policy(&["192.0.2.64/26"]).apply(&rib("192.0.2.0/24\n", false));
        assert_eq!(shown(&permitted), ["192.0.2.0/26", "192.0.2.128/25"]);
        assert_eq!(permitted.cut, ["192.0.2.0/24".parse::<IpNet>().unwrap()]);
    }

    #[test]
    fn a_listing_goes_only_for_what_is_protected_in_itself() {
        // Twenty hosts in a listed /16 leave too many pieces; its neighbor, and a /24 inside, have
        // none.
        let hosts = (0..20).map(|i| format!("203.0.{}.77/32", 12 * i));
        let hosts: Vec<String> = hosts.collect();
        let protect: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let list = "203.0.0.0/16\n203.0.61.0/24\n203.1.0.0/16\n";
        let permitted = policy(&protect).apply(&rib(list, false));
        assert_eq!(shown(&permitted), ["203.0.61.0/24", "203.1.0.0/16"]);
        let dropped: Vec<String> = permitted.dropped.iter().map(ToString::to_string).collect();
        assert_eq!(dropped, ["203.0.0.0/16"]);
    }

    #[test]
    fn a_hole_takes_itself_out_and_never_the_listing_around_it() {
        let net = |text: &str| Protected {
            net: text.parse().unwrap(),
            why: "shown".to_owned(),
        };
        // Scattered, so that each takes about seven pieces: together more than 128.
        let holes: Vec<Protected> = (0..39_u32)
            .map(|i| net(&format!("203.0.{}.{}/32", 113 + i % 2, 1 + 6 * i)))
            .collect();
        let list = "203.0.112.0/22\n198.51.100.0/24\n";
        let whole = policy(&[]).apply(&rib(list, false));
        let cut = |typed: Vec<Protected>, holes: Vec<Protected>| {
            let protect = Protect::with_holes(typed, holes);
            let policy = Policy {
                protect,
                ..policy(&[])
            };
            policy.apply(&rib(list, false))
        };
        let of = |permitted: &Permitted| -> u32 {
            let v4 = permitted.set.v4.iter();
            v4.map(|prefix| prefix.last() - prefix.first() + 1).sum()
        };
        let permitted = cut(vec![], holes.clone());
        assert!(permitted.set.len() > 128, "{}", permitted.set.len());
        assert_eq!(of(&permitted), of(&whole) - 39);
        assert!(permitted.dropped.is_empty());
        assert_eq!(permitted.cut, ["203.0.112.0/22".parse::<IpNet>().unwrap()]);
        // Configured space causes the listing to be dropped, as before; the two kinds are not added
        // up.
        let typed = cut(holes.clone(), vec![]);
        assert_eq!(shown(&typed), ["198.51.100.0/24"]);
        let both = cut(holes[..5].to_vec(), holes[5..].to_vec());
        assert_eq!(of(&both), of(&whole) - 39);
        assert_eq!(both.cut.len(), 1, "named once");
        // A set that is frozen is cut in the same way.
        let protect = Protect::with_holes(vec![], holes);
        let whole = Effective::new(whole.set, []);
        assert_eq!(protect.cut_out_of(&whole).nets, permitted.set);
    }

    #[test]
    fn reserved_space_is_cut_out_of_every_feed_but_a_bogon_feed() {
        let list = "10.0.0.0/8\n9.0.0.0/8\n192.168.0.0/15\nfc00::/32\n2001:db8::/32\n";
        let permitted = policy(&[]).apply(&rib(list, false));
        assert_eq!(
            shown(&permitted),
            ["9.0.0.0/8", "192.169.0.0/16", "2001:db8::/32"]
        );
        assert_eq!(permitted.reserved.len(), 3);

        let bogons = policy(&[]).apply(&rib(
            "10.0.0.0/8\n127.0.0.0/8\n224.0.0.0/8\n169.254.0.0/16\n",
            true,
        ));
        assert_eq!(
            shown(&bogons),
            ["10.0.0.0/8"],
            "loopback, multicast and link-local stay out"
        );
    }

    #[test]
    fn a_range_that_is_too_wide_is_refused_whole() {
        let list = "1.0.0.0-223.255.255.255 # oops\n192.0.2.0-192.0.2.9\n";
        let permitted = policy(&[]).apply(&rib(list, false));
        assert_eq!(shown(&permitted), ["192.0.2.0/29", "192.0.2.8/31"]);
        assert!(permitted.refused.iter().all(|listing| listing.line == 1));
    }

    #[test]
    fn what_is_shorter_than_the_limit_is_refused_with_its_listing() {
        let permitted = policy(&[]).apply(&rib(
            "0.0.0.0/0 # x\n::/0\n192.0.2.0/24\n12.0.0.0/7\n",
            false,
        ));
        assert_eq!(shown(&permitted), ["192.0.2.0/24"]);
        let refused: Vec<_> = permitted
            .refused
            .iter()
            .map(|l| (l.line, l.prefix.to_string()))
            .collect();
        assert_eq!(
            refused,
            [
                (1, "0.0.0.0/0".to_owned()),
                (4, "12.0.0.0/7".to_owned()),
                (2, "::/0".to_owned())
            ]
        );
    }
}
