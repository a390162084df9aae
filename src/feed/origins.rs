//! The table of origins: which AS announces which prefix. Pure.
//!
//! Two formats, distinguished by their columns:
//!
//! ```text
//!  CAIDA pfx2as      192.0.2.0  24  64496           (tabs; several origins: 64496_64497, a set: 64496,64497)
//!  RIPE riswhoisdump 64496  192.0.2.0/24  312       (tabs; comments with %; a set: {64496,64497})
//! ```
//!
//! A prefix that another AS announces as well is left out: part of it may belong to a network that
//! is on no list. <https://publicdata.caida.org/datasets/routing/routeviews-prefix2as/>,
//! <https://www.ris.ripe.net/dumps/>

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ipnet::IpNet;

use super::body::{Latin1, decode, unpack};
use super::{FeedCopy, Refused, foreign, incomplete};
use crate::prefix::{HostBits, PrefixSet, Written, parse};

/// Prefixes with their origins.
#[derive(Debug, Default)]
pub struct OriginTable {
    /// Digest of its content.
    pub digest: String,
    /// Prefixes that one AS alone announces, by that AS.
    of: HashMap<u32, Vec<Written>>,
    /// Prefixes in the table.
    pub prefixes: usize,
    /// Prefixes that several ASes announce.
    pub shared: usize,
}

/// A table with a larger share of invalid lines is refused: it is another file.
const MAX_BAD_SHARE: f64 = 0.05;

impl OriginTable {
    /// Read a table; gzip is unpacked, up to `max_bytes`.
    ///
    /// # Errors
    /// [`Refused`] if it is no table, or more than 5 % of its lines are invalid.
    pub fn parse(body: &[u8], digest: String, max_bytes: u64) -> Result<Self, Refused> {
        let body = unpack(body, max_bytes)?;
        // Packing proves with a checksum that its content is whole.
        let is_proven = matches!(body, Cow::Owned(_));
        let text = decode(body, Latin1::Refused)?;
        let mut origins: HashMap<Written, Option<u32>> = HashMap::new();
        let (mut lines, mut bad) = (0_usize, 0_usize);
        for line in text.lines() {
            if line.trim().is_empty() || line.starts_with(['%', '#']) {
                continue;
            }
            lines += 1;
            let Some((prefix, origin)) = row(line) else {
                bad += 1;
                continue;
            };
            // The dump of RIPE has a line for each origin.
            origins
                .entry(prefix)
                .and_modify(|known| *known = known.filter(|known| Some(*known) == origin))
                .or_insert(origin);
        }
        if lines > 0 && !is_proven && !text.ends_with('\n') {
            return incomplete("the last line of the table has no newline");
        }
        if lines == 0 {
            return Err(Refused::Empty);
        }
        if bad as f64 > lines as f64 * MAX_BAD_SHARE {
            return foreign(format!(
                "no table of origins: {bad} of {lines} lines are no prefix with its AS"
            ));
        }
        let mut table = Self {
            digest,
            prefixes: origins.len(),
            ..Self::default()
        };
        for (prefix, origin) in origins {
            match origin {
                Some(origin) => table.of.entry(origin).or_default().push(prefix),
                None => table.shared += 1,
            }
        }
        for prefixes in table.of.values_mut() {
            prefixes.sort_unstable_by_key(order);
        }
        Ok(table)
    }

    /// The prefixes that this AS alone announces.
    pub fn prefixes_of(&self, asn: u32) -> impl Iterator<Item = IpNet> {
        let known = self.of.get(&asn).into_iter().flatten();
        PrefixSet::of_written(known.copied())
            .nets()
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The copy with the prefixes of its origin ASes, each with its AS as the reference.
    ///
    /// An AS that is listed more than once adds its prefixes with each reference, up to twice the
    /// size of the table in total; beyond that it adds them once.
    pub fn expand(&self, copy: &FeedCopy) -> FeedCopy {
        let mut expanded = copy.clone();
        let mut seen = HashSet::new();
        let mut again = self.prefixes;
        for origin in &copy.origins {
            if !seen.insert(origin.asn) {
                let more = self.of.get(&origin.asn).map_or(0, Vec::len);
                let Some(left) = again.checked_sub(more) else {
                    continue;
                };
                again = left;
            }
            let name = copy.origin_reference(origin);
            let reference = format!("AS{} {name}", origin.asn);
            for prefix in self.of.get(&origin.asn).into_iter().flatten() {
                expanded.add(*prefix, origin.line, reference.trim_end());
            }
        }
        expanded.ascend();
        expanded
    }
}

fn order(written: &Written) -> (bool, u128, u8) {
    match written {
        Written::V4(prefix) => (false, prefix.first().into(), prefix.len()),
        Written::V6(prefix) => (true, prefix.first(), prefix.len()),
        Written::Range4(first, _) => (false, (*first).into(), 0),
        Written::Range6(first, _) => (true, *first, 0),
    }
}

/// A prefix, and its origin if there is only one.
fn row(line: &str) -> Option<(Written, Option<u32>)> {
    let columns: Vec<&str> = line.split_ascii_whitespace().collect();
    let (prefix, origin) = match columns[..] {
        [origin, prefix, _seen] if prefix.contains('/') => (prefix.to_owned(), origin),
        [address, length, origin] => (format!("{address}/{length}"), origin),
        _ => return None,
    };
    let prefix = parse(&prefix, HostBits::Refuse).ok()?;
    let several = origin.contains(['_', ',', '{']);
    match several {
        true => Some((prefix, None)),
        false => Some((prefix, Some(origin.parse().ok()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAIDA: &str = "192.0.2.0\t24\t64496\n198.51.100.0\t24\t64496_64497\n203.0.113.0\t24\t64497\n\
                         2001:db8::\t32\t64496\n72.37.186.0\t23\t64498,64499\n";
    const RIPE: &str = "% a dump\n\n64496\t192.0.2.0/24\t312\n64496\t198.51.100.0/24\t3\n64497\t198.51.100.0/24\t300\n\
                        64497\t203.0.113.0/24\t12\n64496\t2001:db8::/32\t9\n{64498,64499}\t72.37.186.0/23\t1\n";

    fn expanded(table: &str) -> Vec<String> {
        let table = OriginTable::parse(table.as_bytes(), String::new(), 10_000).unwrap();
        assert_eq!((table.prefixes, table.shared), (5, 2));
        let mut copy = FeedCopy::default();
        copy.add_origin(64_496, 7, "SPAMMER");
        let copy = table.expand(&copy);
        let v4 = copy
            .v4
            .iter()
            .map(|e| (e.prefix().to_string(), e.line, copy.reference(e)));
        let v6 = copy
            .v6
            .iter()
            .map(|e| (e.prefix().to_string(), e.line, copy.reference(e)));
        v4.chain(v6)
            .map(|(prefix, line, reference)| format!("{prefix} {reference} line {line}"))
            .collect()
    }

    #[test]
    fn an_origin_becomes_the_prefixes_that_it_alone_announces() {
        let expected = [
            "192.0.2.0/24 AS64496 SPAMMER line 7",
            "2001:db8::/32 AS64496 SPAMMER line 7",
        ];
        assert_eq!(expanded(CAIDA), expected);
        assert_eq!(expanded(RIPE), expected);
    }

    #[test]
    fn an_as_that_is_listed_over_and_over_gives_no_more_than_twice_the_table() {
        let table = OriginTable::parse(CAIDA.as_bytes(), String::new(), 10_000).unwrap();
        let mut copy = FeedCopy::default();
        for line in 1..=1_000 {
            copy.add_origin(64_496, line, &format!("NAME{line}"));
        }
        copy.add_origin(64_497, 1_001, "OTHER");
        let copy = table.expand(&copy);
        let prefixes = copy.v4.len() + copy.v6.len();
        assert!(prefixes <= 2 * table.prefixes, "{prefixes}");
        let named: Vec<_> = copy.v4.iter().map(|e| copy.reference(e)).collect();
        assert!(named.contains(&"AS64496 NAME1") && named.contains(&"AS64496 NAME2"));
        assert!(named.contains(&"AS64497 OTHER"));
    }

    #[test]
    fn another_file_is_no_table() {
        let parse = |text: &str| {
            OriginTable::parse(text.as_bytes(), String::new(), 10_000)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(parse("% nothing\n"), "empty");
        assert_eq!(
            parse("192.0.2.0\t24\t64496\n198.51.100.0\t24\t645"),
            "cut short: the last line of the table has no newline",
            "AS 645 is somebody else"
        );
        let mut packed = flate2::read::GzEncoder::new(
            &b"192.0.2.0\t24\t64496\n198.51.100.0\t24\t64497"[..],
            flate2::Compression::fast(),
        );
        let mut body = Vec::new();
        std::io::Read::read_to_end(&mut packed, &mut body).unwrap();
        let table = OriginTable::parse(&body, String::new(), 1 << 20).unwrap();
        assert_eq!(
            table.prefixes, 2,
            "the checksum of gzip proves the last line"
        );
        assert_eq!(
            parse("192.0.2.0/24\n198.51.100.0/24\n"),
            "no table of origins: 2 of 2 lines are no prefix with its AS"
        );
    }
}
