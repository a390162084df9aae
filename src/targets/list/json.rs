//! One JSON object: the credits, the origin ASes, and the prefixes with their listings, a prefix a
//! line.
//!
//! ```text
//! {"attributions":["…"],"origins":[64496],"prefixes":[
//! {"prefix":"72.37.186.0/23","because":[{"feed":"drop","reference":"SBL1"}]},
//! {"prefix":"2001:db8:bad::/48","because":[]}
//! ]}
//! ```
//!
//! An empty set is an empty array. Where the router does not get everything, `selection` and
//! `left_out` stand before the prefixes: what it gets, and the number of prefixes that are too long
//! for it.

use serde::Serialize;

use crate::prefix::{Bits, Prefix};
use crate::shown;
use crate::targets::file::family::Kind;
use crate::targets::file::parts::reasons::Reason;
use crate::targets::file::parts::text::Text;
use crate::targets::file::{FileInput, FileOptions, Selected};

#[derive(Serialize)]
struct Because<'a> {
    feed: &'a str,
    reference: &'a str,
}

pub const KIND: Kind = Kind {
    name: "json",
    room: 70,
    trigger: ("", write),
    ..Kind::LIST
};

/// How a file of ours is recognised.
pub const BEGINS: &str = "{\"attributions\":";

fn write(out: &mut Text, _: &FileOptions, input: &FileInput) {
    out.push(BEGINS);
    out.push(&json(&input.attributions));
    out.push(",\"origins\":");
    out.push(&json(&input.origins()));
    if let Some(Selected {
        selection,
        left_out: [v4, v6],
        joined: _,
    }) = &input.selected
    {
        out.push(",\"selection\":");
        out.push(&json(selection));
        out.push(",\"left_out\":");
        out.push(&format!("{{\"v4\":{v4},\"v6\":{v6}}}"));
    }
    out.push(",\"prefixes\":[");
    let mut between = "\n";
    input.v4(|prefix, reason| element(out, &mut between, prefix, reason));
    input.v6(|prefix, reason| element(out, &mut between, prefix, reason));
    out.push("\n]}\n");
}

/// `between` stands before it, and a comma before the next one.
fn element<B: Bits>(out: &mut Text, between: &mut &str, prefix: &Prefix<B>, reason: &Reason) {
    out.push(std::mem::replace(between, ",\n"));
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
