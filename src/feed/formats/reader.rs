//! What all formats share: collecting entries, and judging the file as a whole.

use std::collections::HashMap;
use std::time::Duration;

use super::unread_column::joined;
use super::{Ports, Rules};
use crate::feed::{End, EntryPart, FeedCopy, Refused, foreign};
use crate::policy::embedded::embedded_form;
use crate::prefix::{
    Bits, Malformed, Prefix, PrefixSet, Written, asn_of, is_public, parse, prefixes_of_range,
};
use crate::shown::first;
use crate::time::Timestamp;

/// A file with a larger share of invalid lines is refused: a list with typing errors has few.
const MAX_BAD_SHARE: f64 = 0.05;
/// Longest comment kept for a message, in characters.
const MAX_COMMENT: usize = 100;
/// A line with a range may stand for hundreds of prefixes, so the size of a body does not limit the
/// memory that it takes. All ranges of a file together may stand for this many prefixes beyond one
/// per line …
const RANGES_ALWAYS: usize = 65_536;
/// … and for this many more per line …
const RANGES_PER_LINE: usize = 16;
/// … but for at most one in this many bytes of the text.
const BYTES_PER_PREFIX: usize = 8;

/// Words by which publishers announce the end of a list.
const TOMBSTONES: [&str; 9] = [
    "merged into",
    "deprecated",
    "discontinued",
    "no longer",
    "has been retired",
    "has been removed",
    "shut down",
    "has moved",
    "end of life",
];

/// Collects what a format reads; the same rules for every format.
pub(super) struct Reader<'a> {
    pub rules: &'a Rules,
    pub copy: FeedCopy,
    first_comment: Option<String>,
    tombstone: Option<String>,
    /// Whether a comment had the words that the header of the list must contain.
    named: bool,
    excluded: Vec<Written>,
    /// What later lines take back of those before: the prefix, and the number of entries before it.
    retracted: (HashMap<Prefix<u32>, u32>, HashMap<Prefix<u128>, u32>),
    /// Entries beyond one per line: a range is one line and may be many prefixes.
    surplus: usize,
    /// Prefixes that exceptions stand for, and those of them beyond one per line.
    excluded_prefixes: (usize, usize),
    /// Bytes of the text.
    bytes: usize,
    /// Set when the list has more than it may have: nothing more is read.
    refused: Option<Refused>,
    /// Whether the last line may be the truncated start of an entry, and not a sign of another kind
    /// of file.
    cut: bool,
}

impl<'a> Reader<'a> {
    pub fn new(rules: &'a Rules) -> Self {
        Self {
            rules,
            copy: FeedCopy::default(),
            first_comment: None,
            tombstone: None,
            named: rules.header.is_none(),
            excluded: Vec::new(),
            retracted: Default::default(),
            surplus: 0,
            excluded_prefixes: (0, 0),
            bytes: 0,
            refused: None,
            cut: false,
        }
    }

    /// The same for this text: the number of prefixes that its ranges may stand for grows with its
    /// size.
    pub fn of_text(rules: &'a Rules, text: &str) -> Self {
        Self {
            bytes: text.len(),
            ..Self::new(rules)
        }
    }

    /// How many more entries fit.
    pub fn room(&self) -> usize {
        let known = self.copy.len() + self.excluded_prefixes.0;
        match self.refused {
            Some(_) => 0,
            None => self.rules.max_entries.saturating_sub(known),
        }
    }

    /// Whether this many prefixes of one line fit; asked before any of them is kept. `surplus`
    /// counts those beyond one per line.
    fn admits(&mut self, prefixes: usize, surplus: usize) -> bool {
        let lines = self.copy.len() - self.surplus + self.excluded.len() + 1;
        if self.refused.is_some() {
            return false;
        }
        if prefixes > self.room() {
            self.refused = Some(Refused::TooManyEntries(self.rules.max_entries));
        } else if surplus > RANGES_ALWAYS + self.of_ranges(lines) {
            let most = RANGES_ALWAYS + self.of_ranges(lines);
            self.refused = Some(Refused::TooManyOfRanges { most, lines });
        }
        self.refused.is_none()
    }

    fn of_ranges(&self, lines: usize) -> usize {
        (lines * RANGES_PER_LINE).min(self.bytes / BYTES_PER_PREFIX)
    }

    /// A line that should hold an entry: listed, or rejected with the reason.
    pub fn entry(&mut self, line: u32, text: &str, reference: &str) {
        if self.refused.is_some() {
            return;
        }
        if let Some(asn) = asn_of(text) {
            return self.origin(line, asn, reference);
        }
        let before = self.copy.v4.len() + self.copy.v6.len();
        let mut read = parse(text, self.rules.host_bits);
        let mut had_port = false;
        if let Err(Malformed::Port(address)) = &read {
            match self.rules.ports {
                Ports::Refuse => {
                    let why = "an address with a port; ports = \"ignore\" lists the address";
                    return self.reject(line, text, why);
                }
                Ports::Ignore => read = parse(address, self.rules.host_bits),
            }
            had_port = true;
        }
        let is_v4 = matches!(read, Ok(Written::V4(_) | Written::Range4(..)));
        self.take(line, text, read, reference);
        if self.copy.v4.len() + self.copy.v6.len() > before {
            let remarks = &mut self.copy.remarks;
            remarks.ports += usize::from(had_port);
            remarks.mapped += usize::from(is_v4 && text.contains("::"));
        }
    }

    /// The entry of an address and of what the rules say stands beside it.
    pub fn entry_with(
        &mut self,
        line: u32,
        address: &str,
        cells: [Option<&str>; 2],
        reference: &str,
    ) {
        let keys = [EntryPart::Length, EntryPart::Last].into_iter();
        let wanted = [&self.rules.length, &self.rules.last].map(Option::is_some);
        let mut asked = keys
            .zip(wanted)
            .zip(cells)
            .filter(|((_, wanted), _)| *wanted);
        match asked.next() {
            None => self.entry(line, address, reference),
            Some(((key, _), cell)) => match joined(key, address, cell.unwrap_or_default()) {
                Ok(entry) => self.entry(line, &entry, reference),
                Err(why) => self.reject(line, address, why),
            },
        }
    }

    /// A record that lists nothing: of another kind, or not in force.
    pub fn left_out(&mut self) {
        self.copy.remarks.left_out += 1;
    }

    /// The same for an entry with ends of its own.
    pub fn entry_for(&mut self, line: u32, text: &str, reference: &str, ends: &[End]) {
        let before = (self.copy.v4.len(), self.copy.v6.len());
        self.entry(line, text, reference);
        self.copy.end_from(before, ends);
    }

    /// The same for a text that the format has parsed by its own rules.
    pub fn take(
        &mut self,
        line: u32,
        text: &str,
        read: Result<Written, Malformed>,
        reference: &str,
    ) {
        let written = match read {
            Ok(written) => written,
            Err(reason) => return self.copy.reject(line, text, reason),
        };
        if let Some(reason) = self.unexpected(&written) {
            return self.copy.reject(line, text, reason);
        }
        let prefixes = count(&written);
        let beyond_one = prefixes.saturating_sub(1);
        let surplus = self.surplus + self.excluded_prefixes.1 + beyond_one;
        if self.admits(prefixes, surplus) {
            self.copy.add(written, line, reference);
            self.surplus += beyond_one;
        }
    }

    /// An invalid line.
    pub fn reject(&mut self, line: u32, text: &str, reason: impl std::fmt::Display) {
        self.copy.reject(line, text, reason);
    }

    /// A last line without a newline: it may be truncated.
    pub fn unended(&mut self, line: u32, text: &str) {
        let of_address = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '/' | '-');
        self.cut = text.trim().chars().all(of_address);
        let why = "the last line has no newline, so it may be cut short";
        self.copy.reject(line, text, why);
    }

    /// An exception: never listed, whatever the other lines say.
    pub fn exclude(&mut self, line: u32, text: &str, read: Result<Written, Malformed>) {
        let written = match read {
            Ok(written) => written,
            Err(reason) => return self.copy.reject(line, text, reason),
        };
        let prefixes = count(&written);
        let (all, beyond) = self.excluded_prefixes;
        let beyond = beyond + prefixes.saturating_sub(1);
        if self.admits(prefixes, self.surplus + beyond) {
            self.excluded.push(written);
            self.excluded_prefixes = (all + prefixes, beyond);
        }
    }

    /// Take back an entry of the lines before.
    pub fn retract(&mut self, line: u32, text: &str) {
        let (v4, v6) = (self.copy.v4.len() as u32, self.copy.v6.len() as u32);
        let written = match parse(text, self.rules.host_bits) {
            Ok(written) => written,
            Err(reason) => return self.copy.reject(line, text, reason),
        };
        let known = self.retracted.0.len() + self.retracted.1.len();
        if known + count(&written) > self.room() {
            self.refused = Some(Refused::TooManyEntries(self.rules.max_entries));
            return;
        }
        let set = PrefixSet::of_written([written]);
        self.retracted
            .0
            .extend(set.v4.iter().map(|prefix| (*prefix, v4)));
        self.retracted
            .1
            .extend(set.v6.iter().map(|prefix| (*prefix, v6)));
    }

    /// Take back all entries of the lines before.
    pub fn flush(&mut self) {
        self.copy.clear();
        self.excluded.clear();
        self.retracted = Default::default();
        (self.surplus, self.excluded_prefixes) = (0, (0, 0));
    }

    /// An origin AS, unless no network on the Internet has this number.
    pub fn origin(&mut self, line: u32, asn: u32, reference: &str) {
        if !is_public(asn) {
            self.copy.remarks.private_asns += 1;
        } else if self.admits(1, 0) {
            self.copy.add_origin(asn, line, reference);
        }
    }

    /// A comment: it may name the list, or announce its end.
    pub fn comment(&mut self, text: &str) {
        let text = text.trim().trim_matches('#').trim();
        if text.is_empty() {
            return;
        }
        let clipped = || first(text, MAX_COMMENT).to_owned();
        if self.first_comment.is_none() {
            self.first_comment = Some(clipped());
        }
        if self.tombstone.is_none() && self.copy.is_empty() {
            let lower = text.to_lowercase();
            let says = |words: &&str| lower.contains(*words);
            self.tombstone = TOMBSTONES.iter().any(says).then(clipped);
        }
        if let Some(header) = self.rules.header.filter(|_| !self.named) {
            self.named = contains_ignoring_case(text, header);
        }
    }

    /// The publisher's own date.
    pub fn generated(&mut self, at: Option<Timestamp>) {
        self.copy.generated = at.or(self.copy.generated);
    }

    /// The proof that the file is complete.
    pub fn proven(&mut self, proof: &'static str) {
        self.copy.proof = Some(proof);
    }

    /// Why the feed's rules forbid this entry. Of a range the widest prefix counts; the narrowest
    /// depends only on where the range ends.
    fn unexpected(&self, written: &Written) -> Option<String> {
        if let Written::V6(prefix) = *written
            && let Some(form) = embedded_form(prefix)
        {
            return Some(format!("{form}; list the IPv4 network instead"));
        }
        let (family, shortest_here, longest_here, expected) = match *written {
            Written::V4(prefix) => ("IPv4", prefix.len(), prefix.len(), self.rules.lengths_v4),
            Written::V6(prefix) => ("IPv6", prefix.len(), prefix.len(), self.rules.lengths_v6),
            Written::Range4(first, last) => ("IPv4", widest(first, last), 0, self.rules.lengths_v4),
            Written::Range6(first, last) => ("IPv6", widest(first, last), 0, self.rules.lengths_v6),
        };
        let Some((shortest, longest)) = expected else {
            return Some(format!("this feed lists no {family}"));
        };
        (shortest_here < shortest || longest_here > longest)
            .then(|| format!("this feed lists /{shortest} to /{longest}"))
    }

    /// Judge the file as a whole.
    pub fn finish(mut self) -> Result<FeedCopy, Refused> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        let (good, bad) = (self.copy.len() - self.surplus, self.copy.rejected);
        let lines = good + bad;
        let too_many = bad as f64 > lines as f64 * MAX_BAD_SHARE;
        let odd = bad - usize::from(self.cut);
        let may_be_empty = self.rules.may_be_empty || self.rules.believe_empty;
        // An error page in which an address stands alone on a line has as many invalid lines as
        // valid ones; so may a local list.
        let own = self.rules.may_be_empty;
        let mostly_bad = good == 0 || odd > good || odd == good && !own;
        if too_many && (odd > self.rules.few_bad_lines || mostly_bad) {
            let first = self.copy.rejections.first();
            return Err(Refused::TooManyBadLines {
                bad,
                lines,
                first: first.map(ToString::to_string).unwrap_or_default(),
            });
        }
        if good == 0
            && !own
            && let Some(note) = self.tombstone
        {
            return Err(Refused::Retired(note));
        }
        if let Some(header) = self.rules.header.filter(|_| !self.named) {
            let seen = self.first_comment.map_or_else(
                || "it has no comment at all".to_owned(),
                |first| format!("its first comment is {first:?}"),
            );
            return foreign(format!(
                "another list: no comment of it says {header:?}; {seen}"
            ));
        }
        let (v4, v6) = &self.retracted;
        if !v4.is_empty() || !v6.is_empty() {
            self.copy.retract(v4, v6);
            self.surplus = self.surplus.min(self.copy.len());
        }
        if !self.excluded.is_empty() {
            // Each exception may leave many pieces of each entry.
            let lines = self.copy.len() - self.surplus + self.excluded.len();
            let most = self.copy.len() + RANGES_ALWAYS + self.of_ranges(lines);
            let most = most.min(self.rules.max_entries);
            let excluded = PrefixSet::of_written(self.excluded);
            if !self.copy.exclude(&excluded, most) {
                return Err(Refused::TooManyPieces(most));
            }
        }
        if self.copy.is_empty() && self.copy.proof.is_none() && !may_be_empty {
            return Err(Refused::NoEntries(self.first_comment));
        }
        Ok(self.copy)
    }
}

/// Length of the widest prefix of a range.
fn widest<B: Bits>(first: B, last: B) -> u8 {
    let prefixes = prefixes_of_range(first, last);
    prefixes
        .map(|prefix| prefix.len())
        .min()
        .unwrap_or(B::WIDTH)
}

/// The number of prefixes that it stands for.
fn count(written: &Written) -> usize {
    match *written {
        Written::V4(_) | Written::V6(_) => 1,
        Written::Range4(first, last) => prefixes_of_range(first, last).count(),
        Written::Range6(first, last) => prefixes_of_range(first, last).count(),
    }
}

/// Whether `text` contains `part`, ignoring case; `part` is ASCII.
pub(super) fn contains_ignoring_case(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}

/// The first characters of a line, for a message.
pub(super) fn start_of(line: &str) -> String {
    first(line.trim(), 60).to_owned()
}

/// A duration in seconds, as an end counted from the download.
pub(super) fn ends_after(seconds: u64) -> End {
    End::After(Duration::from_secs(seconds))
}
