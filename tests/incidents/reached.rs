//! The list is right, and names what must be reached to go on: the feed's own server, and the
//! router by whoever runs it.

use crate::ground::{daemon, etc, holes, size, touch, within};
use crate::inside::Helper;
use crate::own_network::{local, world};
use crate::support::namespace::eventually;
use crate::support::soon::{SECOND, soon};
use crate::support::sshd::{self, Sshd};
use crate::support::{AROUND, Place};

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
        format!(
            "{AROUND}[[feed]]\nname = \"partner\"\nurl = \"http://lists.example/list.txt\"\n{more}"
        )
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
    assert!(!router.answers("203.0.113.8"), "the others are dropped");
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
    let Some((router, far)) = world("203.0.113.77/32") else {
        return;
    };
    // The operator sits behind the far end, in a network that is listed.
    far.ip("route replace 198.51.100.0/24 dev lan0 src 203.0.113.77");
    let place = local("203.0.113.0/24\n", "[protect]\ndiscover = [\"sessions\"]\n");
    let Some(files) = sshd::files(&place) else {
        return;
    };
    etc(
        &router,
        &files.each_ref().map(|(name, text)| (*name, text.as_str())),
    );
    let server = Sshd::start(&place, &router, "198.51.100.2");
    let mut operator = server.login(&far, "op", "198.51.100.2");
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
        place.edit(&change);
    };
    later(3_000);
    assert_eq!(refreshed(), 255);
    why().says("ssh session, last seen ");
    later(700);
    assert_eq!(refreshed(), 256, "after the hour");
    why().says("203.0.113.77 is blackholed by 203.0.113.0/24");
}

/// A host is silent when the daemon starts. What is known does not wait for it: neither the last
/// good copy, after a reboot that took the routes, nor an address that came while the daemon was
/// stopped.
pub fn after_a_start_while_the_network_is_down() {
    let Some((router, far)) = world("203.0.113.7/32") else {
        return;
    };
    let place = Place::new(&format!(
        "{AROUND}[[feed]]\nname = \"partner\"\nurl = \"http://203.0.113.7/list.txt\"\n"
    ));
    place.write("served.list", "72.37.186.0/23\n");
    let file = place.path("served.list").display().to_string();
    let server = Helper::start(&far, &["serve", "203.0.113.7:80", &file]);
    place.run_in(&router, &["refresh"]).code(0);
    assert!(touch(&holes(&router), "72.37.186.1"));
    drop(server);
    far.ip("address del 203.0.113.7/32 dev lo");

    for (what, change, wanted) in [
        (
            "the last good copy",
            "route flush proto 166",
            "72.37.186.0/23",
        ),
        (
            "a new address",
            "address add 72.37.186.77/24 dev wan0",
            "72.37.187.0/24",
        ),
    ] {
        place.edit("UPDATE feed SET looked_at = looked_at - 86400");
        router.ip(change);
        let _daemon = daemon(&place, &router);
        let wanted: Vec<_> = vec![wanted.parse().unwrap()];
        soon(&router, 3 * SECOND, what, || holes(&router) == wanted);
    }
}
