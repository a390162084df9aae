//! RFC 4180: a record for each prefix, IPv4 before IPv6, ascending.
//!
//! The format has no comments, so credits are not in it, and no second kind of records, so the origin ASes are not.
//! An empty set is the header alone.

use super::Sheet;
use super::family::Kind;
use super::reasons::Reason;
use super::text::Text;
use crate::prefix::{Bits, Prefix};

pub(super) const KIND: Kind = Kind {
    name: "csv",
    render: |_, sheet| render(sheet),
    ..Kind::LIST
};

/// The header, by which a file of ours is recognised.
pub(super) const BEGINS: &str = "prefix,because\r\n";

fn render(sheet: &Sheet) -> String {
    let mut out = Text::with_room(100 + sheet.set.len() * 40);
    out.push(BEGINS);
    sheet.v4(|prefix, reason| record(&mut out, prefix, reason));
    sheet.v6(|prefix, reason| record(&mut out, prefix, reason));
    out.done()
}

/// A reason is quoted: there may be commas in it, and no quotation marks.
fn record<B: Bits>(out: &mut Text, prefix: &Prefix<B>, reason: &Reason) {
    out.prefix(prefix);
    out.push(",\"");
    out.reason(reason);
    out.push("\"\r\n");
}
