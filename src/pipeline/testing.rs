//! What the tests of the decision have in common.

use std::time::Duration;

use ipnet::IpNet;

use crate::feed::standing::Ages;
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

/// These networks, typed.
pub fn protect(nets: impl Iterator<Item = IpNet>) -> Protect {
    let typed = nets.map(|net| Protected {
        net,
        why: "[protect] prefixes".to_owned(),
    });
    Protect::new(typed.collect())
}
