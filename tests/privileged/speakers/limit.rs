//! An edge whose neighbor announces more than it is to take: nothing of what is too much is
//! dropped.

use ipnet::IpNet;
use nullrouted::targets::file::{Family, Role};

use super::bird::including;
use super::gobgp;
use super::lab::{Lab, PROTECT, announces, router};
use crate::support::namespace::eventually;
use crate::support::speaker::{self, bird};
use crate::support::{NO_KERNEL, NOC, Place};

/// The neighbor announces three of IPv4 that an edge takes, and two of IPv6.
const TAKEN: usize = 5;
const ENOUGH: usize = 100;
const TOO_FEW: usize = 1;

/// The program beside an edge, and our file for it.
fn edge(family: Family, program: &str, most: usize) -> Option<Lab> {
    let config = format!(
        "{NOC}{NO_KERNEL}{PROTECT}[limits]\nmax_routes = {most}\n{}",
        router(family, Role::Edge, "")
    );
    // Blackholes are taken from neighbors of its own AS.
    let neighbor = announces().replace("as 65001", "as 65000");
    Lab::new(program, &config, &neighbor)
}

/// The lines with these words that the head of our file has for the operator, each with this
/// address.
fn lines_for_him(file: &str, words: &str, addresses: [&str; 2]) -> [String; 2] {
    let lines = file
        .lines()
        .filter_map(|line| line.strip_prefix(['!', '#']));
    let mut lines = lines.filter(|line| line.contains(words));
    addresses.map(|address| {
        let line = lines.next().unwrap_or_else(|| panic!("{words} in {file}"));
        line.trim().replace("ADDRESS", address)
    })
}

/// Our file, as it is before its daemon runs.
fn written(family: Family, most: usize) -> String {
    let place = Place::new(&format!(
        "{NOC}{NO_KERNEL}[limits]\nmax_routes = {most}\n[[router]]\nname = \"it\"\nfamily = \"{family}\"\n\
         role = \"edge\"\npath = \"it.conf\"\n"
    ));
    place.write("noc.list", "# nobody\n");
    place.run(&["refresh"]).code(0);
    place.read("it.conf")
}

#[test]
fn bird_takes_so_many_and_no_more() {
    for (most, taken) in [(ENOUGH, TAKEN), (TOO_FEW, 2 * TOO_FEW)] {
        let Some(lab) = edge(Family::Bird, "bird", most) else {
            return;
        };
        lab.place.write("it.conf", &written(Family::Bird, most));
        let own = including(&lab, 65_000, |family, ends| {
            format!("protocol bgp trigger{family} from nullrouted_from{family} {{ {ends} }}\n")
        });
        let its = Place::new(NOC);
        let _daemon = bird(&lab.speaker, &its, &own, "");
        lab.list("# nobody\n");
        let shown = |words: &[&str]| lab.speaker.run("birdc", words).code(0).out;
        let count = || shown(&["show", "route"]).matches("blackhole").count();
        eventually(&format!("{taken} blackholes of {most}"), || {
            count() == taken
        });
        let hit = || {
            shown(&["show", "protocols", "all"])
                .matches("[HIT]")
                .count()
        };
        let expected = if most == TOO_FEW { 2 } else { 0 };
        eventually("BIRD says so", || hit() == expected);
        assert_eq!(count(), taken);
    }
}

#[test]
fn openbgpd_ends_a_session_that_brings_more() {
    for most in [ENOUGH, TOO_FEW] {
        let Some(lab) = edge(Family::OpenBgpd, "bgpctl", most) else {
            return;
        };
        let file = written(Family::OpenBgpd, most);
        let [line] = ["and in the neighbor: "].map(|words| {
            let line = file.lines().find_map(|line| line.split_once(words));
            line.unwrap().1.to_owned()
        });
        lab.place.write("it.conf", &file);
        let neighbor = |address: &str, family: &str| {
            format!(
                "neighbor {address} {{\n\tremote-as 65000\n\tannounce {family} unicast\n\t{line}\n}}\n"
            )
        };
        let own = Place::new(NOC);
        let config = format!(
            "AS 65000\nrouter-id 100.64.0.1\nfib-update no\ninclude \"{}\"\n{}{}",
            lab.place.path("it.conf").display(),
            neighbor("100.64.0.2", "IPv4"),
            neighbor("fd00::2", "IPv6")
        );
        let _daemon = speaker::openbgpd(&lab.speaker, &own, &config);
        lab.list("# nobody\n");
        let shown = |words: &[&str]| lab.speaker.run("bgpctl", words).code(0).out;
        let is_route = |line: &&str| line.split_whitespace().any(|w| w.parse::<IpNet>().is_ok());
        let count = || shown(&["show", "rib"]).lines().filter(is_route).count();
        match most {
            ENOUGH => eventually("it has the blackholes", || count() == TAKEN),
            _ => {
                let why = "Last error sent: Cease, received max-prefix exceeded";
                let ended = || shown(&["show", "neighbor"]);
                eventually("both sessions end", || ended().matches(why).count() == 2);
                eventually("nothing is left of it", || count() == 0);
            }
        }
    }
}

#[test]
fn gobgp_ends_a_session_that_brings_more() {
    for most in [ENOUGH, TOO_FEW] {
        let Some(lab) = edge(Family::GoBgp, "gobgpd", most) else {
            return;
        };
        let file = written(Family::GoBgp, most);
        let [section, line] = ["prefix-limit.config", "max-prefixes"].map(|words| {
            let line = file.lines().find(|line| line.contains(words)).unwrap();
            let line = line.trim_start_matches(['#', ' ']);
            line.split("  ").next().unwrap().to_owned()
        });
        let of_family = format!("{section}\n{line}\n");
        let list = "import-policy-list = [\"NULLROUTED-EDGE\"]\n";
        let own = gobgp::conf(65_000, &of_family, list);
        lab.write("/etc/gobgpd.own.conf", &own);
        lab.write("/etc/gobgpd.conf", &format!("{own}{file}"));
        let _daemon = gobgp::gobgpd(&lab);
        lab.list("# nobody\n");
        let count = || gobgp::table(&lab).len();
        match most {
            ENOUGH => eventually("it has the blackholes", || count() == TAKEN),
            _ => {
                let ended = || lab.speaker.run("gobgp", &["neighbor"]).code(0).out;
                eventually("both sessions end", || {
                    ended().matches("PfxCt").count() == 2
                });
                eventually("nothing is left of it", || count() == 0);
            }
        }
    }
}

#[test]
fn frr_ends_a_session_that_brings_more() {
    const ADDRESSES: [&str; 2] = ["100.64.0.2", "fd00::2"];
    for most in [ENOUGH, TOO_FEW] {
        let Some(lab) = edge(Family::Frr, "vtysh", most) else {
            return;
        };
        let file = written(Family::Frr, most);
        let maps = lines_for_him(&file, "route-map NULLROUTED-EDGE", ADDRESSES);
        let limits = lines_for_him(&file, "maximum-prefix", ADDRESSES);
        let mut config =
            "router bgp 65000\n bgp router-id 100.64.0.1\n no bgp default ipv4-unicast\n"
                .to_owned();
        for (at, family) in ["ipv4", "ipv6"].into_iter().enumerate() {
            let (address, map, limit) = (ADDRESSES[at], &maps[at], &limits[at]);
            config.push_str(&format!(
                " neighbor {address} remote-as 65000\n neighbor {address} timers connect 1\n \
                 address-family {family} unicast\n  neighbor {address} activate\n  {map}\n  {limit}\n exit-address-family\n"
            ));
        }
        let own = Place::new(NOC);
        own.write("frr.conf", &format!("{config}exit\n"));
        let _daemons = speaker::frr(&lab.speaker, &own, &["zebra", "staticd", "bgpd"]);
        lab.list("# nobody\n");
        speaker::vtysh(&lab.speaker, &own.path("frr.conf"));
        let count = || {
            let of = |family| lab.speaker.ip(&format!("{family} route show proto bgp"));
            ["-4", "-6"].map(of).concat().matches("blackhole").count()
        };
        match most {
            ENOUGH => eventually("it has the blackholes", || count() == TAKEN),
            _ => {
                let words = ["-d", "bgpd", "-c", "show bgp summary"];
                let ended = || lab.speaker.run("vtysh", &words).code(0).out;
                eventually("both sessions end", || {
                    ended().matches("PfxCt").count() == 2
                });
                eventually("nothing is dropped", || count() == 0);
            }
        }
    }
}
