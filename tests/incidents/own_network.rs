//! The list is right, and names whoever must be reached: the operator's own network, its resolver, the feed's
//! own server, the operator on his way in. Real routes and packets in namespaces.
//!
//! ```text
//!  router .2 ──198.51.100.0/24── .1 far: the rest of the world, on its loopback
//! ```

use std::time::{Duration, Instant};

use crate::ground::{Daemon, answers, edit, etc, holes, size, soon, touch, within};
use crate::inside::Helper;
use crate::runner::note;
use crate::support::namespace::{Namespace, eventually};
use crate::support::{NOC, Place};

/// A router and the rest of the world, which has these addresses.
fn world(addresses: &str) -> Option<(Namespace, Namespace)> {
    let router = Namespace::new()?;
    let far = router.another()?;
    router.wire("wan0", "198.51.100.2/24", &far, "lan0", "198.51.100.1/24");
    far.address("lo", addresses);
    router.ip("route add default via 198.51.100.1");
    Some((router, far))
}

fn local(list: &str, more: &str) -> Place {
    let place = Place::new(&format!("{NOC}{more}"));
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
    assert!(answers(&router, "8.8.8.8") && !answers(&router, "8.8.8.9"));
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
    eventually("the far end answers", || answers(&router, "72.37.186.1"));
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
        assert_eq!(answers(&router, address), lives, "{address}");
    }
    a_new_address_is_protected_at_once(&router, &place);
}

/// With the daemon at work: a network that comes up inside a blackhole is cut out of it within two seconds.
fn a_new_address_is_protected_at_once(router: &Namespace, place: &Place) {
    router.ip("route flush proto 166");
    let daemon = Daemon::start(place, router);
    eventually("its first pass is over", || holes(router).len() == 27);
    std::thread::sleep(Duration::from_millis(500));
    let took = an_address_comes_and_goes(router);
    note(format!("{took} after ip address, by the daemon"));
    drop(daemon);

    // Also while it waits for a host that does not answer, nor says that it does not.
    let config = place.read("nullrouted.toml");
    let away = "[[feed]]\nname = \"away\"\nurl = \"http://203.1.2.3/list.txt\"\n";
    place.write("nullrouted.toml", &format!("{config}{away}"));
    let _daemon = Daemon::start(place, router);
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
    soon("the network is protected", || hole() == ["72.37.187.0/24"]);
    let came = begun.elapsed().as_millis();
    assert_eq!(holes(router).len(), 27, "and nothing else moves");
    let begun = Instant::now();
    router.ip("address del 72.37.186.77/24 dev wan0");
    soon("it has gone", || hole() == ["72.37.186.0/23"]);
    let went = begun.elapsed().as_millis();
    format!("protected {came} ms, given up {went} ms")
}

pub fn feed_host() {
    let Some((router, far)) = world("203.0.113.7/32 203.0.113.8/32") else {
        return;
    };
    let etc_hosts = "127.0.0.1 localhost\n203.0.113.7 lists.example\n";
    etc(
        &router,
        &[("hosts", etc_hosts), ("nsswitch.conf", "hosts: files\n")],
    );
    let config = |more: &str| {
        format!("[[feed]]\nname = \"partner\"\nurl = \"http://lists.example/list.txt\"\n{more}")
    };
    let place = Place::new(&config(""));
    place.write("served.list", "203.0.113.0/24\n");
    let file = place.path("served.list").display().to_string();
    let _server = Helper::start(&far, &["serve", "203.0.113.7:80", &file]);

    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("feed=partner  1 entries");
    let around = || within(&holes(&router), "203.0.113.0/24");
    assert_eq!(
        (around().len(), size(&around())),
        (8, 255),
        "{:?}",
        around()
    );
    assert!(!touch(&holes(&router), "203.0.113.7"));
    assert!(!answers(&router, "203.0.113.8"), "the others are dropped");
    place
        .run_in(&router, &["why", "203.0.113.7"])
        .code(0)
        .says("is listed and not blackholed: it is protected")
        .says("host of feed partner: lists.example");
    place.write("served.list", "203.0.113.0/24\n72.37.186.0/23\n");
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("2 entries, 1 new");
    assert!(touch(&holes(&router), "72.37.186.1"));

    // What would be otherwise: it cuts itself off, and the last good copy stays.
    place.configure(&config(
        "[fetch]\nconnect_timeout = \"1s\"\n[protect]\ndiscover = []\n",
    ));
    place.run_in(&router, &["refresh"]).code(0);
    assert!(touch(&holes(&router), "203.0.113.7"));
    let ran = place.run_in(&router, &["refresh"]).code(0);
    ran.says("feed=partner  failed: ");
    // And it finds its way back.
    place.configure(&config("[fetch]\nconnect_timeout = \"1s\"\n"));
    place.run_in(&router, &["refresh"]).code(0);
    assert!(!touch(&holes(&router), "203.0.113.7"));
    place.write("served.list", "203.0.113.0/24\n72.37.184.0/22\n");
    let ran = place.run_in(&router, &["refresh"]).code(0);
    ran.says("2 entries, 1 new");
}

pub fn login() {
    // A socket for both families, as systemd opens it, shows its IPv4 peers among those of IPv6.
    for at in ["198.51.100.2:22", "[::]:22"] {
        a_session_is_protected(at);
    }
}

fn a_session_is_protected(at: &str) {
    let Some((router, far)) = world("203.0.113.77/32") else {
        return;
    };
    // The operator sits behind the far end, in a network that is listed.
    far.ip("route replace 198.51.100.0/24 dev lan0 src 203.0.113.77");
    let place = local("203.0.113.0/24\n", "[protect]\ndiscover = [\"sessions\"]\n");
    let _listener = Helper::start(&router, &["listen", at]);
    let mut operator = Helper::start(&far, &["connect", "198.51.100.2:22"]);
    assert_eq!(operator.ask("before"), "before");

    place.run_in(&router, &["refresh"]).code(0);
    let all = holes(&router);
    assert_eq!((all.len(), size(&all)), (8, 255), "{all:?}");
    assert!(!touch(&all, "203.0.113.77"), "{all:?}");
    assert_eq!(operator.ask("after"), "after", "the session lives");
    let why = || place.run_in(&router, &["why", "203.0.113.77"]).code(0);
    why()
        .says("is listed and not blackholed: it is protected")
        .says("protected: 203.0.113.77/32, ssh session\n");

    drop(operator);
    // Established (01) at port 22 (0016).
    let established = "cat /proc/self/net/tcp /proc/self/net/tcp6 | grep -c ':0016 .* 01 ' || true";
    eventually("the session has ended", || {
        router.sh(established).trim() == "0"
    });
    let refreshed = || {
        place.run_in(&router, &["refresh"]).code(0);
        size(&holes(&router))
    };
    assert_eq!(refreshed(), 255, "he may come back within the hour");
    let later = |seconds: u32| {
        let change = format!("UPDATE discovered SET last_seen = last_seen - {seconds}");
        edit(&place, &change);
    };
    later(3_000);
    assert_eq!(refreshed(), 255);
    why().says("ssh session, last seen ");
    later(700);
    assert_eq!(refreshed(), 256, "after the hour");
    why().says("203.0.113.77 is blackholed by 203.0.113.0/24");
}
