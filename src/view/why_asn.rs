//! `why AS64500`: the whole story of an origin AS on one screen. Pure.

use std::io;

use ipnet::IpNet;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::{View, composed};
use crate::named::named;
use crate::rib::OPERATOR;
use crate::shown::Lines;

named! {
    /// What happens to its routes. The words are a stable interface.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum AsnVerdict {
        /// It is in force: routers of role filter refuse them.
        Refused = "refused",
        /// It is kept from being refused.
        Protected = "protected",
        /// Listed, and not in force yet.
        Held = "held",
        /// No feed that counts lists it.
        NotListed = "not-listed",
    }
}

/// An origin AS as a feed lists it.
pub struct ListedAsn {
    pub feed: String,
    pub reference: String,
    /// Line in the copy; 0 while its withdrawal waits.
    pub line: u32,
}

pub struct AsnStory {
    pub asn: u32,
    /// Whether it is in force: routers of role filter refuse its routes.
    pub refused: bool,
    /// The routers of role filter, by name.
    pub filters: Vec<String>,
    pub listings: Vec<ListedAsn>,
    /// Why it is never refused.
    pub protected_by: Vec<String>,
    /// Why it is listed and not in force, or not listed and in force.
    pub held: Vec<String>,
    /// What the table of origins knows of it; `None` without a table.
    pub prefixes: Option<Vec<IpNet>>,
    /// Those of them that are in force, wholly or in part.
    pub blackholed: Vec<IpNet>,
}

/// Prefixes that are shown; JSON has all of them.
const SHOWN: usize = 15;

impl AsnStory {
    fn verdict(&self) -> AsnVerdict {
        match (self.refused, self.listings.is_empty()) {
            (true, _) => AsnVerdict::Refused,
            (false, _) if !self.protected_by.is_empty() => AsnVerdict::Protected,
            (false, false) => AsnVerdict::Held,
            (false, true) => AsnVerdict::NotListed,
        }
    }
}

impl Serialize for AsnStory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let listing = |one: &ListedAsn| {
            json!({
                "feed": one.feed, "reference": one.reference,
                "line": (one.line > 0).then_some(one.line), "leaving": one.line == 0,
            })
        };
        let json = json!({
            "query": format!("AS{}", self.asn),
            "asn": self.asn,
            "verdict": self.verdict().to_string(),
            "refused_at": if self.refused { self.filters.as_slice() } else { &[] },
            "listings": self.listings.iter().map(listing).collect::<Vec<_>>(),
            "protected_by": self.protected_by,
            "held": self.held,
            "prefixes": self.prefixes,
            "blackholed": self.blackholed,
        });
        composed(json, serializer)
    }
}

impl View for AsnStory {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let asn = self.asn;
        match self.verdict() {
            AsnVerdict::Refused if self.filters.is_empty() => {
                writeln!(
                    out,
                    "AS{asn} is in force, and no router of role filter is configured"
                )?;
            }
            AsnVerdict::Refused => writeln!(
                out,
                "AS{asn} is refused as an origin by {}",
                self.filters.join(", ")
            )?,
            AsnVerdict::Protected => writeln!(out, "AS{asn} is not refused: it is protected")?,
            AsnVerdict::Held => writeln!(out, "AS{asn} is listed and not refused yet")?,
            AsnVerdict::NotListed => writeln!(out, "AS{asn} is not refused: no feed lists it")?,
        }
        for why in &self.held {
            writeln!(out, "  held: {why}")?;
        }
        for why in &self.protected_by {
            writeln!(out, "  protected: {why}")?;
        }
        for one in &self.listings {
            let reference = match one.reference.as_str() {
                "" => String::new(),
                reference => format!(" ({reference})"),
            };
            match (&*one.feed, one.line) {
                (OPERATOR, _) => writeln!(out, "  added by hand{reference}")?,
                (feed, 0) => writeln!(
                    out,
                    "  listed by {feed} until lately{reference}, its withdrawal waits"
                )?,
                (feed, line) => writeln!(out, "  listed by {feed}{reference}, line {line}")?,
            }
        }
        let Some(prefixes) = &self.prefixes else {
            return writeln!(out, "  its prefixes are not known: there is no [asn] table");
        };
        writeln!(
            out,
            "  prefixes that it alone announces, by [asn] table: {}, blackholed wholly or in part: {}",
            prefixes.len(),
            self.blackholed.len()
        )?;
        for net in self.blackholed.iter().take(SHOWN) {
            writeln!(out, "  blackholed: {net}")?;
        }
        match self.blackholed.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => writeln!(out, "  … and {more} more (--json shows all)"),
        }
    }
}
