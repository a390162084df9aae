//! The brake works from any state: whatever is broken, the routes go, and what could not be done is
//! said.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::namespace::{Namespace, eventually};
use crate::support::{NOC, Place, Ran, is_root};

const LIST: &str = "72.37.186.0/23\n198.51.100.0/24\n2001:db8:bad::/48\n";

/// Three routes of ours in force, and one of somebody else.
fn in_force(router: &Namespace, more: &str) -> Place {
    let place = Place::new(&format!("{NOC}{more}"));
    place.write("noc.list", LIST);
    place.run_in(router, &["refresh"]).code(0);
    assert_eq!(router.ours().len(), 3);
    place
}

struct Broken {
    what: &'static str,
    /// Breaks it.
    by: fn(&Place),
    /// What the operator reads, beside that the routes are gone; empty where the flush is complete.
    says: &'static [&'static str],
}

const STATES: [Broken; 13] = [
    Broken {
        what: "nothing is broken",
        by: |_| {},
        says: &[],
    },
    Broken {
        what: "the configuration is no TOML",
        by: |place| place.write("nullrouted.toml", "this is = not [ toml\n"),
        says: &[
            "nullrouted.toml:1:",
            "flushing by what could be read: table 254, protocol 166, blackhole",
        ],
    },
    Broken {
        what: "the configuration has a key that is not known",
        by: |place| place.configure(&format!("{NOC}[kernl]\ntable = 9\n")),
        says: &["kernl: no such key here"],
    },
    Broken {
        what: "the configuration names a protect file that is gone",
        by: |place| place.configure(&format!("{NOC}[protect]\nfiles = [\"gone.list\"]\n")),
        says: &["gone.list"],
    },
    Broken {
        what: "the configuration is empty",
        by: |place| place.configure(""),
        says: &[],
    },
    Broken {
        what: "the ledger is no database",
        by: |place| place.write("state/ledger.sqlite", &"no database ".repeat(900)),
        says: &[
            "ledger.sqlite: damaged",
            "the flush stands in ",
            "instead: until `nullrouted unpin`, or a reboot, nothing is installed",
        ],
    },
    Broken {
        what: "the ledger is a folder",
        by: |place| {
            remove_ledger(place);
            fs::create_dir(place.path("state/ledger.sqlite")).unwrap();
        },
        says: &["ledger.sqlite: ", "the flush stands in "],
    },
    Broken {
        what: "the ledger is gone",
        by: remove_ledger,
        says: &[],
    },
    Broken {
        what: "the ledger is of a newer version",
        by: |place| {
            let ledger = place.ledger();
            ledger.pragma_update(None, "user_version", 99).unwrap();
        },
        says: &["schema 99, written by a newer nullrouted"],
    },
    Broken {
        what: "the ledger lacks a table",
        by: |place| {
            let ledger = place.ledger();
            ledger
                .execute_batch("DROP TABLE pin; DROP TABLE target; DROP TABLE mark")
                .unwrap();
        },
        says: &["no such table", "the flush stands in "],
    },
    Broken {
        what: "the state directory is a file",
        by: |place| {
            fs::remove_dir_all(place.path("state")).unwrap();
            place.write("state", "");
        },
        says: &["state_dir ", "the flush stands in "],
    },
    Broken {
        what: "the state directory is gone",
        by: |place| fs::remove_dir_all(place.path("state")).unwrap(),
        says: &[],
    },
    Broken {
        what: "the copies of the feeds are gone, and the feed with them",
        by: |place| {
            fs::remove_dir_all(place.path("state/copies")).unwrap();
            fs::remove_file(place.path("noc.list")).unwrap();
        },
        says: &[],
    },
];

fn remove_ledger(place: &Place) {
    for file in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(place.path(&format!("state/ledger.sqlite{file}")));
    }
}

#[test]
fn a_flush_withdraws_everything_from_every_broken_state() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.ip("route add blackhole 203.0.113.0/24 proto static");
    let foreign = router.foreign();
    // Where no state directory can be read the default one is used: here it is a folder of this
    // namespace.
    router.sh("mount -t tmpfs tmpfs /var/lib");
    for Broken { what, by, says } in STATES {
        let place = in_force(&router, "");
        by(&place);
        let ran = place.run_in(&router, &["flush"]);
        assert!(
            router.ours().is_empty(),
            "{what}: {:?}\n{}",
            router.ours(),
            ran.err
        );
        assert_eq!(router.foreign(), foreign, "{what}");
        let complete = says.is_empty();
        assert_eq!(ran.code, Some(i32::from(!complete)), "{what}: {}", ran.err);
        for part in says {
            assert!(
                ran.err.contains(part),
                "{what}: expected {part:?} in\n{}",
                ran.err
            );
        }
        let word = match complete {
            true => "flushed; nothing is installed until `nullrouted unpin`",
            false => "the flush is not complete; see above",
        };
        assert!(ran.err.trim_end().ends_with(word), "{what}: {}", ran.err);
        assert!(!ran.err.contains("panicked"), "{what}: {}", ran.err);
    }
}

#[test]
fn a_flush_needs_no_network_no_approval_and_no_pin_of_its_own() {
    let Some(router) = Namespace::new() else {
        return;
    };
    // A feed whose host does not answer, in a namespace without a way out.
    let remote = "[[feed]]\nname = \"remote\"\nurl = \"https://lists.example/drop.txt\"\nformat = \"cidr\"\n";
    let place = Place::new(&format!("{NOC}{remote}"));
    place.write("noc.list", LIST);
    place.run_in(&router, &["refresh"]).code(1);
    assert_eq!(router.ours().len(), 3);
    place.run_in(&router, &["flush"]).code(0);
    assert!(router.ours().is_empty());
    place.run_in(&router, &["unpin"]).code(0);
    // While a change is held.
    let many: String = (0..40).map(|i| format!("72.38.{}.0/24\n", 2 * i)).collect();
    place.write("noc.list", &many);
    place.run_in(&router, &["refresh"]).code(1);
    place.run_in(&router, &["flush"]).code(0);
    assert!(router.ours().is_empty());
    place.run_in(&router, &["unpin"]).code(3);
    assert_eq!(router.ours().len(), 3, "what was in force before it");
    // While pinned to a generation.
    place.run_in(&router, &["pin", "1"]).code(0);
    place.run_in(&router, &["flush"]).code(0);
    assert!(router.ours().is_empty());
    place
        .run_in(&router, &["status"])
        .code(1)
        .says("PINNED to nothing by flush");
    place.run_in(&router, &["refresh"]).code(1);
    assert!(router.ours().is_empty());
}

#[test]
fn it_says_where_it_could_not_withdraw() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let file = "[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"files/edge1.conf\"\n\
                [[router]]\nname = \"edge2\"\nfamily = \"frr\"\npath = \"edge2.conf\"\n";
    let place = Place::new(&format!("{NOC}{file}"));
    place.write("noc.list", LIST);
    fs::create_dir(place.path("files")).unwrap();
    place.run_in(&router, &["refresh"]).code(0);
    fs::remove_dir_all(place.path("files")).unwrap();
    let ran = place.run_in(&router, &["flush", "--json"]).code(1);
    assert!(ran.err.contains("target=edge1  "), "{}", ran.err);
    let json = ran.json();
    assert_eq!(json["flushed"], false);
    let failed: Vec<_> = json["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| &target["failed"])
        .collect();
    assert_eq!(
        failed,
        [false, true, false],
        "the kernel and the other file are done"
    );
    assert!(router.ours().is_empty());
    assert!(!place.read("edge2.conf").contains("72.37.186.0/23"));
}

#[test]
fn a_ledger_cut_at_any_byte_ends_in_a_sound_state_and_a_clear_line() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = in_force(&router, "");
    let ours = router.ours();
    place
        .run_in(&router, &["add", "203.0.113.0/24", "--reason", "x"])
        .code(0);
    place.run_in(&router, &["remove", "203.0.113.0/24"]).code(0);
    // Everything in one file.
    let ledger = place.path("state/ledger.sqlite");
    rusqlite::Connection::open(&ledger)
        .unwrap()
        .pragma_update(None, "journal_mode", "delete")
        .unwrap();
    let whole = fs::read(&ledger).unwrap();
    let cuts = (0..24).map(|i| whole.len() * i / 24 + (i * 37) % 100);
    let (mut refused, mut worked) = (0, 0);
    for cut in cuts.chain([1, 99, 100, 4_095, 4_096, whole.len() - 1]) {
        for file in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.path(&format!("state/ledger.sqlite{file}")));
        }
        fs::write(&ledger, &whole[..cut]).unwrap();
        // A cut ledger never withdraws anything by itself, and never adds what is not listed.
        for verb in ["status", "list", "plan", "refresh"] {
            let ran = place.run_in(&router, &[verb]);
            sound(&ran, verb, cut);
            assert_eq!(
                router.ours(),
                ours,
                "{verb} after a cut at {cut}: {}",
                ran.err
            );
            match ran.code {
                Some(1) => refused += 1,
                _ => worked += 1,
            }
        }
        let ran = place.run_in(&router, &["flush"]);
        sound(&ran, "flush", cut);
        assert!(router.ours().is_empty(), "flush after a cut at {cut}");
        // Moved away, as the line says, the next pass begins anew; and the flush holds until unpin.
        remove_ledger(&place);
        place.run_in(&router, &["refresh"]).code(0);
        assert!(router.ours().is_empty(), "flushed, cut at {cut}");
        place.run_in(&router, &["unpin"]).code(0);
        assert_eq!(router.ours(), ours, "after a cut at {cut}");
    }
    assert!(
        refused > 0 && worked > 0,
        "{refused} refused, {worked} worked"
    );
}

/// One clear line where it fails, and no panic.
#[track_caller]
fn sound(ran: &Ran, verb: &str, cut: usize) {
    assert!(
        !ran.err.contains("panicked"),
        "{verb}, cut at {cut}: {}",
        ran.err
    );
    match ran.code {
        Some(0 | 2) => {}
        Some(1) => assert!(
            ran.err.contains("ledger.sqlite: ")
                || ran.err.contains("not complete")
                // It knows of no copy.
                || ran.err.contains("no copy yet"),
            "{verb}, cut at {cut}: {}",
            ran.err
        ),
        other => panic!("{verb}, cut at {cut}: {other:?} {}", ran.err),
    }
}

#[test]
fn a_flush_without_the_right_to_change_routes_says_what_is_missing() {
    let Some(router) = Namespace::new() else {
        return;
    };
    if !is_root() {
        return;
    }
    let place = in_force(&router, "");
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let verb = place.command(router.command(crate::support::PROGRAM), &["flush"]);
    let mut words: Vec<_> = verb.get_args().map(std::ffi::OsStr::to_owned).collect();
    let at = words
        .iter()
        .position(|word| word == crate::support::PROGRAM)
        .unwrap();
    let rest = words.split_off(at);
    let mut without = std::process::Command::new(verb.get_program());
    without
        .args(words)
        .args(["setpriv", "--bounding-set=-net_admin"])
        .args(rest);
    let ran = Ran::of(without.output().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err
            .contains("routes may not be changed: CAP_NET_ADMIN is missing"),
        "{}",
        ran.err
    );
    assert_eq!(router.ours().len(), 3);
}

/// The pin could not be written, and the routes are gone.
fn flushed_on_a_full_disk(router: &Namespace) -> Place {
    let place = Place::new(NOC);
    place.write("noc.list", LIST);
    fs::create_dir(place.path("state")).unwrap();
    let state = place.path("state").display().to_string();
    router.sh(&format!("mount -t tmpfs -o size=2m tmpfs {state}"));
    place.run_in(router, &["refresh"]).code(0);
    router.sh(&format!(
        "! dd if=/dev/zero of={state}/full bs=4k 2>/dev/null"
    ));
    let flush = place.run_in(router, &["flush"]).code(1);
    assert!(flush.err.contains("the flush stands in "), "{}", flush.err);
    assert!(router.ours().is_empty());
    router.sh(&format!("rm {state}/full"));
    place
}

#[test]
fn a_flush_that_could_not_be_written_holds_and_is_written_by_the_next_pass() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = flushed_on_a_full_disk(&router);
    let status_says_so = || {
        let status = place.run_in(&router, &["status"]).code(0);
        status.says("PINNED to nothing by flush");
    };
    status_says_so();
    let plan = place.run_in(&router, &["plan"]).code(2);
    plan.says("3 to remove").says("PINNED to nothing by flush");
    place.run_in(&router, &["refresh"]).code(0);
    assert!(router.ours().is_empty());
    // Now it stands in the ledger: without the marker it holds as well.
    fs::remove_dir_all(place.path("run")).unwrap();
    status_says_so();
    place
        .run_in(&router, &["unpin"])
        .code(0)
        .says("unpinned; it was pinned to nothing by flush");
    assert_eq!(router.ours().len(), 3);
}

#[test]
fn unpin_and_pin_end_a_flush_that_could_not_be_written() {
    for verb in [&["unpin"][..], &["pin", "1"]] {
        let Some(router) = Namespace::new() else {
            return;
        };
        let place = flushed_on_a_full_disk(&router);
        place.run_in(&router, verb).code(0);
        assert_eq!(router.ours().len(), 3, "{verb:?}");
        let left = fs::read_dir(place.path("run")).unwrap();
        let left: Vec<_> = left.map(|file| file.unwrap().file_name()).collect();
        assert!(
            left.iter()
                .all(|name| name.to_str().unwrap().ends_with(".marks")),
            "{verb:?}: {left:?}"
        );
    }
}

#[test]
fn a_daemon_that_cannot_read_its_ledger_installs_nothing_after_a_flush() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(NOC);
    place.write("noc.list", LIST);
    let daemon = crate::support::daemon::Daemon::start(&place, &router);
    remove_ledger(&place);
    fs::create_dir(place.path("state/ledger.sqlite")).unwrap();
    let flush = place.run_in(&router, &["flush"]).code(1);
    assert!(flush.err.contains("the flush stands in "), "{}", flush.err);
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    daemon.says("ledger.sqlite: ");
    assert!(router.ours().is_empty(), "{:?}", router.ours());
    fs::remove_dir(place.path("state/ledger.sqlite")).unwrap();
    let is_pinned = || {
        let ledger = rusqlite::Connection::open(place.path("state/ledger.sqlite")).ok();
        let pin = "SELECT generation FROM pin";
        let row = ledger.map(|ledger| ledger.query_row(pin, [], |row| row.get::<_, i64>(0)));
        row.is_some_and(|row| row == Ok(0))
    };
    eventually("the daemon has put the flush into the ledger", is_pinned);
    assert!(router.ours().is_empty(), "{:?}", router.ours());
}

#[test]
fn unpin_fails_where_the_marker_cannot_be_removed_and_says_what_to_type() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = in_force(&router, "");
    place.run_in(&router, &["flush"]).code(0);
    let run = place.path("run").display().to_string();
    router.sh(&format!(
        "mount --bind {run} {run}; mount -o remount,ro,bind {run}"
    ));
    let unpin = place.run_in(&router, &["unpin"]).code(1);
    let name = fs::read_dir(place.path("run")).unwrap();
    let mut name = name.map(|file| file.unwrap().path().display().to_string());
    let marker = name.find(|name| name.ends_with(".flushed")).unwrap();
    assert_eq!(
        unpin.err.lines().last().unwrap(),
        format!(
            "{marker}: the flush marker cannot be removed: Read-only file system (os error 30); still flushed. Type \
             `sudo rm -f {marker}`, then run this again"
        )
    );
    assert!(router.ours().is_empty());
    place
        .run_in(&router, &["status"])
        .says("PINNED to nothing by flush");
}

#[test]
fn a_flush_without_configuration_stops_the_daemon_that_the_run_directory_knows() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.sh("mount -t tmpfs tmpfs /var/lib");
    let place = in_force(&router, "");
    let config = place.read("nullrouted.toml");
    fs::remove_file(place.config()).unwrap();
    place.run_in(&router, &["flush"]).code(1);
    place.write("nullrouted.toml", &config);
    place
        .run_in(&router, &["status"])
        .code(0)
        .says("PINNED to nothing by flush");
    place.run_in(&router, &["unpin"]).code(0);
    assert_eq!(router.ours().len(), 3);
}
