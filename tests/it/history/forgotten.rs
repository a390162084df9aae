//! What is forgotten, and what is told all the same.

use super::{of_list, older, three_generations, untimed};

#[test]
fn what_is_added_by_hand_is_told_when_the_log_book_no_longer_does() {
    let place = three_generations();
    place.ledger().execute("DELETE FROM event", []).unwrap();
    let story = place.run(&["history", "5.5.5.5"]).code(0);
    let first = untimed(story.lines()[0]);
    assert!(
        first.starts_with("add           5.5.5.0/24  ticket 8  ("),
        "{first}"
    );
    assert!(
        untimed(story.lines()[1])
            .starts_with("generation 3  + 5.5.5.0/24  added by hand: ticket 8"),
        "{}",
        story.out
    );
}

#[test]
fn what_is_old_is_forgotten_once_a_day_and_what_is_in_force_keeps_its_story() {
    let place = three_generations();
    place.run(&["remove", "5.5.5.0/24"]).code(0);
    let before = place.run(&["history", "--generation", "4"]).code(0).out;
    older(&place, 500);
    let ran = place.run(&["refresh", "--force"]).code(0);
    let line = ran
        .err
        .lines()
        .find(|line| line.starts_with("ledger  forgot "));
    assert_eq!(
        line,
        Some(
            "ledger  forgot 1 listing, 1 generation, 3 events and 1 entry by hand older than 400d"
        )
    );
    let again = place.run(&["refresh"]).code(0);
    assert!(!again.err.contains("forgot"), "{}", again.err);

    // The newest is left, and the two that brought what is in force.
    assert_eq!(
        place.run(&["history", "--generation", "4"]).code(0).out,
        before
    );
    assert_eq!(place.run(&["list"]).code(0).out, before);
    place
        .run(&["history", "--diff", "3", "4"])
        .code(64)
        .says("available: 4 to 4");
    place.run(&["pin", "3"]).code(64).says("available: 4 to 4");
    place
        .run(&["why", "72.37.186.1"])
        .code(0)
        .says("generation 1");
    let story = place.run(&["history", "72.37.186.1"]).code(0);
    assert_eq!(
        untimed(story.lines()[1]),
        "generation 1  + 72.37.186.0/23  noc SBL1001 line 1"
    );
    // What the operator added counts still: it is told without the log book.
    let by_hand = place.run(&["history", "72.37.187.200"]).code(0);
    by_hand.says("add           72.37.187.128/25  ticket 7");
    // What was forgotten is not claimed to have never been, though what is in force is older.
    let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', at - 400 * 86400, 'unixepoch') FROM pruned";
    let since: String = place.ledger().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(
        place.run(&["history", "2001:db8:bad::1"]).code(0).out,
        format!("2001:db8:bad::1/128: nothing is known of it since {since}\n")
    );
    let list = place.run(&["list", "--json"]).code(0).json();
    assert_eq!(list.as_array().unwrap().len(), before.lines().count());
}

#[test]
fn a_ledger_that_cannot_forget_fails_no_pass() {
    let place = of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    let db = place.ledger();
    db.execute_batch(
        "UPDATE pruned SET at = 0;
         CREATE TRIGGER no BEFORE UPDATE ON pruned BEGIN SELECT RAISE(ABORT, 'not today'); END;",
    )
    .unwrap();
    let ran = place.run(&["refresh"]).code(0);
    assert!(
        ran.err.contains("ledger  nothing old was forgotten: "),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("not today"), "{}", ran.err);
}
