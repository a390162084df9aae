//! What the tests share: a place for configuration and state, and namespaces of their own.
//!
//! Kernel tests run in a network namespace that this module makes, and in no other: it refuses one
//! that is its own or that is not empty. Where the machine forbids namespaces, such a test says so
//! and passes, unless `NULLROUTED_TESTS=all` (as `tests/run` sets it), where it fails.

#![allow(dead_code)]

pub mod cases;
pub mod daemon;
pub mod faketime;
pub mod fed;
pub mod frr;
pub mod holes;
pub mod http;
pub mod inside;
pub mod lab;
pub mod namespace;
pub mod notified;
pub mod real;
pub mod soon;
pub mod speaker;
pub mod sshd;
pub mod tls;

use std::cell::RefCell;
use std::fmt::Debug;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_nullrouted");

/// One feed of our own, in `noc.list` of the place.
pub const NOC: &str = "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n";

/// No kernel among the targets: what is in force is what `list` shows, and no namespace is needed.
pub const NO_KERNEL: &str = "[kernel]\nenabled = false\n";

/// For a configuration: what is around is looked for, as it is by default. For namespaces of our
/// own.
pub const AROUND: &str = "# discover what is around\n";

/// A list of origin ASes, as Spamhaus publishes it.
pub fn asndrop(asns: &[u32]) -> String {
    let records: String = asns
        .iter()
        .map(|asn| format!("{{\"asn\":{asn},\"rir\":\"arin\",\"domain\":null,\"cc\":\"US\",\"asname\":\"NET-{asn}\"}}\n"))
        .collect();
    let (size, count) = (records.len(), asns.len());
    format!(
        "{records}{{\"type\":\"metadata\",\"timestamp\":1790000000,\"size\":{size},\"records\":{count}}}\n"
    )
}

/// A folder with a configuration and a state directory.
pub struct Place {
    dir: TempDir,
}

impl Place {
    /// A configuration of this text; relative paths in it stand for files of this place.
    pub fn new(config: &str) -> Self {
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        place.configure(config);
        place
    }

    /// A place whose only feed is this list, and whose only target is the ledger.
    pub fn of_list(list: &str) -> Self {
        let place = Self::new(&format!("{NOC}{NO_KERNEL}"));
        place.write("noc.list", list);
        place
    }

    /// Nothing is looked for around the machine that runs the test, unless the text says where
    /// ([`AROUND`]): its own addresses may well be those of the examples.
    pub fn configure(&self, config: &str) {
        const NOTHING: &str = "[protect]\ndiscover = []\n";
        let config = match (config.contains("discover"), config.contains("[protect]\n")) {
            (true, _) => config.to_owned(),
            (false, true) => config.replacen("[protect]\n", NOTHING, 1),
            (false, false) => format!("{config}\n{NOTHING}"),
        };
        self.write(
            "nullrouted.toml",
            &format!("state_dir = \"state\"\n{config}"),
        );
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("nullrouted.toml")
    }

    /// The file is dated a moment back: a list that was just written is read twice, with a pause
    /// between (`src/feed/file.rs`).
    pub fn write(&self, name: &str, text: &str) {
        const WRITTEN: Duration = Duration::from_millis(300);
        let mut file = std::fs::File::create(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.set_modified(SystemTime::now() - WRITTEN).unwrap();
    }

    /// The ledger, behind the program's back.
    pub fn ledger(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("state/ledger.sqlite")).unwrap()
    }

    /// Change the ledger behind the program's back, as to turn its clock.
    #[track_caller]
    pub fn edit(&self, change: &str) {
        let ledger = self.ledger();
        ledger.busy_timeout(Duration::from_secs(5)).unwrap();
        assert!(ledger.execute(change, []).unwrap() > 0, "{change}");
    }

    /// So many seconds pass: everything that the ledger dates was that much earlier. Less than a
    /// day, or the clock of the machine is doubted.
    #[track_caller]
    pub fn later(&self, seconds: i64) {
        let ledger = self.ledger();
        let patience = Duration::from_secs(5);
        ledger.busy_timeout(patience).unwrap();
        let columns = "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
                       WHERE t.type = 'table' AND c.type = 'INTEGER'";
        let mut columns = ledger.prepare(columns).unwrap();
        let columns = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let columns: Vec<(String, String)> = columns.unwrap().map(Result::unwrap).collect();
        // Nothing else that is counted there is so large.
        let shift = |(table, column): &(String, String)| {
            let dated = format!("{column} BETWEEN 1500000000 AND 4000000000");
            let sql = format!("UPDATE {table} SET {column} = {column} - {seconds} WHERE {dated}");
            ledger.execute(&sql, []).unwrap()
        };
        assert!(columns.iter().map(shift).sum::<usize>() > 0);
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Run a verb where we are.
    pub fn run(&self, verb: &[&str]) -> Ran {
        Ran::of(self.command(Command::new(PROGRAM), verb).output().unwrap())
    }

    /// The same in a namespace.
    pub fn run_in(&self, namespace: &namespace::Namespace, verb: &[&str]) -> Ran {
        Ran::of(
            self.command(namespace.command(PROGRAM), verb)
                .output()
                .unwrap(),
        )
    }

    pub fn command(&self, mut program: Command, verb: &[&str]) -> Command {
        // Each place has a run directory of its own: tests do not share flush markers.
        program.env("NULLROUTED_RUN_DIR", self.path("run"));
        program.arg("--config").arg(self.config()).args(verb);
        program
    }
}

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(
            self.code,
            Some(expected),
            "stdout:\n{}\nstderr:\n{}",
            self.out,
            self.err
        );
        self
    }

    #[track_caller]
    pub fn says(self, part: &str) -> Self {
        let said = format!("{}{}", self.out, self.err);
        assert!(said.contains(part), "expected {part:?} in:\n{said}");
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    pub fn lines(&self) -> Vec<&str> {
        self.out.lines().map(str::trim_end).collect()
    }
}

/// Whether everything must run: where it is set, a test that would be left out fails.
pub fn everything() -> bool {
    std::env::var_os("NULLROUTED_TESTS").is_some_and(|value| value == "all")
}

/// Whether a test that starts routers runs: where everything must, or where it was asked for by
/// name. They take minutes.
pub fn wants_routers() -> bool {
    runs("routers run")
}

/// The same for a test that takes many seconds, most of them to wait.
pub fn has_time() -> bool {
    runs("what takes long runs")
}

fn runs(what: &str) -> bool {
    let named = || std::env::args().skip(1).any(|word| !word.starts_with('-'));
    let wanted = everything() || named();
    if !wanted {
        left_out(format!(
            "{what} with NULLROUTED_TESTS=all, or when the test is named"
        ));
    }
    wanted
}

/// One at a time of the tests that load the machine: others measure time beside them.
pub fn loads() -> MutexGuard<'static, ()> {
    static LOAD: Mutex<()> = Mutex::new(());
    LOAD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So much of something where everything must run, and less where a run shall be short.
pub fn unless_everything<T>(all: T, otherwise: T) -> T {
    if everything() { all } else { otherwise }
}

thread_local! {
    static LEFT_OUT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Leave a test out, saying why.
pub fn left_out(why: impl Debug) {
    assert!(
        !everything(),
        "NULLROUTED_TESTS=all, and this machine cannot run it: {why:?}"
    );
    eprintln!("left out: {why:?}");
    LEFT_OUT.set(Some(format!("{why:?}")));
}

/// Why something was left out in this thread since this was asked last.
pub fn was_left_out() -> Option<String> {
    LEFT_OUT.take()
}

/// Whether a program of this name is installed. `tests/routers/suite` counts the test for it.
pub fn installed(program: &str) -> bool {
    let installed = is_installed(program);
    if installed {
        used(program);
    }
    installed
}

/// Where it is wanted, a line says which test uses which program.
pub fn used(program: &str) {
    let Some(file) = std::env::var_os("NULLROUTED_USED") else {
        return;
    };
    let this = std::thread::current();
    let line = format!("{} {program}\n", this.name().unwrap_or_default());
    let mut file = std::fs::File::options().append(true).open(file).unwrap();
    file.write_all(line.as_bytes()).unwrap();
}

/// The same, and it does not count.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let also = [
        PathBuf::from("/usr/sbin"),
        PathBuf::from("/sbin"),
        PathBuf::from("/usr/lib/frr"),
    ];
    std::env::split_paths(&path)
        .chain(also)
        .any(|dir| dir.join(program).is_file())
}

/// `root` is whoever may be any user: in a user namespace with one user mapped there is no other.
pub fn is_root() -> bool {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let status = read("/proc/self/status");
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let zero = uid.is_some_and(|line| line.split_whitespace().next() == Some("0"));
    let mapped = read("/proc/self/uid_map");
    let mapped = mapped
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok());
    zero && mapped.sum::<u64>() > 65_534
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
