//! The part of the set in force that one router gets. A selection only removes prefixes. Pure.
//!
//! A *choice* names the feeds whose listings count for the router, so each distinct choice has a
//! set of its own. A *selection* is a choice and what is left out of its set: a whole family, and
//! prefixes that are too long.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::prefix::{Bits, Effective, Prefix, PrefixSet};

/// Whose listings make up the set of a router.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Choice {
    /// The feeds by name, ascending, each once; `None` for every feed.
    pub feeds: Option<Vec<String>>,
    /// Whether the operator's own entries are included.
    pub operator: bool,
}

impl Choice {
    /// Every feed, and the operator's own entries.
    pub const EVERYTHING: Self = Self {
        feeds: None,
        operator: true,
    };

    /// Whether nothing is left out.
    pub fn has_everything(&self) -> bool {
        *self == Self::EVERYTHING
    }

    /// Whether the listings of this feed count.
    pub fn has(&self, feed: &str) -> bool {
        let named = |feeds: &Vec<String>| feeds.iter().any(|name| name == feed);
        self.feeds.as_ref().is_none_or(named)
    }

    /// Whether it may include a feed that is no longer configured: it names one, or it includes
    /// every feed.
    pub fn may_have_removed(&self, is_configured: impl Fn(&str) -> bool) -> bool {
        let mut names = self.feeds.iter().flatten();
        self.feeds.is_none() || names.any(|feed| !is_configured(feed))
    }

    /// Adds the feeds that a router had before and that are no longer configured: while their
    /// removal is held, the router keeps its part of them.
    #[must_use]
    pub fn keeping(mut self, before: &Self, is_configured: impl Fn(&str) -> bool) -> Self {
        if let (Some(feeds), Some(before)) = (&mut self.feeds, &before.feeds) {
            let removed = before.iter().filter(|feed| !is_configured(feed));
            feeds.extend(removed.cloned());
            feeds.sort_unstable();
            feeds.dedup();
        }
        self
    }
}

/// The part of the set that a router gets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Selection {
    /// Whose listings.
    #[serde(flatten)]
    pub choice: Choice,
    /// The length of the longest IPv4 prefix; `None` for no IPv4 at all.
    pub longest_v4: Option<u8>,
    /// The same, IPv6.
    pub longest_v6: Option<u8>,
}

impl Default for Selection {
    fn default() -> Self {
        Self::EVERYTHING
    }
}

/// The result of a selection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectedPart {
    /// The selected part.
    pub effective: Effective,
    /// Number of prefixes that are too long, IPv4 and IPv6.
    pub left_out: [usize; 2],
}

impl Selection {
    /// Everything that is in force.
    pub const EVERYTHING: Self = Self {
        choice: Choice::EVERYTHING,
        longest_v4: Some(u32::WIDTH),
        longest_v6: Some(u128::WIDTH),
    };

    /// Whether nothing is left out.
    pub fn has_everything(&self) -> bool {
        *self == Self::EVERYTHING
    }

    /// The selected part of the set of its choice. A prefix that is too long is left out whole,
    /// never widened.
    pub fn of(&self, effective: &Effective) -> SelectedPart {
        let Effective { nets, origins } = effective;
        let (v4, long_v4) = no_longer_than(&nets.v4, self.longest_v4);
        let (v6, long_v6) = no_longer_than(&nets.v6, self.longest_v6);
        SelectedPart {
            effective: Effective {
                nets: PrefixSet { v4, v6 },
                origins: origins.clone(),
            },
            left_out: [long_v4, long_v6],
        }
    }

    /// The number of prefixes left out as too long, in words; `None` if there is no limit of
    /// length.
    pub fn describe(&self, left_out: [usize; 2]) -> Option<String> {
        let [v4, v6] = self.limits();
        let told = |limit: Option<u8>, count: usize, family: &str| {
            let s = if count == 1 { "" } else { "es" };
            limit.map(|longest| format!("{count} {family} prefix{s} longer than /{longest}"))
        };
        let [long_v4, long_v6] = left_out;
        let both = [told(v4, long_v4, "IPv4"), told(v6, long_v6, "IPv6")];
        let both: Vec<String> = both.into_iter().flatten().collect();
        (!both.is_empty()).then(|| format!("{} left out", both.join(" and ")))
    }

    /// The longest lengths, IPv4 and IPv6, if they are a limit.
    pub fn limits(&self) -> [Option<u8>; 2] {
        [
            self.longest_v4.filter(|longest| *longest < u32::WIDTH),
            self.longest_v6.filter(|longest| *longest < u128::WIDTH),
        ]
    }
}

/// The prefixes that are not too long, and the number of the others.
fn no_longer_than<B: Bits>(
    set: &Arc<[Prefix<B>]>,
    longest: Option<u8>,
) -> (Arc<[Prefix<B>]>, usize) {
    let Some(longest) = longest else {
        return (Arc::default(), 0);
    };
    if longest >= B::WIDTH {
        return (set.clone(), 0);
    }
    let fits = |prefix: &&Prefix<B>| prefix.len() <= longest;
    let left: Arc<[Prefix<B>]> = set.iter().filter(fits).copied().collect();
    let left_out = set.len() - left.len();
    (left, left_out)
}

impl fmt::Display for Selection {
    /// `feeds a, b; nothing added by hand; IPv4 only; IPv4 up to /24`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match self.choice.feeds.as_deref() {
            None => parts.push("every feed".to_owned()),
            Some([]) => parts.push("no feed".to_owned()),
            Some([one]) => parts.push(format!("feed {one}")),
            Some(more) => parts.push(format!("feeds {}", more.join(", "))),
        }
        if !self.choice.operator {
            parts.push("nothing added by hand".to_owned());
        }
        match (self.longest_v4, self.longest_v6) {
            (Some(_), None) => parts.push("IPv4 only".to_owned()),
            (None, Some(_)) => parts.push("IPv6 only".to_owned()),
            _ => {}
        }
        let limits = ["IPv4", "IPv6"].into_iter().zip(self.limits());
        parts.extend(limits.filter_map(|(family, longest)| {
            longest.map(|longest| format!("{family} up to /{longest}"))
        }));
        f.write_str(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(nets: &[&str]) -> Effective {
        let nets = nets.iter().map(|net| net.parse().unwrap());
        Effective::new(PrefixSet::of_nets(nets), [64_496])
    }

    #[test]
    fn what_is_too_long_is_left_out_and_counted_and_never_widened() {
        let selection = Selection {
            longest_v4: Some(24),
            longest_v6: Some(48),
            ..Selection::EVERYTHING
        };
        let part = selection.of(&set(&[
            "72.37.186.0/23",
            "192.0.2.0/24",
            "198.51.100.0/25",
            "203.0.113.7/32",
            "2001:db8::/48",
            "2001:db8:1::/49",
        ]));
        let left = ["72.37.186.0/23", "192.0.2.0/24", "2001:db8::/48"];
        assert_eq!(part.effective, set(&left));
        assert_eq!(part.left_out, [2, 1]);
        assert_eq!(
            selection.describe(part.left_out).unwrap(),
            "2 IPv4 prefixes longer than /24 and 1 IPv6 prefix longer than /48 left out"
        );
        // Two halves of a prefix that is short enough are joined to it.
        assert_eq!(
            selection
                .of(&set(&["192.0.2.0/25", "192.0.2.128/25"]))
                .effective,
            set(&["192.0.2.0/24"])
        );
        assert_eq!(Selection::EVERYTHING.describe([0, 0]), None);
    }

    #[test]
    fn a_family_that_is_not_wanted_is_not_counted() {
        let selection = Selection {
            longest_v6: None,
            ..Selection::EVERYTHING
        };
        let part = selection.of(&set(&["203.0.113.7/32", "2001:db8::/48"]));
        assert_eq!(part.effective, set(&["203.0.113.7/32"]));
        assert_eq!(part.left_out, [0, 0]);
    }

    #[test]
    fn a_choice_keeps_the_feeds_of_before_that_are_no_longer_configured_and_no_others() {
        let of = |feeds: &[&str]| Choice {
            feeds: Some(feeds.iter().map(ToString::to_string).collect()),
            operator: true,
        };
        let is_configured = |feed: &str| feed != "b";
        let keeping = |now: &Choice, before: &Choice| now.clone().keeping(before, is_configured);
        assert_eq!(keeping(&of(&["c"]), &of(&["a", "b"])), of(&["b", "c"]));
        assert_eq!(keeping(&of(&["b"]), &of(&["b"])), of(&["b"]));
        assert_eq!(keeping(&of(&[]), &of(&["a"])), of(&[]));
        // "Every feed" names no feed.
        assert_eq!(keeping(&of(&["a"]), &Choice::EVERYTHING), of(&["a"]));
        let every = Choice::EVERYTHING;
        assert_eq!(keeping(&every, &of(&["b"])), every);
    }

    #[test]
    fn a_selection_reads_as_it_is_configured() {
        let choice = |feeds: Option<&[&str]>, operator| Choice {
            feeds: feeds.map(|feeds| feeds.iter().map(ToString::to_string).collect()),
            operator,
        };
        let of = |choice, longest_v4, longest_v6| Selection {
            choice,
            longest_v4,
            longest_v6,
        };
        for (selection, text) in [
            (Selection::EVERYTHING, "every feed"),
            (
                of(choice(Some(&["a"]), true), Some(32), Some(128)),
                "feed a",
            ),
            (of(choice(Some(&[]), true), Some(32), Some(128)), "no feed"),
            (
                of(choice(Some(&["a", "b"]), false), Some(24), None),
                "feeds a, b; nothing added by hand; IPv4 only; IPv4 up to /24",
            ),
            (
                of(choice(None, true), None, Some(48)),
                "every feed; IPv6 only; IPv6 up to /48",
            ),
        ] {
            assert_eq!(selection.to_string(), text);
            // The ledger stores it as JSON.
            let kept = serde_json::to_string(&selection).unwrap();
            let read: Selection = serde_json::from_str(&kept).unwrap();
            assert_eq!(read, selection, "{kept}");
        }
    }
}
