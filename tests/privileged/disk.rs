//! What the disk refuses delays nothing else.

use crate::support::namespace::Namespace;
use crate::support::{NO_KERNEL, NOC, PROGRAM, Place, installed, left_out};

#[test]
fn what_cannot_be_swept_stands_between_no_decision_and_the_targets() {
    let place = Place::of_list("192.0.2.0/24\n198.51.100.0/24\n");
    place.run(&["refresh"]).code(0);
    // As on a file system of its own, and worse: a copy that cannot be removed.
    std::fs::create_dir(place.path("state/copies/lost+found")).unwrap();
    place
        .run(&["allow", "192.0.2.0/24", "--reason", "x"])
        .code(0);
    place.run(&["refresh"]).code(0);
    assert_eq!(place.run(&["list"]).lines(), ["198.51.100.0/24"]);
}

#[test]
fn a_copy_that_cannot_be_kept_is_said_and_keeps_nothing_else_from_being_done() {
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.configure(&format!(
        "{NOC}[[feed]]\nname = \"other\"\npath = \"other.list\"\n{NO_KERNEL}[protect]\nprefixes = [\"192.0.2.0/25\"]\n"
    ));
    place.write("other.list", "198.51.100.0/24\n");
    // Nothing can be written where the copies are: not even by root is a file a folder.
    std::fs::rename(place.path("state/copies"), place.path("state/kept")).unwrap();
    place.write("state/copies", "");
    let ran = place.run(&["refresh"]).code(1);
    assert!(
        ran.err.contains("the last good copies stay in force"),
        "{}",
        ran.err
    );
    std::fs::remove_file(place.path("state/copies")).unwrap();
    std::fs::rename(place.path("state/kept"), place.path("state/copies")).unwrap();
    assert_eq!(
        place.run(&["list"]).lines(),
        ["192.0.2.128/25"],
        "{}",
        ran.err
    );
}

#[test]
fn a_feed_that_cannot_be_kept_is_a_failure_that_is_counted() {
    let place = Place::of_list("192.0.2.0/24\n");
    std::fs::create_dir(place.path("state")).unwrap();
    place.write("state/copies", "");
    place
        .run(&["refresh"])
        .code(1)
        .says("feed=noc  failed: downloaded but could not be saved: ");
    let status = place.run(&["status", "--json"]).code(1).json();
    assert_eq!(
        (
            &status["feeds"][0]["state"],
            &status["feeds"][0]["failures"]
        ),
        (&"failed".into(), &1.into())
    );
}

/// What a pass asks of the kernel, line by line, as strace writes it.
fn traced(place: &Place, router: &Namespace) -> Option<Vec<String>> {
    if !installed("strace") {
        left_out("strace is not installed");
        return None;
    }
    let log = place.path("strace");
    let mut strace = router.command("strace");
    strace.args([
        "-qq",
        "-f",
        "-y",
        "-e",
        "trace=fsync,fdatasync,pwrite64,sendto,?rename,?renameat,renameat2",
    ]);
    strace.arg("-o").arg(&log).arg(PROGRAM);
    let ran = place.command(strace, &["refresh"]).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let log = std::fs::read_to_string(log).unwrap();
    Some(log.lines().map(str::to_owned).collect())
}

fn waits(line: &str) -> bool {
    line.contains("fsync(") || line.contains("fdatasync(")
}

/// The router file is renamed into its place after the ledger knows of it, also where only what the
/// router selects is otherwise.
#[test]
fn what_only_one_router_gets_is_on_the_disk_before_its_file_is_there() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let feeds = "[[feed]]\nname = \"other\"\npath = \"other.list\"\n";
    let selects = |feed: &str| {
        format!(
            "{NOC}{feeds}{NO_KERNEL}[[router]]\nname = \"edge1\"\nfamily = \"plain\"\npath = \"edge1.list\"\n\
             feeds = [\"{feed}\"]\n"
        )
    };
    let place = Place::new(&selects("noc"));
    place.write("noc.list", "192.0.2.0/24\n");
    place.write("other.list", "198.51.100.0/24\n");
    place.run_in(&router, &["refresh"]).code(0);
    place.configure(&selects("other"));
    let Some(changing) = traced(&place, &router) else {
        return;
    };
    assert!(place.read("edge1.list").contains("198.51.100.0/24"));
    let made = |line: &String| line.contains("rename") && line.contains("edge1.list");
    assert!(is_waited_for(&changing, made), "{changing:#?}");
}

/// Whether what was written to the ledger before the first such line was on the disk by then.
fn is_waited_for(lines: &[String], made: impl Fn(&String) -> bool) -> bool {
    let at = lines.iter().position(made).unwrap();
    let logged = |line: &String| line.contains("ledger.sqlite-wal") && line.contains("pwrite64(");
    let written = lines[..at].iter().rposition(logged).unwrap();
    let synced = |line: &String| line.contains("ledger.sqlite-wal") && waits(line);
    lines[written..at].iter().any(synced)
}

#[test]
fn a_change_is_on_the_disk_before_it_is_made_and_a_pass_without_one_does_not_wait() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(NOC);
    place.write("noc.list", "192.0.2.0/24\n");
    place.run_in(&router, &["refresh"]).code(0);
    place.write("noc.list", "192.0.2.0/24\n198.51.100.0/24\n");
    let Some(changing) = traced(&place, &router) else {
        return;
    };
    let made = |line: &String| line.contains("RTM_NEWROUTE");
    assert!(is_waited_for(&changing, made), "{changing:#?}");

    // The log of the ledger is made and taken away with each verb: twice for each.
    let unchanged = traced(&place, &router).unwrap();
    assert!(!unchanged.iter().any(made));
    let waits = unchanged.iter().filter(|line| waits(line)).count();
    assert!(waits <= 4, "{waits} in {unchanged:#?}");
}
