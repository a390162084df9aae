//! A list loses nearly all of its addresses in a few prefixes.

use crate::support::Place;

fn held(place: &Place, list: &str, why: &str) {
    let before = place.run(&["list"]).out;
    place.write("noc.list", list);
    place.run(&["refresh"]).code(3).says(why);
    assert_eq!(place.run(&["list"]).out, before);
    // What is held has a name, and an approval of it lets it go.
    let plan = place.run(&["plan", "--json"]).json();
    place
        .run(&["approve", plan["id"].as_str().unwrap()])
        .code(0);
    assert_ne!(place.run(&["list"]).out, before);
}

fn networks(count: u32, step: u32, len: u8) -> String {
    let net = |i: u32| {
        let at = 0x1400_0000 + ((i * step) << (32 - len));
        format!("{}/{len}\n", std::net::Ipv4Addr::from(at))
    };
    (0..count).map(net).collect()
}

pub fn leap_down() {
    // Ten /16, written as 2 560 /24.
    let ten: String = (0..10)
        .flat_map(|i| (0..256).map(move |j| format!("20.{}.{j}.0/24\n", 2 * i)))
        .collect();
    let hosts: String = (0..10).map(|i| format!("20.{}.0.1\n", 2 * i)).collect();
    let place = Place::of_list(&ten);
    place.run(&["refresh"]).code(0);
    held(
        &place,
        &hosts,
        "from 0.01526% to 0.0000002328% of all IPv4 addresses (max_removed 25%)",
    );
    // 20 000 neighbors, of which a reader in the middle of a write sees 909.
    let place = Place::of_list(&networks(20_000, 1, 24));
    place.run(&["refresh"]).code(0);
    held(
        &place,
        &networks(909, 1, 24),
        "from 0.1192% to 0.005418% of all IPv4 addresses (max_removed 25%)",
    );
    // The same of IPv6, and for one feed of two.
    let sites = |count: u32, len: u8| -> String {
        (0..count)
            .map(|i| format!("2001:db8:{:x}::/{len}\n", 2 * i))
            .collect()
    };
    let two = "[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n[[feed]]\nname = \"big\"\npath = \"big.list\"\n\
               [kernel]\nenabled = false\n";
    let place = Place::new(two);
    place.write("noc.list", &sites(40, 48));
    place.write("big.list", &networks(100, 2, 16));
    place.run(&["refresh"]).code(0);
    place.write("noc.list", &sites(40, 128));
    place.run(&["refresh"]).code(3).says("noc: from ");
    written_at_this_moment();
}

/// A last line without a newline counts when the file stood still for two seconds, if it is valid.
fn written_at_this_moment() {
    let place = Place::of_list("192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n");
    place.run(&["refresh"]).code(0);
    let before = place.run(&["list"]).out;
    place.write("noc.list", "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/2");
    place.run(&["refresh"]).code(0).says(
        "1 rejected (line 3: \"203.0.113.0/2\": host bits set, probably 192.0.0.0/2 was meant)",
    );
    assert_eq!(
        place.run(&["list"]).lines(),
        ["192.0.2.0/24", "198.51.100.0/24"]
    );
    place.write("noc.list", "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24");
    place.run(&["refresh"]).code(0);
    assert_eq!(place.run(&["list"]).out, before);
}
