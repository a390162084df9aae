//! Real FRR: the file is accepted, and a neighbor gets exactly the effective set.
//!
//! ```text
//!  trigger: nullrouted, zebra, bgpd (AS 65001) ──100.64.0.0/30── neighbor: bgpd (AS 65000)
//! ```

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use crate::support::frr::{Running, can_run};
use crate::support::namespace::{Namespace, eventually};
use crate::support::{Place, Ran};

const FRR: &str = "/usr/lib/frr";

/// One router's daemons and their sockets.
struct Router<'a> {
    namespace: &'a Namespace,
    place: Place,
    _daemons: Vec<Running>,
}

impl<'a> Router<'a> {
    fn start(namespace: &'a Namespace, config: &str, daemons: &[&str]) -> Self {
        let place = Place::new("");
        let dir = place.path("");
        // The daemons run as their own user and make their sockets here.
        std::fs::set_permissions(&dir, Permissions::from_mode(0o777)).unwrap();
        let at = |name: &str| dir.join(name).display().to_string();
        let start = |daemon: &&str| {
            // Each daemon reads only what it knows from its own file.
            place.write(
                &format!("{daemon}.conf"),
                if *daemon == "bgpd" { config } else { "" },
            );
            let mut command = namespace.command(&format!("{FRR}/{daemon}"));
            command.args(["-P", "0", "-A", "127.0.0.1"]);
            command.args([
                "-f",
                &at(&format!("{daemon}.conf")),
                "-i",
                &at(&format!("{daemon}.pid")),
            ]);
            command.args([
                "-z",
                &at("zserv.api"),
                "--vty_socket",
                &at(""),
                "--log",
                &format!("file:{}", at("frr.log")),
            ]);
            if *daemon == "zebra" {
                command.args(["-s", "90000000"]);
            }
            let child = Running(command.spawn().unwrap());
            eventually(&format!("{daemon} is up"), || {
                dir.join(format!("{daemon}.vty")).exists()
            });
            child
        };
        let daemons = daemons.iter().map(start).collect();
        Self {
            namespace,
            place,
            _daemons: daemons,
        }
    }

    fn vtysh(&self, arguments: &[&str]) -> Ran {
        let socket = self.place.path("").display().to_string();
        let all = [&["--vty_socket", &socket], arguments].concat();
        self.namespace.run("vtysh", &all)
    }

    /// What BGP holds: prefix and its communities.
    fn bgp(&self) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::new();
        for family in ["ipv4", "ipv6"] {
            let shown = self.vtysh(&["-c", &format!("show bgp {family} unicast json")]);
            let Ok(json) = serde_json::from_str::<serde_json::Value>(&shown.out) else {
                continue;
            };
            for prefix in json["routes"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(prefix, _)| prefix)
            {
                let detail =
                    self.vtysh(&["-c", &format!("show bgp {family} unicast {prefix} json")]);
                let json: serde_json::Value = serde_json::from_str(&detail.out).unwrap();
                let list = json["paths"][0]["community"]["list"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let mut list: Vec<_> = list
                    .iter()
                    .map(|c| c.as_str().unwrap().to_owned())
                    .collect();
                list.sort();
                all.insert(prefix.clone(), list);
            }
        }
        all
    }
}

const TRIGGER: &str = "\
router bgp 65001
 bgp router-id 100.64.0.1
 no bgp default ipv4-unicast
 bgp route-map delay-timer 1
 neighbor 100.64.0.2 remote-as 65000
 neighbor 100.64.0.2 timers connect 1
 address-family ipv4 unicast
  redistribute kernel route-map NULLROUTED-IN
  neighbor 100.64.0.2 activate
  neighbor 100.64.0.2 route-map NULLROUTED-OUT out
 exit-address-family
 address-family ipv6 unicast
  redistribute kernel route-map NULLROUTED-IN6
  neighbor 100.64.0.2 activate
  neighbor 100.64.0.2 route-map NULLROUTED-OUT out
 exit-address-family
exit
";

const NEIGHBOR: &str = "\
router bgp 65000
 bgp router-id 100.64.0.2
 no bgp default ipv4-unicast
 no bgp ebgp-requires-policy
 neighbor 100.64.0.1 remote-as 65001
 neighbor 100.64.0.1 timers connect 1
 address-family ipv4 unicast
  neighbor 100.64.0.1 activate
 exit-address-family
 address-family ipv6 unicast
  neighbor 100.64.0.1 activate
 exit-address-family
exit
";

#[test]
fn a_neighbor_gets_exactly_the_effective_set_and_loses_what_is_delisted() {
    if !can_run("bgpd") {
        return;
    }
    let Some(near) = Namespace::new() else { return };
    let Some(far) = near.another() else { return };
    near.wire(
        "near",
        "100.64.0.1/30 fd00:1::1/64",
        &far,
        "far",
        "100.64.0.2/30 fd00:1::2/64",
    );
    // Routes of others that must never be announced: a default, a static blackhole that is listed
    // nowhere.
    near.ip("route add default via 100.64.0.2");
    near.ip("route add blackhole 198.51.100.0/24 proto static");

    let trigger = Router::start(&near, TRIGGER, &["zebra", "bgpd"]);
    // bgpd 10 takes IPv6 over a session of IPv4 only where zebra runs.
    let neighbor = Router::start(&far, NEIGHBOR, &["zebra", "bgpd"]);
    let socket = trigger.place.path("").display().to_string();
    let place = Place::new(&format!(
        "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n[protect]\nprefixes = [\"203.0.113.64/26\"]\n\
         [[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n\
         announce_to = \"ebgp\"\nneighbors = [\"100.64.0.2\"]\n\
         check = [\"vtysh\", \"-C\", \"-f\", \"{{file}}\"]\n\
         reload = [\"vtysh\", \"--vty_socket\", \"{socket}\", \"-f\", \"{{file}}\"]\n"
    ));
    place.write(
        "noc.list",
        "72.37.186/23\n203.0.113.0/24\n2001:db8:bad::/48\n192.0.2.0/24\n",
    );
    place
        .run_in(&near, &["refresh"])
        .code(0)
        .says("edge1.conf replaced, 5 prefixes");

    let blackhole = vec!["blackhole".to_owned(), "noExport".to_owned()];
    let expected = |prefixes: &[&str]| -> BTreeMap<String, Vec<String>> {
        prefixes
            .iter()
            .map(|prefix| (prefix.to_string(), blackhole.clone()))
            .collect()
    };
    let all = expected(&[
        "72.37.186.0/23",
        "192.0.2.0/24",
        "203.0.113.0/26",
        "203.0.113.128/25",
        "2001:db8:bad::/48",
    ]);
    eventually_bgp(&neighbor, &all);

    place.write(
        "noc.list",
        "203.0.113.0/24\n2001:db8:bad::/48\n192.0.2.0/24\n",
    );
    place.run_in(&near, &["refresh"]).code(0);
    eventually_bgp(
        &neighbor,
        &expected(&[
            "192.0.2.0/24",
            "203.0.113.0/26",
            "203.0.113.128/25",
            "2001:db8:bad::/48",
        ]),
    );

    // A next hop that is written and taken out again is in bgpd as long as it is written.
    let config = std::fs::read_to_string(place.config()).unwrap();
    let running = || {
        trigger
            .vtysh(&["-d", "bgpd", "-c", "show running-config"])
            .code(0)
            .out
    };
    let hops = "next_hop_v4 = \"192.0.2.9\"\nnext_hop_v6 = \"100::9\"\n";
    std::fs::write(place.config(), format!("{config}{hops}")).unwrap();
    place.run_in(&near, &["refresh"]).code(0);
    let set = [
        " set ip next-hop 192.0.2.9\n",
        " set ipv6 next-hop global 100::9\n",
    ];
    assert!(
        set.iter().all(|line| running().contains(line)),
        "{}",
        running()
    );
    std::fs::write(place.config(), &config).unwrap();
    place.run_in(&near, &["refresh"]).code(0);
    assert!(
        !running().contains("next-hop 192") && !running().contains("next-hop global"),
        "{}",
        running()
    );

    place.run_in(&near, &["flush"]).code(0);
    eventually_bgp(&neighbor, &BTreeMap::new());
}

#[track_caller]
fn eventually_bgp(router: &Router, expected: &BTreeMap<String, Vec<String>>) {
    let mut seen = BTreeMap::new();
    for _ in 0..150 {
        seen = router.bgp();
        if seen == *expected {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(seen, *expected);
}

/// A router that refuses what listed ASes announce, by the list that we write.
const REFUSES_ORIGINS: &str = "\
route-map FROM-NEIGHBOR permit 10
 call NULLROUTED-FILTER
exit
router bgp 65001
 bgp router-id 100.64.0.1
 no bgp default ipv4-unicast
 bgp route-map delay-timer 1
 neighbor 100.64.0.2 remote-as 65000
 neighbor 100.64.0.2 timers connect 1
 address-family ipv4 unicast
  neighbor 100.64.0.2 activate
  neighbor 100.64.0.2 soft-reconfiguration inbound
  neighbor 100.64.0.2 route-map FROM-NEIGHBOR in
 exit-address-family
exit
";

/// A neighbor that passes on a route that began at AS 64496, one at AS 64497, and one of its own.
const ANNOUNCES_ORIGINS: &str = "\
ip prefix-list ONE seq 5 permit 192.0.2.0/24
ip prefix-list TWO seq 5 permit 198.51.100.0/24
route-map OUT permit 10
 match ip address prefix-list ONE
 set as-path prepend 64496
exit
route-map OUT permit 20
 match ip address prefix-list TWO
 set as-path prepend 64497
exit
route-map OUT permit 30
exit
router bgp 65000
 bgp router-id 100.64.0.2
 no bgp default ipv4-unicast
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 100.64.0.1 remote-as 65001
 neighbor 100.64.0.1 timers connect 1
 address-family ipv4 unicast
  network 192.0.2.0/24
  network 198.51.100.0/24
  network 203.0.113.0/24
  neighbor 100.64.0.1 activate
  neighbor 100.64.0.1 route-map OUT out
 exit-address-family
exit
";

#[test]
fn routes_of_listed_origins_are_refused_by_the_as_path_list() {
    if !can_run("bgpd") {
        return;
    }
    let Some(near) = Namespace::new() else { return };
    let Some(far) = near.another() else { return };
    near.wire("near", "100.64.0.1/30", &far, "far", "100.64.0.2/30");
    let edge = Router::start(&near, REFUSES_ORIGINS, &["bgpd"]);
    let _neighbor = Router::start(&far, ANNOUNCES_ORIGINS, &["bgpd"]);
    let socket = edge.place.path("").display().to_string();
    let place = Place::new(&format!(
        "[[feed]]\nname = \"asndrop\"\npath = \"asndrop.json\"\nformat = \"asndrop-json\"\nstale_after = \"3650d\"\n\
         [kernel]\nenabled = false\n\
         [[router]]\nname = \"edge1\"\nfamily = \"frr\"\nrole = \"filter\"\npath = \"edge1.conf\"\n\
         check = [\"vtysh\", \"-C\", \"-f\", \"{{file}}\"]\n\
         reload = [\"vtysh\", \"--vty_socket\", \"{socket}\", \"-f\", \"{{file}}\"]\n"
    ));
    let list = |asn: u32| {
        let record = format!("{{\"asn\":{asn},\"asname\":\"SPAMMER\"}}\n");
        let size = record.len();
        format!(
            "{record}{{\"type\":\"metadata\",\"timestamp\":1790000000,\"size\":{size},\"records\":1}}\n"
        )
    };
    let routes = |prefixes: &[&str]| -> BTreeMap<String, Vec<String>> {
        prefixes
            .iter()
            .map(|prefix| (prefix.to_string(), Vec::new()))
            .collect()
    };
    place.write("asndrop.json", &list(64_496));
    place.run_in(&near, &["refresh"]).code(0);
    eventually_bgp(&edge, &routes(&["198.51.100.0/24", "203.0.113.0/24"]));
    place.write("asndrop.json", &list(64_497));
    place.run_in(&near, &["refresh"]).code(0);
    eventually_bgp(&edge, &routes(&["192.0.2.0/24", "203.0.113.0/24"]));
    place.run_in(&near, &["flush"]).code(0);
    eventually_bgp(
        &edge,
        &routes(&["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]),
    );
}

/// Four neighbors of a trigger, each by a wire of its own, and what each of them has.
///
/// ```text
///                     ┌─ 1 alone  (AS 65001)  NULLROUTED-OUT
///  trigger (AS 65001) ┼─ 2 mixed  (AS 65001)  a route-map of its own, with the clauses of NULLROUTED-OUT
///                     ├─ 3 named  (AS 65003)  NULLROUTED-OUT
///                     └─ 4 others (AS 65004)  no policy but what the header says
/// ```
const SESSIONS: &str = "\
router bgp 65001
 bgp router-id 100.64.0.1
 no bgp default ipv4-unicast
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp route-map delay-timer 1
 neighbor 100.64.1.2 remote-as 65001
 neighbor 100.64.2.2 remote-as 65001
 neighbor 100.64.3.2 remote-as 65003
 neighbor 100.64.4.2 remote-as 65004
 address-family ipv4 unicast
  network 203.0.113.0/24
  neighbor 100.64.1.2 activate
  neighbor 100.64.1.2 route-map NULLROUTED-OUT out
  neighbor 100.64.2.2 activate
  neighbor 100.64.3.2 activate
  neighbor 100.64.3.2 route-map NULLROUTED-OUT out
  neighbor 100.64.4.2 activate
 exit-address-family
exit
";

/// The lines that the header has to be typed after the prose that begins so, for a route-map of
/// this name.
fn recipe(file: &str, begins: &str, map: &str) -> Recipe {
    let lines = file.lines().map(|line| line.trim_start_matches("! "));
    let lines = lines.skip_while(|line| !line.trim_start().starts_with(begins));
    let typed = |line: &&str| line.starts_with("         ");
    let lines = lines.skip_while(|line| !typed(line)).take_while(typed);
    let lines = lines.map(|line| {
        line.trim_start_matches("        ")
            .split("  (")
            .next()
            .unwrap()
    });
    let lines: Vec<_> = lines
        .map(|line| line.trim_end().trim_start_matches(' '))
        .collect();
    // The last one is typed within the configuration of BGP, in each address-family.
    let (attach, clauses) = lines.split_last().unwrap();
    assert!(clauses.len() >= 3, "{begins}: {file}");
    Recipe {
        clauses: clauses.join("\n").replace("YOURS", map) + "\n",
        attach: attach.replace("YOURS", map),
    }
}

struct Recipe {
    clauses: String,
    attach: String,
}

impl Recipe {
    fn at(&self, neighbor: u8) -> String {
        let attach = self
            .attach
            .replace("ADDRESS", &format!("100.64.{neighbor}.2"));
        format!(
            "{}router bgp 65001\naddress-family ipv4 unicast\n{attach}\nexit\nexit\n",
            self.clauses
        )
    }
}

/// What each neighbor has before the lists are announced, while they are, and after they were
/// withdrawn.
fn told_by_the_header(announce_to: &str) {
    if !can_run("bgpd") {
        return;
    }
    let Some(near) = Namespace::new() else { return };
    let far: Vec<_> = (0..4).filter_map(|_| near.another()).collect();
    assert_eq!(far.len(), 4);
    for (number, far) in (1..).zip(&far) {
        let ends = [1, 2].map(|end| format!("100.64.{number}.{end}/30"));
        near.wire(&format!("n{number}"), &ends[0], far, "near", &ends[1]);
    }
    let neighbor = |number: usize, asn: u32| {
        let config = NEIGHBOR.replace("router bgp 65000", &format!("router bgp {asn}"));
        let config = config.replace("100.64.0.", &format!("100.64.{number}."));
        Router::start(&far[number - 1], &config, &["bgpd"])
    };
    let trigger = Router::start(&near, SESSIONS, &["zebra", "bgpd"]);
    let neighbors = [65_001, 65_001, 65_003, 65_004];
    let neighbors: Vec<_> = (1..)
        .zip(neighbors)
        .map(|(n, asn)| neighbor(n, asn))
        .collect();
    let socket = trigger.place.path("").display().to_string();
    let place = Place::new(&format!(
        "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n\
         [[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n{announce_to}\n\
         reload = [\"vtysh\", \"--vty_socket\", \"{socket}\", \"-d\", \"bgpd\", \"-f\", \"{{file}}\"]\n"
    ));
    let own = ("203.0.113.0/24".to_owned(), Vec::new());
    let tagged = vec!["blackhole".to_owned(), "noExport".to_owned()];
    let listed = ("72.37.186.0/23".to_owned(), tagged);
    let have = |alone: bool, named: bool| {
        let of = |routes: &[&(String, Vec<String>)]| {
            routes.iter().map(|route| (*route).clone()).collect()
        };
        let if_so = |so: bool| if so { of(&[&listed]) } else { of(&[]) };
        let mixed = if alone {
            of(&[&listed, &own])
        } else {
            of(&[&own])
        };
        let all: [BTreeMap<String, Vec<String>>; 4] =
            [if_so(alone), mixed, if_so(named), of(&[&own])];
        for (router, expected) in neighbors.iter().zip(&all) {
            eventually_bgp(router, expected);
        }
    };
    have(false, false);

    // The header is followed word by word, what it says comes first before what announces.
    place.write("noc.list", "72.37.186.0/23\n");
    place.run_in(&near, &["refresh"]).code(0);
    let file = place.read("edge1.conf");
    let ebgp = announce_to.contains("ebgp");
    let mut typed = String::new();
    if ebgp {
        typed.push_str(&recipe(&file, "Sessions: with", "TO-OTHERS").at(4));
    }
    typed.push_str(&recipe(&file, "2. For a session", "TO-MIXED").at(2));
    typed.push_str(
        "router bgp 65001\naddress-family ipv4 unicast\nredistribute kernel route-map NULLROUTED-IN\nexit\nexit\n",
    );
    trigger.place.write("typed", &typed);
    let typed = trigger.place.path("typed").display().to_string();
    trigger.vtysh(&["-d", "bgpd", "-f", &typed]).code(0);
    have(true, ebgp);
    // By what the header says of it, too.
    let who = ["-c", "show bgp ipv4 unicast 72.37.186.0/23"];
    let who = trigger.vtysh(&who).code(0).out;
    assert!(
        // The second is what 10.7 says.
        ["non peer-group peers:", "peers:"]
            .iter()
            .any(|peers| who.contains(&format!("Advertised to {peers}\n"))),
        "{who}"
    );
    let sent = |number: u8| who.contains(&format!(" 100.64.{number}.2"));
    assert!(sent(1) && sent(2) && sent(3) == ebgp && !sent(4), "{who}");

    // A file for iBGP takes them back from eBGP neighbors, and from no other.
    if ebgp {
        let config = std::fs::read_to_string(place.config()).unwrap();
        let config = config.replace("\"ebgp\"", "\"ibgp\"");
        std::fs::write(place.config(), config).unwrap();
        place.run_in(&near, &["refresh"]).code(0);
        have(true, false);
    }

    place.run_in(&near, &["flush"]).code(0);
    have(false, false);
}

#[test]
fn no_ebgp_neighbor_receives_what_is_for_ibgp_and_no_session_loses_its_other_routes() {
    told_by_the_header("announce_to = \"ibgp\"");
}

#[test]
fn of_ebgp_neighbors_those_that_are_named_receive_it_and_no_session_loses_its_other_routes() {
    told_by_the_header(
        "announce_to = \"ebgp\"\nneighbors = [\"100.64.1.2\", \"100.64.2.2\", \"100.64.3.2\"]",
    );
}
