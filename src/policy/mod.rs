//! Policy: what may be dropped. It only removes addresses and never adds one. Pure.
//!
//! ```text
//!  RIB ──refuse what is too short──► cut reserved space, feed by feed ──► aggregate ──► cut protected space
//!                                                                              space, then holes ──┘
//! ```

mod around;
pub(crate) mod embedded;
pub mod limits;
pub(crate) mod objection;
pub mod protect;
pub(crate) mod reserved;
pub(crate) mod selection;

use std::collections::HashSet;
use std::sync::Arc;

use ipnet::IpNet;

use crate::feed::{Entry, Listed};
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
    /// Aggregated prefixes from which protected space was cut, ascending.
    pub cut: Vec<IpNet>,
    /// Listed prefixes dropped whole, because excluding would have made too many pieces.
    pub dropped: Vec<IpNet>,
}

impl Permitted {
    /// Refused listings kept with their names; more are only counted.
    pub const MAX_REFUSED: usize = 10_000;

    fn refuse<'a, B: Bits>(&mut self, rib: &Rib, entries: impl Iterator<Item = &'a Entry<B>>) {
        for entry in entries {
            self.refused_entries += 1;
            if self.refused.len() < Self::MAX_REFUSED {
                self.refused.push(rib.listing(entry));
            }
        }
    }
}

impl Policy {
    /// Apply the policy to the RIB.
    pub fn apply(&self, rib: &Rib) -> Permitted {
        let mut permitted = Permitted::default();
        self.one_family::<u32>(rib, &mut permitted);
        self.one_family::<u128>(rib, &mut permitted);
        permitted
    }

    fn one_family<B: Family>(&self, rib: &Rib, permitted: &mut Permitted) {
        let entries = rib.entries::<B>();
        let any_length: Vec<bool> = rib.sources().iter().map(|one| one.any_length).collect();
        let shortest = B::shortest(&self.limits);
        let least = |feed: u16| match any_length[usize::from(feed)] {
            true => 1,
            false => shortest,
        };
        let refused = RefusedLines::of(&entries, least);
        if !refused.lines.is_empty() {
            permitted.refuse(rib, entries.iter().filter(|entry| refused.has(entry)));
            permitted.refused_lines.extend(&refused.lines);
        }
        let part = self.part::<B>(rib, &entries, |entry| refused.has(entry));
        let named = |these: Vec<Prefix<B>>| these.into_iter().map(|prefix| prefix.to_net());
        permitted.reserved.extend(named(part.reserved));
        permitted.cut.extend(named(part.cut));
        permitted.dropped.extend(named(part.dropped));
        let listed: Arc<[Prefix<B>]> = part.listed.into();
        *B::side(&mut permitted.set) = match part.left {
            Some(left) => left.into(),
            None => listed.clone(),
        };
        *B::side(&mut permitted.listed) = listed;
    }

    /// What is left of these entries of one family, ascending.
    fn part<B: Family>(
        &self,
        rib: &Rib,
        entries: &[Entry<B>],
        is_refused: impl Fn(&Entry<B>) -> bool,
    ) -> Part<B> {
        let all = reserved::space();
        let reserved = B::of_set(&all);
        let (space, holes) = (
            B::of_set(self.protect.space()),
            B::of_set(self.protect.holes()),
        );
        let bogons: Vec<bool> = rib.sources().iter().map(|source| source.reserved).collect();
        let mut part = Part::default();
        let mut listed = Aggregate::default();
        let mut pieces = Vec::new();
        let mut last_cut = None;
        let mut passed = 0;
        for entry in entries {
            let prefix = entry.prefix();
            if is_refused(entry) {
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
                    part.reserved.push(prefix);
                }
            } else {
                listed.push(prefix);
            }
        }
        part.listed = listed.finish();
        if !pieces.is_empty() {
            part.listed.extend(pieces);
            part.listed.sort_unstable_by_key(Prefix::key);
            part.listed = aggregate(part.listed);
        }
        let result = subtract(&part.listed, space);
        let mut is_whole = result.is_whole();
        let mut left = result.left;
        if !result.dropped.is_empty() {
            // Adjacent prefixes were joined, and the joined one would be split into too many
            // pieces. Each is treated by itself then, so that a prefix is dropped only for
            // protected space inside it.
            let counts = entries.iter().filter(|entry| !is_refused(entry));
            let within =
                |entry: &&Entry<B>| result.dropped.iter().any(|d| d.overlaps(&entry.prefix()));
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
                part.dropped.extend(one.dropped);
            }
            left.sort_unstable_by_key(Prefix::key);
            left = aggregate(left);
        }
        part.cut = result.cut;
        if !holes.is_empty() {
            // A prefix that lost addresses to both is listed once.
            let known = part.cut.iter().chain(&result.dropped).copied();
            let known: HashSet<Prefix<B>> = known.collect();
            let cut_too = cut(&part.listed, holes).cut.into_iter();
            part.cut.extend(cut_too.filter(|one| !known.contains(one)));
            part.cut.sort_unstable_by_key(Prefix::key);
            let result = cut(&left, holes);
            is_whole &= result.is_whole();
            left = result.left;
        }
        part.left = (!is_whole).then_some(left);
        part
    }
}

/// What the policy leaves of one family, or of a part of it. All is ascending.
#[derive(Debug)]
struct Part<B: Bits> {
    /// The listings, aggregated.
    listed: Vec<Prefix<B>>,
    /// The rest of them without protected space; `None` where nothing was excluded.
    left: Option<Vec<Prefix<B>>>,
    reserved: Vec<Prefix<B>>,
    cut: Vec<Prefix<B>>,
    dropped: Vec<Prefix<B>>,
}

impl<B: Bits> Default for Part<B> {
    fn default() -> Self {
        Self {
            listed: Vec::new(),
            left: None,
            reserved: Vec::new(),
            cut: Vec::new(),
            dropped: Vec::new(),
        }
    }
}

/// The two families of a policy.
trait Family: Listed {
    /// Its side of a set.
    fn of_set(set: &PrefixSet) -> &Arc<[Prefix<Self>]>;
    /// The same.
    fn side(set: &mut PrefixSet) -> &mut Arc<[Prefix<Self>]>;
    /// The shortest length that is accepted.
    fn shortest(limits: &Limits) -> u8;
}

impl Family for u32 {
    fn of_set(set: &PrefixSet) -> &Arc<[Prefix<Self>]> {
        &set.v4
    }

    fn side(set: &mut PrefixSet) -> &mut Arc<[Prefix<Self>]> {
        &mut set.v4
    }

    fn shortest(limits: &Limits) -> u8 {
        limits.shortest_v4
    }
}

impl Family for u128 {
    fn of_set(set: &PrefixSet) -> &Arc<[Prefix<Self>]> {
        &set.v6
    }

    fn side(set: &mut PrefixSet) -> &mut Arc<[Prefix<Self>]> {
        &mut set.v6
    }

    fn shortest(limits: &Limits) -> u8 {
        limits.shortest_v6
    }
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
