//! `verify`: each leak made by hand in a real kernel, shown by a packet or by `ip route get`, named
//! by the report, and gone after the cure that it names.
//!
//! ```text
//!  router ──198.51.100.0/24, 2001:db8:1::/64── hoster: 72.37.186.1, 72.37.187.9, 2001:db8:bad:1::9 …
//! ```

mod bare;
mod kinds;
mod lookups;
mod rules;
mod verb;

use serde_json::Value;

use crate::support::namespace::{Namespace, eventually};
use crate::support::{NOC, Place, Ran};

const LIST: &str = "72.37.186.0/23 # spammer\n192.0.2.0/24\n2001:db8:bad::/48\n";

/// A router with a way out, and what is at its other end.
struct Ground {
    router: Namespace,
    hoster: Namespace,
    place: Place,
}

impl Ground {
    /// With our routes installed by this configuration. `None` where the machine forbids it.
    fn new(kernel: &str) -> Option<Self> {
        let router = Namespace::new()?;
        let hoster = router.another()?;
        let near = "198.51.100.2/24 2001:db8:1::2/64";
        let far = "198.51.100.1/24 2001:db8:1::1/64";
        router.wire("wan0", near, &hoster, "lan0", far);
        hoster.address("lo", "72.37.186.1/32 72.37.187.9/32 192.0.2.9/32");
        hoster.address("lo", "2001:db8:bad:1::9/128");
        router.ip("route add default via 198.51.100.1");
        router.ip("-6 route add default via 2001:db8:1::1");
        eventually("the hoster answers", || {
            router.answers("72.37.186.1") && router.answers("2001:db8:bad:1::9")
        });
        let place = Place::new(&format!("{NOC}{kernel}"));
        place.write("noc.list", LIST);
        place.run_in(&router, &["refresh"]).code(0);
        Some(Self {
            router,
            hoster,
            place,
        })
    }

    fn verify(&self, more: &[&str]) -> Ran {
        self.place
            .run_in(&self.router, &[&["verify"], more].concat())
    }

    /// Its only leak.
    #[track_caller]
    fn leak(&self) -> Value {
        let ran = self.verify(&["--json", "--random-seed", "7"]).code(1);
        let json = ran.json();
        assert_eq!(json["verdict"], "leaks");
        let leaks = json["leaks"].as_array().unwrap();
        assert_eq!(leaks.len(), 1, "{json:#}");
        leaks[0].clone()
    }

    /// Run the command that a cure ends with.
    #[track_caller]
    fn cure(&self, leak: &Value) {
        let cure = leak["cure"].as_str().unwrap();
        let command = cure.rfind(": ip ").map(|at| &cure[at + 2..]);
        self.router
            .sh(command.unwrap_or_else(|| panic!("no command: {cure}")));
    }

    #[track_caller]
    fn all_dropped(&self) {
        self.verify(&[]).code(0).says("everything is dropped: ");
    }

    /// Where the kernel sends a packet, by `ip route get`.
    fn get(&self, words: &str) -> String {
        let words: Vec<&str> = ["route", "get"]
            .into_iter()
            .chain(words.split(' '))
            .collect();
        self.router.run("ip", &words).out
    }
}

#[test]
fn where_everything_is_dropped_it_says_so_whatever_type_drops() {
    for kind in ["blackhole", "unreachable", "prohibit"] {
        let Some(ground) = Ground::new(&format!("[kernel]\ntype = \"{kind}\"\n")) else {
            return;
        };
        for address in ["72.37.186.1", "2001:db8:bad:1::9"] {
            assert!(!ground.router.answers(address), "{kind} {address}");
        }
        let ran = ground.verify(&["--random-seed", "7"]).code(0);
        let (verdict, rest) = ran.out.split_once('\n').unwrap();
        assert_eq!(
            verdict,
            "everything is dropped: 3 prefixes in force (2 IPv4, 1 IPv6), 9 sampled addresses, random seed 7",
        );
        assert!(!rest.contains("note"), "{}", ran.out);
        let json = ground
            .verify(&["--json", "--random-seed", "7"])
            .code(0)
            .json();
        assert_eq!(json["verdict"], "dropped");
        assert_eq!(json["generation"], 1);
        assert_eq!(json["asked"]["dropped"], 9);
    }
}

#[test]
fn a_more_specific_route_is_named_with_its_protocol_and_its_cure_works() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let Ground { router, .. } = &ground;
    router.ip("route add 72.37.187.0/24 via 198.51.100.1 proto bgp metric 20");
    router.ip("-6 route add 2001:db8:bad:1::/64 via 2001:db8:1::1 proto ospf metric 30");
    assert!(router.answers("72.37.187.9") && router.answers("2001:db8:bad:1::9"));
    let ran = ground.verify(&["--random-seed", "7"]).code(1);
    let expected = "\
NOT everything is dropped: 2 leaks in 3 prefixes: 1 of 9 sampled addresses gets through, random seed 7
more-specific (2): a route of others inside our prefix wins by longest match
  72.37.186.0/23: 72.37.187.0/24 via 198.51.100.1 dev wan0 proto bgp metric 20
    the kernel answers: 72.37.187.255 goes there
  2001:db8:bad::/48: 2001:db8:bad:1::/64 via 2001:db8:1::1 dev wan0 proto ospf metric 30
    the kernel answers: 2001:db8:bad:1:: goes there
  cure: [kernel] cover_more_specifics = true; or remove it with: ip route del 72.37.187.0/24 via 198.51.100.1 dev wan0 proto bgp metric 20
";
    assert!(ran.out.starts_with(expected), "{}", ran.out);
    let json = ground.verify(&["--json"]).code(1).json();
    assert_eq!(json["counts"]["more-specific"], 2);
    assert_eq!(json["leaks"][1]["protocol"], "ospf");
    ground.cure(&json["leaks"][0]);
    ground.cure(&json["leaks"][1]);
    ground.all_dropped();
    assert!(!router.answers("72.37.187.9") && !router.answers("2001:db8:bad:1::9"));

    // One that drops is no leak, nor is one in whose every address another one drops.
    router.ip("route add blackhole 72.37.187.0/24 proto static");
    router.ip("route add 192.0.2.0/25 via 198.51.100.1");
    router.ip("route add blackhole 192.0.2.0/26");
    router.ip("route add blackhole 192.0.2.64/26");
    ground.all_dropped();
    router.ip("route del blackhole 192.0.2.64/26");
    let address = ground.leak()["asked"]["address"]
        .as_str()
        .unwrap()
        .to_owned();
    let last: u8 = address.rsplit('.').next().unwrap().parse().unwrap();
    assert!(
        (64..128).contains(&last),
        "{address} is not in what was opened"
    );
    ground.cure(&ground.leak());

    // A route that has nothing to say lets the later rules speak: the default table has a way out.
    router.ip("route add throw 192.0.2.0/28");
    ground.all_dropped();
    router.ip("route add default via 198.51.100.1 table default");
    assert!(router.answers("192.0.2.9"));
    let leak = ground.leak();
    assert_eq!(leak["route"], "throw 192.0.2.0/28 proto boot");
    assert_eq!(leak["kind"], "more-specific");
    ground.cure(&leak);
    ground.all_dropped();
}

#[test]
fn every_shape_of_route_is_named_as_ip_route_prints_it_and_can_be_removed_by_its_cure() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let Ground { router, .. } = &ground;
    router.ip("nexthop add id 6 via 198.51.100.1 dev wan0");
    for (add, route) in [
        (
            "route add 192.0.2.9 dev wan0 metric 4",
            "192.0.2.9 dev wan0 proto boot scope link metric 4",
        ),
        (
            "route add 192.0.2.128/25 proto 99 nexthop via 198.51.100.1 dev wan0 weight 2 nexthop via 198.51.100.3 dev wan0",
            "192.0.2.128/25 proto openr nexthop via 198.51.100.1 dev wan0 weight 2 nexthop via 198.51.100.3 dev wan0 weight 1",
        ),
        (
            "route add 192.0.2.128/25 via inet6 2001:db8:1::1 dev wan0 proto static",
            "192.0.2.128/25 via inet6 2001:db8:1::1 dev wan0 proto static",
        ),
        (
            "route add 192.0.2.128/25 nhid 6 proto bgp",
            "192.0.2.128/25 nhid 6 via 198.51.100.1 dev wan0 proto bgp",
        ),
        (
            "route add 192.0.2.128/25 via 198.51.100.1 src 198.51.100.2 proto 77",
            "192.0.2.128/25 via 198.51.100.1 dev wan0 proto 77 src 198.51.100.2",
        ),
        (
            "-6 route add 2001:db8:bad:1::9 nexthop via 2001:db8:1::1 dev wan0 nexthop via 2001:db8:1::3 dev wan0",
            "2001:db8:bad:1::9 proto boot metric 1024 nexthop via 2001:db8:1::1 dev wan0 weight 1 nexthop via 2001:db8:1::3 dev wan0 weight 1",
        ),
    ] {
        router.ip(add);
        let leak = ground.leak();
        assert_eq!(leak["route"], route);
        assert_eq!(leak["kind"], "more-specific");
        assert!(leak["asked"]["address"].is_string(), "{leak:#}");
        ground.cure(&leak);
        ground.all_dropped();
    }
    // Only packets with this type of service: the kernel is not asked with it.
    router.ip("route add 192.0.2.0/24 tos 0x10 via 198.51.100.1");
    let leak = ground.leak();
    assert_eq!(leak["packets"], "packets with tos 0x10");
    assert!(
        ground
            .get("192.0.2.9 tos 0x10")
            .contains("via 198.51.100.1")
    );
    assert!(
        leak["cure"]
            .as_str()
            .unwrap()
            .starts_with("remove it with: "),
        "{leak:#}"
    );
    ground.cure(&leak);
    ground.all_dropped();
}

#[test]
fn a_better_metric_a_place_that_is_taken_and_a_route_that_is_gone_are_told_apart() {
    let Some(ground) = Ground::new("[kernel]\nmetric = 50\n") else {
        return;
    };
    let Ground { router, place, .. } = &ground;
    router.ip("route add 192.0.2.0/24 via 198.51.100.1 proto bgp metric 20");
    assert!(router.answers("192.0.2.9"));
    let leak = ground.leak();
    assert_eq!(leak["kind"], "metric");
    assert_eq!(leak["protocol"], "bgp");
    let remove = "ip route del 192.0.2.0/24 via 198.51.100.1 dev wan0 proto bgp metric 20";
    assert_eq!(
        leak["cure"],
        format!("[kernel] metric = 1; or remove it with: {remove}")
    );
    place.configure(&format!("{NOC}[kernel]\nmetric = 1\n"));
    place.run_in(router, &["refresh"]).code(0);
    ground.all_dropped();
    assert!(!router.answers("192.0.2.9"), "the cure works");
    router.sh(remove);
    // A worse metric loses.
    router.ip("route add 192.0.2.0/24 via 198.51.100.1 proto bgp metric 2");
    ground.all_dropped();

    router.ip("route del blackhole 192.0.2.0/24 proto 166");
    let leak = ground.leak();
    assert_eq!(leak["kind"], "missing");
    let answer = "192.0.2.0/24 via 198.51.100.1 dev wan0 proto bgp metric 2";
    assert_eq!(leak["asked"]["route"], answer);
    assert_eq!(leak["cure"], "nullrouted refresh puts it back");
    router.ip("route add 192.0.2.0/24 via 198.51.100.1 proto static metric 1");
    let leak = ground.leak();
    assert_eq!(leak["kind"], "occupied");
    let cure = leak["cure"].as_str().unwrap();
    assert!(
        cure.starts_with("[kernel] metric = 0; or remove it with: "),
        "{cure}"
    );
    ground.cure(&leak);
    place.run_in(router, &["refresh"]).code(0);
    ground.all_dropped();

    // Nothing else leads there: packets go nowhere, and ours is missing all the same.
    router.ip("route flush default");
    router.ip("route flush 192.0.2.0/24");
    let leak = ground.leak();
    assert_eq!(
        (&leak["kind"], &leak["asked"]["route"]),
        (&"missing".into(), &Value::Null)
    );
    ground
        .verify(&[])
        .code(1)
        .says("nothing leads to 192.0.2.0 now");
    // An operator's own blackhole does as well as ours.
    router.ip("route add blackhole 192.0.2.0/24 proto static");
    ground.all_dropped();
}

#[test]
fn an_address_of_this_machine_inside_a_listed_prefix_is_named() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let Ground { router, hoster, .. } = &ground;
    router.address("wan0", "192.0.2.77/32");
    hoster.ip("route add 192.0.2.77 via 198.51.100.2");
    hoster.ip("-6 route add 2001:db8:bad::77 via 2001:db8:1::2");
    assert!(hoster.answers("192.0.2.77"));
    let leak = ground.leak();
    assert_eq!(leak["kind"], "local");
    assert_eq!(leak["asked"]["address"], "192.0.2.77");
    ground
        .verify(&[])
        .code(1)
        .says("nullrouted allow 192.0.2.77");
    router.address("lo", "2001:db8:bad::77/128");
    // The kernel makes the local route in a work queue, after the answer (`addrconf_dad_work`,
    // net/ipv6/addrconf.c).
    eventually("the address is local", || {
        router
            .ip("-6 route show table local")
            .contains("2001:db8:bad::77")
    });
    let json = ground.verify(&["--json"]).code(1).json();
    assert_eq!(json["counts"]["local"], 2, "{json:#}");
    let allow = |address| {
        let words = ["allow", address, "--reason", "ours"];
        ground.place.run_in(router, &words).code(0);
    };
    allow("192.0.2.77");
    allow("2001:db8:bad::77");
    ground.all_dropped();
}
