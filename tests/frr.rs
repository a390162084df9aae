//! Real FRR: the file is accepted, and a neighbor gets exactly the effective set.
//!
//! ```text
//!  trigger: nullrouted, zebra, bgpd (AS 65001) ──100.64.0.0/30── neighbor: bgpd (AS 65000)
//! ```

mod support;

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use support::frr::{Running, can_run};
use support::namespace::{Namespace, eventually};
use support::{Place, Ran};

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
    // Routes of others that must never be announced: a default, a static blackhole that is listed nowhere.
    near.ip("route add default via 100.64.0.2");
    near.ip("route add blackhole 198.51.100.0/24 proto static");

    let trigger = Router::start(&near, TRIGGER, &["zebra", "bgpd"]);
    let neighbor = Router::start(&far, NEIGHBOR, &["bgpd"]);
    let socket = trigger.place.path("").display().to_string();
    let place = Place::new(&format!(
        "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n[protect]\nprefixes = [\"203.0.113.64/26\"]\n\
         [[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n\
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
