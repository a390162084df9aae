//! Generations: the sets that were in force, the one that is, and what holds the next one back.

use ipnet::IpNet;
use rusqlite::{Row, params};

use super::order::{ByText, by_text};
use super::{GenerationCause, Ledger, LedgerError, WrittenCause, count, parsed};
use crate::config::Decisive;
use crate::plan::Change;
use crate::prefix::{Effective, Prefix, PrefixSet, autonomous, leading_v4};
use crate::targets::TargetRow;
use crate::targets::file::{Chosen, Lists, Version};
use crate::time::Timestamp;

/// One row of `generation`, as `status` has it in JSON.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct GenerationRow {
    /// Its number, from 1.
    pub number: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// Prefixes in force with it.
    pub routes: usize,
    /// Prefixes it brought.
    pub added: usize,
    /// Prefixes it took away.
    pub removed: usize,
    /// What it came from.
    pub cause: WrittenCause,
    /// The ID of the held change that was approved for it; empty where none was.
    #[serde(skip)]
    pub review: String,
    /// Who approved it.
    #[serde(skip)]
    pub by: String,
    /// Whether it was made while pinned.
    #[serde(skip)]
    pub pinned: bool,
}

impl GenerationRow {
    pub(super) const COLUMNS: &str =
        "number, at, routes, added, removed, cause, review, by, pinned";

    pub(super) fn read(row: &Row) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get::<_, i64>(0)? as u64,
            at: row.get(1)?,
            routes: count(row, 2)?,
            added: count(row, 3)?,
            removed: count(row, 4)?,
            cause: WrittenCause::read(row.get(5)?),
            review: row.get(6)?,
            by: row.get(7)?,
            pinned: row.get(8)?,
        })
    }
}

/// What a new generation comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// When it was decided.
    pub at: Timestamp,
    pub cause: GenerationCause,
    /// The held change that was approved for it, and who approved it.
    pub approved: Option<(&'a str, &'a str)>,
    /// Whether it is made while pinned.
    pub pinned: bool,
}

/// One prefix in force.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RouteRow {
    /// The prefix.
    pub prefix: IpNet,
    /// The generation that brought it.
    pub generation: u64,
    /// The time of that generation.
    pub since: Timestamp,
    /// Why it brought it, in words.
    pub because: String,
}

/// The table of origins behind the set in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableUsed {
    /// None counted now, and what last did is remembered: nothing slips past the gate on its way
    /// back.
    AsBefore,
    /// This one, or none because none is configured.
    Now(Option<String>),
}

/// The cause of a route that goes stays, with the change that brought it.
const KEEP_CAUSE: &str = "INSERT INTO change (generation, prefix, op, cause)
                          SELECT generation, prefix, '+', cause FROM route";

impl Ledger {
    /// The newest generation.
    pub fn generation(&self) -> Result<Option<GenerationRow>, LedgerError> {
        let columns = GenerationRow::COLUMNS;
        let sql = format!("SELECT {columns} FROM generation ORDER BY number DESC LIMIT 1");
        self.first(&sql, [], GenerationRow::read)
    }

    /// What is in force.
    pub fn in_force(&self) -> Result<Effective, LedgerError> {
        self.tried(|| {
            let mut statement = self.db.prepare_cached("SELECT prefix FROM route")?;
            let mut rows = statement.query([])?;
            let (mut v4, mut v6) = (Vec::new(), Vec::new());
            while let Some(row) = rows.next()? {
                let text = row.get_ref(0)?.as_bytes()?;
                match leading_v4(text) {
                    Some((addr, len, read)) if read == text.len() => {
                        v4.push(Prefix::new(addr, len));
                    }
                    _ => match net(text) {
                        Some(IpNet::V6(net)) => v6.push(net.into()),
                        Some(IpNet::V4(net)) => v4.push(net.into()),
                        None => return Err(rusqlite::Error::InvalidQuery),
                    },
                }
            }
            let origins: Vec<u32> = self.all("SELECT asn FROM origin", [], |row| row.get(0))?;
            Ok(Effective::new(PrefixSet::of_prefixes(v4, v6), origins))
        })
    }

    /// The set in force with the generations that brought it, IPv4 before IPv6, ascending.
    pub fn routes(&self) -> Result<Vec<RouteRow>, LedgerError> {
        // Of a route of an earlier version the cause stands with the change.
        let sql = "SELECT route.prefix, number, at, coalesce(route.cause, cause_of.cause, '')
                   FROM route JOIN generation ON number = route.generation
                   LEFT JOIN change AS cause_of ON cause_of.generation = number
                     AND cause_of.prefix = route.prefix AND op = '+'";
        let mut routes: Vec<RouteRow> = self.rows(sql, [], |row| {
            Ok(RouteRow {
                prefix: parsed(row, 0)?,
                generation: row.get::<_, i64>(1)? as u64,
                since: row.get(2)?,
                because: row.get(3)?,
            })
        })?;
        routes.sort_unstable_by_key(|route| route.prefix);
        Ok(routes)
    }

    /// The generation that brought a route in force.
    pub fn route_since(&self, prefix: IpNet) -> Result<Option<GenerationRow>, LedgerError> {
        let columns = GenerationRow::COLUMNS;
        let sql = format!(
            "SELECT {columns} FROM generation
             WHERE number = (SELECT generation FROM route WHERE prefix = ?1)"
        );
        self.first(&sql, [prefix.to_string()], GenerationRow::read)
    }

    /// Put a generation in force, with what it brings and takes and why each prefix comes and goes.
    /// Answers its number. Part of [`Ledger::atomically`].
    pub fn write_generation(
        &self,
        origin: Origin<'_>,
        change: &Change,
        why: (impl Fn(IpNet) -> String, impl Fn(IpNet) -> String),
    ) -> Result<u64, LedgerError> {
        if origin.pinned {
            // No configuration decided this set.
            self.set_decisive(&Decisive::new())?;
        }
        self.tried(|| self.try_write_generation(origin, change, why))
    }

    fn try_write_generation(
        &self,
        origin: Origin<'_>,
        change: &Change,
        (why_added, why_removed): (impl Fn(IpNet) -> String, impl Fn(IpNet) -> String),
    ) -> rusqlite::Result<u64> {
        let (review, by) = origin.approved.unwrap_or_default();
        let number: i64 = self.value("SELECT coalesce(max(number), 0) + 1 FROM generation", [])?;
        self.execute(
            "INSERT INTO generation (number, at, routes, added, removed, cause, review, by, pinned)
             VALUES (?1, ?2, 0, 0, 0, ?3, ?4, ?5, ?6)",
            params![
                number,
                origin.at,
                origin.cause.name(),
                review,
                by,
                origin.pinned
            ],
        )?;
        if change.removed() > 0 && change.kept() == 0 {
            self.execute(&format!("{KEEP_CAUSE} WHERE cause IS NOT NULL"), [])?;
            self.execute("DELETE FROM route", [])?;
        } else {
            self.take_away(&change.v4.remove)?;
            self.take_away(&change.v6.remove)?;
        }
        self.note_removals(number, &change.v4.remove, &why_removed)?;
        self.note_removals(number, &change.v6.remove, &why_removed)?;
        self.bring(number, &change.v4.add, &why_added)?;
        self.bring(number, &change.v6.add, &why_added)?;
        self.execute(
            // A million routes are not counted for ten: the generation before knows how many there
            // were.
            "UPDATE generation SET added = ?2, removed = ?3, routes = ifnull(
               (SELECT routes FROM generation WHERE number = ?1 - 1) + ?2 - ?3, (SELECT count(*) FROM route))
             WHERE number = ?1",
            params![number, change.added() as i64, change.removed() as i64],
        )?;
        Ok(number as u64)
    }

    fn bring<B: ByText>(
        &self,
        generation: i64,
        prefixes: &[Prefix<B>],
        why: impl Fn(IpNet) -> String,
    ) -> rusqlite::Result<()> {
        let insert = (
            "INSERT OR REPLACE INTO route (generation, prefix, cause)",
            "",
        );
        self.insert_many(insert, &[&generation], explained(prefixes, why))
    }

    fn take_away<B: ByText>(&self, prefixes: &[Prefix<B>]) -> rusqlite::Result<()> {
        let keep = format!("{KEEP_CAUSE} WHERE cause IS NOT NULL AND prefix = ?1");
        for prefix in in_order(prefixes) {
            let text = prefix.text(b'/');
            self.execute(&keep, [text.as_str()])?;
            self.execute("DELETE FROM route WHERE prefix = ?1", [text.as_str()])?;
        }
        Ok(())
    }

    fn note_removals<B: ByText>(
        &self,
        generation: i64,
        prefixes: &[Prefix<B>],
        why: impl Fn(IpNet) -> String,
    ) -> rusqlite::Result<()> {
        let insert = ("INSERT INTO change (generation, op, prefix, cause)", "");
        self.insert_many(insert, &[&generation, &"-"], explained(prefixes, why))
    }

    /// The copies at hand of these feeds, with what is leaving them and this table of origins, are
    /// those behind the set in force. A feed that did not count keeps what last did.
    pub fn mark_applied(&self, counted: &[&str], table: &TableUsed) -> Result<(), LedgerError> {
        let (keeps, table) = match table {
            TableUsed::AsBefore => (true, None),
            TableUsed::Now(digest) => (false, digest.as_deref()),
        };
        self.tried(|| {
            let mut mark = self.db.prepare_cached(
                "UPDATE feed SET applied = digest, applied_taken = taken_at,
                                 applied_table = iif(?2, applied_table, ?3)
                 WHERE (applied IS NOT digest OR applied_taken IS NOT taken_at
                        OR NOT ?2 AND applied_table IS NOT ?3)
                   AND name = ?1",
            )?;
            for name in counted {
                mark.execute(params![name, keeps, table])?;
            }
            // A set of names costs SQLite a table of its own, and most of the time nothing leaves.
            if !self.value("SELECT EXISTS (SELECT 1 FROM leaving)", [])? {
                return Ok(());
            }
            let names = serde_json::to_string(counted).unwrap_or_default();
            self.execute(
                "DELETE FROM leaving WHERE applied AND feed IN (SELECT value FROM json_each(?1))",
                [&names],
            )?;
            self.execute(
                "INSERT INTO leaving (feed, applied, item, reference, since, missed)
                 SELECT feed, 1, item, reference, since, missed FROM leaving
                 WHERE NOT applied AND feed IN (SELECT value FROM json_each(?1))",
                [&names],
            )?;
            Ok(())
        })
    }

    /// Note which origin ASes a generation brings or takes away. Part of [`Ledger::atomically`].
    pub fn note_origins(
        &self,
        generation: u64,
        op: char,
        origins: impl Iterator<Item = (u32, String)>,
    ) -> Result<(), LedgerError> {
        self.tried(|| {
            let mut note = self.db.prepare_cached(
                "INSERT OR REPLACE INTO change (generation, prefix, op, cause) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (asn, cause) in origins {
                let item = autonomous(asn);
                note.execute(params![generation as i64, item, op.to_string(), cause])?;
            }
            Ok(())
        })
    }

    /// These origin ASes are in force. Part of [`Ledger::atomically`].
    pub fn set_origins(&self, origins: &[u32]) -> Result<(), LedgerError> {
        let origins = serde_json::to_string(origins).unwrap_or_default();
        self.run(
            "DELETE FROM origin WHERE asn NOT IN (SELECT value FROM json_each(?1))",
            [&origins],
        )?;
        self.run(
            "INSERT OR IGNORE INTO origin (asn) SELECT value FROM json_each(?1)",
            [&origins],
        )
    }

    /// What became of the last generation at each target, by name.
    pub fn targets(&self) -> Result<Vec<TargetRow>, LedgerError> {
        let sql =
            "SELECT name, at, failed, report, digest, lists, frr_version, entries, frr_asked, notes
             FROM target ORDER BY name";
        self.rows(sql, [], |row| {
            Ok(TargetRow {
                name: row.get(0)?,
                at: row.get(1)?,
                failed: row.get(2)?,
                report: row.get(3)?,
                notes: serde_json::from_str(row.get_ref(9)?.as_str()?).unwrap_or_default(),
                digest: row.get(4)?,
                lists: chosen(row)?,
            })
        })
    }

    /// Note what became of it at one target.
    pub fn write_target(&self, row: &TargetRow) -> Result<(), LedgerError> {
        let lists = row.lists.as_ref();
        self.run(
            "INSERT OR REPLACE INTO target (name, at, failed, report, digest, lists, frr_version, entries, frr_asked, notes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                row.name,
                row.at.0,
                row.failed,
                row.report,
                row.digest,
                lists.map(|lists| lists.lists.to_string()),
                lists.and_then(|lists| Some(lists.version.as_ref()?.to_string())),
                lists.map_or(0, |lists| lists.entries as i64),
                lists.is_some_and(|lists| lists.is_asked),
                serde_json::to_string(&row.notes).unwrap_or_default(),
            ],
        )
    }

    /// Forget targets that are no longer configured.
    pub fn keep_targets(&self, configured: &[String]) -> Result<(), LedgerError> {
        let names: Vec<String> = self.rows("SELECT name FROM target", [], |row| row.get(0))?;
        let mut others = names.iter().filter(|name| !configured.contains(name));
        others.try_for_each(|name| self.run("DELETE FROM target WHERE name = ?1", [name]))
    }
}

/// What was chosen for a router.
fn chosen(row: &Row) -> rusqlite::Result<Option<Chosen>> {
    let word = row.get_ref(5)?.as_str_or_null()?;
    let Some((_, lists)) = Lists::NAMES
        .into_iter()
        .find(|(name, _)| Some(*name) == word)
    else {
        return Ok(None);
    };
    Ok(Some(Chosen {
        lists,
        version: row.get_ref(6)?.as_str_or_null()?.and_then(Version::parse),
        entries: count(row, 7)?,
        is_asked: row.get(8)?,
    }))
}

/// The prefixes in the order of their texts.
fn in_order<B: ByText>(prefixes: &[Prefix<B>]) -> impl Iterator<Item = Prefix<B>> {
    let order = by_text(prefixes, |prefix| *prefix).into_iter();
    order.map(|at| prefixes[at as usize])
}

/// In that order, each with its cause.
fn explained<B: ByText>(
    prefixes: &[Prefix<B>],
    why: impl Fn(IpNet) -> String,
) -> impl Iterator<Item = [String; 2]> {
    in_order(prefixes).map(move |prefix| [prefix.to_string(), why(prefix.to_net())])
}

/// A prefix as it is written in the ledger.
fn net(text: &[u8]) -> Option<IpNet> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
