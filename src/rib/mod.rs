//! The RIB: every listing of every feed, in one order, with its provenance. Pure.
//!
//! Nothing is joined here. Two feeds that list one prefix are two entries, so that a prefix is
//! removed only when its last reason is gone.

use std::sync::Arc;

use ipnet::IpNet;
use serde::Serialize;

use crate::feed::{Entry, FeedCopy};
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

/// All listings, ascending by prefix, then feed, then line. A clone shares them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rib {
    sources: Vec<Source>,
    v4: Arc<Table<u32>>,
    v6: Arc<Table<u128>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Table<B> {
    entries: Vec<Entry<B>>,
    /// The lengths that occur, ascending: a search for covering prefixes tries no others.
    lengths: Vec<u8>,
}

impl<B> Default for Table<B> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            lengths: Vec::new(),
        }
    }
}

impl Rib {
    /// Merge the copies that count.
    ///
    /// # Panics
    /// With more than 65 535 feeds; the configuration refuses them.
    pub fn merge(sources: Vec<Source>) -> Self {
        assert!(sources.len() <= usize::from(u16::MAX), "too many feeds");
        let v4 = Arc::new(Table::merge(&sources, |copy| &copy.v4));
        let v6 = Arc::new(Table::merge(&sources, |copy| &copy.v6));
        Self { sources, v4, v6 }
    }

    /// The feeds, in the order of the configuration.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The IPv4 entries, ascending.
    pub fn v4(&self) -> &[Entry<u32>] {
        &self.v4.entries
    }

    /// The IPv6 entries, ascending.
    pub fn v6(&self) -> &[Entry<u128>] {
        &self.v6.entries
    }

    /// Every listing that shares an address with `net`: those that cover it, then those inside.
    pub fn listings(&self, net: IpNet) -> Vec<Listing> {
        self.listings_that(net, |_, _| true)
    }

    /// The same for those that count, by index of the feed and line.
    pub fn listings_that(&self, net: IpNet, counts: impl Fn(u16, u32) -> bool) -> Vec<Listing> {
        match net {
            IpNet::V4(net) => self.v4.touching(net.into(), |e| {
                counts(e.feed, e.line).then(|| self.listing(e))
            }),
            IpNet::V6(net) => self.v6.touching(net.into(), |e| {
                counts(e.feed, e.line).then(|| self.listing(e))
            }),
        }
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

impl<B: Bits> Table<B> {
    fn merge(sources: &[Source], side: impl Fn(&FeedCopy) -> &Vec<Entry<B>>) -> Self {
        let total = sources.iter().map(|source| side(&source.copy).len()).sum();
        let mut entries = Vec::with_capacity(total);
        let mut seen = [false; 129];
        for (feed, source) in sources.iter().enumerate() {
            for entry in side(&source.copy) {
                seen[usize::from(entry.prefix().len())] = true;
                entries.push(entry.of_feed(feed as u16));
            }
        }
        // Not `sort_unstable`: a stable sort detects that the copies ascend, and only merges them.
        entries.sort_by(|a: &Entry<B>, b| {
            let order = a.key().cmp(&b.key());
            order.then_with(|| (a.feed, a.line).cmp(&(b.feed, b.line)))
        });
        let lengths = (0..=B::WIDTH)
            .filter(|len| seen[usize::from(*len)])
            .collect();
        Self { entries, lengths }
    }

    fn touching<T>(&self, net: Prefix<B>, make: impl Fn(&Entry<B>) -> Option<T>) -> Vec<T> {
        let mut found = Vec::new();
        for &len in self.lengths.iter().take_while(|len| **len < net.len()) {
            let covering = Prefix::new(net.first(), len);
            let start = self.entries.partition_point(|e| e.key() < covering.key());
            let same = self.entries[start..].iter();
            found.extend(
                same.take_while(|e| e.prefix() == covering)
                    .filter_map(&make),
            );
        }
        let start = self.entries.partition_point(|e| e.key() < net.key());
        let inside = self.entries[start..].iter();
        found.extend(
            inside
                .take_while(|e| e.prefix().first() <= net.last())
                .filter_map(&make),
        );
        found
    }
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
