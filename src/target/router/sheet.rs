//! What a router file is made of.

use super::reasons::{Reason, Reasons};
use crate::policy::limits::Limits;
use crate::policy::protect::Protected;
use crate::prefix::{Prefix, PrefixSet};

/// Every file begins with it.
const WRITTEN: &str = "Written by nullrouted; changes made here are lost.";

/// Everything that is in the router files, whatever their shape.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The effective set.
    pub set: &'a PrefixSet,
    /// The origin ASes in force, ascending.
    pub origins: &'a [u32],
    /// Credits of the publishers whose lists are in it, in the order of the feeds.
    pub attributions: &'a [&'a str],
    /// Why each prefix is in it.
    pub reasons: Reasons<'a>,
    /// What the operator typed under `[protect]`: no router takes a blackhole for it.
    pub own: &'a [Protected],
    /// What no router takes, however it is announced.
    pub limits: &'a Limits,
}

impl<'a> Sheet<'a> {
    /// The IPv4 prefixes, ascending, each with its reason.
    pub(super) fn v4(&self, each: impl FnMut(&'a Prefix<u32>, &Reason)) {
        self.reasons.v4(&self.set.v4, each);
    }

    /// The IPv6 prefixes, ascending, each with its reason.
    pub(super) fn v6(&self, each: impl FnMut(&'a Prefix<u128>, &Reason)) {
        self.reasons.v6(&self.set.v6, each);
    }

    /// The head of a file with the set as comments: who wrote it, how it is used, the credits, and an empty comment.
    pub(super) fn head(&self, mark: &str, uses: &str) -> String {
        let (v4, v6) = (self.set.v4.len(), self.set.v6.len());
        let title = format!("{WRITTEN} {v4} IPv4 and {v6} IPv6 prefixes.");
        let credits = self.attributions.iter();
        let credits = credits.map(|credit| format!("Contains: {credit}"));
        let lines = [title, String::new()].into_iter();
        let lines = lines.chain(uses.lines().map(str::to_owned)).chain(credits);
        comments(mark, lines)
    }

    /// The same of a file that says nothing of the set.
    pub(super) fn constant_head(mark: &str, uses: &str) -> String {
        let lines = [WRITTEN, ""].into_iter().chain(uses.lines());
        comments(mark, lines.map(str::to_owned))
    }

    /// What the operator typed as his own, joined.
    pub(super) fn own(&self) -> PrefixSet {
        PrefixSet::of_nets(self.own.iter().map(|protected| protected.net))
    }
}

fn comments(mark: &str, lines: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    for line in lines.chain([String::new()]) {
        out.push_str(format!("{mark} {line}").trim_end());
        out.push('\n');
    }
    out
}
