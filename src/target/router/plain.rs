//! One prefix a line, IPv4 before IPv6, ascending; behind it a comment with the listings.
//!
//! `#` begins a comment. Written for whatever reads lists: scripts, `iprange`, another of us. Nothing is loaded here.

use std::fmt::Write;

use super::Sheet;

const USES: &str = "\
Format: one prefix a line; a # begins a comment.
";

pub(super) fn render(sheet: &Sheet) -> String {
    let mut out = String::with_capacity(1_000 + sheet.set.len() * 40);
    out.push_str(&sheet.head("#", USES));
    for asn in sheet.origins {
        let _ = writeln!(out, "# AS{asn} is listed as an origin");
    }
    for (prefix, reason) in sheet.v4() {
        let _ = writeln!(out, "{prefix}{}", reason.behind("#"));
    }
    for (prefix, reason) in sheet.v6() {
        let _ = writeln!(out, "{prefix}{}", reason.behind("#"));
    }
    out
}
