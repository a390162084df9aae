//! Real packets: two hosts, our router between.
//!
//! ```text
//!  client ──100.64.0.0/30── router ──100.64.0.4/30── far: 72.37.186.1, 72.37.188.1, 2001:db8:…::1
//! ```

mod support;

use support::Place;
use support::namespace::{Namespace, eventually};

const SITES: [&str; 4] = [
    "72.37.186.1",
    "72.37.188.1",
    "2001:db8:bad::1",
    "2001:db8:600d::1",
];

fn ping(client: &Namespace, address: &str) -> bool {
    client
        .run("ping", &["-n", "-c", "1", "-W", "1", address])
        .code
        == Some(0)
}

#[test]
fn listed_traffic_dies_its_neighbour_lives_and_a_delisting_brings_it_back() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let (Some(client), Some(far)) = (router.another(), router.another()) else {
        return;
    };
    router.wire(
        "near0",
        "100.64.0.1/30 fd00:1::1/64",
        &client,
        "near1",
        "100.64.0.2/30 fd00:1::2/64",
    );
    router.wire(
        "far0",
        "100.64.0.5/30 fd00:2::1/64",
        &far,
        "far1",
        "100.64.0.6/30 fd00:2::2/64",
    );
    client.ip("route add default via 100.64.0.1");
    client.ip("-6 route add default via fd00:1::1");
    far.ip("route add default via 100.64.0.5");
    far.ip("-6 route add default via fd00:2::1");
    far.address(
        "lo",
        "72.37.186.1/32 72.37.188.1/32 2001:db8:bad::1/128 2001:db8:600d::1/128",
    );
    router.ip("route add default via 100.64.0.6");
    router.ip("-6 route add default via fd00:2::2");
    router.sh(
        "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
    );
    let [shop, neighbour, shop6, neighbour6] = SITES;

    let place = Place::new("[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n");
    place.write("noc.list", "# nobody yet\n");
    place.run_in(&router, &["refresh"]).code(0);
    for site in SITES {
        eventually(&format!("{site} answers before"), || ping(&client, site));
    }

    place.write("noc.list", "72.37.186/23\n2001:db8:bad::/48\n");
    place.run_in(&router, &["refresh"]).code(0);
    assert!(!ping(&client, shop), "72.37.186.1 is dropped");
    assert!(!ping(&client, shop6), "2001:db8:bad::1 is dropped");
    assert!(ping(&client, neighbour), "the next /23 is not touched");
    assert!(ping(&client, neighbour6), "the next /48 is not touched");

    place.write("noc.list", "# delisted\n");
    place.run_in(&router, &["refresh"]).code(0);
    assert!(ping(&client, shop), "72.37.186.1 answers again");
    assert!(ping(&client, shop6), "2001:db8:bad::1 answers again");
}
