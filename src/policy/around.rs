//! The policy applied again where one prefix is listed or protected otherwise than before, and
//! nowhere else. Pure.
//!
//! ```text
//!  before:  ──────────┤ window ├──────────────
//!                         │ changed prefix
//!  after:   ──────────┤ same   ├──────────────   the policy of all entries, of the window only
//! ```
//!
//! Each step of the policy is local: a prefix is cut, dropped whole, or joined with its neighbor by
//! what is listed and protected inside of it. So the window is the changed prefix, the listed
//! prefix around it, and the neighbors that it is joined with.

use std::ops::Range;
use std::sync::Arc;

use ipnet::IpNet;

use super::{Family, Part, Permitted, Policy};
use crate::prefix::{Bits, Prefix, covering, inside};
use crate::rib::Rib;

/// At most this many entries are read again; for more, all are.
const MOST: usize = 10_000;

impl Policy {
    /// [`Policy::apply`] to a RIB that lists `net` otherwise than the one of `before` did, or under
    /// a policy that protects `net` otherwise, with the prefix outside of which nothing has
    /// changed. `None` where that is not certain.
    pub(crate) fn apply_around(
        &self,
        rib: &Rib,
        net: IpNet,
        before: &Permitted,
    ) -> Option<(Permitted, IpNet)> {
        match net {
            IpNet::V4(net) => self.around::<u32>(rib, net.into(), before),
            IpNet::V6(net) => self.around::<u128>(rib, net.into(), before),
        }
    }

    fn around<B: Family>(
        &self,
        rib: &Rib,
        net: Prefix<B>,
        before: &Permitted,
    ) -> Option<(Permitted, IpNet)> {
        // The limit of length is for whole lines, which may list space elsewhere.
        let is_refused = |feed, line| before.refused_lines.contains(&(feed, line));
        let listed = B::of_set(&before.listed);
        let mut window = net;
        let part = loop {
            window = covering(listed, &window).copied().unwrap_or(window);
            if window.len() == 0 {
                return None;
            }
            // A listing is around the window and not in the set: reserved space is cut out of it.
            let around = rib.covering(window);
            let entries = rib.entries_inside(window);
            if entries.len() > MOST || around.iter().any(|one| !is_refused(one.feed, one.line)) {
                return None;
            }
            let part = self.part::<B>(rib, &entries, |one| is_refused(one.feed, one.line));
            // All of the window: it may be joined with the other half of its parent.
            match joined(&part.listed, window, listed) {
                Some(parent) => window = parent,
                None => break part,
            }
        };
        Some((before.replaced(window, part), window.to_net()))
    }
}

/// The parent of the window, if all of the window is listed now, and the other half was.
fn joined<B: Bits>(now: &[Prefix<B>], window: Prefix<B>, was: &[Prefix<B>]) -> Option<Prefix<B>> {
    let parent = window.parent().filter(|_| now == [window])?;
    let (low, high) = parent.halves()?;
    let other = if low == window { high } else { low };
    was.binary_search_by_key(&other.key(), Prefix::key)
        .is_ok()
        .then_some(parent)
}

impl Permitted {
    /// The same with another part inside of the window.
    fn replaced<B: Family>(&self, window: Prefix<B>, part: Part<B>) -> Self {
        let mut after = self.clone();
        let is_whole = Arc::ptr_eq(B::of_set(&self.listed), B::of_set(&self.set));
        let listed = spliced(B::of_set(&self.listed), window, &part.listed);
        *B::side(&mut after.set) = match (&part.left, is_whole) {
            (None, true) => listed.clone(),
            (None, false) => spliced(B::of_set(&self.set), window, &part.listed),
            (Some(left), _) => spliced(B::of_set(&self.set), window, left),
        };
        *B::side(&mut after.listed) = listed;
        let nets = |these: Vec<Prefix<B>>| these.into_iter().map(|prefix| prefix.to_net());
        replace(&mut after.reserved, window, nets(part.reserved));
        replace(&mut after.cut, window, nets(part.cut));
        replace(&mut after.dropped, window, nets(part.dropped));
        after
    }
}

fn spliced<B: Bits>(
    old: &Arc<[Prefix<B>]>,
    window: Prefix<B>,
    new: &[Prefix<B>],
) -> Arc<[Prefix<B>]> {
    let Range { start, end } = inside(old, &window);
    if old[start..end] == *new {
        return old.clone();
    }
    let parts = old[..start].iter().chain(new).chain(&old[end..]);
    parts.copied().collect()
}

fn replace<B: Bits>(nets: &mut Vec<IpNet>, window: Prefix<B>, new: impl Iterator<Item = IpNet>) {
    let (first, last) = (window.to_net(), Prefix::host(window.last()).to_net());
    let start = nets.partition_point(|one| *one < first);
    let end = nets.partition_point(|one| *one <= last);
    nets.splice(start..end, new);
}
