//! How long an address that appears inside a listed prefix stays blackholed: `cargo bench --bench
//! protect`, or with a number of samples of one's own: `cargo bench --bench protect -- 30`, or with
//! the situations that have a word in their name: `cargo bench --bench protect -- 30 churn`.
//!
//! The time runs from the moment at which the kernel has the address until it no longer drops
//! packets to it. One second is what is promised, in each of the situations: quiet, 200 000 routes
//! of another program that come and go, a refresh of a list of 200 000 that never ends, and 500
//! reloads a second. `NULLROUTED_BEFORE=FILE` names another build, which is measured in the same
//! run. It runs in a network and a mount namespace that this made, as root.

#[path = "../../tests/support/holes.rs"]
mod holes;
mod load;
mod place;

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use holes::Holes;
use load::Load;
use place::Place;

const INSIDE: &str = "NULLROUTED_BENCH_OUTSIDE";
const SAMPLES: usize = 25;
/// An address that is not protected by then counts as unprotected.
const GIVEN_UP: Duration = Duration::from_secs(10);

/// What goes on meanwhile.
#[derive(Clone, Copy)]
enum Situation {
    Quiet,
    Churn,
    Refresh,
    Reloads,
}

impl Situation {
    const ALL: [(&'static str, Self); 4] = [
        ("quiet", Self::Quiet),
        ("churn of 200 000 foreign routes", Self::Churn),
        ("refresh of a list of 200 000", Self::Refresh),
        ("reload storm, 500 a second", Self::Reloads),
    ];
}

/// The prefixes that are always listed: a /24 in every second place, so that none can be joined.
fn listed(at: usize) -> Ipv4Addr {
    Ipv4Addr::from(0x2c00_0000 + at as u32 * 512)
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    match std::env::var_os(INSIDE) {
        None => {
            let outside = std::fs::read_link("/proc/self/ns/net").unwrap();
            let mut unshare = Command::new("unshare");
            unshare
                .args(["--net", "--mount"])
                .arg(std::env::current_exe().unwrap());
            let status = unshare.args(&words).env(INSIDE, outside).status();
            assert!(status.unwrap().success());
        }
        Some(outside) => {
            let here = std::fs::read_link("/proc/self/ns/net").unwrap();
            assert_ne!(
                here.as_os_str(),
                outside,
                "refusing: not a namespace of its own"
            );
            measure(&words);
        }
    }
}

fn measure(words: &[String]) {
    let samples = words.iter().find_map(|word| word.parse().ok());
    let wanted = words.iter().find(|word| word.parse::<usize>().is_err());
    let samples = samples.unwrap_or(SAMPLES);
    let this = env!("CARGO_BIN_EXE_nullrouted").to_owned();
    let before = std::env::var("NULLROUTED_BEFORE").ok();
    let builds = before.iter().map(|file| ("before", file));
    let builds: Vec<_> = builds.chain([("this build", &this)]).collect();
    place::sh(
        "ip link set lo up; ip link add wan0 type veth peer name wan1; ip link set wan0 up; ip link set wan1 up",
    );
    place::sh("ip address add 100.64.0.1/24 dev wan0; ip address add fd00:64::1/64 dev wan0 nodad");
    place::sh(holes::MARKED);
    println!("an address appears inside a listed prefix: until it is free, ms ({samples} samples)");
    println!(
        "{:<34}{:<12}{:>9}{:>9}{:>9}{:>9}",
        "", "", "median", "p90", "p99", "longest"
    );
    for (name, situation) in Situation::ALL {
        if wanted.is_some_and(|word| !name.contains(word.as_str())) {
            continue;
        }
        for (build, program) in &builds {
            let took = distribution(situation, Path::new(program), samples);
            let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)] * 1e3;
            println!(
                "{name:<34}{build:<12}{:>9.0}{:>9.0}{:>9.0}{:>9.0}",
                at(50),
                at(90),
                at(99),
                at(100),
            );
        }
    }
}

/// Each sample in seconds, ascending.
fn distribution(situation: Situation, program: &Path, samples: usize) -> Vec<f64> {
    let place = Place::new(situation);
    let mut holes = Holes::open();
    let daemon = place.daemon(program);
    let until = Instant::now() + Duration::from_secs(120);
    while !holes.is_dropped(inside(place.count() - 1)) || !holes.is_dropped(inside(0)) {
        assert!(Instant::now() < until, "the first pass");
        sleep(Duration::from_millis(50));
    }
    let load = Load::begin(situation, &place, daemon.id());
    sleep(Duration::from_secs(1));
    let mut took: Vec<f64> = (0..samples)
        .map(|sample| {
            let address = inside(sample * 3);
            let took = protected(&mut holes, address);
            holes.remove(address);
            // Neither at the beat of what is done now and then, nor upon the pass that this has
            // made necessary.
            within(GIVEN_UP, || holes.is_dropped(address));
            sleep(Duration::from_millis(400 + sample as u64 * 37 % 300));
            took.as_secs_f64()
        })
        .collect();
    drop(load);
    drop(daemon);
    place.clear();
    took.sort_by(f64::total_cmp);
    took
}

fn inside(at: usize) -> IpAddr {
    let first = u32::from(listed(at));
    IpAddr::from(Ipv4Addr::from(first + 7))
}

fn protected(holes: &mut Holes, address: IpAddr) -> Duration {
    assert!(holes.is_dropped(address), "{address} is listed");
    holes.add(address);
    within(GIVEN_UP, || !holes.is_dropped(address))
}

/// How long it takes until it is so, at most this long.
fn within(limit: Duration, mut so: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !so() && start.elapsed() < limit {
        sleep(Duration::from_millis(2));
    }
    start.elapsed()
}
