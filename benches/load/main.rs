//! How long FRR and BIRD take for our files, by the commands that are the default: `cargo bench
//! --bench load`. With sizes, the longest wait in seconds and one family of your own: `cargo bench
//! --bench load -- 1000,5000 60 bird`.
//!
//! For each way and size: the first file into a router that holds none, the next one with ten
//! prefixes changed, and that again unchanged; with BIRD how long `bird -p` of the first file
//! takes, as the default `check` runs it. Then a list of the size of DROP as FRR's trigger, side by
//! side: by plain `vtysh -d bgpd -f`, by what `lists = "auto"` chooses for this FRR, and in one
//! list; `cargo bench --bench load -- drop` does that alone. With the folder of a Debian suite in
//! NULLROUTED_BENCH_SUITE (tests/routers/suite makes it), the routers of that suite run. The
//! daemons run in a network and a mount namespace that this made, as root; what takes longer than
//! the wait is given up, and larger sizes with it.

mod daemons;

#[path = "../sample/mod.rs"]
mod sample;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use daemons::Daemons;
use nullrouted::policy::limits::Limits;
use nullrouted::prefix::{Effective, PrefixSet};
use nullrouted::targets::file::{
    Family, FileInput, FileOptions, Lists, Reasons, Role, ToUnconfigure, Version, choose, delta,
    render,
};

const INSIDE: &str = "NULLROUTED_BENCH_OUTSIDE";
/// Prefixes of Spamhaus DROP, about.
const DROP: usize = 1_598;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    match std::env::var_os(INSIDE) {
        None => {
            let outside = std::fs::read_link("/proc/self/ns/net").unwrap();
            let mut unshare = Command::new("unshare");
            unshare.args(["--net", "--mount"]);
            let program = std::env::current_exe().unwrap();
            if let Some(suite) = std::env::var_os("NULLROUTED_BENCH_SUITE") {
                let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
                // target/release/deps/load-…
                let target = program.ancestors().nth(3).unwrap();
                unshare.arg(repository.join("tests/routers/inside"));
                unshare.args([
                    suite.as_os_str(),
                    repository.as_os_str(),
                    target.as_os_str(),
                ]);
            }
            unshare.arg(program);
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
            let sizes = words.first().map_or("1000,10000,100000", String::as_str);
            let wait = words.get(1).map_or(120, |wait| wait.parse().unwrap());
            let family = words.get(2).map(String::as_str);
            let wait = Duration::from_secs(wait);
            if sizes != "drop" {
                let sizes = sizes.split(',').map(|size| size.parse().unwrap());
                measure(&sizes.collect::<Vec<usize>>(), wait, family);
            }
            if family.is_none_or(|family| family == "frr") {
                side_by_side(wait);
            }
        }
    }
}

fn measure(sizes: &[usize], wait: Duration, only: Option<&str>) {
    let ways = [
        (Family::Frr, Role::Trigger, Lists::One),
        (Family::Frr, Role::Trigger, Lists::Octets),
        (Family::Frr, Role::Trigger, Lists::None),
        (Family::Frr, Role::Filter, Lists::One),
        (Family::Frr, Role::Filter, Lists::Octets),
        (Family::Bird, Role::Trigger, Lists::One),
        (Family::Bird, Role::Filter, Lists::One),
    ];
    println!(
        "{:<24}{:>9}{:>12}{:>14}{:>12}{:>14}",
        "", "prefixes", "first, s", "ten other, s", "again, s", "bird -p, s"
    );
    let is_wanted = |family: Family| only.is_none_or(|only| family.to_string() == only);
    for (family, role, lists) in ways.into_iter().filter(|(family, ..)| is_wanted(*family)) {
        let options = FileOptions {
            lists,
            ..FileOptions::usual(family, role)
        };
        for &size in sizes {
            let took = took(&options, size, wait);
            let no_other = if family == Family::Bird { "longer" } else { "" };
            let words = ["longer", "longer", "longer", no_other];
            let mut words = words.into_iter();
            let shown = took.map(|took| {
                let word = words.next().unwrap();
                took.map_or(word.to_owned(), |took| format!("{:.2}", took.as_secs_f64()))
            });
            let name = format!("{family} {role} {lists}");
            println!(
                "{name:<24}{size:>9}{:>12}{:>14}{:>12}{:>14}",
                shown[0], shown[1], shown[2], shown[3]
            );
            if took[0].is_none() {
                break;
            }
        }
    }
}

/// A trigger with FRR and a list of the size of DROP, against a plain load of the same file and
/// against one list.
fn side_by_side(wait: Duration) {
    let options = |lists| FileOptions {
        lists,
        ..FileOptions::usual(Family::Frr, Role::Trigger)
    };
    let [version, plain] = by_vtysh(&options(Lists::One));
    let chosen = choose(Version::of_line(&version), DROP, None);
    let plain = match chosen.lists {
        Lists::One => plain,
        lists => by_vtysh(&options(lists))[1].clone(),
    };
    let plain: f64 = plain.parse().unwrap();
    let [first, next, ..] = took(&options(chosen.lists), DROP, wait);
    let one = match chosen.lists {
        Lists::One => first,
        _ => took(&options(Lists::One), DROP, wait)[0],
    };
    let seconds = |took: Option<Duration>| took.unwrap_or(wait).as_secs_f64();
    let (first, next, one) = (seconds(first), seconds(next), seconds(one));
    println!(
        "\n{version}: {DROP} prefixes as trigger, lists = \"auto\" chooses \"{}\"",
        chosen.lists
    );
    let line = |name: &str, took: f64, of: f64, most: f64| {
        let within = if took <= of * most { "" } else { "  BEYOND" };
        println!(
            "{name:<34}{took:>9.2} s{:>9.2} of {of:.2} s, at most {most:.2}{within}",
            took / of
        );
    };
    if chosen.lists == Lists::One {
        line("first load, of a plain one", first, plain, 1.3);
        line("ten other, of a plain load", next, plain, 0.2);
    } else {
        line("first load, of that of one list", first, one, 0.2);
    }
}

/// The line of FRR about its version, and the seconds of a plain load of the file.
fn by_vtysh(options: &FileOptions) -> [String; 2] {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("nullrouted.conf");
    let daemons = Daemons::start(options.family, place.path(), &file);
    std::fs::write(&file, text(options, DROP, 0)).unwrap();
    let vtysh = |words: &[&str]| {
        let ran = Command::new("vtysh")
            .args(["-d", "bgpd"])
            .args(words)
            .output();
        let ran = ran.unwrap();
        assert!(ran.status.success());
        String::from_utf8(ran.stdout).unwrap()
    };
    let version = vtysh(&["-c", "show version"]);
    let version = version.lines().next().unwrap_or_default().to_owned();
    let begun = Instant::now();
    vtysh(&["-f", &file.display().to_string()]);
    let took = begun.elapsed().as_secs_f64();
    drop(daemons);
    [version, took.to_string()]
}

/// The first file, the next one, that again, and `bird -p` of the first; `None` where it took too
/// long, or there is none.
fn took(options: &FileOptions, size: usize, wait: Duration) -> [Option<Duration>; 4] {
    let place = tempfile::tempdir().unwrap();
    let (file, part) = (
        place.path().join("nullrouted.conf"),
        place.path().join("part"),
    );
    let daemons = Daemons::start(options.family, place.path(), &file);
    let texts = [0, 10].map(|other| text(options, size, other));
    let loaded = |text: &str, delta: Option<&str>| {
        std::fs::write(&file, text).unwrap();
        std::fs::write(&part, delta.unwrap_or(text)).unwrap();
        let begun = Instant::now();
        let reload = options.family.commands(options.role).reload;
        run(reload, &file, &part, wait).then(|| begun.elapsed())
    };
    let first = loaded(&texts[0], None);
    let [mut next, mut again] = [None; 2];
    if first.is_some() {
        next = loaded(&texts[1], delta(options, &texts[0], &texts[1]).as_deref());
        again = loaded(&texts[1], None);
    }
    let read = (options.family == Family::Bird).then(|| {
        std::fs::write(&file, &texts[0]).unwrap();
        let begun = Instant::now();
        let check = options.family.commands(options.role).check;
        (run(check, &file, &file, wait), begun.elapsed())
    });
    let read = read.and_then(|(taken, took)| taken.then_some(took));
    drop(daemons);
    [first, next, again, read]
}

/// This many prefixes, some of which are others than without.
fn text(options: &FileOptions, size: usize, other: usize) -> String {
    let list = sample::plain(size + size / 5 + 100);
    let net = |line: &str| match line.contains('/') {
        true => line.parse().unwrap(),
        false => format!("{line}/32").parse().unwrap(),
    };
    let set = PrefixSet::of_nets(list.lines().map(net));
    let set = PrefixSet {
        v4: set.v4.iter().copied().skip(other).take(size).collect(),
        v6: [].into(),
    };
    assert_eq!(set.v4.len(), size);
    let (effective, limits) = (Effective::new(set, []), Limits::default());
    render(
        options,
        &FileInput {
            effective: &effective,
            to_unconfigure: ToUnconfigure::nothing(),
            attributions: &[],
            reasons: Reasons::default(),
            own: &[],
            limits: &limits,
            metric: 0,
            selected: None,
        },
    )
}

/// A default command. Answers whether it was taken within the wait.
fn run(words: &[&str], file: &Path, part: &Path, wait: Duration) -> bool {
    let filled = words.iter().map(|word| {
        let word = word.replace("{file}", &file.display().to_string());
        word.replace("{delta}", &part.display().to_string())
    });
    let mut timeout = Command::new("timeout");
    let ran = timeout
        .arg(wait.as_secs().to_string())
        .args(filled)
        .output()
        .unwrap();
    assert!(
        ran.status.success() || ran.status.code() == Some(124),
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    ran.status.success()
}
