//! FireHOL netset and ipset: a header box, then one prefix or address a line.
//!
//! The box counts: `# Entries : 19 subnets, 5120 unique IPs` in a netset (N lines and M addresses: so
//! in 1 086 of 1 086 files), `# Entries : 870 unique IPs` in an ipset, where pairs of addresses may be
//! written as one /31, so that only the addresses count (1 333 of 1 333).
//! <https://iplists.firehol.org/>

use super::lines::Line;
use super::{Reader, dates, lines};
use crate::feed::{FeedCopy, Refused};
use crate::prefix::{Bits, Prefix};

/// What the box says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    subnets: Option<u64>,
    addresses: u64,
}

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut counts = None;
    let mut found = 0;
    for Line {
        number,
        text: line,
        ended,
    } in lines(text)
    {
        let line = line.trim_ascii();
        if let Some(comment) = line.strip_prefix('#') {
            counts = counts.or(read_counts(comment));
            if let Some(date) = value(comment, "This File Date") {
                reader.generated(dates::unix(date));
            }
            reader.comment(comment);
            continue;
        }
        if line.is_empty() {
            continue;
        }
        if counts.is_none() {
            return Err(Refused::Foreign(format!(
                "no FireHOL header (\"# Entries :\") before line {number}"
            )));
        }
        found += 1;
        if ended {
            reader.entry(number, line, "");
        } else {
            reader.unended(number, line);
        }
    }
    let Some(said) = counts else {
        return Err(Refused::Foreign(
            "no FireHOL header (\"# Entries :\")".to_owned(),
        ));
    };
    if let Some(subnets) = said.subnets.filter(|subnets| *subnets != found) {
        return Err(Refused::Incomplete(format!(
            "the header says {subnets} subnets, there are {found}"
        )));
    }
    let there = addresses(&reader.copy);
    // Rejected lines are not counted as addresses, so only a clean file can be proven.
    if there != u128::from(said.addresses) && reader.copy.rejected == 0 {
        return Err(Refused::Incomplete(format!(
            "the header says {} unique IPs, there are {there}",
            said.addresses
        )));
    }
    reader.proven("its header counts every entry");
    Ok(())
}

/// The value of a line of the box.
fn value<'a>(comment: &'a str, key: &str) -> Option<&'a str> {
    let (name, value) = comment.split_once(':')?;
    (name.trim() == key).then_some(value.trim())
}

fn read_counts(comment: &str) -> Option<Counts> {
    let mut words = value(comment, "Entries")?
        .split([' ', ','])
        .filter(|word| !word.is_empty());
    let first = words.next()?.parse().ok()?;
    match (words.next()?, words.next()) {
        ("subnets", Some(addresses)) => Some(Counts {
            subnets: Some(first),
            addresses: addresses.parse().ok()?,
        }),
        ("unique", _) => Some(Counts {
            subnets: None,
            addresses: first,
        }),
        _ => None,
    }
}

fn addresses(copy: &FeedCopy) -> u128 {
    fn of<B: Bits>(prefix: Prefix<B>) -> u128 {
        1_u128
            .checked_shl(u32::from(B::WIDTH - prefix.len()))
            .unwrap_or(u128::MAX)
    }
    let v4 = copy.v4.iter().map(|entry| of(entry.prefix()));
    v4.chain(copy.v6.iter().map(|entry| of(entry.prefix())))
        .fold(0, u128::saturating_add)
}
