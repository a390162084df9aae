//! What must not go wrong when several things go wrong at once: each a story from a review or from
//! life.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::support::daemon::Daemon;
use crate::support::http::{Answer, Server};
use crate::support::namespace::eventually;
use crate::support::{NO_KERNEL, NOC, PROGRAM, Place, Ran, is_root};

#[test]
fn a_running_daemon_does_not_put_back_what_a_verb_has_protected() {
    let place = Place::of_list("203.0.113.0/24\n192.0.2.0/24\n");
    let config = |protect: &str| {
        format!(
            "{NOC}every = \"1s\"\n[protect]\nfiles = [\"allow.list\"]\nprefixes = [{protect}]\n{NO_KERNEL}"
        )
    };
    place.write("allow.list", "# nobody yet\n");
    place.configure(&config(""));
    let _daemon = Daemon::begin(&place, Command::new(PROGRAM), &["run"]);
    let list = || place.run(&["list"]).code(0).out;
    eventually("the daemon has filled the set", || {
        list().lines().count() == 2
    });

    // The file that protects changes, and a verb is run: the daemon must follow, not undo.
    place.write("allow.list", "203.0.113.0/25 # a customer\n");
    eventually("a moment between two passes", || {
        place.run(&["refresh"]).code == Some(0)
    });
    assert_eq!(list(), "192.0.2.0/24\n203.0.113.128/25\n");
    let looked = || place.run(&["status", "--json"]).json()["feeds"][0]["looked_at"].clone();
    for _ in 0..3 {
        let before = looked();
        eventually("the daemon makes a pass", || looked() != before);
    }
    assert_eq!(
        list(),
        "192.0.2.0/24\n203.0.113.128/25\n",
        "the daemon read the file again"
    );
    place
        .run(&["why", "203.0.113.1"])
        .says("allow.list line 1: a customer");
}

#[test]
fn a_flush_stands_above_a_pass_that_is_under_way() {
    let place = Place::of_list("192.0.2.0/24\n");
    place.configure(&format!(
        "{NOC}{NO_KERNEL}[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n\
         reload = [\"sh\", \"-c\", \"touch reloading; sleep 1\"]\n\
         [[router]]\nname = \"edge2\"\nfamily = \"frr\"\npath = \"edge2.conf\"\n"
    ));
    let mut refresh = place.command(Command::new(PROGRAM), &["refresh"]);
    let refresh = refresh
        .current_dir(place.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    eventually("edge1 is reloading", || place.path("reloading").exists());
    let flush = place
        .command(Command::new(PROGRAM), &["flush", "--json"])
        .current_dir(place.path(""))
        .output();
    let flush = Ran::of(flush.unwrap())
        .code(0)
        .says("waiting: nullrouted refresh, pid ");
    assert_eq!(flush.json()["flushed"], true);
    let refresh = Ran::of(refresh.wait_with_output().unwrap());
    assert!(refresh.err.contains("flushed meanwhile"), "{}", refresh.err);
    for file in ["edge1.conf", "edge2.conf"] {
        assert!(!place.read(file).contains(" permit 192.0.2.0/24"), "{file}");
    }
    assert!(place.run(&["list"]).out.is_empty());
}

#[test]
fn unpin_changes_nothing_while_another_pass_is_at_work() {
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.run(&["flush"]).code(0);
    let lock = std::fs::File::options()
        .write(true)
        .open(place.path("state/pass.lock"))
        .unwrap();
    lock.lock().unwrap();
    place.run(&["unpin"]).code(1).says("nothing was changed");
    place
        .run(&["status"])
        .code(0)
        .says("PINNED to nothing by flush");
    drop(lock);
    let json = place.run(&["unpin", "--json"]).code(0).json();
    assert_eq!(
        (&json["routes"], &json["pinned"]),
        (&1.into(), &serde_json::Value::Null)
    );
}

#[test]
fn a_clock_that_was_set_back_does_not_stop_the_looks() {
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    let ahead = "UPDATE feed SET looked_at = looked_at + 100000000, confirmed_at = confirmed_at + 100000000";
    place.ledger().execute(ahead, []).unwrap();
    place.run(&["status"]).code(0).says("next look due");
    place.write("noc.list", "198.51.100.0/24\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(place.run(&["list"]).lines(), ["198.51.100.0/24"]);
    // A clock that is behind for one pass takes nothing from a copy: its time is not rewritten.
    place.ledger().execute(ahead, []).unwrap();
    std::fs::remove_file(place.path("noc.list")).unwrap();
    place.run(&["refresh"]).code(0);
    let feed = place.run(&["status", "--json"]).json()["feeds"][0].clone();
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    assert!(
        feed["confirmed_at"].as_str().unwrap() > now.as_str(),
        "{feed}"
    );
}

/// A hundred entries in force, and a copy of six hundred others that is held.
fn with_a_held_change(expire_after: &str) -> Place {
    let list = |from: u32, count: u32| -> String {
        (from..from + count)
            .map(|i| format!("11.{}.{}.0/24\n", i >> 7, 2 * (i & 127)))
            .collect()
    };
    let place = Place::new(&format!(
        "{NOC}every = \"1h\"\nstale_after = \"1h\"\nexpire_after = \"{expire_after}\"\n\
         [[feed]]\nname = \"other\"\npath = \"other.list\"\n{NO_KERNEL}"
    ));
    place.write("other.list", &list(5_000, 100));
    place.write("noc.list", &list(0, 100));
    place.run(&["refresh"]).code(0);
    place.write("noc.list", &list(1_000, 600));
    place.run(&["refresh"]).code(3);
    assert_eq!(place.run(&["list"]).lines().len(), 200);
    place
}

#[test]
fn a_held_change_does_not_slip_through_an_expiry() {
    let place = with_a_held_change("2h");
    let leap = place.read("noc.list");
    std::fs::remove_file(place.path("noc.list")).unwrap();
    place.later(7_201);
    place.run(&["refresh"]).code(0);
    assert_eq!(
        place.run(&["list"]).lines().len(),
        100,
        "its copy has expired"
    );
    place.write("noc.list", &leap);
    place
        .run(&["refresh"])
        .code(3)
        .says("noc: 600 of 100 prefixes would be added, 600%");
    assert_eq!(place.run(&["list"]).lines().len(), 100);
}

#[test]
fn a_held_change_does_not_slip_through_a_flush_or_a_lost_ledger() {
    let place = with_a_held_change("1h");
    place.run(&["flush"]).code(0);
    place
        .run(&["unpin"])
        .code(3)
        .says("600 of 100 prefixes would be added");
    assert_eq!(
        place.run(&["list"]).lines().len(),
        200,
        "what was in force before is back"
    );

    for gone in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = std::fs::remove_file(place.path("state").join(gone));
    }
    place
        .run(&["refresh", "--offline"])
        .code(0)
        .says("begun with the copy on disk");
    assert_eq!(
        place.run(&["list"]).lines().len(),
        200,
        "not the one that was held"
    );
    place.run(&["refresh"]).code(3);
}

#[test]
fn a_router_file_of_ours_is_written_again_after_a_failed_reload() {
    let place = Place::of_list("192.0.2.0/24\n198.51.100.0/24\n");
    let config = |reload: &str, protect: &str| {
        format!(
            "{NOC}[[feed]]\nname = \"never\"\npath = \"never.list\"\n[protect]\nprefixes = [{protect}]\n\
             {NO_KERNEL}[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n{reload}"
        )
    };
    place.configure(&config("", ""));
    place.run(&["refresh"]).code(1);
    place.configure(&config("reload = [\"false\"]\n", ""));
    place.run(&["refresh"]).code(1).says("reload failed");
    place.configure(&config("reload = [\"true\"]\n", "\"192.0.2.0/24\""));
    place
        .run(&["refresh"])
        .code(1)
        .says("edge1.conf replaced, 1 prefixes");
    let file = place.read("edge1.conf");
    let mut listed = file
        .lines()
        .filter(|line| line.starts_with("ip prefix-list NULLROUTED-V4 "));
    assert!(
        !listed.any(|line| line.contains("permit 192.0.2.0/24")),
        "{file}"
    );
}

#[test]
fn a_reload_command_that_is_added_later_is_run() {
    let place = Place::of_list("192.0.2.0/24\n");
    let config = |reload: &str| {
        format!(
            "{NOC}{NO_KERNEL}[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n{reload}"
        )
    };
    place.configure(&config(""));
    place.run(&["refresh"]).code(0);
    let marker = place.path("loaded").display().to_string();
    place.configure(&config(&format!("reload = [\"touch\", \"{marker}\"]\n")));
    place
        .run(&["refresh"])
        .code(0)
        .says("edge1.conf loaded again, 1 prefixes");
    assert!(place.path("loaded").exists());
    place
        .run(&["refresh"])
        .code(0)
        .says("edge1.conf unchanged, 1 prefixes");
}

#[test]
fn a_publishers_tombstone_in_a_local_file_withdraws_nothing() {
    let place = Place::new(&format!("{NOC}format = \"spamhaus-text\"\n{NO_KERNEL}"));
    place.write(
        "noc.list",
        "; Spamhaus DROP List\n192.0.2.0/24 ; SBL1\n; EOF\n",
    );
    place.run(&["refresh"]).code(0);
    place.write(
        "noc.list",
        "; This list has been merged into another\n; Spamhaus EDROP List\n; EOF\n",
    );
    place
        .run(&["refresh"])
        .code(0)
        .says("feed=noc  retired: retired by its publisher");
    assert_eq!(place.run(&["list"]).lines(), ["192.0.2.0/24"]);
}

#[test]
fn the_publishers_floor_survives_a_pass_that_was_killed() {
    let server = Server::new(Answer::Silence);
    let place = Place::new(&format!(
        "[[feed]]\nname = \"drop\"\npreset = \"spamhaus-drop-v4\"\nurl = \"{}\"\n{NO_KERNEL}",
        server.url()
    ));
    let refresh = Daemon::begin(&place, Command::new(PROGRAM), &["refresh"]);
    eventually("the publisher was asked", || server.requests().len() == 1);
    drop(refresh);
    place
        .run(&["refresh"])
        .code(1)
        .says("the publisher asks to wait until ");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_feed_that_is_put_back_or_moved_is_due_at_once() {
    let server = Server::new(Answer::Body("192.0.2.0/24\n".to_owned()));
    let feed = |url: &str| format!("[[feed]]\nname = \"partner\"\nurl = \"{url}\"\n{NO_KERNEL}");
    let next = |place: &Place| place.run(&["status"]).out;
    let place = Place::new(&feed(&server.url()));
    place.run(&["refresh"]).code(0);
    assert!(
        next(&place).contains("next look in 5h 59m") || next(&place).contains("next look in 6h")
    );
    place.configure(NO_KERNEL);
    place.run(&["refresh"]).code(0);
    assert!(place.run(&["list"]).out.is_empty());
    place.configure(&feed(&server.url()));
    assert!(next(&place).contains("next look due"), "{}", next(&place));
    place.run(&["refresh"]).code(0);
    place.configure(&feed(&format!("{}?moved", server.url())));
    assert!(next(&place).contains("next look due"), "{}", next(&place));
}

#[test]
fn losing_the_copy_behind_what_is_in_force_does_not_open_the_gate() {
    let many: String = (0..100)
        .map(|i| format!("198.51.{}.0/24\n", 2 * i))
        .collect();
    let few: String = many
        .lines()
        .take(20)
        .map(|line| format!("{line}\n"))
        .collect();
    let place = Place::of_list(&many);
    place.run(&["refresh"]).code(0);
    let copies = || {
        std::fs::read_dir(place.path("state/copies"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let applied: Vec<_> = copies().collect();
    place.write("noc.list", &few);
    place.run(&["refresh"]).code(3);
    std::fs::remove_file(&applied[0]).unwrap();
    place
        .run(&["refresh"])
        .code(3)
        .says("all feeds: 80 of 100 prefixes would go, 80% (max_removed 25%)");
    assert_eq!(place.run(&["list"]).lines().len(), 100);
}

#[test]
fn without_certificates_local_files_and_protection_still_count() {
    let place = Place::of_list("192.0.2.0/24\n203.0.113.0/24\n");
    place.configure(&format!(
        "{NOC}[[feed]]\nname = \"far\"\nurl = \"https://127.0.0.1:9/\"\n\
         [protect]\nprefixes = [\"203.0.113.0/24\"]\n{NO_KERNEL}"
    ));
    let mut command = place.command(Command::new(PROGRAM), &["refresh"]);
    command
        .env("SSL_CERT_FILE", "/nonexistent")
        .env("SSL_CERT_DIR", "/nonexistent");
    let ran = Ran::of(command.output().unwrap()).code(1);
    assert!(ran.err.contains("feed=far  failed: "), "{}", ran.err);
    assert_eq!(place.run(&["list"]).lines(), ["192.0.2.0/24"]);
}

#[test]
fn a_state_directory_without_permission_is_named_by_readers_and_writers() {
    if !is_root() {
        return;
    }
    // As root, become somebody who may not: a copy of the program that he may run.
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path(""), open.clone()).unwrap();
    std::fs::set_permissions(place.path("state"), std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::copy(PROGRAM, place.path("nullrouted")).unwrap();
    for verb in ["refresh", "list", "status", "why"] {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.arg(place.path("nullrouted"));
        let words: &[&str] = if verb == "why" {
            &["why", "192.0.2.1"]
        } else {
            &[verb]
        };
        let ran = Ran::of(place.command(command, words).output().unwrap()).code(1);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        let denied = "state: Permission denied: ";
        ran.says(denied)
            .says(" belongs to root, and this runs as nobody: type `sudo chown -R nobody: ")
            .says("; nothing was changed");
    }
}

#[test]
fn what_root_does_by_hand_the_service_may_still_write() {
    if !is_root() {
        return;
    }
    use std::os::unix::fs::MetadataExt;
    let place = Place::of_list("192.0.2.0/24\n");
    let state = place.path("state");
    std::fs::create_dir(&state).unwrap();
    std::os::unix::fs::chown(&state, Some(65534), Some(65534)).unwrap();
    place.run(&["refresh"]).code(0);
    let listed = Command::new("find").arg(&state).output().unwrap().stdout;
    let paths = String::from_utf8(listed).unwrap();
    assert!(paths.lines().count() >= 5, "{paths}");
    for path in paths.lines() {
        assert_eq!(std::fs::metadata(path).unwrap().uid(), 65534, "{path}");
    }
}

#[test]
fn a_ledger_file_without_tables_is_an_empty_ledger() {
    let place = Place::of_list("192.0.2.0/24\n");
    std::fs::create_dir(place.path("state")).unwrap();
    place.write("state/ledger.sqlite", "");
    place.run(&["status"]).code(1).says("no generation yet");
    place.run(&["refresh"]).code(0);
}

#[test]
fn a_change_of_standing_is_said_once_with_what_follows() {
    let place = Place::new(&format!(
        "{NOC}every = \"1h\"\nstale_after = \"1h\"\nexpire_after = \"6h\"\n{NO_KERNEL}"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    std::fs::remove_file(place.path("noc.list")).unwrap();
    place.later(3_601);
    place
        .run(&["refresh"])
        .code(0)
        .says("feed=noc  fresh -> stale; its 1 entries still count");
    assert!(!place.run(&["refresh"]).err.contains("->"), "once");
    place.later(5 * 3_600);
    place
        .run(&["refresh"])
        .code(0)
        .says("feed=noc  stale -> expired; its 1 entries no longer count");
    let why = place.run(&["why", "192.0.2.1"]).code(0).out;
    assert!(
        why.starts_with("192.0.2.1 is not blackholed: the copy that lists it has expired\n"),
        "{why}"
    );
}

#[test]
fn what_each_generation_changed_is_in_the_ledger_with_its_causes() {
    let place = Place::of_list("192.0.2.0/24 # SBL1\n198.51.100.0/24\n");
    place.run(&["refresh"]).code(0);
    place.write("noc.list", "198.51.100.0/24\n");
    let json = place.run(&["refresh", "--json"]).code(0).json();
    assert_eq!(
        (&json["generation"], &json["routes"]),
        (&2.into(), &1.into())
    );
    let json = place.run(&["flush", "--json"]).code(0).json();
    assert_eq!(json["flushed"], true);
    let ledger = place.ledger();
    let mut rows = ledger
        .prepare("SELECT generation, op, prefix, cause FROM change ORDER BY generation, op, prefix")
        .unwrap();
    let rows: Vec<String> = rows
        .query_map([], |row| {
            let number: i64 = row.get(0)?;
            let words: [String; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
            Ok(format!("{number} {} {}: {}", words[0], words[1], words[2]))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        rows,
        [
            "1 + 192.0.2.0/24: noc SBL1 line 1",
            "1 + 198.51.100.0/24: noc line 2",
            "2 - 192.0.2.0/24: no longer noc SBL1 line 1",
            "3 - 198.51.100.0/24: flushed by the operator",
        ]
    );
}

#[test]
fn why_of_a_prefix_names_the_parts_and_every_listing_in_it() {
    let place = Place::of_list("192.0.2.0/25 # a\n192.0.2.128/25 # b\n203.0.113.0/24\n");
    place.configure(&format!(
        "{NOC}[protect]\nprefixes = [\"203.0.113.64/26\"]\n{NO_KERNEL}"
    ));
    place.run(&["refresh"]).code(0);
    let joined = place.run(&["why", "192.0.2.0/24", "--json"]).json();
    assert_eq!(joined["verdict"], "blackholed");
    assert_eq!(joined["listings"].as_array().unwrap().len(), 2, "{joined}");
    let part = place.run(&["why", "203.0.113.0/24", "--json"]).json();
    assert_eq!(part["verdict"], "partly-blackholed");
    assert_eq!(part["routes_inside"].as_array().unwrap().len(), 2);
    assert_eq!(part["protected_by"][0]["prefix"], "203.0.113.64/26");
    let around = place.run(&["why", "192.0.0.0/16"]).code(0).out;
    assert!(
        around
            .starts_with("192.0.0.0/16 is blackholed in part\n  blackholed in it: 192.0.2.0/24\n"),
        "{around}"
    );
}

#[test]
fn an_empty_set_carries_no_credits_so_a_flush_writes_its_files_once() {
    let server = Server::new(Answer::Body(
        "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":null}\n\
         {\"type\":\"metadata\",\"size\":50,\"records\":1}\n"
            .to_owned(),
    ));
    let place = Place::new(&format!(
        "[[feed]]\nname = \"drop\"\npreset = \"spamhaus-drop-v4\"\nurl = \"{}\"\n{NO_KERNEL}\
         [[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n",
        server.url()
    ));
    place
        .run(&["refresh"])
        .code(0)
        .says("edge1.conf replaced, 1 prefixes");
    assert!(
        place
            .read("edge1.conf")
            .contains("! Contains: Spamhaus DROP, (c) The Spamhaus Project SLU")
    );
    place.run(&["flush"]).code(0);
    place
        .run(&["refresh"])
        .code(0)
        .says("edge1.conf unchanged, 0 prefixes");
}

#[test]
fn the_preset_for_ipv6_takes_ipv6_and_nothing_else() {
    let record = "{\"cidr\":\"2001:db8:bad::/48\",\"sblid\":\"SBL2\",\"rir\":null}\n";
    let many: String = (0..30)
        .map(|i| {
            format!("{{\"cidr\":\"2001:db8:{i:x}00::/40\",\"sblid\":\"SBL3\",\"rir\":null}}\n")
        })
        .collect();
    let v4 = "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":null}\n";
    let records = format!("{record}{many}{v4}");
    let metadata = format!(
        "{{\"type\":\"metadata\",\"size\":{},\"records\":32}}\n",
        records.len()
    );
    let server = Server::new(Answer::Body(format!("{records}{metadata}")));
    let place = Place::new(&format!(
        "[[feed]]\nname = \"drop\"\npreset = \"spamhaus-drop-v6\"\nurl = \"{}\"\n{NO_KERNEL}",
        server.url()
    ));
    place
        .run(&["refresh"])
        .code(0)
        .says("31 entries, 1 rejected")
        .says("this feed lists no IPv4");
    place
        .run(&["why", "2001:db8:bad::1"])
        .code(0)
        .says("is blackholed by 2001:db8::/36");
}
