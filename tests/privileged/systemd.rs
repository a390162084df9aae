//! The systemd units and the small files around them.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Place, Ran, installed, left_out, repository};

fn unit(name: &str) -> PathBuf {
    repository().join("systemd").join(name)
}

/// The units with the path of a program that exists, or `verify` complains of that alone.
fn verifiable() -> Place {
    let place = Place::new("");
    for name in [
        "nullrouted.service",
        "nullrouted-refresh.service",
        "nullrouted-refresh.timer",
    ] {
        let text = std::fs::read_to_string(unit(name)).unwrap();
        place.write(
            name,
            &text.replace("/usr/bin/nullrouted", crate::support::PROGRAM),
        );
    }
    place
}

#[test]
fn systemd_verifies_every_unit() {
    if !installed("systemd-analyze") {
        return left_out("systemd-analyze is not installed");
    }
    let place = verifiable();
    let units = [
        "nullrouted.service",
        "nullrouted-refresh.service",
        "nullrouted-refresh.timer",
    ];
    let paths = units.map(|name| place.path(name));
    let ran = Ran::of(
        Command::new("systemd-analyze")
            .arg("verify")
            .args(paths)
            .output()
            .unwrap(),
    );
    let about_us: Vec<_> = ran
        .err
        .lines()
        .filter(|line| line.contains("nullrouted"))
        .collect();
    assert!(about_us.is_empty() && ran.code == Some(0), "{}", ran.err);
}

#[test]
fn the_services_score_1_5_or_lower() {
    if !installed("systemd-analyze") {
        return left_out("systemd-analyze is not installed");
    }
    for name in ["nullrouted.service", "nullrouted-refresh.service"] {
        let mut command = Command::new("systemd-analyze");
        command.args(["security", "--offline=true", "--threshold=15", "--no-pager"]);
        let ran = Ran::of(command.arg(unit(name)).output().unwrap());
        assert_eq!(ran.code, Some(0), "{name}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn the_service_has_one_capability_and_notifies() {
    let text = std::fs::read_to_string(unit("nullrouted.service")).unwrap();
    for line in [
        "Type=notify",
        "CapabilityBoundingSet=CAP_NET_ADMIN",
        "AmbientCapabilities=CAP_NET_ADMIN",
        "User=nullrouted",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}");
    }
    assert!(text.lines().any(|line| line.starts_with("WatchdogSec=")));
}

#[test]
fn the_user_and_the_folders_are_made_by_systemds_tools() {
    for tool in ["systemd-sysusers", "systemd-tmpfiles"] {
        if !installed(tool) {
            return left_out(format!("{tool} is not installed"));
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let root = format!("--root={}", dir.path().display());
    let run = |tool: &str, words: &[&str]| {
        let ran = Ran::of(Command::new(tool).arg(&root).args(words).output().unwrap());
        assert_eq!(ran.code, Some(0), "{tool}: {}", ran.err);
    };
    if !crate::support::is_root() {
        return left_out("users are made by root only, in a folder of the test");
    }
    std::fs::create_dir(dir.path().join("etc")).unwrap();
    run(
        "systemd-sysusers",
        &[unit("sysusers.conf").to_str().unwrap()],
    );
    let users = std::fs::read_to_string(dir.path().join("etc/passwd")).unwrap();
    assert!(users.contains("nullrouted:x:"), "{users}");
    run(
        "systemd-tmpfiles",
        &["--create", unit("tmpfiles.conf").to_str().unwrap()],
    );
    let mode = |path: &str| {
        let about = std::fs::metadata(dir.path().join(path)).unwrap();
        (about.mode() & 0o7777, about.uid())
    };
    let user: u32 = users
        .lines()
        .find_map(|line| line.strip_prefix("nullrouted:x:")?.split(':').next())
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(mode("var/lib/nullrouted"), (0o700, user));
    assert_eq!(mode("run/nullrouted"), (0o700, user));
    // What root made before there was the user is handed over.
    for file in [
        "var/lib/nullrouted/ledger.sqlite",
        "run/nullrouted/1.flushed",
    ] {
        let path = dir.path().join(file);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    run(
        "systemd-tmpfiles",
        &["--create", unit("tmpfiles.conf").to_str().unwrap()],
    );
    for file in [
        "var/lib/nullrouted/ledger.sqlite",
        "run/nullrouted/1.flushed",
    ] {
        assert_eq!(mode(file), (0o600, user), "{file}");
    }
}

#[test]
fn the_run_directory_outlives_the_service() {
    for name in ["nullrouted.service", "nullrouted-refresh.service"] {
        let text = std::fs::read_to_string(unit(name)).unwrap();
        let has = |word: &str| text.lines().any(|line| line.starts_with(word));
        assert!(has("ReadWritePaths=-/run/nullrouted"), "{name}");
        assert!(!has("RuntimeDirectory="), "{name}");
    }
}

#[test]
fn ip_route_knows_our_protocol_by_name() {
    let Some(router) = crate::support::namespace::Namespace::new() else {
        return;
    };
    router.ip("route add blackhole 72.37.186.0/23 proto 166");
    // The namespace has mounts of its own: the host's /etc stays as it is.
    router.sh(&format!(
        "mkdir -p /etc/iproute2/rt_protos.d 2>/dev/null || true
         mount -t tmpfs tmpfs /etc/iproute2/rt_protos.d
         cp {} /etc/iproute2/rt_protos.d/nullrouted.conf",
        unit("rt_protos.conf").display()
    ));
    assert_eq!(
        router.ip("route show proto nullrouted").trim(),
        "blackhole 72.37.186.0/23"
    );
}

#[test]
fn a_hostile_list_takes_no_more_memory_than_the_unit_permits() {
    for name in ["nullrouted.service", "nullrouted-refresh.service"] {
        let text = std::fs::read_to_string(unit(name)).unwrap();
        assert!(text.lines().any(|line| line == "MemoryMax=1G"), "{name}");
    }
}
