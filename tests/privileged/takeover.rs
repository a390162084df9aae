//! A machine that the build of 2026-11-23 has run until now: state directory, kernel routes and
//! router files stand in `tests/fixtures/takeover`, as that build left them (`ledger.sql` is its
//! ledger as text). Time has gone on since, as on a machine that was off.
//!
//! | folder | what it was left with |
//! |---|---|
//! | `held` | 4 generations, an added and an allowed address, a held change |
//! | `pinned` | the same pinned to generation 1 |
//!
//! The files of role trigger have another text since (a BGP session of its own in FRR, a table in
//! BIRD): they are replaced once, with the same prefixes. All others stay byte for byte.

use std::fs;
use std::path::Path;

use crate::support::namespace::Namespace;
use crate::support::{PROGRAM, Place, Ran, repository};

/// Files of routers whose text is what it was.
const KEPT: [&str; 3] = ["edge-bird.conf", "firewall.ipset", "plain.txt"];

struct Machine {
    namespace: Namespace,
    place: Place,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

impl Machine {
    fn left(as_it_was: &str) -> Option<Self> {
        let namespace = Namespace::new()?;
        let place = Place::new("");
        let fixture = repository().join("tests/fixtures/takeover");
        copy(&fixture.join(as_it_was), &place.path(""));
        let ledger = place.ledger();
        ledger.pragma_update(None, "journal_mode", "wal").unwrap();
        ledger.execute_batch(&place.read("ledger.sql")).unwrap();
        for net in place.read("routes").lines() {
            namespace.ip(&format!("route add blackhole {net} proto 166"));
        }
        namespace.ip("route add blackhole 192.0.2.250/32 proto static");
        Some(Self { namespace, place })
    }

    /// In its folder: that build wrote down under which path each file was loaded.
    fn run(&self, verb: &[&str]) -> Ran {
        let mut command = self.namespace.command("sh");
        let line = "cd \"$0\" && exec \"$@\"";
        command.args(["-c", line]).arg(self.place.path(""));
        command.args([PROGRAM, "--config", "nullrouted.toml"]);
        command.env("NULLROUTED_RUN_DIR", self.place.path("run"));
        Ran::of(command.args(verb).output().unwrap())
    }

    fn status(&self) -> serde_json::Value {
        self.run(&["status", "--json"]).json()
    }

    /// Which routers were reloaded until now.
    fn reloaded(&self) -> String {
        fs::read_to_string(self.place.path("reloaded")).unwrap_or_default()
    }

    fn files(&self) -> [String; 3] {
        KEPT.map(|file| self.place.read(file))
    }

    /// The first pass touches no route and no file but the one with another text.
    fn first_pass(&self, code: i32) -> Ran {
        let (ours, foreign) = (self.namespace.ours(), self.namespace.foreign());
        let files = self.files();
        let mut pass = None;
        let seen = self
            .namespace
            .watched(&self.place.path("seen"), &["route"], || {
                pass = Some(self.run(&["refresh"]).code(code));
            });
        let touched = seen.lines().filter(|line| !line.contains("203.0.113.7"));
        assert_eq!(touched.count(), 0, "{seen}");
        assert_eq!(self.namespace.ours(), ours);
        assert_eq!(self.namespace.foreign(), foreign);
        assert_eq!(self.files(), files);
        assert_eq!(self.reloaded(), "edge-frr\n");
        // The second has nothing to do at all.
        self.run(&["refresh"]).code(code);
        assert_eq!(self.namespace.ours(), ours);
        assert_eq!(self.reloaded(), "edge-frr\n");
        pass.unwrap()
    }
}

#[test]
fn the_first_pass_changes_nothing_and_a_held_change_is_still_held() {
    let Some(machine) = Machine::left("held") else {
        return;
    };
    let pass = machine.first_pass(3);
    pass.says("target=kernel  added 0, removed 0, kept 16, failed 0")
        .says("target=edge-frr  edge-frr.conf replaced, 16 prefixes");
    let status = machine.status();
    assert_eq!(status["generation"]["number"], 4, "{status:#}");
    let held = &status["held"];
    assert_eq!(
        (&held["added"], &held["removed"]),
        (&4.into(), &1.into()),
        "{status:#}"
    );
    // Under its name: whoever read the plan of that build can answer it now.
    let id = "eaa7735ae440";
    assert_eq!(held["id"], id);
    // What was done by hand is there, with its reason and who did it.
    let history = machine.run(&["history"]).code(0);
    history
        .says("198.51.100.240/32  scans the mail server  (operator)")
        .says("192.0.2.9/32  a customer of ours  (operator)");
    machine.run(&["approve", id]).code(0);
    machine.run(&["refresh"]).code(0);
    let ours = machine.namespace.ours();
    assert_eq!(ours.len(), 19, "{ours:#?}");
    machine.run(&["remove", "198.51.100.240"]).code(0);
    machine.run(&["disallow", "192.0.2.9"]).code(0);
    let ours = machine.namespace.ours().join("\n");
    assert!(!ours.contains("198.51.100.240"), "{ours}");
    assert!(ours.contains("blackhole 192.0.2.0/25"), "{ours}");
}

#[test]
fn a_pin_holds_until_unpin() {
    let Some(machine) = Machine::left("pinned") else {
        return;
    };
    let pass = machine.first_pass(0);
    pass.says("target=kernel  added 0, removed 0, kept 14, failed 0");
    let status = machine.status();
    assert_eq!(status["pinned"]["generation"], 1, "{status:#}");
    assert_eq!(status["generation"]["number"], 5, "{status:#}");
    machine.run(&["unpin"]).code(0);
    let ours = machine.namespace.ours().join("\n");
    for net in ["192.0.2.200/29", "198.51.100.240"] {
        assert!(ours.contains(net), "{ours}");
    }
}

/// A change of `[kernel] protocol` that was cut short: routes of the former mark are still there.
#[test]
fn routes_of_a_former_mark_go_and_those_of_others_with_that_protocol_stay() {
    let Some(machine) = Machine::left("held") else {
        return;
    };
    let (place, namespace) = (&machine.place, &machine.namespace);
    place.edit("INSERT INTO mark VALUES (254, 77, 'blackhole')");
    namespace.ip("route add blackhole 192.0.2.128/27 proto 77 metric 5");
    namespace.ip("route add 192.0.2.248/32 dev lo proto 77");
    let (ours, foreign) = (namespace.ours(), namespace.foreign());
    machine.run(&["refresh"]).code(3);
    assert_eq!(namespace.ours(), ours);
    let former = |line: &String| !line.contains("blackhole 192.0.2.128/27 proto 77");
    let stay: Vec<_> = foreign.into_iter().filter(former).collect();
    assert_eq!(namespace.foreign(), stay);
}

/// What an older build meets on the ledger of a newer one.
#[test]
fn a_ledger_of_the_next_version_is_named_and_a_flush_still_withdraws() {
    let Some(machine) = Machine::left("held") else {
        return;
    };
    machine.run(&["refresh"]).code(3);
    let ledger = machine.place.ledger();
    let newest: i64 = ledger
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    ledger
        .pragma_update(None, "user_version", newest + 1)
        .unwrap();
    let (ours, foreign) = (machine.namespace.ours(), machine.namespace.foreign());
    let words = format!(
        "schema {}, written by a newer nullrouted (this one knows up to {newest})",
        newest + 1
    );
    for verb in ["refresh", "plan", "status", "list"] {
        machine.run(&[verb]).code(1).says(&words);
    }
    assert_eq!(machine.namespace.ours(), ours);
    machine.run(&["flush"]).code(1).says(&words);
    assert!(machine.namespace.ours().is_empty());
    assert_eq!(machine.namespace.foreign(), foreign);
}
