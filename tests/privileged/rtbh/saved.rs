//! `write memory` of FRR saves what any of its daemons holds, and a start reads that back.

use crate::support::frr::Running;
use crate::support::namespace::Namespace;
use crate::support::speaker::{self, can_run};
use crate::support::{NOC, Place, is_installed};

/// Every daemon, started as the package does: nothing in it, then `vtysh -b`.
fn start(namespace: &Namespace, place: &Place) -> Vec<Running> {
    let daemons = speaker::frr(namespace, place, &["zebra", "staticd", "bgpd"]);
    namespace.run("vtysh", &["-b"]).code(0);
    daemons
}

/// A namespace in which FRR saves to a folder of its own. `None` where it cannot run.
fn with_own_folder() -> Option<Namespace> {
    if !can_run(&["vtysh", "bgpd", "zebra"]) {
        return None;
    }
    let namespace = Namespace::new()?;
    namespace.sh(
        "mount -t tmpfs tmpfs /etc/frr; touch /etc/frr/vtysh.conf /etc/frr/frr.conf; chown -R frr:frr /etc/frr",
    );
    Some(namespace)
}

/// Whether some daemon holds an entry.
fn held(namespace: &Namespace, entry: &str) -> bool {
    let running = namespace.run("vtysh", &["-c", "show running-config"]);
    running.code(0).out.contains(entry)
}

#[test]
fn what_is_delisted_does_not_come_back_with_what_frr_saved() {
    let Some(namespace) = with_own_folder() else {
        return;
    };
    for (role, entry) in [
        (
            "trigger",
            "NULLROUTED-V4 seq 1210432256 permit 72.37.186.0/23",
        ),
        (
            "filter",
            "NULLROUTED-FILTER-V4 seq 1210432256 permit 72.37.186.0/23 le 32",
        ),
    ] {
        namespace.sh(": > /etc/frr/frr.conf");
        let place = Place::new(&format!(
            "{NOC}[limits]\nmax_removed = \"100%\"\n[kernel]\nenabled = false\n[[router]]\nname = \"it\"\n\
             family = \"frr\"\nrole = \"{role}\"\nlists = \"one\"\npath = \"it.conf\"\ncheck = \"default\"\n\
             reload = \"default\"\nverify = \"default\"\n"
        ));
        let daemons = start(&namespace, &place);
        let refresh = |list: &str| {
            place.write("noc.list", list);
            place.run_in(&namespace, &["refresh"]).code(0)
        };
        let saved = || {
            namespace.run("vtysh", &["-c", "write memory"]).code(0);
            namespace.sh("cat /etc/frr/frr.conf")
        };
        let few = "198.51.100.0/24\n192.0.2.0/24\n";
        let many: String = (0..20).map(|n| format!("203.0.{n}.7\n")).collect();
        let before = format!("72.37.186.0/23\n{few}{many}");
        refresh(&before);
        assert!(saved().contains(entry), "{role}");
        drop(daemons);

        // Each daemon has read what was saved, and so has a copy.
        let daemons = start(&namespace, &place);
        refresh(&before).says("it.conf unchanged");
        // By the difference, and by the whole file.
        refresh(&format!("{few}{many}")).says("replaced, its difference loaded");
        assert!(!held(&namespace, entry), "{role}");
        refresh("2001:db8:bad::/48\n").says("it.conf replaced, 1 prefixes");
        let text = saved();
        for gone in [entry, "198.51.100.0/24", "192.0.2.0/24"] {
            assert!(!text.contains(gone), "{role}: {gone} is saved: {text}");
        }
        drop(daemons);
        let daemons = start(&namespace, &place);
        assert!(!held(&namespace, entry), "{role}");
        assert!(!held(&namespace, "198.51.100.0/24"), "{role}");
        refresh("2001:db8:bad::/48\n").says("it.conf unchanged");

        // A copy that another program made is found.
        let command = match role {
            "trigger" => "ip prefix-list NULLROUTED-V4 seq 7 permit 9.9.9.0/24",
            _ => "ip prefix-list NULLROUTED-FILTER-V4 seq 7 permit 9.9.9.0/24",
        };
        // Since FRR 10 zebra has it from mgmtd.
        let daemon = match is_installed("mgmtd") {
            true => "mgmtd",
            false => "zebra",
        };
        let words = ["-d", daemon, "-c", "configure terminal", "-c", command];
        namespace.run("vtysh", &words).code(0);
        refresh("2001:db8:bad::/48\n").says("it.conf loaded again");
        assert!(!held(&namespace, "9.9.9.0/24"), "{role}");
        drop(daemons);
    }
}

/// The command of the header does by hand what the default reload does.
#[test]
fn a_load_by_hand_leaves_no_copy_that_frr_saves() {
    let Some(namespace) = with_own_folder() else {
        return;
    };
    for role in ["trigger", "filter"] {
        namespace.sh(": > /etc/frr/frr.conf");
        let place = Place::new(&format!(
            "{NOC}[limits]\nmax_removed = \"100%\"\n[kernel]\nenabled = false\n[[router]]\nname = \"it\"\n\
             family = \"frr\"\nrole = \"{role}\"\nlists = \"one\"\npath = \"it.conf\"\n"
        ));
        let load = |list: &str| {
            place.write("noc.list", list);
            place.run_in(&namespace, &["refresh"]).code(0);
            let file = place.path("it.conf");
            let text = std::fs::read_to_string(&file).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("! Load:"));
            let (command, _) = line.unwrap().split_once("  (").unwrap();
            namespace.sh(&command.replace("THIS-FILE", &file.display().to_string()));
        };
        let saved = || {
            namespace.run("vtysh", &["-c", "write memory"]).code(0);
            namespace.sh("cat /etc/frr/frr.conf")
        };
        let daemons = start(&namespace, &place);
        load("72.37.186.0/23\n198.51.100.0/24\n");
        assert!(saved().contains("permit 72.37.186.0/23"), "{role}");
        drop(daemons);
        let daemons = start(&namespace, &place);
        load("198.51.100.0/24\n");
        let text = saved();
        assert!(!text.contains("72.37.186.0/23"), "{role}: {text}");
        assert!(text.contains("permit 198.51.100.0/24"), "{role}: {text}");
        drop(daemons);
    }
}
