//! The ledger: what is known, what was decided, when and why. SQLite, one writer at a time (I/O).
//!
//! The daemon and the command line meet here: a verb works the same with and without a running
//! daemon. The schema stands in `schema`; rows are read and written in one file for each subject.

mod cause;
mod chosen;
mod clock;
mod decisive;
mod discovered;
mod events;
mod feeds;
mod folder;
mod generations;
mod history;
mod listings;
mod lock;
mod many;
mod marks;
mod observation;
mod observed;
mod operator;
mod order;
mod overlap;
mod past;
mod pending_withdrawal;
mod pin;
mod recently_withdrawn;
mod reserve;
mod retention;
mod review;
mod schema;

pub use cause::{GenerationCause, WrittenCause};
pub use chosen::SelectionRow;
pub use events::{Event, EventKind};
pub use feeds::FeedRow;
pub use generations::{GenerationRow, Origin, RouteRow, TableUsed};
pub use history::{Book, ChangeRow, RouterChangeRow};
pub use listings::{Pieces, Seen};
pub use lock::{Busy, Lock};
pub use observation::{Actor, Audit, Bus, Covers, Listener, Monitoring, Observation, Zebra};
pub use observed::{Observed, Topic};
pub use operator::{OperatorEntry, OperatorRow};
pub use pending_withdrawal::CopyKind;
pub use pin::PinRow;
pub use recently_withdrawn::RecentlyWithdrawn;
pub use retention::Pruned;
pub use review::{HoldRow, ReviewAnswer, ReviewRow};

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::owner;
pub use crate::targets::TargetRow;
use crate::time::Timestamp;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Params, Row, ToSql};

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    db: Connection,
    /// Where it is: a flush may stand in the run directory only.
    state_dir: PathBuf,
    /// Device and inode of the file; `None` for one in memory.
    file: Option<(u64, u64)>,
}

/// Why the ledger cannot be used, in one line.
#[derive(Debug)]
pub enum LedgerError {
    /// The state directory cannot be made or written.
    Folder(PathBuf, io::Error),
    /// Part of the state directory belongs to another user: who that is, and what to type.
    Owner(PathBuf, String),
    /// Written by a newer version: its schema and the newest one we know.
    Newer(PathBuf, i64, i64),
    /// There is no room on the disk that it is on.
    Full(PathBuf),
    /// SQLite says no.
    Sqlite(PathBuf, rusqlite::Error),
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path, error) => write!(f, "state_dir {}: {error}", path.display()),
            Self::Owner(path, why) => {
                let path = path.display();
                write!(f, "state_dir {path}: Permission denied: {why}")
            }
            Self::Newer(path, theirs, ours) => write!(
                f,
                "{}: schema {theirs}, written by a newer nullrouted (this one knows up to {ours})",
                path.display()
            ),
            Self::Full(path) => write!(f, "{}: the disk is full", path.display()),
            Self::Sqlite(path, error) => {
                let path = path.display();
                match error.sqlite_error_code() {
                    Some(ErrorCode::ReadOnly) => write!(f, "{path}: cannot be written"),
                    Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => write!(
                        f,
                        "{path}: damaged ({error}); move it away to start a new one: routes in force \
                         stay, their history is lost"
                    ),
                    _ => write!(f, "{path}: {error}"),
                }
            }
        }
    }
}

impl std::error::Error for LedgerError {}

impl LedgerError {
    /// What SQLite said of the file at `path`. Of a full disk it speaks in several ways.
    fn of(path: &Path, error: rusqlite::Error) -> Self {
        let is_full = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => true,
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => reserve::is_full(path),
            _ => false,
        };
        if is_full {
            return Self::Full(path.to_owned());
        }
        let denied = [
            ErrorCode::CannotOpen,
            ErrorCode::PermissionDenied,
            ErrorCode::ReadOnly,
        ];
        let code = error.sqlite_error_code();
        let folder = path.parent().unwrap_or(path);
        let is_denied = code.is_some_and(|code| denied.contains(&code));
        match is_denied.then(|| owner::why_denied(folder, &[path])) {
            Some(Some(why)) => Self::Owner(folder.to_owned(), why),
            _ => Self::Sqlite(path.to_owned(), error),
        }
    }

    /// Whether it may pass by itself: a full disk has room again, another program gives the file
    /// back.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Folder(_, error) => error.kind() == io::ErrorKind::StorageFull,
            Self::Newer(..) | Self::Owner(..) => false,
            Self::Full(_) => true,
            Self::Sqlite(_, error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::SystemIoFailure
                        | ErrorCode::CannotOpen
                        | ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                )
            ),
        }
    }

    /// The state directory, or one of `files` in it, cannot be used.
    fn folder(state_dir: &Path, error: io::Error, files: &[&Path]) -> Self {
        let is_denied = error.kind() == io::ErrorKind::PermissionDenied;
        match is_denied.then(|| owner::why_denied(state_dir, files)) {
            Some(Some(why)) => Self::Owner(state_dir.to_owned(), why),
            _ => Self::Folder(state_dir.to_owned(), error),
        }
    }
}

/// More than there are statements that a pass runs.
const STATEMENTS: usize = 128;

impl Ledger {
    /// Name of the file under the state directory.
    pub const FILE: &'static str = "ledger.sqlite";

    /// Open for writing; folder, file and tables are made when they are missing.
    pub fn open(state_dir: &Path) -> Result<Self, LedgerError> {
        Self::open_within(state_dir, schema::BUSY_TIMEOUT)
    }

    /// The same, where each statement waits so long for another process.
    pub fn open_within(state_dir: &Path, patience: Duration) -> Result<Self, LedgerError> {
        let path = state_dir.join(Self::FILE);
        folder::prepare(state_dir)
            .map_err(|error| LedgerError::folder(state_dir, error, &[&path]))?;
        folder::prepare_ledger(&path);
        let failed = |error| LedgerError::of(&path, error);
        let mut db = Connection::open(&path).map_err(failed)?;
        // SQLite gives the files beside it the owner of this one.
        owner::like_folder(&path);
        schema::prepare(&db, patience).map_err(failed)?;
        schema::migrate(&mut db, &path)?;
        reserve::keep(state_dir);
        let file = identity(&path);
        Ok(Self::of(db, state_dir, file))
    }

    /// The same where a pin has to be written: on a full disk, by the room that is kept for it.
    pub fn open_for_pin(state_dir: &Path, patience: Duration) -> Result<Self, LedgerError> {
        let open = || Self::open_within(state_dir, patience);
        match open() {
            Err(LedgerError::Full(_)) if reserve::give_up(state_dir) => open(),
            opened => opened,
        }
    }

    /// Do something that a full disk must not keep from being done: by the room that is kept for
    /// it.
    pub fn in_any_case<T>(
        &self,
        work: impl Fn(&Self) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        match self.atomically(&work) {
            Err(LedgerError::Full(_)) if reserve::give_up(&self.state_dir) => self.atomically(work),
            done => done,
        }
    }

    fn of(db: Connection, state_dir: &Path, file: Option<(u64, u64)>) -> Self {
        let state_dir = state_dir.to_owned();
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        Self {
            db,
            state_dir,
            file,
        }
    }

    /// Open for reading only. Where there is no ledger yet, an empty one in memory.
    pub fn read(state_dir: &Path) -> Result<Self, LedgerError> {
        Self::read_within(state_dir, schema::BUSY_TIMEOUT)
    }

    /// The same, where each statement waits so long for another process.
    pub fn read_within(state_dir: &Path, patience: Duration) -> Result<Self, LedgerError> {
        let path = state_dir.join(Self::FILE);
        let failed = |error| LedgerError::of(&path, error);
        let exists = path.try_exists();
        if !exists.map_err(|error| LedgerError::folder(state_dir, error, &[]))? {
            return Self::in_memory(state_dir);
        }
        let (db, file) = match connect(&path, patience) {
            Ok(db) => (db, identity(&path)),
            // Not even a reader can work where nothing may be written: SQLite keeps an index of its
            // log in a file. Without a log the file alone is the ledger.
            Err(error) if error.may_pass() && !has_log(&path) => {
                (connect_immutable(&path).map_err(|_| error)?, None)
            }
            Err(error) => return Err(error),
        };
        if schema::is_empty(&db).map_err(failed)? {
            // A file without tables: a first start that was cut short.
            return Self::in_memory(state_dir);
        }
        if !schema::is_newest(&db).map_err(failed)? {
            return Ok(Self::of(schema::migrated(&db, &path)?, state_dir, None));
        }
        Ok(Self::of(db, state_dir, file))
    }

    fn in_memory(state_dir: &Path) -> Result<Self, LedgerError> {
        let path = state_dir.join(Self::FILE);
        let opened = Connection::open_in_memory();
        let mut db = opened.map_err(|error| LedgerError::of(&path, error))?;
        schema::migrate(&mut db, &path)?;
        Ok(Self::of(db, state_dir, None))
    }

    /// Whether there is hardly any room for what a pass writes.
    pub fn is_disk_full(state_dir: &Path) -> bool {
        reserve::is_full(state_dir)
    }

    /// Whether the file that is open is still the one in the state directory.
    pub fn is_at(&self, state_dir: &Path) -> bool {
        self.file.is_some() && self.file == identity(&state_dir.join(Self::FILE))
    }

    /// Do several things or none of them.
    pub fn atomically<T>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let run = |sql| self.tried(|| self.db.execute_batch(sql));
        run("BEGIN IMMEDIATE")?;
        let done = work(self).and_then(|done| run("COMMIT").map(|()| done));
        if done.is_err() {
            // After some errors SQLite has rolled back by itself; then there is nothing to undo.
            let _ = run("ROLLBACK");
        }
        done
    }

    /// Do several things or none of them, without waiting until they are on the disk: a loss of
    /// power takes them back, and the next pass notes the same again. The order stays: what
    /// [`Ledger::atomically`] writes later brings them to the disk first
    /// (<https://www.sqlite.org/pragma.html#pragma_synchronous>).
    pub fn lightly<T>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let set = |waits: &str| self.tried(|| self.db.pragma_update(None, "synchronous", waits));
        set("normal")?;
        let done = self.atomically(work);
        set(schema::WAITS)?;
        done
    }

    /// Give the memory back that a large change has taken for its pages.
    pub fn release(&self) {
        // Where it fails there is only more memory in use.
        let _ = self.db.execute_batch("PRAGMA shrink_memory");
    }

    /// The rows of a statement; SQLite parses it once a connection.
    fn rows<T, All: FromIterator<T>>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<All, LedgerError> {
        self.tried(|| self.all(sql, parameters, read))
    }

    /// The first row of a statement, if there is one.
    fn first<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, LedgerError> {
        self.tried(|| self.row(sql, parameters, read).optional())
    }

    /// Run a statement that answers no row.
    fn run(&self, sql: &str, parameters: impl Params) -> Result<(), LedgerError> {
        self.tried(|| self.execute(sql, parameters).map(|_| ()))
    }

    /// Several statements, of which the first error counts.
    fn tried<T>(&self, statements: impl FnOnce() -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        statements().map_err(|error| self.error(error))
    }

    /// [`Ledger::rows`] among other statements.
    fn all<T, All: FromIterator<T>>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<All> {
        let mut statement = self.db.prepare_cached(sql)?;
        statement.query_map(parameters, read)?.collect()
    }

    /// The only column of the only row of a statement.
    fn value<T: FromSql>(&self, sql: &str, parameters: impl Params) -> rusqlite::Result<T> {
        self.row(sql, parameters, |row| row.get(0))
    }

    /// One row of a statement.
    fn row<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.db.prepare_cached(sql)?.query_row(parameters, read)
    }

    /// Run a statement that answers no row. Answers how many rows it changed.
    fn execute(&self, sql: &str, parameters: impl Params) -> rusqlite::Result<usize> {
        self.db.prepare_cached(sql)?.execute(parameters)
    }

    fn error(&self, error: rusqlite::Error) -> LedgerError {
        LedgerError::of(Path::new(self.db.path().unwrap_or(Self::FILE)), error)
    }
}

/// What a column with text stands for.
fn parsed<T: FromStr>(row: &Row, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|_| rusqlite::Error::InvalidQuery)
}

/// A number in a column.
fn count(row: &Row, column: usize) -> rusqlite::Result<usize> {
    row.get::<_, i64>(column).map(|count| count as usize)
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

/// A connection that reads.
fn connect(path: &Path, patience: Duration) -> Result<Connection, LedgerError> {
    let failed = |error| LedgerError::of(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(failed)?;
    db.busy_timeout(patience).map_err(failed)?;
    schema::check(&db, path)?;
    Ok(db)
}

/// A connection that takes the file as it is, and leaves nothing beside it
/// (<https://www.sqlite.org/uri.html>).
fn connect_immutable(path: &Path) -> Result<Connection, LedgerError> {
    let failed = |error| LedgerError::of(path, error);
    let absolute = std::path::absolute(path).ok();
    let url = absolute.and_then(|path| url::Url::from_file_path(path).ok());
    let url = url.ok_or_else(|| failed(rusqlite::Error::InvalidPath(path.to_owned())))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let db = Connection::open_with_flags(format!("{url}?immutable=1"), flags).map_err(failed)?;
    schema::check(&db, path)?;
    Ok(db)
}

/// Whether there are changes that are not in the file yet.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// Device and inode of a file.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests;
