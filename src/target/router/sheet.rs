//! What a router file is made of.

use ipnet::IpNet;

use super::Gone;
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
    /// What was in force of late, and no longer is.
    pub gone: &'a Gone,
    /// Credits of the publishers whose lists are in it, in the order of the feeds.
    pub attributions: &'a [&'a str],
    /// Why each prefix is in it.
    pub reasons: Reasons<'a>,
    /// What the operator typed under `[protect]`: no router takes a blackhole for it.
    pub own: &'a [Protected],
    /// What no router takes, however it is announced.
    pub limits: &'a Limits,
    /// The metric of our routes in the kernel; 0 where they have none of their own.
    pub metric: u32,
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
        self.head_of(mark, uses, None)
    }

    /// The same, and which way to take instead where the set is too large for the family.
    pub(super) fn head_of(&self, mark: &str, uses: &str, too_many: Option<String>) -> String {
        let (v4, v6) = (self.set.v4.len(), self.set.v6.len());
        let title = format!("{WRITTEN} {v4} IPv4 and {v6} IPv6 prefixes.");
        let credits = self.attributions.iter();
        let credits = credits.map(|credit| format!("Contains: {credit}"));
        let lines = [title, String::new()].into_iter();
        let lines = lines.chain(uses.lines().map(str::to_owned));
        let lines = lines.chain(too_many).chain(credits);
        comments(mark, lines)
    }

    /// The same of a file that says nothing of the set.
    pub(super) fn constant_head(mark: &str, uses: &str) -> String {
        let lines = [WRITTEN, ""].into_iter().chain(uses.lines());
        comments(mark, lines.map(str::to_owned))
    }

    /// The IPv4 routes that a router shall no longer have. Not those that cover a network of the operator's own: his own
    /// route for it may stand in their place, as where he announces an aggregate; see [`Sheet::kept`].
    pub(super) fn left_v4(&self) -> impl Iterator<Item = &'a Prefix<u32>> {
        let gone = self.gone.v4.iter();
        gone.filter(|prefix| !self.covers_own(prefix.to_net()))
    }

    /// The same, IPv6.
    pub(super) fn left_v6(&self) -> impl Iterator<Item = &'a Prefix<u128>> {
        let gone = self.gone.v6.iter();
        gone.filter(|prefix| !self.covers_own(prefix.to_net()))
    }

    /// A comment for each route that is gone and not taken away.
    pub(super) fn kept(&self, mark: &str) -> String {
        let v4 = self.gone.v4.iter().map(Prefix::to_net);
        let v6 = self.gone.v6.iter().map(Prefix::to_net);
        let kept = v4.chain(v6).filter(|net| self.covers_own(*net));
        let said = |net| {
            format!(
                "{mark} {net} is your own now: if its route to null has tag 666, take it out by hand.\n"
            )
        };
        kept.map(said).collect()
    }

    fn covers_own(&self, net: IpNet) -> bool {
        self.own.iter().any(|own| net.contains(&own.net))
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
