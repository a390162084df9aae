//! The list is right, and names the operator's own network: its resolver, its addresses, its
//! neighbors. Real routes and packets in namespaces.
//!
//! ```text
//!  router .2 ──198.51.100.0/24── .1 far: the rest of the world, on its loopback
//! ```

use std::time::{Duration, Instant};

use crate::ground::{daemon, etc, holes, size, touch, within};
use crate::support::cases::note;
use crate::support::namespace::{Namespace, eventually};
use crate::support::soon::{SECOND, soon};
use crate::support::{AROUND, NOC, Place};

/// A router and the rest of the world, which has these addresses.
pub fn world(addresses: &str) -> Option<(Namespace, Namespace)> {
    let router = Namespace::new()?;
    let far = router.another()?;
    router.wire("wan0", "198.51.100.2/24", &far, "lan0", "198.51.100.1/24");
    far.address("lo", addresses);
    router.ip("route add default via 198.51.100.1");
    Some((router, far))
}

pub fn local(list: &str, more: &str) -> Place {
    let place = Place::new(&format!("{AROUND}{NOC}{more}"));
    place.write("noc.list", list);
    place
}

pub fn resolver() {
    let Some((router, _far)) = world("8.8.8.8/32 8.8.8.9/32") else {
        return;
    };
    let file = "search example\nnameserver 8.8.8.8\nnameserver 2001:4860:4860::8888\n";
    etc(&router, &[("resolv.conf", file)]);
    let place = local("8.8.8.0/24\n2001:4860:4860::/48\n", "");
    place.run_in(&router, &["refresh"]).code(0);
    let holes = holes(&router);
    assert_eq!((holes.len(), size(&holes)), (8, 255), "{holes:?}");
    assert!(!touch(&holes, "8.8.8.8"), "{holes:?}");
    assert_eq!(
        router.ours().len(),
        8 + 80,
        "all of the /48 but one address"
    );
    assert!(router.answers("8.8.8.8") && !router.answers("8.8.8.9"));
    place
        .run_in(&router, &["why", "2001:4860:4860::8888"])
        .code(0)
        .says("resolver in /etc/resolv.conf");
    place
        .run_in(&router, &["why", "8.8.8.8"])
        .code(0)
        .says("8.8.8.8 is listed and not blackholed: it is protected")
        .says("resolver in /etc/resolv.conf");
}

pub fn own_prefix() {
    let Some((router, _far)) =
        world("72.37.186.1/32 72.37.188.1/32 203.0.113.9/32 203.0.113.10/32")
    else {
        return;
    };
    let frr = "router bgp 65001\n neighbor 203.0.113.9 remote-as 65000\n";
    etc(&router, &[("frr/frr.conf", frr)]);
    let place = local(
        "198.51.0.0/16 # our network is in it\n198.51.100.1 # our gateway\n203.0.0.0/16 # a neighbor\n\
         192.0.2.0/24 # a customer\n72.37.186.0/23\n",
        "[protect]\nprefixes = [\"192.0.2.64/26\"]\n",
    );
    eventually("the far end answers", || router.answers("72.37.186.1"));
    place.run_in(&router, &["refresh"]).code(0);

    let all = holes(&router);
    let cut = |net: &str| {
        let pieces = within(&all, net);
        (pieces.len(), size(&pieces))
    };
    assert_eq!(cut("198.51.0.0/16"), (8, 65_536 - 256), "{all:?}");
    assert_eq!(
        cut("203.0.0.0/16"),
        (16, 65_536 - 1),
        "sixteen pieces: {all:?}"
    );
    assert_eq!(cut("192.0.2.0/24"), (2, 256 - 64), "{all:?}");
    assert_eq!(cut("72.37.186.0/23"), (1, 512), "{all:?}");
    assert_eq!(all.len(), 27);
    for (ours, why) in [
        ("198.51.100.0/24", "connected on wan0"),
        ("198.51.100.2", "address of wan0"),
        ("198.51.100.1", "gateway on wan0"),
        ("203.0.113.9", "BGP neighbor in FRR"),
        ("192.0.2.64/26", "protected: 192.0.2.64/26, "),
    ] {
        assert!(!touch(&all, ours), "{ours}: {all:?}");
        let said = place.run_in(&router, &["why", ours]).code(0);
        said.says("is listed and not blackholed: it is protected")
            .says(why);
    }
    for (address, lives) in [
        ("198.51.100.1", true),
        ("203.0.113.9", true),
        ("72.37.188.1", true),
        ("203.0.113.10", false),
        ("72.37.186.1", false),
    ] {
        assert_eq!(router.answers(address), lives, "{address}");
    }
    a_new_address_is_protected_at_once(&router, &place);
}

/// With the daemon at work: a network that comes up inside a blackhole is cut out of it within two
/// seconds.
fn a_new_address_is_protected_at_once(router: &Namespace, place: &Place) {
    router.ip("route flush proto 166");
    let running = daemon(place, router);
    eventually("its first pass is over", || holes(router).len() == 27);
    std::thread::sleep(Duration::from_millis(500));
    let took = an_address_comes_and_goes(router);
    note(format!("{took} after ip address, by the daemon"));
    drop(running);

    // Also while it waits for a host that does not answer, nor says that it does not.
    let config = place.read("nullrouted.toml");
    let away = "[[feed]]\nname = \"away\"\nurl = \"http://203.1.2.3/list.txt\"\n";
    place.write("nullrouted.toml", &format!("{config}{away}"));
    let _daemon = daemon(place, router);
    // A connection that is being opened (02).
    let waits = || {
        router
            .sh("grep -c ' 02 ' /proc/self/net/tcp || true")
            .trim()
            == "1"
    };
    eventually("it waits for a host", waits);
    let took = an_address_comes_and_goes(router);
    assert!(waits(), "all of it during the wait");
    note(format!("{took} while a download hangs"));
}

/// How long it took, in words.
fn an_address_comes_and_goes(router: &Namespace) -> String {
    let hole = || -> Vec<String> {
        let hole = within(&holes(router), "72.37.186.0/23");
        hole.iter().map(ToString::to_string).collect()
    };
    let begun = Instant::now();
    router.ip("address add 72.37.186.77/24 dev wan0");
    soon(router, 2 * SECOND, "the network is protected", || {
        hole() == ["72.37.187.0/24"]
    });
    let came = begun.elapsed().as_millis();
    assert_eq!(holes(router).len(), 27, "and nothing else moves");
    let begun = Instant::now();
    router.ip("address del 72.37.186.77/24 dev wan0");
    soon(router, 2 * SECOND, "it has gone", || {
        hole() == ["72.37.186.0/23"]
    });
    let went = begun.elapsed().as_millis();
    format!("protected {came} ms, given up {went} ms")
}
