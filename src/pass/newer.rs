//! Whether a good copy is to be preferred to the one at hand. Pure.

use crate::config::FeedConfig;
use crate::feed::{FeedCopy, Refused};
use crate::ledger::FeedRow;
use crate::time::Timestamp;

/// `Ok`, or why the one at hand stays.
///
/// # Errors
/// [`Refused::ValidEmpty`] for a whole list without an entry where there were some,
/// [`Refused::Older`] for one that its publisher made before the one at hand.
pub fn preferred(
    feed: &FeedConfig,
    row: &FeedRow,
    copy: &FeedCopy,
    now: Timestamp,
) -> Result<(), Refused> {
    let may_be_empty = feed.rules.may_be_empty || feed.believe_empty;
    let loses_all = copy.is_empty() && row.entries > 0 && !may_be_empty;
    if let Some(proof) = copy.proof.filter(|_| loses_all) {
        return Err(Refused::ValidEmpty(proof.into()));
    }
    // A local file is taken as it is. And a date that was wrong once must not freeze the feed: a
    // copy that was not confirmed for that long has no precedence.
    let same_place = row.origin == feed.origin.to_string() && feed.origin.is_remote();
    let confirmed = row.confirmed(feed.ages, now).map(|at| at.age(now));
    let recent = confirmed.is_some_and(|age| age < feed.ages.stale_after);
    let credible = |at: Timestamp| at <= now.after(Timestamp::CLOCK_TOLERANCE);
    match (copy.generated, row.generated) {
        (Some(this), Some(at_hand))
            if same_place && recent && this < at_hand && credible(at_hand) =>
        {
            Err(Refused::Older(this, at_hand))
        }
        _ => Ok(()),
    }
}
