//! A1: whoever answers DNS for a feed's host name can take another feed's listings out of force.
//!
//! ```text
//!  router .2 ──198.51.100.0/24── .1 far: DNS for lists.example, and what is in 72.37.186.0/23
//! ```

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::ground::{etc, holes, size, touch, within};
use crate::inside::Helper;
use crate::support::namespace::Namespace;
use crate::support::{AROUND, NOC, PROGRAM, Place, tls};

const LISTED: &str = "72.37.186.0/23";

struct Scene {
    router: Namespace,
    far: Namespace,
    place: Place,
    _dns: Helper,
}

impl Scene {
    /// A feed lists the /23, which is in force; another, at this URL, is read next.
    fn new(url: &str, addresses: &str) -> Option<Self> {
        let router = Namespace::new()?;
        let far = router.another()?;
        router.wire("wan0", "198.51.100.2/24", &far, "lan0", "198.51.100.1/24");
        router.ip("route add default via 198.51.100.1");
        let place = Place::new(&format!(
            "{AROUND}[fetch]\nconnect_timeout = \"1s\"\nca_file = \"ca.pem\"\n{NOC}\
             [[feed]]\nname = \"partner\"\nurl = \"{url}\"\n"
        ));
        tls::authority(&place.path(""));
        tls::certificate(&place.path(""), "host", "DNS:lists.example");
        tls::certificate(&place.path(""), "other", "DNS:other.example");
        place.write("noc.list", &format!("{LISTED}\n"));
        place.write("served.list", "203.0.113.0/24\n");
        place.write("addresses", addresses);
        etc(
            &router,
            &[
                ("hosts", "127.0.0.1 localhost\n"),
                ("nsswitch.conf", "hosts: files dns\n"),
                ("resolv.conf", "nameserver 198.51.100.1\n"),
            ],
        );
        let file = place.path("addresses").display().to_string();
        let dns = Helper::start(&far, &["dns", "198.51.100.1:53", &file]);
        // The other feed has no copy yet.
        place.run_in(&router, &["refresh", "--feed", "noc"]).code(1);
        let scene = Self {
            router,
            far,
            place,
            _dns: dns,
        };
        assert_eq!(scene.dropped(), 512, "in force from the start");
        Some(scene)
    }

    /// How many addresses of the listed network are dropped.
    fn dropped(&self) -> u64 {
        size(&within(&holes(&self.router), LISTED))
    }

    fn serves(&self, words: &[&str]) -> Helper {
        let file = self.place.path("served.list").display().to_string();
        let words: Vec<&str> = words
            .iter()
            .map(|word| if *word == "FILE" { file.as_str() } else { word })
            .collect();
        Helper::start(&self.far, &words)
    }

    /// One pass, and the fewest addresses that were dropped meanwhile.
    fn refresh(&self) -> u64 {
        let command = self.router.command(PROGRAM);
        let mut command = self.place.command(command, &["refresh"]);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut fewest = 512;
        loop {
            let dropped = self.dropped();
            // A prefix that is cut is replaced by its pieces one after the other: what is missing
            // for a moment is not out of force.
            if dropped < fewest && self.dropped() == dropped {
                fewest = dropped;
            }
            if child.try_wait().unwrap().is_some() {
                return fewest;
            }
            sleep(Duration::from_millis(5));
        }
    }
}

/// 39 addresses, scattered so that holes for them would leave more than 128 pieces.
fn many() -> String {
    let host = |i: u32| format!("72.37.{}.{}\n", 186 + i % 2, 3 + 6 * i);
    (0..39).map(host).collect()
}

pub fn no_server() {
    let Some(scene) = Scene::new("http://lists.example/list.txt", &many()) else {
        return;
    };
    let fewest = scene.refresh();
    assert!(fewest >= 512 - 8, "{fewest} of 512 were dropped");
    assert!(fewest < 512, "what is connected to is not dropped");
    assert_eq!(scene.router.ours(), ["blackhole 72.37.186.0/23"]);
    let status = scene.place.run_in(&scene.router, &["status"]).code(1);
    assert!(!status.out.contains("feed-hosts"), "{}", status.out);
    scene
        .place
        .run_in(&scene.router, &["why", "72.37.186.3"])
        .code(0)
        .says("72.37.186.3 is blackholed by 72.37.186.0/23");
}

/// One address answers: it stays protected, and nothing else does.
fn one_is_proven(scene: &Scene) {
    scene.refresh();
    assert!(
        touch(&holes(&scene.router), "203.0.113.0/24"),
        "it was read"
    );
    assert_eq!(scene.dropped(), 511);
    assert!(!touch(&holes(&scene.router), "72.37.186.7"));
    scene
        .place
        .run_in(&scene.router, &["why", "72.37.186.7"])
        .code(0)
        .says("is listed and not blackholed: it is protected")
        .says("host of feed partner: lists.example");
    // At the next pass it is protected before it is asked, and a server that has gone keeps what it
    // proved.
    assert_eq!(scene.refresh(), 511);
    scene.place.write("addresses", "");
    assert_eq!(scene.refresh(), 511, "the name does not resolve");
    let later = format!(
        "UPDATE discovered SET last_seen = last_seen - {}",
        8 * 86_400
    );
    scene.place.edit(&later);
    scene.refresh();
    assert_eq!(scene.dropped(), 512, "not for ever");
    scene.place.write("addresses", "72.37.186.7\n");
    scene.refresh();
    assert_eq!(scene.dropped(), 511, "and it is reached again");
}

const THREE: &str = "72.37.186.9\n72.37.186.7\n72.37.187.7\n";

pub fn tls() {
    let Some(scene) = Scene::new("https://lists.example/list.txt", THREE) else {
        return;
    };
    scene.far.address("lo", "72.37.186.7/32");
    let _server = scene.serves(&["tls", "72.37.186.7:443", "FILE", "host"]);
    one_is_proven(&scene);
}

pub fn http() {
    let Some(scene) = Scene::new("http://lists.example/list.txt", THREE) else {
        return;
    };
    scene.far.address("lo", "72.37.186.7/32");
    let _server = scene.serves(&["serve", "72.37.186.7:80", "FILE"]);
    one_is_proven(&scene);
}

pub fn not_proven() {
    let cases: [(&str, &[&str]); 3] = [
        ("http", &["cut", "72.37.186.7:80", "FILE"]),
        ("https", &["tls", "72.37.186.7:443", "FILE", "other"]),
        // What speaks no TLS at all.
        ("https", &["serve", "72.37.186.7:443", "FILE"]),
    ];
    for (scheme, server) in cases {
        let url = format!("{scheme}://lists.example/list.txt");
        let Some(scene) = Scene::new(&url, "72.37.186.7\n") else {
            return;
        };
        scene.far.address("lo", "72.37.186.7/32");
        let _server = scene.serves(server);
        scene.refresh();
        let now = holes(&scene.router);
        assert!(!touch(&now, "203.0.113.0/24"), "{server:?}: it was read");
        assert_eq!(scene.dropped(), 512, "{server:?}");
    }
}

pub fn eight_in_all() {
    let Some(scene) = Scene::new("http://lists.example/list.txt", "72.37.186.1\n") else {
        return;
    };
    // Every address of the network is his.
    scene.far.ip("route add local 72.37.186.0/23 dev lo");
    let _server = scene.serves(&["serve", "0.0.0.0:80", "FILE"]);
    for look in 1..=12_u64 {
        scene
            .place
            .write("addresses", &format!("72.37.186.{}\n", 20 * look));
        let fewest = scene.refresh();
        assert!(fewest >= 512 - 8, "{fewest} at look {look}");
        assert_eq!(scene.dropped(), 512 - look.min(8), "after look {look}");
        let latest = format!("72.37.186.{}", 20 * look);
        assert!(!touch(&holes(&scene.router), &latest), "{latest}");
        // The next look is a minute later.
        scene.place.edit(
            "UPDATE discovered SET first_seen = first_seen - 60, last_seen = last_seen - 60
             WHERE source = 'feed-hosts'",
        );
    }
}
