//! Routers that do not get everything: what each selects, what its choice of feeds has, and what
//! left its file.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use super::{Ledger, LedgerError, RecentlyWithdrawn, count, parsed};
use crate::plan::Change;
use crate::policy::selection::{Choice, Selection};
use crate::prefix::{Effective, NOTHING, PrefixSet};

/// One row of `selection`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionRow {
    /// What the router gets.
    pub selection: Selection,
    /// Number of IPv4 and IPv6 prefixes it has.
    pub routes: [usize; 2],
    /// Number of those that are too long for it.
    pub left_out: [usize; 2],
}

impl Ledger {
    /// The routers that do not get everything, by name, as their files were made last.
    pub fn selections(&self) -> Result<BTreeMap<String, SelectionRow>, LedgerError> {
        let sql = "SELECT router, selection, v4, v6, left_out_v4, left_out_v6 FROM selection";
        self.rows(sql, [], |row| {
            let selected = SelectionRow {
                selection: json(row, 1)?,
                routes: [count(row, 2)?, count(row, 3)?],
                left_out: [count(row, 4)?, count(row, 5)?],
            };
            Ok((row.get(0)?, selected))
        })
    }

    /// The file of a router is made of this from now on; `None` for everything.
    pub fn write_selection(
        &self,
        router: &str,
        row: Option<&SelectionRow>,
    ) -> Result<(), LedgerError> {
        let Some(row) = row else {
            return self.run("DELETE FROM selection WHERE router = ?1", [router]);
        };
        let selection = serde_json::to_string(&row.selection).unwrap_or_default();
        let [v4, v6] = row.routes.map(|count| count as i64);
        let [long_v4, long_v6] = row.left_out.map(|count| count as i64);
        self.run(
            "INSERT OR REPLACE INTO selection (router, selection, v4, v6, left_out_v4, left_out_v6)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![router, selection, v4, v6, long_v4, long_v6],
        )
    }

    /// What the choices have that routers have now.
    pub fn choices(&self) -> Result<BTreeMap<Choice, Effective>, LedgerError> {
        self.choices_with(i64::MAX)
    }

    /// What those had that routers had with this generation. Where a choice ended and came back
    /// within it, what it had at first counts.
    pub fn choices_at(&self, generation: u64) -> Result<BTreeMap<Choice, Effective>, LedgerError> {
        self.choices_with(generation as i64)
    }

    fn choices_with(&self, generation: i64) -> Result<BTreeMap<Choice, Effective>, LedgerError> {
        let choices = "SELECT id, feeds, operator FROM choice
                       WHERE came <= ?1 AND (went IS NULL OR went > ?1) ORDER BY id DESC";
        let items = "SELECT prefix FROM chosen
                     WHERE choice = ?2 AND came <= ?1 AND (went IS NULL OR went > ?1)";
        self.rows(choices, [generation], |row| {
            let (feeds, operator) = (json(row, 1)?, row.get(2)?);
            let values = [generation, row.get(0)?];
            let had: RecentlyWithdrawn = self.all(items, values, |item| parsed(item, 0))?;
            let had = Effective::new(PrefixSet::of_nets(had.nets), had.asns);
            Ok((Choice { feeds, operator }, had))
        })
    }

    /// A choice has this from this generation on; `had` is what it has so far, `None` where no
    /// router has it. Part of [`Ledger::atomically`].
    pub fn write_choice(
        &self,
        choice: &Choice,
        generation: u64,
        had: Option<&Effective>,
        has: &Effective,
    ) -> Result<(), LedgerError> {
        if had == Some(has) {
            return Ok(());
        }
        let generation = generation as i64;
        self.tried(|| {
            let id = match self.choice(choice)? {
                Some(id) => id,
                None => {
                    self.execute(
                        "INSERT INTO choice (feeds, operator, came) VALUES (?1, ?2, ?3)",
                        params![feeds(choice), choice.operator, generation],
                    )?;
                    self.db.last_insert_rowid()
                }
            };
            let mut came = self.db.prepare_cached(
                "INSERT OR REPLACE INTO chosen (choice, prefix, came) VALUES (?1, ?2, ?3)",
            )?;
            let mut went = self.db.prepare_cached(
                "UPDATE chosen SET went = ?3 WHERE choice = ?1 AND prefix = ?2 AND went IS NULL",
            )?;
            let change = Change::between(had.unwrap_or(&NOTHING), has);
            for item in change.went() {
                went.execute(params![id, item, generation])?;
            }
            for item in change.came() {
                came.execute(params![id, item, generation])?;
            }
            Ok(())
        })
    }

    /// No router has this choice from this generation on, which may be the one after the newest.
    /// Part of [`Ledger::atomically`].
    pub fn end_choice(&self, choice: &Choice, generation: u64) -> Result<(), LedgerError> {
        let Some(id) = self.tried(|| self.choice(choice))? else {
            return Ok(());
        };
        let ended = [id, generation as i64];
        self.run(
            "UPDATE chosen SET went = ?2 WHERE choice = ?1 AND went IS NULL",
            ended,
        )?;
        self.run("UPDATE choice SET went = ?2 WHERE id = ?1", ended)
    }

    fn choice(&self, choice: &Choice) -> rusqlite::Result<Option<i64>> {
        let sql = "SELECT id FROM choice WHERE feeds = ?1 AND operator = ?2 AND went IS NULL";
        let row = self.row(sql, params![feeds(choice), choice.operator], |row| {
            row.get(0)
        });
        row.optional()
    }

    /// A generation brought these to the file of a router (`+`), or took them away (`-`). Part of
    /// [`Ledger::atomically`].
    pub fn note_moved(
        &self,
        router: &str,
        generation: u64,
        (op, items): (char, impl Iterator<Item = String>),
    ) -> Result<(), LedgerError> {
        self.tried(|| {
            let mut note = self.db.prepare_cached(
                "INSERT OR REPLACE INTO router_change (router, prefix, generation, op)
                 VALUES (?1, ?2, ?3, ?4)",
            )?;
            for item in items {
                note.execute(params![router, item, generation as i64, op.to_string()])?;
            }
            Ok(())
        })
    }

    /// A router may still hold what left everything of late: it had everything until now, or
    /// nothing is known of it. Part of [`Ledger::atomically`].
    pub fn note_all_left(&self, router: &str, lately: Duration) -> Result<(), LedgerError> {
        self.run(
            "INSERT OR REPLACE INTO router_change (router, prefix, generation, op)
             SELECT ?2, prefix, max(generation), '.' FROM change JOIN generation ON number = generation
             WHERE op = '-' AND at >= (SELECT max(at) FROM generation) - ?1
             GROUP BY prefix",
            params![lately.as_secs() as i64, router],
        )
    }
}

fn json<T: DeserializeOwned>(row: &Row, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|_| rusqlite::Error::InvalidQuery)
}

fn feeds(choice: &Choice) -> String {
    serde_json::to_string(&choice.feeds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(nets: &[&str], origins: &[u32]) -> Effective {
        let nets = nets.iter().map(|net| net.parse().unwrap());
        Effective::new(PrefixSet::of_nets(nets), origins.iter().copied())
    }

    fn choice(feeds: &[&str]) -> Choice {
        Choice {
            feeds: Some(feeds.iter().map(ToString::to_string).collect()),
            operator: true,
        }
    }

    #[test]
    fn what_a_choice_had_with_a_generation_can_be_told() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let [a, b] = [choice(&["a"]), choice(&["b"])];
        let contents = [
            (1, past(&["192.0.2.0/24", "2001:db8::/32"], &[])),
            (3, past(&["192.0.2.0/24", "198.51.100.0/24"], &[64_496])),
            (4, past(&["192.0.2.0/24", "2001:db8::/32"], &[64_511])),
        ];
        let mut had = None;
        for (generation, now) in &contents {
            ledger.write_choice(&a, *generation, had, now).unwrap();
            had = Some(now);
            let known = ledger.choices().unwrap();
            assert_eq!(known.get(&a), had);
        }
        // One that is there for a part of the time is there for that part.
        let nothing = past(&[], &[]);
        ledger.write_choice(&b, 2, None, &nothing).unwrap();
        ledger.end_choice(&b, 4).unwrap();
        assert!(ledger.choices_at(0).unwrap().is_empty());
        for (generation, at) in [(1, 0), (2, 0), (3, 1), (4, 2), (9, 2)] {
            let told = ledger.choices_at(generation).unwrap();
            assert_eq!(told.get(&a), Some(&contents[at].1), "{generation}");
            let there = [2, 3].contains(&generation);
            assert_eq!(told.get(&b), there.then_some(&nothing), "{generation}");
        }
        assert_eq!(ledger.choices().unwrap().len(), 1);
        // It may come back.
        ledger.write_choice(&b, 5, None, &nothing).unwrap();
        assert_eq!(ledger.choices().unwrap().len(), 2);
        assert!(!ledger.choices_at(4).unwrap().contains_key(&b));
    }

    #[test]
    fn a_choice_that_ends_and_comes_back_within_a_generation_is_told_as_it_was_at_first() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let a = choice(&["a"]);
        let [first, other] = [
            past(&["192.0.2.0/24"], &[64_496]),
            past(&["198.51.100.0/24"], &[]),
        ];
        ledger.write_choice(&a, 1, None, &first).unwrap();
        // With generation 1 still in force.
        ledger.end_choice(&a, 2).unwrap();
        assert!(ledger.choices().unwrap().is_empty());
        assert_eq!(ledger.choices_at(1).unwrap().get(&a), Some(&first));
        assert!(ledger.choices_at(2).unwrap().is_empty());
        ledger.write_choice(&a, 1, None, &other).unwrap();
        assert_eq!(ledger.choices().unwrap().get(&a), Some(&other));
        assert_eq!(ledger.choices_at(1).unwrap().get(&a), Some(&first));
        assert_eq!(ledger.choices_at(2).unwrap().get(&a), Some(&other));
    }

    #[test]
    fn what_comes_and_goes_and_comes_with_one_generation_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let a = choice(&["a"]);
        let [one, none] = [past(&["192.0.2.0/24"], &[64_496]), past(&[], &[])];
        for (had, now) in [(None, &one), (Some(&one), &none), (Some(&none), &one)] {
            ledger.write_choice(&a, 1, had, now).unwrap();
        }
        assert_eq!(ledger.choices().unwrap().get(&a), Some(&one));
        assert_eq!(ledger.choices_at(1).unwrap().get(&a), Some(&one));
    }
}
