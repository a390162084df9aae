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
use super::reasons::Reason;

#[derive(Serialize)]
struct Listed<'a> {
    prefix: String,
    because: Vec<Because<'a>>,
}

#[derive(Serialize)]
struct Because<'a> {
    feed: &'a str,
    reference: &'a str,
}

pub(super) fn render(sheet: &Sheet) -> String {
    let mut out = String::with_capacity(200 + sheet.set.len() * 60);
    let head = [text(&sheet.attributions), text(&sheet.origins)];
    let [attributions, origins] = head;
    out.push_str("{\"attributions\":");
    out.push_str(&attributions);
    out.push_str(",\"origins\":");
    out.push_str(&origins);
    out.push_str(",\"prefixes\":[\n");
    let mut first = true;
    let mut add = |prefix: String, reason: Reason| {
        if !std::mem::take(&mut first) {
            out.push_str(",\n");
        }
        let because = reason.0.into_iter();
        let because = because.map(|(feed, reference)| Because { feed, reference });
        let because = because.collect();
        out.push_str(&text(&Listed { prefix, because }));
    };
    sheet
        .v4()
        .for_each(|(prefix, reason)| add(prefix.to_string(), reason));
    sheet
        .v6()
        .for_each(|(prefix, reason)| add(prefix.to_string(), reason));
    if !sheet.set.is_empty() {
        out.push('\n');
    }
    out.push_str("]}\n");
    out
}

/// Shapes of our own, without maps: they cannot fail.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
