//! `ip prefix-list`, which Cisco has made and others have taken over.
//!
//! * A list without an entry permits everything, and so does one that is not there. So a line that
//!   matches all is written before the others, with the last number.
//! * `le 32` behind a /32 is refused.

use crate::prefix::{Bits, Prefix};
use crate::targets::file::parts::sequence::{Numbered, numbered};
use crate::targets::file::parts::text::Text;
use std::ops::RangeInclusive;

pub struct PrefixList<'a> {
    /// Its name, without ours before it.
    pub name: &'a str,
    /// `permit` or `deny`: what is said of each of its prefixes.
    pub action: &'a str,
    /// Whether it is said of what is inside of them as well.
    pub inside: bool,
}

impl PrefixList<'_> {
    /// `ip prefix-list NULLROUTED-NAME`.
    pub fn command<B: Bits>(&self) -> String {
        let ip = if B::WIDTH == 32 { "ip" } else { "ipv6" };
        format!("{ip} prefix-list NULLROUTED-{}", self.name)
    }

    /// The line about all others.
    pub fn others<B: Bits>(&self, out: &mut Text, number: u32) {
        let others = if self.action == "permit" {
            "deny"
        } else {
            "permit"
        };
        let all = if B::WIDTH == 32 { "0.0.0.0/0" } else { "::/0" };
        out.push(&self.command::<B>());
        out.push(" seq ");
        out.number(number);
        out.push(&format!(" {others} {all} le {}\n", B::WIDTH));
    }

    /// A line a prefix, each with a number that is free.
    pub fn entries<B: Numbered>(
        &self,
        out: &mut Text,
        prefixes: &[Prefix<B>],
        free: RangeInclusive<u32>,
    ) {
        let before = format!("{} seq ", self.command::<B>());
        let action = format!(" {} ", self.action);
        for (number, prefix) in numbered(prefixes, free) {
            out.push(&before);
            out.number(number);
            out.push(&action);
            self.prefix(out, prefix);
        }
    }

    /// The lines that take these away, whatever number they had.
    pub fn without<B: Bits>(&self, out: &mut Text, gone: &[Prefix<B>]) {
        let before = format!("no {} {} ", self.command::<B>(), self.action);
        for prefix in gone {
            out.push(&before);
            self.prefix(out, prefix);
        }
    }

    fn prefix<B: Bits>(&self, out: &mut Text, prefix: &Prefix<B>) {
        out.prefix(prefix);
        if self.inside && prefix.len() < B::WIDTH {
            out.push(if B::WIDTH == 32 { " le 32" } else { " le 128" });
        }
        out.push("\n");
    }
}
