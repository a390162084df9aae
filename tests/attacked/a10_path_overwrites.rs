//! `[[router]] path` names a file that something else needs.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{NO_KERNEL, NOC, Place};

fn router(family: &str, path: &str, more: &str) -> String {
    format!("[[router]]\nname = \"edge1\"\nfamily = \"{family}\"\npath = \"{path}\"\n{more}")
}

pub fn path_overwrites() {
    a_path_that_is_used_already_is_a_problem();
    a_file_of_somebody_else_stays_unless_it_is_adopted();
    a_file_of_an_earlier_build_is_taken_over();
}

fn a_path_that_is_used_already_is_a_problem() {
    let own = "[[feed]]\nname = \"far\"\nurl = \"https://lists.example.net/x\"\nbearer_file = \"key\"\n\
               client_certificate_file = \"cert\"\n[asn]\ntable = \"table\"\n[fetch]\nca_file = \"ca\"\n\
               [protect]\nfiles = [\"allow.list\"]\n";
    let place = Place::new("");
    for file in ["noc.list", "key", "cert", "table", "ca", "allow.list"] {
        place.write(file, "# ours\n");
    }
    fs::create_dir_all(place.path("state")).unwrap();
    fs::create_dir_all(place.path("folder")).unwrap();
    place.write("state/ledger.sqlite", "");
    symlink("nullrouted.toml", place.path("link")).unwrap();
    symlink("../state", place.path("folder/state")).unwrap();
    let run = place.path("run/flushed").display().to_string();
    for (path, what) in [
        ("nullrouted.toml", "is the configuration itself"),
        ("link", "is the configuration itself"),
        ("folder/../nullrouted.toml", "is the configuration itself"),
        ("noc.list", "is the list of the feed \"noc\""),
        ("./folder/../noc.list", "is the list of the feed \"noc\""),
        ("key", "is the bearer_file of the feed \"far\""),
        ("cert", "is the client_certificate_file of the feed \"far\""),
        ("table", "is the table of [asn]"),
        ("ca", "is the ca_file of [fetch]"),
        ("allow.list", "is one of [protect] files"),
        (
            "state/ledger.sqlite",
            "is in state_dir, which holds nullrouted's own files",
        ),
        (
            "state/new.conf",
            "is in state_dir, which holds nullrouted's own files",
        ),
        (
            "folder/state/new.conf",
            "is in state_dir, which holds nullrouted's own files",
        ),
        (
            &*run,
            "is in the run directory, which holds nullrouted's own files",
        ),
    ] {
        place.configure(&format!(
            "{}{NOC}{NO_KERNEL}{own}",
            router("plain", path, "")
        ));
        for verb in ["check", "refresh"] {
            let ran = place.run(&[verb]).code(64);
            let at = format!("{}:5:8: path: ", place.config().display());
            ran.clone().says(&at).says(what);
            ran.says("hint: a router file is written over: it needs a path of its own");
        }
    }
    assert_eq!(place.read("noc.list"), "# ours\n");
    // Two routers with one file.
    symlink("edge.conf", place.path("other.conf")).unwrap();
    place.write("edge.conf", "");
    let second = "[[router]]\nname = \"edge2\"\nfamily = \"plain\"\npath = \"other.conf\"\n";
    place.configure(&format!(
        "{}{second}{NOC}{NO_KERNEL}",
        router("plain", "edge.conf", "")
    ));
    place
        .run(&["check"])
        .code(64)
        .says("leads to the file of the router \"edge1\"");
}

const THEIRS: [(&str, &str); 4] = [
    ("frr", "frr defaults traditional\nhostname edge1\n"),
    ("json", "{\"prefixes\":[]}\n"),
    ("csv", "prefix,customer\r\n198.51.100.0/24,4711\r\n"),
    ("plain", "198.51.100.0/24\n"),
];

fn a_file_of_somebody_else_stays_unless_it_is_adopted() {
    for (family, theirs) in THEIRS {
        let config = |more: &str| format!("{}{NOC}{NO_KERNEL}", router(family, "theirs", more));
        let place = Place::new(&config(""));
        place.write("noc.list", "192.0.2.0/24\n");
        place.write("theirs", theirs);
        let told = format!(
            "{}: this file was not written by nullrouted, so it stays as it is; name another path, or set \
             adopt = true on this router to replace it (a copy of it stays beside it)",
            place.path("theirs").display()
        );
        // Tried once more, it is no more ours than before.
        for _ in 0..2 {
            place.run(&["refresh"]).code(1).says(&told);
            assert_eq!(place.read("theirs"), theirs);
        }
        place.run(&["plan"]).says(&told);
        place.run(&["status"]).says(&told);
        place.configure(&config("adopt = true\n"));
        place
            .run(&["check", "--print"])
            .code(0)
            .says("adopt  = true");
        place
            .run(&["refresh"])
            .code(0)
            .says("; what stood there is kept as ");
        assert!(place.read("theirs").contains("192.0.2.0"), "{family}");
        assert_eq!(place.read("theirs.before-nullrouted"), theirs);
        // Ours from now on, with the key and without it.
        place.configure(&config(""));
        place.write("noc.list", "203.0.113.0/24\n");
        place.run(&["refresh"]).code(0);
        assert!(place.read("theirs").contains("203.0.113.0"), "{family}");
    }
}

/// Without its ledger and without the key.
fn a_file_of_an_earlier_build_is_taken_over() {
    for family in ["frr", "json", "csv", "plain", "nftables", "ipset", "gobgp"] {
        let place = Place::new(&format!("{}{NOC}{NO_KERNEL}", router(family, "ours", "")));
        place.write("noc.list", "192.0.2.0/24\n");
        place.run(&["refresh"]).code(0);
        fs::remove_dir_all(place.path("state")).unwrap();
        place.write("noc.list", "203.0.113.0/24\n");
        let ran = place.run(&["refresh"]).code(0);
        assert!(!ran.err.contains("adopt"), "{}", ran.err);
        assert!(place.read("ours").contains("203.0.113.0"), "{family}");
    }
}
