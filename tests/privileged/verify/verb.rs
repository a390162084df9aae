//! The verb itself: its seed, where there is nothing to ask, no netlink, one screen.

use super::{Ground, LIST};
use crate::support::namespace::Namespace;
use crate::support::{NOC, PROGRAM, Place, Ran};

#[test]
fn the_random_addresses_are_those_of_the_seed() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    // Everything leaks but the first and the last address.
    let flush = "ip route flush proto 166; ip -6 route flush proto 166";
    ground.router.sh(flush);
    let seed = |words: &[&str]| -> u64 {
        let json = ground.verify(&[&["--json"], words].concat()).code(1).json();
        json["random_seed"].as_u64().unwrap()
    };
    assert_eq!(seed(&["--random-seed", "42"]), 42);
    assert_ne!(seed(&[]), seed(&[]), "another one each time");
    let max = u64::MAX.to_string();
    assert_eq!(seed(&["--random-seed", &max]), u64::MAX);
    ground.verify(&["--random-seed", "x"]).code(64);
}

#[test]
fn where_there_is_nothing_to_ask_it_says_so() {
    let place = Place::of_list(LIST);
    place.run(&["refresh"]).code(0);
    let off = "the kernel target is disabled ([kernel] enabled = false)";
    let ran = place.run(&["verify"]).code(0);
    assert_eq!(ran.lines(), [off]);
    let json = place.run(&["verify", "--json"]).code(0).json();
    assert_eq!(
        (&json["verdict"], &json["notes"][0]),
        (&"off".into(), &off.into())
    );

    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(NOC);
    let ran = place.run_in(&router, &["verify"]).code(0);
    assert_eq!(
        ran.lines(),
        ["nothing is in force: there is nothing to ask"]
    );
    let help = place.run(&["verify", "--help"]).code(0);
    help.says("with 1 when something gets through");
}

#[test]
fn without_netlink_it_says_so_and_fails() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    // Nobody needs a capability to ask.
    let mut command = ground.router.command("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", PROGRAM]);
    let command = ground.place.command(command, &["verify"]).output();
    Ran::of(command.unwrap())
        .code(0)
        .says("everything is dropped");
    // No file may be opened beyond those that the program has: no socket either.
    let mut command = ground.router.command("sh");
    let line = "ulimit -n 8; exec \"$@\"";
    command.args(["-c", line, "sh", PROGRAM]);
    let ran = Ran::of(ground.place.command(command, &["verify"]).output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!ran.err.is_empty() && ran.out.is_empty(), "{ran:?}");
}

#[test]
fn a_large_set_with_many_leaks_fits_one_screen() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(NOC);
    let list: String = (0..5_000_u32)
        .map(|n| format!("72.{}.{}.0/25\n", n >> 8, n & 255))
        .collect();
    place.write("noc.list", &format!("{list}2001:db8:bad::/48\n"));
    place.run_in(&router, &["refresh"]).code(0);
    place
        .run_in(&router, &["verify"])
        .code(0)
        .says("5,001 prefixes in force (5,000 IPv4, 1 IPv6)");
    // One in five is open, by a route inside it; twenty are gone.
    let batch: String = (0..1_000_u32)
        .map(|n| 5 * n)
        .map(|n| {
            format!(
                "route add 72.{}.{}.64/26 dev lo proto ospf\n",
                n >> 8,
                n & 255
            )
        })
        .chain((1..21_u32).map(|n| format!("route del blackhole 72.0.{n}.0/25\n")))
        .collect();
    place.write("batch", &batch);
    router.sh(&format!("ip -batch {}", place.path("batch").display()));
    let ran = place.run_in(&router, &["verify"]).code(1);
    let lines = ran.lines();
    assert!(lines.len() <= 24, "{}", ran.out);
    assert!(
        lines.iter().all(|line| line.chars().count() <= 140),
        "{}",
        ran.out
    );
    let ran = ran
        .says("missing (20): ")
        .says("… 17 more (--json shows them)");
    ran.says("more-specific (1000): ").says("… 997 more");
    let json = place.run_in(&router, &["verify", "--json"]).code(1).json();
    let leaks = json["leaks"].as_array().unwrap();
    assert_eq!(leaks.len(), 1_020);
    assert!(
        leaks[20]["asked"]["route"]
            .as_str()
            .unwrap()
            .contains("proto ospf")
    );
}
