//! What the tests of the decision have in common.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::{Applied, AtHand, Feed};
use crate::digest;
use crate::feed::formats::{Format, Rules, parse_body};
use crate::feed::standing::Ages;
use crate::plan::Unreadable;
use crate::policy::limits::FeedLimits;
use crate::policy::protect::{Protect, Protected};
use crate::time::Timestamp;

pub const DAY: u64 = 86_400;
pub const NOW: Timestamp = Timestamp(1_790_000_000);

/// Stale after a day, expired after a week.
pub const AGES: Ages = Ages {
    stale_after: Duration::from_secs(DAY),
    expire_after: Duration::from_secs(7 * DAY),
    max_age: None,
};

/// A list as it is at hand.
pub fn at_hand(list: &str) -> AtHand {
    AtHand {
        digest: digest::of(list.as_bytes()),
        copy: Arc::new(parse_body(list.as_bytes(), &Rules::of(Format::Cidr)).unwrap()),
        fetched: NOW,
    }
}

/// A feed with the copy behind what is in force, and the one at hand.
pub fn feed(name: &str, applied: Option<AtHand>, current: Option<AtHand>) -> Feed {
    Feed {
        name: name.into(),
        reserved: false,
        limits: FeedLimits::default(),
        ages: AGES,
        confirmed: Some(NOW),
        generated: None,
        unreadable: Unreadable::Copy,
        current,
        applied: applied.map(Applied::Copy),
    }
}

/// These networks, typed.
pub fn protect(nets: impl Iterator<Item = IpNet>) -> Protect {
    protect_and_show(nets, std::iter::empty())
}

/// These networks typed, and those shown by names and sessions.
pub fn protect_and_show(
    typed: impl Iterator<Item = IpNet>,
    shown: impl Iterator<Item = IpNet>,
) -> Protect {
    let of = |net, why: &str| Protected {
        net,
        why: why.to_owned(),
    };
    let typed = typed.map(|net| of(net, "[protect] prefixes"));
    let shown = shown.map(|net| of(net, "shown"));
    Protect::with_holes(typed.collect(), shown.collect())
}
