//! `tests/routers/suite`: where it cannot make a chroot, while it makes one, and what it found.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::namespace::eventually;
use crate::support::{NOC, Place, Ran, is_root, left_out, repository};

/// The suite of this name, its build folder in this place, `debootstrap` among these programs.
fn suite(place: &Place, programs: &str) -> Command {
    let mut command = Command::new("bash");
    command.arg(repository().join("tests/routers/suite"));
    command.arg("nonesuch");
    command.env("CARGO_TARGET_DIR", place.path("build"));
    command.env("PATH", programs);
    command.env_remove("GOLDEN");
    command
}

/// A `debootstrap` that does this, before all other programs.
fn debootstrap(place: &Place, line: &str) -> String {
    let bin = place.path("bin");
    std::fs::create_dir_all(&bin).unwrap();
    place.write("bin/debootstrap", &format!("#!/bin/sh\n{line}\n"));
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bin.join("debootstrap"), mode).unwrap();
    format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display())
}

/// What stands in the build folder, by its names.
fn built(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.path("build/suites")).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// One line, and exit code 0.
#[track_caller]
fn is_left_out(command: &mut Command, why: &str) {
    let ran = Ran::of(command.output().unwrap()).code(0);
    let last = ran.lines().last().unwrap().to_string();
    assert_eq!(last, format!("suite nonesuch left out: {why}"), "{ran:?}");
}

#[test]
fn without_debootstrap_one_line_says_so() {
    if !is_root() {
        return left_out("only root is asked for debootstrap");
    }
    let place = Place::new(NOC);
    let bin = place.path("bin");
    std::fs::create_dir(&bin).unwrap();
    for folder in ["/usr/bin", "/usr/sbin"] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != "debootstrap" {
                let _ = symlink(entry.path(), bin.join(entry.file_name()));
            }
        }
    }
    let programs = bin.display().to_string();
    is_left_out(
        &mut suite(&place, &programs),
        "debootstrap is not installed",
    );
}

#[test]
fn an_ordinary_user_gets_one_line() {
    if !is_root() {
        return left_out("only root becomes an ordinary user");
    }
    let place = Place::new(NOC);
    crate::support::speaker::open(&place);
    std::fs::create_dir(place.path("build")).unwrap();
    let mode = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(place.path("build"), mode).unwrap();
    // The repository may be for root alone.
    let script = repository().join("tests/routers/suite");
    std::fs::create_dir_all(place.path("tests/routers")).unwrap();
    std::fs::copy(script, place.path("tests/routers/suite")).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "bash"]);
    command.arg(place.path("tests/routers/suite"));
    command.arg("nonesuch");
    command.env("CARGO_TARGET_DIR", place.path("build"));
    is_left_out(&mut command, "only root can make and enter a chroot");
}

#[test]
fn one_that_cannot_be_made_leaves_nothing_that_is_used() {
    if !is_root() {
        return left_out("only root makes a chroot");
    }
    let place = Place::new(NOC);
    let line = "mkdir -p \"$3/usr/sbin\"; echo 'E: no such suite'; exit 1";
    let programs = debootstrap(&place, line);
    let log = place.path("build/suites/nonesuch.log");
    let why = format!(
        "it could not be made, see {}; it ends with: E: no such suite",
        log.display()
    );
    is_left_out(&mut suite(&place, &programs), &why);
    assert_eq!(built(&place), ["nonesuch.lock", "nonesuch.log"]);
}

/// The name of a process, of those that are there.
fn runs(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

#[test]
fn nothing_of_one_that_is_killed_stays_mounted_or_running_or_is_used() {
    if !is_root() {
        return left_out("only root makes a chroot");
    }
    let place = Place::new(NOC);
    let began = place.path("began");
    // It is in a namespace of process ids: its own is seen from outside by what it holds open.
    let line = format!(
        "mkdir -p \"$3/usr/sbin\"; mount -t tmpfs inner \"$3/usr\"; exec 7>{}; sleep 1000",
        began.display()
    );
    let programs = debootstrap(&place, &line);
    let holders = || -> Vec<u32> {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let holds = |id: &u32| {
            let link = std::fs::read_link(format!("/proc/{id}/fd/7"));
            link.is_ok_and(|link| link == began)
        };
        ids.filter(holds).collect()
    };
    let mut child: Child = suite(&place, &programs)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it is being made", || !holders().is_empty());
    let holding = holders();
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("all of it has ended", || {
        holding.iter().all(|id| !runs(*id))
    });
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(place.path("").to_str().unwrap()));
    assert!(!place.path("build/suites/nonesuch").exists());
    // What it left is removed by the next one.
    let programs = debootstrap(&place, "exit 1");
    suite(&place, &programs).output().unwrap();
    assert_eq!(built(&place), ["nonesuch.lock", "nonesuch.log"]);
}

/// What a test writes in the chroot is not there for the next one, and what it mounts ends with it.
#[test]
fn a_program_inside_sees_the_chroot_and_leaves_it_as_it_was() {
    if !is_root() {
        return left_out("only root enters a chroot");
    }
    let place = Place::new(NOC);
    let root = place.path("root");
    for folder in ["usr/bin", "usr/sbin", "usr/lib", "usr/lib64"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
        let _ = symlink(folder, root.join(&folder[4..]));
    }
    for folder in ["proc", "sys", "dev", "tmp", "run", "etc"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    place.write("root/etc/of", "the chroot\n");
    std::fs::create_dir(place.path("build")).unwrap();
    // Programs of this machine with what they are linked to, where a suite has its own.
    let copy = format!(
        "for name in bash sh cat env ls touch mount umount unshare nsenter sleep; do
             path=$(readlink -f \"$(command -v $name)\")
             cp \"$path\" {0}/bin/$name
             ldd \"$path\" | grep -o '/[^ ]*' | xargs -I LIB cp -L --parents LIB {0}
         done",
        root.display()
    );
    let copied = Command::new("sh").args(["-ec", &copy]).output().unwrap();
    Ran::of(copied).code(0);
    let inside = |line: &str| {
        let mut command = Command::new(repository().join("tests/routers/inside"));
        let build = place.path("build");
        command.args([&root, repository(), &build]);
        Ran::of(command.args(["sh", "-ec", line]).output().unwrap())
    };
    let ran = inside(
        "cat /etc/of; pwd; echo new > /etc/of; touch /run/x; mount -t tmpfs inner /etc; ls -A /etc",
    )
    .code(0);
    assert_eq!(ran.out, format!("the chroot\n{}\n", repository().display()));
    assert_eq!(place.read("root/etc/of"), "the chroot\n");
    // A program that enters the mount namespace sees the chroot too, and no more than it.
    let ran = inside(
        "unshare --mount sh -c 'touch /tmp/ready; exec sleep 60' &
         while [ ! -e /tmp/ready ]; do sleep 0.02; done
         nsenter --target $! --mount cat /etc/of; kill $!",
    );
    ran.code(0).says("the chroot");
    assert_eq!(inside("exit 7").code, Some(7));
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(place.path("").to_str().unwrap()));
}

/// What `tests/routers/suite` found is in the document: `GOLDEN=write` writes it there.
#[test]
fn the_table_of_versions_is_what_the_suites_found() {
    let mut suites = Vec::new();
    for entry in std::fs::read_dir(repository().join("tests/routers/found")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut lines = text.lines();
        let head: Vec<_> = lines.next().unwrap().split_whitespace().collect();
        let ["suite", name, number @ ..] = &head[..] else {
            panic!("{head:?}");
        };
        // One that is not released has no number yet.
        let number = number.first().map_or(u32::MAX, |it| it.parse().unwrap());
        let cells: BTreeMap<_, _> = lines
            .map(|line| line.split_once(' ').unwrap())
            .map(|(daemon, found)| (daemon.to_owned(), found.replacen(' ', ": ", 1)))
            .collect();
        suites.push((number, (*name).to_owned(), cells));
    }
    suites.sort();
    let title = |number, name: &str| match number {
        u32::MAX => format!(" Debian {name} |"),
        number => format!(" Debian {number} ({name}) |"),
    };
    let titles = suites.iter().map(|(number, name, _)| title(*number, name));
    let titles: String = titles.collect();
    let mut table = format!("| |{titles}\n|---|{}\n", "---|".repeat(suites.len()));
    for daemon in [
        "FRR", "BIRD", "OpenBGPD", "GoBGP", "ExaBGP", "nftables", "ipset",
    ] {
        let cell = |cells: &BTreeMap<String, String>| {
            let found = cells.get(daemon).map_or("", |found| found);
            format!(" {found} |")
        };
        let cells: String = suites.iter().map(|(.., cells)| cell(cells)).collect();
        table.push_str(&format!("| {daemon} |{cells}\n"));
    }

    const BEGIN: &str = "<!-- GOLDEN=write tests/routers/suite NAME writes this table -->\n\n";
    let path = repository().join("doc/routers.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (there, after) = rest.split_once("\n\n").unwrap();
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        let text = format!("{before}{BEGIN}{table}\n{after}");
        return std::fs::write(path, text).unwrap();
    }
    assert_eq!(format!("{there}\n"), table);
}
