//! FRRouting: two prefix-lists with the effective set, and route-maps that announce our kernel
//! blackholes with RFC 7999's community and keep them inside.
//!
//! ```text
//!  kernel blackholes ──redistribute kernel route-map NULLROUTED-IN──► bgpd ──NULLROUTED-OUT──► neighbor
//!                                    │ match prefix-list NULLROUTED-V4                │ no-export
//! ```
//!
//! Facts behind each line, verified with FRR 8.4 and 9.1:
//! * A list that is loaded over an older one of the same name keeps old entries (8.4), so the file
//!   begins each list with `no`.
//! * A list that exists without an entry permits everything. The first entry is a deny, so the list
//!   has one from the start, and in the empty case too.
//! * An as-path list is a regular expression an entry; `_64496$` is a path that begins at AS 64496.
//!   Taken away first, because a list loaded over an older one keeps old entries here as well; and made
//!   before that, because bgpd refuses to take away an as-path list that is not there.
//! * `no-export` set at origination would keep the route from an eBGP neighbor altogether; it is
//!   added on the way out.
//! * The sequence number of an entry comes from the entry itself, so that one changed prefix changes
//!   one line. The order of permits has no meaning.

use std::collections::HashSet;
use std::fmt::Write;

use super::Sheet;
use crate::prefix::Prefix;

/// Sequence numbers of the entries; the denies stand around them.
const FIRST: u32 = 2;
const LAST: u32 = u32::MAX - 1;

pub(super) fn render(sheet: &Sheet) -> String {
    let set = sheet.set;
    let mut out = String::with_capacity(1_500 + set.len() * 80);
    header(&mut out, sheet);
    list(
        &mut out,
        "ip",
        "V4",
        "0.0.0.0/0",
        "le 32",
        numbered(&set.v4, seq_v4),
    );
    list(
        &mut out,
        "ipv6",
        "V6",
        "::/0",
        "le 128",
        numbered(&set.v6, seq_v6),
    );
    as_path(&mut out, sheet.origins);
    out.push_str("bgp community-list standard NULLROUTED seq 5 permit blackhole\n!\n");
    inward(&mut out, "NULLROUTED-IN", "ip", "V4");
    inward(&mut out, "NULLROUTED-IN6", "ipv6", "V6");
    outward(&mut out);
    out
}

fn header(out: &mut String, sheet: &Sheet) {
    let (v4, v6) = (sheet.set.v4.len(), sheet.set.v6.len());
    let _ = write!(
        out,
        "! Written by nullrouted; changes made here are lost. {v4} IPv4 and {v6} IPv6 prefixes.
!
! Load:   vtysh -f THIS-FILE    (a second load replaces the first)
! Use:    router bgp ASN
!          address-family ipv4 unicast
!           redistribute kernel route-map NULLROUTED-IN
!           neighbor ADDRESS route-map NULLROUTED-OUT out
!          address-family ipv6 unicast
!           redistribute kernel route-map NULLROUTED-IN6
!           neighbor ADDRESS route-map NULLROUTED-OUT out
!         and in a route-map for what neighbors announce, before its permits:
!          match as-path NULLROUTED-ORIGINS    (in a deny clause: listed origin ASes)
! Undo:   take the redistribute lines out again
! Never feed this file to frr-reload.py: it is a part, and the rest would be removed.
! FRR before 9.0 takes minutes for lists above some thousand entries.
"
    );
    for attribution in sheet.attributions {
        let _ = writeln!(out, "! Contains: {attribution}");
    }
    out.push_str("!\n");
}

fn list(
    out: &mut String,
    ip: &str,
    family: &str,
    default: &str,
    everything: &str,
    entries: impl Iterator<Item = (u32, String)>,
) {
    let name = format!("{ip} prefix-list NULLROUTED-{family}");
    let _ = writeln!(out, "no {name}");
    let _ = writeln!(out, "{name} seq 1 deny {default}");
    for (seq, prefix) in entries {
        let _ = writeln!(out, "{name} seq {seq} permit {prefix}");
    }
    let _ = writeln!(
        out,
        "{name} seq {} deny {default} {everything}\n!",
        u32::MAX
    );
}

/// Paths that begin at a listed AS: for the operator's own route-maps to refuse. The sequence number of an
/// entry is the AS itself; the last number is no AS (RFC 7300), and its entry ends the list.
fn as_path(out: &mut String, origins: &[u32]) {
    let name = "bgp as-path access-list NULLROUTED-ORIGINS";
    let end = format!("{name} seq {} deny .*", u32::MAX);
    let _ = writeln!(out, "{end}\nno {name}");
    for asn in origins {
        let _ = writeln!(out, "{name} seq {asn} permit _{asn}$");
    }
    let _ = writeln!(out, "{end}\n!");
}

/// What becomes a BGP route: our kernel routes with a prefix of the list, and nothing else.
fn inward(out: &mut String, name: &str, ip: &str, family: &str) {
    let _ = write!(
        out,
        "route-map {name} permit 10
 match {ip} address prefix-list NULLROUTED-{family}
 match source-protocol kernel
 set community blackhole
 set origin igp
exit
route-map {name} deny 65535
exit
!
"
    );
}

/// What a neighbor is told: blackholes, to be kept inside his AS.
fn outward(out: &mut String) {
    out.push_str(
        "route-map NULLROUTED-OUT permit 10
 match community NULLROUTED
 set community no-export additive
exit
route-map NULLROUTED-OUT deny 65535
exit
!
",
    );
}

/// The entries with their sequence numbers: what the prefix suggests, or the next free one.
fn numbered<B: crate::prefix::Bits>(
    prefixes: &[Prefix<B>],
    suggest: impl Fn(&Prefix<B>) -> u32,
) -> impl Iterator<Item = (u32, String)> {
    let mut taken = HashSet::with_capacity(prefixes.len());
    prefixes.iter().map(move |prefix| {
        let mut seq = suggest(prefix).clamp(FIRST, LAST);
        while !taken.insert(seq) {
            seq = if seq == LAST { FIRST } else { seq + 1 };
        }
        (seq, prefix.to_string())
    })
}

/// IPv4: the address as a number. Prefixes of the set do not overlap, so it is unique.
fn seq_v4(prefix: &Prefix<u32>) -> u32 {
    prefix.first()
}

/// IPv6: 32 bits mixed from the 128 of the address (the finalizer of MurmurHash3).
fn seq_v6(prefix: &Prefix<u128>) -> u32 {
    let address = prefix.first();
    let mut mixed = (address >> 64) as u64 ^ (address as u64).rotate_left(32);
    mixed ^= mixed >> 33;
    mixed = mixed.wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^= mixed >> 33;
    mixed = mixed.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (mixed >> 32) as u32
}
