//! `lists = "auto"`: how the listed prefixes stand in a file of FRR. Pure.
//!
//! Before version 9 bgpd compares each entry that comes with all others of its list, and does not
//! answer meanwhile: 8.4.4 takes 1 000 entries in one list in 11.5 s, and in a list for each octet
//! in 2.3 s. 9.1.3 takes 10 000 in 9 s and 50 000 in seven minutes. Since version 10 the time grows
//! with the number of entries alone: 20 000 take 15 s in either way.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::targets::file::Lists;

/// A version of FRR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    major: u32,
    minor: u32,
    text: String,
}

impl Version {
    /// As `10.3` or `8.4.4`; what stands behind the numbers has no meaning here.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        let digits = minor.find(|char: char| !char.is_ascii_digit());
        let minor = &minor[..digits.unwrap_or(minor.len())];
        let is_word = text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "._-+~".contains(char));
        Some(Self {
            major: major.parse().ok().filter(|_| is_word)?,
            minor: minor.parse().ok()?,
            text: text.to_owned(),
        })
    }

    /// Of a line of `show version`: `FRRouting 10.3 (host) on Linux(6.12)`.
    pub fn of_line(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("FRRouting ")?;
        Self::parse(rest.split_whitespace().next()?)
    }

    /// Whether it is this version or an older one; what stands behind the second number does not
    /// count.
    pub fn is_at_most(&self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) <= (major, minor)
    }

    /// Entries up to which one list is taken within some seconds; `None` where any number is.
    fn limit(&self) -> Option<usize> {
        match self.major {
            ..9 => Some(LIMIT),
            9 => Some(LIMIT_9),
            _ => None,
        }
    }

    /// Whether the time for a list grows with the number of its entries alone.
    pub fn takes_any_list(&self) -> bool {
        self.limit().is_none()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Three seconds in one list with 8.4.4, and half of that in many.
const LIMIT: usize = 500;
/// Nine seconds with 9.1.3.
const LIMIT_9: usize = 10_000;

/// The way that a router has, and what it was chosen by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// One, or many.
    pub lists: Lists,
    /// `None` where it is not known.
    pub version: Option<Version>,
    /// Whether the FRR of this machine said so.
    pub is_asked: bool,
    /// Entries of its longest list then, all octets together.
    pub entries: usize,
}

/// How lists stand in a file whose longest list has this many entries. The earlier choice stays
/// while the version is the same, until the number is 20 % beyond the limit; and where nothing is
/// listed, so that a flush only takes entries away.
pub fn choose(version: Option<Version>, longest: usize, before: Option<&Chosen>) -> Chosen {
    let before = before.filter(|before| before.version == version);
    let limit = limit(version.as_ref());
    let octets = match (limit, before.map(|before| before.lists)) {
        (None, _) => false,
        (Some(_), Some(Lists::Octets)) if longest == 0 => true,
        (Some(limit), Some(Lists::Octets)) => longest >= below(limit),
        (Some(limit), Some(_)) => longest > above(limit),
        (Some(limit), None) => longest > limit,
    };
    Chosen {
        lists: if octets { Lists::Octets } else { Lists::One },
        version,
        is_asked: false,
        entries: longest,
    }
}

/// An unknown version may be an old one.
fn limit(version: Option<&Version>) -> Option<usize> {
    version.map_or(Some(LIMIT), Version::limit)
}

fn below(limit: usize) -> usize {
    limit - limit / 5
}

fn above(limit: usize) -> usize {
    limit + limit / 5
}

impl Chosen {
    /// Why it was chosen.
    pub fn why(&self) -> String {
        let who = match &self.version {
            Some(version) => format!("FRR {version}"),
            None => "FRR of an unknown version".to_owned(),
        };
        let Some(limit) = limit(self.version.as_ref()) else {
            return format!(
                "{who} loads a list of any length in a time that grows with its entries alone"
            );
        };
        let ends = match self.lists {
            Lists::One => format!("\"octets\" from {} on", above(limit) + 1),
            _ => format!("\"one\" below {}", below(limit)),
        };
        let hint = match &self.version {
            Some(_) => "",
            None => {
                "; it is asked with vtysh before each load by the default reload, and frr_version = \"10.3\" names that \
                 of a router elsewhere"
            }
        };
        format!(
            "{} entries of a kind, and {who} takes long for one list of more than {limit}; {ends}{hint}",
            self.entries
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Option<Version> {
        Some(Version::parse(text).unwrap())
    }

    fn chosen(text: &str, longest: usize, before: Option<&Chosen>) -> Lists {
        choose(version(text), longest, before).lists
    }

    #[test]
    fn a_version_is_read_of_what_vtysh_says() {
        let line = "FRRouting 8.4.4 (edge1) on Linux(6.1.0-44-amd64).";
        assert_eq!(Version::of_line(line), version("8.4.4"));
        assert_eq!(
            Version::of_line("Copyright 1996-2005 Kunihiro Ishiguro"),
            None
        );
        let debian = Version::parse("10.3-3+deb13u1").unwrap();
        assert!(debian.is_at_most(10, 3) && !debian.is_at_most(10, 2));
        assert!(Version::parse("9.1.3").unwrap().is_at_most(10, 3));
        assert!(!Version::parse("10.7.1").unwrap().is_at_most(10, 3));
        for wrong in ["", "10", "10.", "ten.3", "10.x", "10.3 or so", "10.3\n"] {
            assert_eq!(Version::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_old_or_unknown_version_gets_short_lists_above_the_limit() {
        for (longest, lists) in [(0, Lists::One), (500, Lists::One), (501, Lists::Octets)] {
            assert_eq!(chosen("8.4.4", longest, None), lists, "{longest}");
            assert_eq!(choose(None, longest, None).lists, lists, "{longest}");
        }
        assert_eq!(chosen("9.1.3", 10_000, None), Lists::One);
        assert_eq!(chosen("9.1.3", 10_001, None), Lists::Octets);
        for version in ["10.0", "10.3", "10.7.1", "11.0"] {
            assert_eq!(chosen(version, 1_000_000, None), Lists::One, "{version}");
        }
    }

    #[test]
    fn a_choice_stays_until_the_number_is_a_fifth_beyond_the_limit() {
        let one = choose(version("8.4.4"), 500, None);
        assert_eq!(chosen("8.4.4", 600, Some(&one)), Lists::One);
        assert_eq!(chosen("8.4.4", 601, Some(&one)), Lists::Octets);
        let octets = choose(version("8.4.4"), 601, None);
        for longest in [501, 400, 0] {
            assert_eq!(chosen("8.4.4", longest, Some(&octets)), Lists::Octets);
        }
        assert_eq!(chosen("8.4.4", 399, Some(&octets)), Lists::One);
        assert_eq!(chosen("8.4.4", 1, Some(&octets)), Lists::One);
    }

    #[test]
    fn another_version_is_another_choice() {
        let octets = choose(version("8.4.4"), 1_598, None);
        assert_eq!(chosen("10.3", 1_598, Some(&octets)), Lists::One);
        assert_eq!(chosen("8.5.1", 450, Some(&octets)), Lists::One);
        let unknown = choose(None, 1_598, None);
        assert_eq!(unknown.lists, Lists::Octets);
        assert_eq!(chosen("10.3", 1_598, Some(&unknown)), Lists::One);
    }

    #[test]
    fn a_choice_says_why() {
        let why = |text, longest| choose(version(text), longest, None).why();
        assert_eq!(
            why("8.4.4", 1_598),
            "1598 entries of a kind, and FRR 8.4.4 takes long for one list of more than 500; \"one\" below 400"
        );
        assert_eq!(
            why("8.4.4", 20),
            "20 entries of a kind, and FRR 8.4.4 takes long for one list of more than 500; \"octets\" from 601 on"
        );
        assert_eq!(
            why("10.3", 1_598),
            "FRR 10.3 loads a list of any length in a time that grows with its entries alone"
        );
        assert_eq!(
            choose(None, 1_598, None).why(),
            "1598 entries of a kind, and FRR of an unknown version takes long for one list of more than 500; \"one\" \
             below 400; it is asked with vtysh before each load by the default reload, and frr_version = \"10.3\" names \
             that of a router elsewhere"
        );
    }
}
