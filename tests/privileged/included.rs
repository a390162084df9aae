//! BIRD and OpenBGPD, whose own file includes ours: what `verify` says while it does not, and of
//! another file of ours. And one daemon with a file of each role.

use crate::support::frr::Running;
use crate::support::namespace::Namespace;
use crate::support::speaker::{bird, can_run, frr, open, openbgpd, run, vtysh};
use crate::support::{NO_KERNEL, NOC, Place, Ran};
use nullrouted::targets::file::{Family, Role};

/// What the operator's own file is, the line that includes ours apart.
fn own(family: Family) -> &'static str {
    match family {
        Family::Bird => "router id 192.0.2.1;\nprotocol device {}\n",
        _ => "AS 65000\nrouter-id 192.0.2.1\nfib-update no\n",
    }
}

fn include(family: Family, ours: &Place) -> String {
    let file = ours.path("it.conf").display().to_string();
    match family {
        Family::Bird => format!("include \"{file}\";\n"),
        _ => format!("include \"{file}\"\n"),
    }
}

fn started(family: Family, namespace: &Namespace, place: &Place) -> Running {
    match family {
        Family::Bird => bird(namespace, place, own(family), ""),
        _ => openbgpd(namespace, place, own(family)),
    }
}

/// The daemon reads its files again.
fn reload(family: Family, namespace: &Namespace) {
    let (program, verb) = match family {
        Family::Bird => ("birdc", "configure"),
        _ => ("bgpctl", "reload"),
    };
    namespace.run(program, &[verb]).code(0);
}

/// The commands that are the default, from the first file on.
fn included(family: Family, program: &str, its_name: &str) {
    if !can_run(&[program]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let its = Place::new(NOC);
    let daemon = started(family, &namespace, &its);
    let by_default = "reload = \"default\"\n";
    let config = format!(
        "{NOC}{NO_KERNEL}[[router]]\nname = \"edge1\"\nfamily = \"{family}\"\npath = \"it.conf\"\n\
         check = \"default\"\n{by_default}verify = \"default\"\n"
    );
    let ours = Place::new(&config);
    open(&ours);
    ours.write("noc.list", "72.37.186.0/23\n2001:db8:bad::/48\n");
    let refresh = || -> Ran { ours.run_in(&namespace, &["refresh"]) };

    // The file is there, so that it can be included.
    refresh().code(1).says(&format!(
        "verify failed: sh ended with exit status: 1 ({its_name} holds no file of this role: is it included?); \
         the file stays, as there was none before"
    ));
    let first = ours.read("it.conf");
    refresh().code(1).says(&format!(
        "({its_name} holds no file of this role: is it included?); the file is in place"
    ));
    its.write(
        if family == Family::Bird {
            "bird.conf"
        } else {
            "bgpd.conf"
        },
        &(own(family).to_owned() + &include(family, &ours)),
    );
    refresh().code(0).says("it.conf loaded again, 2 prefixes");
    refresh().code(0).says("it.conf unchanged, 2 prefixes");

    ours.write("noc.list", "72.37.186.0/23\n");
    refresh().code(0).says("it.conf replaced, 1 prefixes");
    // It comes up with an older one, as from another disk.
    let second = ours.read("it.conf");
    ours.write("it.conf", &first);
    reload(family, &namespace);
    ours.write("it.conf", &second);
    let commands = family.commands(Role::default());
    let run = |words: &[&str]| run(&namespace, words, &ours.path("it.conf"));
    run(commands.verify)
        .code(1)
        .says(&format!("{its_name} holds another file than this one"));
    // What it refuses, the reload says, whatever its own program ends with.
    ours.write("it.conf", "nothing that it knows\n");
    run(commands.reload).code(1).says("");
    ours.write("it.conf", &second);
    refresh().code(0).says("it.conf loaded again, 1 prefixes");
    refresh().code(0).says("it.conf unchanged, 1 prefixes");

    drop(daemon);
    refresh().code(1).says("reload failed: ");
    assert_eq!(ours.read("it.conf"), second);
    // Where something else loads it, a daemon that does not run is no less a failure at each pass.
    ours.configure(&config.replace(by_default, ""));
    for _ in 0..3 {
        refresh()
            .code(1)
            .says("verify failed: ")
            .says("; the file is in place, and no reload is set that loads it");
    }
}

#[test]
fn bird_is_asked_for_its_very_file() {
    included(Family::Bird, "bird", "BIRD");
}

#[test]
fn openbgpd_is_asked_for_its_very_file() {
    included(Family::OpenBgpd, "bgpctl", "OpenBGPD");
}

const ROLES: [&str; 3] = ["trigger", "edge", "filter"];

/// Each role loads into names of its own, so one daemon has a file of each, and none takes away
/// what another has.
fn side_by_side(family: Family, program: &str) {
    if !can_run(&[program]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let routers = ROLES.map(|role| {
        format!(
            "[[router]]\nname = \"{role}\"\nfamily = \"{family}\"\nrole = \"{role}\"\npath = \"{role}.conf\"\n\
             check = \"default\"\nreload = \"default\"\nverify = \"default\"\n"
        )
    });
    let config = format!("{NOC}{NO_KERNEL}{}", routers.concat());
    let (its, ours) = (Place::new(NOC), Place::new(&config));
    open(&ours);
    ours.write("noc.list", "72.37.186.0/23\n2001:db8:bad::/48\n");
    let include = |role: &str| {
        let file = ours.path(&format!("{role}.conf")).display().to_string();
        let end = if family == Family::Bird { ";" } else { "" };
        format!("include \"{file}\"{end}\n")
    };
    let refresh = || ours.run_in(&namespace, &["refresh"]);
    // The files are there before they are included.
    refresh();
    let with = |family| own(family).to_owned() + &ROLES.map(include).concat();
    let _daemons = match family {
        Family::Bird => vec![bird(&namespace, &its, &with(family), "")],
        Family::OpenBgpd => vec![openbgpd(&namespace, &its, &with(family))],
        _ => {
            let daemons = frr(&namespace, &its, &["zebra", "staticd", "bgpd"]);
            its.write(
                "frr.conf",
                "router bgp 65000\n bgp router-id 192.0.2.1\nexit\n",
            );
            vtysh(&namespace, &its.path("frr.conf"));
            daemons
        }
    };
    refresh().code(0);
    let protect = "[protect]\nprefixes = [\"198.51.100.0/24\", \"2001:db8:1::/48\"]\n";
    for (config, list) in [
        (config.clone(), "72.37.186.0/23\n2001:db8:bad::/48\n"),
        (config.clone(), "203.0.113.0/24\n"),
        (format!("{config}{protect}"), "203.0.113.0/24\n"),
        (format!("{config}{protect}"), "# nobody\n"),
    ] {
        ours.configure(&config);
        ours.write("noc.list", list);
        refresh().code(0);
        let ran = refresh().code(0);
        assert_eq!(
            ran.err.matches(".conf unchanged, ").count(),
            3,
            "{}",
            ran.err
        );
    }
}

#[test]
fn bird_has_a_file_of_each_role() {
    side_by_side(Family::Bird, "bird");
}

#[test]
fn openbgpd_has_a_file_of_each_role() {
    side_by_side(Family::OpenBgpd, "bgpctl");
}

#[test]
fn frr_has_a_file_of_each_role() {
    side_by_side(Family::Frr, "vtysh");
}
