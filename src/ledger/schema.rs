//! Tables and their versions. A version is never changed once released; a new one is added.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::LedgerError;

/// How long a statement waits for another process.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A change is on the disk before it is acted upon.
pub const WAITS: &str = "full";

/// One step a version. Times are seconds since 1970 UTC; prefixes are text, as `list` prints them.
const VERSIONS: [&str; 11] = [
    "
-- A configured feed: what the last looks at it gave.
CREATE TABLE feed (
    name          TEXT PRIMARY KEY,
    origin        TEXT NOT NULL,              -- URL or path of the last good copy
    etag          TEXT,                       -- validators of the last good copy
    last_modified TEXT,
    looked_at     INTEGER,                    -- last attempt
    jitter        INTEGER NOT NULL DEFAULT 0, -- drawn at the last attempt: 0 to 999 per mille of the spread
    not_before    INTEGER,                    -- the server asked to be left alone until then
    failures      INTEGER NOT NULL DEFAULT 0, -- attempts since the last good one
    state         TEXT NOT NULL DEFAULT '',   -- fresh, unchanged, failed, incomplete, foreign, retired, empty, stale
    note          TEXT NOT NULL DEFAULT '',   -- what was seen, in words
    confirmed_at  INTEGER,                    -- last good copy, or 'not modified'
    changed_at    INTEGER,                    -- last good copy that listed something else
    generated     INTEGER,                    -- when the publisher says that he made the last good copy
    digest        TEXT,                       -- the last good copy
    listed        TEXT,                       -- the copy that its listings are in step with, and how it was read
    applied       TEXT,                       -- the copy behind the generation in force
    taken_at      INTEGER,                    -- when the last good copy was first taken: ends are counted from it
    applied_taken INTEGER,                    -- the same for the copy behind the generation in force
    applied_table TEXT,                       -- the table of origins that was used with it
    entries       INTEGER NOT NULL DEFAULT 0,
    rejected      INTEGER NOT NULL DEFAULT 0,
    standing      TEXT NOT NULL DEFAULT ''    -- as it was last announced: fresh, stale, expired, missing
) STRICT;

-- Everything that any feed ever listed.
CREATE TABLE listing (
    feed       TEXT NOT NULL,
    prefix     TEXT NOT NULL,                 -- or AS and a number
    reference  TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER,                       -- NULL while it is listed
    PRIMARY KEY (feed, prefix, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX listing_gone ON listing (last_seen) WHERE last_seen IS NOT NULL;

-- What the newest copy of a feed lacks, and what still counts until its withdrawal is due.
CREATE TABLE leaving (
    feed      TEXT NOT NULL,
    applied   INTEGER NOT NULL,               -- 0: now; 1: behind the generation in force
    item      TEXT NOT NULL,                  -- a prefix, or AS and a number
    reference TEXT NOT NULL,
    since     INTEGER NOT NULL,               -- the first good copy without it
    missed    INTEGER NOT NULL,               -- good copies in a row without it
    PRIMARY KEY (feed, applied, item, reference)
) STRICT, WITHOUT ROWID;

-- Origin ASes in force: what the router files match on.
CREATE TABLE origin (
    asn INTEGER PRIMARY KEY
) STRICT;

-- A set that was put in force.
CREATE TABLE generation (
    number  INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    routes  INTEGER NOT NULL,                 -- in force with it
    added   INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    cause   TEXT NOT NULL,                    -- the verb, or what else it came from: refresh, protect, flush, add, ...
    review  TEXT NOT NULL DEFAULT '',         -- ID of the held change that was approved for it
    by      TEXT NOT NULL DEFAULT '',         -- who approved it
    pinned  INTEGER NOT NULL DEFAULT 0        -- 1 where it was made while pinned, or flushed
) STRICT;

-- What a generation changed, with every cause in words.
CREATE TABLE change (
    generation INTEGER NOT NULL REFERENCES generation (number),
    prefix     TEXT NOT NULL,                 -- or AS and a number
    op         TEXT NOT NULL CHECK (op IN ('+', '-')),
    cause      TEXT NOT NULL,
    PRIMARY KEY (generation, prefix, op)
) STRICT, WITHOUT ROWID;

-- The set in force: what every target should hold.
CREATE TABLE route (
    prefix     TEXT PRIMARY KEY,
    generation INTEGER NOT NULL               -- that brought it
) STRICT, WITHOUT ROWID;

-- At most one row: what is in force is frozen until unpin.
CREATE TABLE pin (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    at         INTEGER NOT NULL,
    generation INTEGER NOT NULL,              -- whose set it is; 0 for nothing (flush)
    by         TEXT NOT NULL
) STRICT;

-- What the operator added or allowed by hand, now and in the past.
CREATE TABLE operator (
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL CHECK (kind IN ('add', 'allow')),
    prefix   TEXT NOT NULL,
    reason   TEXT NOT NULL,
    by       TEXT NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER,                         -- when it ends by itself
    ended    INTEGER,                         -- when it ended; NULL while it counts
    ended_by TEXT                             -- who ended it; empty when its time was over
) STRICT;
CREATE UNIQUE INDEX operator_counts ON operator (kind, prefix) WHERE ended IS NULL;

-- Protected space that was found by looking around.
CREATE TABLE discovered (
    source     TEXT NOT NULL,                 -- addresses, connected, gateways, resolvers, bgp-neighbors, ...
    prefix     TEXT NOT NULL,
    why        TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (source, prefix, why)
) STRICT, WITHOUT ROWID;

-- What people said to held changes.
CREATE TABLE review (
    seq     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL,                    -- of the change
    verdict TEXT NOT NULL CHECK (verdict IN ('approved', 'rejected')),
    at      INTEGER NOT NULL,
    by      TEXT NOT NULL,
    ended   INTEGER,                          -- when it was applied or became void; NULL while it counts
    outcome TEXT NOT NULL DEFAULT ''          -- applied, void, or withdrawn by another verdict
) STRICT;
CREATE INDEX review_id ON review (id);

-- The log book: what happened beside generations.
CREATE TABLE event (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    what    TEXT NOT NULL,                    -- add, remove, allow, disallow, expired, held, approve, reject, void,
                                              -- pin, unpin, flush, protected, unprotected
    subject TEXT NOT NULL,                    -- a prefix, or the ID of a change, or empty
    by      TEXT NOT NULL,                    -- who did it; empty for the program itself
    text    TEXT NOT NULL                     -- the reason, in words
) STRICT;
CREATE INDEX event_at ON event (at);

-- At most one row: what was forgotten because it is older than the ledger keeps.
CREATE TABLE pruned (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    at         INTEGER NOT NULL,              -- when that was looked after last
    generation INTEGER NOT NULL               -- sets of generations before this one can no longer be told
) STRICT;

-- At most one row: the change that waits for approval.
CREATE TABLE hold (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    id      TEXT NOT NULL,
    at      INTEGER NOT NULL,                 -- first seen
    reasons TEXT NOT NULL,                    -- one a line
    added   INTEGER NOT NULL,                 -- prefixes it would bring
    removed INTEGER NOT NULL                  -- prefixes it would take away
) STRICT;

-- What became of the last generation at each target.
CREATE TABLE target (
    name   TEXT PRIMARY KEY,
    at     INTEGER NOT NULL,
    failed INTEGER NOT NULL,                  -- 0 or 1
    report TEXT NOT NULL,
    digest TEXT                               -- content of a router file that is in place and loaded
) STRICT;

-- What was last seen of the kernel and of those who listen to it, for status.
CREATE TABLE observed (
    what  TEXT PRIMARY KEY,                   -- watch, audit, bus, zebra, covers
    at    INTEGER NOT NULL,
    alarm INTEGER NOT NULL,                   -- 1 where somebody should do something
    count INTEGER NOT NULL,                   -- since the table was made: routes put back, audits made, ...
    text  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Marks that routes of ours may carry: the one in use, and former ones until their routes are gone.
CREATE TABLE mark (
    tab      INTEGER NOT NULL,
    protocol INTEGER NOT NULL,
    kind     TEXT NOT NULL,                   -- blackhole, unreachable, prohibit
    PRIMARY KEY (tab, protocol, kind)
) STRICT, WITHOUT ROWID;

-- At most one row: from here on whatever carries our mark is explained by this ledger. Until every
-- feed has been read once, what an earlier life left behind is not touched.
CREATE TABLE settled (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at  INTEGER NOT NULL
) STRICT;
",
    "
-- At most one row: the clock as the last pass saw it.
CREATE TABLE clock (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    at         INTEGER NOT NULL,              -- the time that the pass went by
    wall       INTEGER NOT NULL,              -- what the clock of the machine said
    first_at   INTEGER,                       -- the same two when the clock was doubted first; NULL while it is
    first_wall INTEGER,                       -- believed
    up         INTEGER NOT NULL,              -- seconds since the machine was started
    boot       TEXT NOT NULL                  -- which start of it
) STRICT;

-- What of the configuration decided the set in force, by name.
CREATE TABLE decisive (
    part  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Since when a pass finds confirmed_at in the future: the age of the copy is counted from here.
ALTER TABLE feed ADD COLUMN ahead_since INTEGER;

-- How lists stand in the file of a router with `auto` for lists (one, octets), the version of FRR that this was chosen by
-- (NULL where that is not known), and how many entries of a kind it had.
ALTER TABLE target ADD COLUMN lists TEXT;
ALTER TABLE target ADD COLUMN frr_version TEXT;
ALTER TABLE target ADD COLUMN entries INTEGER NOT NULL DEFAULT 0;
",
    "
-- A router that does not get everything in force: what its file was made of last.
CREATE TABLE selection (
    router      TEXT PRIMARY KEY,
    selection   TEXT NOT NULL,                -- JSON: feeds, operator, longest_v4, longest_v6
    v4          INTEGER NOT NULL,             -- prefixes it has
    v6          INTEGER NOT NULL,
    left_out_v4 INTEGER NOT NULL,             -- prefixes that are too long for it
    left_out_v6 INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A choice of feeds that routers have or had, other than all of them: it has a set of its own.
CREATE TABLE choice (
    id       INTEGER PRIMARY KEY,
    feeds    TEXT NOT NULL,                   -- JSON: their names, ascending; null for every feed
    operator INTEGER NOT NULL,                -- 1 where what was added by hand is in it
    came     INTEGER NOT NULL,                -- the generation it began with
    went     INTEGER                          -- the first generation without it; NULL while a router has it
) STRICT;

-- What a choice has and had.
CREATE TABLE chosen (
    choice INTEGER NOT NULL REFERENCES choice (id),
    prefix TEXT NOT NULL,                     -- or AS and a number
    came   INTEGER NOT NULL,                  -- the generation that brought it
    went   INTEGER,                           -- the generation that took it away; NULL while it is there
    PRIMARY KEY (choice, prefix, came)
) STRICT, WITHOUT ROWID;

-- What left the file of a router that has or had a selection, for those that have to be told.
CREATE TABLE router_left (
    router     TEXT NOT NULL,
    prefix     TEXT NOT NULL,                 -- or AS and a number
    generation INTEGER NOT NULL,              -- that took it away last
    PRIMARY KEY (router, prefix)
) STRICT, WITHOUT ROWID;
",
    "
-- What came to the file of a router that has or had a selection, and what left it: families that have to be told say so.
CREATE TABLE router_change (
    router     TEXT NOT NULL,
    prefix     TEXT NOT NULL,                 -- or AS and a number
    generation INTEGER NOT NULL,
    op         TEXT NOT NULL,                 -- + came, - went, . left everything before the router had a selection
    PRIMARY KEY (router, prefix, generation, op)
) STRICT, WITHOUT ROWID;
INSERT INTO router_change (router, prefix, generation, op) SELECT router, prefix, generation, '-' FROM router_left;
DROP TABLE router_left;

-- Whether frr_version is what the FRR of this machine said.
ALTER TABLE target ADD COLUMN frr_asked INTEGER NOT NULL DEFAULT 0;
",
    "
-- What was worth noting of a target, as JSON: it is logged again only where it changes.
ALTER TABLE target ADD COLUMN notes TEXT NOT NULL DEFAULT '[]';
",
    "
-- The uid of the process that did it, by the kernel; NULL for the program itself, and before this was noted.
ALTER TABLE event ADD COLUMN uid INTEGER;
",
    "
-- From here on observed.text and hold.reasons are JSON. A sentence of an earlier version is shown as it stands.
",
    "
-- Every cause in words. It moves to table change when the route goes. NULL where an earlier version brought it: then it
-- stands there already.
ALTER TABLE route ADD COLUMN cause TEXT;

-- The name of the host behind an address that a feed is fetched from. NULL for other sources, and where an earlier
-- version noted it.
ALTER TABLE discovered ADD COLUMN host TEXT;

-- Every change that is remembered: those of table change, and those that brought what is in force.
CREATE VIEW every_change AS
    SELECT generation, prefix, op, cause FROM change
    UNION ALL SELECT generation, prefix, '+', cause FROM route WHERE cause IS NOT NULL;
",
    "
-- From here on feed.note is JSON. A sentence of an earlier version is shown as it stands.
", "
-- What the last good copy was read as where that is not what stands in it: JSON, empty for nothing.
ALTER TABLE feed ADD COLUMN remarks TEXT NOT NULL DEFAULT '';
", "
-- From here on discovered.prefix may be an AS, such as AS64500: that of a BGP neighbor.

-- At most one row: who approved a held change first, while a second person is asked for.
CREATE TABLE first_approval (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL,                        -- of the change
    at  INTEGER NOT NULL,
    by  TEXT NOT NULL
) STRICT;

-- The newest generation when it was noted, which orders what happens within a second. NULL where an earlier version
-- noted it.
ALTER TABLE event ADD COLUMN generation INTEGER;
",
];

/// The newest schema this program knows.
pub const NEWEST: i64 = VERSIONS.len() as i64;

/// Settings of a connection that writes.
pub fn prepare(db: &Connection, patience: Duration) -> rusqlite::Result<()> {
    db.busy_timeout(patience)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    db.pragma_update(None, "synchronous", WAITS)?;
    // Pages kept in memory, in KiB: used only as far as a change is large. More of them goes to the
    // log first. Rows come in the order of their keys, so few pages are written twice.
    db.pragma_update(None, "cache_size", -4_096)?;
    db.pragma_update(None, "foreign_keys", true)
}

/// Bring the tables to the newest version, each step in one transaction.
pub fn migrate(db: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let failed = |error| LedgerError::of(path, error);
    check(db, path)?;
    // Immediate: of two programs that start at once, one waits and then finds it done.
    let behavior = rusqlite::TransactionBehavior::Immediate;
    if is_newest(db).map_err(failed)? {
        return Ok(());
    }
    let step = db.transaction_with_behavior(behavior).map_err(failed)?;
    let from = version(&step).map_err(failed)?;
    for sql in VERSIONS.iter().skip(from as usize) {
        step.execute_batch(sql).map_err(failed)?;
    }
    step.pragma_update(None, "user_version", NEWEST)
        .map_err(failed)?;
    step.commit().map_err(failed)
}

/// A copy in memory, brought to the newest version: who only reads leaves the file of an earlier
/// version as it is.
pub fn migrated(db: &Connection, path: &Path) -> Result<Connection, LedgerError> {
    let failed = |error| LedgerError::of(path, error);
    let mut copy = Connection::open_in_memory().map_err(failed)?;
    let backup = Backup::new(db, &mut copy).map_err(failed)?;
    backup
        .run_to_completion(PAGES, Duration::ZERO, None)
        .map_err(failed)?;
    drop(backup);
    migrate(&mut copy, path)?;
    Ok(copy)
}

/// Pages that are copied at a time; a writer may come between.
const PAGES: i32 = 1_000;

/// Refuse a ledger of the future.
pub fn check(db: &Connection, path: &Path) -> Result<(), LedgerError> {
    let theirs = version(db).map_err(|error| LedgerError::of(path, error))?;
    if theirs > NEWEST {
        return Err(LedgerError::Newer(path.to_owned(), theirs, NEWEST));
    }
    Ok(())
}

/// Whether it has all that this version reads.
pub fn is_newest(db: &Connection) -> rusqlite::Result<bool> {
    Ok(version(db)? == NEWEST)
}

/// Whether there is nothing in it, not even tables.
pub fn is_empty(db: &Connection) -> rusqlite::Result<bool> {
    Ok(version(db)? == 0)
}

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::FeedState;
    use crate::ledger::Ledger;
    use crate::plan::sentences;
    use crate::time::Timestamp;

    #[test]
    fn who_only_reads_understands_each_earlier_version_and_leaves_it_as_it_is() {
        for number in 1..NEWEST {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(Ledger::FILE);
            let db = Connection::open(&path).unwrap();
            prepare(&db, BUSY_TIMEOUT).unwrap();
            for sql in &VERSIONS[..number as usize] {
                db.execute_batch(sql).unwrap();
            }
            db.pragma_update(None, "user_version", number).unwrap();
            db.execute_batch(
                "INSERT INTO feed (name, origin, state, note, looked_at) VALUES ('noc', 'noc.list', 'failed', 'HTTP 503', 100);
                 INSERT INTO generation (number, at, routes, added, removed, cause) VALUES (1, 100, 1, 1, 0, 'refresh');
                 INSERT INTO route (prefix, generation) VALUES ('192.0.2.0/24', 1);
                 INSERT INTO hold VALUES (1, 'abc', 100, 'noc: 2 of 3 go' || char(10) || 'all feeds: 7', 1, 1);
                 INSERT INTO observed VALUES ('watch', 100, 0, 2, 'the last: 192.0.2.0/24, removed by ip');
                 INSERT INTO target (name, at, failed, report) VALUES ('kernel', 100, 0, 'added 1');",
            )
            .unwrap();
            let had_left = number == 3;
            if had_left {
                let left = "INSERT INTO router_left VALUES ('edge1', '198.51.100.0/24', 1)";
                db.execute_batch(left).unwrap();
            }
            // What is in the log alone is read, too.
            let ledger = Ledger::read(dir.path()).unwrap();
            assert_eq!(ledger.in_force().unwrap().nets.len(), 1, "{number}");
            let feed = ledger.feed("noc").unwrap().unwrap();
            assert_eq!(feed.state, Some(FeedState::Failed));
            assert_eq!(feed.refused.unwrap().to_string(), "HTTP 503");
            assert_eq!(ledger.targets().unwrap().len(), 1);
            assert!(ledger.now().unwrap() >= Timestamp(100));
            assert!(ledger.decisive().unwrap().is_empty());
            assert!(ledger.selections().unwrap().is_empty());
            // What was written in words is shown so.
            let reasons = ledger.hold().unwrap().unwrap().reasons;
            assert_eq!(sentences(&reasons), ["noc: 2 of 3 go", "all feeds: 7"]);
            assert_eq!(
                ledger.observed().unwrap()[0].to_string(),
                "watch  2 routes put back so far; the last: 192.0.2.0/24, removed by ip  (1970-01-01T00:01:40Z)"
            );
            let left = ledger
                .recently_withdrawn_of("edge1", Duration::from_secs(60))
                .unwrap();
            assert_eq!(left.nets.len(), usize::from(had_left), "{number}");
            assert_eq!(version(&db).unwrap(), number);
        }
    }
}
