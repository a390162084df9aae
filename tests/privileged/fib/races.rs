//! What others do at the wrong moment, and what the kernel does not tell of.

use std::fs;
use std::process::{Child, Command};
use std::task::Poll;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use nullrouted::netlink::family::AddressFamily;
use nullrouted::prefix::{Bits, Prefix, PrefixSet};
use nullrouted::targets::kernel::{Desired, DumpFilter, Fib, Mark, Report, read};
use nullrouted::time::Timestamp;

use super::batches::inside;
use super::hands::runtime;
use crate::support::daemon::Daemon;
use crate::support::inside::in_the_namespace_made_for_it;
use crate::support::namespace::{Namespace, eventually};
use crate::support::soon::{SECOND, soon};
use crate::support::{NOC, Place, unless_everything};
use crate::support::{has_time, loads};

const LIST: &str = "72.37.186.0/23\n198.51.100.0/24\n203.0.113.0/24\n2001:db8:bad::/48\n";
const WIDE: &str = "[limits]\nmax_routes = 4000000\nmax_share_v6 = \"100%\"\n";

fn place(config: &str, list: &str) -> Place {
    let place = Place::new(&format!("{NOC}{config}"));
    place.write("noc.list", list);
    place
}

fn both(router: &Namespace, words: &str) -> usize {
    let of = |family| router.ip(&format!("{family} route show {words}"));
    of("-4").lines().count() + of("-6").lines().count()
}

/// Somebody whose IPv6 routes come and go as fast as he can.
struct Restless(Child);

impl Restless {
    fn start(router: &Namespace, place: &Place) -> Self {
        let lines = |verb: &str| -> String {
            let line = |n| format!("route {verb} blackhole 2001:db8:{n:x}::/48 proto static\n");
            (0..3_000).map(line).collect()
        };
        place.write("batch", &[lines("add"), lines("del")].concat());
        let batch = place.path("batch");
        let line = format!(
            "while test -e {0}; do ip -6 -batch {0} || exit 1; done",
            batch.display()
        );
        let mut sh = router.command("sh");
        sh.args(["-c", &line]);
        Self(sh.spawn().unwrap())
    }

    fn end(mut self, place: &Place) {
        assert!(self.0.try_wait().unwrap().is_none(), "he was restless");
        fs::remove_file(place.path("batch")).unwrap();
        // He ends with all of his withdrawn.
        self.0.wait().unwrap();
    }
}

/// Number of routes that are read: a dump takes long enough for others to come and go meanwhile.
fn many() -> usize {
    unless_everything(40_000, 10_000)
}

/// A dump of IPv6 routes leaves out what stays where others go, and does not say so.
#[test]
fn ipv6_routes_are_read_whole_while_others_come_and_go() {
    let _alone = loads();
    let Some(router) = Namespace::new() else {
        return;
    };
    let list: String = (0..many())
        .map(|n| format!("2001:db9:{:x}:{:x}::/64\n", n >> 8, (n & 255) * 2))
        .collect();
    let place = place(WIDE, &list);
    place.run_in(&router, &["refresh"]).code(0);
    assert_eq!(both(&router, "proto 166"), many());
    let restless = Restless::start(&router, &place);
    sleep(Duration::from_millis(300));
    inside(&router, "fib::races::read_again_and_again");
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says(&format!("added 0, removed 0, kept {}, failed 0", many()));
    place
        .run_in(&router, &["flush"])
        .code(0)
        .says(&format!("removed {}, ", many()))
        .says("flushed; nothing is installed");
    // What `ip` lists meanwhile is no better.
    restless.end(&place);
    assert_eq!(both(&router, "proto 166"), 0, "what flush says is so");
    place.run_in(&router, &["unpin"]).code(0);
    let restless = Restless::start(&router, &place);
    sleep(Duration::from_millis(300));
    place.configure(&format!("{NOC}{WIDE}[kernel]\nprotocol = 200\n"));
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says(&format!("removed {} routes of a former mark", many()));
    restless.end(&place);
    assert_eq!(both(&router, "proto 166"), 0, "none with the former mark");
    assert_eq!(both(&router, "proto 200"), many());
}

/// So few that the kernel has told all of them, and only then says that these were all.
#[test]
fn a_few_ipv6_routes_are_read_whole_while_others_come_and_go() {
    for count in [25, 60] {
        let Some(router) = Namespace::new() else {
            return;
        };
        let list: String = (0..count)
            .map(|n| format!("2001:db9:{:x}::/48\n", n * 2))
            .collect();
        let place = place(WIDE, &list);
        place.run_in(&router, &["refresh"]).code(0);
        assert_eq!(both(&router, "proto 166"), count);
        let restless = Restless::start(&router, &place);
        sleep(Duration::from_millis(300));
        inside(&router, "fib::races::read_a_few_again_and_again");
        restless.end(&place);
    }
}

#[test]
#[ignore = "run by a_few_ipv6_routes_are_read_whole_while_others_come_and_go, in its namespace"]
fn read_a_few_again_and_again() {
    in_the_namespace_made_for_it();
    runtime().block_on(async {
        for _ in 0..200 {
            let read = read::<u128>(&Mark::default(), DumpFilter::Ours)
                .await
                .unwrap();
            assert!(read.whole);
            assert!([25, 60].contains(&read.routes.len()));
        }
    });
}

/// By this order it is known what a dump that was torn has shown in one piece.
#[test]
fn the_kernel_lists_routes_in_the_order_of_their_places() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", "# nobody\n");
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    // Those inside of others, beside them, and in all lengths, among them the default route.
    for seed in 0..40_u32 {
        let (word, len) = (seed.wrapping_mul(0x9e37_79b9), (seed % 33) as u8);
        let long = u128::from(word) << 96 | u128::from(word) << 40 | 1 << 125;
        for len in [len, len / 2, 32] {
            v4.push(Prefix::new(word & u32::netmask(len), len));
        }
        for len in [len * 4 - 4 * (len / 32), len, 128] {
            v6.push(Prefix::new(long & u128::netmask(len), len));
        }
    }
    in_their_order(&router, &place, v4);
    in_their_order(&router, &place, v6);
}

fn in_their_order<B: AddressFamily>(
    router: &Namespace,
    place: &Place,
    mut prefixes: Vec<Prefix<B>>,
) {
    prefixes.sort_unstable();
    prefixes.dedup();
    let line = |prefix: &Prefix<B>| format!("route add blackhole {prefix} table 1166\n");
    place.write("batch", &prefixes.iter().map(line).collect::<String>());
    let family = if B::WIDTH == 32 { "-4" } else { "-6" };
    let batch = place.path("batch");
    router.ip(&format!("{family} -batch {}", batch.display()));
    let all = router.ip(&format!("{family} -N route show table 1166"));
    let listed: Vec<_> = all
        .lines()
        .map(|line| line.split(' ').nth(1).unwrap().to_owned())
        .collect();
    prefixes.sort_by_key(B::place);
    let expected = prefixes.iter().map(|prefix| match prefix.len() {
        0 => "default".to_owned(),
        len if len == B::WIDTH => prefix.first().to_ip().to_string(),
        _ => prefix.to_string(),
    });
    assert_eq!(listed, expected.collect::<Vec<_>>());
}

#[test]
#[ignore = "run by ipv6_routes_are_read_whole_while_others_come_and_go, in its namespace"]
fn read_again_and_again() {
    in_the_namespace_made_for_it();
    runtime().block_on(async {
        let mut whole = 0;
        // Where he is too quick for a busy machine, it is told: never is what lacks some taken for
        // all.
        for _ in 0..10 {
            let read = read::<u128>(&Mark::default(), DumpFilter::Ours)
                .await
                .unwrap();
            assert!(read.routes.len() == many() || !read.whole);
            whole += u32::from(read.whole);
        }
        assert!(whole > 0);
    });
}

#[test]
fn what_waits_to_be_put_back_takes_nothing_else_out_of_force() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let daemon = Daemon::start(&place, &router);
    let before = router.ours();
    for _ in 0..4 {
        router.ip("route del blackhole 72.37.186.0/23");
        eventually("it is back", || router.ours() == before);
    }
    // The fight goes on for ten minutes: a new metric is no part of it.
    let monitor = place.path("monitor");
    router.watched(&monitor, &["route"], || {
        place.configure(&format!("{NOC}[kernel]\nmetric = 50\n"));
        daemon.signal(Signal::SIGHUP);
        eventually("all have the metric", || {
            both(&router, "proto 166 metric 50") == 4
        });
    });
    let seen = fs::read_to_string(&monitor).unwrap();
    let at = |words: &str| seen.lines().position(|line| line.starts_with(words));
    let came = at("blackhole 72.37.186.0/23 proto 166 metric 50").unwrap();
    let went = at("Deleted blackhole 72.37.186.0/23 proto 166").unwrap();
    assert!(came < went, "{seen}");
}

/// The kernel compares the scope of a route to be deleted, where the request has one.
#[test]
fn a_surplus_route_of_another_scope_goes() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    place.run_in(&router, &["refresh"]).code(0);
    let before = router.ours();
    router.ip("route add blackhole 192.0.2.0/24 proto 166 scope link");
    place
        .run_in(&router, &["refresh"])
        .code(0)
        .says("removed 1, kept 4");
    assert_eq!(router.ours(), before);
    // Also where it is in the very place of ours.
    router.ip("route append blackhole 198.51.100.0/24 proto 166 scope link");
    place.run_in(&router, &["flush"]).code(0);
    assert_eq!(router.ours(), [""; 0]);
}

/// IPv4 routes by a nexthop object go with it, and nobody is told.
#[test]
fn who_goes_with_his_nexthop_object_leaves_his_place_to_us() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let Some(neighbor) = router.another() else {
        return;
    };
    router.wire("d0", "192.0.2.1/24", &neighbor, "d1", "192.0.2.2/24");
    router.ip("nexthop add id 7 via 192.0.2.2 dev d0");
    router.ip("route add 72.37.186.0/23 nhid 7 proto static");
    let place = place("", LIST);
    let _daemon = Daemon::start(&place, &router);
    assert_eq!(router.ours().len(), 3);
    router.ip("nexthop del id 7");
    soon(&router, SECOND, "ours is there", || {
        router.ours().len() == 4
    });
}

/// Somebody is in the place while we add, and gone when we look who it is.
#[test]
fn a_place_that_becomes_free_at_the_wrong_moment_is_taken() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let _daemon = Daemon::start(&place, &router);
    let before = router.ours();
    for _ in 0..3 {
        let there = "route add prohibit 72.37.186.0/23 proto static\n\
                     route del prohibit 72.37.186.0/23 proto static\n";
        place.write("batch", &there.repeat(8_000));
        let batch = place.path("batch");
        let fight = format!(
            "ip route del blackhole 72.37.186.0/23 proto 166; ip -force -batch {} 2>/dev/null || true; \
             ip route del prohibit 72.37.186.0/23 proto static 2>/dev/null || true",
            batch.display()
        );
        router.sh(&fight);
        // The backoff is at two seconds by then.
        eventually("ours is back", || router.ours() == before);
    }
}

#[test]
fn an_audit_says_what_it_found_and_only_where_everything_was_read() {
    if !has_time() {
        return;
    }
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("[kernel]\naudit = \"10s\"\n", LIST);
    let daemon = Daemon::start(&place, &router);
    router.ip("route replace prohibit 72.37.186.0/23 proto static");
    eventually("the audit", || {
        let status = place.run_in(&router, &["status"]);
        status
            .out
            .contains("audit  1 in a place that others have, beside 3 as they should be")
    });
    // Notifications are lost, and a pass of the daemon itself reads everything.
    daemon.signal(Signal::SIGSTOP);
    let many: String = (0..60_000_u32)
        .map(|n| format!("route add blackhole 10.{}.{}.0/24\n", n >> 8, n & 255))
        .collect();
    place.write("batch", &many);
    router.ip(&format!("-batch {}", place.path("batch").display()));
    daemon.signal(Signal::SIGHUP);
    daemon.signal(Signal::SIGCONT);
    let lost = || -> usize {
        let status = place.run_in(&router, &["status"]).out;
        status.matches("notifications were lost").count()
    };
    eventually("it is told", || lost() == 1);
    router.ip("route del blackhole 198.51.100.0/24");
    daemon.says("watch  198.51.100.0/24 was removed by");
    eventually("an audit after it", || lost() == 0);
}

#[test]
fn another_table_is_filled_before_the_former_one_is_emptied() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = place("", LIST);
    let daemon = Daemon::start(&place, &router);
    let monitor = place.path("monitor");
    let seen = router.watched(&monitor, &["route"], || {
        place.configure(&format!("{NOC}[kernel]\ntable = 1166\nrule = 5000\n"));
        daemon.signal(Signal::SIGHUP);
        daemon.says("removed 4 routes of a former mark");
    });
    let is_ours = |line: &&str| line.contains("proto 166");
    let lines: Vec<_> = seen.lines().filter(is_ours).collect();
    assert_eq!(lines.len(), 8, "{seen}");
    let (came, went) = lines.split_at(4);
    assert!(
        came.iter().all(|line| line.contains("table 1166")),
        "{seen}"
    );
    assert!(
        went.iter().all(|line| line.starts_with("Deleted")),
        "{seen}"
    );
}

/// The rules are looked at before the routes: one that goes between is told, and not forgotten.
#[test]
fn a_rule_that_goes_while_routes_are_changed_is_put_back() {
    let Some(router) = Namespace::new() else {
        return;
    };
    inside(&router, "fib::races::remove_the_rule_between");
}

#[test]
#[ignore = "run by a_rule_that_goes_while_routes_are_changed_is_put_back, in its namespace"]
fn remove_the_rule_between() {
    in_the_namespace_made_for_it();
    let ip = |words: &str| {
        let mut ip = Command::new("ip");
        assert!(ip.args(words.split(' ')).status().unwrap().success());
    };
    let desired = PrefixSet::default();
    let now = Timestamp(0);
    let wanted = Desired {
        mark: Mark {
            table: 1166,
            ..Mark::default()
        },
        desired: &desired,
        may_remove: &|_| true,
        cover: false,
        now,
    };
    runtime().block_on(async {
        let mut fib = Fib::listening().unwrap();
        fib.sync(wanted).await.unwrap();
        ip("rule add pref 5000 lookup 1166 protocol 166");
        assert_eq!(fib.rule_is(Some(5000), false, now), None);
        assert!(!fib.poll_disturbed(now));
        ip("rule del pref 5000 lookup 1166 protocol 166");
        fib.sync(wanted).await.unwrap();
        assert!(fib.poll_disturbed(now), "there is something to be done");
        assert!(fib.rule_is(Some(5000), true, now).is_some());
    });
}

#[test]
fn what_a_dropped_change_did_is_counted_by_the_next() {
    let Some(router) = Namespace::new() else {
        return;
    };
    inside(&router, "fib::races::drop_a_change_in_the_middle");
    assert_eq!(router.ours().len(), 0);
}

#[test]
#[ignore = "run by what_a_dropped_change_did_is_counted_by_the_next, in its namespace"]
fn drop_a_change_in_the_middle() {
    in_the_namespace_made_for_it();
    let nets = |count: u32| PrefixSet {
        v4: (0..count)
            .map(|i| Prefix::new(0x0b00_0000 | i << 9, 24))
            .collect(),
        v6: (0..count)
            .map(|i| Prefix::new(0x2001_0db8 << 96 | u128::from(i) << 81, 48))
            .collect(),
    };
    let (all, most, none) = (nets(4_000), nets(3_000), nets(0));
    let wanted = |desired| Desired {
        mark: Mark::default(),
        desired,
        may_remove: &|_| true,
        cover: false,
        now: Timestamp(0),
    };
    /// Drop a change to this after ever more of it, in the one family and in the other.
    async fn dropped(fib: &mut Fib, wanted: Desired<'_>) {
        for turns in [2_usize, 5, 9] {
            let mut left = turns;
            let mut change = std::pin::pin!(fib.sync(wanted));
            let is_done = std::future::poll_fn(|cx| match change.as_mut().poll(cx) {
                Poll::Ready(_) => Poll::Ready(true),
                Poll::Pending if left == 0 => Poll::Ready(false),
                Poll::Pending => {
                    left -= 1;
                    Poll::Pending
                }
            });
            assert!(!is_done.await, "it was dropped");
        }
    }
    let counts = |report: Report| (report.added, report.removed, report.kept);
    runtime().block_on(async {
        let mut fib = Fib::listening().unwrap();
        dropped(&mut fib, wanted(&all)).await;
        let (added, removed, kept) = counts(fib.sync(wanted(&most)).await.unwrap());
        assert_eq!((added - removed, kept), (6_000, 0), "the table was empty");
        let again = fib.sync(wanted(&most)).await.unwrap();
        assert_eq!(counts(again), (0, 0, 6_000), "nothing is reported twice");

        dropped(&mut fib, wanted(&none)).await;
        let (added, removed, kept) = counts(fib.sync(wanted(&most)).await.unwrap());
        assert!(added > 0);
        assert_eq!(
            (added, kept),
            (removed, 6_000 - removed),
            "they went and are back"
        );
        fib.sync(wanted(&none)).await.unwrap();
    });
}
