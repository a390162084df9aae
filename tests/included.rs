//! BIRD and OpenBGPD, whose own file includes ours: what `verify` says while it does not, and of another file of ours.

mod support;

use nullrouted::target::router::{Family, Role};
use support::frr::Running;
use support::namespace::Namespace;
use support::speaker::{bird, can_run, open, openbgpd, run};
use support::{NO_KERNEL, NOC, Place, Ran};

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
    let ours = Place::new(&format!(
        "{NOC}{NO_KERNEL}[[router]]\nname = \"edge1\"\nfamily = \"{family}\"\npath = \"it.conf\"\n\
         check = \"default\"\nreload = \"default\"\nverify = \"default\"\n"
    ));
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
}

#[test]
fn bird_is_asked_for_its_very_file() {
    included(Family::Bird, "bird", "BIRD");
}

#[test]
fn openbgpd_is_asked_for_its_very_file() {
    included(Family::OpenBgpd, "bgpctl", "OpenBGPD");
}
