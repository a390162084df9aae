//! Routes into the kernel and out of it, side by side: a bare loop, this program's own target, and
//! `ip -batch`.
//!
//! `cargo bench --bench kernel` (1 000 000 IPv4, 200 000 IPv6, three rounds), or with numbers of
//! its own: `cargo bench --bench kernel -- 100000 20000 5`. It runs in a network namespace that it
//! made, by root or by an ordinary user. Who goes first changes from round to round, after one that
//! is not timed: the kernel keeps the memory of routes that went, and the first run on a cold
//! machine pays for it. The figures are medians in microseconds a route; a ratio is the median of
//! those to the bare loop of the same round, with the least and the greatest.

mod bare;

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};
use std::time::Instant;

use bare::What;
use nullrouted::prefix::{Prefix, PrefixSet};
use nullrouted::targets::kernel::{Desired, Fib, Mark, Report};
use nullrouted::time::Timestamp;

const INSIDE: &str = "NULLROUTED_BENCH_OUTSIDE";
const LENGTH_V4: u8 = 28;
const LENGTH_V6: u8 = 48;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let numbers = [number(0, 1_000_000), number(1, 200_000), number(2, 3)];
    match std::env::var_os(INSIDE) {
        None => inside(numbers),
        Some(outside) => {
            let here = std::fs::read_link("/proc/self/ns/net").unwrap();
            assert_ne!(
                here.as_os_str(),
                outside,
                "refusing: not a namespace of its own"
            );
            measure(numbers);
        }
    }
}

/// All of it in a namespace of its own.
fn inside(numbers: [usize; 3]) {
    let rights: &[&str] = match nix::unistd::geteuid().is_root() {
        true => &["--net"],
        false => &["--net", "--user", "--map-root-user"],
    };
    let outside = std::fs::read_link("/proc/self/ns/net").unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(rights).arg(std::env::current_exe().unwrap());
    let status = unshare
        .args(numbers.map(|number| number.to_string()))
        .env(INSIDE, outside)
        .status();
    assert!(status.unwrap().success());
}

fn measure([v4, v6, rounds]: [usize; 3]) {
    let mut ip = Command::new("ip");
    let lo = ip.args("link set lo up".split(' ')).status();
    assert!(lo.unwrap().success());
    println!(
        "{:<27}{:>12}{:>12}   to the bare loop: add, delete",
        "", "add", "delete"
    );

    let nets = || (0..v4 as u32).map(|n| (72 << 24) + (n << 5));
    let set_v4 = PrefixSet {
        v4: nets().map(|net| Prefix::new(net, LENGTH_V4)).collect(),
        v6: [].into(),
    };
    let mut ways: [Way<'_>; 3] = [
        Box::new(|| both(|what| bare::routes(what, LENGTH_V4, || nets().map(u32::to_be_bytes)))),
        Box::new(|| ours(&set_v4)),
        Box::new(|| {
            both(batch(
                nets().map(|net| format!("{}/{LENGTH_V4}", Ipv4Addr::from(net))),
            ))
        }),
    ];
    table(&format!("IPv4 {v4}"), v4, &turns(&mut ways, rounds));
    drop(ways);

    let nets = || (0..v6 as u128).map(|n| (0x2001_0db8_u128 << 96) + (n << 81));
    let set_v6 = PrefixSet {
        v4: [].into(),
        v6: nets().map(|net| Prefix::new(net, LENGTH_V6)).collect(),
    };
    let mut ways: [Way<'_>; 3] = [
        Box::new(|| both(|what| bare::routes(what, LENGTH_V6, || nets().map(u128::to_be_bytes)))),
        Box::new(|| ours(&set_v6)),
        Box::new(|| {
            both(batch(
                nets().map(|net| format!("{}/{LENGTH_V6}", Ipv6Addr::from(net))),
            ))
        }),
    ];
    table(&format!("IPv6 {v6}"), v6, &turns(&mut ways, rounds));

    kept(set_v4);
}

/// How long adding took, and deleting, in seconds.
type Both = [f64; 2];
/// One way to add all and to delete all.
type Way<'a> = Box<dyn FnMut() -> Both + 'a>;

/// Each way once in a round, another one first each time: what each took in each round.
fn turns(ways: &mut [Way<'_>; 3], rounds: usize) -> [Vec<Both>; 3] {
    ways[0]();
    let mut took = [const { Vec::new() }; 3];
    for round in 0..rounds {
        for turn in 0..3 {
            let way = (round + turn) % 3;
            took[way].push(ways[way]());
        }
    }
    took
}

fn table(what: &str, count: usize, took: &[Vec<Both>; 3]) {
    for (name, way) in ["bare loop", "nullrouted", "ip -batch"].iter().zip(took) {
        let each = |verb: usize| {
            let each = way.iter().map(|took| took[verb] * 1e6 / count as f64);
            sorted(each)[way.len() / 2]
        };
        let ratio = |verb: usize| {
            let ratios = sorted(way.iter().zip(&took[0]).map(|(a, b)| a[verb] / b[verb]));
            let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
            format!("{:.2} ({least:.2} to {most:.2})", ratios[ratios.len() / 2])
        };
        println!(
            "{:<27}{:>9.2} µs{:>9.2} µs   {}, {}",
            format!("{what} {name}"),
            each(0),
            each(1),
            ratio(0),
            ratio(1),
        );
    }
}

fn sorted(figures: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures
}

fn both(mut run: impl FnMut(What)) -> Both {
    let mut timed = |what| {
        let start = Instant::now();
        run(what);
        start.elapsed().as_secs_f64()
    };
    [timed(What::Add), timed(What::Delete)]
}

/// What a pass does with the kernel: compare with what is known, change. That nothing is there is
/// read at first.
fn ours(set: &PrefixSet) -> Both {
    let nothing = PrefixSet::default();
    let runtime = runtime();
    let mut fib = Fib::default();
    both(|what| {
        let desired = match what {
            What::Add => set,
            What::Delete => &nothing,
        };
        let report = runtime.block_on(sync(&mut fib, desired));
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
        runtime.block_on(sync(fib, set));
        println!("{what:<34}{:>9.2} ms", start.elapsed().as_secs_f64() * 1e3);
    };
    timed(&mut fib, &set, "a daemon that listens: install");
    timed(&mut fib, &set, "nothing changed");
    set.v4 = set.v4[..set.v4.len() - 10].into();
    timed(&mut fib, &set, "ten gone");
    fib.invalidate();
    timed(&mut fib, &set, "an audit: everything read");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

async fn sync(fib: &mut Fib, desired: &PrefixSet) -> Report {
    let wanted = Desired {
        mark: Mark::default(),
        desired,
        may_remove: &|_| true,
        cover: false,
        now: Timestamp(0),
    };
    fib.sync(wanted).await.unwrap()
}
