//! The listings in the ledger are those of the copy at hand, whatever they were before.

use super::{NO_KERNEL, NOC, of_list};
use crate::support::Place;

/// What is listed now, and what was.
fn listings(place: &Place) -> (Vec<String>, Vec<String>) {
    let read = |what: &str| -> Vec<String> {
        let sql = format!(
            "SELECT prefix || ' ' || reference FROM listing WHERE last_seen IS {what} ORDER BY 1"
        );
        let db = place.ledger();
        let mut statement = db.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    (read("NULL"), read("NOT NULL"))
}

const LIST: &str = "72.37.186.9/23 # SBL1\n198.51.100.0/24 # SBL2\n203.0.113.0/24\n5.5.5.0/24\n";

#[test]
fn other_rules_for_the_same_file_are_other_listings() {
    let place = of_list(LIST);
    let masked = format!("{NOC}host_bits = \"mask\"\n{NO_KERNEL}");
    place.configure(&masked);
    place.run(&["refresh"]).code(0);
    assert_eq!(listings(&place).0.len(), 4);
    // The first line has host bits, which are an error now; nothing else changed.
    place.configure(&format!("{NOC}{NO_KERNEL}"));
    place.run(&["refresh"]).code(0);
    let (listed, gone) = listings(&place);
    assert_eq!(
        listed,
        ["198.51.100.0/24 SBL2", "203.0.113.0/24 ", "5.5.5.0/24 "]
    );
    assert_eq!(gone, ["72.37.186.0/23 SBL1"]);
    place.configure(&masked);
    place.write("noc.list", &LIST.replace("5.5.5.0/24\n", ""));
    place.run(&["refresh"]).code(0);
    let (listed, gone) = listings(&place);
    assert_eq!(
        listed,
        [
            "198.51.100.0/24 SBL2",
            "203.0.113.0/24 ",
            "72.37.186.0/23 SBL1"
        ]
    );
    assert_eq!(gone, ["5.5.5.0/24 "]);
}

#[test]
fn without_the_copy_before_the_listings_are_told_by_the_ledger() {
    let place = of_list(LIST);
    place.run(&["refresh"]).code(0);
    for copy in std::fs::read_dir(place.path("state/copies")).unwrap() {
        std::fs::write(copy.unwrap().path(), "something else").unwrap();
    }
    place.write(
        "noc.list",
        "198.51.100.0/24 # SBL2\n203.0.113.0/24 # SBL3\n6.6.6.0/24\n",
    );
    place.run(&["refresh"]);
    let (listed, gone) = listings(&place);
    assert_eq!(
        listed,
        ["198.51.100.0/24 SBL2", "203.0.113.0/24 SBL3", "6.6.6.0/24 "]
    );
    assert_eq!(gone, ["203.0.113.0/24 ", "5.5.5.0/24 "]);
}

#[test]
fn a_feed_that_is_put_back_lists_again_what_it_lists() {
    let place = of_list("72.37.186.0/23\n198.51.100.0/24\n");
    place.run(&["refresh"]).code(0);
    place.configure(NO_KERNEL);
    place.run(&["refresh"]).code(0);
    assert_eq!(listings(&place).0, [""; 0]);
    place.configure(&format!("{NOC}{NO_KERNEL}"));
    place.write("noc.list", "72.37.186.0/23\n6.6.6.0/24\n");
    place.run(&["refresh"]).code(0);
    let (listed, gone) = listings(&place);
    assert_eq!(listed, ["6.6.6.0/24 ", "72.37.186.0/23 "]);
    assert_eq!(gone, ["198.51.100.0/24 "]);
}
