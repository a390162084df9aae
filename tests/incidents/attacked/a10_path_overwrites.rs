//! `[[router]] path` names a file that something else needs.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{NO_KERNEL, NOC, Place};

fn router(family: &str, path: &str, more: &str) -> String {
    format!("[[router]]\nname = \"edge1\"\nfamily = \"{family}\"\npath = \"{path}\"\n{more}")
}

pub fn path_overwrites() {
    a_path_that_is_used_already_is_a_problem();
    a_path_that_a_command_writes_is_judged_like_that_of_the_file();
    what_is_made_beside_a_file_is_judged_like_it();
    what_a_reload_copies_over_a_file_of_somebody_else_is_refused_unless_it_is_adopted();
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

/// `check`, `reload` and `verify` that write over something, with what is said of it.
fn a_path_that_a_command_writes_is_judged_like_that_of_the_file() {
    let place = Place::new("");
    place.write("noc.list", "# ours\n");
    fs::create_dir_all(place.path("state")).unwrap();
    fs::create_dir_all(place.path("folder")).unwrap();
    place.write("far.list", "# ours\n");
    symlink("../far.list", place.path("folder/edge2.conf")).unwrap();
    symlink("noc.list", place.path("link")).unwrap();
    let at = |name: &str| place.path(name).display().to_string();
    let second = |command: &str| {
        format!(
            "[[router]]\nname = \"edge2\"\nfamily = \"plain\"\npath = \"edge2.conf\"\n{command}\n"
        )
    };
    for (key, words, what) in [
        (
            "reload",
            format!("\"cp\", \"{{file}}\", \"{}\"", at("nullrouted.toml")),
            "is the configuration itself",
        ),
        (
            "check",
            format!("\"sh\", \"-c\", \"cat {{file}} > {}\"", at("noc.list")),
            "is the list of the feed \"noc\"",
        ),
        (
            "verify",
            format!("\"sh\", \"-c\", \"date >> {}\"", at("link")),
            "is the list of the feed \"noc\"",
        ),
        (
            "reload",
            format!("\"cp\", \"{{delta}}\", \"{}/\"", at("state")),
            "is in state_dir, which holds nullrouted's own files",
        ),
        (
            "reload",
            format!("\"sudo\", \"tee\", \"{}\"", at("run/flushed")),
            "is in the run directory, which holds nullrouted's own files",
        ),
        (
            "verify",
            format!("\"cp\", \"{{file}}\", \"{}\"", at("edge2.conf")),
            "is the file of the router \"edge2\"",
        ),
        (
            "reload",
            format!(
                "\"cp\", \"{{file}}\", \"{}\"",
                at(".edge2.conf.nullrouted.delta")
            ),
            "is made for a moment beside the file of the router \"edge2\"",
        ),
        (
            "reload",
            format!(
                "\"sh\", \"-c\", \"cp \\\"$1\\\" {}\", \"sh\", \"{{file}}\"",
                at("noc.list")
            ),
            "is the list of the feed \"noc\"",
        ),
        (
            "reload",
            format!("\"sh\", \"-c\", \"cd {} && cp {{file}} link\"", at("")),
            "is the list of the feed \"noc\"",
        ),
        // Into a folder that is there.
        (
            "reload",
            format!("\"cp\", \"{{file}}\", \"{}\"", at("state")),
            "is in state_dir, which holds nullrouted's own files",
        ),
        (
            "reload",
            format!("\"cp\", \"/x/edge2.conf\", \"{}\"", at("folder")),
            "is the list of the feed \"far\"",
        ),
    ] {
        let router = router("plain", "edge.conf", &format!("{key} = [{words}]\n"));
        let far = "[[feed]]\nname = \"far\"\npath = \"far.list\"\n";
        place.configure(&format!("{router}{}{NOC}{far}{NO_KERNEL}", second("")));
        for verb in ["check", "refresh"] {
            let ran = place.run(&[verb]).code(64);
            let line = format!("{}:6:", place.config().display());
            ran.clone()
                .says(&line)
                .says(&format!("{key}: it writes "))
                .says(&format!(", which {what}"));
            ran.says("hint: what a command writes needs a path of its own");
        }
        assert_eq!(place.read("noc.list"), "# ours\n");
    }
    // One place for the files of two routers, here and elsewhere.
    for to in [at("both"), "edge1:/etc/both".to_owned()] {
        let copies = format!("reload = [\"scp\", \"{{file}}\", \"{to}\"]");
        let router = router("plain", "edge.conf", &format!("{copies}\n"));
        place.configure(&format!("{router}{}{NOC}{NO_KERNEL}", second(&copies)));
        place.run(&["check"]).code(64).says(&format!(
            "reload: it writes {to}, which is written by the reload of the router \"edge1\" as well"
        ));
    }
    // What is no such thing: a log of both, what is only read, and a place of its own.
    let log = at("log");
    let harmless = [
        format!("reload = [\"sh\", \"-c\", \"cat {{file}} >> {log}; echo > /dev/null\"]"),
        format!("verify = [\"cmp\", \"{{file}}\", \"{}\"]", at("noc.list")),
        "check = [\"cp\", \"{file}\", \"{file}.copy\"]".to_owned(),
    ];
    for command in harmless {
        let router = router("plain", "edge.conf", &format!("{command}\n"));
        place.configure(&format!("{router}{}{NOC}{NO_KERNEL}", second(&command)));
        place.run(&["check"]).code(0);
    }
}

fn what_is_made_beside_a_file_is_judged_like_it() {
    for ending in ["new", "delta"] {
        let name = format!(".edge.conf.nullrouted.{ending}");
        let place = Place::new("");
        let router = router("plain", "edge.conf", "");
        let list = NOC.replace("noc.list", &name);
        place.write(&name, "192.0.2.0/24\n");
        place.configure(&format!("{router}{list}{NO_KERNEL}"));
        let said = format!(
            "path: {}, which is made for a moment beside it, is the list of the feed \"noc\"",
            place.path(&name).canonicalize().unwrap().display()
        );
        place.run(&["refresh"]).code(64).says(&said);
        assert_eq!(place.read(&name), "192.0.2.0/24\n");
        place.write("noc.list", "192.0.2.0/24\n");
        let second =
            format!("[[router]]\nname = \"edge2\"\nfamily = \"plain\"\npath = \"{name}\"\n");
        place.configure(&format!("{router}{second}{NOC}{NO_KERNEL}"));
        place
            .run(&["check"])
            .code(64)
            .says("which is made for a moment beside it, is the file of the router \"edge2\"");
    }
}

/// The same rule as for the router file itself.
fn what_a_reload_copies_over_a_file_of_somebody_else_is_refused_unless_it_is_adopted() {
    for reload in [
        "\"cp\", \"{file}\", \"TO\"",
        "\"sh\", \"-c\", \"cat {file} > TO\"",
    ] {
        let place = Place::new("");
        let to = place.path("theirs");
        let reload = reload.replace("TO", &to.display().to_string());
        let config = |more: &str| {
            let more = format!("reload = [{reload}]\n{more}");
            format!("{}{NOC}{NO_KERNEL}", router("frr", "edge.conf", &more))
        };
        place.configure(&config(""));
        place.write("noc.list", "192.0.2.0/24\n");
        place.write("theirs", "frr defaults traditional\nhostname edge1\n");
        let told = format!(
            "{}: this file was not written by nullrouted, so it stays as it is; name another path, or set \
             adopt = true on this router to replace it (a copy of it stays beside it)",
            to.display()
        );
        place.run(&["plan"]).says(&told);
        place.run(&["refresh"]).code(1).says(&told);
        place.run(&["status"]).says(&told);
        assert!(place.read("theirs").starts_with("frr defaults"));
        place.configure(&config("adopt = true\n"));
        place
            .run(&["refresh"])
            .code(0)
            .says("; what stood there is kept as ");
        assert!(place.read("theirs").contains("192.0.2.0"));
        assert!(
            place
                .read("theirs.before-nullrouted")
                .starts_with("frr defaults")
        );
        // Ours from now on.
        place.configure(&config(""));
        place.write("noc.list", "203.0.113.0/24\n");
        place.run(&["refresh"]).code(0);
        assert!(place.read("theirs").contains("203.0.113.0"));
    }
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
        let named = match family {
            "gobgp" => "neighbors = [\"192.0.2.2\"]\n",
            _ => "",
        };
        let place = Place::new(&format!(
            "{}{NOC}{NO_KERNEL}",
            router(family, "ours", named)
        ));
        place.write("noc.list", "192.0.2.0/24\n");
        place.run(&["refresh"]).code(0);
        fs::remove_dir_all(place.path("state")).unwrap();
        place.write("noc.list", "203.0.113.0/24\n");
        let ran = place.run(&["refresh"]).code(0);
        assert!(!ran.err.contains("adopt"), "{}", ran.err);
        assert!(place.read("ours").contains("203.0.113.0"), "{family}");
    }
}
