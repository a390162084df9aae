//! systemd-networkd together with our routes and our policy rule, with `systemd/networkd.conf` and
//! without it.

use std::process::Command;

use crate::support::frr::Running;
use crate::support::lab::LIST;
use crate::support::namespace::{Namespace, eventually};
use crate::support::speaker::{open, quiet};
use crate::support::{NOC, Place, Ran, is_root, left_out, repository};

const NETWORKD: &str = "/usr/lib/systemd/systemd-networkd";
const DROP_IN: &str = "networkd.conf.d/nullrouted.conf";

/// A link that systemd-networkd manages, with this address.
fn network(address: &str) -> String {
    format!(
        "[Match]\nName=managed\n[Network]\nAddress={address}\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )
}

/// What `systemd/networkd.conf` says, without this key.
fn without(key: &str) -> Option<String> {
    let text = std::fs::read_to_string(repository().join("systemd/networkd.conf")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with(key));
    Some(lines.map(|line| format!("{line}\n")).collect())
}

/// systemd-networkd that manages a link of the namespace, by this drop-in where the README installs
/// it.
fn networkd(router: &Namespace, place: &Place, drop_in: Option<&str>) -> Running {
    open(place);
    // Its own /run, a /sys in which it expects no udev, and a /usr/lib/systemd that has the
    // drop-in.
    router.sh("mount -t tmpfs tmpfs /run
         mkdir -p /run/systemd/netif /run/systemd/network /run/lib
         chown systemd-network: /run/systemd/netif
         mount -t sysfs -o ro sysfs /sys
         cp -a /usr/lib/systemd/. /run/lib
         mkdir -p /run/lib/networkd.conf.d
         mount --bind /run/lib /usr/lib/systemd");
    let copy = |text: &str, to: &str| {
        place.write("it", text);
        let from = place.path("it").display().to_string();
        router.run("cp", &[&from, to]).code(0);
    };
    if let Some(text) = drop_in {
        copy(text, &format!("/usr/lib/systemd/{DROP_IN}"));
    }
    copy(
        &network("192.0.2.1/24"),
        "/run/systemd/network/managed.network",
    );
    let running = quiet(&mut router.command(NETWORKD));
    configured(router, "192.0.2.1/24");
    running
}

/// It is done with the link.
fn configured(router: &Namespace, address: &str) {
    eventually(&format!("{address} is configured"), || {
        let done = "grep -qs ADMIN_STATE=configured /run/systemd/netif/links/*";
        router.run("sh", &["-c", done]).code == Some(0)
            && router.ip("address show dev managed").contains(address)
    });
}

/// 257 removes blackholes and policy rules, and reads its files again at SIGHUP; 252 did nothing of
/// that here.
fn is_new() -> bool {
    let ran = Ran::of(Command::new(NETWORKD).arg("--version").output().unwrap());
    let version = ran.out.split_whitespace().nth(1).unwrap().to_owned();
    version.parse::<u32>().unwrap() >= 257
}

/// Our routes and rules that are left when it starts, and when it reads its files again.
fn left(drop_in: Option<&str>) -> Option<[(usize, usize); 2]> {
    let router = Namespace::new()?;
    let place = Place::new(&format!("{NOC}[kernel]\ntable = 1166\nrule = 5000\n"));
    place.write("noc.list", LIST);
    let there = || {
        let routes = ["-4", "-6"].map(|family| {
            let all = router.ip(&format!("{family} route show table all proto 166"));
            all.lines().count()
        });
        (routes[0] + routes[1], router.rules("166", true).len())
    };
    let refresh = || {
        place.run_in(&router, &["refresh"]).code(0);
        assert_eq!(there(), (2, 2));
    };
    router.ip("link add managed type veth peer name other");
    router.ip("link set other up");
    refresh();
    let its = Place::new(NOC);
    let networkd = networkd(&router, &its, drop_in);
    let at_start = there();
    if !is_new() {
        return Some([at_start, at_start]);
    }
    refresh();
    its.write("it", &network("192.0.2.2/24"));
    let from = its.path("it").display().to_string();
    let to = "/run/systemd/network/managed.network";
    router.run("cp", &[&from, to]).code(0);
    networkd.signal("-HUP");
    configured(&router, "192.0.2.2/24");
    Some([at_start, there()])
}

#[test]
fn our_routes_and_rules_survive_networkd_with_the_file_and_only_with_it() {
    if !std::path::Path::new(NETWORKD).exists() {
        return left_out("systemd-networkd is not installed");
    }
    if !is_root() {
        return left_out("systemd-networkd becomes another user, which only root can");
    }
    let cases = [
        (without("nothing"), (2, 2)),
        (without("ManageForeignRoutingPolicyRules="), (2, 0)),
        (without("ManageForeignRoutes="), (0, 2)),
        (None, (0, 0)),
    ];
    // What an older one removes is not what counts.
    let most = if is_new() { cases.len() } else { 1 };
    for (drop_in, survive) in cases.into_iter().take(most) {
        let Some(left) = left(drop_in.as_deref()) else {
            return;
        };
        assert_eq!(left, [survive; 2], "with {drop_in:?}");
    }
}

/// The README puts the file where the packages of a distribution have theirs.
#[test]
fn the_readme_installs_the_file_where_the_test_has_it() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let line = readme
        .lines()
        .find(|line| line.contains("systemd/networkd.conf "));
    let place = format!("/usr/lib/systemd/{DROP_IN}");
    assert!(line.unwrap().ends_with(&format!(" {place}")), "{line:?}");
    let text = std::fs::read_to_string(repository().join("systemd/networkd.conf")).unwrap();
    assert!(text.starts_with(&format!("# {place}\n")));
}
