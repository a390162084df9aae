//! A19: limits of the process. None kills it, and a flush needs two descriptors.

use std::process::Command;

use crate::support::namespace::Namespace;
use crate::support::{NO_KERNEL, NOC, PROGRAM, Place, Ran};

fn limited(place: &Place, mut program: Command, limit: &str, verb: &[&str]) -> Ran {
    program.args([limit, PROGRAM]);
    Ran::of(place.command(program, verb).output().unwrap())
}

pub fn file_size() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!(
        "{NOC}[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n\
         reload = [\"sh\", \"-c\", \"grep ^Sig /proc/self/status > {{file}}.signals\"]\n"
    ));
    place.write("noc.list", "72.37.186.0/23\n");
    place.run_in(&router, &["refresh"]).code(0);
    // A command of the router dies of it, as it would without us.
    let signals = place.read("edge1.conf.signals");
    let bit = 1_u64 << (nix::sys::signal::Signal::SIGXFSZ as u32 - 1);
    for line in signals.lines().filter(|line| !line.starts_with("SigQ")) {
        let mask = line.split_whitespace().nth(1).unwrap();
        let mask = u64::from_str_radix(mask, 16).unwrap();
        assert_eq!(mask & bit, 0, "{line}");
    }
    let verbs: [&[&str]; 6] = [
        &["refresh"],
        &["add", "198.51.100.0/24", "--reason", "x"],
        &["pin"],
        &["unpin"],
        &["status"],
        &["flush"],
    ];
    for verb in verbs {
        let ran = limited(&place, router.command("prlimit"), "--fsize=0", verb);
        // A signal has no code.
        assert!(ran.code.is_some(), "{verb:?}: {}", ran.err);
    }
    assert!(router.ours().is_empty());
    // Also where nothing was there before.
    let place = Place::new(&format!("{NOC}{NO_KERNEL}"));
    place.write("noc.list", "192.0.2.0/24\n");
    let ran = limited(&place, Command::new("prlimit"), "--fsize=0", &["refresh"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
}

pub fn descriptors() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!("{NOC}[kernel]\ntable = 100\nrule = 5000\n"));
    place.write("noc.list", "72.37.186.0/23\n2001:db8:bad::/48\n");
    let left = || {
        router.ip("-4 route show table all proto 166")
            + &router.ip("-6 route show table all proto 166")
    };
    for limit in [16, 8, 5] {
        place.run_in(&router, &["refresh"]).code(0);
        assert_eq!(
            (left().lines().count(), router.rules("166", true).len()),
            (2, 2)
        );
        let words = format!("--nofile={limit}:{limit}");
        let ran = limited(&place, router.command("prlimit"), &words, &["flush"]);
        assert_eq!(left(), "", "{limit}: {}", ran.err);
        assert!(router.rules("166", true).is_empty(), "{limit}: {}", ran.err);
        place.run_in(&router, &["unpin"]).code(0);
        // Other verbs need more, and say so.
        let ran = limited(&place, router.command("prlimit"), &words, &["refresh"]);
        assert_eq!(ran.code, Some(1), "{limit}: {}", ran.err);
    }
    let ran = limited(
        &place,
        router.command("prlimit"),
        "--nofile=16:16",
        &["refresh"],
    );
    let why =
        "not enough file descriptors: 20 are needed (raise the limit: ulimit -n, LimitNOFILE=)";
    assert!(ran.err.contains(why), "{}", ran.err);
}
