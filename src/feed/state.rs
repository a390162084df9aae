//! What the last look at a feed gave, in one word.

use crate::named::named;

named! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum FeedState {
        /// A look has begun and not ended.
        Looking = "looking",
        /// A copy that lists something else than the one before.
        Fresh = "fresh",
        /// A copy that lists the same.
        Unchanged = "unchanged",
        /// It could not be fetched or kept.
        Failed = "failed",
        Incomplete = "incomplete",
        /// Not a list of this feed.
        Foreign = "foreign",
        /// The publisher has ended it.
        Retired = "retired",
        Empty = "empty",
        /// Older than the copy at hand.
        Stale = "stale",
    }
}
