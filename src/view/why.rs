//! `why`: the whole story of an address or prefix on one screen. Pure.

use std::io;

use ipnet::IpNet;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::{View, composed};

use crate::ledger::{GenerationRow, Seen};
use crate::named::named;
use crate::rib::{Listing, OPERATOR};
use crate::shown::Lines;
use crate::targets::first;
use crate::targets::kernel::KERNEL;
use crate::time::Timestamp;

named! {
    /// What happens to the addresses that were asked for. The words are a stable interface.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Verdict {
        /// All of them are dropped.
        Blackholed = "blackholed",
        /// Some of them are dropped.
        Partly = "partly-blackholed",
        /// Listed, and kept from being dropped.
        Protected = "protected",
        /// Listed, and not in force yet.
        Held = "held",
        /// No feed that counts lists them.
        NotListed = "not-listed",
    }
}

/// A listing that counts.
pub struct Now {
    pub listing: Listing,
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
    /// The publisher's page about it.
    pub record: Option<String>,
}

/// A listing that counted once.
pub struct Former {
    pub seen: Seen,
    pub last_seen: Option<Timestamp>,
    /// Whether it went with an expired copy, and not from the list.
    pub expired: bool,
}

/// A target, and why the route is not there if it is not.
pub struct Place {
    pub name: String,
    /// The table, or the file.
    pub at: String,
    pub absent: Option<String>,
    /// The routes it has to a part of what was asked for, where there is none to all of it.
    pub part: Vec<IpNet>,
    /// Why it has something else than its feeds list now, or than it selects now.
    pub differs: Option<String>,
}

impl Place {
    fn is_here(&self) -> bool {
        self.absent.is_none() && self.part.is_empty()
    }
}

pub struct Story {
    pub query: String,
    pub verdict: Verdict,
    pub route: Option<IpNet>,
    /// Routes inside a wider query.
    pub inside: Vec<IpNet>,
    pub since: Option<GenerationRow>,
    pub listings: Vec<Now>,
    pub formerly: Vec<Former>,
    pub protected_by: Vec<(IpNet, String)>,
    pub held: Vec<String>,
    /// The ID of the change that waits.
    pub change: Option<String>,
    /// Whether no feed has had a copy yet.
    pub is_unread: bool,
    pub places: Vec<Place>,
}

/// Lines of one kind on the screen; JSON has all of them.
const SHOWN: usize = 15;

impl Serialize for Story {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let now = |now: &Now| {
            let Listing {
                feed,
                prefix,
                reference,
                line,
            } = &now.listing;
            json!({
                "feed": feed, "prefix": prefix, "reference": reference,
                "line": (*line > 0).then_some(line), "leaving": *line == 0,
                "first_seen": now.first_seen, "last_seen": now.last_seen, "record": now.record,
            })
        };
        let former = |former: &Former| {
            let Seen {
                feed,
                prefix,
                reference,
                first_seen,
                ..
            } = &former.seen;
            json!({
                "feed": feed, "prefix": prefix, "reference": reference,
                "first_seen": first_seen, "last_seen": former.last_seen, "expired": former.expired,
            })
        };
        let since = self.since.as_ref();
        let protected = |(net, why): &(IpNet, String)| json!({"prefix": net, "why": why});
        let here = self.places.iter().filter(|place| place.is_here());
        let part = self.places.iter().filter(|place| !place.part.is_empty());
        let part = part.map(|place| json!({"name": place.name, "prefixes": place.part}));
        let differs = self.places.iter().filter_map(|place| {
            let why = place.differs.as_ref()?;
            Some(json!({"name": place.name, "why": why}))
        });
        let absent = self.places.iter().filter_map(|place| {
            let why = place.absent.as_ref()?;
            Some(json!({"name": place.name, "why": why}))
        });
        let json = json!({
            "query": self.query,
            "verdict": self.verdict.to_string(),
            "route": self.route,
            "routes_inside": self.inside,
            "generation": since.map(|row| row.number),
            "since": since.map(|row| row.at),
            "cause": since.map(|row| &row.cause),
            "approved_by": since.filter(|row| !row.by.is_empty()).map(|row| &row.by),
            "listings": self.listings.iter().map(now).collect::<Vec<_>>(),
            "formerly": self.formerly.iter().map(former).collect::<Vec<_>>(),
            "protected_by": self.protected_by.iter().map(protected).collect::<Vec<_>>(),
            "held": self.held,
            "change": self.change,
            "in_force_at": here.map(|place| &place.name).collect::<Vec<_>>(),
            "not_in_force_at": absent.collect::<Vec<_>>(),
            "in_part_at": part.collect::<Vec<_>>(),
            "differs_at": differs.collect::<Vec<_>>(),
        });
        composed(json, serializer)
    }
}

impl View for Story {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        self.print_verdict(out)?;
        if let Some(row) = &self.since {
            let GenerationRow {
                number, at, cause, ..
            } = row;
            let approved = match row.by.as_str() {
                "" => String::new(),
                by => format!(", change {} approved by {by}", row.review),
            };
            writeln!(
                out,
                "  in force since generation {number}, {at} ({cause}){approved}"
            )?;
        }
        let here = self.places.iter().filter(|place| place.is_here());
        let here: Vec<_> = here
            .map(|place| format!("{} ({})", place.name, place.at))
            .collect();
        if !here.is_empty() {
            writeln!(out, "  at {}", here.join(", "))?;
        }
        for place in &self.places {
            if let Some(why) = &place.absent {
                // The first line has said it.
                if place.name == KERNEL && self.verdict == Verdict::Blackholed {
                    continue;
                }
                writeln!(out, "  NOT at {}: {why}", place.name)?;
            } else if !place.part.is_empty() {
                let (name, at) = (&place.name, &place.at);
                writeln!(
                    out,
                    "  a part of it at {name} ({at}): {}",
                    first(&place.part)
                )?;
            }
            if let Some(why) = &place.differs {
                writeln!(out, "  {}: {why}", place.name)?;
            }
        }
        some(out, &self.inside, |out, route| {
            writeln!(out, "  blackholed in it: {route}")
        })?;
        some(out, &self.held, |out, reason| {
            writeln!(out, "  held: {reason}")
        })?;
        if let Some(id) = &self.change {
            writeln!(
                out,
                "  change {id}: nullrouted plan shows it, nullrouted approve {id} applies it"
            )?;
        }
        some(out, &self.protected_by, |out, (net, why)| {
            writeln!(out, "  protected: {net}, {why}")
        })?;
        some(out, &self.listings, |out, now| now.print(out))?;
        some(out, &self.formerly, |out, former| former.print(out))
    }
}

impl Story {
    fn print_verdict(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let query = &self.query;
        let places = self.places.iter();
        let lacking: Vec<&Place> = places.filter(|place| place.absent.is_some()).collect();
        match (self.verdict, self.route) {
            (Verdict::Blackholed, Some(route)) if self.is_lacking(&lacking) => {
                let kernel = lacking.iter().find(|place| place.name == KERNEL);
                let why = kernel.and_then(|place| place.absent.as_ref());
                match why {
                    Some(why) => writeln!(
                        out,
                        "{query} should be dropped by {route}; NOT at kernel: {why}"
                    ),
                    None => {
                        let names = lacking.iter().map(|place| place.name.as_str());
                        let names = names.collect::<Vec<_>>().join(", ");
                        writeln!(out, "{query} should be dropped by {route}; NOT at {names}")
                    }
                }
            }
            (Verdict::Blackholed, Some(route)) => writeln!(out, "{query} is blackholed by {route}"),
            (Verdict::Blackholed, None) | (Verdict::Partly, _) => {
                writeln!(out, "{query} is blackholed in part")
            }
            (Verdict::Protected, _) => {
                writeln!(out, "{query} is listed and not blackholed: it is protected")
            }
            (Verdict::Held, _) => writeln!(out, "{query} is listed and not blackholed yet"),
            (Verdict::NotListed, _) if self.formerly.iter().any(|former| former.expired) => {
                writeln!(
                    out,
                    "{query} is not blackholed: the copy that lists it has expired"
                )
            }
            (Verdict::NotListed, _) if !self.formerly.is_empty() => {
                writeln!(out, "{query} is not blackholed: nothing lists it any more")
            }
            (Verdict::NotListed, _) if self.is_unread => writeln!(
                out,
                "{query} is not blackholed: no feed has been read yet (nullrouted refresh)"
            ),
            (Verdict::NotListed, _) => writeln!(out, "{query} is not blackholed: no feed lists it"),
        }
    }

    /// Whether it is in force nowhere, or not in the kernel of this machine.
    fn is_lacking(&self, lacking: &[&Place]) -> bool {
        let has_kernel = lacking.iter().any(|place| place.name == KERNEL);
        has_kernel || !lacking.is_empty() && lacking.len() == self.places.len()
    }
}

/// The first lines of a kind, and how many more there are.
fn some<T>(
    out: &mut Lines<'_>,
    all: &[T],
    mut print: impl FnMut(&mut Lines<'_>, &T) -> io::Result<()>,
) -> io::Result<()> {
    all.iter().take(SHOWN).try_for_each(|one| print(out, one))?;
    match all.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more (--json shows all)"),
    }
}

impl Now {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let Listing {
            feed,
            prefix,
            reference,
            line,
        } = &self.listing;
        let reference = in_brackets(reference);
        let listed = match line {
            _ if feed == OPERATOR => format!("added by hand: {prefix}{reference}"),
            0 => {
                format!("listed by {feed} until lately: {prefix}{reference}, its withdrawal waits")
            }
            line => format!("listed by {feed}: {prefix}{reference}, line {line}"),
        };
        match self.first_seen {
            Some(at) => writeln!(out, "  {listed}, since {at}")?,
            None => writeln!(out, "  {listed}")?,
        }
        match &self.record {
            Some(page) => writeln!(out, "    {page}"),
            None => Ok(()),
        }
    }
}

impl Former {
    fn print(&self, out: &mut Lines<'_>) -> io::Result<()> {
        let Seen {
            feed,
            prefix,
            reference,
            first_seen,
            ..
        } = &self.seen;
        if feed == OPERATOR {
            let reference = in_brackets(reference);
            let until = self.last_seen.map_or_else(String::new, |at| at.to_string());
            return writeln!(
                out,
                "  formerly added by hand: {prefix}{reference}, from {first_seen} to {until}"
            );
        }
        let word = if self.expired {
            "listed by the expired copy of"
        } else {
            "formerly listed by"
        };
        let until = self.last_seen.map_or_else(String::new, |at| at.to_string());
        let reference = in_brackets(reference);
        writeln!(
            out,
            "  {word} {feed}: {prefix}{reference}, from {first_seen} to {until}"
        )
    }
}

fn in_brackets(reference: &str) -> String {
    match reference {
        "" => String::new(),
        reference => format!(" ({reference})"),
    }
}
