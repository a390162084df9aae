//! One prefix a line, IPv4 before IPv6, ascending; behind it a comment with the listings.
//!
//! `#` begins a comment. Written for whatever reads lists: scripts, `iprange`, another of us.
//! Nothing is loaded here.

use std::fmt::Write;

use crate::targets::file::FileInput;
use crate::targets::file::family::Kind;
use crate::targets::file::parts::text::Text;

const USES: &str = "\
Format: one prefix a line; a # begins a comment.
";

pub const KIND: Kind = Kind {
    name: "plain",
    render: |_, input| render(input),
    ..Kind::LIST
};

fn render(input: &FileInput) -> String {
    let mut out = Text::with_room(1_000 + input.set().len() * 40);
    out.push(&input.head("#", USES));
    for asn in input.origins() {
        let _ = writeln!(out, "# AS{asn} is listed as an origin");
    }
    input.v4(|prefix, reason| out.entry("", prefix, "", reason));
    input.v6(|prefix, reason| out.entry("", prefix, "", reason));
    out.done()
}
