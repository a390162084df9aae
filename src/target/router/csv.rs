//! RFC 4180: a record for each prefix, IPv4 before IPv6, ascending.
//!
//! The format has no comments, so credits are not in it, and no second kind of records, so the origin ASes are not.
//! An empty set is the header alone.

use std::fmt::Write;

use super::Sheet;
use super::reasons::Reason;

pub(super) fn render(sheet: &Sheet) -> String {
    let mut out = String::with_capacity(100 + sheet.set.len() * 40);
    out.push_str("prefix,because\r\n");
    for (prefix, reason) in sheet.v4() {
        record(&mut out, prefix, &reason);
    }
    for (prefix, reason) in sheet.v6() {
        record(&mut out, prefix, &reason);
    }
    out
}

/// A reason is quoted: there may be commas in it, and no quotation marks.
fn record(out: &mut String, prefix: impl std::fmt::Display, reason: &Reason) {
    let _ = write!(out, "{prefix},\"{reason}\"\r\n");
}
