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

mod bird;
mod csv;
mod family;
mod frr;
mod ipset;
mod json;
mod nftables;
mod openbgpd;
mod plain;
mod reasons;
mod sequence;
mod shape;
mod sheet;
mod text;

pub use family::{Commands, Family, Role};
pub use reasons::Reasons;
pub use shape::Shape;
pub use sheet::Sheet;

/// The text of a router file.
pub fn render(shape: &Shape, sheet: &Sheet) -> String {
    match shape.family {
        Family::Frr => frr::render(shape, sheet),
        Family::Bird => bird::render(shape, sheet),
        Family::OpenBgpd => openbgpd::render(shape, sheet),
        Family::Nftables => nftables::render(sheet),
        Family::Ipset => ipset::render(sheet),
        Family::Plain => plain::render(sheet),
        Family::Csv => csv::render(sheet),
        Family::Json => json::render(sheet),
    }
}

#[cfg(test)]
mod tests;
