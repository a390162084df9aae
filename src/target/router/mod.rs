//! Router files: one family, one file, one pure function from the effective set to text.
//!
//! ```text
//!  effective set ──┐
//!  origin ASes ────┼──► Sheet ──┬──► the function of the family ──► text, published by `target::publish`
//!  listings ───────┘            │
//!  family, role ──────► Shape ──┘
//! ```
//!
//! What all share: the bytes depend on the sheet alone. No clock, so equal sheets give equal bytes; one changed prefix
//! changes one line; and an empty set still renders a list that matches nothing. A publisher's own words stand where
//! they mean nothing to a router, and only as `reasons::Reason` writes them; JSON has them whole, as JSON strings.

mod auto;
mod bird;
mod csv;
mod eos;
mod exabgp;
mod family;
mod frr;
mod gobgp;
mod gone;
mod ios;
mod ios_xr;
mod ipset;
mod json;
mod junos;
mod junos_set;
mod junos_statements;
mod nftables;
mod nx_os;
mod openbgpd;
mod plain;
mod prefix_list;
mod reasons;
mod route_map;
mod routeros;
mod sent;
mod sequence;
mod sessions;
mod shape;
mod shards;
mod sheet;
mod short;
mod sros;
mod sros_classic;
mod sros_policy;
mod text;
mod vrp;
mod vyos;

pub use auto::{Chosen, Version, choose};
pub use family::{Commands, Family, Role};
pub use gone::Gone;
pub use reasons::Reasons;
pub use shape::{AnnounceTo, Direction, Lists, Shape};
pub use sheet::{Selected, Sheet};

/// The text of a router file.
pub fn render(shape: &Shape, sheet: &Sheet) -> String {
    (shape.family.kind().render)(shape, sheet)
}

/// Whether a file begins as those do that we write, of whatever family.
pub fn is_ours(content: &[u8]) -> bool {
    let first = content.split(|byte| *byte == b'\n').take(HEAD_LINES);
    let head = content.get(..HEAD_BYTES).unwrap_or(content);
    let says = |line: &[u8]| contains(line, sheet::WRITTEN.as_bytes());
    // Two formats have no comments; each begins in its own way.
    let listed = [csv::BEGINS, json::BEGINS];
    first.take_while(|line| line.len() <= HEAD_BYTES).any(says)
        || listed
            .iter()
            .any(|begins| head.starts_with(begins.as_bytes()))
}

/// Where the head of a file is looked for: an edit may have put a line above it.
const HEAD_LINES: usize = 3;
const HEAD_BYTES: usize = 1_024;

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// What leads from the file that was loaded to the next one, where the family has such a thing and it is shorter.
pub fn delta(shape: &Shape, loaded: &str, text: &str) -> Option<String> {
    shape.family.kind().delta?(loaded, text)
}

/// What takes away the rest of a former file of ours, where loading the next one leaves some.
pub fn former(shape: &Shape, former: &str, text: &str) -> Option<String> {
    shape.family.kind().former?(former, text)
}

/// Which way to take instead, where a set of so many IPv4 and IPv6 prefixes is more than the router takes well.
pub fn too_many(shape: &Shape, v4: usize, v6: usize) -> Option<String> {
    (shape.family.kind().too_many)(shape, v4, v6)
}

#[cfg(test)]
mod tests;
