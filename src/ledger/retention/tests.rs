//! What is forgotten, what never is, and that all that can be told afterwards is told as before.

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;
use crate::ledger::{
    Event, EventKind, FeedRow, GenerationCause, OperatorEntry, OperatorRow, Origin, PinRow,
    ReviewAnswer,
};
use crate::plan::Change;
use crate::policy::selection::Choice;
use crate::prefix::Item;
use crate::prefix::{Effective, PrefixSet, lacking};

const DAY: i64 = 86_400;
const KEEP: Duration = Duration::from_secs(10 * DAY as u64);

/// In memory: thousands of histories are written here.
fn ledger() -> Ledger {
    Ledger::in_memory("ledger".as_ref()).unwrap()
}

/// Neighbors that cannot be joined.
fn net(index: u32) -> IpNet {
    format!("10.0.{}.0/24", 2 * index).parse().unwrap()
}

fn those(mask: u8) -> Vec<u32> {
    (0..8).filter(|index| mask & (1 << index) != 0).collect()
}

/// One more generation: what is in force is what these masks say.
fn generation(ledger: &Ledger, at: i64, nets: u8, origins: u8) {
    let in_force = ledger.in_force().unwrap();
    let after = PrefixSet::of_nets(those(nets).into_iter().map(net));
    let change = Change::of_nets(&in_force.nets, &after);
    let (old, new) = (in_force.origins, those(origins));
    let origin = Origin {
        at: Timestamp(at),
        cause: GenerationCause::Refresh,
        approved: None,
        pinned: false,
    };
    let written = ledger.atomically(|ledger| {
        let why = |_: IpNet| String::new();
        let number = ledger.write_generation(origin, &change, (why, why))?;
        let come = lacking(&new, &old).map(|asn| (asn, String::new()));
        ledger.note_origins(number, '+', come)?;
        let gone = lacking(&old, &new).map(|asn| (asn, String::new()));
        ledger.note_origins(number, '-', gone)?;
        ledger.set_origins(&new)
    });
    written.unwrap();
}

fn pin(ledger: &Ledger, generation: u64) {
    let pin = PinRow {
        at: Timestamp(0),
        generation,
        by: String::new(),
    };
    ledger.set_pin(Some(&pin)).unwrap();
}

fn told(ledger: &Ledger, newest: u64) -> Vec<Option<Effective>> {
    let numbers = 0..=newest;
    numbers.map(|n| ledger.at_generation(n).unwrap()).collect()
}

fn count(ledger: &Ledger, sql: &str) -> i64 {
    ledger.db.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Routes, and origin ASes, whose cause is no longer known.
fn without_cause(ledger: &Ledger) -> i64 {
    count(
        ledger,
        "SELECT (SELECT count(*) FROM route LEFT JOIN generation ON number = generation
                 WHERE route.cause IS NULL OR number IS NULL)
              + (SELECT count(*) FROM origin WHERE NOT EXISTS (
                   SELECT 1 FROM change WHERE op = '+' AND prefix = 'AS' || asn))",
    )
}

proptest! {
    #[test]
    fn what_can_still_be_told_is_told_as_before(
        // Seconds since the one before (the clock may go back), prefixes and origin ASes in force.
        steps in prop::collection::vec((-2 * DAY..8 * DAY, any::<u8>(), any::<u8>()), 1..12),
        pinned in prop::option::of(0_u64..12),
        waits in prop::collection::vec(0..20 * DAY, 1..4),
    ) {
        let ledger = ledger();
        let mut now = 100 * DAY;
        let mut times = Vec::new();
        for (step, nets, origins) in &steps {
            now += step;
            times.push(now);
            generation(&ledger, now, *nets, *origins);
        }
        let newest = steps.len() as u64;
        if let Some(number) = pinned.filter(|number| *number <= newest) {
            pin(&ledger, number);
        }
        let pinned = ledger.pinned().unwrap().map_or(0, |pin| pin.generation);
        let before = told(&ledger, newest);
        for wait in waits {
            now += DAY + wait;
            prop_assert!(ledger.prune(Timestamp(now), KEEP).unwrap().is_some());
            let oldest = ledger.oldest_told().unwrap();
            for (number, (now, before)) in told(&ledger, newest).iter().zip(&before).enumerate() {
                match now {
                    Some(_) => prop_assert_eq!(now, before, "generation {}", number),
                    None => prop_assert!((number as u64) < oldest),
                }
            }
            let young = times.iter().rposition(|at| *at < now - 10 * DAY);
            let young = young.map_or(0, |index| index as u64 + 2);
            prop_assert!(oldest <= young.min(newest), "what is young is told");
            prop_assert!(pinned == 0 || oldest <= pinned, "what is pinned is told");
            prop_assert_eq!(without_cause(&ledger), 0);
            let routes = ledger.routes().unwrap();
            prop_assert_eq!(routes.len(), ledger.in_force().unwrap().nets.len());
            prop_assert_eq!(ledger.generation().unwrap().unwrap().number, newest);
            // Nothing is left that neither can be told nor is in force.
            let left = format!(
                "SELECT count(*) FROM change WHERE generation < {oldest} AND NOT (op = '+' AND (
                   prefix IN (SELECT 'AS' || asn FROM origin)))"
            );
            prop_assert_eq!(count(&ledger, &left), 0);
        }
    }
}

#[test]
fn a_generation_is_forgotten_but_for_what_is_still_in_force_with_it() {
    let ledger = ledger();
    generation(&ledger, DAY, 0b0111, 0b01);
    generation(&ledger, 2 * DAY, 0b0110, 0b11);
    generation(&ledger, 3 * DAY, 0b1100, 0b10);
    generation(&ledger, 30 * DAY, 0b1101, 0b10);
    let pruned = ledger.prune(Timestamp(31 * DAY), KEEP).unwrap().unwrap();
    assert_eq!(pruned.generations, 0, "each has something that is left");
    assert_eq!(ledger.oldest_told().unwrap(), 4);
    assert_eq!(ledger.at_generation(3).unwrap(), None);
    assert!(ledger.at_generation(4).unwrap().is_some());
    let left = "SELECT group_concat(generation || op || prefix, ' ')
                FROM (SELECT * FROM change ORDER BY generation, prefix)";
    let left: String = ledger.db.query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(left, "2+AS1");
    let routes = "SELECT group_concat(generation || '+' || prefix, ' ')
                  FROM (SELECT * FROM route ORDER BY generation, prefix)";
    let routes: String = ledger.db.query_row(routes, [], |row| row.get(0)).unwrap();
    assert_eq!(routes, "1+10.0.4.0/24 3+10.0.6.0/24 4+10.0.0.0/24");
    // The second goes when the AS goes that it brought, the first with its prefix.
    generation(&ledger, 31 * DAY, 0b1001, 0);
    let pruned = ledger.prune(Timestamp(33 * DAY), KEEP).unwrap().unwrap();
    assert_eq!(pruned.generations, 2);
    assert_eq!(ledger.oldest_told().unwrap(), 4);
}

#[test]
fn the_newest_and_what_is_pinned_with_all_that_came_after_it_stay() {
    let ledger = ledger();
    for (at, nets) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16)] {
        generation(&ledger, at, nets, 0);
    }
    pin(&ledger, 3);
    assert_eq!(
        ledger.prune(Timestamp(99 * DAY), KEEP).unwrap(),
        Some(Pruned {
            generations: 2,
            keep: KEEP,
            ..Pruned::default()
        })
    );
    assert_eq!(ledger.oldest_told().unwrap(), 3);
    assert!(ledger.at_generation(3).unwrap().is_some());
    // A flush pins nothing.
    pin(&ledger, PinRow::NOTHING);
    ledger.prune(Timestamp(101 * DAY), KEEP).unwrap();
    assert_eq!(ledger.oldest_told().unwrap(), 5);
    assert_eq!(count(&ledger, "SELECT count(*) FROM generation"), 1);
}

/// Of a choice of feeds as much can be told as of everything.
#[test]
fn what_a_choice_had_is_forgotten_with_the_generations() {
    let ledger = ledger();
    let choice = |feed: &str| Choice {
        feeds: Some(vec![feed.to_owned()]),
        operator: true,
    };
    let [lasting, former] = [choice("a"), choice("b")];
    let set = |n| Effective::new(PrefixSet::of_nets([net(n)]), []);
    let sets: Vec<Effective> = (0..5).map(set).collect();
    let mut had: Option<&Effective> = None;
    for (number, set) in (1..).zip(&sets) {
        generation(&ledger, number as i64 * 5 * DAY, 1 << number, 0);
        ledger.write_choice(&lasting, number, had, set).unwrap();
        had = Some(set);
        let items = std::iter::once(net(number as u32).to_string());
        ledger.note_moved("edge1", number, ('-', items)).unwrap();
    }
    ledger.write_choice(&former, 1, None, &sets[0]).unwrap();
    ledger.end_choice(&former, 3).unwrap();
    let before: Vec<_> = (0..=5).map(|n| ledger.choices_at(n).unwrap()).collect();
    ledger.prune(Timestamp(26 * DAY), KEEP).unwrap();
    let oldest = ledger.oldest_told().unwrap();
    assert_eq!(oldest, 4);
    for number in oldest..=5 {
        assert_eq!(ledger.choices_at(number).unwrap(), before[number as usize]);
    }
    let rows = |table: &str| count(&ledger, &format!("SELECT count(*) FROM {table}"));
    let left = [rows("choice"), rows("chosen"), rows("router_change")];
    assert_eq!(left, [1, 2, 2]);
}

#[test]
fn what_ended_long_ago_goes_and_what_lasts_stays() {
    let ledger = ledger();
    let (old, now) = (Timestamp(DAY), Timestamp(30 * DAY));
    let feed = |name: &str, digest: Option<&str>| {
        let row = FeedRow {
            name: name.to_owned(),
            looked_at: Some(old),
            digest: digest.map(str::to_owned),
            ..FeedRow::default()
        };
        ledger.write_feed(&row).unwrap();
    };
    feed("configured", Some("copy"));
    feed("former", None);
    feed("listing", None);
    let listing = "INSERT INTO listing (feed, prefix, reference, first_seen, last_seen) VALUES
        ('former', '192.0.2.0/24', 'ended', 1, 2),
        ('configured', '192.0.2.0/24', 'lasts', 1, NULL),
        ('listing', '192.0.2.0/24', 'ended just now', 1, ?1)";
    ledger.db.execute(listing, [now.0 - 1]).unwrap();
    for at in [old, now] {
        let event = Event {
            at,
            kind: EventKind::Unpin,
            subject: String::new(),
            by: String::new(),
            uid: None,
            text: String::new(),
            generation: None,
        };
        ledger.note_event(&event).unwrap();
    }
    for (prefix, ended) in [(0, Some(old)), (1, None)] {
        let row = OperatorRow {
            id: 0,
            kind: OperatorEntry::Add,
            item: Item::Prefix(net(prefix)),
            reason: String::new(),
            by: String::new(),
            since: old,
            until: None,
            ended: None,
        };
        ledger.write_operator(&row).unwrap();
        if let Some(at) = ended {
            ledger
                .end_operator(OperatorEntry::Add, Item::Prefix(net(prefix)), at, "")
                .unwrap();
        }
    }
    ledger
        .write_review("a", ReviewAnswer::Rejected, old, "")
        .unwrap();
    ledger
        .write_review("b", ReviewAnswer::Rejected, old, "")
        .unwrap();

    let pruned = ledger.prune(now, KEEP).unwrap().unwrap();
    assert_eq!(
        pruned,
        Pruned {
            listings: 1,
            generations: 0,
            events: 1,
            by_hand: 1,
            reviews: 1,
            feeds: 1,
            keep: KEEP,
        }
    );
    assert_eq!(
        ledger.feeds().unwrap().into_keys().collect::<Vec<_>>(),
        ["configured", "listing"]
    );
    assert_eq!(ledger.operator(old).unwrap().len(), 1);
    assert!(ledger.review_of("b").unwrap().is_some());
    assert_eq!(
        ledger.oldest_told().unwrap(),
        0,
        "no generation was touched"
    );
}

#[test]
fn it_is_looked_after_once_a_day_whatever_the_clock_did() {
    let ledger = ledger();
    let done = |at| ledger.prune(Timestamp(at), KEEP).unwrap().is_some();
    assert!(done(100 * DAY));
    assert!(!done(101 * DAY - 1));
    assert!(!done(100 * DAY - 9), "a clock that was set back a little");
    assert!(done(101 * DAY));
    assert!(done(50 * DAY), "a clock that had been wrong");
}

#[test]
fn what_was_forgotten_is_one_line() {
    let pruned = Pruned {
        listings: 1_204,
        generations: 12,
        keep: Duration::from_secs(400 * 86_400),
        ..Pruned::default()
    };
    assert_eq!(
        pruned.to_string(),
        "1 204 listings and 12 generations older than 400d"
    );
    let pruned = Pruned {
        events: 1,
        feeds: 1_000_000,
        ..pruned
    };
    assert_eq!(
        pruned.to_string(),
        "1 204 listings, 12 generations, 1 event and 1 000 000 feeds older than 400d"
    );
}
