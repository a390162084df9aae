//! GoBGP.

use nullrouted::targets::file::{Family, Role};

use super::lab::{
    LIST, LISTED, Lab, PROTECT, WITH_ORIGINS, announces, has_all, has_others, refuses, router,
    sessions,
};
use super::leak::typed;
use crate::support::frr::Running;
use crate::support::namespace::eventually;
use crate::support::{NO_KERNEL, NOC, Place};

pub fn gobgpd(lab: &Lab) -> Running {
    let arguments = [
        "-p",
        "-f",
        "/etc/gobgpd.conf",
        "--api-hosts",
        "127.0.0.1:50051",
    ];
    let running = lab.start("gobgpd", &[&arguments[..], &["--pprof-disable"]].concat());
    eventually("gobgpd is up", || {
        lab.speaker.run("gobgp", &["global"]).code == Some(0)
    });
    running
}

/// The prefixes in the table of gobgpd.
pub fn table(lab: &Lab) -> Vec<String> {
    let mut table = Vec::new();
    for family in ["ipv4", "ipv6"] {
        let words = ["global", "rib", "-a", family];
        let said = lab.speaker.run("gobgp", &words).code(0).out;
        let routes = said.lines().filter(|line| line.starts_with('*'));
        table.extend(routes.map(|line| line.split_whitespace().nth(1).unwrap().to_owned()));
    }
    table
}

/// The operator's own part: his AS, more lines about each address family, and lines about policies.
pub fn conf(asn: u32, of_family: &str, policies: &str) -> String {
    let neighbor = |address: &str, family: &str| {
        format!(
            "[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{address}\"\npeer-as = 65000\n\
             [neighbors.timers.config]\nconnect-retry = 1\n\
             [[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"{family}-unicast\"\n\
             {of_family}"
        )
    };
    format!(
        "[global.config]\nas = {asn}\nrouter-id = \"100.64.0.1\"\n{}{}[global.apply-policy.config]\n{policies}",
        neighbor("100.64.0.2", "ipv4"),
        neighbor("fd00::2", "ipv6")
    )
}

/// Both sessions are with one of another AS.
const NEIGHBORS: &str = "announce_to = \"ebgp\"\nneighbors = [\"100.64.0.2\", \"fd00::2\"]\n";

#[test]
fn gobgp_announces_what_is_listed_and_nothing_else() {
    let config = format!(
        "{NOC}{NO_KERNEL}{PROTECT}{}",
        router(Family::GoBgp, Role::Trigger, NEIGHBORS)
    );
    let Some(lab) = Lab::new("gobgpd", &config, &sessions(false, "none")) else {
        return;
    };
    let file = lab.place.path("it.conf").display().to_string();
    // The policies are in the file, which is written before they are in force.
    let alone = Place::new(&format!(
        "{NOC}{NO_KERNEL}{PROTECT}[[router]]\nname = \"it\"\nfamily = \"gobgp\"\npath = \"it.conf\"\n{NEIGHBORS}"
    ));
    alone.write("noc.list", "# nobody\n");
    alone.run(&["refresh"]).code(0);
    let text = alone.read("it.conf");
    let policies = text.lines().filter_map(|line| line.strip_prefix("#: "));
    let policies: Vec<_> = policies.collect();
    // As the head says where no session carries anything else.
    let only = typed(&text, "1. Where");
    let list =
        "import-policy-list = [\"NULLROUTED-IN\"]\nexport-policy-list = [\"NULLROUTED-OUT\"]\n";
    let own = conf(65_001, "", &format!("{list}{only}\n"));
    let own = format!("{own}{}\n", policies.join("\n"));

    // Without the policies nothing is announced.
    lab.write("/etc/gobgpd.conf", &conf(65_001, "", ""));
    let daemon = gobgpd(&lab);
    lab.place.write("noc.list", LIST);
    lab.refresh().code(1).says("are not in force");
    assert_eq!(table(&lab), [""; 0]);
    lab.write("/etc/gobgpd.conf", &own);
    daemon.signal("-HUP");
    eventually("the policies are in force", || {
        let words = ["global", "policy", "export"];
        let said = lab.speaker.run("gobgp", &words).code(0).out;
        said.contains("NULLROUTED-OUT")
    });
    lab.list(LIST);
    lab.hears(&LISTED);
    // What somebody enters by hand: a route that is no blackhole, and blackholes of own space.
    let add = |words: &str| {
        let words = format!("global rib add -a {words}");
        let words: Vec<_> = words.split(' ').collect();
        lab.speaker.run("gobgp", &words).code(0);
    };
    add("ipv4 150.3.0.0/16");
    add("ipv4 198.51.100.7/32 community 65535:666");
    add("ipv6 2001:db8:1:2::/64 community 65535:666");
    assert!(!lab.refresh().code(0).err.contains("loaded again"));
    lab.hears(&LISTED);
    assert_eq!(
        table(&lab),
        ["72.37.186.0/23", "150.3.0.0/16", "2001:db8:bad::/48"]
    );

    lab.list("72.37.186.0/24\n203.0.113.9\n");
    lab.hears(&["203.0.113.9/32", "72.37.186.0/24"]);
    // A daemon that was started anew has an empty table.
    drop(daemon);
    let _daemon = gobgpd(&lab);
    assert_eq!(table(&lab), [""; 0]);
    lab.refresh().code(0).says("it.conf loaded again");
    lab.hears(&["203.0.113.9/32", "72.37.186.0/24"]);
    // What one line lacks, without any other change.
    let words = ["global", "rib", "del", "-a", "ipv4", "203.0.113.9/32"];
    lab.speaker.run("gobgp", &words).code(0);
    lab.hears(&["72.37.186.0/24"]);
    lab.refresh().code(0).says("it.conf loaded again");
    lab.hears(&["203.0.113.9/32", "72.37.186.0/24"]);

    // The script by itself, and what its head says undoes it.
    let text = lab.place.read("it.conf");
    let undo = text
        .lines()
        .find_map(|line| line.strip_prefix("# Undo:   "));
    let undo = undo.unwrap().replace("THIS-FILE", &file);
    lab.speaker.sh(&undo);
    lab.hears(&[]);
    lab.speaker.run("sh", &[&file]).code(0);
    lab.speaker.run("sh", &[&file]).code(0);
    lab.hears(&["203.0.113.9/32", "72.37.186.0/24"]);
    lab.list("# nobody any more\n");
    lab.hears(&[]);
}

/// Other neighbors or other own space in the configuration are lines of the operator's own file;
/// the routes go on.
#[test]
fn gobgp_is_asked_for_the_sets_of_its_policies() {
    let configured = |neighbors: &str, protect: &str| {
        let more = format!("announce_to = \"ebgp\"\nneighbors = [{neighbors}]\n");
        format!(
            "{NOC}{NO_KERNEL}{protect}{}",
            router(Family::GoBgp, Role::Trigger, &more)
        )
    };
    let both = "\"100.64.0.2\", \"fd00::2\"";
    let config = configured("\"100.64.0.2\"", "");
    let Some(lab) = Lab::new("gobgpd", &config, &sessions(false, "none")) else {
        return;
    };
    lab.write("/etc/gobgpd.conf", &conf(65_001, "", ""));
    let daemon = gobgpd(&lab);
    lab.place.write("noc.list", LIST);
    lab.refresh().code(1).says("are not in force");
    let own = conf(
        65_001,
        "",
        "import-policy-list = [\"NULLROUTED-IN\"]\nexport-policy-list = [\"NULLROUTED-OUT\"]\n",
    );
    let file = lab.place.path("it.conf").display().to_string();
    let printed = format!("sed -n 's/^#: //p' {file}");
    let cure = |daemon: &Running| {
        let policies = lab.speaker.sh(&printed);
        lab.write("/etc/gobgpd.conf", &format!("{own}{policies}"));
        daemon.signal("-HUP");
        eventually("its policies are those of the file", || {
            lab.refresh().code == Some(0)
        });
    };
    let other = |set: &str| {
        let ran = lab.refresh().code(1);
        let told = format!(
            "; OTHER POLICY: gobgpd holds another {set} than the file: put this into gobgpd.conf in place of the former, send \
             SIGHUP, reset neighbors that came or went:; {printed}"
        );
        assert!(ran.err.contains(&told), "{}", ran.err);
        let told = told.trim_start_matches("; ");
        lab.verb("status").code(0).says(told);
    };
    // A policy that is named before it is there waits for a start.
    let policies = lab.speaker.sh(&printed);
    lab.write("/etc/gobgpd.conf", &format!("{own}{policies}"));
    drop(daemon);
    let daemon = gobgpd(&lab);
    lab.refresh().code(0);
    lab.hears(&LISTED[1..]);

    lab.place.configure(&configured(both, ""));
    for _ in 0..2 {
        other("NULLROUTED-NEIGHBORS");
        lab.hears(&LISTED[1..]);
    }
    cure(&daemon);
    let reset = |words: &str| {
        let words: Vec<_> = words.split(' ').collect();
        lab.speaker.run("gobgp", &words).code(0);
    };
    // As the head says.
    let file = lab.place.read("it.conf");
    for command in [
        "gobgp neighbor ADDRESS softresetout",
        "gobgp neighbor ADDRESS reset",
    ] {
        assert!(file.contains(command), "{file}");
    }
    lab.hears(&LISTED[1..]);
    reset("neighbor fd00::2 softresetout");
    lab.hears(&LISTED);
    lab.place.configure(&configured("\"fd00::2\"", ""));
    lab.refresh()
        .code(1)
        .says("; LEAK: 100.64.0.2 (eBGP) may not have blackholes")
        .says("; gobgpd holds another NULLROUTED-NEIGHBORS than the file: ");
    cure(&daemon);
    lab.hears(&LISTED);
    reset("neighbor 100.64.0.2 reset");
    lab.hears(&LISTED[..1]);
    lab.place.configure(&configured(both, PROTECT));
    other("NULLROUTED-OWN-V4, NULLROUTED-OWN-V6, NULLROUTED-NEIGHBORS");
    // What is listed and what is delisted goes on meanwhile.
    lab.place.write("noc.list", "2001:db8:bad:7::/64\n");
    lab.refresh().code(1).says("OTHER POLICY: ");
    lab.hears(&["2001:db8:bad:7::/64"]);
    lab.verb("flush");
    lab.hears(&[]);
    cure(&daemon);
    lab.verb("unpin").code(0);
    lab.hears(&["2001:db8:bad:7::/64"]);
    lab.refresh().code(0);
}

#[test]
fn gobgp_refuses_what_is_listed_and_what_is_inside_of_it_and_nothing_else() {
    let config = format!(
        "{WITH_ORIGINS}{NO_KERNEL}{}",
        router(Family::GoBgp, Role::Filter, "")
    );
    let Some(lab) = Lab::new("gobgpd", &config, &announces()) else {
        return;
    };
    let list = "import-policy-list = [\"NULLROUTED-FILTER\"]\n";
    lab.write("/etc/gobgpd.own.conf", &conf(65_001, "", list));
    lab.write("/etc/gobgpd.conf", &conf(65_001, "", ""));
    let daemon = gobgpd(&lab);
    let table = || table(&lab);
    refuses(&lab, &table);
    // Somebody loads his part alone, and GoBGP does not read his list again when ours is back.
    lab.speaker.sh("cp /etc/gobgpd.own.conf /etc/gobgpd.conf");
    daemon.signal("-HUP");
    has_all(&table);
    lab.refresh().code(1).says("it waits for a start of gobgpd");
    drop(daemon);
    let _daemon = gobgpd(&lab);
    has_others(&table);
    lab.refresh().code(0);
    has_others(&table);
}

#[test]
fn gobgp_as_an_edge_takes_blackholes_alone_and_none_of_its_own() {
    let config = format!(
        "{NOC}{NO_KERNEL}{PROTECT}{}",
        router(Family::GoBgp, Role::Edge, "")
    );
    let Some(lab) = Lab::new("gobgpd", &config, &announces()) else {
        return;
    };
    let list = "import-policy-list = [\"NULLROUTED-EDGE\"]\n";
    lab.write("/etc/gobgpd.own.conf", &conf(65_001, "", list));
    lab.write("/etc/gobgpd.conf", &conf(65_001, "", ""));
    let _daemon = gobgpd(&lab);
    lab.list("# nobody\n");
    let taken = [
        "72.37.186.0/23",
        "72.37.187.0/24",
        "150.3.0.0/16",
        "2001:db8:bad::/48",
        "2001:db8:bad:7::/64",
    ];
    // And not 72.36.0.0/14, which covers what is protected.
    eventually("gobgpd has the blackholes", || table(&lab) == taken);
    for (family, next_hop) in [("ipv4", "192.0.2.1"), ("ipv6", "100::1")] {
        let words = ["global", "rib", "-a", family];
        let said = lab.speaker.run("gobgp", &words).code(0).out;
        for line in said.lines().filter(|line| line.starts_with('*')) {
            assert_eq!(line.split_whitespace().nth(2), Some(next_hop), "{line}");
            let set = "{LocalPref: 200} {Communities: blackhole, no-export}";
            assert!(line.contains(set), "{line}");
        }
    }
}
