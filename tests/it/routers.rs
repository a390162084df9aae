//! Router files through the verbs: what a router still holds is taken away, and what it takes badly
//! is said.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use crate::support::{NOC, PROGRAM, Place, Ran, is_root, left_out};

fn place(router: &str) -> Place {
    let place = Place::new(&format!(
        "{NOC}[kernel]\nenabled = false\n[[router]]\nname = \"edge1\"\npath = \"edge1.conf\"\n{router}"
    ));
    place.write(
        "noc.list",
        "72.37.186.0/23\n203.0.113.0/24\n2001:db8:bad::/48\n",
    );
    place
}

/// The lines of the file about static routes.
fn routes(place: &Place) -> Vec<String> {
    let text = place.read("edge1.conf");
    let of_routes = text
        .lines()
        .filter(|line| line.contains(" route ") && !line.starts_with('!'));
    of_routes.map(str::to_owned).collect()
}

/// A router without containers keeps a line until another one takes it away; nobody knows when the
/// file is loaded.
#[test]
fn what_left_of_late_is_taken_away_by_every_file_until_it_comes_back() {
    let place = place("family = \"ios\"\n");
    place.run(&["refresh"]).code(0);
    let [one, two, three] = [
        "ip route 72.37.186.0 255.255.254.0 Null0 tag 666 name noc",
        "ip route 203.0.113.0 255.255.255.0 Null0 tag 666 name noc",
        "ipv6 route 2001:db8:bad::/48 Null0 tag 666",
    ];
    assert_eq!(routes(&place), [one, two, three]);

    // A plan tells the same file that the next pass writes.
    place.write("noc.list", "72.37.186.0/24\n2001:db8:bad::/48\n");
    place.run(&["plan"]).code(2);
    place.run(&["refresh"]).code(0);
    let shorter = "ip route 72.37.186.0 255.255.255.0 Null0 tag 666 name noc";
    let gone = [
        "no ip route 72.37.186.0 255.255.254.0 Null0",
        "no ip route 203.0.113.0 255.255.255.0 Null0",
    ];
    assert_eq!(routes(&place), [gone[0], gone[1], shorter, three]);
    place.run(&["refresh"]).code(0).says("unchanged");
    assert_eq!(
        place.run(&["render", "edge1"]).code(0).out,
        place.read("edge1.conf")
    );

    // What is back is not gone.
    place.write(
        "noc.list",
        "72.37.186.0/24\n203.0.113.0/24\n2001:db8:bad::/48\n",
    );
    place.run(&["refresh"]).code(0);
    assert_eq!(routes(&place), [gone[0], shorter, two, three]);

    // And nothing is left of a flush.
    place.run(&["flush"]).code(0);
    let all = [
        gone[0],
        "no ip route 72.37.186.0 255.255.255.0 Null0",
        gone[1],
        "no ipv6 route 2001:db8:bad::/48 Null0",
    ];
    let mut left = routes(&place);
    let mut all = all.to_vec();
    left.sort();
    all.sort();
    assert_eq!(left, all);
}

/// What is older than thirty days before the newest generation is no longer told.
#[test]
fn what_left_long_ago_is_forgotten_with_the_next_generation() {
    let place = place("family = \"ios\"\n");
    place.run(&["refresh"]).code(0);
    place.write("noc.list", "203.0.113.0/24\n2001:db8:bad::/48\n");
    place.run(&["refresh"]).code(0);
    let gone = "no ip route 72.37.186.0 255.255.254.0 Null0".to_owned();
    assert!(routes(&place).contains(&gone));
    let month = 30 * 24 * 3_600 + 60;
    place.edit(&format!(
        "UPDATE generation SET at = at - {month} WHERE number <= 2"
    ));
    place.run(&["refresh"]).code(0).says("unchanged");
    place.write("noc.list", "203.0.113.0/24\n");
    place.run(&["refresh"]).code(0);
    assert!(!routes(&place).contains(&gone));
    assert_eq!(routes(&place)[0], "no ipv6 route 2001:db8:bad::/48 Null0");
}

/// Somebody ran a verb as root once; the service is another user, and may not give a file to root.
#[test]
fn a_file_of_root_is_replaced_by_the_user_of_the_service() {
    if !is_root() {
        return left_out("only root can make a file of root");
    }
    let place = place("family = \"plain\"\n");
    place.run(&["refresh"]).code(0);
    let file = place.path("edge1.conf");
    let sh = |line: &str| {
        let run = Command::new("sh").args(["-c", line]).status().unwrap();
        assert!(run.success(), "{line}");
    };
    let folder = place.path("").display().to_string();
    sh(&format!(
        "cp {PROGRAM} {folder}; chmod 604 {}",
        file.display()
    ));
    sh(&format!(
        "chown -R 65534:65534 {folder}; chown 0:0 {}",
        file.display()
    ));

    place.write("noc.list", "72.37.186.0/24\n");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.arg(place.path("nullrouted"));
    let ran = place.command(command, &["refresh"]).output().unwrap();
    Ran::of(ran).code(0).says("edge1.conf replaced, 1 prefixes");
    let made = std::fs::metadata(&file).unwrap();
    assert_eq!((made.uid(), made.mode() & 0o777), (65_534, 0o644));
}

/// Above the size where a family takes no way well, both who checks and who reads the file are told
/// which to take.
#[test]
fn check_and_the_header_say_which_way_to_take_above_the_size_of_a_family() {
    let list = |prefixes: u32| -> String {
        let hosts = (0..prefixes).map(|n| std::net::Ipv4Addr::from((72 << 24) + n * 2));
        hosts.map(|host| format!("{host}\n")).collect()
    };
    for (family, most, told) in [
        (
            "\"frr\"\nlists = \"one\"",
            1_500,
            "! 1501 entries of a kind: above 1500 FRR before 9.0 takes minutes to load them, and bgpd does not answer \
             meanwhile. Instead: lists = \"octets\"",
        ),
        (
            "\"openbgpd\"",
            20_000,
            "# 20001 prefixes: above 20000 OpenBGPD takes up to minutes to load them. Instead: a router of family \"bird\"",
        ),
        (
            "\"gobgp\"\nneighbors = [\"192.0.2.2\"]",
            12_000,
            "# 12001 prefixes: above 12000 GoBGP's command takes more than five minutes for the first load, and the \
             default reload is ended. Instead: a router of family \"bird\"",
        ),
        (
            "\"vrp\"\nrole = \"filter\"",
            65_534,
            "# 65535 entries of a kind: above 65534 the router refuses them, and their routes pass. Instead: a trigger, \
             and this router as an edge",
        ),
    ] {
        let place = place(&format!("family = {family}\n"));
        place.write("noc.list", &list(most));
        assert!(!place.run(&["check"]).code(0).err.contains("edge1"));
        place.run(&["refresh"]).code(0);
        assert!(!place.run(&["check"]).code(0).err.contains("edge1"));
        assert!(!place.read("edge1.conf").contains("Instead:"));

        place.write("noc.list", &list(most + 1));
        place.run(&["refresh"]).code(0);
        assert!(place.read("edge1.conf").contains(&format!("{told}\n")));
        let told = &told[2..];
        place
            .run(&["check"])
            .code(0)
            .says(&format!("router edge1: {told}"));
        let json = place.run(&["check", "--json"]).code(0).json();
        assert_eq!(json["advice"][0]["router"], "edge1");
        assert_eq!(json["advice"][0]["text"], told);
    }
}

/// A neighbor that was sent what is listed is no reason to keep a file that lists more.
#[test]
fn a_leak_that_verify_finds_fails_the_target_and_the_new_file_stays() {
    let verify = "verify = [\"sh\", \"-c\", \"grep -q 203.0.113 {file} || exit 0; echo 192.0.2.9 was sent one; exit 3\"]\n";
    let reload = "reload = [\"sh\", \"-c\", \"echo loaded >> {file}.log\"]\n";
    let place = place(&format!("family = \"bird\"\n{reload}{verify}"));
    let loads = || place.read("edge1.conf.log").lines().count();
    let path = place.path("edge1.conf").display().to_string();
    let said = format!("{path} replaced, 3 prefixes; LEAK: 192.0.2.9 was sent one");
    place.run(&["refresh"]).code(1).says(&said);
    place.run(&["status"]).code(0).says(&said);
    // It is in force, so it is not loaded again.
    let said = format!("{path} unchanged, 3 prefixes; LEAK: 192.0.2.9 was sent one");
    place.run(&["refresh"]).code(1).says(&said);
    assert_eq!(loads(), 1);
    place.run(&["status", "--check"]).code(2).says("edge1");
    place.write("noc.list", "72.37.186.0/23\n203.0.113.7\n");
    place.run(&["refresh"]).code(1);
    assert!(place.read("edge1.conf").contains("203.0.113.7/32"));
    place.write("noc.list", "72.37.186.0/23\n");
    place.run(&["refresh"]).code(0);
    place.run(&["status"]).code(0);
    assert_eq!(loads(), 3);
}

/// A list of this many prefixes that cannot be joined.
fn hosts(prefixes: u32) -> String {
    let hosts = (0..prefixes).map(|n| std::net::Ipv4Addr::from((72 << 24) + n * 2));
    hosts.map(|host| format!("{host}\n")).collect()
}

/// With `lists = "auto"`, which is the default, the version of FRR and the number of entries
/// choose, and `check` and `status` tell what and why. FRR is not asked here: no default reload is
/// configured.
#[test]
fn frr_gets_short_lists_above_the_limit_of_its_version_and_check_and_status_say_why() {
    let has = |place: &Place| match place.read("edge1.conf") {
        text if text.contains("ip prefix-list NULLROUTED-V4-72 seq ") => "octets",
        text if text.contains("ip prefix-list NULLROUTED-V4 seq ") => "one",
        text => panic!("{text}"),
    };
    let place = place("family = \"frr\"\n");
    place.write("noc.list", &hosts(500));
    place.run(&["refresh"]).code(0);
    assert_eq!(has(&place), "one");
    let unknown = "FRR of an unknown version takes long for one list of more than 500";
    let hint = "it is asked with vtysh before each load by the default reload, and frr_version = \"10.3\" names that of a \
                router elsewhere";
    let why = format!("500 entries of a kind, and {unknown}; \"octets\" from 601 on; {hint}");
    let said = format!("edge1: lists = \"auto\" chose \"one\": {why}");
    place
        .run(&["check"])
        .code(0)
        .says(&format!("router {said}\n"));
    let status = place.run(&["status"]).code(0).out;
    assert!(
        status.contains(&said.replace("edge1:", "edge1 ")),
        "{status}"
    );

    // What was chosen stays until the number is 20 % beyond the limit, and a flush changes nothing.
    place.write("noc.list", &hosts(600));
    place.run(&["refresh"]).code(0);
    assert_eq!(has(&place), "one");
    place.write("noc.list", &hosts(601));
    place.run(&["plan"]).code(2);
    place.run(&["refresh"]).code(0);
    assert_eq!(has(&place), "octets");
    let rendered = place.run(&["render", "edge1"]).code(0).out;
    assert_eq!(rendered, place.read("edge1.conf"));
    place.write("noc.list", &hosts(470));
    place.run(&["refresh"]).code(0);
    assert_eq!(has(&place), "octets");
    place.run(&["flush"]).code(0);
    assert_eq!(has(&place), "octets");
    place.run(&["unpin"]).code(0);
    place.run(&["refresh"]).code(0);
    let json = place.run(&["status", "--json"]).code(0).json();
    assert_eq!(json["lists"][0]["router"], "edge1");
    assert_eq!(json["lists"][0]["lists"], "octets");
    assert_eq!(json["lists"][0]["entries"], 470);
    assert_eq!(json["lists"][0]["frr_version"], serde_json::Value::Null);

    // Another version makes another choice, and what is written is not chosen.
    let config = std::fs::read_to_string(place.config()).unwrap();
    let with = |line: &str| {
        let family = "family = \"frr\"\n";
        let config = config.replace(family, &format!("{family}{line}\n"));
        std::fs::write(place.config(), config).unwrap();
    };
    with("frr_version = \"10.3\"");
    place.write("noc.list", &hosts(700));
    place.run(&["refresh"]).code(0);
    assert_eq!(has(&place), "one");
    let check = place.run(&["check", "--json"]).code(0).json();
    assert_eq!(check["lists"][0]["frr_version"], "10.3");
    assert_eq!(
        check["lists"][0]["why"],
        "FRR 10.3 loads a list of any length in a time that grows with its entries alone"
    );
    assert_eq!(check["advice"], serde_json::json!([]));
    for word in ["octets", "one"] {
        with(&format!("lists = \"{word}\""));
        place.run(&["refresh"]).code(0);
        assert_eq!(has(&place), word);
        let check = place.run(&["check", "--json"]).code(0).json();
        assert_eq!(check["lists"], serde_json::json!([]));
    }
}

/// FRR 10 takes a list of any length, so nothing else is advised.
#[test]
fn nothing_else_is_advised_for_a_version_of_frr_that_takes_any_list() {
    let place = place("family = \"frr\"\nlists = \"one\"\nfrr_version = \"10.3\"\n");
    place.write("noc.list", &hosts(1_501));
    place.run(&["refresh"]).code(0);
    assert!(!place.read("edge1.conf").contains("Instead:"));
    let check = place.run(&["check", "--json"]).code(0).json();
    assert_eq!(check["advice"], serde_json::json!([]));
}

/// A pass with a `vtysh` that is this script.
fn refresh_with(place: &Place, vtysh: &str) -> Ran {
    place.write("draft", vtysh);
    std::fs::create_dir_all(place.path("bin")).unwrap();
    let mut install = Command::new("install");
    install.args(["-m", "755"]).arg(place.path("draft"));
    let installed = install.arg(place.path("bin/vtysh")).status().unwrap();
    assert!(installed.success());
    let path = format!("{}:{}", place.path("bin").display(), env!("PATH"));
    let mut command = Command::new(PROGRAM);
    command.env("PATH", path);
    Ran::of(place.command(command, &["refresh"]).output().unwrap())
}

/// What is remembered is what the FRR of this machine said, and has a meaning as long as that one
/// is loaded.
#[test]
fn a_version_that_the_configuration_named_is_not_remembered_when_it_names_none() {
    let place = place("family = \"frr\"\n");
    place.write("noc.list", &hosts(1_000));
    let config = std::fs::read_to_string(place.config()).unwrap();
    let refresh = |line: &str, script: &str| {
        let family = "family = \"frr\"\n";
        let config = config.replace(family, &format!("{family}{line}\n"));
        std::fs::write(place.config(), config).unwrap();
        let script = format!("#!/bin/sh\ncase \"$*\" in *version*) {script};; esac\n");
        refresh_with(&place, &script).code(0);
        let json = place.run(&["status", "--json"]).code(0).json();
        let file = place.read("edge1.conf");
        assert_eq!(place.run(&["render", "edge1"]).code(0).out, file);
        let way = match file.contains("prefix-list NULLROUTED-V4-72 seq ") {
            true => "octets",
            false => "one",
        };
        assert_eq!(json["lists"][0]["lists"], way);
        (way, json["lists"][0]["frr_version"].clone())
    };
    let (here, silent) = ("reload = \"default\"", "exit 1");
    let named = format!("{here}\nfrr_version = \"10.3\"");
    let unknown = ("octets", serde_json::Value::Null);
    assert_eq!(refresh(&named, silent), ("one", "10.3".into()));
    assert_eq!(refresh(here, silent), unknown);
    // It is asked here, and then another machine is loaded.
    let said = "echo 'FRRouting 10.3 (edge1) on Linux(6.12.0).'";
    assert_eq!(refresh(here, said), ("one", "10.3".into()));
    assert_eq!(refresh(here, silent), ("one", "10.3".into()));
    assert_eq!(refresh("reload = [\"true\"]", said), unknown);
}

/// The default reload is for the FRR of this machine, so that is asked before the first load; where
/// it does not answer later, what it said counts.
#[test]
fn the_version_of_frr_is_asked_before_the_first_load_and_remembered() {
    let place = place("family = \"frr\"\nreload = \"default\"\n");
    place.write("noc.list", &hosts(1_000));
    let asked = place.path("asked").display().to_string();
    let script = std::cell::RefCell::new(String::new());
    let vtysh = |says: &str| {
        *script.borrow_mut() = format!("#!/bin/sh\necho \"$*\" >> {asked}\n{says}\n");
    };
    let refresh = || refresh_with(&place, &script.borrow());
    vtysh("case \"$*\" in *version*) echo 'FRRouting 10.3 (edge1) on Linux(6.12.0).';; esac");
    refresh().code(0);
    let asked = place.read("asked");
    assert!(asked.starts_with("-d bgpd -c show version\n"), "{asked}");
    assert!(
        place
            .read("edge1.conf")
            .contains("prefix-list NULLROUTED-V4 seq ")
    );
    let version = |place: &Place| {
        let json = place.run(&["status", "--json"]).code(0).json();
        json["lists"][0]["frr_version"].clone()
    };
    assert_eq!(version(&place), "10.3");
    // It does not answer.
    vtysh("case \"$*\" in *version*) exit 1;; esac");
    refresh().code(0);
    assert_eq!(version(&place), "10.3");
    assert!(
        place
            .read("edge1.conf")
            .contains("prefix-list NULLROUTED-V4 seq ")
    );
    // Another version, as after an upgrade of the machine.
    vtysh("case \"$*\" in *version*) echo 'FRRouting 8.4.4 (edge1) on Linux(6.1.0).';; esac");
    refresh().code(0).says("edge1.conf replaced");
    assert_eq!(version(&place), "8.4.4");
    assert!(
        place
            .read("edge1.conf")
            .contains("prefix-list NULLROUTED-V4-72 seq ")
    );
}

/// What is in place and not in force is failed at every pass, and not at the first alone.
#[test]
fn a_router_that_something_else_loads_is_failed_until_its_verify_is_content() {
    let place = place("family = \"bird\"\nverify = [\"cmp\", \"{file}\", \"{file}.held\"]\n");
    let failed = "; the file is in place, and no reload is set that loads it";
    for _ in 0..3 {
        place
            .run(&["refresh"])
            .code(1)
            .says("verify failed: ")
            .says(failed);
        place.run(&["status"]).code(0).says("FAILED").says(failed);
    }
    place.write("edge1.conf.held", &place.read("edge1.conf"));
    place.run(&["refresh"]).code(0).says("edge1.conf unchanged");
    place.run(&["status"]).code(0);
}
