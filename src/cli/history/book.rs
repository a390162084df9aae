//! The log book: generations and events, the oldest first.

use super::super::{Exit, Outcome};
use super::Show;
use crate::ledger::{Book, Ledger};
use crate::view::{self, Entry};

/// Entries that are shown without `--all`.
const SHOWN: usize = 40;

pub(super) fn run(ledger: &Ledger, all: bool, (show, json): Show<'_>) -> Outcome {
    let most = if all { usize::MAX } else { SHOWN };
    let book = ledger.at_one_moment(|ledger| ledger.book(most))?;
    let (earlier, entries) = newest(book, most);
    let book = view::Book { earlier, entries };
    show.show(&book, json)?;
    Ok(Exit::Done)
}

/// The newest of both, merged, and how many there are before them.
fn newest(book: Book, most: usize) -> (usize, Vec<Entry>) {
    let events = book.events.into_iter().rev().map(Entry::Event);
    let generations = book.generations.into_iter().rev().map(Entry::Generation);
    let mut entries: Vec<Entry> = events.chain(generations).collect();
    Entry::sort(&mut entries);
    entries.drain(..entries.len().saturating_sub(most));
    (book.entries.saturating_sub(entries.len()), entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Event, EventKind, GenerationCause, GenerationRow, WrittenCause};
    use crate::shown::Lines;
    use crate::time::Timestamp;
    use crate::view::View;

    fn generation(number: u64, at: i64) -> GenerationRow {
        GenerationRow {
            number,
            at: Timestamp(at),
            routes: 1_598,
            added: 12,
            removed: 3,
            cause: WrittenCause::Known(GenerationCause::Refresh),
            review: String::new(),
            by: String::new(),
            pinned: false,
        }
    }

    fn event(kind: EventKind, at: i64) -> Event {
        Event {
            at: Timestamp(at),
            kind,
            subject: "192.0.2.0/24".to_owned(),
            by: "alice".to_owned(),
            uid: None,
            text: "ticket\t7".to_owned(),
            generation: None,
        }
    }

    fn shown(book: Book, most: usize) -> (usize, Vec<String>) {
        let (earlier, entries) = newest(book, most);
        let mut out = Vec::new();
        let book = view::Book {
            earlier: 0,
            entries,
        };
        book.print(&mut Lines::new(&mut out)).unwrap();
        let text = String::from_utf8(out).unwrap();
        (earlier, text.lines().map(str::to_owned).collect())
    }

    fn book() -> Book {
        Book {
            generations: vec![generation(10, 30), generation(9, 20), generation(8, 10)],
            events: vec![event(EventKind::Remove, 30), event(EventKind::Add, 15)],
            entries: 7,
        }
    }

    #[test]
    fn both_are_merged_by_time_and_an_event_stands_before_its_generation() {
        let (earlier, lines) = shown(book(), 4);
        assert_eq!(earlier, 3);
        assert_eq!(
            lines,
            [
                "1970-01-01T00:00:15Z  add            192.0.2.0/24  ticket 7  (alice)",
                "1970-01-01T00:00:20Z  generation 9   refresh  +12 -3  1,598 routes",
                "1970-01-01T00:00:30Z  remove         192.0.2.0/24  ticket 7  (alice)",
                "1970-01-01T00:00:30Z  generation 10  refresh  +12 -3  1,598 routes",
            ]
        );
    }
}
