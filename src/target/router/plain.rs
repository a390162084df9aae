//! One prefix a line, IPv4 before IPv6, ascending; behind it a comment with the listings.
//!
//! `#` begins a comment. Written for whatever reads lists: scripts, `iprange`, another of us. Nothing is loaded here.

use std::fmt::Write;

use super::Sheet;
use super::family::Kind;
use super::text::Text;

const USES: &str = "\
Format: one prefix a line; a # begins a comment.
";

pub(super) const KIND: Kind = Kind {
    name: "plain",
    render: |_, sheet| render(sheet),
    ..Kind::LIST
};

fn render(sheet: &Sheet) -> String {
    let mut out = Text::with_room(1_000 + sheet.set.len() * 40);
    out.push(&sheet.head("#", USES));
    for asn in sheet.origins {
        let _ = writeln!(out, "# AS{asn} is listed as an origin");
    }
    sheet.v4(|prefix, reason| out.entry("", prefix, "", reason));
    sheet.v6(|prefix, reason| out.entry("", prefix, "", reason));
    out.done()
}
