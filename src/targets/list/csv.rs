//! RFC 4180: a record for each prefix, IPv4 before IPv6, ascending.
//!
//! The format has no comments, so credits are not in it, and no second kind of records, so the
//! origin ASes are not. An empty set is the header alone.

use crate::prefix::{Bits, Prefix};
use crate::targets::file::family::Kind;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions};

pub const KIND: Kind = Kind {
    name: "csv",
    room: 40,
    trigger: ("", write),
    ..Kind::LIST
};

/// The header, by which a file of ours is recognised.
pub const BEGINS: &str = "prefix,because\r\n";

fn write(out: &mut Text, _: &FileOptions, input: &FileInput) {
    out.push(BEGINS);
    input.v4(|prefix, reason| record(out, prefix, reason));
    input.v6(|prefix, reason| record(out, prefix, reason));
}

/// A reason is quoted: there may be commas in it, and no quotation marks.
fn record<B: Bits>(out: &mut Text, prefix: &Prefix<B>, reason: &Reason) {
    out.prefix(prefix);
    out.push(",\"");
    out.reason(reason);
    out.push("\"\r\n");
}
