//! The kernel as a target: real routes in a namespace of our own.

use crate::support::namespace::Namespace;
use crate::support::{NOC, Place};

fn place(list: &str) -> Place {
    let place = Place::new(NOC);
    place.write("noc.list", list);
    place
}

#[test]
fn routes_of_both_families_are_installed_marked_and_withdrawn() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("72.37.186/23 # spammer\n2001:db8:bad::/48\n192.0.2.0/25\n192.0.2.128/25\n");
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("target=kernel  added 3, removed 0, kept 0, failed 0");
    assert_eq!(
        router.ours(),
        [
            "blackhole 72.37.186.0/23",
            "blackhole 192.0.2.0/24",
            "blackhole 2001:db8:bad::/48 dev lo metric 1024 pref medium"
        ]
    );
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("added 0, removed 0, kept 3");
    place.write("noc.list", "192.0.2.0/24\n");
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("added 0, removed 2, kept 1");
    assert_eq!(router.ours(), ["blackhole 192.0.2.0/24"]);
}

#[test]
fn routes_installed_by_others_are_never_removed_or_replaced() {
    let Some(router) = Namespace::new() else {
        return;
    };
    for route in [
        "route add blackhole 72.37.186.0/23 proto static",
        "route add 192.0.2.0/24 dev lo metric 50",
        "route add blackhole 198.51.100.0/24 proto 165",
        "route add unreachable 203.0.113.0/24 proto 166 metric 7",
        "route add blackhole 203.0.113.0/24 proto 166 table 1000",
        "-6 route add blackhole 2001:db8:bad::/48 proto static",
        "-6 route add 2001:db8:1::/48 dev lo metric 5",
    ] {
        router.ip(route);
    }
    // Everything with another table, protocol or type is foreign, whatever it has in common.
    let foreign = || {
        let mut all = router.foreign();
        all.extend(
            router
                .ours()
                .into_iter()
                .filter(|line| !line.starts_with("blackhole")),
        );
        all.extend(
            router
                .ip("route show table 1000")
                .lines()
                .map(str::to_owned),
        );
        all
    };
    let before = foreign();
    let place = place(
        "72.37.186.0/23\n192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n2001:db8:bad::/48\n2001:db8:1::/48\n",
    );
    let said = place.run_in(&router, &["refresh"]).code(0);
    assert!(
        said.err.contains("3 left to a route that is not ours"),
        "{}",
        said.err
    );
    assert_eq!(foreign(), before, "during");
    let ours = router.ours();
    assert!(
        ours.contains(&"blackhole 192.0.2.0/24".to_owned()),
        "beside the one of metric 50: {ours:?}"
    );
    assert!(
        ours.contains(&"blackhole 203.0.113.0/24".to_owned()),
        "beside the one of metric 7: {ours:?}"
    );

    place.run_in(&router, &["flush"]).code(0);
    assert_eq!(foreign(), before, "after");
    assert!(
        !router
            .ours()
            .iter()
            .any(|line| line.starts_with("blackhole")),
        "{:?}",
        router.ours()
    );
}

#[test]
fn a_route_of_ours_that_somebody_removed_comes_back_and_a_ghost_goes() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("72.37.186.0/23\n192.0.2.0/24\n");
    place.run_in(&router, &["refresh"]).code(0);
    router.ip("route del blackhole 72.37.186.0/23 proto 166");
    router.ip("route add blackhole 198.51.100.0/24 proto 166");
    router.ip("-6 route add blackhole 2001:db8::/32 proto 166");
    place
        .run_in(&router, &["plan"])
        .code(2)
        .says("target=kernel  would add 1, remove 2, keep 1");
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("added 1, removed 2, kept 1");
    assert_eq!(
        router.ours(),
        ["blackhole 72.37.186.0/23", "blackhole 192.0.2.0/24"]
    );
}

#[test]
fn routes_of_an_earlier_life_stay_until_every_feed_has_been_read_once() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.ip("route add blackhole 198.51.100.0/24 proto 166");
    let place = place("192.0.2.0/24\n");
    place.configure(&format!(
        "{NOC}[[feed]]\nname = \"other\"\npath = \"other.list\"\n"
    ));
    place
        .run_in(&router, &["refresh"])
        .code(1)
        .says("1 of an earlier run kept until every feed has been read once");
    assert_eq!(
        router.ours(),
        ["blackhole 192.0.2.0/24", "blackhole 198.51.100.0/24"]
    );
    place.write("other.list", "203.0.113.0/24\n");
    place.run_in(&router, &["refresh"]).code(0);
    assert_eq!(
        router.ours(),
        ["blackhole 192.0.2.0/24", "blackhole 203.0.113.0/24"]
    );
}

#[test]
fn table_protocol_type_and_metric_are_as_configured() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("72.37.186.0/23\n2001:db8:bad::/48\n");
    place.configure(&format!(
        "{NOC}[kernel]\ntable = 1000\nprotocol = 200\ntype = \"prohibit\"\nmetric = 666\n"
    ));
    place.run_in(&router, &["refresh"]).code(0);
    assert_eq!(
        router.ip("route show table 1000 proto 200").trim(),
        "prohibit 72.37.186.0/23 metric 666"
    );
    let v6 = router.ip("-6 route show table 1000 proto 200");
    assert_eq!(
        v6.trim(),
        "prohibit 2001:db8:bad::/48 dev lo metric 666 pref medium"
    );
    place.run_in(&router, &["flush"]).code(0);
    assert_eq!(router.ip("route show table all proto 200"), "");
}

#[test]
fn without_the_right_to_change_routes_the_missing_capability_is_named() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("72.37.186.0/23\n");
    let mut command = router.command("setpriv");
    command.args([
        "--bounding-set=-all",
        "--inh-caps=-all",
        crate::support::PROGRAM,
    ]);
    let ran = crate::support::Ran::of(place.command(command, &["refresh"]).output().unwrap());
    ran.code(1)
        .says("target=kernel  routes may not be changed: CAP_NET_ADMIN is missing");
    place
        .run_in(&router, &["status"])
        .code(0)
        .says("target kernel  FAILED  routes may not be changed");
}

#[test]
fn flush_works_with_a_broken_configuration_and_says_what_it_used() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("72.37.186.0/23\n2001:db8:bad::/48\n");
    let kernel = "[kernel]\ntable = 1000\nprotocol = 200\n";
    place.configure(&format!("{NOC}{kernel}"));
    place.run_in(&router, &["refresh"]).code(0);
    assert_ne!(router.ip("route show table 1000"), "");
    // One value is wrong: the rest is understood. Where the syntax is wrong no mark is guessed, and
    // the ledger knows which one was in use.
    for (broken, used) in [
        (
            "[limits]\nmax_routes = \"many\"\n",
            "table 1000, protocol 200, blackhole",
        ),
        (
            "this is = not [ toml\n",
            "table 254, protocol 166, blackhole",
        ),
    ] {
        place.run_in(&router, &["unpin"]);
        place.configure(&format!("{NOC}{kernel}{broken}"));
        let ran = place.run_in(&router, &["flush"]).code(1);
        assert!(
            ran.err
                .contains(&format!("flushing by what could be read: {used}")),
            "{}",
            ran.err
        );
        assert_eq!(router.ip("route show table all proto 200"), "");
        place.configure(&format!("{NOC}{kernel}"));
        place
            .run_in(&router, &["status"])
            .code(0)
            .says("PINNED to nothing by flush");
    }
}

#[test]
fn flush_works_with_an_unreadable_ledger_and_without_a_configuration() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("72.37.186.0/23\n");
    place.run_in(&router, &["refresh"]).code(0);
    place.write(
        "state/ledger.sqlite",
        "this is no database, and long enough to be taken for a bad one",
    );
    let ran = place.run_in(&router, &["flush"]).code(1);
    assert!(ran.err.contains("damaged"), "{}", ran.err);
    assert!(
        router.ours().is_empty(),
        "the routes go whatever the ledger says"
    );

    // Without a configuration the default mark is left, and the default state directory: here it is
    // a folder of this namespace alone.
    router.ip("route add blackhole 72.37.186.0/23 proto 166");
    router.sh("mount -t tmpfs tmpfs /var/lib");
    std::fs::remove_file(place.config()).unwrap();
    place
        .run_in(&router, &["flush"])
        .code(1)
        .says("the flush is not complete");
    assert!(router.ours().is_empty());
}

#[test]
fn flush_never_goes_by_a_mark_that_is_refused() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.ip("route add blackhole 198.51.100.0/24 proto static");
    router.ip("route add blackhole 192.0.2.0/24");
    let foreign = router.foreign();
    let place = place("72.37.186.0/23\n");
    for protocol in ["3", "4", "11", "16_", "4_"] {
        place.configure(&format!("{NOC}[kernel]\nprotocol = {protocol}\n"));
        place.run_in(&router, &["flush"]).code(1);
        assert_eq!(router.foreign(), foreign, "protocol = {protocol}");
    }
}

#[test]
fn a_flush_that_cannot_remove_the_routes_of_a_former_mark_does_not_claim_it() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("72.37.186.0/23\n");
    place.run_in(&router, &["refresh"]).code(0);
    place.configure(&format!("{NOC}[kernel]\nenabled = false\n"));
    place
        .run_in(&router, &["plan"])
        .code(2)
        .says("would remove 1 of a former mark");
    let without = |verb: &str| {
        let mut command = router.command("setpriv");
        command.args([
            "--bounding-set=-all",
            "--inh-caps=-all",
            crate::support::PROGRAM,
        ]);
        crate::support::Ran::of(place.command(command, &[verb]).output().unwrap())
    };
    without("flush")
        .code(1)
        .says("routes of a former mark stay: routes may not be changed");
    without("refresh").code(1);
    assert_eq!(router.ours().len(), 1);
    place.run_in(&router, &["flush"]).code(0);
    assert!(router.ours().is_empty());
}

#[test]
fn routes_of_a_former_mark_are_withdrawn() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("72.37.186.0/23\n2001:db8:bad::/48\n");
    place.run_in(&router, &["refresh"]).code(0);
    router.ip("route add blackhole 198.51.100.0/24 proto 200 table 1000");
    for (kernel, ours) in [
        ("type = \"prohibit\"", "prohibit 72.37.186.0/23 proto 166"),
        ("table = 1000", "blackhole 72.37.186.0/23 proto 166"),
        ("protocol = 201", "blackhole 72.37.186.0/23 proto 201"),
    ] {
        place.configure(&format!("{NOC}[kernel]\n{kernel}\n"));
        place
            .run_in(&router, &["refresh"])
            .code(0)
            .says("of a former mark");
        let all = router.ip("-4 -d route show table all");
        let here: Vec<_> = all
            .lines()
            .filter(|line| line.contains("72.37.186.0/23"))
            .collect();
        assert_eq!(here.len(), 1, "{kernel}: {here:?}");
        let words: Vec<_> = ours.split(' ').collect();
        assert!(
            words.iter().all(|word| here[0].contains(word)),
            "{kernel}: {here:?}"
        );
        place.run_in(&router, &["plan"]).code(0);
    }
    place.configure(&format!("{NOC}[kernel]\nenabled = false\n"));
    place.run_in(&router, &["refresh"]).code(0);
    let all = [
        router.ip("route show table all"),
        router.ip("-6 route show table all"),
    ]
    .concat();
    assert!(
        !all.contains("72.37.186.0/23") && !all.contains("2001:db8:bad"),
        "{all}"
    );
    assert!(
        all.contains("198.51.100.0/24"),
        "another program's mark was never ours: {all}"
    );
}

#[test]
fn what_is_protected_goes_also_while_a_feed_has_never_been_read() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("203.0.113.0/24\n192.0.2.0/24\n");
    let other = "[[feed]]\nname = \"other\"\npath = \"other.list\"\n";
    place.configure(&format!("{NOC}{other}"));
    place.run_in(&router, &["refresh"]).code(1);
    place.configure(&format!(
        "{NOC}{other}[protect]\nprefixes = [\"203.0.113.0/24\"]\n"
    ));
    // The pass that decides it may not touch the kernel; the next one finishes it.
    let mut command = router.command("setpriv");
    command.args([
        "--bounding-set=-all",
        "--inh-caps=-all",
        crate::support::PROGRAM,
    ]);
    crate::support::Ran::of(place.command(command, &["refresh"]).output().unwrap()).code(1);
    place
        .run_in(&router, &["plan"])
        .code(2)
        .says("would add 0, remove 1, keep 1");
    place
        .run_in(&router, &["refresh"])
        .code(1)
        .says("feed other: no copy yet");
    assert_eq!(router.ours(), ["blackhole 192.0.2.0/24"]);
}

#[test]
fn a_lost_ledger_with_an_unreachable_feed_changes_neither_routes_nor_files() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("203.0.113.0/24\n192.0.2.0/24\n");
    let file = "[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n";
    place.configure(&format!("{NOC}{file}"));
    place.run_in(&router, &["refresh"]).code(0);
    let (routes, text) = (router.ours(), place.read("edge1.conf"));
    std::fs::remove_file(place.path("noc.list")).unwrap();

    // The ledger is lost: it begins anew with the copies.
    for gone in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = std::fs::remove_file(place.path("state").join(gone));
    }
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("begun with the copy on disk");
    assert_eq!(
        (router.ours(), place.read("edge1.conf")),
        (routes.clone(), text.clone())
    );
    place
        .run_in(&router, &["why", "203.0.113.7"])
        .code(0)
        .says("is blackholed by 203.0.113.0/24");

    // All of it is lost: what an earlier life left stays until the feed has been read.
    std::fs::remove_dir_all(place.path("state")).unwrap();
    let said = place.run_in(&router, &["refresh"]).code(1);
    said.says("2 of an earlier run kept")
        .says("edge1.conf kept; it predates this ledger, and is replaced once every feed has been fetched");
    assert_eq!((router.ours(), place.read("edge1.conf")), (routes, text));

    place.write("noc.list", "192.0.2.0/24\n");
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("edge1.conf replaced, 1 prefixes");
    assert_eq!(router.ours(), ["blackhole 192.0.2.0/24"]);
}

#[test]
fn why_asks_the_kernel_and_does_not_claim_what_is_not_there() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.ip("route add blackhole 72.37.186.0/23 proto static");
    let place = place("72.37.186.0/23\n192.0.2.0/24\n");
    place.run_in(&router, &["refresh"]).code(0);
    let taken = place.run_in(&router, &["why", "72.37.187.9"]).code(0);
    assert!(
        taken.out.contains(
            "NOT at kernel: the kernel does NOT drop it: a route that is not ours has its place: blackhole 72.37.186.0/23 proto static"
        ),
        "{}",
        taken.out
    );
    router.ip("route del blackhole 192.0.2.0/24 proto 166");
    let gone = place
        .run_in(&router, &["why", "192.0.2.7", "--json"])
        .json();
    assert_eq!(gone["not_in_force_at"][0]["name"], "kernel");
    assert_eq!(gone["in_force_at"].as_array().unwrap().len(), 0);
}

/// What the kernel answers when somebody was faster than us, from inside the namespace: this test
/// runs itself there, so that what the library knows is out of date.
#[test]
fn somebody_faster_than_us_is_understood_by_meaning() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let mut command = router.test_inside("kernel::inside::what_is_known_is_out_of_date");
    crate::support::Ran::of(command.output().unwrap())
        .code(0)
        .says("1 passed");
    let foreign = router.foreign();
    let theirs = |net: &str| foreign.iter().any(|line| line.contains(net));
    assert!(
        theirs("72.37.186.0/23") && theirs("2001:db8:bad::/48"),
        "{foreign:?}"
    );
    assert_eq!(
        router.ours(),
        ["blackhole 192.0.2.0/24", "blackhole 198.51.100.0/24"]
    );
}

#[test]
fn a_kernel_test_refuses_a_namespace_that_was_not_made_for_it() {
    let this = std::env::current_exe().unwrap();
    let inside = |here: Option<(String, std::path::PathBuf)>| {
        let mut command = std::process::Command::new(&this);
        command.args([
            "--exact",
            "kernel::inside::what_is_known_is_out_of_date",
            "--ignored",
        ]);
        if let Some((holder, outside)) = here {
            command.env("NULLROUTED_INSIDE", holder);
            command.env("NULLROUTED_OUTSIDE", outside);
        }
        crate::support::Ran::of(command.output().unwrap()).code(101)
    };
    inside(None).says("refusing: not started by its test");
    let ours = std::fs::read_link("/proc/self/ns/net").unwrap();
    let pid = std::process::id().to_string();
    inside(Some((pid.clone(), ours))).says("refusing: the network we were given");
    let Some(other) = Namespace::new() else {
        return;
    };
    let elsewhere = std::path::PathBuf::from("net:[0]");
    inside(Some((other.pid().to_string(), elsewhere)))
        .says("refusing: not in the namespace that was made");
}

mod inside {
    use ipnet::IpNet;
    use nullrouted::prefix::PrefixSet;
    use nullrouted::targets::kernel::{Desired, Fib, Mark, Report};
    use nullrouted::time::Timestamp;

    use crate::support::inside::in_the_namespace_made_for_it;

    fn ip(words: &str) {
        let mut ip = std::process::Command::new("ip");
        assert!(ip.args(words.split(' ')).status().unwrap().success());
    }

    async fn sync(fib: &mut Fib, desired: &[&str]) -> Report {
        let nets: Vec<IpNet> = desired.iter().map(|net| net.parse().unwrap()).collect();
        let wanted = Desired {
            mark: Mark::default(),
            desired: &PrefixSet::of_nets(nets),
            may_remove: &|_| true,
            cover: false,
            now: Timestamp(0),
        };
        fib.sync(wanted).await.unwrap()
    }

    #[test]
    #[ignore = "run by somebody_faster_than_us_is_understood_by_meaning, in its namespace"]
    fn what_is_known_is_out_of_date() {
        in_the_namespace_made_for_it();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let report = runtime.block_on(async {
            // One that does not hear what others change.
            let mut fib = Fib::default();
            sync(&mut fib, &["203.0.113.0/24", "2001:db8:1::/48"]).await;
            ip("route add blackhole 72.37.186.0/23 proto static");
            ip("route add blackhole 192.0.2.0/24 proto 166");
            ip("-6 route add blackhole 2001:db8:bad::/48 proto static");
            ip("route del blackhole 203.0.113.0/24 proto 166");
            ip("-6 route del blackhole 2001:db8:1::/48 proto 166");
            let desired = [
                "72.37.186.0/23",
                "192.0.2.0/24",
                "198.51.100.0/24",
                "2001:db8:bad::/48",
            ];
            let report = sync(&mut fib, &desired).await;
            let again = sync(&mut fib, &desired).await;
            assert_eq!((again.added, again.removed, again.kept), (0, 0, 2));
            assert_eq!(again.occupied, report.occupied);
            report
        });
        assert_eq!(report.added, 1, "{report:?}");
        assert_eq!(report.kept, 1, "ours was there already: {report:?}");
        assert_eq!(report.removed, 2, "gone already is gone: {report:?}");
        assert_eq!(report.failed, 0, "{report:?}");
        assert_eq!(
            report.occupied,
            [
                "blackhole 72.37.186.0/23 proto static",
                "blackhole 2001:db8:bad::/48 dev lo proto static metric 1024 pref medium"
            ]
        );
    }
}

/// The lines of the documentation under this heading, from the first block of this language.
fn readme(heading: &str, language: &str) -> String {
    let text = include_str!("../../doc/operating.md");
    let section = text.split_once(heading).unwrap().1;
    let block = section.split_once(&format!("```{language}\n")).unwrap().1;
    block.split_once("```").unwrap().0.to_owned()
}

/// As fail2ban's action `route` does.
#[test]
fn a_table_of_our_own_leaves_the_main_one_to_others() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.ip("link set lo up");
    let ban = |net: &str| router.run("ip", &["route", "add", "unreachable", net]);
    let list = "192.0.2.7\n198.51.100.0/24\n";
    let one = place(list);
    one.run_in(&router, &["refresh"]).code(0);
    ban("192.0.2.7").code(2).says("File exists");
    one.run_in(&router, &["flush"]).code(0);
    let apart = readme("## Beside fail2ban", "toml");
    let two = Place::new(&format!("{NOC}{apart}"));
    two.write("noc.list", list);
    two.run_in(&router, &["refresh"]).code(0);
    ban("192.0.2.7").code(0);
    ban("203.0.113.7").code(0);
    let get = |address: &str| router.run("ip", &["route", "get", address]);
    for dropped in ["192.0.2.7", "198.51.100.7", "203.0.113.7"] {
        get(dropped).code(2);
    }
    two.run_in(&router, &["flush"]).code(0);
    get("192.0.2.7").code(2).says("No route to host");
    let theirs = router.ip("route show type unreachable");
    assert!(
        theirs.contains("192.0.2.7") && theirs.contains("203.0.113.7"),
        "{theirs}"
    );
}
