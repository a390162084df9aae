//! The operator's own hand: add, allow, what undoes them, and what they are refused for.

mod terminal;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::namespace::Namespace;
use crate::support::{AROUND, NO_KERNEL, NOC, PROGRAM, Place};

const LIST: &str = "72.37.186.0/23 # SBL123\n198.51.100.0/24 # SBL124\n";

fn place(more: &str) -> Place {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}{more}"));
    place.write("noc.list", LIST);
    place.run(&["refresh"]).code(0);
    place
}

fn listed(place: &Place) -> Vec<String> {
    let ran = place.run(&["list"]).code(0);
    ran.lines().into_iter().map(str::to_owned).collect()
}

#[test]
fn what_is_added_is_in_force_with_its_reason_and_remove_undoes_it() {
    let place = place("");
    let added = place
        .run(&[
            "add",
            "192.0.2/24",
            "--reason",
            "phish host, ticket 4711",
            "--for",
            "2h",
        ])
        .code(0);
    assert!(
        added
            .out
            .starts_with("192.0.2.0/24 added: it is blackholed now, until 20"),
        "{}",
        added.out
    );
    assert!(
        added
            .out
            .contains("(2h); generation 2; undo: nullrouted remove 192.0.2.0/24"),
        "{}",
        added.out
    );
    assert_eq!(
        listed(&place),
        ["72.37.186.0/23", "192.0.2.0/24", "198.51.100.0/24"]
    );
    let why = place.run(&["why", "192.0.2.9"]).code(0);
    assert!(
        why.out.contains("in force since generation 2, "),
        "{}",
        why.out
    );
    assert!(
        why.out
            .contains("added by hand: 192.0.2.0/24 (phish host, ticket 4711 ("),
        "{}",
        why.out
    );
    let json = place.run(&["why", "192.0.2.9", "--json"]).code(0).json();
    assert_eq!(json["listings"][0]["feed"], "operator");
    let status = place.run(&["status", "--json"]).code(0).json();
    assert_eq!(status["by_hand"][0]["verb"], "add");
    place
        .run(&["status"])
        .says("hand add 192.0.2.0/24  phish host, ticket 4711 (");

    // Said again, it takes the place of what was said before.
    place
        .run(&["add", "192.0.2.0/24", "--reason", "still there"])
        .code(0)
        .says("it takes the place of: phish host, ticket 4711 (");
    place
        .run(&["remove", "192.0.2.0/24"])
        .code(0)
        .says("192.0.2.0/24 no longer blackholed; generation 3");
    assert_eq!(listed(&place), ["72.37.186.0/23", "198.51.100.0/24"]);
    place
        .run(&["why", "192.0.2.9"])
        .code(0)
        .says("192.0.2.9 is not blackholed: nothing lists it any more")
        .says("formerly added by hand: 192.0.2.0/24 (still there (");
    // One address, IPv6, and the JSON.
    let json = place
        .run(&["add", "2001:db8::7", "--reason", "c2", "--json"])
        .code(0)
        .json();
    assert_eq!(
        (&json["routes"], &json["held"]),
        (&3.into(), &serde_json::Value::Null)
    );
}

#[test]
fn what_a_feed_lists_too_stays_when_it_is_removed_by_hand() {
    let place = place("");
    place
        .run(&["add", "198.51.100.0/25", "--reason", "ours too"])
        .code(0);
    place
        .run(&["remove", "198.51.100.0/25"])
        .code(0)
        .says("198.51.100.0/25 no longer added by hand, and still blackholed: see nullrouted why 198.51.100.0/25");
    assert_eq!(listed(&place).len(), 2);
    let none = place.run(&["remove", "198.51.100.0/24"]).code(64);
    assert_eq!(
        none.err.trim(),
        "198.51.100.0/24 was not added by hand; what a feed lists is taken out with: \
         nullrouted allow 198.51.100.0/24 --reason TEXT; nothing was changed"
    );
}

#[test]
fn what_is_allowed_is_cut_out_and_disallow_undoes_it() {
    let place = place("");
    place
        .run(&[
            "allow",
            "72.37.187.9",
            "--reason",
            "customer 77",
            "--for",
            "7d",
        ])
        .code(0)
        .says("72.37.187.9/32 allowed: nothing of it is blackholed, until ");
    assert_eq!(
        listed(&place).len(),
        9 + 1,
        "the nine pieces around it, and the other prefix"
    );
    let why = place.run(&["why", "72.37.187.9"]).code(0);
    assert!(
        why.out
            .contains("protected: 72.37.187.9/32, allowed by hand: customer 77 ("),
        "{}",
        why.out
    );
    assert!(
        why.out
            .contains("listed by noc: 72.37.186.0/23 (SBL123), line 1"),
        "{}",
        why.out
    );
    assert!(
        why.out
            .contains("https://check.spamhaus.org/sbl/query/SBL123"),
        "{}",
        why.out
    );
    place
        .run(&["disallow", "72.37.187.9/32"])
        .code(0)
        .says("72.37.187.9/32 no longer allowed: it is blackholed now");
    assert_eq!(listed(&place).len(), 2);
    place
        .run(&["disallow", "72.37.187.9"])
        .code(64)
        .says("nullrouted status shows what was entered");
}

#[test]
fn an_entry_ends_by_itself_and_says_so_once() {
    let place = place("");
    place
        .run(&["add", "192.0.2.0/24", "--reason", "phish", "--for", "5h"])
        .code(0);
    place
        .run(&[
            "allow",
            "198.51.100.0/24",
            "--reason",
            "test",
            "--for",
            "5h",
        ])
        .code(0);
    assert_eq!(listed(&place), ["72.37.186.0/23", "192.0.2.0/24"]);
    place.later(5 * 3_600 + 1);
    let ran = place.run(&["refresh"]).code(0);
    assert!(
        ran.err.contains("add 192.0.2.0/24  expired: phish"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("allow 198.51.100.0/24  expired: test"),
        "{}",
        ran.err
    );
    assert_eq!(listed(&place), ["72.37.186.0/23", "198.51.100.0/24"]);
    assert!(!place.run(&["refresh"]).code(0).err.contains("expired: "));
    // The daemon wakes up for it.
    let mut daemon = place.command(Command::new(PROGRAM), &["run"]);
    let mut daemon = daemon.stderr(Stdio::null()).spawn().unwrap();
    place
        .run(&["add", "192.0.2.0/24", "--reason", "phish", "--for", "3s"])
        .code(0);
    crate::support::namespace::eventually("it ends while the daemon runs", || {
        listed(&place).len() == 2
    });
    let _ = daemon.kill();
    let _ = daemon.wait();
}

#[test]
fn what_is_protected_reserved_too_wide_or_wrong_is_refused_with_the_reason() {
    let place = place("[protect]\nprefixes = [\"203.0.113.0/24\"]\n");
    let refused = |words: &[&str]| place.run(words).code(64).err;
    for (words, why) in [
        (
            &["add", "203.0.112.0/23", "--reason", "x"][..],
            "203.0.113.0/24 in 203.0.112.0/23 is protected and stays so: [protect] prefixes; nothing was \
             changed (--force records the entry after a second confirmation; protected space is still not dropped)",
        ),
        (
            &["add", "127.0.0.1", "--reason", "x"],
            "127.0.0.1/32: loopback (RFC 1122) is never dropped; nothing was changed",
        ),
        (
            &["add", "12.0.0.0/7", "--reason", "x"],
            "12.0.0.0/7 is 0.7813% of all IPv4 addresses (shorter than shortest_v4 8); nothing was changed",
        ),
        (
            &["allow", "64.0.0.0/2", "--reason", "x"],
            "64.0.0.0/2 is 25% of all IPv4 addresses (shorter than shortest_v4 8); nothing was changed",
        ),
        (
            &["add", "10.1.0.0/16", "--reason", "x"],
            "10.1.0.0/16 touches reserved space, 10.0.0.0/8: private use (RFC 1918)",
        ),
        (
            &["add", "0.0.0.0/0", "--reason", "x", "--force"],
            "0.0.0.0/0: the whole Internet is never dropped; nothing was changed",
        ),
        (
            &["allow", "::/0", "--reason", "x"],
            "(nullrouted flush withdraws everything)",
        ),
        (
            &["add", "192.0.2.9/24", "--reason", "x"],
            "192.0.2.9/24: host bits set, probably 192.0.2.0/24 was meant; nothing was changed",
        ),
        (
            &["add", "192.0.2.0-192.0.2.9", "--reason", "x"],
            "192.0.2.0-192.0.2.9: a range; name an address or a prefix; nothing was changed",
        ),
        (
            &["add", "192.0.2.0/24", "--reason", " "],
            "--reason: one line of 1 to 200 bytes; nothing was changed",
        ),
        (&["add", "192.0.2.0/24"], "--reason <TEXT>"),
        (
            &["add", "192.0.2.0/24", "--reason", "x", "--for", "soon"],
            "--for <TIME>",
        ),
        (
            &["add", "192.0.2.0/24", "--reason", "x", "--for", "10000y"],
            "--for must be between 1s and 3650d; nothing was changed",
        ),
        (
            &["allow", "192.0.2.0/24", "--reason", "x", "--for", "0s"],
            "--for must be between 1s and 3650d",
        ),
        (
            &["add", "203.0.113.7", "--reason", "x", "--force"],
            "--force has to be confirmed on a terminal, and this is none; nothing was changed",
        ),
    ] {
        let err = refused(words);
        assert!(err.contains(why), "{words:?}: expected {why:?} in\n{err}");
    }
    assert_eq!(listed(&place).len(), 2);
    assert_eq!(
        place.run(&["status", "--json"]).json()["by_hand"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn a_feed_cannot_have_the_name_of_the_operator() {
    let place = Place::new("[[feed]]\nname = \"operator\"\npath = \"noc.list\"\n");
    place
        .run(&["check"])
        .code(64)
        .says("name: \"operator\" stands for what is added by hand (nullrouted add)");
}

#[test]
fn a_verb_waits_for_a_pass_that_is_under_way() {
    let place = place("");
    let lock = std::fs::File::options()
        .write(true)
        .open(place.path("state/pass.lock"))
        .unwrap();
    lock.lock().unwrap();
    let mut add = place.command(
        Command::new(PROGRAM),
        &["add", "192.0.2.0/24", "--reason", "x"],
    );
    let mut add = add
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(add.stderr.take().unwrap()).lines();
    let waits = |line: String| line.contains("waiting: another program is running ");
    assert!(said.any(|line| waits(line.unwrap())), "it does not wait");
    assert_eq!(listed(&place).len(), 2);
    drop(lock);
    said.for_each(drop);
    assert!(add.wait().unwrap().success());
    assert_eq!(listed(&place).len(), 3);
}

#[test]
fn the_routers_own_address_is_refused_before_any_pass_has_seen_it() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.address("lo", "203.0.113.9/32");
    let place = Place::new(&format!("{AROUND}{NOC}"));
    place.write("noc.list", LIST);
    place
        .run_in(&router, &["add", "203.0.113.9", "--reason", "x"])
        .code(64)
        .says("203.0.113.9/32 in 203.0.113.9/32 is protected and stays so: address of lo");
}
