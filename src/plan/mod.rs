//! The plan: what would change, whether it may, and why each prefix is added or removed. Pure.

mod describe;
mod diff;
mod gate;
mod reason;

pub use describe::{Cause, Explained, cause_of_addition, cause_of_removal};
pub use diff::{Change, Side};
pub use gate::{FeedChange, Verdict, configuration, evaluate, fits};
pub use reason::{FeedCounts, IpVersion, Reason, Unreadable, joined, sentences};
