//! One JSON object: the credits, the origin ASes, and the prefixes with their listings, a prefix a line.
//!
//! ```text
//! {"attributions":["…"],"origins":[64496],"prefixes":[
//! {"prefix":"72.37.186.0/23","because":[{"feed":"drop","reference":"SBL1"}]},
//! {"prefix":"2001:db8:bad::/48","because":[]}
//! ]}
//! ```
//!
//! An empty set is an empty array.

use serde::Serialize;

use super::Sheet;
use super::family::Kind;
use super::reasons::Reason;
use super::text::Text;
use crate::prefix::{Bits, Prefix};
use crate::shown;

#[derive(Serialize)]
struct Because<'a> {
    feed: &'a str,
    reference: &'a str,
}

pub(super) const KIND: Kind = Kind {
    name: "json",
    render: |_, sheet| render(sheet),
    ..Kind::LIST
};

/// How a file of ours is recognised.
pub(super) const BEGINS: &str = "{\"attributions\":";

fn render(sheet: &Sheet) -> String {
    let mut out = Text::with_room(200 + sheet.set.len() * 70);
    out.push(BEGINS);
    out.push(&json(&sheet.attributions));
    out.push(",\"origins\":");
    out.push(&json(&sheet.origins));
    out.push(",\"prefixes\":[");
    let mut between = "\n";
    sheet.v4(|prefix, reason| {
        element(
            &mut out,
            std::mem::replace(&mut between, ",\n"),
            prefix,
            reason,
        );
    });
    sheet.v6(|prefix, reason| {
        element(
            &mut out,
            std::mem::replace(&mut between, ",\n"),
            prefix,
            reason,
        );
    });
    out.push("\n]}\n");
    out.done()
}

fn element<B: Bits>(out: &mut Text, between: &str, prefix: &Prefix<B>, reason: &Reason) {
    out.push(between);
    out.push("{\"prefix\":\"");
    out.prefix(prefix);
    out.push("\",\"because\":[");
    for (at, &(feed, reference)) in reason.0.iter().enumerate() {
        out.push(if at > 0 { "," } else { "" });
        out.push(&json(&Because { feed, reference }));
    }
    out.push("]}");
}

/// Shapes of our own, without maps, written into memory: it cannot fail.
fn json(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let written = shown::json(&mut out, value);
    written
        .ok()
        .and_then(|()| String::from_utf8(out).ok())
        .unwrap_or_default()
}
