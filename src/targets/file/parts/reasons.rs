//! Which listings stand behind a prefix, for the comments of a router file.

use std::fmt::{self, Write};

use crate::feed::{Entry, Listed};
use crate::policy::limits::Limits;
use crate::prefix::Prefix;
use crate::rib::Rib;

/// The most listings that a comment names.
const NAMED: usize = 3;

/// Longest reference in a comment, in characters.
const LONGEST: usize = 40;

/// The listings that count, and which of them are too short to count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reasons<'a> {
    known: Option<(&'a Rib, &'a Limits)>,
}

impl<'a> Reasons<'a> {
    /// Those of this RIB, but for what the limits refuse.
    pub fn of(rib: &'a Rib, limits: &'a Limits) -> Self {
        let known = Some((rib, limits));
        Self { known }
    }

    /// A reason for each of these prefixes, ascending and disjoint; `shortest` is their limit.
    pub fn each<'p, B: Listed>(
        self,
        prefixes: &'p [Prefix<B>],
        shortest: fn(&Limits) -> u8,
        mut each: impl FnMut(&'p Prefix<B>, &Reason),
    ) {
        let Some((rib, limits)) = self.known else {
            let reason = Reason::default();
            return prefixes.iter().for_each(|prefix| each(prefix, &reason));
        };
        let (entries, sources) = (rib.entries::<B>(), rib.sources());
        let shortest = shortest(limits);
        let mut ahead = entries.iter().peekable();
        // Those that reach into the prefix, from before it or within it.
        let mut open: Vec<&Entry<B>> = Vec::new();
        let mut reason = Reason::default();
        for prefix in prefixes {
            open.retain(|entry| entry.prefix().last() >= prefix.first());
            while let Some(entry) = ahead.next_if(|e| e.prefix().first() <= prefix.last()) {
                if entry.prefix().last() >= prefix.first() {
                    open.push(entry);
                }
            }
            reason.0.clear();
            for entry in &open {
                let source = &sources[usize::from(entry.feed)];
                if source.any_length || entry.prefix().len() >= shortest {
                    let listing = (&*source.name, source.copy.reference(*entry));
                    // Those of one feed without a reference follow each other.
                    if reason.0.last() != Some(&listing) {
                        reason.0.push(listing);
                    }
                }
            }
            if reason.0.len() > 1 {
                reason.0.sort_unstable();
                reason.0.dedup();
            }
            each(prefix, &reason);
        }
    }
}

/// Why one prefix is listed: each feed with its reference, each once, ascending; empty where it is
/// not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason<'a>(pub Vec<(&'a str, &'a str)>);

impl Reason<'_> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `spamhaus-drop-v4 SBL123, noc, and 2 more`. Whatever a publisher writes, this is of letters,
    /// digits and `. _ : / + , -` and spaces alone: it ends no comment and no quotation.
    pub fn write(&self, out: &mut impl Write) -> fmt::Result {
        let mut listings = self.told();
        for (at, (feed, reference)) in listings.by_ref().take(NAMED).enumerate() {
            out.write_str(if at > 0 { ", " } else { "" })?;
            out.write_str(feed)?;
            if !reference.is_empty() {
                out.write_str(" ")?;
                plainly(reference, out)?;
            }
        }
        match listings.count() {
            0 => Ok(()),
            more => write!(out, ", and {more} more"),
        }
    }

    /// `SBL123`: the reference of the first listing, or where it has none the name of its feed;
    /// clipped.
    pub fn write_word(&self, out: &mut impl Write) -> fmt::Result {
        match self.told().next() {
            Some((feed, "")) => plainly(feed, out),
            Some((_, reference)) => plainly(reference, out),
            None => Ok(()),
        }
    }

    /// The listings, but for those without a reference of a feed that gives one for another.
    fn told(&self) -> impl Iterator<Item = &(&str, &str)> {
        let mut listings = self.0.iter().peekable();
        std::iter::from_fn(move || {
            let listing = listings.next()?;
            // The one without a reference comes first.
            let next = listings.next_if(|next| listing.1.is_empty() && next.0 == listing.0);
            Some(next.unwrap_or(listing))
        })
    }
}

/// What ends nothing, wherever it stands.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._:/+-".contains(&byte)
}

/// The reference, clipped; what is not plain becomes `_`.
fn plainly(reference: &str, out: &mut impl Write) -> fmt::Result {
    if reference.len() <= LONGEST && reference.bytes().all(is_plain) {
        return out.write_str(reference);
    }
    let plain = |c: char| u8::try_from(c).is_ok_and(is_plain);
    let mut clipped = reference.chars().take(LONGEST);
    clipped.try_for_each(|c| out.write_char(if plain(c) { c } else { '_' }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::feed::formats::{Format, Rules, parse_body};
    use crate::prefix::PrefixSet;
    use crate::rib::{OPERATOR, Source};

    fn source(name: &str, list: &str) -> Source {
        Source {
            name: name.into(),
            reserved: false,
            any_length: name == OPERATOR,
            copy: Arc::new(parse_body(list.as_bytes(), &Rules::of(Format::Cidr)).unwrap()),
        }
    }

    fn told(rib: &Rib, nets: &[&str]) -> Vec<String> {
        let set = PrefixSet::of_nets(nets.iter().map(|net| net.parse().unwrap()));
        let limits = Limits::default();
        let reasons = Reasons::of(rib, &limits);
        let mut told = Vec::new();
        let mut tell = |reason: &Reason| {
            let mut text = String::new();
            reason.write(&mut text).unwrap();
            told.push(text);
        };
        reasons.each(
            &set.v4,
            |limits| limits.shortest_v4,
            |_, reason| tell(reason),
        );
        reasons.each(
            &set.v6,
            |limits| limits.shortest_v6,
            |_, reason| tell(reason),
        );
        told
    }

    #[test]
    fn each_prefix_names_what_covers_it_and_what_is_inside_of_it_and_nothing_else() {
        let rib = Rib::merge(vec![
            source(
                "one",
                "0.0.0.0/1 # refused\n72.36.0.0/14 # wide\n72.37.186.0/24 # SBL1\n",
            ),
            source(
                "two",
                "72.37.187.0/24\n72.37.187.9\n72.40.0.0/16 # SBL9\n2001:db8::/32 # SBL6\n",
            ),
            source(OPERATOR, "96.0.0.0/4 # mine\n"),
        ]);
        let nets = [
            "72.37.180.0/22",
            "72.37.186.0/23",
            "72.40.1.0/24",
            "99.0.0.0/8",
        ];
        assert_eq!(
            told(
                &rib,
                &[&nets[..], &["2001:db8:1::/48", "2001:db9::/48"]].concat()
            ),
            [
                "one wide",
                "one SBL1, one wide, two",
                "two SBL9",
                "operator mine",
                "two SBL6",
                ""
            ]
        );
        let mut unknown = 0;
        Reasons::default().each(
            &[Prefix::host(1_u32)],
            |limits| limits.shortest_v4,
            |_, reason| unknown += usize::from(reason.is_empty()),
        );
        assert_eq!(unknown, 1);
    }

    #[test]
    fn what_a_publisher_writes_ends_no_comment() {
        let hostile = "72.37.186.0/23 # \"; } */ \u{2028}exit -- `id` $(id)\n";
        let rib = Rib::merge(vec![source("one", hostile)]);
        let told = told(&rib, &["72.37.186.0/23"]);
        assert_eq!(told, ["one ______/__exit_--__id____id_"]);
    }

    #[test]
    fn three_are_named_and_the_others_counted() {
        let list: String = (0..5)
            .map(|n| format!("72.37.186.{n}/32 # SBL{n}\n"))
            .collect();
        let rib = Rib::merge(vec![
            source("one", &list),
            source("two", "72.37.186.0/24\n"),
        ]);
        let told = told(&rib, &["72.37.186.0/24"]);
        assert_eq!(told, ["one SBL0, one SBL1, one SBL2, and 3 more"]);
    }
}
