//! Who is sent what is listed: four neighbors of a trigger, and exactly what each of them has.
//!
//! ```text
//!                       ┌─ alone (AS 65000)  a session that carries nothing but blackholes
//!  speaker (AS 65000) ──┼─ mixed (AS 65000)  blackholes, and the speaker's other routes
//!                       ├─ named (AS 65010)  eBGP, named in `neighbors`
//!                       └─ third (AS 65020)  eBGP, not named, to which everything is exported
//! ```

use std::thread::sleep;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use nullrouted::targets::file::{Family, Role};

use super::exabgp::Ended;
use super::gobgp::gobgpd;
use super::lab::{LIST, LISTED, Lab, communities, router};
use crate::support::namespace::eventually;
use crate::support::speaker::{bird, openbgpd};
use crate::support::{NO_KERNEL, NOC, Place};

const NEIGHBORS: [(&str, u32); 4] = [
    ("alone", 65_000),
    ("mixed", 65_000),
    ("named", 65_010),
    ("third", 65_020),
];

/// What the speaker announces by itself, and what `mixed` announces to it.
const OWN: [&str; 2] = ["2001:db8:600d::/48", "203.0.113.0/24"];
const THEIRS: [&str; 2] = ["198.51.100.0/24", "2001:db8:feed::/48"];

/// The address of a neighbor, and that of the speaker: no two have the same, since BIRD has one
/// session with an address.
fn ends(name: &str, family: u8) -> [String; 2] {
    let place = NEIGHBORS.iter().position(|(other, _)| *other == name);
    let number = place.unwrap() + 1;
    ["2", "1"].map(|end| match family {
        4 => format!("100.64.{number}.{end}"),
        _ => format!("fd0{number}::{end}"),
    })
}

/// All four in one BIRD, each with tables of its own.
fn neighbors() -> String {
    let mut text = String::new();
    for (name, asn) in NEIGHBORS {
        for family in [4, 6] {
            let [here, there] = ends(name, family);
            text.push_str(&format!(
                "ipv{family} table of_{name}{family};\n\
                 protocol bgp {name}{family} {{ local {here} as {asn}; neighbor {there} as 65000; connect retry time 1; \
                 connect delay time 1; error wait time 1, 2;\n ipv{family} {{ table of_{name}{family}; import all; \
                 export where source = RTS_STATIC; }}; }}\n"
            ));
        }
    }
    for (net, family) in [(THEIRS[0], 4), (THEIRS[1], 6)] {
        text.push_str(&format!(
            "protocol static theirs{family} {{ ipv{family} {{ table of_mixed{family}; }}; route {net} blackhole; }}\n"
        ));
    }
    text
}

struct Four(Lab);

/// `neighbors` with the addresses of these.
fn named(names: &[&str]) -> String {
    let addresses = names
        .iter()
        .flat_map(|name| [4, 6].map(|family| ends(name, family)[0].clone()));
    format!("neighbors = {:?}\n", addresses.collect::<Vec<_>>())
}

/// To another AS, for all but `third`.
fn to_ebgp() -> String {
    format!(
        "announce_to = \"ebgp\"\n{}",
        named(&["alone", "mixed", "named"])
    )
}

/// Who has what is listed where that is for these three, and where it is for iBGP.
const EBGP: [bool; 4] = [true, true, true, false];
const IBGP: [bool; 4] = [true, true, false, false];

fn config(family: Family, announced: &str) -> String {
    let router = router(family, Role::Trigger, announced);
    format!("{NOC}{NO_KERNEL}{router}")
}

impl Four {
    fn new(family: Family, program: &str, announced: &str) -> Option<Self> {
        let lab = Lab::new(program, &config(family, announced), &neighbors())?;
        for (name, _) in NEIGHBORS {
            let [four, six] = [4, 6].map(|family| ends(name, family));
            let both = |end: usize| format!("{}/30 {}/64", four[end], six[end]);
            lab.speaker.address("neighbor", &both(1));
            lab.neighbor.address("speaker", &both(0));
        }
        Some(Self(lab))
    }

    /// Each prefix that a neighbor was sent, with its communities.
    fn has(&self, name: &str) -> Vec<String> {
        let mut has: Vec<String> = Vec::new();
        for family in [4, 6] {
            let table = format!("of_{name}{family}");
            let question = ["show", "route", "table", &table, "all"];
            let said = self.0.neighbor.run("birdc", &question).code(0).out;
            let mut is_theirs = false;
            for line in said.lines() {
                let word = line.split(' ').next().unwrap_or_default();
                if word.parse::<IpNet>().is_ok() {
                    is_theirs = THEIRS.contains(&word);
                    if !is_theirs {
                        has.push(word.to_owned());
                    }
                } else if let (Some(communities), false) = (communities(line), is_theirs) {
                    has.last_mut().unwrap().push_str(&format!(" {communities}"));
                }
            }
        }
        has.sort_unstable();
        has
    }

    /// What each has, from first to last.
    #[track_caller]
    fn have(&self, what: &str, expected: [&[&str]; 4]) {
        let blackhole = |prefix: &str| match LISTED.contains(&prefix) {
            true => format!("{prefix} (65535,666) (65535,65281)"),
            false => prefix.to_owned(),
        };
        for ((name, _), expected) in NEIGHBORS.into_iter().zip(expected) {
            let mut expected: Vec<_> = expected.iter().map(|prefix| blackhole(prefix)).collect();
            expected.sort_unstable();
            let begun = Instant::now();
            while self.has(name) != expected {
                let late = begun.elapsed() > Duration::from_secs(30);
                assert!(
                    !late,
                    "{what}: {name} has {:?}, expected {expected:?}",
                    self.has(name)
                );
                sleep(Duration::from_millis(20));
            }
        }
    }

    /// Before, during and after; what each has of the speaker's own, and who has what is listed.
    fn before_during_and_after(&self, own: [&[&'static str]; 4], listed: [bool; 4]) {
        let lab = &self.0;
        self.have("before", own);
        lab.list(LIST);
        let listed = listed.map(|has| if has { &LISTED[..] } else { &[] });
        let with: Vec<_> = own
            .iter()
            .zip(listed)
            .map(|(own, listed)| [own, listed].concat())
            .collect();
        let with = [&*with[0], &with[1], &with[2], &with[3]];
        self.have("during", with);
        let again = lab.refresh().code(0);
        assert!(!again.err.contains("loaded again"), "{}", again.err);
        lab.verb("flush").code(0);
        self.have("after a flush", own);
        lab.verb("unpin").code(0);
        self.have("again", with);
    }

    /// This one is sent what is listed, and it is told.
    #[track_caller]
    fn leaks(&self, name: &str, kind: &str) {
        self.has_prefixes(name, &[&OWN[..], &LISTED].concat());
        for family in [4, 6] {
            let [address, _] = ends(name, family);
            let prefix = LISTED.iter().find(|net| net.contains(':') == (family == 6));
            let told = format!(
                "LEAK: {address}{kind} may not have blackholes and is sent 1, such as {}: refuse them to it, or name \
                 it in neighbors",
                prefix.unwrap()
            );
            let ran = self.0.refresh().code(1);
            let told = told.trim_start_matches("LEAK: ");
            assert!(ran.err.contains("; LEAK: "), "{}", ran.err);
            ran.says(told);
        }
        self.0.verb("status").code(0).says("LEAK: ");
    }

    #[track_caller]
    fn has_prefixes(&self, name: &str, expected: &[&str]) {
        let prefixes = || -> Vec<String> {
            let has = self.has(name);
            let first = |line: &String| line.split(' ').next().unwrap().to_owned();
            has.iter().map(first).collect()
        };
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        eventually(&format!("{name} has {expected:?}"), || {
            prefixes() == expected
        });
    }
}

/// What the head of a file has to be typed behind the line that begins so.
pub fn typed(file: &str, begins: &str) -> String {
    let lines = file.lines().filter_map(|line| line.strip_prefix("#"));
    let lines = lines.skip_while(|line| !line.trim_start().starts_with(begins));
    let is_typed = |line: &&str| line.starts_with("          ");
    let lines = lines.skip_while(|line| !is_typed(line));
    let lines: Vec<_> = lines.take_while(is_typed).map(str::trim).collect();
    assert!(!lines.is_empty(), "{begins} in {file}");
    lines.join("\n")
}

/// The recipe of the head for both families, with these ends.
fn bird_session(recipe: &str, name: &str, asn: u32) -> String {
    let of = |family: u8| {
        let [there, here] = ends(name, family);
        let ends = format!(
            "protocol bgp session_{name}{family} {{ local {here} as 65000; neighbor {there} as {asn}; connect retry time 1; \
             connect delay time 1; error wait time 1, 2; "
        );
        let text = match family {
            4 => recipe.to_owned(),
            _ => ["ipv", "table", "mixed", "master", "announce", "trigger"]
                .iter()
                .fold(recipe.to_owned(), |text, word| {
                    text.replace(&format!("{word}4"), &format!("{word}6"))
                }),
        };
        let text = text.replace("protocol bgp ... { ", &ends);
        let text = text.replace("(); ... }", "(); accept; }");
        text.replace("import ...;", "import all;") + "\n"
    };
    [4, 6].map(of).concat()
}

/// With these lines about who is announced to, and with sessions by the head's recipes for all but
/// `third`, or for iBGP.
fn bird_sends(announced: &str, listed: [bool; 4]) -> Option<()> {
    let four = Four::new(Family::Bird, "bird", announced)?;
    let lab = &four.0;
    let plain = "protocol bgp ... { ipv4 { import all; export all; }; }";
    // The first file is there before BIRD includes it.
    lab.place.write("noc.list", "# nobody\n");
    lab.refresh();
    let file = lab.place.read("it.conf");
    let own = |more: &str| {
        format!(
            "router id 100.64.1.1;\nprotocol device {{ scan time 1; }}\n\
             protocol static own4 {{ ipv4; route {} blackhole; }}\n\
             protocol static own6 {{ ipv6; route {} blackhole; }}\n{more}{}",
            OWN[1],
            OWN[0],
            bird_session(plain, "third", 65_020)
        )
    };
    let include = format!("include \"{}\";\n", lab.place.path("it.conf").display());
    let alone = typed(&file, "1. ONLY");
    let mixed = bird_session(&typed(&file, "2. For sessions"), "mixed", 65_000);
    let is_named = listed[2];
    let of_named = bird_session(if is_named { &alone } else { plain }, "named", 65_010);
    let sessions = bird_session(&alone, "alone", 65_000) + &of_named;
    let its = Place::new(NOC);
    let with = own(&format!("{include}{sessions}{mixed}"));
    let _daemon = bird(&lab.speaker, &its, &with, "");
    let own_of_named = if is_named { &[][..] } else { &OWN };
    four.before_during_and_after([&[], &OWN, own_of_named, &OWN], listed);
    // What `mixed` announces is in the tables of all others.
    let heard = || lab.speaker.run("birdc", &["show", "route"]).code(0).out;
    eventually("it is in master4 and master6", || {
        THEIRS.iter().all(|net| heard().contains(net))
    });
    let configure = |text: &str| {
        its.write("bird.conf", text);
        lab.speaker.run("birdc", &["configure"]).code(0);
    };

    // A session with the table of others, and without our filter.
    let [v4, v6] = [4, 6].map(|family| {
        let all = format!("ipv{family} {{ import all; export all; }}");
        [
            all.clone(),
            all.replace("{ import", &format!("{{ table mixed{family}; import")),
        ]
    });
    let third = bird_session(plain, "third", 65_020);
    let leaking = third.replace(&v4[0], &v4[1]).replace(&v6[0], &v6[1]);
    configure(&with.replace(&third, &leaking));
    four.leaks("third", " (eBGP)");
    configure(&with);
    four.has_prefixes("third", &OWN);
    lab.refresh().code(0);

    // A session that is no longer named is reported; which session has the table is BIRD's own
    // configuration.
    if announced.starts_with("neighbors") {
        lab.place
            .configure(&config(Family::Bird, &named(&["alone"])));
        four.leaks("mixed", " (iBGP)");
        lab.place.configure(&config(Family::Bird, announced));
        lab.refresh().code(0);
    }

    // Undone as the head says.
    let mut without = own(&bird_session(plain, "mixed", 65_000));
    if !is_named {
        without.push_str(&of_named);
    }
    configure(&without);
    four.have("undone", [&[], &OWN, own_of_named, &OWN]);
    Some(())
}

#[test]
fn bird_sends_what_is_listed_to_those_that_are_named_and_to_no_other() {
    bird_sends(&to_ebgp(), EBGP);
}

#[test]
fn bird_sends_what_is_listed_to_ibgp_where_none_is_named() {
    bird_sends("", IBGP);
}

#[test]
fn bird_sends_what_is_listed_to_ibgp_neighbors_that_are_named() {
    bird_sends(&named(&["alone", "mixed"]), IBGP);
}

/// The operator's own part with these lines, the neighbors first.
fn openbgpd_conf(lines: &str) -> String {
    let mut text = "AS 65000\nrouter-id 100.64.1.1\nfib-update no\n".to_owned();
    for net in OWN {
        text.push_str(&format!("network {net}\n"));
    }
    for (name, asn) in NEIGHBORS {
        for family in [4, 6] {
            let [there, _] = ends(name, family);
            text.push_str(&format!(
                "neighbor {there} {{\n\tremote-as {asn}\n\tannounce IPv{family} unicast\n}}\n"
            ));
        }
    }
    text + lines
}

/// With these lines about who is announced to, and with a rule before ours for the one that may not
/// have what is listed.
fn openbgpd_sends(announced: &str, listed: [bool; 4], other: &str, leaks: bool) -> Option<()> {
    let four = Four::new(Family::OpenBgpd, "bgpctl", announced)?;
    let lab = &four.0;
    lab.place.write("it.conf", "# nothing yet\n");
    let include = format!("include \"{}\"\n", lab.place.path("it.conf").display());
    // As the head says of a session for blackholes alone.
    let rule = "deny quick to ADDRESS\n";
    let alone = [4, 6].map(|family| rule.replace("ADDRESS", &ends("alone", family)[0]));
    let rules = format!("{}allow quick to any\nallow from any\n", alone.concat());
    let its = Place::new(NOC);
    let with = openbgpd_conf(&format!("{include}{rules}"));
    let _daemon = openbgpd(&lab.speaker, &its, &with);
    let reload = |text: &str| {
        its.write("bgpd.conf", text);
        lab.speaker
            .run("bgpctl", &["reload"])
            .code(0)
            .says("request processed");
    };
    four.before_during_and_after([&[], &OWN, &OWN, &OWN], listed);
    let file = lab.place.read("it.conf");
    assert_eq!(typed(&file, "1. ONLY"), rule.trim());

    // A rule before ours.
    let allowed = [4, 6].map(|family| format!("allow quick to {}\n", ends(other, family)[0]));
    reload(&openbgpd_conf(&format!(
        "{}{include}{rules}",
        allowed.concat()
    )));
    if leaks {
        four.leaks(other, "");
    } else {
        // No rule lets it out to another AS.
        let own_and_listed = [&OWN[..], &LISTED].concat();
        four.have("for iBGP", [&LISTED, &own_and_listed, &OWN, &OWN]);
        lab.refresh().code(0);
    }

    reload(&openbgpd_conf(&rules));
    four.have("undone", [&[], &OWN, &OWN, &OWN]);
    Some(())
}

#[test]
fn openbgpd_sends_what_is_listed_to_those_that_are_named_and_to_no_other() {
    openbgpd_sends(&to_ebgp(), EBGP, "third", true);
}

#[test]
fn openbgpd_sends_what_is_listed_to_ibgp_where_none_is_named() {
    openbgpd_sends("", IBGP, "third", false);
}

#[test]
fn openbgpd_sends_what_is_listed_to_ibgp_neighbors_that_are_named() {
    let alone = [true, false, false, false];
    openbgpd_sends(&named(&["alone"]), alone, "mixed", true);
}

/// The operator's own part, with these policies for what leaves.
fn gobgpd_conf(export: &str, policies: &str) -> String {
    let mut text = "[global.config]\nas = 65000\nrouter-id = \"100.64.1.1\"\n".to_owned();
    for (name, asn) in NEIGHBORS {
        for family in [4, 6] {
            let [there, _] = ends(name, family);
            text.push_str(&format!(
                "[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{there}\"\npeer-as = {asn}\n\
                 [neighbors.timers.config]\nconnect-retry = 1\n\
                 [[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"ipv{family}-unicast\"\n"
            ));
        }
    }
    format!("{text}[global.apply-policy.config]\n{export}{policies}\n")
}

#[test]
fn gobgp_sends_what_is_listed_to_those_that_are_named_and_to_no_other() {
    let Some(four) = Four::new(Family::GoBgp, "gobgpd", &to_ebgp()) else {
        return;
    };
    let lab = &four.0;
    // The file is written before its policies are in force.
    lab.write("/etc/gobgpd.conf", &gobgpd_conf("", ""));
    lab.place.write("noc.list", "# nobody\n");
    lab.refresh().code(1);
    let file = lab.place.read("it.conf");
    let policies = file.lines().filter_map(|line| line.strip_prefix("#: "));
    let policies: Vec<_> = policies.collect();
    // As the head says of neighbors for blackholes alone.
    let [four_, six] = [4, 6].map(|family| ends("alone", family)[0].clone());
    let alone = typed(&file, "2. Where").replace("ADDRESS", &format!("{four_}\", \"{six}"));
    let policies = format!("{}\n{alone}", policies.join("\n"));
    let import = "import-policy-list = [\"NULLROUTED-IN\"]\n";
    let start = |export: &str, policies: &str| {
        lab.write(
            "/etc/gobgpd.conf",
            &gobgpd_conf(&format!("{import}{export}"), policies),
        );
        let daemon = gobgpd(lab);
        for net in OWN {
            let family = if net.contains(':') { "ipv6" } else { "ipv4" };
            let words = ["global", "rib", "add", "-a", family, net];
            lab.speaker.run("gobgp", &words).code(0);
        }
        daemon
    };
    let export = "export-policy-list = [\"NULLROUTED-OUT\", \"ALONE\"]\n";
    let daemon = start(export, &policies);
    four.before_during_and_after([&[], &OWN, &OWN, &OWN], EBGP);

    // A policy before ours.
    drop(daemon);
    let before = "[[policy-definitions]]\nname = \"BEFORE\"\n[[policy-definitions.statements]]\nname = \"BEFORE\"\n\
                  actions.route-disposition = \"accept-route\"\n";
    let leaks = export.replace('[', "[\"BEFORE\", ");
    let daemon = start(&leaks, &format!("{policies}\n{before}"));
    lab.refresh();
    four.leaks("third", " (eBGP)");
    drop(daemon);
    let _daemon = start(export, &policies);
    lab.refresh().code(0);
    four.has_prefixes("third", &OWN);

    // Undone as the head says.
    let file = lab.place.path("it.conf").display().to_string();
    let text = lab.place.read("it.conf");
    let undo = text
        .lines()
        .find_map(|line| line.strip_prefix("# Undo:   "));
    lab.speaker.sh(&undo.unwrap().replace("THIS-FILE", &file));
    four.have("undone", [&[], &OWN, &OWN, &OWN]);
}

#[test]
fn exabgp_sends_what_is_listed_to_the_neighbors_with_its_process_and_to_no_other() {
    // On the link of `named`, which refuses what is off it; the others are of its own AS.
    let next_hop = format!("next_hop_v6 = \"{}\"\n", ends("named", 6)[1]);
    let Some(four) = Four::new(Family::ExaBgp, "exabgp", &(to_ebgp() + &next_hop)) else {
        return;
    };
    let lab = &four.0;
    let file = lab.place.path("it.conf").display().to_string();
    let neighbor = |name: &str, asn: u32, family: u8, process: bool| {
        let [there, here] = ends(name, family);
        let api = match process && name != "third" {
            true => " api { processes [ nullrouted ]; }\n",
            false => "",
        };
        // Routes of the configuration where there are others than blackholes.
        let own = match name {
            "alone" | "named" => String::new(),
            _ => format!(
                " static {{ route {} next-hop self; }}\n",
                OWN.iter()
                    .find(|net| net.contains(':') == (family == 6))
                    .unwrap()
            ),
        };
        format!(
            "neighbor {there} {{\n router-id 100.64.1.1;\n local-address {here};\n local-as 65000;\n peer-as {asn};\n \
             family {{ ipv{family} unicast; }}\n{api}{own}}}\n"
        )
    };
    let conf = |process: bool| {
        let mut text = String::new();
        if process {
            text = format!("process nullrouted {{ run /bin/sh {file} run; encoder text; }}\n");
        }
        for (name, asn) in NEIGHBORS {
            text.push_str(
                &[4, 6]
                    .map(|family| neighbor(name, asn, family, process))
                    .concat(),
            );
        }
        text
    };
    lab.speaker.sh("mkdir /run/exabgp");
    lab.place.write("noc.list", "# nobody\n");
    lab.refresh().code(0);
    let start = |process: bool| {
        lab.write("/etc/exabgp/exabgp.conf", &conf(process));
        Ended(lab.start("exabgp", &["/etc/exabgp/exabgp.conf"]))
    };
    let daemon = start(true);
    eventually("the pipe is there", || {
        let words = ["-p", "/run/exabgp/nullrouted"];
        lab.speaker.run("test", &words).code == Some(0)
    });
    four.before_during_and_after([&[], &OWN, &[], &OWN], EBGP);
    drop(daemon);
    let _daemon = start(false);
    four.have("undone", [&[], &OWN, &[], &OWN]);
}
