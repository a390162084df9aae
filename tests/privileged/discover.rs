//! Looking around: what the kernel of a namespace shows, and how soon a change in it is noticed.
//!
//! The library is called in the namespace by this program, run there once more with one of the
//! ignored tests below, which print what they see.

mod inside;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::namespace::Namespace;
use crate::support::{Ran, has_time, left_out};
use nullrouted::discover::{Cause, Host, Root, ScanRequest, Source, Watch, scan};

const KERNEL: [Source; 3] = [Source::Addresses, Source::Connected, Source::Gateways];

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

fn wanted(sources: &[Source]) -> ScanRequest<'_> {
    ScanRequest {
        sources,
        hosts: &[],
        root: Root::default(),
    }
}

/// This program in a namespace, doing one of the ignored tests.
fn inside(namespace: &Namespace, test: &str) -> Command {
    let mut command = namespace.test_inside(test);
    command.arg("--test-threads=1");
    command
}

/// What such a run printed.
fn printed(out: &str) -> Vec<String> {
    // The harness prints the name of the test before the first line, without an end.
    let lines = out.lines().filter_map(|line| line.split_once("| "));
    lines.map(|(_, said)| said.to_owned()).collect()
}

fn seen(namespace: &Namespace) -> Vec<String> {
    let ran = Ran::of(
        inside(namespace, "discover::inside::look_around")
            .output()
            .unwrap(),
    );
    printed(&ran.code(0).out)
}

/// A [`Watch`] in a namespace.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn begin(namespace: &Namespace) -> Self {
        let mut command = inside(namespace, "discover::inside::watch_and_look");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                for said in printed(&line) {
                    let _ = send.send(said);
                }
            }
        });
        let watching = Self { child, lines };
        let first = watching.lines.recv_timeout(Duration::from_secs(30));
        assert_eq!(first.unwrap(), "watching");
        watching
    }

    /// How often it wakes within a time.
    fn wakes(&self, within: Duration) -> usize {
        let end = Instant::now() + within;
        let mut wakes = 0;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(_) => wakes += 1,
                Err(RecvTimeoutError::Timeout) => return wakes,
                Err(error) => panic!("the watch has ended: {error}"),
            }
        }
    }

    /// It must wake within a second for this; what else comes with it is let pass.
    #[track_caller]
    fn notices(&self, what: &str) {
        let woken = self.lines.recv_timeout(Duration::from_secs(1));
        assert!(woken.is_ok(), "not noticed within a second: {what}");
        self.wakes(Duration::from_millis(300));
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two interfaces that are up.
fn router() -> Option<Namespace> {
    let router = Namespace::new()?;
    for (name, other) in [("wan0", "wan1"), ("lan0", "lan1")] {
        router.ip(&format!("link add {name} type veth peer name {other}"));
        router.ip(&format!("link set {name} up"));
        router.ip(&format!("link set {other} up"));
    }
    Some(router)
}

fn blackholes(router: &Namespace, count: usize) {
    let line = "route add blackhole 100.%d.%d.%d/32 proto 166\\n";
    router.sh(&format!(
        "awk 'BEGIN {{ for (i = 0; i < {count}; i++) \
         printf \"{line}\", i / 65536, i / 256 % 256, i % 256 }}' | ip -batch -"
    ));
}

#[test]
fn addresses_networks_and_next_hops_are_seen_and_what_drops_is_not() {
    let Some(router) = router() else {
        return;
    };
    router.address("wan0", "192.0.2.2/24 2001:db8:1::2/64");
    router.address("lan0", "203.0.113.1/32 198.51.100.1/7");
    router.ip("address add 10.0.0.1 peer 10.0.0.2/32 dev lan0");
    router.address("lo", "198.51.100.77/32 2001:db8:77::1/128");
    for route in [
        "route add default via 192.0.2.1",
        "route add 10.1.0.0/16 nexthop via 192.0.2.3 dev wan0 nexthop via 10.0.0.2 dev lan0",
        "route add 10.2.0.0/16 via 192.0.2.4 table 1000",
        "route add 10.3.0.0/16 via inet6 2001:db8:1::5 dev wan0",
        "-6 route add default via 2001:db8:1::1",
        "-6 route add 2001:db8:2::/48 nexthop via 2001:db8:1::6 nexthop via 2001:db8:1::7",
        "-6 route add 2001:db8:3::/48 via fe80::1 dev wan0",
        "-6 route add blackhole 2001:db8:4::/48 proto 166",
        "route add 10.4.0.0/16 dev wan0",
    ] {
        router.ip(route);
    }
    blackholes(&router, 10_000);
    let begun = Instant::now();
    assert_eq!(
        seen(&router),
        [
            "addresses: 10.0.0.1/32 address of lan0",
            "addresses: 10.0.0.2/32 peer of lan0",
            "addresses: 192.0.2.2/32 address of wan0",
            "addresses: 198.51.100.1/32 address of lan0",
            "addresses: 198.51.100.77/32 address of lo",
            "addresses: 203.0.113.1/32 address of lan0",
            "addresses: 2001:db8:1::2/128 address of wan0",
            "addresses: 2001:db8:77::1/128 address of lo",
            "connected: 10.0.0.2/32 connected on lan0",
            "connected: 192.0.2.0/24 connected on wan0",
            "connected: 2001:db8:1::/64 connected on wan0",
            "gateways: 10.0.0.2/32 next hop on lan0",
            "gateways: 192.0.2.1/32 gateway on wan0",
            "gateways: 192.0.2.3/32 next hop on wan0",
            "gateways: 192.0.2.4/32 gateway on wan0",
            "gateways: 2001:db8:1::1/128 gateway on wan0",
            "gateways: 2001:db8:1::5/128 gateway on wan0",
            "gateways: 2001:db8:1::6/128 next hop on wan0",
            "gateways: 2001:db8:1::7/128 next hop on wan0",
        ]
    );
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}

/// Two interfaces and nexthop objects; `None`, having said why, where there are none.
fn router_with_objects(compat_mode: u8) -> Option<Namespace> {
    let router = router()?;
    let there = router.run("ip", &["nexthop", "show"]);
    if there.code != Some(0) {
        left_out(format!("no nexthop objects: {}", there.err.trim()));
        return None;
    }
    // 0: what the kernel says of a route names the object only; 1: also where it leads
    // (ip-sysctl.rst).
    let mode = "/proc/sys/net/ipv4/nexthop_compat_mode";
    router.sh(&format!("echo {compat_mode} > {mode}"));
    router.address("wan0", "192.0.2.2/24 2001:db8:1::2/64");
    Some(router)
}

#[test]
fn next_hops_of_nexthop_objects_are_seen_whether_or_not_the_routes_tell_them() {
    for compat_mode in [0, 1] {
        let Some(router) = router_with_objects(compat_mode) else {
            return;
        };
        for line in [
            "nexthop add id 6 via 203.0.113.66 dev wan0 onlink",
            "nexthop add id 7 via 192.0.2.7 dev wan0",
            "nexthop add id 8 via 192.0.2.8 dev wan0",
            "nexthop add id 9 via 2001:db8:1::9 dev wan0",
            "nexthop add id 10 group 7/8",
            "nexthop add id 11 blackhole",
            "nexthop add id 12 dev lan0",
            "nexthop add id 13 via 198.51.100.13 fdb",
            "route add 97.0.0.0/8 nhid 6",
            "route add 10.1.0.0/16 nhid 10",
            "route add 10.2.0.0/16 nhid 11",
            "route add 10.3.0.0/16 nhid 12",
            "-6 route add 2001:db8:2::/48 nhid 9",
        ] {
            router.ip(line);
        }
        let seen = seen(&router);
        let gateways = seen
            .iter()
            .filter_map(|line| line.strip_prefix("gateways: "));
        // Where no route tells it, an object counts as one of several.
        let alone = ["next hop", "gateway"][usize::from(compat_mode)];
        assert_eq!(
            gateways.collect::<Vec<_>>(),
            [
                "192.0.2.7/32 next hop on wan0",
                "192.0.2.8/32 next hop on wan0",
                "198.51.100.13/32 next hop",
                &format!("203.0.113.66/32 {alone} on wan0"),
                &format!("2001:db8:1::9/128 {alone} on wan0"),
            ],
            "compat mode {compat_mode}"
        );
    }
}

#[test]
fn an_object_with_a_new_gateway_is_noticed() {
    if !has_time() {
        return;
    }
    for compat_mode in [0, 1] {
        let Some(router) = router_with_objects(compat_mode) else {
            return;
        };
        router.ip("nexthop add id 6 via 192.0.2.6 dev wan0");
        let watching = Watching::begin(&router);
        assert_eq!(watching.wakes(Duration::from_secs(1)), 0);
        router.ip("nexthop add id 7 via 192.0.2.7 dev wan0");
        watching.notices("a new object");
        router.ip("nexthop replace id 7 via 2001:db8:1::7 dev wan0");
        watching.notices("another gateway of an object");
        router.ip("nexthop add id 8 via 192.0.2.6 dev wan0");
        router.ip("nexthop add id 9 blackhole");
        router.ip("nexthop add id 10 group 6/8");
        router.ip("route add 10.1.0.0/16 nhid 10");
        assert_eq!(watching.wakes(Duration::from_secs(1)), 0, "it is known");
    }
}

#[test]
fn a_change_is_noticed_and_our_own_blackholes_are_none() {
    if !has_time() {
        return;
    }
    let Some(router) = router() else {
        return;
    };
    router.address("wan0", "192.0.2.2/24 2001:db8:1::2/64");
    router.ip("route add default via 192.0.2.1");
    let watching = Watching::begin(&router);
    // The interfaces themselves settle for a while: link-local addresses, which are shown to
    // nobody.
    assert_eq!(watching.wakes(Duration::from_secs(1)), 0);

    router.ip("address add 198.51.100.1/24 dev lan0");
    watching.notices("a new address");
    router.ip("route add 10.1.0.0/16 via 192.0.2.9");
    watching.notices("a new gateway");
    router.ip("-6 route add 2001:db8:2::/48 nexthop via 2001:db8:1::6 nexthop via 2001:db8:1::7");
    watching.notices("new next hops");
    router.ip("address del 198.51.100.1/24 dev lan0");
    watching.notices("an address that has gone");

    router.ip("route add 10.2.0.0/16 via 192.0.2.9");
    router.ip("route add 10.3.0.0/16 dev wan0");
    router.ip("route del 10.2.0.0/16");
    router.ip("address change 192.0.2.2/24 dev wan0");
    assert_eq!(
        watching.wakes(Duration::from_secs(1)),
        0,
        "all of it is known"
    );

    blackholes(&router, 20_000);
    let woken = watching.wakes(Duration::from_secs(1));
    assert!(woken <= 1, "{woken} times for what has no gateway");
    router.ip("address add 198.51.100.2/32 dev lo");
    watching.notices("an address after them");
}

#[test]
fn a_change_is_told_once_and_is_not_lost_with_a_future() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let ran = Ran::of(
        inside(&router, "discover::inside::ask_without_waiting")
            .output()
            .unwrap(),
    );
    let told = printed(&ran.code(0).out);
    assert_eq!(told, ["false", "true", "false", "true", "true", "true"]);
}

#[test]
fn each_source_answers_for_itself_and_once() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("etc/frr")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("etc/resolv.conf", "nameserver 192.0.2.53\n");
    write(
        "etc/frr/frr.conf",
        "router bgp 1\n neighbor 192.0.2.1 remote-as 64500\n",
    );
    let host = Host {
        name: "10.0.0.7".to_owned(),
        feed: "feed noc".to_owned(),
    };
    let wanted = ScanRequest {
        sources: &[
            Source::Sessions,
            Source::FeedHosts,
            Source::Resolvers,
            Source::BgpNeighbors,
            Source::FeedHosts,
        ],
        hosts: &[host],
        root: Root::at(dir.path()),
    };
    let looks = runtime().block_on(scan(&wanted));
    let said = looks.iter().map(|(source, shown)| {
        let found = shown.found.iter().map(|f| format!("{} {}", f.item, f.why));
        let failed = shown.failed.iter().map(|failed| match &failed.cause {
            Cause::Error(text) | Cause::Unproven(text) => {
                text.split(':').next().unwrap().to_owned()
            }
            Cause::NotAsked => "not asked".to_owned(),
        });
        let all: Vec<_> = found.chain(failed).collect();
        format!("{source}: {}", all.join(", "))
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            "resolvers: 192.0.2.53/32 resolver in /etc/resolv.conf",
            "bgp-neighbors: 192.0.2.1/32 BGP neighbor in FRR, AS64500 BGP neighbor in FRR",
            "feed-hosts: 10.0.0.7/32 host of feed noc: 10.0.0.7",
            "sessions: /proc/self/net/tcp",
        ]
    );
}

#[test]
fn nothing_of_the_kernel_wanted_is_nothing_to_wait_for() {
    runtime().block_on(async {
        let mut watch = Watch::open(&[Source::Resolvers, Source::FeedHosts]).unwrap();
        assert!(!watch.poll_changed());
        let waited = tokio::time::timeout(Duration::from_millis(20), watch.changed()).await;
        assert!(waited.is_err());
    });
}
