//! Lists that the kernel itself takes: nftables and ipset, by their own programs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::support::lab::{LIST, LISTED, Lab, NEIGHBOURS};
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NOC, Place, installed, left_out, repository};

const CASES: [&str; 6] = ["mixed", "empty", "large", "4", "6", "asn"];

fn golden(name: &str) -> PathBuf {
    repository().join("tests/golden/router").join(name)
}

/// What the plain list of the same case has.
fn prefixes(case: &str) -> BTreeSet<String> {
    let plain = std::fs::read_to_string(golden(&format!("plain--{case}.txt"))).unwrap();
    let lines = plain.lines().filter(|line| !line.starts_with('#'));
    let prefix = |line: &str| line.split(' ').next().unwrap().to_owned();
    lines.map(prefix).collect()
}

/// An address as `nft` and `ipset` print it is a prefix of full length.
fn whole(text: &str) -> String {
    match (text.contains('/'), text.contains(':')) {
        (true, _) => text.to_owned(),
        (false, false) => format!("{text}/32"),
        (false, true) => format!("{text}/128"),
    }
}

fn in_nftables(namespace: &Namespace) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for set in ["v4", "v6"] {
        let question = ["-j", "list", "set", "inet", "nullrouted", set];
        let json = namespace.run("nft", &question).code(0).json();
        let set = json["nftables"].as_array().unwrap();
        let set = set.iter().find_map(|object| object.get("set")).unwrap();
        let elements = set["elem"].as_array().cloned().unwrap_or_default();
        all.extend(elements.iter().map(|element| match element.as_str() {
            Some(address) => whole(address),
            None => {
                let prefix = &element["prefix"];
                format!("{}/{}", prefix["addr"].as_str().unwrap(), prefix["len"])
            }
        }));
    }
    all
}

fn in_ipset(namespace: &Namespace) -> BTreeSet<String> {
    let saved = namespace.run("ipset", &["save"]).code(0).out;
    let mut all = BTreeSet::new();
    for line in saved.lines() {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["add", set, prefix, ..] => {
                assert_eq!(set == "nullrouted6", prefix.contains(':'), "{line}");
                all.insert(whole(prefix));
            }
            ["create", "nullrouted4" | "nullrouted6", ..] => {}
            _ => panic!("{line}"),
        }
    }
    all
}

/// Every golden file after every other, and after itself.
fn each_over_each(load: impl Fn(&str), held: impl Fn() -> BTreeSet<String>) {
    for before in CASES {
        for case in CASES {
            load(before);
            load(case);
            assert_eq!(held(), prefixes(case), "{case} over {before}");
        }
    }
}

#[test]
fn nftables_holds_exactly_what_each_golden_file_says_whatever_was_there() {
    if !installed("nft") {
        return left_out("nft is not installed");
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let run = |arguments: &[&str]| {
        namespace.run("nft", arguments).code(0);
    };
    let load = |case: &str| {
        let path = golden(&format!("nftables--{case}.nft"));
        let path = path.to_str().unwrap();
        run(&["-c", "-f", path]);
        run(&["-f", path]);
    };
    each_over_each(load, || in_nftables(&namespace));
    run(&["delete", "table", "inet", "nullrouted"]);
}

#[test]
fn ipset_holds_exactly_what_each_golden_file_says_whatever_was_there() {
    if !installed("ipset") {
        return left_out("ipset is not installed");
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let load = |case: &str| {
        let path = golden(&format!("ipset--{case}.ipset"));
        let path = path.to_str().unwrap();
        namespace.run("ipset", &["restore", "-file", path]).code(0);
    };
    each_over_each(load, || in_ipset(&namespace));
    // A load that ends at a broken line leaves the old set, and the next load is none the worse.
    load("large");
    let broken = std::fs::read_to_string(golden("ipset--mixed.ipset")).unwrap();
    let place = Place::new(NOC);
    place.write(
        "broken",
        &broken.replace("203.0.113.7/32", "203.0.113.7/33"),
    );
    let path = place.path("broken").display().to_string();
    let ran = namespace.run("ipset", &["restore", "-file", &path]);
    assert_ne!(ran.code, Some(0));
    let saved = namespace.run("ipset", &["save", "nullrouted4"]).code(0).out;
    let v4 = |set: BTreeSet<String>| {
        set.into_iter()
            .filter(|prefix| prefix.contains('.'))
            .count()
    };
    assert_eq!(saved.lines().count(), v4(prefixes("large")) + 1);
    load("mixed");
    assert_eq!(in_ipset(&namespace), prefixes("mixed"));
    let saved = namespace.run("ipset", &["save", "nullrouted4"]).code(0);
    saved.says("72.37.186.0/23 comment \"example SBL123, second ES-1\"");
}

#[test]
fn ipset_gets_again_what_the_kernel_lost() {
    if !installed("ipset") {
        return left_out("ipset is not installed");
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!(
        "{NOC}[kernel]\nenabled = false\n[[router]]\nname = \"firewall\"\nfamily = \"ipset\"\npath = \"it.ipset\"\n\
         reload = \"default\"\nverify = \"default\"\n"
    ));
    place.write("noc.list", LIST);
    let refresh = || place.run_in(&namespace, &["refresh"]).code(0);
    refresh().says("it.ipset replaced, 2 prefixes");
    refresh().says("it.ipset unchanged, 2 prefixes");
    for lost in [&["flush", "nullrouted6"][..], &["destroy", "nullrouted4"]] {
        namespace.run("ipset", lost).code(0);
        refresh().says("it.ipset loaded again, 2 prefixes");
        assert_eq!(in_ipset(&namespace).len(), 2);
        refresh().says("it.ipset unchanged, 2 prefixes");
    }
}

#[test]
fn nftables_drops_what_is_listed_and_what_comes_from_there_and_counts_it() {
    if !installed("nft") {
        return left_out("nft is not installed");
    }
    let Some(Lab { router, near, far }) = Lab::new() else {
        return;
    };
    let lab = Lab { router, near, far };
    let place = Place::new(&format!(
        "{NOC}[kernel]\nenabled = false\n\
         [[router]]\nname = \"firewall\"\nfamily = \"nftables\"\npath = \"nullrouted.nft\"\n\
         check = \"default\"\nreload = \"default\"\nverify = \"default\"\n"
    ));
    for address in LISTED.iter().chain(&NEIGHBOURS) {
        eventually(address, || lab.answers(address));
    }
    place.write("noc.list", LIST);
    let refresh = || place.run_in(&lab.router, &["refresh"]).code(0);
    refresh().says("nullrouted.nft replaced, 2 prefixes");
    let passes = |from: &str, to: &str| lab.far.ping(&["-I", from, to]).code == Some(0);
    for address in LISTED {
        assert!(!lab.answers(address), "{address}");
    }
    for address in NEIGHBOURS {
        assert!(lab.answers(address), "{address}");
    }
    assert!(!passes("72.37.186.1", "100.64.0.2"), "from what is listed");
    assert!(passes("72.37.188.1", "100.64.0.2"));
    let counters = || lab.router.run("nft", &["list", "counters"]).code(0).out;
    let counted = counters();
    assert_eq!(counted.matches("packets 1 ").count(), 3, "{counted}");

    // What is not in the kernel any more is loaded again, and nothing else.
    refresh().says("nullrouted.nft unchanged");
    for lost in [
        &["delete", "table", "inet", "nullrouted"][..],
        &["flush", "chain", "inet", "nullrouted", "prerouting"],
        &["flush", "chain", "inet", "nullrouted", "output"],
    ] {
        lab.router.run("nft", lost).code(0);
        refresh().says("nullrouted.nft loaded again");
        assert!(!lab.answers(LISTED[0]));
        refresh().says("nullrouted.nft unchanged");
    }
    // A foreign chain in our table is none of ours: the README had one there once.
    let sources = "chain inet nullrouted sources { type filter hook prerouting priority raw; policy accept; }";
    let rules = [
        "meta nfproto ipv4 fib saddr oif missing counter drop",
        "meta nfproto ipv6 fib saddr type { blackhole, unreachable, prohibit } counter drop",
    ];
    lab.router.run("nft", &["add", sources]).code(0);
    for rule in rules {
        let rule = format!("rule inet nullrouted sources {rule}");
        lab.router.run("nft", &["add", &rule]).code(0);
    }
    refresh().says("nullrouted.nft unchanged");
    let lost = ["flush", "chain", "inet", "nullrouted", "output"];
    lab.router.run("nft", &lost).code(0);
    refresh().says("nullrouted.nft loaded again");
    refresh().says("nullrouted.nft unchanged");
    let gone = ["delete", "chain", "inet", "nullrouted", "sources"];
    lab.router.run("nft", &gone).code(0);
    refresh().says("nullrouted.nft unchanged");
    let counted = counters();

    // What is loaded over it goes on counting.
    place.write("noc.list", "198.51.100.0/24\n");
    refresh();
    for address in LISTED {
        assert!(lab.answers(address), "{address}");
    }
    assert_eq!(counters(), counted);
    place.run_in(&lab.router, &["flush"]).code(0);
    assert!(in_nftables(&lab.router).is_empty());
}
