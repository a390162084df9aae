//! Routes into the kernel and out of it, side by side: a bare loop, this program's own target, and `ip -batch`.
//!
//! `cargo bench --bench kernel` (1 000 000 IPv4, 200 000 IPv6, three rounds), or with numbers of its own:
//! `cargo bench --bench kernel -- 100000 20000 5`. Each round is in a network namespace that it made, by root or by an
//! ordinary user; the figures are microseconds a route, and the ratios are to the bare loop of the same round.

mod bare;

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bare::What;
use nullrouted::prefix::{Prefix, PrefixSet};
use nullrouted::target::kernel::{Fib, Mark, Report, Wanted};
use nullrouted::time::Timestamp;

const INSIDE: &str = "NULLROUTED_BENCH_OUTSIDE";
const LENGTH_V4: u8 = 28;
const LENGTH_V6: u8 = 48;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let sizes = (number(0, 1_000_000), number(1, 200_000));
    match std::env::var_os(INSIDE) {
        None => (0..number(2, 3)).for_each(|_| inside(sizes)),
        Some(outside) => {
            let here = std::fs::read_link("/proc/self/ns/net").unwrap();
            assert_ne!(
                here.as_os_str(),
                outside,
                "refusing: not a namespace of its own"
            );
            round(sizes);
        }
    }
}

/// One round in a namespace of its own.
fn inside((v4, v6): (usize, usize)) {
    let rights: &[&str] = match nix::unistd::geteuid().is_root() {
        true => &["--net"],
        false => &["--net", "--user", "--map-root-user"],
    };
    let outside = std::fs::read_link("/proc/self/ns/net").unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(rights).arg(std::env::current_exe().unwrap());
    let status = unshare
        .args([v4.to_string(), v6.to_string()])
        .env(INSIDE, outside)
        .status();
    assert!(status.unwrap().success());
}

fn round((v4, v6): (usize, usize)) {
    assert!(
        Command::new("ip")
            .args("link set lo up".split(' '))
            .status()
            .unwrap()
            .success()
    );
    println!("\n{:<34}{:>12}{:>12}{:>10}", "", "add", "delete", "ratio");
    let net_v4 = move || (0..v4 as u32).map(|n| (72 << 24) + (n << 5));
    let net_v6 = move || (0..v6 as u128).map(|n| (0x2001_0db8_u128 << 96) + (n << 81));

    let bytes_v4 = || net_v4().map(u32::to_be_bytes);
    let bare_v4 = both(|what| bare::routes(what, LENGTH_V4, bytes_v4()));
    let nets: Vec<_> = net_v4().map(|net| Prefix::new(net, LENGTH_V4)).collect();
    let set = PrefixSet {
        v4: nets,
        v6: vec![],
    };
    let ours_v4 = ours(&set);
    let ip_v4 = both(batch(
        net_v4().map(|net| format!("{}/{LENGTH_V4}", Ipv4Addr::from(net))),
    ));
    table("IPv4", v4, bare_v4, ours_v4, ip_v4);

    let bytes_v6 = || net_v6().map(u128::to_be_bytes);
    let bare_v6 = both(|what| bare::routes(what, LENGTH_V6, bytes_v6()));
    let nets: Vec<_> = net_v6().map(|net| Prefix::new(net, LENGTH_V6)).collect();
    let set_v6 = PrefixSet {
        v4: vec![],
        v6: nets,
    };
    let ours_v6 = ours(&set_v6);
    let ip_v6 = both(batch(
        net_v6().map(|net| format!("{}/{LENGTH_V6}", Ipv6Addr::from(net))),
    ));
    table("IPv6", v6, bare_v6, ours_v6, ip_v6);

    kept(set);
}

type Both = (Duration, Duration);

fn table(family: &str, count: usize, bare: Both, ours: Both, ip: Both) {
    let each = |took: Duration| took.as_secs_f64() * 1e6 / count as f64;
    for (name, (add, delete)) in [("bare loop", bare), ("nullrouted", ours), ("ip -batch", ip)] {
        println!(
            "{:<34}{:>9.2} µs{:>9.2} µs{:>5.2} {:>5.2}",
            format!("{family} {count} {name}"),
            each(add),
            each(delete),
            add.as_secs_f64() / bare.0.as_secs_f64(),
            delete.as_secs_f64() / bare.1.as_secs_f64(),
        );
    }
}

fn both(mut run: impl FnMut(What)) -> Both {
    let mut timed = |what| {
        let start = Instant::now();
        run(what);
        start.elapsed()
    };
    (timed(What::Add), timed(What::Delete))
}

/// What a pass does with the kernel: compare with what is known, change. That nothing is there is read at first.
fn ours(set: &PrefixSet) -> Both {
    let nothing = PrefixSet::default();
    let runtime = runtime();
    let mut fib = Fib::default();
    both(|what| {
        let desired = match what {
            What::Add => set,
            What::Delete => &nothing,
        };
        let report = runtime.block_on(in_step(&mut fib, desired));
        assert_eq!(report.failed, 0, "{report:?}");
        assert_eq!(report.added + report.removed, set.len());
    })
}

fn batch(nets: impl Iterator<Item = String> + Clone) -> impl FnMut(What) {
    let lines = |verb: &str| -> String {
        let line = |net| format!("route {verb} blackhole {net} proto 166\n");
        nets.clone().map(line).collect()
    };
    let (add, delete) = (lines("add"), lines("del"));
    move |what| {
        let text = match what {
            What::Add => &add,
            What::Delete => &delete,
        };
        let mut ip = Command::new("ip");
        let mut ip = ip
            .args(["-batch", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        ip.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(ip.wait().unwrap().success());
    }
}

/// What a daemon does after that: nothing changed, ten changed, and everything read again.
fn kept(mut set: PrefixSet) {
    let runtime = runtime();
    let _inside = runtime.enter();
    let mut fib = Fib::listening().unwrap();
    let timed = |fib: &mut Fib, set: &PrefixSet, what: &str| {
        let start = Instant::now();
        runtime.block_on(in_step(fib, set));
        println!("{what:<34}{:>9.2} ms", start.elapsed().as_secs_f64() * 1e3);
    };
    timed(&mut fib, &set, "a daemon that listens: install");
    timed(&mut fib, &set, "nothing changed");
    set.v4.truncate(set.v4.len() - 10);
    timed(&mut fib, &set, "ten gone");
    fib.doubt();
    timed(&mut fib, &set, "an audit: everything read");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

async fn in_step(fib: &mut Fib, desired: &PrefixSet) -> Report {
    let wanted = Wanted {
        mark: Mark::default(),
        desired,
        may_remove: &|_| true,
        cover: false,
        now: Timestamp(0),
    };
    fib.in_step(wanted).await.unwrap()
}
