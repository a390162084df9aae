//! What a router file is made of.

use std::fmt;
use std::iter::successors;

use ipnet::IpNet;

use crate::policy::limits::Limits;
use crate::policy::protect::Protected;
use crate::policy::selection::Selection;
use crate::prefix::{Bits, Effective, Prefix, PrefixSet};
use crate::targets::file::ToUnconfigure;
use crate::targets::file::parts::reasons::{Reason, Reasons};

/// Everything that is in the router files, whatever their options.
#[derive(Clone, Debug)]
pub struct FileInput<'a> {
    /// The prefixes and the origin ASes.
    pub effective: &'a Effective,
    /// What was in force of late, and no longer is.
    pub to_unconfigure: &'a ToUnconfigure,
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
    /// What the router gets, where that is not everything in force.
    pub selected: Option<Selected>,
}

/// What a router gets of the set in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Whose listings, and which prefixes of theirs.
    pub selection: Selection,
    /// Number of prefixes that are too long for it, IPv4 and IPv6.
    pub left_out: [usize; 2],
    /// Number of prefixes that a router cannot announce which announces routes of the kernel: there
    /// they are a part of a wider one.
    pub joined: usize,
}

impl fmt::Display for Selected {
    /// `feeds a, b; IPv4 up to /24; 3 IPv4 prefixes longer than /24 left out`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.selection)?;
        if let Some(left_out) = self.selection.describe(self.left_out) {
            write!(f, "; {left_out}")?;
        }
        match self.joined {
            0 => Ok(()),
            joined => write!(
                f,
                "; {joined} not announced, as the kernel has them in a wider route"
            ),
        }
    }
}

impl<'a> FileInput<'a> {
    pub fn set(&self) -> &'a PrefixSet {
        &self.effective.nets
    }

    /// The origin ASes in force, ascending.
    pub fn origins(&self) -> &'a [u32] {
        &self.effective.origins
    }

    /// The IPv4 prefixes, ascending, each with its reason.
    pub fn v4(&self, each: impl FnMut(&'a Prefix<u32>, &Reason)) {
        self.reasons
            .each(&self.effective.nets.v4, |limits| limits.shortest_v4, each);
    }

    /// The IPv6 prefixes, ascending, each with its reason.
    pub fn v6(&self, each: impl FnMut(&'a Prefix<u128>, &Reason)) {
        self.reasons
            .each(&self.effective.nets.v6, |limits| limits.shortest_v6, each);
    }

    /// The IPv4 routes that a router must no longer have. Those that cover a network of the
    /// operator are left out: the operator's own route, such as an aggregate, may have the same
    /// prefix; see [`FileInput::kept`].
    pub fn left_v4(&self) -> impl Iterator<Item = &'a Prefix<u32>> {
        let gone = self.to_unconfigure.v4.iter();
        gone.filter(|prefix| !self.covers_own(prefix.to_net()))
    }

    /// The same, IPv6.
    pub fn left_v6(&self) -> impl Iterator<Item = &'a Prefix<u128>> {
        let gone = self.to_unconfigure.v6.iter();
        gone.filter(|prefix| !self.covers_own(prefix.to_net()))
    }

    /// A comment for each route that is no longer listed and not removed.
    pub fn kept(&self, mark: &str) -> String {
        let v4 = self.to_unconfigure.v4.iter().map(Prefix::to_net);
        let v6 = self.to_unconfigure.v6.iter().map(Prefix::to_net);
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

    /// The operator's own networks (`[protect]`), joined.
    pub fn own(&self) -> PrefixSet {
        PrefixSet::of_nets(self.own.iter().map(|protected| protected.net))
    }

    /// The prefixes that cover those and that the limits let an edge accept. Empty if there are too
    /// many to name; then the head of the file says so.
    pub fn covers(&self) -> Covers {
        let mut covers = self.all_covers();
        if covers.v4.len() > MOST_COVERS {
            covers.v4.clear();
        }
        if covers.v6.len() > MOST_COVERS {
            covers.v6.clear();
        }
        covers
    }

    /// A line for each address family with too many covers.
    pub fn too_many_covers(&self) -> String {
        let covers = self.all_covers();
        let all = [("IPv4", covers.v4.len()), ("IPv6", covers.v6.len())];
        let too_many = all.into_iter().filter(|(_, covers)| *covers > MOST_COVERS);
        let line = |(family, covers)| {
            format!(
                "{covers} {family} prefixes cover your own networks, too many to be named: have a route of its own for \
                 each of these.\n"
            )
        };
        too_many.map(line).collect()
    }

    fn all_covers(&self) -> Covers {
        let own = self.own();
        Covers {
            v4: covering(&own.v4, self.limits.shortest_v4),
            v6: covering(&own.v6, self.limits.shortest_v6),
        }
    }

    /// How many routes of a family an edge takes of a neighbor, at least one, as routers want it.
    pub fn most(&self) -> usize {
        self.limits.max_routes.max(1)
    }
}

/// At most this many covers are named: FRR 8.4 takes some seconds for them, and so do the checks of
/// other routers.
const MOST_COVERS: usize = 500;

/// The prefixes that cover the operator's own networks.
pub struct Covers {
    pub v4: Vec<Prefix<u32>>,
    pub v6: Vec<Prefix<u128>>,
}

/// The prefixes that cover these and are not shorter than `shortest`, ascending.
fn covering<B: Bits>(own: &[Prefix<B>], shortest: u8) -> Vec<Prefix<B>> {
    let above = |prefix: &Prefix<B>| {
        let above = successors(prefix.parent(), Prefix::parent);
        above.take_while(|prefix| prefix.len() >= shortest.max(1))
    };
    let mut covers: Vec<_> = own.iter().flat_map(above).collect();
    covers.sort_unstable();
    covers.dedup();
    covers
}
