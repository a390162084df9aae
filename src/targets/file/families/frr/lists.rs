//! Prefix-lists and as-path lists, each removed and written again by its file: over an older one of
//! its name FRR 8.4 keeps old entries.

use std::fmt::Write;
use std::ops::RangeInclusive;

use crate::prefix::Prefix;
use crate::targets::file::parts::ip::Ip;
use crate::targets::file::parts::prefix_list::{CISCO, PrefixList};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, Lists};

/// Sequence numbers of the entries; the denies stand around them.
const FREE: RangeInclusive<u32> = 2..=u32::MAX - 1;

/// The operator's own networks, and what is inside of them.
pub(super) fn own(out: &mut Text, input: &FileInput) {
    let own = input.own();
    list(out, "OWN-V4", &own.v4, true);
    list(out, "OWN-V6", &own.v6, true);
}

/// What covers those.
pub(super) fn covers(out: &mut Text, input: &FileInput) {
    let covers = input.covers();
    list(out, "COVER-V4", &covers.v4, false);
    list(out, "COVER-V6", &covers.v6, false);
}

/// The listed prefixes: one list of this name for each family, or one for each octet.
pub(super) fn listed(out: &mut Text, name: &str, input: &FileInput, inside: bool, lists: Lists) {
    listed_of(out, &format!("{name}V4"), &input.set().v4, inside, lists);
    listed_of(out, &format!("{name}V6"), &input.set().v6, inside, lists);
}

fn listed_of<B: Ip>(
    out: &mut Text,
    name: &str,
    prefixes: &[Prefix<B>],
    inside: bool,
    lists: Lists,
) {
    match lists {
        Lists::None => {}
        Lists::One => list(out, name, prefixes, inside),
        Lists::Octets => octets(out, name, prefixes, inside),
    }
}

/// A list that permits these, and what is `inside` of them where that is said, and denies all
/// others.
fn list<B: Ip>(out: &mut Text, name: &str, prefixes: &[Prefix<B>], inside: bool) {
    let list = begin::<B>(out, name, inside);
    list.entries(out, prefixes, FREE);
    list.others::<B>(out, u32::MAX);
    out.push("!\n");
}

/// The beginning of a list. One that exists without an entry permits everything: this one has an
/// entry from the start, about the default route alone.
fn begin<'a, B: Ip>(out: &mut Text, name: &'a str, inside: bool) -> PrefixList<'a> {
    let list = PrefixList {
        dialect: &CISCO,
        name,
        action: "permit",
        inside,
    };
    let (command, all) = (list.command::<B>(), B::ALL);
    let _ = writeln!(out, "no {command}\n{command} seq 1 deny {all}");
    list
}

/// The octets that a list is made for.
pub(super) const OCTETS: RangeInclusive<u8> = 0..=u8::MAX;

/// A list for each octet: the first of the address in the middle of the prefix, or for IPv6, where
/// most addresses begin alike, of its number. What no entry of a list permits is denied by its end.
fn octets<B: Ip>(out: &mut Text, name: &str, prefixes: &[Prefix<B>], inside: bool) {
    let mut of_octet: Vec<Vec<Prefix<B>>> = vec![Vec::new(); 256];
    for prefix in prefixes {
        of_octet[(B::number(prefix) >> 24) as usize].push(*prefix);
    }
    for (octet, prefixes) in OCTETS.zip(&of_octet) {
        let name = format!("{name}-{octet}");
        begin::<B>(out, &name, inside).entries(out, prefixes, FREE);
    }
    out.push("!\n");
}

/// Paths that begin at a listed AS. The sequence number of an entry is the AS itself; the last
/// number is no AS (RFC 7300), and its entry ends the list.
pub(super) fn as_path(out: &mut Text, origins: &[u32]) {
    let name = "bgp as-path access-list NULLROUTED-ORIGINS";
    let end = format!("{name} seq {} deny .*", u32::MAX);
    let _ = writeln!(out, "{end}\nno {name}");
    for asn in origins {
        let _ = writeln!(out, "{name} seq {asn} permit _{asn}$");
    }
    let _ = writeln!(out, "{end}\n!");
}
