//! FireHOL netset and ipset: a header, then one prefix or address per line.
//!
//! The header states counts: `# Entries : 19 subnets, 5120 unique IPs` in a netset (N lines and M
//! addresses: true for 1 086 of 1 086 files), `# Entries : 870 unique IPs` in an ipset, where two
//! addresses may be written as one /31, so only the addresses count (1 333 of 1 333).
//! <https://iplists.firehol.org/>

use super::{Reader, dates, filled_lines};
use crate::feed::{Refused, foreign, incomplete};
use crate::prefix::{HostBits, Written, parse};

/// The counts of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    subnets: Option<u64>,
    addresses: u64,
}

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let mut counts = None;
    let mut found = 0;
    let mut there = Addresses::default();
    for (number, line, ended) in filled_lines(text) {
        if let Some(comment) = line.strip_prefix('#') {
            counts = counts.or(read_counts(comment));
            if let Some(date) = value(comment, "This File Date") {
                reader.generated(dates::unix(date));
            }
            reader.comment(comment);
            continue;
        }
        if counts.is_none() {
            return foreign(format!(
                "no FireHOL header (\"# Entries :\") before line {number}"
            ));
        }
        if !ended {
            return incomplete(format!("line {number}, the last one, has no newline"));
        }
        found += 1;
        there.add(line);
        reader.entry(number, line, "");
    }
    let Some(said) = counts else {
        return foreign("no FireHOL header (\"# Entries :\")");
    };
    if let Some(subnets) = said.subnets.filter(|subnets| *subnets != found) {
        return incomplete(format!(
            "the header says {subnets} subnets, there are {found}"
        ));
    }
    if !there.may_be(said) {
        return incomplete(format!(
            "the header says {} unique IPs, there are {}",
            said.addresses, there.known
        ));
    }
    reader.proven("its header counts every entry");
    Ok(())
}

/// The value of a line of the header.
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

/// The addresses of all lines, also of those that this feed does not take.
#[derive(Clone, Copy, Debug, Default)]
struct Addresses {
    known: u128,
    /// Invalid lines: how many addresses they stand for is unknown.
    unreadable: u128,
}

impl Addresses {
    fn add(&mut self, line: &str) {
        let width = match parse(line, HostBits::Mask) {
            Ok(Written::V4(prefix)) => 32 - prefix.len(),
            Ok(Written::V6(prefix)) => 128 - prefix.len(),
            _ => return self.unreadable += 1,
        };
        let addresses = 1_u128.checked_shl(u32::from(width)).unwrap_or(u128::MAX);
        self.known = self.known.saturating_add(addresses);
    }

    /// Whether these are the counts of the header. An ipset has one or two addresses per line; if
    /// the header counts lines as well, an invalid line may stand for any number of addresses.
    fn may_be(self, said: Counts) -> bool {
        let Some(missing) = u128::from(said.addresses).checked_sub(self.known) else {
            return false;
        };
        let most = match said.subnets {
            Some(_) if self.unreadable > 0 => u128::MAX,
            _ => 2 * self.unreadable,
        };
        (self.unreadable..=most).contains(&missing)
    }
}
