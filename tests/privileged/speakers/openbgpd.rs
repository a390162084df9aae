//! OpenBGPD, which has no FIB on Linux: what is in its table counts.

use ipnet::IpNet;
use nullrouted::targets::file::{Family, Role};

use super::lab::{Lab, PROTECT, WITH_ORIGINS, announces, refuses, router};
use crate::support::frr::Running;
use crate::support::namespace::eventually;
use crate::support::speaker::openbgpd;
use crate::support::{NO_KERNEL, NOC, Place};

/// The prefixes in its table.
fn table(lab: &Lab) -> Vec<String> {
    let said = lab.speaker.run("bgpctl", &["show", "rib"]).code(0).out;
    let prefix = |line: &str| {
        line.split_whitespace()
            .find(|word| word.parse::<IpNet>().is_ok())
            .map(str::to_owned)
    };
    said.lines().filter_map(prefix).collect()
}

/// It includes our file, which is empty yet; its neighbors are of this AS.
fn started(lab: &Lab, asn: u32) -> (Running, Place) {
    lab.place.write("it.conf", "# nothing yet\n");
    let neighbor = |address: &str, family: &str| {
        format!("neighbor {address} {{\n\tremote-as 65000\n\tannounce {family} unicast\n}}\n")
    };
    let own = Place::new(NOC);
    let config = format!(
        "AS {asn}\nrouter-id 100.64.0.1\nfib-update no\ninclude \"{}\"\n{}{}allow from any\n",
        lab.place.path("it.conf").display(),
        neighbor("100.64.0.2", "IPv4"),
        neighbor("fd00::2", "IPv6")
    );
    let daemon = openbgpd(&lab.speaker, &own, &config);
    (daemon, own)
}

#[test]
fn openbgpd_refuses_what_is_listed_and_what_is_inside_of_it_and_nothing_else() {
    let config = format!(
        "{WITH_ORIGINS}{NO_KERNEL}{}",
        router(Family::OpenBgpd, Role::Filter, "")
    );
    let Some(lab) = Lab::new("bgpctl", &config, &announces()) else {
        return;
    };
    let _daemon = started(&lab, 65_001);
    refuses(&lab, &|| table(&lab));
}

#[test]
fn openbgpd_as_an_edge_takes_blackholes_and_none_of_its_own() {
    let config = format!(
        "{NOC}{NO_KERNEL}{PROTECT}{}",
        router(Family::OpenBgpd, Role::Edge, "")
    );
    // Blackholes are taken from neighbors of its own AS.
    let neighbor = announces().replace("as 65001", "as 65000");
    let Some(lab) = Lab::new("bgpctl", &config, &neighbor) else {
        return;
    };
    let _daemon = started(&lab, 65_000);
    lab.list("# nobody\n");
    // And what is no blackhole is left to the operator's own rules.
    let taken = [
        "150.3.0.0/16",
        "2001:db8:600d::/48",
        "2001:db8:bad:7::/64",
        "2001:db8:bad::/48",
        "203.0.113.0/24",
        "72.37.186.0/23",
        "72.37.187.0/24",
    ];
    eventually("OpenBGPD has the blackholes", || {
        let mut table = table(&lab);
        table.sort_unstable();
        table == taken
    });
    let detail = |prefix: &str| {
        let words = ["show", "rib", "detail", prefix];
        lab.speaker.run("bgpctl", &words).code(0).out
    };
    for prefix in ["72.37.186.0/23", "2001:db8:bad::/48"] {
        let said = detail(prefix);
        assert!(
            said.contains("localpref 200") && said.contains("BLACKHOLE NO_EXPORT"),
            "{said}"
        );
    }
    assert!(detail("203.0.113.0/24").contains("localpref 100"));
}
