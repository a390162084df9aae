//! The ledger by itself: what it keeps, and what it says when it cannot.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;
use crate::feed::formats::{Format, Rules, parse_body};
use crate::feed::{CopyDifference, Refused};
use crate::plan::{Change, Reason};
use crate::prefix::{PrefixSet, subtract_set};
use crate::time::Timestamp;

fn copy(list: &str) -> crate::feed::FeedCopy {
    parse_body(list.as_bytes(), &Rules::of(Format::Cidr)).unwrap()
}

/// Bring the listings in step, whatever they were. Answers the number of pieces.
fn listed(ledger: &Ledger, copy: &crate::feed::FeedCopy, at: i64) -> usize {
    let copy = Arc::new(copy.clone());
    let mut pieces = Pieces::of("noc", copy, ("some", "read".to_owned()), Timestamp(at));
    let steps = (1..).find(|_| pieces.step(ledger).unwrap());
    steps.unwrap()
}

#[test]
fn a_long_list_is_written_in_pieces_and_out_of_step_until_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let row = FeedRow {
        name: "noc".to_owned(),
        digest: Some("some".to_owned()),
        ..FeedRow::default()
    };
    ledger.write_feed(&row).unwrap();
    let hosts = |from: u32, to: u32| -> crate::feed::FeedCopy {
        let host = |i: u32| {
            format!(
                "11.{}.{}.{} # SBL{}\n",
                i >> 16,
                i >> 8 & 255,
                i & 255,
                i % 7
            )
        };
        copy(&(from..to).map(host).collect::<String>())
    };
    let read_as = || ledger.feed("noc").unwrap().unwrap().listed;
    let (first, second) = (hosts(0, 23_000), hosts(8_000, 42_000));
    assert_eq!(listed(&ledger, &first, 100), 5);
    assert_eq!(read_as().as_deref(), Some("read"));
    assert_eq!(lives(&ledger).len(), 23_000);

    // A crash in the middle: out of step, and whole after the next attempt, from the beginning.
    ledger.write_feed(&row).unwrap();
    let of = ("some", "read".to_owned());
    let mut pieces = Pieces::of("noc", Arc::new(second.clone()), of, Timestamp(200));
    assert!(!pieces.step(&ledger).unwrap());
    assert!(!pieces.step(&ledger).unwrap());
    drop(pieces);
    assert_eq!(read_as(), None);
    listed(&ledger, &second, 200);
    assert_eq!(read_as().as_deref(), Some("read"));
    let once = lives(&ledger);
    let other = Ledger::in_memory("other".as_ref()).unwrap();
    other.write_feed(&row).unwrap();
    listed(&other, &first, 100);
    listed(&other, &second, 200);
    assert_eq!(once, lives(&other));

    // Another copy came meanwhile: nothing is said of that one.
    let of = ("gone", "read".to_owned());
    let mut pieces = Pieces::of("noc", Arc::new(first), of, Timestamp(300));
    ledger.write_feed(&row).unwrap();
    while !pieces.step(&ledger).unwrap() {}
    assert_eq!(read_as(), None);
}

#[test]
fn a_listing_keeps_its_first_day_when_it_goes_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    ledger
        .write_feed(&FeedRow {
            name: "noc".to_owned(),
            digest: Some("some".to_owned()),
            ..FeedRow::default()
        })
        .unwrap();
    let both = copy("192.0.2.0/24 # SBL1\n72.37.186.0/23 # SBL2\n192.0.2.0/24 # SBL1\n");
    let one = copy("72.37.186.0/23 # SBL2\n");
    listed(&ledger, &both, 100);
    listed(&ledger, &one, 200);
    let seen = ledger
        .listings_covering("192.0.2.7/32".parse().unwrap())
        .unwrap();
    assert_eq!(seen.len(), 1, "the second line is the same listing");
    assert_eq!(
        (seen[0].first_seen, seen[0].last_seen),
        (Timestamp(100), Some(Timestamp(200)))
    );

    listed(&ledger, &both, 300);
    let seen = ledger
        .listings_covering("192.0.2.0/24".parse().unwrap())
        .unwrap();
    assert_eq!(
        (seen[0].first_seen, seen[0].last_seen),
        (Timestamp(100), None)
    );

    ledger.keep_feeds(&["other"], Timestamp(400)).unwrap();
    let seen = ledger
        .listings_covering("72.37.187.9/32".parse().unwrap())
        .unwrap();
    assert_eq!(seen[0].last_seen, Some(Timestamp(400)));
}

#[test]
fn a_generation_changes_the_set_in_force_and_keeps_what_it_changed() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let generation = |ledger: &mut Ledger, at, added: &[&str], removed: &[&str]| {
        let set = |nets: &[&str]| PrefixSet::of_nets(nets.iter().map(|net| net.parse().unwrap()));
        let before = ledger.in_force().unwrap().nets;
        let after = subtract_set(&before, &set(removed)).union(&set(added));
        let change = Change::of_nets(&before, &after);
        let why = |_: IpNet| String::new();
        let written = ledger.atomically(|ledger| {
            let origin = Origin {
                at: Timestamp(at),
                cause: GenerationCause::Refresh,
                approved: None,
                pinned: false,
            };
            ledger.write_generation(origin, &change, (why, why))
        });
        written.unwrap()
    };
    assert_eq!(
        generation(&mut ledger, 10, &["192.0.2.0/24", "2001:db8::/32"], &[]),
        1
    );
    assert_eq!(
        generation(&mut ledger, 20, &["192.0.2.0/25"], &["192.0.2.0/24"]),
        2
    );
    let shown: Vec<_> = ledger
        .in_force()
        .unwrap()
        .nets
        .nets()
        .map(|net| net.to_string())
        .collect();
    assert_eq!(shown, ["192.0.2.0/25", "2001:db8::/32"]);
    let newest = ledger.generation().unwrap().unwrap();
    assert_eq!(
        (newest.number, newest.routes, newest.added, newest.removed),
        (2, 2, 1, 1)
    );
    let since = ledger
        .route_since("2001:db8::/32".parse().unwrap())
        .unwrap();
    let since = since.unwrap();
    assert_eq!((since.number, since.at), (1, Timestamp(10)));
}

#[test]
fn a_hold_keeps_the_time_it_was_first_seen_until_its_content_changes() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let hold = |id: &str, at| HoldRow {
        id: id.to_owned(),
        at: Timestamp(at),
        reasons: vec![Reason::Former("why".to_owned())],
        added: 1,
        removed: 2,
        rejected: None,
        first: None,
    };
    ledger.set_hold(Some(&hold("a", 1))).unwrap();
    ledger.set_hold(Some(&hold("a", 2))).unwrap();
    assert_eq!(ledger.hold().unwrap().unwrap().at, Timestamp(1));
    ledger.set_hold(Some(&hold("b", 3))).unwrap();
    assert_eq!(ledger.hold().unwrap().unwrap().at, Timestamp(3));
    ledger.set_hold(None).unwrap();
    assert_eq!(ledger.hold().unwrap(), None);
}

#[test]
fn a_ledger_of_a_newer_version_is_refused_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    drop(Ledger::open(dir.path()).unwrap());
    let path = dir.path().join(Ledger::FILE);
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", schema::NEWEST + 1)
        .unwrap();
    let newest = schema::NEWEST;
    let expected = format!(
        "{}: schema {}, written by a newer nullrouted (this one knows up to {newest})",
        path.display(),
        newest + 1
    );
    assert_eq!(Ledger::open(dir.path()).unwrap_err().to_string(), expected);
    assert_eq!(Ledger::read(dir.path()).unwrap_err().to_string(), expected);
}

#[test]
fn a_damaged_ledger_is_named_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(Ledger::FILE), vec![b'x'; 8_192]).unwrap();
    let error = Ledger::open(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("damaged (file is not a database); move it away"),
        "{error}"
    );
}

#[test]
fn a_state_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Ledger::open(&file.join("state")).unwrap_err().to_string();
    assert!(error.starts_with("state_dir "), "{error}");
    assert!(error.ends_with("Not a directory (os error 20)"), "{error}");
}

#[test]
fn reading_where_there_is_no_ledger_makes_none() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::read(dir.path()).unwrap();
    assert!(ledger.in_force().unwrap().is_empty());
    assert!(!dir.path().join(Ledger::FILE).exists());
}

#[test]
fn the_second_writer_gets_one_clear_message() {
    let dir = tempfile::tempdir().unwrap();
    let first = Lock::take(dir.path(), Lock::PASS, "refresh")
        .unwrap()
        .unwrap();
    let busy = Lock::take(dir.path(), Lock::PASS, "flush")
        .unwrap()
        .unwrap_err()
        .to_string();
    let pid = std::process::id();
    assert!(
        busy.starts_with(&format!("nullrouted refresh, pid {pid} is running")),
        "{busy}"
    );
    assert!(
        busy.ends_with("nothing was changed; try again when it has ended"),
        "{busy}"
    );
    drop(first);
    assert!(Lock::take(dir.path(), Lock::PASS, "flush").unwrap().is_ok());
}

#[test]
fn the_ledger_is_in_wal_mode_so_readers_and_the_writer_do_not_wait_for_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Ledger::open(dir.path()).unwrap();
    let mode: String = writer
        .db
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    let transaction = writer.db.transaction().unwrap();
    transaction
        .execute(
            "INSERT INTO pin (one, at, generation, by) VALUES (1, 5, 0, 'alice')",
            [],
        )
        .unwrap();
    let reader = Ledger::read(dir.path()).unwrap();
    assert_eq!(
        reader.pinned().unwrap(),
        None,
        "what is not committed is not seen"
    );
    transaction.commit().unwrap();
    let pin = reader.pinned().unwrap().unwrap();
    assert_eq!(
        pin.to_string(),
        "to nothing by flush since 1970-01-01T00:00:05Z (alice)"
    );
}

/// Every listing with its life.
fn lives(ledger: &Ledger) -> Vec<String> {
    let sql = "SELECT feed || ' ' || prefix || ' ' || reference || ' ' || first_seen || ' ' || ifnull(last_seen, '')
               FROM listing ORDER BY 1";
    let mut statement = ledger.db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

proptest! {
    #[test]
    fn listings_written_as_differences_are_those_written_whole(
        // Each copy: hosts and references, in any order, some twice.
        lists in prop::collection::vec(prop::collection::vec((0_u8..8, 0_u8..2), 1..10), 1..8),
    ) {
        let (whole, parts) = (
            Ledger::in_memory("whole".as_ref()).unwrap(),
            Ledger::in_memory("parts".as_ref()).unwrap(),
        );
        let mut before = crate::feed::FeedCopy::default();
        for (list, at) in lists.iter().zip(1..) {
            let line = |(host, reference): &(u8, u8)| format!("192.0.2.{host} # SBL{reference}\n");
            let copy = copy(&list.iter().map(line).collect::<String>());
            listed(&whole, &copy, at);
            let difference = CopyDifference::between(&before, &copy);
            parts.change_listings("noc", &difference, Timestamp(at)).unwrap();
            prop_assert_eq!(lives(&whole), lives(&parts));
            before = copy;
        }
    }
}

#[test]
fn why_a_look_gave_no_copy_is_read_as_the_value_that_was_written() {
    let ledger = Ledger::in_memory("some".as_ref()).unwrap();
    let at = Timestamp(1_790_000_000);
    let too_many = Refused::TooManyBadLines {
        bad: 7,
        lines: 9,
        first: "line 1: no address".to_owned(),
    };
    for refused in [
        Refused::Unreachable("HTTP 503".to_owned()),
        Refused::Empty,
        Refused::NoEntries(None),
        Refused::NoEntries(Some("gone fishing".to_owned())),
        Refused::ValidEmpty("the end line".into()),
        Refused::Older(at, at.after(Duration::from_secs(60))),
        Refused::Throttled("HTTP 429".to_owned(), Duration::from_secs(90)),
        Refused::TooLarge(1_000),
        too_many,
    ] {
        let row = FeedRow {
            name: "noc".to_owned(),
            refused: Some(refused),
            ..FeedRow::default()
        };
        ledger.write_feed(&row).unwrap();
        assert_eq!(ledger.feed("noc").unwrap().unwrap(), row);
    }
}

#[test]
fn what_a_refusal_quotes_is_kept_up_to_its_bound() {
    let long = Refused::Foreign("ü".repeat(100_000)).bounded();
    assert_eq!(long, Refused::Foreign("ü".repeat(400)));
    assert_eq!(long.clone().bounded(), long);
}
