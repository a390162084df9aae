//! Router files through the verbs: what a router still holds is taken away, and what it takes badly is said.

mod support;

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use support::{NOC, PROGRAM, Place, Ran, is_root, left_out};

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

/// A router without containers keeps a line until another one takes it away; nobody knows when the file is loaded.
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

/// Above the size where a family takes no way well, both who checks and who reads the file are told which to take.
#[test]
fn check_and_the_header_say_which_way_to_take_above_the_size_of_a_family() {
    let list = |prefixes: u32| -> String {
        let hosts = (0..prefixes).map(|n| std::net::Ipv4Addr::from((72 << 24) + n * 2));
        hosts.map(|host| format!("{host}\n")).collect()
    };
    for (family, most, told) in [
        (
            "\"frr\"",
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
            "\"gobgp\"",
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
