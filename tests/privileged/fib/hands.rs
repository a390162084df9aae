//! Ours and somebody else's hand in one table, at the same time.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ipnet::IpNet;
use nullrouted::netlink::family::AddressFamily;
use nullrouted::prefix::PrefixSet;
use nullrouted::targets::kernel::{
    Desired, DumpFilter, Fib, Installed, Mark, Report, planned, read,
};
use nullrouted::time::Timestamp;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use tokio::runtime::Runtime;

use crate::support::inside::in_the_namespace_made_for_it;
use crate::support::loads;
use crate::support::namespace::Namespace;
use crate::support::{Ran, unless_everything};

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

pub fn set(nets: &[&str]) -> PrefixSet {
    let nets: Vec<IpNet> = nets.iter().map(|net| net.parse().unwrap()).collect();
    PrefixSet::of_nets(nets)
}

/// An hour passes between two steps: nobody is taken for one who keeps removing a route.
fn later() -> Timestamp {
    static HOURS: AtomicI64 = AtomicI64::new(0);
    Timestamp(HOURS.fetch_add(3_600, Ordering::Relaxed))
}

pub async fn sync(fib: &mut Fib, desired: &PrefixSet, cover: bool) -> Report {
    let wanted = Desired {
        mark: Mark::default(),
        desired,
        may_remove: &|_| true,
        cover,
        now: later(),
    };
    fib.sync(wanted).await.unwrap()
}

/// Every route of the table.
pub async fn all<B: AddressFamily>() -> Vec<Installed<B>> {
    let read = read::<B>(&Mark::default(), DumpFilter::All).await;
    read.unwrap().routes
}

/// All of these commands, which must work.
pub fn batch(lines: &str) {
    let mut ip = Command::new("ip");
    let mut ip = ip
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    ip.stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    assert!(ip.wait().unwrap().success());
}

/// The hand of somebody else: one `ip route` after the other, as they come. Each answers whether it
/// worked. (Not `ip -force -batch`: after a command that failed, that of iproute2 6.1 does others
/// than it was told.)
fn hand(commands: mpsc::Receiver<String>) -> JoinHandle<Vec<bool>> {
    thread::spawn(move || {
        let one = |command: String| {
            let mut ip = Command::new("ip");
            let quiet = ip.args(command.split(' ')).stderr(Stdio::null());
            quiet.status().unwrap().success()
        };
        commands.into_iter().map(one).collect()
    })
}

#[test]
fn ten_thousand_changes_by_two_hands() {
    let _alone = loads();
    let Some(router) = Namespace::new() else {
        return;
    };
    let mut inside = router.test_inside("fib::hands::change_together");
    let ran = Ran::of(inside.output().unwrap()).code(0).says("1 passed");
    println!("{}", ran.out);
}

const CHANGES: usize = 250;

/// A prefix out of few, so that the hands meet.
fn some_net(rng: &mut TestRng) -> String {
    let n = rng.next_u32();
    let (low, length) = ((n >> 8) & 3, 22 + (n >> 16) % 4);
    match n % 3 {
        0 => format!("2001:db8:{}::/{}", low + 1, length + 26),
        _ => {
            let address = u32::from_be_bytes([198, 51, low as u8 * 64, 0]);
            let address = address & (u32::MAX << (32 - length));
            format!("{}/{length}", std::net::Ipv4Addr::from(address))
        }
    }
}

/// A route of his: prefix, metric and type.
type His = (String, u32, String);

/// What the hand does, and what it leaves if it works: the route, and whether it is there after it.
fn some_change(rng: &mut TestRng) -> (String, Option<(His, bool)>) {
    let net = some_net(rng);
    let n = rng.next_u32();
    // His metric is ours, a better or a worse one.
    let metric = match (net.contains(':'), n % 3) {
        (false, 0) => 0,
        (true, 0) => 1_024,
        (_, 1) => 50,
        _ => 2_000,
    };
    let kind = ["blackhole", "unreachable", "prohibit"][(n >> 8) as usize % 3];
    let route = format!("{kind} {net} proto static metric {metric}");
    let his = (net.clone(), metric, kind.to_owned());
    match (n >> 16) % 5 {
        0 => (format!("route del blackhole {net} proto 166"), None),
        1 | 2 => (format!("route del {route}"), Some((his, false))),
        _ => (format!("route add {route}"), Some((his, true))),
    }
}

fn shown<B: AddressFamily>(route: &Installed<B>) -> His {
    let text = route.to_string();
    let kind = text.split(' ').next().unwrap().to_owned();
    (route.prefix.to_net().to_string(), route.metric, kind)
}

/// What a delete takes away, as the kernel has it: for IPv4 the first route of the type from the
/// metric on, for IPv6 the one with the metric.
fn delete(theirs: &mut BTreeSet<His>, (net, metric, kind): &His) {
    let v6 = net.contains(':');
    let found = theirs.iter().find(|(other, at, of)| match other == net {
        true if v6 => at == metric,
        true => at >= metric && of == kind,
        false => false,
    });
    let found = found.cloned();
    let found =
        found.unwrap_or_else(|| panic!("the kernel found {net} {metric} {kind} in {theirs:#?}"));
    theirs.remove(&found);
}

#[test]
#[ignore = "run by ten_thousand_changes_by_two_hands, in its namespace"]
fn change_together() {
    in_the_namespace_made_for_it();
    let seed = std::process::id().to_ne_bytes().repeat(8);
    println!("seed {seed:?}");
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    runtime().block_on(async {
        let mut fib = Fib::listening().unwrap();
        let mut theirs: BTreeSet<His> = BTreeSet::new();
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        let (mut ours, mut refused) = (0, 0);
        for chunk in 0..unless_everything(40, 8) {
            let cover = chunk % 4 == 3;
            let (commands, receiver) = mpsc::channel();
            let hand = hand(receiver);
            let mut done = Vec::new();
            while done.len() < CHANGES {
                for _ in 0..rng.next_u32() % 4 {
                    let (command, change) = some_change(&mut rng);
                    commands.send(command).unwrap();
                    done.push(change);
                }
                let net = some_net(&mut rng);
                if !wanted.remove(&net) {
                    wanted.insert(net);
                }
                let report = sync(&mut fib, &aggregated(&wanted), cover).await;
                ours += report.added + report.removed;
                assert_eq!(report.failed, 0, "{:?}", report.first_failure);
            }
            drop(commands);
            let worked = hand.join().unwrap();
            refused += worked.iter().filter(|worked| !**worked).count();
            for (change, worked) in done.into_iter().zip(worked) {
                match change.filter(|_| worked) {
                    Some((route, true)) => drop(theirs.insert(route)),
                    Some((route, false)) => delete(&mut theirs, &route),
                    None => {}
                }
            }
            let desired = aggregated(&wanted);
            sync(&mut fib, &desired, cover).await;
            while tokio::time::timeout(Duration::from_millis(100), fib.changed())
                .await
                .is_ok()
            {
                sync(&mut fib, &desired, cover).await;
            }
            check(&desired, &theirs, cover).await;
        }
        println!("{ours} changes of ours, {refused} of theirs refused");
        assert!(ours > unless_everything(1_000, 200));
    });
}

fn aggregated(nets: &BTreeSet<String>) -> PrefixSet {
    let nets: Vec<&str> = nets.iter().map(String::as_str).collect();
    set(&nets)
}

/// Theirs are exactly what they left, ours exactly what is desired where its place is free.
async fn check(desired: &PrefixSet, theirs: &BTreeSet<His>, cover: bool) {
    let (v4, v6) = (all::<u32>().await, all::<u128>().await);
    let foreign_v4 = v4.iter().filter(|route| !route.ours).map(shown);
    // The kernel has IPv6 routes of its own.
    let his = |route: &&Installed<u128>| !route.ours && route.protocol == 4;
    let foreign: BTreeSet<His> = foreign_v4.chain(v6.iter().filter(his).map(shown)).collect();
    assert_eq!(&foreign, theirs);
    ours_are(&desired.v4, &v4, cover).await;
    ours_are(&desired.v6, &v6, cover).await;
}

async fn ours_are<B: AddressFamily>(
    desired: &[nullrouted::prefix::Prefix<B>],
    there: &[Installed<B>],
    cover: bool,
) {
    let mark = Mark::default();
    let metric = mark.metric_of::<B>();
    if cover {
        let left = planned(mark, desired, cover, |_| true).await.unwrap();
        assert_eq!(left.changes(), 0, "{left:?}");
        return;
    }
    let taken = |prefix| {
        let mut others = there.iter().filter(|one| !one.ours);
        others.any(|one| one.prefix == prefix && one.metric == metric)
    };
    let wanted: BTreeSet<_> = desired.iter().copied().filter(|one| !taken(*one)).collect();
    let ours = there.iter().filter(|one| one.ours);
    let ours: BTreeSet<_> = ours.map(|one| one.prefix).collect();
    // Ours beside a foreign route of the same metric: he came later, and IPv6 lets him.
    let beside = |one: &&_| desired.contains(one);
    let ours: BTreeSet<_> = ours
        .iter()
        .filter(|one| !(taken(**one) && beside(one)))
        .copied()
        .collect();
    assert_eq!(ours, wanted);
}
