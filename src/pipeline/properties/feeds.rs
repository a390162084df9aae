//! The feeds of the shell, and the copies of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::testing::AGES;
use super::super::{Applied, AtHand, Feed};
use super::bounds::OwnBounds;
use super::naive::{Net, Space};
use crate::feed::{End, FeedCopy};
use crate::plan::Unreadable;
use crate::prefix::Written;
use crate::time::Timestamp;

/// One feed, as the ledger and the copies have it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub name: String,
    pub configured: bool,
    pub bogons: bool,
    pub own: OwnBounds,
    pub confirmed: Option<Timestamp>,
    pub current: Option<Copy>,
    pub applied: Option<Copy>,
    /// Whether the one and the other cannot be read.
    pub lost: [bool; 2],
}

/// A copy of a list, with the times at which its entries end.
#[derive(Clone, Debug)]
pub struct Copy {
    pub nets: Vec<(Net, Option<Timestamp>)>,
    pub origins: BTreeSet<u32>,
    at: AtHand,
}

impl Copy {
    /// As it is read.
    pub fn new(
        space: &Space,
        nets: Vec<(Net, Option<Timestamp>)>,
        origins: BTreeSet<u32>,
        now: Timestamp,
    ) -> Self {
        let mut copy = FeedCopy::default();
        for (line, (net, until)) in (1..).zip(&nets) {
            let before = (copy.v4.len(), copy.v6.len());
            copy.add(written(space, *net), line, "");
            if let Some(until) = until {
                copy.end_from(before, &[End::At(*until)]);
            }
        }
        for asn in &origins {
            copy.add_origin(*asn, 0, "");
        }
        let at = AtHand {
            digest: format!("{nets:?} {origins:?}"),
            copy: Arc::new(copy),
            fetched: now,
        };
        Self { nets, origins, at }
    }

    /// Whether it is the same copy.
    pub fn same(&self, other: &Self) -> bool {
        self.at.digest == other.at.digest
    }
}

/// A prefix as it is read.
pub fn written(space: &Space, net: Net) -> Written {
    match space.net(net) {
        ipnet::IpNet::V4(net) => Written::V4(net.into()),
        ipnet::IpNet::V6(net) => Written::V6(net.into()),
    }
}

impl Known {
    /// Whether its copy counts.
    pub fn counts(&self, now: Timestamp) -> bool {
        let confirmed = self.confirmed.filter(|_| self.configured);
        confirmed.is_some_and(|at| at.age(now) < AGES.expire_after)
    }

    /// The copy at hand.
    pub fn current(&self) -> Option<&Copy> {
        self.current.as_ref().filter(|_| !self.lost[0])
    }

    /// The copy behind what is in force. It may be the one at hand, and is then read no more than
    /// that.
    pub fn applied(&self) -> Option<Result<&Copy, ()>> {
        let applied = self.applied.as_ref()?;
        let same = self.current.as_ref().is_some_and(|at| at.same(applied));
        let lost = self.lost[usize::from(!same)];
        Some(if lost { Err(()) } else { Ok(applied) })
    }

    /// As the decision has it.
    pub fn feed(&self) -> Feed {
        Feed {
            name: self.name.as_str().into(),
            reserved: self.bogons,
            limits: self.own.limits(),
            ages: AGES,
            confirmed: self.confirmed,
            generated: None,
            current: self.current().map(|copy| copy.at.clone()),
            unreadable: Unreadable::Copy,
            applied: self.applied().map(|copy| match copy {
                Ok(copy) => Applied::Copy(copy.at.clone()),
                Err(()) => Applied::Lost,
            }),
        }
    }
}
