//! The RIB: every listing of every feed, in one order, with its provenance. Pure.
//!
//! Nothing is joined here. Two feeds that list one prefix are two entries, so that a prefix is
//! removed only when its last reason is gone.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use ipnet::IpNet;
use serde::Serialize;

use crate::feed::{Entry, FeedCopy, Listed};
use crate::prefix::{Bits, Prefix};

/// The name under which the operator's own entries are listed; no feed may have it.
pub const OPERATOR: &str = "operator";

/// A feed that counts, with the copy that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Name of the feed.
    pub name: Arc<str>,
    /// Whether reserved space is left in (a bogon feed, the operator's own entries).
    pub reserved: bool,
    /// Whether the limit of length does not apply: the operator confirmed the entries.
    pub any_length: bool,
    /// What it lists.
    pub copy: Arc<FeedCopy>,
}

/// One reason for a prefix: the feed that lists it, the line, and the reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// Name of the feed.
    pub feed: String,
    /// The prefix as listed.
    pub prefix: IpNet,
    /// The feed's reference, empty if it gives none.
    pub reference: String,
    /// Line in the feed's copy, from 1.
    pub line: u32,
}

/// All listings: each feed by itself, ascending by prefix and then by line. A clone shares them,
/// and so does a RIB with one more feed.
#[derive(Clone, Debug, Default)]
pub struct Rib {
    sources: Vec<Source>,
    /// Of each feed, the lengths that occur: a search for covering prefixes tries no others.
    lengths: Vec<Lengths>,
}

impl PartialEq for Rib {
    /// The lengths follow from the feeds.
    fn eq(&self, other: &Self) -> bool {
        self.sources == other.sources
    }
}

impl Eq for Rib {}

/// Lengths of prefixes, IPv4 and IPv6, ascending.
type Lengths = (Arc<[u8]>, Arc<[u8]>);

impl Rib {
    /// Merge the copies that count.
    ///
    /// # Panics
    /// With more than 65 535 feeds; the configuration refuses them.
    pub fn merge(sources: Vec<Source>) -> Self {
        let mut rib = Self::default();
        sources.into_iter().for_each(|source| rib.push(source));
        rib
    }

    /// The same listings and those of one more feed.
    #[must_use]
    pub fn with(&self, source: Source) -> Self {
        let mut rib = self.clone();
        rib.push(source);
        rib
    }

    /// Without those of this feed.
    #[must_use]
    pub(crate) fn without(&self, name: &str) -> Self {
        let both = self.sources.iter().zip(&self.lengths);
        let both = both.filter(|(source, _)| *source.name != *name);
        let (sources, lengths) = both
            .map(|(one, lengths)| (one.clone(), lengths.clone()))
            .unzip();
        Self { sources, lengths }
    }

    fn push(&mut self, source: Source) {
        assert!(self.sources.len() < usize::from(u16::MAX), "too many feeds");
        let copy = match source.copy.is_ascending() {
            true => source.copy,
            false => Arc::new(source.copy.ascending()),
        };
        self.lengths.push((lengths(&copy.v4), lengths(&copy.v6)));
        self.sources.push(Source { copy, ..source });
    }

    /// The feeds, in the order of the configuration.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The entries of one family, ascending by prefix, then feed, then line. Those of one feed
    /// alone are borrowed.
    pub fn entries<B: Listed>(&self) -> Cow<'_, [Entry<B>]> {
        let sources = self.sources.iter().enumerate();
        let mut sources = sources.filter(|(_, source)| !B::of(&source.copy).is_empty());
        match (sources.next(), sources.next()) {
            (None, _) => Cow::Borrowed(&[]),
            (Some((0, source)), None) => Cow::Borrowed(B::of(&source.copy)),
            _ => Cow::Owned(self.merged(B::of)),
        }
    }

    /// The same of those inside `net`.
    pub(crate) fn entries_inside<B: Listed>(&self, net: Prefix<B>) -> Vec<Entry<B>> {
        self.merged(|copy| inside(B::of(copy), net))
    }

    fn merged<B: Listed>(&self, some: impl Fn(&FeedCopy) -> &[Entry<B>]) -> Vec<Entry<B>> {
        let sources = || self.sources.iter().map(|source| some(&source.copy));
        let mut entries = Vec::with_capacity(sources().map(<[_]>::len).sum());
        for (feed, listed) in sources().enumerate() {
            entries.extend(listed.iter().map(|entry| entry.of_feed(feed as u16)));
        }
        // Not `sort_unstable`: a stable sort detects that the copies ascend, and only merges them.
        entries.sort_by(in_order);
        entries
    }

    /// Every listing that shares an address with `net`: those that cover it, then those inside.
    pub fn listings(&self, net: IpNet) -> Vec<Listing> {
        self.listings_that(net, |_, _| true)
    }

    /// The same for those that count, by index of the feed and line.
    pub fn listings_that(&self, net: IpNet, counts: impl Fn(u16, u32) -> bool) -> Vec<Listing> {
        match net {
            IpNet::V4(net) => self.named(self.touching::<u32>(net.into()), counts),
            IpNet::V6(net) => self.named(self.touching::<u128>(net.into()), counts),
        }
    }

    fn named<B: Bits>(
        &self,
        entries: Vec<Entry<B>>,
        counts: impl Fn(u16, u32) -> bool,
    ) -> Vec<Listing> {
        let entries = entries.iter();
        let entries = entries.filter(|entry| counts(entry.feed, entry.line));
        entries.map(|entry| self.listing(entry)).collect()
    }

    fn touching<B: Listed>(&self, net: Prefix<B>) -> Vec<Entry<B>> {
        let mut found = self.covering(net);
        for (feed, source) in self.sources.iter().enumerate() {
            let inside = inside(B::of(&source.copy), net).iter();
            found.extend(inside.map(|entry| entry.of_feed(feed as u16)));
        }
        // A prefix that covers another one sorts before it.
        found.sort_by(in_order);
        found
    }

    /// The entries that cover `net` and are shorter.
    pub(crate) fn covering<B: Listed>(&self, net: Prefix<B>) -> Vec<Entry<B>> {
        let mut found = Vec::new();
        for (feed, (source, lengths)) in self.sources.iter().zip(&self.lengths).enumerate() {
            let lengths = B::either(lengths).iter();
            for &len in lengths.take_while(|len| **len < net.len()) {
                let covering = Prefix::new(net.first(), len);
                let same = starting_at(B::of(&source.copy), covering).iter();
                let same = same.take_while(|entry| entry.prefix() == covering);
                found.extend(same.map(|entry| entry.of_feed(feed as u16)));
            }
        }
        found
    }

    /// An entry with its names.
    pub fn listing<B: Bits>(&self, entry: &Entry<B>) -> Listing {
        let source = &self.sources[usize::from(entry.feed)];
        Listing {
            feed: source.name.to_string(),
            prefix: entry.prefix().to_net(),
            reference: source.copy.reference(entry).to_owned(),
            line: entry.line,
        }
    }
}

fn in_order<B: Bits>(one: &Entry<B>, other: &Entry<B>) -> Ordering {
    let order = one.key().cmp(&other.key());
    order.then_with(|| (one.feed, one.line).cmp(&(other.feed, other.line)))
}

fn starting_at<B: Bits>(entries: &[Entry<B>], net: Prefix<B>) -> &[Entry<B>] {
    &entries[entries.partition_point(|entry| entry.key() < net.key())..]
}

/// The entries with this prefix or one inside of it.
fn inside<B: Bits>(entries: &[Entry<B>], net: Prefix<B>) -> &[Entry<B>] {
    let from = starting_at(entries, net);
    // Few, or all of them are gone through afterwards.
    let inside = from
        .iter()
        .take_while(|entry| entry.prefix().first() <= net.last());
    &from[..inside.count()]
}

fn lengths<B: Bits>(entries: &[Entry<B>]) -> Arc<[u8]> {
    let mut seen = [false; 129];
    for entry in entries {
        seen[usize::from(entry.prefix().len())] = true;
    }
    (0..=B::WIDTH)
        .filter(|len| seen[usize::from(*len)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::formats::{Format, Rules, parse_body};

    fn source(name: &str, list: &str) -> Source {
        Source {
            any_length: false,
            name: name.into(),
            reserved: false,
            copy: Arc::new(parse_body(list.as_bytes(), &Rules::of(Format::Cidr)).unwrap()),
        }
    }

    #[test]
    fn every_listing_keeps_its_feed_reference_and_line() {
        let rib = Rib::merge(vec![
            source("one", "72.37.186.0/23 # SBL1\n72.37.186.0/24 # SBL2\n"),
            source(
                "two",
                "# header\n72.37.0.0/16 # wide\n72.37.187.9\n2001:db8::/32\n",
            ),
        ]);
        let shown: Vec<_> = rib
            .listings("72.37.187.9/32".parse().unwrap())
            .iter()
            .map(|l| format!("{} {} {} {}", l.feed, l.prefix, l.reference, l.line))
            .collect();
        assert_eq!(
            shown,
            [
                "two 72.37.0.0/16 wide 2",
                "one 72.37.186.0/23 SBL1 1",
                "two 72.37.187.9/32  3"
            ]
        );
        assert_eq!(rib.listings("72.37.186.0/23".parse().unwrap()).len(), 4);
        assert_eq!(rib.listings("2001:db8::1/128".parse().unwrap()).len(), 1);
        assert!(rib.listings("72.36.0.0/16".parse().unwrap()).is_empty());
    }
}
