//! What speaks BGP in the lab, each with a `/run` of its own, so that the default commands reach
//! it.

use nullrouted::targets::file::{Family, Lists, Role};

use super::lab::Edge;
use crate::support::frr::Running;
use crate::support::namespace::Namespace;
use crate::support::speaker::{self, open};
use crate::support::{NOC, Place};

/// Daemons and their files.
pub struct Speaker {
    _daemons: Vec<Running>,
    _place: Option<Place>,
}

/// What speaks at the trigger.
#[derive(Clone, Copy, Debug)]
pub enum Trigger {
    Frr(Lists),
    Bird,
    OpenBgpd,
}

impl Trigger {
    /// Its part of our configuration.
    pub fn router(self) -> String {
        match self {
            // zebra takes the routes of the kernel.
            Self::Frr(lists) => {
                let router = router(Family::Frr, Role::Trigger, FILE);
                format!("{router}lists = \"{lists}\"\n")
            }
            Self::Bird => format!(
                "[kernel]\nenabled = false\n{}",
                router(Family::Bird, Role::Trigger, FILE)
            ),
            Self::OpenBgpd => format!(
                "[kernel]\nenabled = false\n{}",
                router(Family::OpenBgpd, Role::Trigger, FILE)
            ),
        }
    }
}

fn router(family: Family, role: Role, path: &str) -> String {
    speaker::router(family, role, path, "")
}

/// Where a file of ours goes: into the place of the program, or where BIRD at the edge includes it
/// from the beginning.
const FILE: &str = "nullrouted.conf";
const IN_RUN: &str = "/run/bird/nullrouted.conf";

/// What stands there before.
const NO_FILTER: &str = "function nullrouted_reject4() { if false then reject; }\n\
                         function nullrouted_reject6() { if false then reject; }";

/// Its part of our configuration at an edge, in role `filter`.
pub fn filter(edge: Edge, lists: Lists) -> String {
    let router = match edge {
        Edge::Bird => router(Family::Bird, Role::Filter, IN_RUN),
        Edge::Frr => router(Family::Frr, Role::Filter, FILE),
    };
    format!("{router}lists = \"{lists}\"\n")
}

/// A file of ours for an edge, which says nothing of any list.
pub fn edge_file(family: Family) -> String {
    let place = Place::new(&format!(
        "{NOC}[kernel]\nenabled = false\n[protect]\nprefixes = [\"198.51.100.0/24\", \"2001:db8:1::/48\"]\n\
         [[router]]\nname = \"it\"\nfamily = \"{family}\"\nrole = \"edge\"\npath = \"x\"\n"
    ));
    place.write("noc.list", "# nobody\n");
    place.run(&["refresh"]).code(0);
    place.read("x")
}

fn frr(namespace: &Namespace, place: &Place, config: &str, daemons: &[&str]) -> Vec<Running> {
    place.write("frr.conf", config);
    let running = speaker::frr(namespace, place, daemons);
    speaker::vtysh(namespace, &place.path("frr.conf"));
    running
}

/// By the default command, which reads what was said.
#[track_caller]
fn load(namespace: &Namespace, place: &Place, name: &str) {
    let words = Family::Frr.commands(Role::Edge).reload;
    speaker::run(namespace, words, &place.path(name)).code(0);
}

fn bird(namespace: &Namespace, place: &Place, config: &str) -> Running {
    speaker::bird(
        namespace,
        place,
        config,
        &format!("echo '{NO_FILTER}' > {IN_RUN}"),
    )
}

fn one(daemon: Running, place: Place) -> Speaker {
    Speaker {
        _daemons: vec![daemon],
        _place: Some(place),
    }
}

const SHARED: &str =
    " no bgp default ipv4-unicast\n bgp route-map delay-timer 1\n timers bgp 3 9\n";

/// An FRR neighbor of its own AS with these lines in each address family; `N` is the number of the
/// wire.
fn frr_neighbor(number: u8, end: u8, asn: u32, lines: &str) -> String {
    let (v4, v6) = (
        format!("100.64.{number}.{end}"),
        format!("fd00:{number}::{end}"),
    );
    let mut text = String::new();
    for (family, address) in [("ipv4", v4), ("ipv6", v6)] {
        let lines = lines.replace("{6}", if family == "ipv6" { "6" } else { "" });
        let lines = lines.replace("ADDRESS", &address);
        let lines = lines.replace("{NETWORKS}", &networks(family == "ipv6"));
        text.push_str(&format!(
            " neighbor {address} remote-as {asn}\n neighbor {address} timers connect 1\n \
             address-family {family} unicast\n  neighbor {address} activate\n{lines} exit-address-family\n"
        ));
    }
    text
}

/// Those of a family, as statements.
fn networks(v6: bool) -> String {
    let of_family = |prefix: &&&str| prefix.contains(':') == v6;
    let tagged = TAGGED.iter().filter(of_family);
    let tagged = tagged.map(|prefix| format!("  network {prefix} route-map TAGGED\n"));
    let untagged = UNTAGGED.iter().filter(of_family);
    let untagged = untagged.map(|prefix| format!("  network {prefix}\n"));
    tagged.chain(untagged).collect()
}

/// What the reflector announces by itself, each with the community of a blackhole but the last of a
/// family.
pub const TAGGED: [&str; 8] = [
    "203.0.113.9/32",
    "198.51.100.7/32",
    "198.51.96.0/20",
    "64.0.0.0/7",
    "2001:db8:9::/64",
    "2001:db8:1:7::/64",
    "2001:db8::/44",
    "2c00::/18",
];
pub const UNTAGGED: [&str; 2] = ["203.0.113.128/25", "2001:db8:a::/48"];

pub fn reflector(namespace: &Namespace) -> Speaker {
    let place = Place::new(NOC);
    let mut client = "  neighbor ADDRESS route-reflector-client\n".to_owned();
    // `network` of the other family is refused, so each family has its own.
    client.push_str("{NETWORKS}");
    let clients =
        [(1, 1), (2, 1), (3, 1)].map(|(number, end)| frr_neighbor(number, end, 65_000, &client));
    let config = format!(
        "route-map TAGGED permit 10\n set community blackhole\nexit\n\
         router bgp 65000\n bgp router-id 100.64.1.2\n no bgp network import-check\n{SHARED}{}exit\n",
        clients.concat()
    );
    let daemons = frr(namespace, &place, &config, &["zebra", "bgpd"]);
    Speaker {
        _daemons: daemons,
        _place: Some(place),
    }
}

pub fn edge_bird(namespace: &Namespace) -> Speaker {
    let place = Place::new(NOC);
    place.write("edge.conf", &edge_file(Family::Bird));
    place.write(
        "filter.conf",
        "function nullrouted_reject4() { if false then reject; }\n",
    );
    let config = format!(
        "router id 100.64.2.1;\nprotocol device {{ scan time 1; }}\n\
         protocol kernel {{ ipv4 {{ import none; export where source = RTS_BGP; }}; }}\n\
         protocol kernel {{ ipv6 {{ import none; export where source = RTS_BGP; }}; }}\n\
         include \"{}\";\ninclude \"{}\";\n\
         filter from_others4 {{ nullrouted_reject4(); accept; }}\n\
         filter from_others6 {{ nullrouted_reject6(); accept; }}\n\
         protocol bgp reflector4 from nullrouted_from4 {{ local 100.64.2.1 as 65000; neighbor 100.64.2.2 as 65000; passive; error wait time 1, 2; }}\n\
         protocol bgp reflector6 from nullrouted_from6 {{ local fd00:2::1 as 65000; neighbor fd00:2::2 as 65000; passive; error wait time 1, 2; }}\n\
         protocol bgp others {{ local 100.64.8.1 as 65000; neighbor 100.64.8.2 as 65010; connect retry time 1;\n\
          ipv4 {{ import table; import filter from_others4; export none; }}; }}\n\
         protocol bgp others6 {{ local fd00:8::1 as 65000; neighbor fd00:8::2 as 65010; connect retry time 1;\n\
          ipv6 {{ import table; import filter from_others6; export none; }}; }}\n",
        place.path("edge.conf").display(),
        IN_RUN
    );
    let daemon = bird(namespace, &place, &config);
    one(daemon, place)
}

pub fn edge_frr(namespace: &Namespace) -> Speaker {
    let place = Place::new(NOC);
    let reflector = "  neighbor ADDRESS route-map NULLROUTED-EDGE{6} in\n";
    let others =
        "  neighbor ADDRESS route-map FROM-OTHERS in\n  neighbor ADDRESS route-map NOTHING out\n";
    let config = format!(
        "route-map FROM-OTHERS permit 1\n call NULLROUTED-FILTER\nexit\nroute-map NOTHING deny 1\nexit\n\
         router bgp 65000\n bgp router-id 100.64.3.1\n{SHARED}{}{}exit\n",
        frr_neighbor(3, 2, 65_000, reflector),
        frr_neighbor(9, 2, 65_010, others)
    );
    let daemons = frr(namespace, &place, &config, &["zebra", "staticd", "bgpd"]);
    place.write("edge.conf", &edge_file(Family::Frr));
    load(namespace, &place, "edge.conf");
    // Once more over itself.
    load(namespace, &place, "edge.conf");
    Speaker {
        _daemons: daemons,
        _place: Some(place),
    }
}

/// The operator's own part, with our file where `place` is told to write it.
pub fn trigger(trigger: Trigger, namespace: &Namespace, place: &Place) -> Speaker {
    let file = place.path("nullrouted.conf").display().to_string();
    match trigger {
        Trigger::Frr(_) => {
            let own = Place::new(NOC);
            let lines = "  redistribute kernel route-map NULLROUTED-IN{6}\n  neighbor ADDRESS route-map NULLROUTED-OUT out\n";
            let config = format!(
                "router bgp 65000\n bgp router-id 100.64.1.1\n{SHARED}{}exit\n",
                frr_neighbor(1, 2, 65_000, lines)
            );
            let daemons = frr(namespace, &own, &config, &["zebra", "bgpd"]);
            Speaker {
                _daemons: daemons,
                _place: Some(own),
            }
        }
        Trigger::Bird => {
            let own = Place::new(NOC);
            open(place);
            // Included before it is there.
            place.write(
                "nullrouted.conf",
                "ipv4 table nullrouted_table4;\nipv6 table nullrouted_table6;\n\
                 filter nullrouted_trigger4 { reject; }\nfilter nullrouted_trigger6 { reject; }\n",
            );
            let config = format!(
                "router id 100.64.1.1;\nprotocol device {{ scan time 1; }}\ninclude \"{file}\";\n\
                 protocol bgp reflector4 {{ local 100.64.1.1 as 65000; neighbor 100.64.1.2 as 65000; passive; error wait time 1, 2; \
                 ipv4 {{ table nullrouted_table4; import none; export filter nullrouted_trigger4; }}; }}\n\
                 protocol bgp reflector6 {{ local fd00:1::1 as 65000; neighbor fd00:1::2 as 65000; passive; error wait time 1, 2; \
                 ipv6 {{ table nullrouted_table6; import none; export filter nullrouted_trigger6; }}; }}\n"
            );
            let daemon = bird(namespace, &own, &config);
            one(daemon, own)
        }
        Trigger::OpenBgpd => {
            let own = Place::new(NOC);
            place.write("nullrouted.conf", "# nothing yet\n");
            let neighbor = |address: &str, family: &str| {
                format!(
                    "neighbor {address} {{\n\tremote-as 65000\n\tannounce {family} unicast\n}}\n"
                )
            };
            let config = format!(
                "AS 65000\nrouter-id 100.64.1.1\nfib-update no\ninclude \"{file}\"\n{}{}deny from any\n",
                neighbor("100.64.1.2", "IPv4"),
                neighbor("fd00:1::2", "IPv6")
            );
            let daemon = speaker::openbgpd(namespace, &own, &config);
            one(daemon, own)
        }
    }
}

/// A neighbor of another AS that announces a half of what is listed, and something else.
pub fn others(namespace: &Namespace) -> Speaker {
    let place = Place::new(NOC);
    let config = "router id 100.64.8.2;\nprotocol device { scan time 1; }\n\
         protocol static { ipv4; route 72.37.186.0/25 via 100.64.10.2; route 198.51.100.0/24 via 100.64.10.2; }\n\
         protocol static { ipv6; route 2001:db8:bad::/64 via fd00:10::2; route 2001:db8:feed::/48 via fd00:10::2; }\n\
         protocol bgp to_bird6 { local fd00:8::2 as 65010; neighbor fd00:8::1 as 65000; connect retry time 1; ipv6 { import none; export all; }; }\n\
         protocol bgp to_frr6 { local fd00:9::2 as 65010; neighbor fd00:9::1 as 65000; connect retry time 1; ipv6 { import none; export all; }; }\n\
         protocol bgp to_bird { local 100.64.8.2 as 65010; neighbor 100.64.8.1 as 65000; connect retry time 1; ipv4 { import none; export all; }; }\n\
         protocol bgp to_frr { local 100.64.9.2 as 65010; neighbor 100.64.9.1 as 65000; connect retry time 1; ipv4 { import none; export all; }; }\n";
    let daemon = bird(namespace, &place, config);
    one(daemon, place)
}
