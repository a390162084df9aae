//! `ip prefix-list`, which Cisco has made and others have taken over.
//!
//! * A list without an entry permits everything, and so does one that is not there. So a line that
//!   matches all is written before the others, with the last number.
//! * `le 32` behind a /32 is refused.

use std::fmt::Write;
use std::ops::RangeInclusive;

use crate::prefix::Prefix;
use crate::targets::file::FileInput;
use crate::targets::file::parts::ip::Ip;
use crate::targets::file::parts::route_map::Own;
use crate::targets::file::parts::sequence::numbered;
use crate::targets::file::parts::text::Text;

/// How a family writes its lists.
pub struct Dialect {
    /// Begins a line, IPv4 first.
    pub commands: [&'static str; 2],
    /// Before the number of an entry.
    pub number: &'static str,
    /// Between an address and its length.
    pub slash: char,
    /// Before the longest length that an entry matches.
    pub longest: &'static str,
    /// The number of the line about all others; the entries are before it.
    pub others: u32,
    /// Before a line that takes an entry away, and whether that has the number of the entry alone.
    pub no: (&'static str, bool),
    /// A comment without words, behind a list.
    pub comment: &'static str,
}

pub const CISCO: Dialect = Dialect {
    commands: ["ip prefix-list", "ipv6 prefix-list"],
    number: "seq",
    slash: '/',
    longest: "le",
    others: u32::MAX - 1,
    no: ("no", false),
    comment: "!\n",
};

impl Dialect {
    /// The operator's own networks, and what is inside of them.
    pub fn own(&self, out: &mut Text, input: &FileInput) {
        let own = input.own();
        self.denied("OWN-V4", true).whole(out, &[], &own.v4);
        self.denied("OWN-V6", true).whole(out, &[], &own.v6);
    }

    /// The same, and what covers them.
    pub fn own_and_covers(&self, out: &mut Text, input: &FileInput) {
        self.own(out, input);
        let covers = input.covers();
        self.denied("COVER-V4", false).whole(out, &[], &covers.v4);
        self.denied("COVER-V6", false).whole(out, &[], &covers.v6);
    }

    /// Lists that deny what is listed, and what is inside of that, and permit all others.
    pub fn listed(&self, out: &mut Text, input: &FileInput) {
        let (gone, set) = (input.to_unconfigure, input.set());
        let list = |name| PrefixList {
            action: "deny",
            ..self.denied(name, true)
        };
        list("FILTER-V4").whole(out, &gone.v4, &set.v4);
        list("FILTER-V6").whole(out, &gone.v6, &set.v6);
    }

    /// A list for a clause that denies. Entries that are no longer needed are not removed: they
    /// drop nothing.
    fn denied<'a>(&'a self, name: &'a str, inside: bool) -> PrefixList<'a> {
        PrefixList {
            dialect: self,
            name,
            action: "permit",
            inside,
        }
    }
}

/// The names of these lists.
pub fn names(lists: &[&str]) -> Own {
    let named = |family| {
        let lists = lists.iter();
        lists.map(move |list| format!("NULLROUTED-{list}-{family}"))
    };
    ["V4", "V6"].map(|family| named(family).collect())
}

/// One list.
pub struct PrefixList<'a> {
    pub dialect: &'a Dialect,
    /// Its name, without ours before it.
    pub name: &'a str,
    /// `permit` or `deny`: what is said of each of its prefixes.
    pub action: &'a str,
    /// Whether it is said of what is inside of them as well.
    pub inside: bool,
}

impl PrefixList<'_> {
    /// `ip prefix-list NULLROUTED-NAME`.
    pub fn command<B: Ip>(&self) -> String {
        let command = self.dialect.commands[usize::from(B::N == 6)];
        format!("{command} NULLROUTED-{}", self.name)
    }

    /// The line about all others.
    pub fn others<B: Ip>(&self, out: &mut Text, number: u32) {
        let Dialect {
            number: seq,
            longest: le,
            ..
        } = self.dialect;
        let others = match self.action {
            "permit" => "deny",
            _ => "permit",
        };
        let all = B::ALL.replace('/', &self.dialect.slash.to_string());
        let (command, width) = (self.command::<B>(), B::WIDTH);
        let _ = writeln!(out, "{command} {seq} {number} {others} {all} {le} {width}");
    }

    /// A line a prefix, each with a number that is free.
    pub fn entries<B: Ip>(
        &self,
        out: &mut Text,
        prefixes: &[Prefix<B>],
        free: RangeInclusive<u32>,
    ) {
        let before = format!("{} {} ", self.command::<B>(), self.dialect.number);
        let action = format!(" {} ", self.action);
        let after = self.after::<B>();
        for (number, prefix) in numbered(prefixes, free) {
            out.push(&before);
            out.number(number);
            out.push(&action);
            self.prefix(out, prefix, &after);
        }
    }

    /// The lines that take these away.
    fn without<B: Ip>(&self, out: &mut Text, gone: &[Prefix<B>]) {
        let Dialect { number, no, .. } = self.dialect;
        let (no, by_number) = no;
        let command = self.command::<B>();
        let after = self.after::<B>();
        for prefix in gone {
            if *by_number {
                let _ = writeln!(out, "{no} {command} {number} {}", self.number(prefix));
                continue;
            }
            let _ = write!(out, "{no} {command} {} ", self.action);
            self.prefix(out, prefix, &after);
        }
    }

    /// The number that a prefix has where no other one wants it.
    fn number<B: Ip>(&self, prefix: &Prefix<B>) -> u32 {
        let mut numbers = numbered(std::slice::from_ref(prefix), self.free());
        numbers.next().map_or(0, |(number, _)| number)
    }

    fn free(&self) -> RangeInclusive<u32> {
        1..=self.dialect.others - 1
    }

    /// All of it: the line about all others, those that take away what is gone, and the entries.
    fn whole<B: Ip>(&self, out: &mut Text, gone: &[Prefix<B>], prefixes: &[Prefix<B>]) {
        self.others::<B>(out, self.dialect.others);
        self.without(out, gone);
        self.entries(out, prefixes, self.free());
        out.push(self.dialect.comment);
    }

    /// The end of the line of a prefix in which there is more than one address.
    fn after<B: Ip>(&self) -> String {
        match self.inside {
            true => format!(" {} {}\n", self.dialect.longest, B::WIDTH),
            false => "\n".to_owned(),
        }
    }

    fn prefix<B: Ip>(&self, out: &mut Text, prefix: &Prefix<B>, after: &str) {
        match self.dialect.slash {
            '/' => out.prefix(prefix),
            _ => out.spaced(prefix),
        }
        out.push(if prefix.len() < B::WIDTH { after } else { "\n" });
    }
}
