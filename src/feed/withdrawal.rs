//! Delays withdrawals; additions are never delayed. Pure: the time is a parameter.
//!
//! A tenth of the prefixes that DROP removes are listed again within a day, and a content delivery
//! network may serve yesterday's list for some hours. So an entry that the newest copy lacks stays
//! in force until a number of good copies in a row lacked it, or for a time.
//!
//! ```text
//!  copy 1: A B     copy 2: A       copy 3: A           (withdraw_after = "2 copies")
//!  counts: A B     counts: A B     counts: A
//!                          └─ pending, missing in 1 copy
//! ```

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::expiry::{End, Ends};
use super::{CopyDifference, Entry, FeedCopy};
use crate::digest;
use crate::prefix::{Bits, Item, Prefix, Written};
use crate::time::Timestamp;

/// When something that is no longer listed is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithdrawAfter {
    /// After this number of good copies in a row that lack it; at least 1.
    Copies(u32),
    /// This time after the first good copy that lacks it.
    Time(Duration),
}

/// A listing that the newest copy lacks and that is still in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingWithdrawal {
    /// What was listed.
    pub item: Item,
    pub reference: String,
    /// The first good copy without it.
    pub since: Timestamp,
    /// Good copies in a row without it.
    pub missed: u32,
}

/// The name of a copy with what is leaving it: it names both.
pub fn named(digest: &str, leaving: &[PendingWithdrawal]) -> String {
    if leaving.is_empty() {
        return digest.to_owned();
    }
    let text: Vec<String> = leaving
        .iter()
        .map(|one| format!("{} {}", one.item, one.reference))
        .collect();
    format!("{digest}-{}", digest::of(text.join("\n").as_bytes()))
}

impl WithdrawAfter {
    /// The default for what is downloaded.
    pub const DEFAULT: Self = Self::Copies(2);
    /// The default for local files: an entry that the operator deletes is withdrawn at once.
    pub const AT_ONCE: Self = Self::Copies(1);

    /// Whether the wait is over. A wait that began in the future is over: the clock was set back.
    pub fn is_over(self, leaving: &PendingWithdrawal, now: Timestamp) -> bool {
        match self {
            Self::Copies(copies) => leaving.missed >= copies,
            Self::Time(span) => {
                let future = leaving.since > now.after(Timestamp::CLOCK_TOLERANCE);
                leaving.since.age(now) >= span || future
            }
        }
    }

    /// The pending withdrawals after a new good copy: entries of `old` or `leaving` that `new`
    /// lacks and whose wait is not over.
    pub fn step(
        self,
        old: &FeedCopy,
        leaving: Vec<PendingWithdrawal>,
        new: &FeedCopy,
        now: Timestamp,
    ) -> Vec<PendingWithdrawal> {
        if self == Self::AT_ONCE {
            return Vec::new();
        }
        let mut went = CopyDifference::between(old, new).went;
        if old.has_ends() {
            let asked: HashSet<_> = went.iter().copied().collect();
            went = waiting(old, now)
                .filter(|one| asked.contains(one))
                .collect();
        }
        let asked = went.iter().map(|(item, _)| *item);
        let listed = listed(new, leaving.iter().map(|one| one.item).chain(asked));
        let mut still: Vec<PendingWithdrawal> = leaving
            .into_iter()
            .filter(|leaving| !listed.contains(&leaving.item))
            .map(|leaving| PendingWithdrawal {
                missed: leaving.missed.saturating_add(1),
                ..leaving
            })
            .collect();
        let left_before: HashSet<Item> = still.iter().map(|leaving| leaving.item).collect();
        let gone = went
            .into_iter()
            .filter(|(item, _)| !listed.contains(item) && !left_before.contains(item))
            .map(|(item, reference)| PendingWithdrawal {
                item,
                reference: reference.to_owned(),
                since: now,
                missed: 1,
            });
        still.extend(gone);
        still.retain(|leaving| !self.is_over(leaving, now));
        still.sort_unstable_by(|a, b| (a.item, &a.reference).cmp(&(b.item, &b.reference)));
        still.dedup_by(|a, b| (a.item, &a.reference) == (b.item, &b.reference));
        still
    }

    /// The pending withdrawals after the newest copy was confirmed once more.
    pub fn confirmed(
        self,
        mut leaving: Vec<PendingWithdrawal>,
        now: Timestamp,
    ) -> Vec<PendingWithdrawal> {
        for one in &mut leaving {
            one.missed = one.missed.saturating_add(1);
        }
        leaving.retain(|one| !self.is_over(one, now));
        leaving
    }
}

/// Keep at most `most` pending withdrawals: a list that is different each time would let them grow
/// without limit. The oldest are dropped first.
pub fn at_most(mut leaving: Vec<PendingWithdrawal>, most: usize) -> Vec<PendingWithdrawal> {
    if leaving.len() > most {
        leaving.sort_by_key(|one| std::cmp::Reverse(one.since));
        leaving.truncate(most);
        leaving.sort_unstable_by(|a, b| (a.item, &a.reference).cmp(&(b.item, &b.reference)));
    }
    leaving
}

impl fmt::Display for WithdrawAfter {
    /// As in the configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copies(1) => f.write_str("1 copy"),
            Self::Copies(copies) => write!(f, "{copies} copies"),
            Self::Time(span) => humantime::format_duration(*span).fmt(f),
        }
    }
}

impl FromStr for WithdrawAfter {
    type Err = ();

    /// `1 copy`, `2 copies`, or a duration.
    fn from_str(text: &str) -> Result<Self, ()> {
        let copies = text.strip_suffix(" copies").or(text.strip_suffix(" copy"));
        match copies.map(|copies| copies.trim().parse()) {
            Some(Ok(copies @ 1..=100)) => Ok(Self::Copies(copies)),
            Some(_) => Err(()),
            None => humantime::parse_duration(text)
                .map(Self::Time)
                .map_err(|_| ()),
        }
    }
}

impl FeedCopy {
    /// The same copy with the pending withdrawals, which are listed in line 0: no line lists them.
    pub fn with_pending_withdrawals(&self, leaving: &[PendingWithdrawal]) -> Self {
        let mut copy = self.clone();
        for one in leaving {
            match one.item {
                Item::Prefix(IpNet::V4(net)) => {
                    copy.add(Written::V4(net.into()), 0, &one.reference)
                }
                Item::Prefix(IpNet::V6(net)) => {
                    copy.add(Written::V6(net.into()), 0, &one.reference)
                }
                Item::Origin(asn) => copy.add_origin(asn, 0, &one.reference),
            }
        }
        copy.ascend();
        copy
    }
}

/// Those of the items that a copy lists, by any reference.
fn listed(copy: &FeedCopy, asked: impl Iterator<Item = Item>) -> HashSet<Item> {
    let (mut v4, mut v6, mut origins) = (Vec::new(), Vec::new(), HashSet::new());
    for item in asked {
        match item {
            Item::Prefix(IpNet::V4(net)) => v4.push(Prefix::from(net)),
            Item::Prefix(IpNet::V6(net)) => v6.push(Prefix::from(net)),
            Item::Origin(asn) => _ = origins.insert(asn),
        }
    }
    let asns = copy.origins.iter().map(|origin| origin.asn);
    let asns = asns.filter(|asn| origins.contains(asn)).map(Item::Origin);
    let v4 = among(&copy.v4, v4).map(Item::Prefix);
    v4.chain(among(&copy.v6, v6).map(Item::Prefix))
        .chain(asns)
        .collect()
}

/// Those of the prefixes that are among the entries. Few are asked for, so the entries are read
/// once.
fn among<B: Bits>(
    entries: &[Entry<B>],
    mut asked: Vec<Prefix<B>>,
) -> impl Iterator<Item = IpNet> + '_ {
    asked.sort_unstable();
    let entries = if asked.is_empty() { &[] } else { entries };
    let prefixes = entries.iter().map(Entry::prefix);
    let listed = prefixes.filter(move |prefix| asked.binary_search(prefix).is_ok());
    listed.map(|prefix| prefix.to_net())
}

/// The listings of a copy whose withdrawal is delayed. Entries with an end of their own are not
/// delayed: a publisher that sets an end and removes the entry earlier means it. Nor are entries
/// that have not begun.
fn waiting(copy: &FeedCopy, now: Timestamp) -> impl Iterator<Item = (Item, &str)> {
    let lasting = move |ends: &Ends, index: usize| {
        let index = index as u32;
        let own = &ends[ends.partition_point(|(at, _)| *at < index)..];
        let own = own.iter().take_while(|(at, _)| *at == index);
        let begun = |(_, end): &(u32, End)| matches!(end, End::NotBefore(time) if *time <= now);
        own.into_iter().all(begun)
    };
    let v4 = copy.v4.iter().enumerate();
    let v4 = v4.filter(move |(index, _)| lasting(&copy.ends_v4, *index));
    let v6 = copy.v6.iter().enumerate();
    let v6 = v6.filter(move |(index, _)| lasting(&copy.ends_v6, *index));
    v4.map(|(_, entry)| of_entry(copy, entry))
        .chain(v6.map(|(_, entry)| of_entry(copy, entry)))
        .chain(origins(copy))
}

fn origins(copy: &FeedCopy) -> impl Iterator<Item = (Item, &str)> {
    let origins = copy.origins.iter();
    origins.map(|origin| (Item::Origin(origin.asn), copy.origin_reference(origin)))
}

fn of_entry<'a, B: Bits>(copy: &'a FeedCopy, entry: &Entry<B>) -> (Item, &'a str) {
    (Item::Prefix(entry.prefix().to_net()), copy.reference(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::formats::{Format, Rules, parse_body};

    const DAY: Duration = Duration::from_secs(86_400);

    fn copy(list: &str) -> FeedCopy {
        let rules = Rules {
            may_be_empty: true,
            ..Rules::of(Format::Cidr)
        };
        parse_body(format!("#\n{list}").as_bytes(), &rules).unwrap()
    }

    fn shown(leaving: &[PendingWithdrawal]) -> Vec<String> {
        leaving
            .iter()
            .map(|l| {
                format!(
                    "{} {} since {} missed {}",
                    l.item, l.reference, l.since.0, l.missed
                )
            })
            .collect()
    }

    const BOTH: &str = "192.0.2.0/24 # one\n198.51.100.0/24 # two\n";
    const ONE: &str = "192.0.2.0/24 # one\n";

    #[test]
    fn a_removal_waits_for_the_second_good_copy_that_lacks_it() {
        let rule = WithdrawAfter::DEFAULT;
        let first = rule.step(&copy(BOTH), Vec::new(), &copy(ONE), Timestamp(10));
        assert_eq!(shown(&first), ["198.51.100.0/24 two since 10 missed 1"]);
        assert_eq!(copy(ONE).with_pending_withdrawals(&first).len(), 2);
        assert!(
            rule.step(&copy(ONE), first.clone(), &copy(ONE), Timestamp(20))
                .is_empty()
        );
        assert!(rule.confirmed(first, Timestamp(20)).is_empty());
    }

    #[test]
    fn what_comes_back_in_between_was_never_gone() {
        let rule = WithdrawAfter::DEFAULT;
        let first = rule.step(&copy(BOTH), Vec::new(), &copy(ONE), Timestamp(10));
        let back = rule.step(&copy(ONE), first, &copy(BOTH), Timestamp(20));
        assert!(back.is_empty());
        let again = rule.step(&copy(BOTH), back, &copy(ONE), Timestamp(30));
        assert_eq!(shown(&again), ["198.51.100.0/24 two since 30 missed 1"]);
    }

    #[test]
    fn a_new_reference_for_the_same_prefix_is_no_removal() {
        let other = "192.0.2.0/24 # new\n198.51.100.0/24 # two\n";
        assert!(
            WithdrawAfter::DEFAULT
                .step(&copy(BOTH), Vec::new(), &copy(other), Timestamp(10))
                .is_empty()
        );
    }

    #[test]
    fn a_time_is_counted_from_the_first_copy_that_lacked_it() {
        let rule = WithdrawAfter::Time(DAY);
        let mut leaving = rule.step(&copy(BOTH), Vec::new(), &copy(ONE), Timestamp(0));
        for hour in 1..24 {
            leaving = rule.confirmed(leaving, Timestamp(hour * 3_600));
            assert_eq!(leaving.len(), 1, "after {hour} h");
        }
        assert!(rule.confirmed(leaving, Timestamp(86_400)).is_empty());
    }

    #[test]
    fn the_operators_own_list_is_believed_at_once() {
        assert!(
            WithdrawAfter::AT_ONCE
                .step(&copy(BOTH), Vec::new(), &copy(ONE), Timestamp(0))
                .is_empty()
        );
    }

    #[test]
    fn copies_are_the_same_whatever_their_order_and_comments() {
        let same =
            |one: &str, other: &str| CopyDifference::between(&copy(one), &copy(other)).is_empty();
        assert!(same(
            BOTH,
            "# x\n198.51.100.0/24 # two\n192.0.2.0/24 # one\n"
        ));
        assert!(!same(BOTH, ONE));
        assert!(!same(ONE, "192.0.2.0/24 # other\n"));
    }

    #[test]
    fn the_rule_is_written_as_it_is_read() {
        for text in ["1 copy", "2 copies", "6h", "1day"] {
            assert_eq!(text.parse::<WithdrawAfter>().unwrap().to_string(), text);
        }
        for text in ["0 copies", "two copies", "2", "copies", "-1 copies", ""] {
            assert_eq!(text.parse::<WithdrawAfter>(), Err(()), "{text}");
        }
    }
}
