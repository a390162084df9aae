//! One prefix a line, IPv4 before IPv6, ascending; behind it a comment with the listings.
//!
//! `#` begins a comment. Written for whatever reads lists: scripts, `iprange`, another of us. Nothing is loaded here.

use std::fmt::Write;

use super::family::{ANY_NUMBER, AS_IT_IS, Kind, NO_ROLES};
use super::text::Text;
use super::{Commands, Sheet};

const USES: &str = "\
Format: one prefix a line; a # begins a comment.
";

pub(super) const KIND: Kind = Kind {
    name: "plain",
    roles: NO_ROLES,
    next_hops: &[],
    commands: |_| Commands::NONE,
    lists: AS_IT_IS,
    takes_away: false,
    delta: None,
    too_many: ANY_NUMBER,
    render: |_, sheet| render(sheet),
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
