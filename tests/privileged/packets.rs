//! Real packets: two hosts, our router between.
//!
//! ```text
//!  client ──100.64.0.0/30── router ──100.64.0.4/30── far: 72.37.186.1, 72.37.188.1, 2001:db8:…::1
//! ```

use crate::support::Place;
use crate::support::lab::Lab;
use crate::support::namespace::eventually;

const SITES: [&str; 4] = [
    "72.37.186.1",
    "72.37.188.1",
    "2001:db8:bad::1",
    "2001:db8:600d::1",
];

#[test]
fn listed_traffic_dies_its_neighbour_lives_and_a_delisting_brings_it_back() {
    let Some(Lab {
        router,
        near: client,
        far: _far,
    }) = Lab::new()
    else {
        return;
    };
    let [shop, neighbour, shop6, neighbour6] = SITES;

    let place = Place::new("[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n");
    place.write("noc.list", "# nobody yet\n");
    place.run_in(&router, &["refresh"]).code(0);
    for site in SITES {
        eventually(&format!("{site} answers before"), || client.answers(site));
    }

    place.write("noc.list", "72.37.186/23\n2001:db8:bad::/48\n");
    place.run_in(&router, &["refresh"]).code(0);
    assert!(!client.answers(shop), "72.37.186.1 is dropped");
    assert!(!client.answers(shop6), "2001:db8:bad::1 is dropped");
    assert!(client.answers(neighbour), "the next /23 is not touched");
    assert!(client.answers(neighbour6), "the next /48 is not touched");

    place.write("noc.list", "# delisted\n");
    place.run_in(&router, &["refresh"]).code(0);
    assert!(client.answers(shop), "72.37.186.1 answers again");
    assert!(client.answers(shop6), "2001:db8:bad::1 answers again");
}
