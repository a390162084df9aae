//! A router with our routes and one of another program, and a flush of it with a time limit.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::support::namespace::Namespace;
use crate::support::{NOC, PROGRAM, Place, Ran};

pub const LIST: &str = "72.37.186.0/23\n198.51.100.0/24\n2001:db8:bad::/48\n";

/// Table and protocol of our own.
pub const MARK: &str = "[kernel]\ntable = 100\nprotocol = 77\n";

/// Longest flush: it waits two seconds for a lock that another program has, and for its ledger.
const LONGEST: Duration = Duration::from_secs(20);

pub struct Ground {
    pub place: Place,
    pub router: Namespace,
}

impl Ground {
    /// Three routes in force, by this configuration beside the feed.
    pub fn new(more: &str) -> Option<Self> {
        let router = Namespace::new()?;
        // Where no state directory can be read the default one is used: here it is a folder of this
        // namespace.
        router.sh("mount -t tmpfs tmpfs /var/lib");
        let place = Place::new(&format!("{NOC}{more}"));
        place.write("noc.list", LIST);
        let ground = Self { place, router };
        ground.begin();
        Some(ground)
    }

    /// The same with its state on a small file system, mounted with these options.
    pub fn on_a_file_system(options: &str) -> Option<Self> {
        let router = Namespace::new()?;
        let place = Place::new(NOC);
        place.write("noc.list", LIST);
        let state = place.path("state");
        fs::create_dir(&state).unwrap();
        let state = state.display();
        router.sh(&format!("mount -t tmpfs -o {options} tmpfs {state}"));
        let ground = Self { place, router };
        ground.begin();
        Some(ground)
    }

    fn begin(&self) {
        self.router
            .ip("route add blackhole 203.0.113.0/24 proto static");
        self.refresh();
    }

    pub fn refresh(&self) {
        self.place.run_in(&self.router, &["refresh"]).code(0);
        assert_eq!(self.left().len(), 3);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    pub fn write_config(&self, text: impl AsRef<[u8]>) {
        fs::write(self.place.config(), text).unwrap();
    }

    /// The configuration with this put around it.
    pub fn wrap_config(&self, before: &str, after: &str) {
        let text = self.place.read("nullrouted.toml");
        self.write_config(format!("{before}{text}{after}"));
    }

    pub fn remove_ledger(&self) {
        for file in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(self.path(&format!("state/ledger.sqlite{file}")));
        }
    }

    /// In place of a file: a FIFO without a writer.
    pub fn fifo(&self, name: &str) {
        let path = self.path(name);
        let _ = fs::remove_file(&path);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    }

    /// What of ours is in any table.
    pub fn left(&self) -> Vec<String> {
        let v4 = self.router.ip("-4 route show table all");
        let v6 = self.router.ip("-6 route show table all");
        let prefixes: Vec<&str> = LIST.lines().collect();
        let ours = |line: &&str| prefixes.iter().any(|prefix| line.contains(prefix));
        let lines = v4.lines().chain(v6.lines());
        lines.filter(ours).map(str::to_owned).collect()
    }

    pub fn flush(&self) -> Ran {
        self.flush_by(&[], |command| command)
    }

    /// The same behind these words, with the environment and the output of the caller's choice.
    pub fn flush_by(&self, before: &[&str], change: impl FnOnce(Command) -> Command) -> Ran {
        let mut program = match before {
            [] => self.router.command(PROGRAM),
            [first, rest @ ..] => {
                let mut program = self.router.command(first);
                program.args(rest).arg(PROGRAM);
                program
            }
        };
        program.stdout(Stdio::piped()).stderr(Stdio::piped());
        let command = change(self.place.command(program, &["flush"]));
        self.limited(command)
    }

    /// Run it, not for ever.
    pub fn limited(&self, mut command: Command) -> Ran {
        let mut child = command.spawn().unwrap();
        let out = read(child.stdout.take());
        let err = read(child.stderr.take());
        let begun = Instant::now();
        let code = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.code();
            }
            if begun.elapsed() > LONGEST {
                stop(&mut child);
                panic!("it hangs; our routes: {:?}", self.left());
            }
            sleep(Duration::from_millis(5));
        };
        Ran {
            code,
            out: out.join().unwrap(),
            err: err.join().unwrap(),
        }
    }

    /// None of ours is left, the one of another program is; what was said, and how it ended.
    #[track_caller]
    pub fn is_flushed(&self, ran: &Ran, code: i32, says: &[&str]) {
        assert!(self.left().is_empty(), "{:?}\n{}", self.left(), ran.err);
        let theirs = self.router.ip("-4 route show proto static");
        assert!(theirs.contains("203.0.113.0/24"), "{theirs}");
        assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        for part in says {
            assert!(ran.err.contains(part), "{part:?} in\n{}", ran.err);
        }
        let last = match code {
            0 => "flushed; nothing is installed until `nullrouted unpin`",
            _ => "the flush is not complete; see above",
        };
        assert!(
            ran.err.is_empty() || ran.err.trim_end().ends_with(last),
            "{}",
            ran.err
        );
    }
}

fn read(from: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut from) = from {
            from.read_to_string(&mut text).unwrap();
        }
        text
    })
}

fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
