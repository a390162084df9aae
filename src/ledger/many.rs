//! Many rows in few statements: most of the time of one short statement is its start.

use rusqlite::{Statement, ToSql};

use super::Ledger;

/// Rows of one statement. More of them are no faster, and SQLite permits 32 766 values.
const ROWS: usize = 256;

impl Ledger {
    /// Insert rows. `into` is the statement before `VALUES`, with the columns whose value is
    /// `shared` by all rows first; `end` follows the values, where there is anything to say.
    pub(super) fn insert_many<T: ToSql, const N: usize>(
        &self,
        (into, end): (&str, &str),
        shared: &[&dyn ToSql],
        rows: impl IntoIterator<Item = [T; N]>,
    ) -> rusqlite::Result<()> {
        let mut row: Vec<String> = (1..=shared.len()).map(|at| format!("?{at}")).collect();
        row.extend(vec!["?".to_owned(); N]);
        let row = format!("({})", row.join(", "));
        let sql = |rows: usize| format!("{into} VALUES {} {end}", vec![&*row; rows].join(", "));
        let many = sql(ROWS);
        let mut rows = rows.into_iter();
        let mut some = Vec::with_capacity(ROWS);
        loop {
            some.clear();
            some.extend(rows.by_ref().take(ROWS));
            if some.len() < ROWS {
                break;
            }
            let mut many = self.db.prepare_cached(&many)?;
            insert(&mut many, shared, &some)?;
        }
        // One by one: a statement for each number of rows would fill the cache of statements.
        let mut one = self.db.prepare_cached(&sql(1))?;
        some.chunks(1)
            .try_for_each(|row| insert(&mut one, shared, row))
    }
}

fn insert<T: ToSql, const N: usize>(
    statement: &mut Statement,
    shared: &[&dyn ToSql],
    rows: &[[T; N]],
) -> rusqlite::Result<()> {
    for (at, value) in (1..).zip(shared) {
        statement.raw_bind_parameter(at, value)?;
    }
    for (at, value) in (1 + shared.len()..).zip(rows.iter().flatten()) {
        statement.raw_bind_parameter(at, value)?;
    }
    statement.raw_execute().map(drop)
}
