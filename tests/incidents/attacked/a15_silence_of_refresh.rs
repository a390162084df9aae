//! A feed that never had a copy, and what monitoring reads.

use crate::support::namespace::Namespace;
use crate::support::{NO_KERNEL, NOC, Place, Ran};

const LIST: &str = "192.0.2.0/24\n198.51.100.0/24\n";

/// `refresh` and `status` end with 1 until there is a copy.
pub fn exit_codes() {
    let partner = "[[feed]]\nname = \"partner\"\npath = \"partner.list\"\n";
    let place = Place::new(&format!("{NOC}{partner}{NO_KERNEL}"));
    place.write("noc.list", LIST);
    let status = place.run(&["status"]).code(1);
    let never = "feed partner: no copy yet, so nothing of it is dropped (not looked at yet); nullrouted refresh \
                 --feed partner looks again";
    assert!(
        status.err.lines().any(|line| line == never),
        "{}",
        status.err
    );

    let refused = format!(
        "feed partner: no copy yet, so nothing of it is dropped (last look: failed, {}: No such file or directory \
         (os error 2)); nullrouted refresh --feed partner looks again",
        place.path("partner.list").display()
    );
    for verb in [
        &["refresh"][..],
        &["refresh", "--offline"],
        &["refresh", "--feed", "noc"],
        &["refresh", "--json"],
        &["status"],
        &["status", "--json"],
    ] {
        let ran = place.run(verb).code(1);
        assert!(
            ran.err.lines().any(|line| line == refused),
            "{verb:?}: {}",
            ran.err
        );
    }
    // The other feed is in force, and what is done by hand ends as before.
    place.run(&["list"]).code(0).says("192.0.2.0/24");
    place.run(&["add", "203.0.113.9", "--reason", "x"]).code(0);

    place.write("partner.list", "203.0.113.0/24\n");
    place.run(&["refresh"]).code(0);
    place.run(&["status"]).code(0);
    // One that fails later has a copy.
    std::fs::remove_file(place.path("partner.list")).unwrap();
    place.run(&["refresh"]).code(0);
    place.run(&["status"]).code(0);
}

#[track_caller]
fn checked(ran: Ran, code: i32, line: &str) -> Ran {
    let ran = ran.code(code);
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    assert_eq!(ran.err, "");
    assert!(
        ran.out.starts_with(line),
        "expected {line:?} in {:?}",
        ran.out
    );
    ran
}

/// `status --check`: one line, and the exit codes of a monitoring plugin.
pub fn plugin() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let config = |more: &str| format!("{NOC}stale_after = \"1d\"\nexpire_after = \"2d\"\n{more}");
    let place = Place::new(&config(""));
    let check = || place.run_in(&namespace, &["status", "--check"]);
    checked(
        check(),
        2,
        "NULLROUTED CRITICAL - feed noc: no copy yet, nothing of it is dropped | routes=0;;;0 ",
    );
    place.write("noc.list", LIST);
    place.run_in(&namespace, &["refresh"]).code(0);
    let ok = "NULLROUTED OK - 2 routes, 1 feed, generation 1 | routes=2;;;0 kernel_missing=0;;;0 \
              kernel_surplus=0;;;0 feeds=1;;;0 feeds_stale=0;;;0 feeds_out=0;;;0\n";
    assert_eq!(checked(check(), 0, ok).out, ok);

    // The kernel is asked: nobody has written down what was removed.
    namespace.ip("route del blackhole 192.0.2.0/24 proto 166");
    checked(
        check(),
        2,
        "NULLROUTED CRITICAL - kernel: 1 of 2 routes are missing | ",
    );
    namespace.ip("route add blackhole 203.0.113.0/24 proto 166");
    checked(
        check(),
        2,
        "NULLROUTED CRITICAL - kernel: 1 of 2 routes are missing; kernel: 1 routes with our mark are not in force | ",
    );
    place.run_in(&namespace, &["refresh"]).code(0);
    checked(check(), 0, "NULLROUTED OK - 2 routes");
    namespace.ip("route del blackhole 192.0.2.0/24 proto 166");
    namespace.ip("route add blackhole 192.0.2.0/24");
    checked(
        check(),
        1,
        "NULLROUTED WARNING - kernel: 1 prefixes have a route of another program in the place of ours | ",
    );
    namespace.ip("route del blackhole 192.0.2.0/24");
    place.run_in(&namespace, &["refresh"]).code(0);

    // Grown old.
    place.edit("UPDATE feed SET confirmed_at = confirmed_at - 90000");
    checked(
        check(),
        1,
        "NULLROUTED WARNING - feed noc: stale, confirmed 1d 1h ago | ",
    );
    place.edit("UPDATE feed SET confirmed_at = confirmed_at - 90000");
    let expired = "NULLROUTED CRITICAL - feed noc: its copy has expired (confirmed 2d 2h ago), nothing of it is dropped | ";
    checked(check(), 2, expired);
    place.run_in(&namespace, &["refresh"]).code(0);

    // A change that waits, and one that was rejected.
    place.configure(&config(
        "max_removed_count = 0\n[limits]\nsmall_change = 0\n",
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    place.run_in(&namespace, &["refresh"]).code(3);
    let held = checked(check(), 1, "NULLROUTED WARNING - change ");
    let words: Vec<_> = held.out.split_whitespace().collect();
    let id = words[4].to_owned();
    assert!(held.out.contains(" is held since "), "{}", held.out);
    assert!(
        held.out
            .contains(": 0 to add, 1 to remove; nullrouted plan shows it | "),
        "{}",
        held.out
    );
    place.run_in(&namespace, &["reject", &id]).code(0);
    checked(check(), 0, "NULLROUTED OK - 2 routes");

    place.run_in(&namespace, &["pin"]).code(0);
    checked(
        check(),
        1,
        "NULLROUTED WARNING - pinned, no list is applied: to generation 1 since ",
    );
    place.run_in(&namespace, &["flush"]).code(0);
    checked(
        check(),
        2,
        "NULLROUTED CRITICAL - flushed, nothing is dropped: to nothing by flush since ",
    );
    place.run_in(&namespace, &["unpin"]);

    // A target that failed; what it said is one line, and its bar begins no performance data.
    place.write("noc.list", LIST);
    let router = "[[router]]\nname = \"edge1\"\nfamily = \"plain\"\npath = \"edge1.conf\"\n\
                  reload = [\"sh\", \"-c\", \"echo 'no | way'; exit 1\"]\n";
    place.configure(&config(router));
    place.run_in(&namespace, &["refresh"]).code(1);
    checked(check(), 2, "NULLROUTED CRITICAL - target edge1 failed: ").says("no / way");

    place.configure("[limits]\nmax_added = 1\n");
    let unknown = format!(
        "NULLROUTED UNKNOWN - {}:3:13: max_added: ",
        place.config().display()
    );
    checked(check(), 3, &unknown).says("problem");
    place.configure(&config(""));
    std::fs::write(place.path("state/ledger.sqlite"), "no ledger").unwrap();
    checked(check(), 3, "NULLROUTED UNKNOWN - ").says("damaged");
}
