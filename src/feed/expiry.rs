//! Entries with their own time: when they begin, and when they expire. Pure.

use std::time::Duration;

use super::Entry;
use crate::time::Timestamp;

/// When an entry expires, or begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is not in force before this time.
    NotBefore(Timestamp),
    /// At this time.
    At(Timestamp),
    /// This time after the copy was downloaded.
    After(Duration),
}

impl End {
    /// The time at which it begins or ends, for a copy downloaded at `fetched`.
    pub fn time(self, fetched: Timestamp) -> Timestamp {
        match self {
            Self::NotBefore(time) | Self::At(time) => time,
            Self::After(span) => fetched.after(span),
        }
    }

    /// Whether an entry with this end does not count at `now`.
    fn is_out(self, fetched: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::NotBefore(time) => now < time,
            end => end.time(fetched) <= now,
        }
    }
}

/// Ends of entries: index of the entry, and when it ends. Ascending by index.
pub type Ends = Vec<(u32, End)>;

/// Remove the entries that do not count at `now`, of a copy downloaded at `fetched`.
pub(super) fn drop_ended<B>(
    entries: &mut Vec<Entry<B>>,
    ends: &Ends,
    fetched: Timestamp,
    now: Timestamp,
) {
    let out = ends.iter().filter(|(_, end)| end.is_out(fetched, now));
    let mut out: Vec<u32> = out.map(|(index, _)| *index).collect();
    out.dedup();
    let mut ended = out.into_iter().peekable();
    let mut index = 0;
    entries.retain(|_| {
        let gone = ended.next_if_eq(&index).is_some();
        index += 1;
        !gone
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::FeedCopy;
    use crate::prefix::{HostBits, parse};

    #[test]
    fn an_entry_counts_between_its_beginning_and_its_end() {
        let mut copy = FeedCopy::default();
        let written = |text| parse(text, HostBits::Refuse).unwrap();
        copy.add(written("192.0.2.0/24"), 1, "");
        copy.add(written("198.51.100.0/24"), 2, "");
        copy.end_from(
            (1, 0),
            &[End::NotBefore(Timestamp(10)), End::At(Timestamp(20))],
        );
        let at = |now| copy.without_ended(Timestamp(0), Timestamp(now)).len();
        assert_eq!([at(9), at(10), at(19), at(20)], [1, 2, 2, 1]);
        let next = |now| copy.next_end(Timestamp(0), Timestamp(now));
        assert_eq!(next(0), Some(Timestamp(10)));
        assert_eq!(next(10), Some(Timestamp(20)));
        assert_eq!(next(20), None);
    }
}
