//! The page that says how to read the ledger without us, held against a ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::of_list;
use crate::support::{Place, repository};

/// The page about the ledger, and a ledger without anything in it.
fn page_and_ledger() -> (String, Place) {
    let page = std::fs::read_to_string(repository().join("doc/ledger.md")).unwrap();
    let place = of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    (page, place)
}

#[test]
fn the_page_names_every_table_and_column_and_no_other() {
    let (page, place) = page_and_ledger();
    let db = place.ledger();
    let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let sql = "SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c
               WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%'";
    let mut statement = db.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (table, column) = (row.get(0).unwrap(), row.get(1).unwrap());
        there.entry(table).or_default().insert(column);
    }
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for section in page.split("\n### `").skip(1) {
        let (table, text) = section.split_once('`').unwrap();
        let rows = text.lines().filter(|line| line.starts_with("| `"));
        let cells = rows.filter_map(|line| line.split('|').nth(1));
        let columns = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        let old = named.insert(table.to_owned(), columns.map(str::to_owned).collect());
        assert_eq!(old, None, "{table} stands there twice");
    }
    assert_eq!(named, there);
}

#[test]
fn every_query_of_the_page_runs() {
    let (page, place) = page_and_ledger();
    let db = place.ledger();
    let blocks = page.split("```sql\n").skip(1);
    let blocks: Vec<&str> = blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(blocks.len() >= 6, "{}", blocks.len());
    let shown = |sql: &str| {
        let mut statement = db
            .prepare(sql)
            .unwrap_or_else(|error| panic!("{error}: {sql}"));
        assert!(statement.readonly(), "{sql}");
        let mut rows = statement.query([]).unwrap();
        let mut count = 0;
        while rows.next().unwrap().is_some() {
            count += 1;
        }
        count
    };
    let counts: Vec<usize> = blocks.iter().map(|sql| shown(sql)).collect();
    assert_eq!(counts[..2], [1, 1], "what is in force, and what changed");
    let version: i64 = db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert!(page.contains(&format!("this page is about version {version}")));
}
