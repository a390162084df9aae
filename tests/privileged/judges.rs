//! Each family's own parser takes every file that we write for it, by the command that is the
//! default.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::namespace::{Namespace, eventually};
use crate::support::speaker::{filled, run};
use crate::support::{NOC, Place, Ran, has_time, installed, left_out, repository};
use crate::support::{frr, speaker};
use nullrouted::targets::file::{Family, Role};

/// Each role, and how lists stand in it.
const ROLES: [&str; 12] = [
    "",
    "-ebgp",
    "-named",
    "-octets",
    "-octets-ebgp",
    "-none",
    "-none-ebgp",
    "-edge",
    "-filter",
    "-filter-octets",
    "-to",
    "-from",
];

/// The golden files of a family.
fn golden(family: &str) -> Vec<PathBuf> {
    let folder = repository().join("tests/golden/router");
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let rest = name.strip_prefix(family).unwrap_or_default();
        ROLES.iter().any(|role| {
            let rest = rest.strip_prefix(role).unwrap_or_default();
            rest.starts_with("--")
        })
    };
    files.filter(is_ours).collect()
}

/// The role that a golden file is for.
fn role(golden: &Path) -> Role {
    let name = golden.file_name().unwrap().to_str().unwrap();
    let stands = |(word, _): &&(&str, Role)| name.contains(&format!("-{word}-"));
    let named = Role::NAMES.iter().find(stands);
    named.map_or(Role::default(), |(_, role)| *role)
}

/// The default check of a family in a role, for this file.
fn check(family: &str, role: Role, file: &Path) -> Ran {
    let find = |(name, _): &&(&str, Family)| *name == family;
    let (_, family) = Family::NAMES.iter().find(find).unwrap();
    let words = filled(family.commands(role).check, file);
    let mut command = Command::new(&words[0]);
    // OpenBGPD's, and not FRR's of the same name.
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    Ran::of(command.args(&words[1..]).output().unwrap())
}

/// All of ours are accepted, and what is broken is refused: it is a check.
fn judged(family: &str, program: &str, files: usize, broken: &[(&str, &str)]) {
    if !installed(program) {
        return left_out(format_args!("{program} is not installed"));
    }
    let golden = golden(family);
    assert_eq!(golden.len(), files);
    for path in &golden {
        let ran = check(family, role(path), path);
        well(&ran, path);
    }
    let place = Place::new(NOC);
    let mixed = |path: &&PathBuf| path.to_str().unwrap().contains("--mixed");
    for path in golden.iter().filter(mixed) {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(
            broken.iter().any(|(from, _)| text.contains(from)),
            "{}",
            path.display()
        );
        for (from, to) in broken.iter().filter(|(from, _)| text.contains(from)) {
            place.write("broken", &text.replace(from, to));
            let ran = check(family, role(path), &place.path("broken"));
            assert_ne!(ran.code, Some(0), "{} with {to}", path.display());
        }
    }
}

#[test]
fn frr_takes_every_file_of_its_family() {
    let broken = [
        ("203.0.113.7/32", "203.0.113.7/33"),
        ("deny 0.0.0.0/0 le 32", "deny 0.0.0.0/0 le 33"),
    ];
    judged("frr", "vtysh", 30, &broken);
}

#[test]
fn bird_takes_every_file_of_its_family() {
    let broken = [("203.0.113.7/32", "203.0.113.7/33"), ("accept;", "accept")];
    judged("bird", "bird", 20, &broken);
}

#[test]
fn openbgpd_takes_every_file_of_its_family() {
    let broken = [("203.0.113.7/32", "203.0.113.777/32"), ("quick", "quickly")];
    judged("openbgpd", "bgpctl", 21, &broken);
}

#[test]
fn gobgp_takes_every_file_of_its_family() {
    let broken = [
        // A script, and the policies in its comments.
        ("-a ipv4 203.0.113.7/32", "-a ipv4 203.0.113.7/33"),
        ("-a ipv4 203.0.113.7/32", "-a ipv6 203.0.113.7/32"),
        ("-a ipv4 203.0.113.7/32", "-a ipv4 203.0.113.7/32;reboot"),
        ("65535:666 #", "65535:667 #"),
        ("#: conditions", "#: condition"),
        // A part.
        ("\"NULLROUTED-FILTER-V4\"\n", "\"NULLROUTED-FILTER-V4\n"),
        ("masklength-range", "masklength"),
        ("route-disposition", "disposition"),
    ];
    judged("gobgp", "gobgpd", 23, &broken);
}

#[test]
fn exabgp_takes_every_file_of_its_family() {
    if !has_time() {
        return;
    }
    let broken = [
        ("203.0.113.7/32", "203.0.113.7/33"),
        ("203.0.113.7/32", "203.0.113.777/32"),
        ("192.0.2.0/24", "192.0.2.1/24"),
        ("65535:65281] #", "65535:65281 #"),
        ("announce route 203.0.113.7/32", "announce 203.0.113.7/32"),
        ("END\n", "\n"),
        ("fi\n", "\n"),
    ];
    judged("exabgp", "exabgp", 9, &broken);
}

/// `exabgp --validate` became `exabgp validate`: each is asked by the word that it knows.
#[test]
fn exabgp_of_either_command_line_judges() {
    let place = Place::new(NOC);
    std::fs::create_dir(place.path("bin")).unwrap();
    let golden = repository().join("tests/golden/router/exabgp--mixed.conf");
    for (usage, knows) in [
        ("[--validate] [--test]", "--validate"),
        ("{version,server,validate}", "validate"),
    ] {
        let script = format!(
            "#!/bin/sh\ncase $1 in --help) echo 'usage: exabgp {usage}'; exit;; {knows}) ;; *) exit 2;; esac\n\
             ! grep -q 203.0.113.77 \"$2\" || {{ echo \"no valid prefix\"; exit 1; }}\n"
        );
        place.write("bin/exabgp", &script);
        let words = ["755", &place.path("bin/exabgp").display().to_string()].map(str::to_owned);
        assert!(
            Command::new("chmod")
                .args(words)
                .status()
                .unwrap()
                .success()
        );
        let text = std::fs::read_to_string(&golden).unwrap();
        for (name, text, code) in [
            ("it", text.clone(), 0),
            ("broken", text.replace("203.0.113.7/", "203.0.113.77/"), 1),
        ] {
            place.write(name, &text);
            let words = filled(
                Family::ExaBgp.commands(Role::Trigger).check,
                &place.path(name),
            );
            let mut command = Command::new(&words[0]);
            let path = format!("{}:/usr/bin:/bin", place.path("bin").display());
            command.env("PATH", path).args(&words[1..]);
            Ran::of(command.output().unwrap()).code(code);
        }
    }
}

#[test]
fn a_next_hop_of_the_operator_is_taken_where_it_stands() {
    for (family, role, program, lines) in [
        (
            "frr",
            "trigger",
            "vtysh",
            [
                " set ip next-hop 192.0.2.9\n",
                " set ipv6 next-hop global 100::9\n",
            ],
        ),
        (
            "frr",
            "edge",
            "vtysh",
            [
                "ip route 192.0.2.9/32 blackhole\n",
                " set ipv6 next-hop global 100::9\n",
            ],
        ),
        (
            "bird",
            "trigger",
            "bird",
            [
                "    bgp_next_hop = 192.0.2.9;\n",
                "    bgp_next_hop = 100::9;\n",
            ],
        ),
        (
            "openbgpd",
            "trigger",
            "bgpctl",
            [
                "BLACKHOLE set { nexthop 192.0.2.9 community NO_EXPORT }\n",
                "BLACKHOLE set { nexthop 100::9 community NO_EXPORT }\n",
            ],
        ),
        (
            "gobgp",
            "trigger",
            "gobgpd",
            [
                "72.37.186.0/23 community 65535:666 nexthop 192.0.2.9 # noc\n",
                "2001:db8:bad::/48 community 65535:666 nexthop 100::9 # noc\n",
            ],
        ),
        (
            "gobgp",
            "edge",
            "gobgpd",
            [
                "set-next-hop = \"192.0.2.9\"\n",
                "set-next-hop = \"100::9\"\n",
            ],
        ),
        (
            "exabgp",
            "trigger",
            "exabgp",
            [
                "72.37.186.0/23 next-hop 192.0.2.9 community",
                "2001:db8:bad::/48 next-hop 100::9 community",
            ],
        ),
    ] {
        if !installed(program) {
            left_out(format_args!("{program} is not installed"));
            continue;
        }
        let named = match (family, role) {
            ("gobgp", "trigger") => "neighbors = [\"192.0.2.2\"]\n",
            _ => "",
        };
        let place = Place::new(&format!(
            "{NOC}[kernel]\nenabled = false\n[[router]]\nname = \"it\"\nfamily = \"{family}\"\nrole = \"{role}\"\n\
             path = \"it.conf\"\nnext_hop_v4 = \"192.0.2.9\"\nnext_hop_v6 = \"100::9\"\ncheck = \"default\"\n{named}"
        ));
        place.write("noc.list", "72.37.186.0/23\n2001:db8:bad::/48\n");
        place.run(&["refresh"]).code(0).says("it.conf replaced");
        let text = place.read("it.conf");
        for line in lines {
            assert!(text.contains(line), "{family} {role}: {text}");
        }
    }
}

/// No VyOS runs here; its scripts are read by bash.
#[test]
fn bash_reads_every_file_of_vyos() {
    let golden = golden("vyos");
    assert_eq!(golden.len(), 20);
    for path in golden {
        let ran = Command::new("bash").arg("-n").arg(&path).output().unwrap();
        Ran::of(ran).code(0);
    }
}

#[test]
fn nft_takes_every_file_of_its_family() {
    if !installed("nft") {
        return left_out("nft is not installed");
    }
    // It asks the kernel, and so wants one of its own.
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let golden = golden("nftables");
    assert_eq!(golden.len(), 9);
    for path in golden {
        let path = path.display().to_string();
        namespace.run("nft", &["-c", "-f", &path]).code(0);
    }
}

/// It ended well for this file.
#[track_caller]
fn well(ran: &Ran, path: &Path) {
    assert_eq!(
        ran.code,
        Some(0),
        "{}: {}{}",
        path.display(),
        ran.out,
        ran.err
    );
}

#[test]
fn bgpd_at_work_takes_every_file_of_its_family_and_holds_it() {
    if !["zebra", "staticd", "bgpd"].into_iter().all(frr::can_run) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = Place::new(NOC);
    let _daemons = speaker::frr(&namespace, &place, &["zebra", "staticd", "bgpd"]);
    for path in golden("frr") {
        let commands = Family::Frr.commands(role(&path));
        for words in [commands.reload, commands.verify] {
            let ran = run(&namespace, words, &path);
            well(&ran, &path);
        }
    }
}

/// `vtysh -C` takes an expression that bgpd does not, and `vtysh -f` ends well.
#[test]
fn what_bgpd_refuses_at_work_is_no_success() {
    if !["zebra", "bgpd"].into_iter().all(frr::can_run) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = Place::new(NOC);
    let _daemons = speaker::frr(&namespace, &place, &["zebra", "bgpd"]);
    let golden = repository().join("tests/golden/router/frr-filter--asn.conf");
    let text = std::fs::read_to_string(golden).unwrap();
    let commands = Family::Frr.commands(Role::Filter);
    let file = place.path("it.conf");
    place.write("it.conf", &text);
    run(&namespace, commands.reload, &file).code(0);
    place.write(
        "it.conf",
        &text.replace("permit _64496$", "permit _64496[$"),
    );
    run(&namespace, commands.check, &file).code(0);
    assert_ne!(run(&namespace, commands.reload, &file).code, Some(0));
}

#[test]
fn bird_at_work_takes_every_file_of_its_family_and_holds_it() {
    if !speaker::can_run(&["bird"]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = Place::new(NOC);
    place.write("it.conf", "");
    let config = format!(
        "router id 192.0.2.1;\nprotocol device {{}}\ninclude \"{}\";\n",
        place.path("it.conf").display()
    );
    let _daemon = speaker::bird(&namespace, &place, &config, "true");
    let reload = Family::Bird.commands(Role::Trigger).reload;
    for path in golden("bird") {
        let verify = Family::Bird.commands(role(&path)).verify;
        let text = std::fs::read_to_string(&path).unwrap();
        place.write("it.conf", &text);
        let ran = run(&namespace, reload, &path);
        well(&ran, &path);
        let routes = text.matches("\n  route ").count();
        eventually(&format!("{} has {routes} routes", path.display()), || {
            let words = ["show", "route", "table", "all", "primary"];
            // BIRD 3 has no table that nothing uses.
            let held = namespace.run("birdc", &words).out;
            let is_route = |line: &&str| line.contains(" [nullrouted");
            held.lines().filter(is_route).count() == routes
        });
        run(&namespace, verify, &path).code(0);
    }
    // What is broken is refused, and the former file stays in force.
    place.write("it.conf", "protocol static nullrouted4 {\n");
    assert_ne!(run(&namespace, reload, Path::new("x")).code, Some(0));
}
