//! One prefix a line, IPv4 before IPv6, ascending; behind it a comment with the listings.
//!
//! `#` begins a comment. Written for whatever reads lists: scripts, `iprange`, another of us.
//! Nothing is loaded here.

use std::fmt::Write;

use crate::targets::file::family::Kind;
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions};

pub const KIND: Kind = Kind {
    name: "plain",
    room: 40,
    trigger: (include_str!("../file/texts/plain.txt"), write),
    ..Kind::LIST
};

fn write(out: &mut Text, _: &FileOptions, input: &FileInput) {
    for asn in input.origins() {
        let _ = writeln!(out, "# AS{asn} is listed as an origin");
    }
    input.v4(|prefix, reason| out.entry("", prefix, "", reason));
    input.v6(|prefix, reason| out.entry("", prefix, "", reason));
}
