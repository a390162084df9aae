//! What leads from one file to the next: entries that go, then entries that come.
//!
//! Verified with FRR 8.4:
//! * An entry of a prefix-list goes by its sequence number alone, one of an as-path list by its
//!   expression alone.
//! * An entry that comes with another number before the old one goes is taken for a duplicate, and
//!   lost.
//! * An entry that is not there goes without a word from a prefix-list, and with an error from an
//!   as-path list.

use std::collections::HashSet;

const ENTRIES: [&str; 3] = [
    "ip prefix-list ",
    "ipv6 prefix-list ",
    "bgp as-path access-list ",
];

/// `None` where anything but entries differs, or where most of them do.
pub(super) fn delta(loaded: &str, text: &str) -> Option<String> {
    let (before, after) = (Parts::of(loaded), Parts::of(text));
    if before.others != after.others {
        return None;
    }
    let was: HashSet<&str> = before.entries.iter().copied().collect();
    let is: HashSet<&str> = after.entries.iter().copied().collect();
    let gone = before.entries.iter().filter(|entry| !is.contains(*entry));
    let come = after.entries.iter().filter(|entry| !was.contains(*entry));
    let (gone, come): (Vec<_>, Vec<_>) = (gone.collect(), come.collect());
    if (gone.len() + come.len()) * 2 > after.entries.len() {
        return None;
    }
    let mut out = format!(
        "! Written by nullrouted: {} entries go and {} come. It is right for who holds the former file alone.\n!\n",
        gone.len(),
        come.len()
    );
    for entry in gone {
        out.push_str("no ");
        out.push_str(entry);
        out.push('\n');
    }
    for entry in come {
        out.push_str(entry);
        out.push('\n');
    }
    Some(out)
}

/// A file without its comments.
struct Parts<'a> {
    entries: Vec<&'a str>,
    others: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('!'));
        let is_entry = |line: &&str| ENTRIES.iter().any(|entry| line.starts_with(entry));
        let (entries, others) = lines.partition(is_entry);
        Self { entries, others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOADED: &str = "! 4 prefixes\nno ip prefix-list L\nip prefix-list L seq 1 permit 192.0.2.0/24\n\
                          ip prefix-list L seq 2 permit 198.51.100.0/24\nip prefix-list L seq 3 permit 203.0.113.0/24\n\
                          ip prefix-list L seq 4 permit 72.37.186.0/23\nroute-map M permit 10\nexit\n";

    #[test]
    fn what_goes_stands_before_what_comes() {
        let text = LOADED.replace("! 4", "! 5").replace(
            "seq 2 permit 198.51.100.0/24",
            "seq 2 permit 198.51.100.0/25",
        );
        let delta = delta(LOADED, &text).unwrap();
        let lines: Vec<_> = delta.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "no ip prefix-list L seq 2 permit 198.51.100.0/24",
                "ip prefix-list L seq 2 permit 198.51.100.0/25"
            ]
        );
    }

    #[test]
    fn whatever_else_differs_wants_the_whole_file() {
        assert!(delta(LOADED, &LOADED.replace("permit 10", "permit 20")).is_none());
        assert!(delta("", LOADED).is_none());
        let most = LOADED
            .replace("203.0.113", "203.0.112")
            .replace("72.37.186", "72.37.188");
        assert!(delta(LOADED, &most).is_none());
        let nothing = delta(LOADED, LOADED).unwrap();
        assert!(nothing.lines().all(|line| line.starts_with('!')));
    }
}
