//! The daemon: readiness, schedule, signals, and what it leaves behind.

use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::namespace::{Namespace, eventually};
use crate::support::notified::Notified;
use crate::support::{self, NO_KERNEL, PROGRAM, Place};

const NOC: &str = "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\nevery = \"1s\"\n";

/// A running daemon, and what it tells systemd.
struct Daemon {
    daemon: support::daemon::Daemon,
    notified: Notified,
}

impl Daemon {
    fn start(place: &Place, program: Command) -> Self {
        let socket = place.path("notify");
        let _ = std::fs::remove_file(&socket);
        let notified = Notified::at(&socket);
        let mut command = place.command(program, &["run"]);
        notified.by(&mut command);
        command.env("WATCHDOG_USEC", "200000");
        command.env_remove("WATCHDOG_PID");
        Self {
            daemon: support::daemon::Daemon::spawn(command),
            notified,
        }
    }

    /// Wait until systemd is told this.
    #[track_caller]
    fn tells(&self, what: &str) -> String {
        let told = self.notified.tells(what, Duration::from_secs(30));
        told.unwrap_or_else(|| panic!("systemd is not told {what}"))
    }

    #[track_caller]
    fn stop(mut self) {
        self.daemon.signal(Signal::SIGTERM);
        self.tells("STOPPING=1");
        assert_eq!(self.daemon.ended(), Some(0));
    }
}

fn place() -> Place {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}"));
    place.write("noc.list", "192.0.2.0/24\n");
    place
}

fn in_force(place: &Place) -> String {
    place.run(&["list"]).code(0).out
}

#[test]
fn it_is_ready_after_its_first_pass_feeds_the_watchdog_and_stops_when_told() {
    let place = place();
    let daemon = Daemon::start(&place, Command::new(PROGRAM));
    daemon.tells("READY=1");
    daemon.tells("STATUS=generation 1, 1 routes");
    assert_eq!(in_force(&place), "192.0.2.0/24\n");
    daemon.tells("WATCHDOG=1");
    daemon.tells("WATCHDOG=1");
    daemon.stop();
}

#[test]
fn it_runs_with_an_allocator_that_returns_memory_unless_it_is_told_otherwise() {
    let place = place();
    let of = |daemon: &Daemon, what: &str| {
        let read = std::fs::read_to_string(format!("/proc/{}/{what}", daemon.daemon.pid()));
        read.unwrap().replace('\0', "\n")
    };
    let daemon = Daemon::start(&place, Command::new(PROGRAM));
    daemon.tells("READY=1");
    assert!(of(&daemon, "environ").contains("MALLOC_MMAP_THRESHOLD_="));
    assert!(of(&daemon, "cmdline").starts_with(PROGRAM));
    assert_eq!(of(&daemon, "comm").trim_end(), "nullrouted");
    daemon.stop();
    let mut told = Command::new(PROGRAM);
    told.env("MALLOC_ARENA_MAX", "2");
    let daemon = Daemon::start(&place, told);
    daemon.tells("READY=1");
    let environment = of(&daemon, "environ");
    assert!(environment.contains("MALLOC_ARENA_MAX=2"), "{environment}");
    assert!(
        !environment.contains("MALLOC_MMAP_THRESHOLD_"),
        "{environment}"
    );
    daemon.stop();
}

#[test]
fn a_command_of_the_operator_does_not_inherit_the_settings_of_the_allocator() {
    let place = place();
    let router = "[[router]]\nname = \"edge1\"\nfamily = \"plain\"\npath = \"edge1.txt\"\n\
                  reload = [\"sh\", \"-c\", \"env > {file}.env\"]\n";
    place.configure(&format!("{NOC}{NO_KERNEL}{router}"));
    let daemon = Daemon::start(&place, Command::new(PROGRAM));
    daemon.tells("READY=1");
    // The shell makes the file, and then `env` writes it.
    let environment = || std::fs::read_to_string(place.path("edge1.txt.env")).unwrap_or_default();
    eventually("the file is loaded", || environment().contains("PATH="));
    daemon.stop();
    let environment = environment();
    for name in ["MALLOC_", "NULLROUTED_ALLOCATOR"] {
        assert!(!environment.contains(name), "{environment}");
    }
}

#[test]
fn it_looks_again_when_a_feed_is_due_and_verbs_work_beside_it() {
    let place = place();
    let daemon = Daemon::start(&place, Command::new(PROGRAM));
    daemon.tells("READY=1");
    place.write("noc.list", "192.0.2.0/24\n198.51.100.0/24\n");
    eventually("the new entry is in force", || {
        in_force(&place).lines().count() == 2
    });
    place
        .run(&["why", "198.51.100.7"])
        .code(0)
        .says("is blackholed by 198.51.100.0/24");
    place.run(&["status"]).code(0);
    place.run(&["flush"]).code(0);
    assert!(in_force(&place).is_empty());
    daemon.tells("pinned to nothing by flush");
    assert!(
        in_force(&place).is_empty(),
        "it does not come back by itself"
    );
    eventually("unpin finds a moment between two passes", || {
        place.run(&["unpin"]).code == Some(0)
    });
    assert_eq!(in_force(&place).lines().count(), 2);
    daemon.stop();
}

#[test]
fn a_hangup_reads_the_configuration_again_and_a_bad_one_changes_nothing() {
    let place = place();
    let daemon = Daemon::start(&place, Command::new(PROGRAM));
    daemon.tells("READY=1");
    place.configure("[[feed]]\nname = \"noc\"\nevery = 60\n");
    daemon.daemon.signal(Signal::SIGHUP);
    daemon
        .daemon
        .goes_on("every: expected a duration in quotes");
    daemon
        .daemon
        .goes_on("nothing was changed, still running with the configuration read at ");
    assert_eq!(in_force_with(&place, NOC), "192.0.2.0/24\n");

    place.configure(&format!(
        "{NOC}[protect]\nprefixes = [\"192.0.2.128/25\"]\n{NO_KERNEL}"
    ));
    daemon.daemon.signal(Signal::SIGHUP);
    daemon.daemon.goes_on("read again");
    eventually("the new protection is in force", || {
        in_force(&place) == "192.0.2.0/25\n"
    });
    daemon.stop();
}

/// The set in force, while the configuration at its place is broken.
fn in_force_with(place: &Place, config: &str) -> String {
    place.write("other.toml", &format!("state_dir = \"state\"\n{config}"));
    let mut command = Command::new(PROGRAM);
    command
        .arg("--config")
        .arg(place.path("other.toml"))
        .arg("list");
    crate::support::Ran::of(command.output().unwrap())
        .code(0)
        .out
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused() {
    let place = place();
    let daemon = Daemon::start(&place, Command::new(PROGRAM));
    daemon.tells("READY=1");
    let second = place.run(&["run"]).code(1);
    assert!(
        second.err.contains("nullrouted run, pid "),
        "{}",
        second.err
    );
    assert!(second.err.contains("is running"), "{}", second.err);
    daemon.stop();
}

#[test]
fn the_routes_stay_when_it_stops_or_go_by_configuration() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place();
    for (on_stop, left) in [("keep", 1), ("withdraw", 0)] {
        place.configure(&format!("{NOC}[kernel]\non_stop = \"{on_stop}\"\n"));
        // nsenter replaces itself with the program, so the signal arrives.
        let daemon = Daemon::start(&place, router.command(PROGRAM));
        daemon.tells("READY=1");
        assert_eq!(router.ours(), ["blackhole 192.0.2.0/24"]);
        daemon.stop();
        assert_eq!(router.ours().len(), left, "on_stop = {on_stop}");
    }
    // What was withdrawn at a stop is back at the next start: the ledger knows it.
    let daemon = Daemon::start(&place, router.command(PROGRAM));
    daemon.tells("READY=1");
    assert_eq!(router.ours(), ["blackhole 192.0.2.0/24"]);
    daemon.stop();
}

#[test]
fn the_routes_go_at_the_stop_whatever_the_ledger_says() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place();
    let feed = NOC.replace("1s", "1h");
    place.configure(&format!("{feed}[kernel]\non_stop = \"withdraw\"\n"));
    let mut daemon = Daemon::start(&place, router.command(PROGRAM));
    daemon.tells("READY=1");
    assert_eq!(router.ours().len(), 1);
    // Another file in its place: the one that the daemon has open would be repaired from its log.
    for part in ["", "-wal", "-shm"] {
        std::fs::remove_file(place.path(&format!("state/ledger.sqlite{part}"))).unwrap();
    }
    place.write(
        "state/ledger.sqlite",
        "no database at all, but long enough to look like one",
    );
    daemon.daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.daemon.ended(), Some(1));
    assert!(router.ours().is_empty());
}

#[test]
fn a_feed_that_fails_is_tried_again_and_the_daemon_is_ready_all_the_same() {
    let place = place();
    std::fs::remove_file(place.path("noc.list")).unwrap();
    let daemon = Daemon::start(&place, Command::new(PROGRAM));
    daemon.tells("READY=1");
    daemon.daemon.goes_on("there is no earlier copy");
    place.write("noc.list", "192.0.2.0/24\n");
    eventually("it came", || in_force(&place) == "192.0.2.0/24\n");
    daemon.stop();
}

/// `journalctl -p warning` finds what is wrong, and one line says what began to work.
#[test]
fn the_journal_gets_priorities_a_start_line_and_what_verbs_change() {
    let place = Place::new(&format!(
        "{NOC}{NO_KERNEL}\n[[protect.feed]]\nname = \"ranges\"\npath = \"ranges\"\n"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    place.write("ranges", "198.51.100.0/24\n");
    let mut shell = Command::new("sh");
    let exec = format!(
        "JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec {PROGRAM} -c {} run",
        place.config().display()
    );
    shell.args(["-c", &exec]);
    let daemon = support::daemon::Daemon::spawn(place.command(shell, &[]));
    daemon.says("<6>generation 1  1 added");
    let first = daemon.said()[0].clone();
    assert!(first.starts_with("<6>nullrouted 0.1.0"), "{first}");
    let rest = format!(
        ": configuration {}; 2 feeds; targets none; no generation yet",
        place.config().display()
    );
    assert!(first.ends_with(&rest), "{first}");
    std::fs::remove_file(place.path("noc.list")).unwrap();
    daemon.says("<4>feed=noc  failed: ");
    let verb = ["add", "203.0.113.7", "--reason", "ticket 7"];
    place.run(&verb).code(0);
    daemon.says("): add 203.0.113.7: ticket 7");
    let line = daemon.line("): add 203.0.113.7").unwrap();
    assert!(line.starts_with("<6>") && line.contains(" (uid "), "{line}");
    // What is wrong is said once.
    place.run(&["refresh"]).code(0);
    place.run(&["refresh"]).code(0);
    let failed = daemon.said();
    let failed = failed
        .iter()
        .filter(|line| line.contains("feed=noc  failed: "));
    assert_eq!(failed.count(), 1);
    daemon.stop();
    // A variable that a parent left is not believed.
    let mut command = place.command(Command::new(PROGRAM), &["run"]);
    command.env("JOURNAL_STREAM", "1:2");
    let daemon = support::daemon::Daemon::spawn(command);
    daemon.says("nullrouted 0.1.0");
    assert!(!daemon.said()[0].contains("<6>"), "{:?}", daemon.said());
    daemon.stop();
}
