//! Another way of `lists`, another role, another name: the clauses and lists of the former file are
//! taken away, and no neighbor has more meanwhile than before and after together.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::star::{OWN, Session, Star, table};
use crate::support::namespace::eventually;

const BEFORE: &str = "72.37.186.0/23\n198.51.100.0/24\n2001:db8:bad::/48\n";
const AFTER: &str = "72.37.186.0/23\n192.0.2.0/24\n2001:db8:600d::/48\n";

/// The maps and lists of ours that bgpd holds.
fn held(star: &Star) -> BTreeSet<String> {
    let running = ["-d", "bgpd", "-c", "show running-config"];
    let running = star.trigger.run("vtysh", &running).code(0).out;
    let mut all = BTreeSet::new();
    for line in running.lines() {
        let words: Vec<_> = line.split(' ').collect();
        if let ["route-map", map, _, number] = words[..] {
            all.insert(format!("{map} {number}"));
        } else if let ["ip" | "ipv6", "prefix-list", list, ..] = words[..] {
            all.insert(list.to_owned());
        } else if let ["bgp", _, "access-list" | "standard", list, ..] = words[..] {
            all.insert(list.to_owned());
        } else if let ["bgp", "as-path", "access-list", list, ..] = words[..] {
            all.insert(list.to_owned());
        }
    }
    all.retain(|name| name.starts_with("NULLROUTED"));
    all
}

fn set(prefixes: &[&str]) -> BTreeSet<String> {
    let lines = prefixes.iter().flat_map(|list| list.lines());
    lines.map(str::to_owned).collect()
}

/// The same for the first neighbor alone.
fn polled(star: &Star, may: &BTreeSet<String>, act: impl FnOnce()) {
    each_polled(star, &[may], act);
}

/// Do something while the table of each neighbor is looked at, and while routes come and go in the
/// kernel that no neighbor may receive: each of them is judged by the clauses as they stand in that
/// moment.
fn each_polled(star: &Star, may: &[&BTreeSet<String>], act: impl FnOnce()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let poll = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                for (number, may) in (1..).zip(may) {
                    let now = table(star.neighbor(number));
                    let more: Vec<_> = now.difference(may).collect();
                    assert!(more.is_empty(), "neighbor {number} has {more:?}");
                }
                looks += 1;
            }
            looks
        });
        let others = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                star.trigger.ip("route add 100.99.0.0/16 dev n1");
                star.trigger
                    .ip("route add blackhole 100.98.0.0/16 metric 9");
                star.trigger
                    .ip("route del blackhole 100.98.0.0/16 metric 9");
                star.trigger.ip("route del 100.99.0.0/16 dev n1");
            }
        });
        // Also where it panics: else the others would never end.
        let end = End(&done);
        act();
        drop(end);
        others.join().unwrap();
        assert!(poll.join().unwrap() > 0);
    });
}

/// Ends what goes on meanwhile.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn star() -> Option<Star> {
    let session = Session {
        asn: 65_000,
        out: "route-map NULLROUTED-OUT",
    };
    Star::new(&[session], "")
}

/// What a trigger holds for each way.
const ALWAYS: [&str; 9] = [
    "NULLROUTED",
    "NULLROUTED-IN 5",
    "NULLROUTED-IN 65535",
    "NULLROUTED-IN6 5",
    "NULLROUTED-IN6 65535",
    "NULLROUTED-OUT 10",
    "NULLROUTED-OUT 65535",
    "NULLROUTED-OWN-V4",
    "NULLROUTED-OWN-V6",
];

#[track_caller]
fn holds_for(star: &Star, lists: &str) {
    let mut held = held(star);
    for name in ALWAYS {
        assert!(held.remove(name), "{lists}: no {name} in {held:?}");
    }
    let one = [
        "NULLROUTED-IN 10",
        "NULLROUTED-IN6 10",
        "NULLROUTED-V4",
        "NULLROUTED-V6",
    ];
    let none = [
        "NULLROUTED-IN 30",
        "NULLROUTED-IN6 30",
        "NULLROUTED-LENGTHS-V4",
        "NULLROUTED-LENGTHS-V6",
    ];
    match lists {
        "one" => assert_eq!(held, set(&one)),
        "none" => assert_eq!(held, set(&none)),
        _ => {
            assert_eq!(held.len(), 2 + 4 * 256, "{held:?}");
            assert!(held.contains("NULLROUTED-IN 20") && held.contains("NULLROUTED-V4-72"));
        }
    }
}

#[test]
fn another_way_of_lists_takes_away_the_former_one_and_nobody_has_more_meanwhile() {
    let Some(star) = star() else { return };
    star.configure("lists = \"one\"\n");
    star.place.write("noc.list", BEFORE);
    star.run(&["refresh"]).code(0);
    eventually("the first way", || star.table(1) == set(&[BEFORE]));
    let mut lists = [BEFORE, AFTER];
    for way in ["octets", "one", "octets"] {
        let may = set(&lists);
        lists.reverse();
        star.configure(&format!("lists = \"{way}\"\n"));
        star.place.write("noc.list", lists[0]);
        polled(&star, &may, || {
            star.run(&["refresh"])
                .code(0)
                .says("it.conf replaced, 3 prefixes");
            eventually(way, || star.table(1) == set(&lists[..1]));
        });
        holds_for(&star, way);
        star.run(&["refresh"]).code(0).says("it.conf unchanged");
    }
    // Without a list every route of the kernel that drops is announced.
    for way in ["none", "one", "none", "octets"] {
        star.configure(&format!("lists = \"{way}\"\n"));
        star.run(&["refresh"]).code(0).says("it.conf replaced");
        holds_for(&star, way);
        eventually(way, || star.table(1) == set(&lists[..1]));
    }
}

#[test]
fn a_load_that_stops_in_the_middle_gives_nobody_more_and_the_next_one_ends_it() {
    let Some(star) = star() else { return };
    star.configure("lists = \"one\"\n");
    star.place.write("noc.list", BEFORE);
    star.run(&["refresh"]).code(0);
    eventually("the first way", || star.table(1) == set(&[BEFORE]));
    let may = set(&[BEFORE, AFTER]);
    let bin = star.place.path("bin").display().to_string();
    star.trigger.sh(&format!("mkdir {bin}"));
    // In the lists; in the clauses that are called; in what calls them; before the former clause
    // goes; before its list does.
    for (octets, one) in [
        (
            "ip prefix-list NULLROUTED-V4-40 ",
            "ip prefix-list NULLROUTED-V4 ",
        ),
        (
            "route-map NULLROUTED-LISTED-V4 deny 1072",
            "route-map NULLROUTED-IN deny 10",
        ),
        (
            "route-map NULLROUTED-IN permit 20",
            "route-map NULLROUTED-IN permit 10",
        ),
        (
            "route-map NULLROUTED-IN6 permit 20",
            "no route-map NULLROUTED-IN permit 20",
        ),
        (
            "no route-map NULLROUTED-IN permit 10",
            "no route-map NULLROUTED-LISTED-V4",
        ),
    ] {
        for (way, list, last) in [("octets", AFTER, octets), ("one", BEFORE, one)] {
            star.place.write(
                "draft",
                &format!(
                    "#!/bin/sh\ncase \" $* \" in *' -d bgpd -f /dev/stdin '*) sed '/^{last}/q' >{bin}/plan\n\
                     tail -n 1 {bin}/plan >>{bin}/last; /usr/bin/vtysh -d bgpd -f {bin}/plan; exit 1 ;; esac\nexec /usr/bin/vtysh \"$@\"\n"
                ),
            );
            star.trigger.sh(&format!(
                "install -m 755 {} {bin}/vtysh",
                star.place.path("draft").display()
            ));
            star.configure(&format!("lists = \"{way}\"\n"));
            star.place.write("noc.list", list);
            polled(&star, &may, || {
                star.run_with(&bin, &["refresh"])
                    .code(1)
                    .says("reload failed");
                // The former file is loaded after it.
                let ended = star.trigger.sh(&format!("cat {bin}/last; rm {bin}/last"));
                assert!(ended.starts_with(last), "{ended}");
                // Until bgpd has gone by what it holds now.
                std::thread::sleep(std::time::Duration::from_millis(1_500));
            });
            polled(&star, &may, || {
                star.run(&["refresh"]).code(0);
                eventually(way, || star.table(1) == set(&[list]));
            });
            holds_for(&star, way);
        }
    }
}

#[test]
fn another_role_or_name_takes_away_what_the_former_had() {
    let Some(star) = star() else { return };
    star.configure("lists = \"octets\"\n");
    star.place.write("noc.list", BEFORE);
    star.run(&["refresh"]).code(0);
    eventually("it announces", || star.table(1) == set(&[BEFORE]));
    // Another name and another way at once.
    star.configure("lists = \"one\"\n");
    let config = std::fs::read_to_string(star.place.config()).unwrap();
    std::fs::write(star.place.config(), config.replace("\"it\"", "\"that\"")).unwrap();
    polled(&star, &set(&[BEFORE]), || {
        star.run(&["refresh"]).code(0);
        eventually("it still announces", || star.table(1) == set(&[BEFORE]));
    });
    holds_for(&star, "one");

    polled(&star, &set(&[BEFORE]), || {
        star.configure("role = \"filter\"\nlists = \"octets\"\n");
        star.run(&["refresh"]).code(0);
        eventually("it announces nothing", || star.table(1).is_empty());
    });
    let left = [
        "NULLROUTED",
        "NULLROUTED-IN 65535",
        "NULLROUTED-IN6 65535",
        "NULLROUTED-OUT 65535",
        "NULLROUTED-OWN-V4",
        "NULLROUTED-OWN-V6",
    ];
    let mut now = held(&star);
    now.retain(|name| !name.starts_with("NULLROUTED-FILTER"));
    assert_eq!(now, set(&[&left[..], &["NULLROUTED-ORIGINS"]].concat()));
    star.run(&["refresh"]).code(0).says("it.conf unchanged");

    polled(&star, &set(&[BEFORE]), || {
        star.configure("role = \"trigger\"\nlists = \"one\"\n");
        star.run(&["refresh"]).code(0);
        eventually("it announces again", || star.table(1) == set(&[BEFORE]));
    });
    let mut now = held(&star);
    assert!(now.remove("NULLROUTED-FILTER 65535"), "{now:?}");
    assert!(
        now.iter()
            .all(|name| !name.contains("FILTER") && !name.contains("ORIGINS")),
        "{now:?}"
    );
}

/// The header has a clause for each neighbor that may not have blackholes, which matches our
/// community-list.
#[test]
fn another_role_gives_blackholes_to_no_neighbor_that_denies_them_by_the_community_list() {
    let session = |asn, out| Session { asn, out };
    let sessions = [
        session(65_001, "route-map NULLROUTED-OUT"),
        session(65_002, "route-map ALL"),
    ];
    let denies = "route-map ALL deny 1\n match community NULLROUTED\nexit\nroute-map ALL permit 65535\nexit\n";
    let Some(star) = Star::new(&sessions, denies) else {
        return;
    };
    let trigger = "lists = \"one\"\nannounce_to = \"ebgp\"\nneighbors = [\"100.64.1.2\"]\n";
    let others = set(&[OWN]);
    star.place.write("noc.list", BEFORE);
    for _ in 0..3 {
        each_polled(&star, &[&set(&[BEFORE]), &others], || {
            star.configure(trigger);
            star.run(&["refresh"]).code(0);
            eventually("it announces", || star.table(1) == set(&[BEFORE]));
            assert_eq!(star.table(2), others);
        });
        each_polled(&star, &[&set(&[BEFORE]), &others], || {
            star.configure("role = \"filter\"\nlists = \"one\"\n");
            star.run(&["refresh"]).code(0);
            eventually("it announces nothing", || star.table(1).is_empty());
        });
        assert_eq!(star.table(2), others);
        assert!(held(&star).contains("NULLROUTED"), "{:?}", held(&star));
    }
}
