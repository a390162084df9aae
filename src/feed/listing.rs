//! What one feed lists: compact entries, and the lines that were none.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;

use super::expiry::{End, Ends, drop_ended};
use super::formats::Format;
use super::remarks::Remarks;
use crate::prefix::{Bits, Prefix, PrefixSet, Written, prefixes_of_range, subtract};
use crate::shown;
use crate::time::Timestamp;

/// One prefix as a feed lists it: 16 bytes for IPv4, 32 for IPv6, so that a million of them fit.
///
/// The reference (an SBL number, a category) is a slice of the text that its [`FeedCopy`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<B> {
    addr: B,
    /// Line in the copy, from 1; in a JSON document the item. 0 when the newest copy no longer
    /// lists it, and its withdrawal waits.
    pub line: u32,
    reference_at: u32,
    /// Index of the feed; 0 inside a [`FeedCopy`], set by the merge.
    pub feed: u16,
    len: u8,
    reference_len: u8,
}

impl<B: Bits> Entry<B> {
    /// The listed prefix.
    #[inline]
    pub fn prefix(&self) -> Prefix<B> {
        Prefix::new(self.addr, self.len)
    }

    /// The same entry, listed by the feed with this index.
    #[inline]
    pub fn of_feed(&self, feed: u16) -> Self {
        Self { feed, ..*self }
    }

    /// What entries sort by first: the prefix.
    #[inline]
    pub fn key(&self) -> B::Key {
        self.addr.key(self.len)
    }

    fn by_prefix_and_line(&self, other: &Self) -> Ordering {
        let order = self.key().cmp(&other.key());
        order.then_with(|| self.line.cmp(&other.line))
    }
}

impl Entry<u32> {
    /// The order of prefix and line as one number, which is compared faster. The reference follows,
    /// so that no two different entries of a copy are equal.
    fn place(&self) -> u128 {
        u128::from(self.key()) << 64 | u128::from(self.line) << 32 | u128::from(self.reference_at)
    }
}

/// An origin AS as a feed lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginEntry {
    /// Number of the AS.
    pub asn: u32,
    /// Line in the copy, from 1; 0 when the newest copy no longer lists it.
    pub line: u32,
    reference_at: u32,
    reference_len: u8,
}

/// An invalid line, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Line in the copy, from 1.
    pub line: u32,
    /// The text, at most [`Rejection::MAX_TEXT`] characters of it.
    pub text: String,
    pub reason: String,
}

impl Rejection {
    /// Longest text kept of a rejected line, in characters.
    pub const MAX_TEXT: usize = 60;
    /// Longest reason, in characters: a reason may quote the line.
    pub const MAX_REASON: usize = 200;
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {:?}: {}", self.line, self.text, self.reason)
    }
}

/// A family whose entries a feed lists.
pub trait Listed: Bits {
    /// Its entries in a copy.
    fn of(copy: &FeedCopy) -> &[Entry<Self>];
    /// Its part of what there is of IPv4 and of IPv6.
    fn either<T>(both: &(T, T)) -> &T;
}

impl Listed for u32 {
    fn of(copy: &FeedCopy) -> &[Entry<Self>] {
        &copy.v4
    }

    fn either<T>((v4, _): &(T, T)) -> &T {
        v4
    }
}

impl Listed for u128 {
    fn of(copy: &FeedCopy) -> &[Entry<Self>] {
        &copy.v6
    }

    fn either<T>((_, v6): &(T, T)) -> &T {
        v6
    }
}

/// One copy of one feed, parsed: entries in the order of the file, or ascending (see
/// [`FeedCopy::ascend`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedCopy {
    /// IPv4 entries.
    pub v4: Vec<Entry<u32>>,
    /// IPv6 entries.
    pub v6: Vec<Entry<u128>>,
    /// Origin ASes in the order of the file.
    pub origins: Vec<OriginEntry>,
    /// IPv4 entries that end by themselves.
    pub ends_v4: Ends,
    /// IPv6 entries that end by themselves.
    pub ends_v6: Ends,
    /// The format it was read as.
    pub format: Format,
    /// What in it proves that it is whole, if anything does.
    pub proof: Option<&'static str>,
    /// When its publisher generated it, as it says itself.
    pub generated: Option<Timestamp>,
    /// All references, one after the other; entries hold slices.
    references: String,
    /// What was read as something else than what stands there.
    pub remarks: Remarks,
    /// Number of rejected lines.
    pub rejected: usize,
    /// The first [`FeedCopy::MAX_REJECTIONS`] rejected lines.
    pub rejections: Vec<Rejection>,
}

impl FeedCopy {
    /// Rejected lines kept with text and reason; more are only counted.
    pub const MAX_REJECTIONS: usize = 20;

    /// A copy that lists nothing, with what proves that it is whole.
    pub(super) fn empty(proof: &'static str) -> Self {
        let proof = Some(proof);
        Self {
            proof,
            ..Self::default()
        }
    }

    /// Number of entries: prefixes of both families, and origin ASes.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len() + self.origins.len()
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The reference of an entry of this copy, empty when the feed gives none.
    pub fn reference<B>(&self, entry: &Entry<B>) -> &str {
        self.slice(entry.reference_at, entry.reference_len)
    }

    /// The reference of an origin AS: its name, where the feed gives one.
    pub fn origin_reference(&self, origin: &OriginEntry) -> &str {
        self.slice(origin.reference_at, origin.reference_len)
    }

    fn slice(&self, at: u32, len: u8) -> &str {
        let start = at as usize;
        &self.references[start..start + usize::from(len)]
    }

    /// Add an IPv4 entry without a reference: the shortest way, for the longest lists.
    #[inline]
    pub fn add_v4(&mut self, prefix: Prefix<u32>, line: u32) {
        self.v4.push(entry(prefix, (line, 0, 0)));
    }

    pub fn add_origin(&mut self, asn: u32, line: u32, reference: &str) {
        let (reference_at, reference_len) = self.keep_reference(reference);
        self.origins.push(OriginEntry {
            asn,
            line,
            reference_at,
            reference_len,
        });
    }

    /// Set the ends of the entries that were added after the first `before` (IPv4, IPv6).
    pub fn end_from(&mut self, before: (usize, usize), ends: &[End]) {
        let each = |index: usize| ends.iter().map(move |end| (index as u32, *end));
        let (v4, v6) = (before.0..self.v4.len(), before.1..self.v6.len());
        self.ends_v4.extend(v4.flat_map(each));
        self.ends_v6.extend(v6.flat_map(each));
    }

    /// Whether entries of it end by themselves.
    pub fn has_ends(&self) -> bool {
        !self.ends_v4.is_empty() || !self.ends_v6.is_empty()
    }

    /// The copy without the entries that have ended, for one downloaded at `fetched`.
    pub fn without_ended(&self, fetched: Timestamp, now: Timestamp) -> Self {
        let mut copy = self.clone();
        drop_ended(&mut copy.v4, &copy.ends_v4, fetched, now);
        drop_ended(&mut copy.v6, &copy.ends_v6, fetched, now);
        copy.ends_v4.clear();
        copy.ends_v6.clear();
        copy
    }

    /// When the next entry ends.
    pub fn next_end(&self, fetched: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let ends = self.ends_v4.iter().chain(&self.ends_v6);
        ends.map(|(_, end)| end.time(fetched))
            .filter(|end| *end > now)
            .min()
    }

    /// Whether the entries are in the order of their prefixes, and those of one prefix in that of
    /// the file.
    pub fn is_ascending(&self) -> bool {
        fn ascends<B: Bits>(entries: &[Entry<B>]) -> bool {
            entries.is_sorted_by(|one, next| one.by_prefix_and_line(next).is_le())
        }
        ascends(&self.v4) && ascends(&self.v6)
    }

    /// The same entries in that order. They end with the copy that they were taken from.
    pub fn ascending(&self) -> Self {
        let mut copy = self.clone();
        copy.ends_v4.clear();
        copy.ends_v6.clear();
        copy.ascend();
        copy
    }

    /// Sort the entries by prefix, and those of one prefix by line, so that later passes need not
    /// sort. A copy with ends is left as it is: ends refer to entries by index.
    pub fn ascend(&mut self) {
        if !self.has_ends() {
            // A list in order needs no second copy of it to be sorted in.
            if !self.is_ascending() {
                self.v4.sort_unstable_by_key(Entry::place);
                self.v6.sort_by(Entry::by_prefix_and_line);
            }
            // It is kept for long: without the room that was left to grow.
            self.v4.shrink_to_fit();
            self.v6.shrink_to_fit();
            self.references.shrink_to_fit();
        }
    }

    /// Without an entry.
    pub(super) fn clear(&mut self) {
        self.v4.clear();
        self.v6.clear();
        self.ends_v4.clear();
        self.ends_v6.clear();
    }

    /// Without the entries of these prefixes among the first ones, as many as stand with it.
    pub(super) fn retract(
        &mut self,
        v4: &HashMap<Prefix<u32>, u32>,
        v6: &HashMap<Prefix<u128>, u32>,
    ) {
        retract(&mut self.v4, &mut self.ends_v4, v4);
        retract(&mut self.v6, &mut self.ends_v6, v6);
    }

    /// Cut exceptions out of what is listed. An entry that would fall into more than
    /// [`crate::prefix::MAX_PIECES`] pieces goes whole, and is counted as rejected. False when more
    /// than `most` entries would be left.
    pub fn exclude(&mut self, excluded: &PrefixSet, most: usize) -> bool {
        let mut dropped = Vec::new();
        let v4 = (&mut self.v4, &mut self.ends_v4);
        let fits = exclude(v4, &excluded.v4, &mut dropped, most);
        let most = most.saturating_sub(self.v4.len());
        let v6 = (&mut self.v6, &mut self.ends_v6);
        let fits = fits && exclude(v6, &excluded.v6, &mut dropped, most);
        for (line, prefix) in dropped {
            self.reject(line, &prefix, "too many exceptions in it");
        }
        fits
    }

    /// Add what a line lists, with its reference.
    pub fn add(&mut self, written: Written, line: u32, reference: &str) {
        let (reference_at, reference_len) = self.keep_reference(reference);
        let at = (line, reference_at, reference_len);
        match written {
            Written::V4(prefix) => self.v4.push(entry(prefix, at)),
            Written::V6(prefix) => self.v6.push(entry(prefix, at)),
            Written::Range4(first, last) => {
                let prefixes = prefixes_of_range(first, last);
                self.v4.extend(prefixes.map(|prefix| entry(prefix, at)));
            }
            Written::Range6(first, last) => {
                let prefixes = prefixes_of_range(first, last);
                self.v6.extend(prefixes.map(|prefix| entry(prefix, at)));
            }
        }
    }

    /// Count an invalid line.
    pub fn reject(&mut self, line: u32, text: &str, reason: impl fmt::Display) {
        self.rejected += 1;
        if self.rejections.len() < Self::MAX_REJECTIONS {
            self.rejections.push(Rejection {
                line,
                text: shown::first(text.trim(), Rejection::MAX_TEXT).to_owned(),
                reason: shown::clipped(&reason.to_string(), Rejection::MAX_REASON),
            });
        }
    }

    fn keep_reference(&mut self, reference: &str) -> (u32, u8) {
        let reference = clip(reference, usize::from(u8::MAX));
        if reference.is_empty() {
            return (0, 0);
        }
        let Ok(at) = u32::try_from(self.references.len()) else {
            return (0, 0);
        };
        // Neighbouring entries of one section share their reference.
        if self.references.ends_with(reference) {
            return (at - reference.len() as u32, reference.len() as u8);
        }
        self.references.push_str(reference);
        (at, reference.len() as u8)
    }
}

/// Replace the entries that an exception touches by what is left of them; false when that is more
/// than `most`.
fn exclude<B: Bits>(
    (entries, ends): (&mut Vec<Entry<B>>, &mut Ends),
    holes: &[Prefix<B>],
    dropped: &mut Vec<(u32, String)>,
    most: usize,
) -> bool {
    let mut left = Vec::with_capacity(entries.len());
    let mut left_ends = Vec::new();
    let mut next_end = 0;
    for (index, old) in entries.iter().enumerate() {
        let own = ends[next_end..]
            .iter()
            .take_while(|(at, _)| *at as usize == index);
        let own: Vec<End> = own.map(|(_, end)| *end).collect();
        next_end += own.len();
        let prefix = old.prefix();
        // Holes ascend and do not overlap.
        let passed = holes.partition_point(|hole| hole.last() < prefix.first());
        let rest = subtract(&[prefix], &holes[passed..]);
        if !rest.dropped.is_empty() {
            dropped.push((old.line, prefix.to_string()));
        }
        for piece in rest.left {
            left_ends.extend(own.iter().map(|end| (left.len() as u32, *end)));
            left.push(Entry {
                addr: piece.first(),
                len: piece.len(),
                ..*old
            });
        }
        if left.len() > most {
            return false;
        }
    }
    *entries = left;
    *ends = left_ends;
    true
}

fn retract<B: Bits>(
    entries: &mut Vec<Entry<B>>,
    ends: &mut Ends,
    retracted: &HashMap<Prefix<B>, u32>,
) {
    let mut index = 0;
    // The places of those that stay.
    let mut places = Vec::with_capacity(entries.len());
    let mut left = 0;
    entries.retain(|entry| {
        let goes = retracted
            .get(&entry.prefix())
            .is_some_and(|first| index < *first);
        places.push((!goes).then_some(left));
        left += u32::from(!goes);
        index += 1;
        !goes
    });
    ends.retain_mut(|(at, _)| match places[*at as usize] {
        Some(place) => {
            *at = place;
            true
        }
        None => false,
    });
}

fn entry<B: Bits>(
    prefix: Prefix<B>,
    (line, reference_at, reference_len): (u32, u32, u8),
) -> Entry<B> {
    Entry {
        addr: prefix.first(),
        line,
        reference_at,
        feed: 0,
        len: prefix.len(),
        reference_len,
    }
}

/// The longest start of `text` that has at most `max` bytes and ends between characters.
fn clip(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prefix::{HostBits, parse};

    proptest! {
        #[test]
        fn entries_ascend_by_prefix_and_line(listed in prop::collection::vec((0_u8..4, 28_u8..=32, 0_u32..4), 0..40)) {
            let mut copy = FeedCopy::default();
            for (octet, len, line) in &listed {
                let prefix = Prefix::new(0xc000_0200 | u32::from(*octet) << 4, *len);
                copy.add(Written::V4(prefix), *line, "");
            }
            let mut expected = copy.v4.clone();
            expected.sort_by_key(|entry| (entry.prefix(), entry.line));
            copy.ascend();
            prop_assert!(copy.is_ascending());
            prop_assert_eq!(copy.v4, expected);
        }
    }

    #[test]
    fn an_entry_is_16_bytes_for_ipv4_and_32_for_ipv6() {
        assert_eq!(size_of::<Entry<u32>>(), 16);
        assert_eq!(size_of::<Entry<u128>>(), 32);
    }

    #[test]
    fn entries_keep_their_own_reference_and_a_range_shares_one() {
        let mut copy = FeedCopy::default();
        let written = |text| parse(text, HostBits::Refuse).unwrap();
        copy.add(written("192.0.2.0/24"), 1, "SBL1");
        copy.add(written("198.51.100.0-198.51.100.2"), 2, "SBL22");
        copy.add(written("203.0.113.0/24"), 3, "");
        let references: Vec<_> = copy.v4.iter().map(|e| copy.reference(e)).collect();
        assert_eq!(references, ["SBL1", "SBL22", "SBL22", ""]);
        assert_eq!(copy.v4[2].line, 2);
    }

    #[test]
    fn a_long_reference_is_clipped_between_characters() {
        let mut copy = FeedCopy::default();
        let long = "ü".repeat(200);
        copy.add(parse("192.0.2.1", HostBits::Refuse).unwrap(), 1, &long);
        assert_eq!(copy.reference(&copy.v4[0]).chars().count(), 127);
    }
}
